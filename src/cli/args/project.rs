//! The arguments of `crafting project …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::model::{GitUrl, ProjectName, RefName};

/// `crafting project …`.
#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// Register a project: a folder of this machine or a repository's address
    Add(AddArgs),
    /// List the projects
    #[command(after_help = "Examples:
  crafting project list
  crafting project list --format json")]
    List,
    /// Show a project: its subprojects and their recipes
    Show(ShowProjectArgs),
    /// Read a project's crafting.toml again, or change where it comes from
    Update(UpdateArgs),
    /// Remove a project with its jobs, findings, logs, mirror and slots
    Remove(RemoveArgs),
}

/// `crafting project add`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting project add
  crafting project add https://example.org/owner/app.git --branch main
  crafting project add ../app --name app --file ci/crafting.toml")]
pub struct AddArgs {
    /// A folder in a checkout, or a repository's address
    #[arg(value_name = "PATH|URL", default_value = ".", hide_default_value = true)]
    pub source: String,
    /// Its name, if not the one in crafting.toml or the folder's
    #[arg(long)]
    pub name: Option<ProjectName>,
    /// The branch that jobs run when they name no ref
    #[arg(long)]
    pub branch: Option<RefName>,
    /// Read this file instead of the repository's crafting.toml
    #[arg(long)]
    pub file: Option<PathBuf>,
}

/// `crafting project show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting project show
  crafting project show app --format json")]
pub struct ShowProjectArgs {
    /// The project; without it, the one of this folder
    pub name: Option<ProjectName>,
}

/// `crafting project update`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting project update
  crafting project update app --branch develop
  crafting project update app --url git@example.org:owner/app.git")]
pub struct UpdateArgs {
    /// The project; without it, the one of this folder
    pub name: Option<ProjectName>,
    /// The branch that jobs run when they name no ref
    #[arg(long)]
    pub branch: Option<RefName>,
    /// The repository's new address
    #[arg(long)]
    pub url: Option<GitUrl>,
    /// Read this file instead of the repository's crafting.toml
    #[arg(long)]
    pub file: Option<PathBuf>,
}

/// `crafting project remove`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting project remove app
  crafting project remove app --yes")]
pub struct RemoveArgs {
    /// The project
    pub name: ProjectName,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}
