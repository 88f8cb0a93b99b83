//! The arguments of `crafting findings`.

use std::path::PathBuf;

use clap::Args;

use super::super::values::{FailOn, choice};
use crate::farm::JobSelector;
use crate::model::{Kind, Language, ProjectName, RecipeName, Severity};

/// `crafting findings`.
#[derive(Debug, Args)]
#[command(after_help = "Without JOB: the findings of the newest finished job of every subproject and recipe, of this
folder's project if it is registered, else of all.

Beside table and json, --format takes jsonl (one finding a line), sarif, junit, rdjsonl, github, gitlab,
checkstyle and markdown.

Examples:
  crafting findings @last --new
  crafting findings @last --format sarif > findings.sarif
  crafting findings --severity error --path 'src/**' --format jsonl
  pytest 2>&1 | crafting findings --from - --language python")]
pub struct FindingsArgs {
    /// The beginning of a job's id, @last or @last-failed; may be repeated
    #[arg(value_name = "JOB")]
    pub jobs: Vec<JobSelector>,
    /// Of this project
    #[arg(short, long, conflicts_with = "jobs")]
    pub project: Option<ProjectName>,
    /// Of this kind
    #[arg(long, value_parser = choice(Kind::ALL, Kind::as_str))]
    pub kind: Option<Kind>,
    /// At least so bad
    #[arg(long, value_parser = choice(Severity::ALL, Severity::as_str))]
    pub severity: Option<Severity>,
    /// In files that match this pattern, such as 'src/**'
    #[arg(long, value_name = "GLOB")]
    pub path: Option<String>,
    /// Only those that are new
    #[arg(long)]
    pub new: bool,
    /// Show each finding in full, with its fingerprint and its suggested fix
    #[arg(long)]
    pub details: bool,
    /// Exit with 1 if a finding is at least so bad: info, warn, error; new:warn counts new ones only
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    /// Read a captured log instead, of any tool run anywhere; - is stdin
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["jobs", "project", "new"])]
    pub from: Option<PathBuf>,
    /// What the tool of the captured log works on
    #[arg(long, requires = "from", value_parser = choice(Language::ALL, Language::as_str))]
    pub language: Option<Language>,
    /// The recipe that the captured log would be of
    #[arg(long, requires = "from")]
    pub recipe: Option<RecipeName>,
    /// How the tool of the captured log exited
    #[arg(long, value_name = "N", requires = "from", allow_negative_numbers = true)]
    pub exit_code: Option<i32>,
}
