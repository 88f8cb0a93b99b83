//! `crafting gc`.

use super::args::{GcArgs, Global};
use super::on_local_farm;
use super::ui::{Ui, text};
use crate::config::Settings;
use crate::error::Result;

/// Removes what is no longer needed.
pub fn run(ui: &Ui, global: &Global, args: &GcArgs) -> Result<u8> {
    global.for_this_machine("gc")?;
    on_local_farm(ui, Settings::load()?, async |farm| {
        let report = ui.waiting("removing what nobody needs", farm.gc(args.all)).await?;
        if ui.is_json() {
            ui.json(&report)?;
        } else {
            let removed = [(report.slots, "slot"), (report.logs, "log"), (report.mirrors, "mirror")]
                .map(|(number, what)| text::count(number, what))
                .join(", ");
            ui.print(&format!("removed {removed}: {} free again\n", text::bytes(report.freed_bytes)))?;
        }
        Ok(0)
    })
}
