//! `crafting config …`.

use serde_json::json;

use super::args::{ConfigCommand, Global};
use super::here;
use super::ui::Ui;
use super::ui::table::Table;
use crate::error::Result;
use crate::farm::settings;

/// Shows every effective value and where it came from.
pub fn run(ui: &Ui, global: &Global, command: &ConfigCommand) -> Result<u8> {
    let ConfigCommand::Show = command;
    let rows = settings(&here()?)?.with_server(global.server.clone(), global.token.as_deref())?.rows();
    if ui.is_json() {
        ui.json(&json!({ "settings": rows }))?;
        return Ok(0);
    }
    let mut table = Table::new(["name", "variable", "from", "value"]).optional(&[1]);
    for row in &rows {
        table.row([row.name.into(), row.variable.into(), (&row.origin).into(), (&row.value).into()]);
    }
    ui.print(&table.render(ui.look()))?;
    Ok(0)
}
