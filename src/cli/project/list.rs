//! `crafting project list`.

use serde_json::json;

use super::super::ui::Ui;
use super::super::ui::table::Table;
use crate::error::Result;
use crate::farm::Farm;

/// Every project.
pub async fn run(ui: &Ui, farm: &dyn Farm) -> Result<u8> {
    let projects = farm.projects().await?;
    if ui.is_json() {
        ui.json(&json!({ "projects": projects }))?;
        return Ok(0);
    }
    let mut table = Table::new(["project", "branch", "subprojects", "recipes", "where from"]).right(&[2, 3]);
    for project in &projects {
        let recipes: usize = project.subprojects.iter().map(|subproject| subproject.recipes.len()).sum();
        table.row([
            project.name.as_str().into(),
            project.default_branch.as_ref().map(ToString::to_string).unwrap_or_default().into(),
            project.subprojects.len().to_string().into(),
            recipes.to_string().into(),
            project.git_url.as_str().into(),
        ]);
    }
    ui.print(&table.render(ui.look()))?;
    if projects.is_empty() {
        ui.note("there are no projects yet; `crafting job run` in a checkout registers it");
    }
    Ok(0)
}
