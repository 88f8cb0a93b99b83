//! What a runner leaves that was killed, and how the next command puts it right.

use std::fs::File;

use nix::fcntl::{Flock, FlockArg};

use super::log::LogStats;
use super::{Rooms, lease, log};
use crate::error::{Code, Error, IoContext, Result};
use crate::ledger::jobs::{self, Outcome};
use crate::ledger::queue;
use crate::model::{Job, JobStatus, RunnerId, Timestamp};
use crate::runtime::kill_marked;

/// The line that a stranded job's log ends with.
pub const ORPHAN_LINE: &str = "[crafting-table] runner restart, job orphaned";

/// What recovering did.
#[derive(Debug, Default)]
pub struct Recovered {
    /// The jobs that were stranded, as they are now.
    pub jobs: Vec<Job>,
    /// How many queued jobs lost the runner that they were meant for, and wait for another one.
    pub unbound: usize,
    /// Why a stranded job could not be put right yet; the next command tries again.
    pub trouble: Option<Error>,
}

/// Ends the jobs whose runner is gone: their processes are killed, their slots cleaned, their rows `failed` with exit
/// code -1. Jobs of runners that live are left alone. Cheap when there is nothing to do.
///
/// A full disk does not make it an error: what frees the disk begins here too.
pub fn recover(rooms: &Rooms) -> Result<Recovered> {
    if gone(rooms)?.is_empty() {
        return Ok(Recovered::default());
    }
    // Two commands that start together must not both write the line into a log.
    let path = rooms.settings.data_dir.value.join("recovery.lock");
    let file = File::options().create(true).append(true).open(&path).on("open", &path)?;
    let _lock = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno.into()).on("lock", &path)?;
    let mut recovered = Recovered::default();
    for runner in gone(rooms)? {
        for job in rooms.ledger.read(|tx| queue::running_of(tx, &runner))? {
            match end(rooms, &job) {
                Ok(job) => recovered.jobs.push(job),
                Err(error) => {
                    recovered
                        .trouble
                        .get_or_insert(error.context(format!("the stranded job {} cannot be put right yet", job.id)));
                }
            }
        }
        match rooms.ledger.write(|tx| queue::unbind(tx, &runner)) {
            Ok(unbound) => recovered.unbound += unbound,
            Err(error) => {
                recovered.trouble.get_or_insert(error);
            }
        }
    }
    Ok(recovered)
}

fn gone(rooms: &Rooms) -> Result<Vec<RunnerId>> {
    let mut runners = rooms.ledger.read(queue::runners_in_use)?;
    runners.retain(|runner| !lease::is_held(&rooms.leases(), runner));
    Ok(runners)
}

fn end(rooms: &Rooms, job: &Job) -> Result<Job> {
    for process in kill_marked(&job.id) {
        tracing::info!(job = %job.id, pid = process.pid, name = process.name, "ended a stranded process");
    }
    // What cannot be cleared away, such as files of another user, must not hold up every command from now on.
    let tidied = rooms.workspace.recover(&job.project, &job.id).and_then(|()| rooms.remove_temporary(&job.id));
    if let Err(error) = tidied {
        tracing::warn!(job = %job.id, "{error}");
    }
    let stats = log::append_line(&rooms.logs(), &job.id, ORPHAN_LINE).unwrap_or_else(|error| {
        tracing::warn!(job = %job.id, "{error}");
        LogStats::default()
    });
    let outcome = Outcome {
        log_bytes: stats.bytes,
        log_lines: stats.lines,
        findings_count: job.findings_count.cast_unsigned(),
        findings_new: job.findings_new.cast_unsigned(),
        ..Outcome::bare(JobStatus::Failed, Some(-1))
    };
    rooms.ledger.write(|tx| {
        match jobs::finish(tx, &job.id, &outcome, Timestamp::now()) {
            // Its runner ended it in its last moment.
            Err(error) if error.code() == Code::Conflict => {}
            other => other?,
        }
        jobs::get(tx, &job.id)
    })
}
