//! `crafting project …`.

mod add;
mod list;
mod remove;
mod show;
mod update;

use super::args::{Global, ProjectCommand};
use super::ui::Ui;
use super::{here, on_farm};
use crate::error::{Error, Result};
use crate::farm::{Farm, Registered};
use crate::model::{Project, ProjectName};

/// Runs one of them.
pub fn run(ui: &Ui, global: &Global, command: ProjectCommand) -> Result<u8> {
    on_farm(ui, global.settings()?, async |farm| match command {
        ProjectCommand::Add(args) => add::run(ui, farm, args).await,
        ProjectCommand::List => list::run(ui, farm).await,
        ProjectCommand::Show(args) => show::run(ui, farm, args).await,
        ProjectCommand::Update(args) => update::run(ui, farm, args).await,
        ProjectCommand::Remove(args) => remove::run(ui, farm, args).await,
    })
}

/// The named project, or the one of this folder.
pub(super) async fn named_or_here(farm: &dyn Farm, name: Option<ProjectName>) -> Result<Project> {
    if let Some(name) = name {
        return farm.project(&name).await;
    }
    let folder = here()?;
    farm.project_of(&folder).await?.ok_or_else(|| {
        Error::not_found(format!("{} belongs to no registered project", folder.display()))
            .hint("name one (see `crafting project list`), or register this one with `crafting project add`")
    })
}

/// What became of a project's registration, in a phrase.
pub fn registration(registered: &Registered) -> String {
    let what = match (registered.added, registered.changed) {
        (true, _) => "registered",
        (false, true) => "read again, it has changed",
        (false, false) => "unchanged",
    };
    let source = registered.project_file.as_deref().unwrap_or("detection");
    format!("project {}: {what} (from {source})", registered.project.name)
}
