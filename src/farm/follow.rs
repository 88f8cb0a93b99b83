//! What happens to some jobs, as one stream of events, whichever process runs them.
//!
//! The ledger and the logs are the only source: the kernel tells when they change, and nothing is asked in between.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::{Event, FollowLogs, LogPart, LogStart};
use crate::changes::{Changes, watch_folder};
use crate::error::{Error, Result};
use crate::ledger::jobs;
use crate::model::{Job, JobId, JobStatus, Scope};
use crate::runner::Rooms;
use crate::runner::log::LogReader;

/// How often a busy log is looked at: often enough for eyes, seldom enough to cost nothing.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
const LINES_EVERY: Duration = Duration::from_millis(20);

/// The longest piece of a log in one event.
const CHUNK: usize = 256 * 1024;

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

pub(super) struct Follower {
    pub(super) rooms: Arc<Rooms>,
    pub(super) scope: Scope,
    pub(super) logs: FollowLogs,
    pub(super) events: mpsc::Sender<Result<Event>>,
    /// Set when the runner of this process gave up: then nobody would end the jobs.
    pub(super) broken: watch::Receiver<Option<String>>,
}

impl Follower {
    /// Tells everything until all jobs are final, or nobody listens any more.
    pub(super) async fn run(mut self) {
        if let Err(error) = self.tell().await {
            let _ = self.events.send(Err(error)).await;
        }
    }

    async fn tell(&mut self) -> Result<()> {
        let mut ledger_changes = self.rooms.ledger.changes()?;
        let mut log_changes = match self.logs {
            FollowLogs::None => None,
            FollowLogs::Progress | FollowLogs::Lines => Some(watch_logs(&self.rooms.logs())?),
        };
        let pause = if self.logs == FollowLogs::Lines { LINES_EVERY } else { PROGRESS_EVERY };
        let mut told: HashMap<JobId, Told> = HashMap::new();
        loop {
            let looked = Instant::now();
            ledger_changes.borrow_and_update();
            if let Some(changes) = &mut log_changes {
                changes.borrow_and_update();
            }
            let (rooms, scope, logs) = (Arc::clone(&self.rooms), self.scope.clone(), self.logs);
            let look = move || look(&rooms, &scope, logs, told);
            let (events, after) = tokio::task::spawn_blocking(look).await.map_err(|error| {
                Error::new(crate::error::Code::LedgerFailed, format!("following failed: {error}"))
            })??;
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
                () = self.events.closed() => return Ok(()),
                problem = broken(&mut self.broken) => {
                    return Err(Error::new(crate::error::Code::LedgerFailed, problem)
                        .hint("the jobs that were left are marked by the next command"));
                }
            }
        }
    }
}

/// At most so many pieces of logs between two looks at the ledger: memory stays bounded when a log runs far ahead.
const EVENTS_PER_LOOK: usize = 16;

pub(super) fn watch_logs(folder: &Path) -> Result<Changes> {
    watch_folder(folder, |name| Path::new(name).extension().is_some_and(|extension| extension == "log"))
}

fn unwatched() -> Error {
    Error::new(crate::error::Code::Io, "the data directory can no longer be watched")
}

async fn next(changes: &mut Option<Changes>) -> Result<()> {
    match changes {
        Some(changes) => changes.changed().await.map_err(|_| unwatched()),
        None => std::future::pending().await,
    }
}

async fn broken(problem: &mut watch::Receiver<Option<String>>) -> String {
    match problem.wait_for(Option::is_some).await.map(|problem| problem.clone()) {
        Ok(Some(problem)) => problem,
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
    for job in rooms.ledger.read(|tx| jobs::in_scope(tx, scope))? {
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
        Err(error) if error.code() == crate::error::Code::NotFound => return Ok(true),
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

/// A job's changes of state, and those of all logs.
type Live = (mpsc::Receiver<Result<Event>>, Changes);

/// Sends a part of a log as it is.
pub(super) async fn send_log(reader: LogReader, part: LogPart, chunks: mpsc::Sender<Result<Vec<u8>>>) {
    if let Err(error) = send_part(reader, part, &chunks, None).await {
        let _ = chunks.send(Err(error)).await;
    }
}

/// Sends a part of a log, which need not have begun, and goes on with what comes until the job ends.
pub(super) async fn follow_log(
    rooms: Arc<Rooms>,
    job: JobId,
    part: LogPart,
    chunks: mpsc::Sender<Result<Vec<u8>>>,
    mut live: Live,
) {
    let sent = match begun(&rooms, &job, &chunks, &mut live).await {
        Ok(Some(reader)) => send_part(reader, part, &chunks, Some(live)).await,
        Ok(None) => return,
        Err(error) => Err(error),
    };
    if let Err(error) = sent {
        let _ = chunks.send(Err(error)).await;
    }
}

/// The log, once there is one; `None` when nobody wants it any more.
async fn begun(
    rooms: &Rooms,
    job: &JobId,
    chunks: &mpsc::Sender<Result<Vec<u8>>>,
    (events, changes): &mut Live,
) -> Result<Option<LogReader>> {
    let mut over = false;
    loop {
        changes.borrow_and_update();
        match LogReader::open(&rooms.logs(), job) {
            Err(error) if error.code() == crate::error::Code::NotFound && !over => {}
            other => return other.map(Some),
        }
        tokio::select! {
            event = events.recv() => over = event.transpose()?.is_none(),
            changed = changes.changed() => changed.map_err(|_| unwatched())?,
            () = chunks.closed() => return Ok(None),
        }
    }
}

async fn send_part(
    mut reader: LogReader,
    part: LogPart,
    chunks: &mpsc::Sender<Result<Vec<u8>>>,
    mut job: Option<Live>,
) -> Result<()> {
    // A line that is not written yet has no place yet.
    let mut place = match part.start {
        LogStart::Line(_) => None,
        LogStart::Tail(lines) => {
            reader.refresh()?;
            Some(reader.tail(lines)?)
        }
    };
    loop {
        if let Some((_, changes)) = &mut job {
            changes.borrow_and_update();
        }
        reader.refresh()?;
        let end = match (part.start, part.lines) {
            (LogStart::Line(line), Some(lines)) => reader.known_start(line.saturating_add(lines))?,
            _ => None,
        };
        if let (LogStart::Line(line), None) = (part.start, place) {
            place = reader.known_start(line)?;
        }
        let stop = end.unwrap_or(reader.len());
        while let Some(offset) = place
            && offset < stop
        {
            let mut bytes = vec![0; usize::try_from(stop - offset).map_or(CHUNK, |rest| rest.min(CHUNK))];
            let (stream, length) = match part.stream {
                // Only one stream is wanted: pieces of one stream at a time.
                Some(_) => match reader.run_at(offset, &mut bytes)? {
                    Some((stream, length)) => (Some(stream), length),
                    None => break,
                },
                None => (None, reader.read_at(offset, &mut bytes)?),
            };
            if length == 0 {
                break;
            }
            place = Some(offset + length as u64);
            bytes.truncate(length);
            if stream == part.stream && chunks.send(Ok(bytes)).await.is_err() {
                return Ok(());
            }
        }
        if end.is_some() && place >= end {
            return Ok(());
        }
        let Some((events, changes)) = &mut job else { return Ok(()) };
        tokio::select! {
            event = events.recv() => match event {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                // The job is over: what it wrote last is sent, then this ends.
                None => job = None,
            },
            changed = changes.changed() => {
                changed.map_err(|_| unwatched())?;
                tokio::time::sleep(LINES_EVERY).await;
            }
            () = chunks.closed() => return Ok(()),
        }
    }
}
