//! What happens to some jobs, as one stream of events, whichever process runs them.
//!
//! The ledger and the logs are the only source: the kernel tells when they change, and nothing is asked in between.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::local::background;
use super::{Event, FollowLogs};
use crate::changes::{Changes, Place, watch};
use crate::error::{Code, Error, Result};
use crate::ledger::{Within, jobs, queue};
use crate::model::{Job, JobId, JobStatus, Scope};
use crate::runner::log::LogReader;
use crate::runner::{Rooms, lease, reaper};

/// How often a busy log is looked at: often enough for eyes, seldom enough to cost nothing.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
pub(super) const LINES_EVERY: Duration = Duration::from_millis(20);
/// By then the kernel has unlocked a lease of whose end it told; it does so at once.
const UNLOCKED_AFTER: Duration = Duration::from_millis(20);

/// The longest piece of a log in one event.
pub(super) const CHUNK: usize = 256 * 1024;

/// What was told of a job so far.
#[derive(Default)]
struct Told {
    status: Option<JobStatus>,
    findings: i64,
    /// Up to where its log was told.
    offset: u64,
    last_line: String,
    over: bool,
}

/// Why a runner of this process gave up.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    code: Code,
    message: String,
    hint: String,
}

impl Broken {
    pub(super) fn by(error: &Error) -> Self {
        let left = "the next command marks the jobs that were left";
        let hint = match error.hint_text() {
            Some(hint) => format!("{hint}; {left}"),
            None => left.to_owned(),
        };
        Self { code: error.code(), message: error.to_string(), hint }
    }
}

pub(super) struct Follower {
    pub(super) rooms: Arc<Rooms>,
    /// Jobs that the caller sees.
    pub(super) scope: Scope,
    pub(super) logs: FollowLogs,
    pub(super) events: mpsc::Sender<Result<Event>>,
    /// Set when the runner of this process gave up: then nobody would end the jobs.
    pub(super) broken: tokio::sync::watch::Receiver<Option<Broken>>,
}

impl Follower {
    /// Tells everything until all jobs are final, or nobody listens any more.
    pub(super) async fn run(mut self) {
        if let Err(error) = self.tell().await {
            let _ = self.events.send(Err(error)).await;
        }
    }

    async fn tell(&mut self) -> Result<()> {
        let (ledger, ends) = (self.rooms.ledger.changes(), lease::ends(&self.rooms.leases()));
        let (mut ledger_changes, mut ends, mut log_changes) = match self.logs {
            FollowLogs::None => {
                let [ledger, ends] = watch([ledger, ends])?;
                (ledger, ends, None)
            }
            FollowLogs::Progress | FollowLogs::Lines => {
                let [ledger, ends, logs] = watch([ledger, ends, logs_written(&self.rooms.logs())])?;
                (ledger, ends, Some(logs))
            }
        };
        let pause = if self.logs == FollowLogs::Lines { LINES_EVERY } else { PROGRESS_EVERY };
        // One that ended before this was told of ends, and jobs that nobody was ever to run.
        self.recover().await?;
        let mut told: HashMap<JobId, Told> = HashMap::new();
        loop {
            let looked = Instant::now();
            ledger_changes.borrow_and_update();
            if let Some(changes) = &mut log_changes {
                changes.borrow_and_update();
            }
            let (rooms, scope, logs) = (Arc::clone(&self.rooms), self.scope.clone(), self.logs);
            let look = move || look(&rooms, &scope, logs, told);
            let (events, after) = tokio::task::spawn_blocking(look)
                .await
                .map_err(|error| Error::new(Code::LedgerFailed, format!("following failed: {error}")))??;
            told = after;
            let more = events.len() >= EVENTS_PER_LOOK;
            for event in events {
                if self.events.send(Ok(event)).await.is_err() {
                    return Ok(());
                }
            }
            if more {
                continue;
            }
            if told.values().all(|told| told.over) {
                return Ok(());
            }
            tokio::select! {
                changed = ledger_changes.changed() => changed.map_err(|_| unwatched())?,
                changed = next(&mut log_changes) => {
                    changed?;
                    tokio::time::sleep_until(looked + pause).await;
                }
                ended = ends.changed() => {
                    ended.map_err(|_| unwatched())?;
                    tokio::time::sleep(UNLOCKED_AFTER).await;
                    self.recover().await?;
                }
                () = self.events.closed() => return Ok(()),
                problem = broken(&mut self.broken) => return Err(problem),
            }
        }
    }

