//! The arguments of `crafting findings`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::super::values::{FailOn, choice, reason, until};
use crate::farm::{JobSelector, Since};
use crate::model::{FingerprintPrefix, GroupBy, Kind, Language, ProjectName, RecipeName, Severity, Timestamp};

/// `crafting findings`.
#[derive(Debug, Default, PartialEq, Args)]
#[command(after_help = "Without JOB: the findings of the newest finished job of every subproject and recipe, of this
folder's project if it is registered, else of all.

Beside table and json, --format takes jsonl (one finding a line), sarif, junit, rdjsonl, github,
gitlab, checkstyle and markdown. Those for other programs name files from the repository's top.

--since compares with another state. A job: with that job, which must be of the same subproject
and recipe. A branch, tag or commit: each with the newest job at that commit or nearest before
it. A time (7d, yesterday, 2026-11-01, 2026-11-01T10:00): what no job had seen before then.

Examples:
  crafting findings --new
  crafting findings --format sarif > findings.sarif
  crafting findings @last-failed --details
  crafting findings --severity error --path src --format jsonl
  crafting findings --since main --fail-on new
  crafting findings ignore 8f2c41d0 --reason 'a test fixture' --until 2027-01-31
  pytest 2>&1 | crafting findings --from - --language python")]
pub struct FindingsArgs {
    /// What to do with findings, other than to read them.
    #[command(subcommand)]
    pub command: Option<FindingsCommand>,
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
    /// In this folder, or in files that match a pattern, such as 'src/*.py'
    #[arg(long, value_name = "GLOB")]
    pub path: Option<String>,
    /// Only those that are new
    #[arg(long)]
    pub new: bool,
    /// Only what is new since then
    #[arg(long, value_name = "REF|JOB|TIME")]
    pub since: Option<Since>,
    /// Ignored ones too
    #[arg(long)]
    pub ignored: bool,
    /// Put findings together, the worst group first
    #[arg(long, value_name = "BY", value_parser = choice(GroupBy::ALL, GroupBy::as_str))]
    pub group_by: Option<GroupBy>,
    /// Show at most so many; 0 shows all. Without it a table has 200, JSON all
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Show each finding in full, with its fingerprint and its suggested fix
    #[arg(long)]
    pub details: bool,
    /// Exit with 1 if there is such a finding: error, warn, info (or worse), cve, new, new:warn and so on
    #[arg(long, value_name = "WHAT")]
    pub fail_on: Option<FailOn>,
    /// Read a captured log instead, of any tool run anywhere; - is stdin
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["jobs", "project", "new", "since", "ignored"])]
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

/// `crafting findings …`. None of the names can begin a job's id: those have no i, l, o and u.
#[derive(Debug, PartialEq, Subcommand)]
pub enum FindingsCommand {
    /// Ignore findings from now on, wherever their lines go
    Ignore(IgnoreArgs),
    /// List the ignored findings
    Ignored(IgnoredArgs),
    /// Let ignored findings count again
    Unignore(UnignoreArgs),
}

/// `crafting findings ignore`.
#[derive(Debug, PartialEq, Args)]
#[command(
    after_help = "An ignored finding stays in the ledger. It is shown with --ignored only, and counts for nothing:
not as new, not for --fail-on. It is followed as novelty is, through edits and renames. To ignore
by rule, for everybody who has the repository, write [[ignore]] tables into crafting.toml.

Examples:
  crafting findings ignore 8f2c41d0 --reason 'generated code'
  crafting findings ignore 8f2c 91aa -p app --reason 'mended upstream' --until 30d"
)]
pub struct IgnoreArgs {
    /// Fingerprints, as `crafting findings --details` shows them; four digits may do
    #[arg(required = true, value_name = "FINGERPRINT")]
    pub findings: Vec<FingerprintPrefix>,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: String,
    /// Only until a day begins, such as 2027-01-31, or for a time, such as 30d
    #[arg(long, value_name = "DATE", value_parser = until)]
    pub until: Option<Timestamp>,
    /// Of this project, instead of this folder's
    #[arg(short, long)]
    pub project: Option<ProjectName>,
}

/// `crafting findings ignored`.
#[derive(Debug, PartialEq, Args)]
#[command(after_help = "Examples:
  crafting findings ignored
  crafting findings ignored -p app --format json")]
pub struct IgnoredArgs {
    /// Of this project, instead of this folder's
    #[arg(short, long)]
    pub project: Option<ProjectName>,
}

/// `crafting findings unignore`.
#[derive(Debug, PartialEq, Args)]
#[command(after_help = "Examples:
  crafting findings unignore 8f2c41d0
  crafting findings unignore 8f2c 91aa -p app")]
pub struct UnignoreArgs {
    /// Fingerprints, as `crafting findings ignored` shows them; four digits may do
    #[arg(required = true, value_name = "FINGERPRINT")]
    pub findings: Vec<FingerprintPrefix>,
    /// Of this project, instead of this folder's
    #[arg(short, long)]
    pub project: Option<ProjectName>,
}
