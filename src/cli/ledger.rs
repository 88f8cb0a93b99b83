//! `crafting ledger …`.

use serde_json::json;

use super::args::{Global, LedgerCommand};
use super::on_local_farm;
use super::ui::Ui;
use crate::config::Settings;
use crate::error::{Code, Result};

/// Checks or copies the ledger.
pub fn run(ui: &Ui, global: &Global, command: LedgerCommand) -> Result<u8> {
    global.for_this_machine("ledger")?;
    on_local_farm(ui, Settings::load()?, async |farm| match command {
        LedgerCommand::Check => {
            let problems = ui.waiting("looking the ledger over", farm.check_ledger()).await?;
            if ui.is_json() {
                ui.json(&json!({ "sound": problems.is_empty(), "problems": problems }))?;
            } else if problems.is_empty() {
                ui.print("the ledger is sound\n")?;
            } else {
                ui.print(&problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())?;
            }
            Ok(if problems.is_empty() { 0 } else { Code::LedgerFailed.exit_status() })
        }
        LedgerCommand::Backup(args) => {
            let path = ui.waiting("copying the ledger", farm.backup_ledger(&args.to)).await?.display().to_string();
            if ui.is_json() {
                ui.json(&json!({ "path": path }))?
            } else {
                ui.print(&format!("{path}\n"))?
            }
            Ok(0)
        }
    })
}
