//! `crafting events`.

use clap::Args;

use crate::model::ProjectName;

/// `crafting events`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting events
  crafting events -p app --limit 200 --format json
  crafting events --before 1742")]
pub struct EventsArgs {
    /// Of this project and its jobs, findings and secrets
    #[arg(short, long)]
    pub project: Option<ProjectName>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
    /// Only events before the one with this number
    #[arg(long, value_name = "ID")]
    pub before: Option<i64>,
}