    /// Sees to it that somebody runs these jobs or that they are marked: a runner may have ended in the middle of them,
    /// and nobody else might look after them while this waits.
    async fn recover(&self) -> Result<()> {
        let (rooms, scope) = (Arc::clone(&self.rooms), self.scope.clone());
        let recover = move || {
            reaper::recover(&rooms)?;
            if rooms.ledger.read(|tx| queue::waits_for_anybody(tx, &scope))? { background(&rooms) } else { Ok(()) }
        };
        tokio::task::spawn_blocking(recover)
            .await
            .map_err(|error| Error::new(Code::LedgerFailed, format!("following failed: {error}")))?
    }
}

/// At most so many pieces of logs between two looks at the ledger: memory stays bounded when a log runs far ahead.
const EVENTS_PER_LOOK: usize = 16;

pub(super) fn logs_written(folder: &Path) -> Place {
    Place::written(folder, |name| Path::new(name).extension().is_some_and(|extension| extension == "log"))
}

pub(super) fn unwatched() -> Error {
    Error::new(Code::Io, "the data directory can no longer be watched")
}

async fn next(changes: &mut Option<Changes>) -> Result<()> {
    match changes {
        Some(changes) => changes.changed().await.map_err(|_| unwatched()),
        None => std::future::pending().await,
    }
}

async fn broken(problem: &mut tokio::sync::watch::Receiver<Option<Broken>>) -> Error {
    match problem.wait_for(Option::is_some).await.map(|problem| problem.clone()) {
        Ok(Some(Broken { code, message, hint })) => Error::new(code, message).hint(hint),
        // The farm itself is gone, or was never to run anything: nothing to tell.
        _ => std::future::pending().await,
    }
}

fn look(
    rooms: &Rooms,
    scope: &Scope,
    logs: FollowLogs,
    mut told: HashMap<JobId, Told>,
) -> Result<(Vec<Event>, HashMap<JobId, Told>)> {
    let mut events = Vec::new();
    // Of a large batch most jobs wait or are over; those are not looked at each time.
    let moves = |id: &JobId, status: JobStatus| {
        told.get(id).is_none_or(|told| !told.over && (status != JobStatus::Queued || told.status != Some(status)))
    };
    for job in rooms.ledger.read(|tx| jobs::in_scope_if(tx, Within::Everything, scope, &moves))? {
        let before = told.entry(job.id.clone()).or_default();
        if before.over {
            continue;
        }
        if !job.status.is_final() && before.status != Some(job.status) {
            before.status = Some(job.status);
            events.push(Event::State(Box::new(job.clone())));
        }
        if job.status != JobStatus::Queued && logs != FollowLogs::None {
            // A job's end is told after all of its log.
            let all = look_at_log(rooms, &job, logs, before, &mut events)?;
            if !all {
                continue;
            }
        }
        if job.status.is_final() {
            before.over = true;
            events.push(Event::State(Box::new(job)));
        }
    }
    Ok((events, told))
}

/// Whether all there is of the log was told.
fn look_at_log(rooms: &Rooms, job: &Job, logs: FollowLogs, told: &mut Told, events: &mut Vec<Event>) -> Result<bool> {
    let mut reader = match LogReader::open(&rooms.logs(), &job.id) {
        Ok(reader) => reader,
        // Not written yet, or gone: its job never began, or is too old.
        Err(error) if error.code() == Code::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    reader.refresh()?;
    if logs == FollowLogs::Progress {
        let grown = reader.len() > told.offset;
        told.offset = reader.len();
        if !grown && job.findings_count == told.findings {
            return Ok(true);
        }
        if let Some(line) = reader.last_line(PROGRESS_LINE)? {
            told.last_line = line;
        }
        told.findings = job.findings_count;
        events.push(Event::Progress {
            job: job.id.clone(),
            last_line: told.last_line.clone(),
            findings: told.findings.cast_unsigned(),
        });
        return Ok(true);
    }
    while told.offset < reader.len() {
        if events.len() >= EVENTS_PER_LOOK {
            return Ok(false);
        }
        let mut bytes = vec![0; CHUNK];
        let length = reader.read_at(told.offset, &mut bytes)?;
        let whole = match memchr::memrchr(b'\n', &bytes[..length]) {
            Some(newline) => newline + 1,
            // The end of an unfinished line, or a line that is longer than a chunk.
            None if job.status.is_final() || length == CHUNK => length,
            None => return Ok(true),
        };
        bytes.truncate(whole);
        told.offset += whole as u64;
        events.push(Event::Log { job: job.id.clone(), bytes });
    }
    Ok(true)
}

/// Characters of a last line that anybody would show.
const PROGRESS_LINE: usize = 400;
