//! The arguments of `crafting job …`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::super::values::{FailOn, LineRange, choice, duration};
use crate::farm::JobSelector;
use crate::model::{JobStatus, ProjectName, RecipeName, RefName, Stream, SubPath};

/// `crafting job …`.
#[derive(Debug, Subcommand)]
pub enum JobCommand {
    /// Run recipes on the files as they are now
    Run(RunArgs),
    /// List jobs, newest first
    List(ListArgs),
    /// Show all that is known of a job
    Show(ShowArgs),
    /// Print a job's log, byte for byte
    Log(LogArgs),
    /// Watch a job until it ends, then show its findings
    Watch(WatchArgs),
    /// End a job
    Cancel(CancelArgs),
    /// Run a finished job again: same commit, same recipe
    Retry(RetryArgs),
}

/// `crafting job run`.
#[derive(Debug, Args)]
#[command(after_help = "What runs is what you have: the tracked and the untracked-but-not-ignored files as they are
now, in a clean checkout. Exit status: 0 all passed; 1 a job failed, or findings as bad as
--fail-on says; 3 the farm could not run a job; 124 a time limit was reached; 130 interrupted.

Examples:
  crafting job run
  crafting job run test lint -s clients/python --timeout 10m
  crafting job run test --ref v1.2.0 -p app --format json")]
pub struct RunArgs {
    /// The recipes; none: `test` where there is one, else `build`
    #[arg(value_name = "RECIPE")]
    pub recipes: Vec<RecipeName>,
    /// A registered project, instead of the one of this folder
    #[arg(short, long)]
    pub project: Option<ProjectName>,
    /// Only this subproject; may be repeated
    #[arg(short, long = "subproject", value_name = "SUBPROJECT")]
    pub subprojects: Vec<SubPath>,
    /// A branch, tag or commit, instead of the files as they are now
    #[arg(long = "ref", value_name = "REF", conflicts_with = "committed")]
    pub git_ref: Option<RefName>,
    /// HEAD, without uncommitted changes
    #[arg(long)]
    pub committed: bool,
    /// Let a runner in the background take the jobs, and return at once
    #[arg(long, conflicts_with_all = ["follow", "fail_on", "workers"])]
    pub detach: bool,
    /// Show what would run, and run nothing
    #[arg(long, conflicts_with_all = ["detach", "follow", "fail_on"])]
    pub dry_run: bool,
    /// End each recipe after this time: 90, 90s, 10m, 1h30m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Exit with 1 if there is such a finding: error, warn, info (or worse), cve, new, new:warn and so on
    #[arg(long, value_name = "WHAT")]
    pub fail_on: Option<FailOn>,
    /// Leave each slot as it is afterwards, to look into
    #[arg(long)]
    pub keep: bool,
    /// Start from an empty tree, without kept build outputs
    #[arg(long)]
    pub fresh: bool,
    /// Print the logs as they grow
    #[arg(short, long)]
    pub follow: bool,
    /// Jobs to run at once
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
}

/// `crafting job list`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting job list
  crafting job list -p app --status failed --limit 10
  crafting job list --before 3k9x0a7m2vqz")]
pub struct ListArgs {
    /// Of this project
    #[arg(short, long)]
    pub project: Option<ProjectName>,
    /// In this state
    #[arg(long, value_parser = choice(JobStatus::ALL, JobStatus::as_str))]
    pub status: Option<JobStatus>,
    /// Of this recipe
    #[arg(long)]
    pub recipe: Option<RecipeName>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
    /// Only jobs queued before this one
    #[arg(long, value_name = "JOB")]
    pub before: Option<JobSelector>,
}

/// A job, as a person names it.
#[derive(Debug, Args)]
pub struct Which {
    /// The beginning of its id, @last or @last-failed (of this folder's project, if it is registered)
    #[arg(value_name = "JOB", default_value = "@last")]
    pub job: JobSelector,
}

/// `crafting job show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting job show
  crafting job show @last-failed
  crafting job show 3k9x --format json")]
pub struct ShowArgs {
    /// Which job.
    #[command(flatten)]
    pub which: Which,
}

/// `crafting job log`.
#[derive(Debug, Args)]
#[command(after_help = "The bytes are those that the recipe printed, whatever --format says.

Examples:
  crafting job log
  crafting job log @last-failed --tail 50
  crafting job log 3k9x --lines 100:200 --stream stderr")]
pub struct LogArgs {
    /// Which job.
    #[command(flatten)]
    pub which: Which,
    /// Go on until the job ends
    #[arg(short, long)]
    pub follow: bool,
    /// Only the last so many lines
    #[arg(long, value_name = "N", conflicts_with = "lines")]
    pub tail: Option<u64>,
    /// Only these lines, the first being 1: 10:20, 10:, :20 or 10
    #[arg(long, value_name = "A:B")]
    pub lines: Option<LineRange>,
    /// Only what came from this stream
    #[arg(long, value_parser = choice([Stream::Stdout, Stream::Stderr], stream_name))]
    pub stream: Option<Stream>,
}

fn stream_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
        Stream::Crafting => "crafting",
    }
}

/// `crafting job watch`.
#[derive(Debug, Args)]
#[command(after_help = "Ctrl-C leaves; the job goes on. The exit status is that of `crafting job run`.

Examples:
  crafting job watch
  crafting job watch 3k9x --batch --follow")]
pub struct WatchArgs {
    /// Which job.
    #[command(flatten)]
    pub which: Which,
    /// All the jobs of its batch
    #[arg(long)]
    pub batch: bool,
    /// Print the logs as they grow
    #[arg(short, long)]
    pub follow: bool,
    /// Exit with 1 if there is such a finding: error, warn, info (or worse), cve, new, new:warn and so on
    #[arg(long, value_name = "WHAT")]
    pub fail_on: Option<FailOn>,
}

/// `crafting job cancel`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting job cancel
  crafting job cancel 3k9x --batch
  crafting job cancel 3k9x --force")]
pub struct CancelArgs {
    /// Which job.
    #[command(flatten)]
    pub which: Which,
    /// All the jobs of its batch
    #[arg(long)]
    pub batch: bool,
    /// At once, without time to clean up
    #[arg(long)]
    pub force: bool,
}

/// `crafting job retry`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting job retry @last-failed
  crafting job retry 3k9x --detach")]
pub struct RetryArgs {
    /// Which job.
    #[command(flatten)]
    pub which: Which,
    /// Let a runner in the background take the job, and return at once
    #[arg(long, conflicts_with_all = ["follow", "fail_on"])]
    pub detach: bool,
    /// Print the log as it grows
    #[arg(short, long)]
    pub follow: bool,
    /// Exit with 1 if there is such a finding: error, warn, info (or worse), cve, new, new:warn and so on
    #[arg(long, value_name = "WHAT")]
    pub fail_on: Option<FailOn>,
}
