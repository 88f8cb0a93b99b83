//! Where a recipe's processes live, and how they all end.
//!
//! A job has a supervisor, a process of its own: the recipe and everything it starts stay below it, so that nothing
//! survives the job, nor the death of crafting itself.

mod background;
mod host;
mod marked;
mod open_files;
mod output;
mod process;
mod procfs;
mod spawn;
mod supervisor;
mod wire;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::model::JobId;

pub use background::spawn_background;
pub use host::Host;
pub use marked::kill_marked;
pub use open_files::raise_open_files;
pub use output::{Output, Read};
pub use process::{Control, Process};
pub use supervisor::supervise_if_asked;

/// The environment variable that marks every process of a job with the job's id.
pub const JOB_MARK: &str = JobId::VARIABLE;

/// How long a recipe has between SIGTERM and SIGKILL.
pub const GRACE: Duration = Duration::from_secs(10);

/// The exit code of a recipe whose time was up, as of timeout(1).
pub const TIMED_OUT: i32 = 124;

/// A place where recipes run.
pub trait Runtime: Send + Sync {
    /// Its name, as in a job's row.
    fn name(&self) -> &'static str;

    /// Starts a recipe. Dropping what it returns ends the recipe, and everything below it, at once.
    fn start(&self, launch: Launch) -> Result<Running>;
}

/// What to run.
#[derive(Clone)]
pub struct Launch {
    /// The job; its id becomes the variable [`JOB_MARK`].
    pub job: JobId,
    /// Given to `/bin/sh -c`.
    pub command: String,
    /// The whole environment but for [`JOB_MARK`]: nothing is inherited.
    pub env: BTreeMap<OsString, OsString>,
    /// The folder to run in.
    pub cwd: PathBuf,
    /// After this long the recipe is ended; `Duration::MAX` is never.
    pub timeout: Duration,
    /// Between SIGTERM and SIGKILL; [`GRACE`] outside tests.
    pub grace: Duration,
}

/// Without the values of its environment: some are secret.
impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launch").field("job", &self.job).field("cwd", &self.cwd).finish_non_exhaustive()
    }
}

/// A recipe that was started.
#[derive(Debug)]
pub struct Running {
    /// What it writes.
    pub output: Output,
    /// Its life.
    pub process: Process,
}

/// How a recipe ended. Nothing of it runs any more, except for leftovers that say so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// The recipe's own; 128+N for a signal N; [`TIMED_OUT`] when its time was up.
    pub exit_code: i32,
    /// Why it ended.
    pub cause: Cause,
    /// Processes that had to be ended: those that outlived a recipe which exited, or that did not heed SIGTERM.
    pub leftovers: Vec<Leftover>,
}

/// Why a recipe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// By itself.
    Exited,
    /// Its time was up.
    TimedOut,
    /// Somebody asked for its end.
    Terminated,
}

/// A process that a recipe left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    /// Its process id.
    pub pid: i32,
    /// The command's name, at most 15 bytes, without control characters; see `comm` in proc_pid_comm(5).
    pub name: String,
    /// Whether it is gone; false for one that the kernel did not let us signal (set-user-ID), or that did not die.
    pub ended: bool,
}
