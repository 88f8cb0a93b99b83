//! `crafting project update`.

use super::super::args::UpdateArgs;
use super::super::ui::Ui;
use super::{add, named_or_here};
use crate::error::Result;
use crate::farm::{Farm, ProjectChange};

/// Reads a project's description again, and changes what the flags name.
pub async fn run(ui: &Ui, farm: &dyn Farm, args: UpdateArgs) -> Result<u8> {
    let name = match args.name {
        Some(name) => name,
        None => named_or_here(farm, None).await?.name,
    };
    let change = ProjectChange { default_branch: args.branch, url: args.url, file: args.file };
    let registered = ui.waiting("looking at the repository", farm.update_project(&name, change)).await?;
    add::answer(ui, &registered)
}
