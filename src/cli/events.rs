//! `crafting events`.

use serde_json::json;

use super::args::{EventsArgs, Global};
use super::on_farm;
use super::ui::Ui;
use super::ui::colour::Tone;
use super::ui::table::{Cell, Table};
use crate::error::Result;
use crate::model::{EventFilter, Phase};

/// The audit trail, newest first.
pub fn run(ui: &Ui, global: &Global, args: EventsArgs) -> Result<u8> {
    let EventsArgs { project, limit, before } = args;
    let filter = EventFilter { project, limit, before, ..EventFilter::default() };
    on_farm(ui, global.settings()?, async |farm| {
        let events = farm.events(&filter).await?;
        if ui.is_json() {
            ui.json(&json!({ "events": events }))?;
            return Ok(0);
        }
        let mut table =
            Table::new(["when", "who", "from", "project", "action", "phase", "object", "detail"]).optional(&[2, 3, 1]);
        for event in &events {
            let phase = match event.phase {
                Phase::Done => Cell::from(""),
                Phase::Failed => Cell::toned(event.phase.as_str(), Tone::Bad),
                other => other.as_str().into(),
            };
            table.row([
                event.at.to_string().into(),
                event.actor.as_ref().map_or("this machine", |actor| actor.as_str()).into(),
                event.address.map(|address| address.to_string()).unwrap_or_default().into(),
                event.project.as_ref().map(ToString::to_string).unwrap_or_default().into(),
                event.action.as_str().into(),
                phase,
                event.object.as_str().into(),
                event.detail.as_deref().unwrap_or_default().into(),
            ]);
        }
        ui.print(&table.render(ui.look()))?;
        match events.last() {
            None => ui.note("nothing was done yet"),
            Some(last) if u32::try_from(events.len()).is_ok_and(|number| number == filter.limit) => {
                ui.note(&format!("older ones: crafting events --before {}", last.id));
            }
            Some(_) => {}
        }
        Ok(0)
    })
}
