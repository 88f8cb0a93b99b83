//! `crafting init`.

use serde::Serialize;

use super::args::InitArgs;
use super::ui::Ui;
use super::ui::table::Table;
use crate::error::Result;
use crate::farm;
use crate::model::SubPath;

#[derive(Serialize)]
struct Answer<'a> {
    path: String,
    found: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    subproject: &'a SubPath,
    recipes: &'a [String],
    evidence: &'a str,
}

/// Detects, and writes what was detected.
pub fn run(ui: &Ui, args: &InitArgs) -> Result<u8> {
    let written = farm::init(&args.path, args.force)?;
    if ui.is_json() {
        let found = written
            .found
            .iter()
            .map(|(subproject, recipes, evidence)| Found { subproject, recipes, evidence })
            .collect();
        ui.json(&Answer { path: written.path.display().to_string(), found })?;
        return Ok(0);
    }
    let mut table = Table::new(["subproject", "recipes", "recognised by"]);
    for (subproject, recipes, evidence) in &written.found {
        table.row([subproject.as_str().into(), recipes.join(", ").into(), evidence.into()]);
    }
    ui.print(&format!("{}{}\n", table.render(ui.look()), written.path.display()))?;
    match written.found.is_empty() {
        true => ui.note("nothing was recognised here; add a [[subproject]] with its recipes to the file"),
        false => ui.note("written; run it with `crafting job run`"),
    }
    Ok(0)
}
