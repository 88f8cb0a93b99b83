//! What takes queued jobs and runs them.
//!
//! A runner is a set of workers in one process with a lease. It knows the ledger, the workspace, a runtime, the parsers
//! and the findings; nobody calls it but the farm.

mod environment;
mod given;
mod job;
mod judging;
pub mod lease;
pub mod log;
mod masking;
pub mod queue;
mod reading;
pub mod reaper;
mod reports;
pub mod retention;
mod tally;

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Settings;
use crate::error::{IoContext, Result};
use crate::ledger::Ledger;
use crate::runtime::Runtime;
use crate::secrets::Vault;
use crate::workspace::Workspace;

pub use tally::Tally;

/// What a runner works with. The farm makes it once per process.
pub struct Rooms {
    /// Where jobs are queued, and where everything about them is kept.
    pub ledger: Arc<Ledger>,
    /// Where trees come from.
    pub workspace: Workspace,
    /// Where recipes run.
    pub runtime: Box<dyn Runtime>,
    /// Limits and folders.
    pub settings: Settings,
    /// How the jobs ended that this process ended.
    pub tally: Tally,
}

impl Rooms {
    /// The folder of the logs.
    pub fn logs(&self) -> PathBuf {
        self.settings.data_dir.value.join("logs")
    }

    /// What seals secrets and opens them.
    pub fn vault(&self) -> Vault {
        Vault::new(&self.settings.data_dir.value)
    }

    /// The folder of the runners' leases.
    pub fn leases(&self) -> PathBuf {
        self.settings.data_dir.value.join("runners")
    }

    /// Held by the process that takes the jobs which are bound to nobody.
    pub fn turn(&self) -> PathBuf {
        self.leases().join("background.lock")
    }

    /// A job's own temporary folder. It lies in the system's one, not in the workspace: some tools put sockets there,
    /// whose paths must be short.
    fn temporary(&self, job: &crate::model::JobId) -> PathBuf {
        std::env::temp_dir().join(format!("crafting-{job}"))
    }

    /// Where a job's tools leave reports. Beside its temporary folder, which is the tools' own.
    fn reports(&self, job: &crate::model::JobId) -> PathBuf {
        std::env::temp_dir().join(format!("crafting-{job}.reports"))
    }

    /// Removes a job's temporary folders, whatever is in them; they need not be there.
    fn remove_temporary(&self, job: &crate::model::JobId) -> Result<()> {
        for folder in [self.temporary(job), self.reports(job)] {
            crate::workspace::remove_tree(&folder).on("remove the temporary folder", &folder)?;
        }
        Ok(())
    }

    /// Makes the folders that must be there before anything is watched or written.
    pub fn prepare(&self) -> Result<()> {
        for folder in [self.logs(), self.leases()] {
            std::fs::create_dir_all(&folder).on("create the folder", &folder)?;
        }
        Ok(())
    }
}
