//! `crafting project update`.

use super::super::args::UpdateArgs;
use super::super::ui::Ui;
use super::{add, named_or_here};
use crate::error::Result;
use crate::farm::{Farm, ProjectChange, ProjectText};

/// Reads a project's description again, and changes what the flags name.
pub async fn run(ui: &Ui, farm: &dyn Farm, args: UpdateArgs) -> Result<u8> {
    let name = match args.name {
        Some(name) => name,
        None => named_or_here(farm, None).await?.name,
    };
    let file = args.file.as_deref().map(ProjectText::read).transpose()?;
    let change = ProjectChange { default_branch: args.branch, url: args.url, file };
    let registered = ui.waiting("looking at the repository", farm.update_project(&name, change)).await?;
    add::answer(ui, &registered)
}
