//! How some jobs stand, looked at once for everybody who follows them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;

use super::piece::{self, Piece};
use super::{Logs, PIECE, Subject};
use crate::changes::Changes;
use crate::error::{Code, Error, Result};
use crate::farm::local::background;
use crate::ledger::{Within, jobs, queue, selection};
use crate::model::{Finding, Job, JobId, JobStatus};
use crate::runner::log::LogReader;
use crate::runner::{Rooms, reaper};

/// How often a busy log is looked at: often enough for eyes, seldom enough to cost nothing.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
const LINES_EVERY: Duration = Duration::from_millis(20);
/// So much longer for each further follower: what is told has to be written that often.
const A_FOLLOWER: Duration = Duration::from_millis(1);
const AT_LEAST_EVERY: Duration = Duration::from_secs(1);
/// By then the kernel has unlocked a lease of whose end it told; it does so at once.
const UNLOCKED_AFTER: Duration = Duration::from_millis(20);
/// Bytes of each running job's log that are kept at hand.
const WINDOW: usize = 8 * PIECE;
/// The newest findings of a job that are kept at hand.
const FINDINGS: usize = 64;
/// Characters of a last line that anybody would show.
const PROGRESS_LINE: usize = 400;

/// Why a runner of this process gave up, or a feed.
#[derive(Clone, Debug)]
pub(in crate::farm) struct Broken {
    code: Code,
    message: String,
    hint: Option<String>,
}

impl Broken {
    /// A runner of this process gave up.
    pub(in crate::farm) fn by(error: &Error) -> Self {
        let left = "the next command marks the jobs that were left";
        let hint = match error.hint_text() {
            Some(hint) => format!("{hint}; {left}"),
            None => left.to_owned(),
        };
        Self { hint: Some(hint), ..Self::of(error) }
    }

    fn of(error: &Error) -> Self {
        Self { code: error.code(), message: error.to_string(), hint: error.hint_text().map(str::to_owned) }
    }

    pub(super) fn to_error(&self) -> Error {
        let error = Error::new(self.code, self.message.clone());
        match &self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// Something that is written out for many in the same form.
#[derive(Debug)]
pub struct Shared<T> {
    /// The thing itself.
    pub value: T,
    written: OnceLock<Bytes>,
}

impl<T> Shared<T> {
    pub(super) fn new(value: T) -> Arc<Self> {
        Arc::new(Self { value, written: OnceLock::new() })
    }

    /// As `write` writes it, which is done once: everybody writes it the same way.
    pub fn written(&self, write: impl FnOnce(&T) -> Bytes) -> Bytes {
        self.written.get_or_init(|| write(&self.value)).clone()
    }
}

/// How the jobs of a scope stand.
#[derive(Clone, Debug, Default)]
pub(in crate::farm) struct Standing {
    /// In the order of queueing.
    pub(super) jobs: Vec<Arc<JobStanding>>,
    /// Whether there was a look yet.
    pub(super) looked: bool,
    /// Whether all are final, and nothing of them will change.
    pub(super) over: bool,
    /// Why there will be no further look, if it is for that.
    pub(super) broken: Option<Broken>,
}

impl Standing {
    /// Whether the first job is final, and its log so all there will be.
    pub(in crate::farm) fn is_first_final(&self) -> bool {
        self.jobs.first().is_some_and(|job| job.row.value.status.is_final())
    }

    /// Why there will be no further look.
    pub(in crate::farm) fn problem(&self) -> Option<Error> {
        self.broken.as_ref().map(Broken::to_error)
    }
}

/// How one job stands.
#[derive(Clone, Debug)]
pub(super) struct JobStanding {
    pub(super) row: Arc<Shared<Job>>,
    /// Up to here the log may be told.
    pub(super) edge: u64,
    /// Whether that is all there will be, and all findings are known: then the job's end may be told.
    pub(super) complete: bool,
    /// The newest part of the log, up to `edge`.
    pub(super) pieces: Vec<Arc<Shared<Piece>>>,
    pub(super) last_line: Arc<str>,
    /// The newest findings: all behind the row `findings_from`.
    pub(super) findings: Vec<Arc<Shared<Finding>>>,
    pub(super) findings_from: i64,
    /// How many its row said when they were looked at.
    findings_count: i64,
}

impl JobStanding {
    pub(super) fn last_finding(&self) -> i64 {
        self.findings.last().map_or(self.findings_from, |finding| row_of(&finding.value))
    }
}

/// Where in the ledger a finding is; all that come here are there.
pub(super) fn row_of(finding: &Finding) -> i64 {
    finding.id.unwrap_or_default()
}

/// The one who looks.
pub(super) struct Feed {
    pub(super) rooms: Arc<Rooms>,
    pub(super) subject: Subject,
    pub(super) standings: watch::Sender<Arc<Standing>>,
    pub(super) ledger: Changes,
    pub(super) ends: Changes,
    pub(super) logs: Option<Changes>,
    /// Set when a runner of this process gave up: then nobody would end the jobs.
    pub(super) broken: watch::Receiver<Option<Broken>>,
}

impl Feed {
    /// Shows everything until all jobs are final.
    pub(super) async fn run(&mut self) {
        if let Err(error) = self.show().await {
            let broken = Some(Broken::of(&error));
            self.standings
                .send_modify(|standing| *standing = Arc::new(Standing { broken, ..Standing::clone(standing) }));
        }
    }

    async fn show(&mut self) -> Result<()> {
        // A runner that ended before this was told of ends, and jobs that nobody was ever to run.
        self.recover().await?;
        let mut readers = Readers::default();
        loop {
            let looked = Instant::now();
            self.ledger.borrow_and_update();
            if let Some(logs) = &mut self.logs {
                logs.borrow_and_update();
            }
            let (rooms, subject) = (Arc::clone(&self.rooms), self.subject.clone());
            let before = Arc::clone(&self.standings.borrow());
            let (standing, more);
            (standing, more, readers) = blocking(move || {
                let (standing, more) = look(&rooms, &subject, &before, &mut readers)?;
                Ok((standing, more, readers))
            })
            .await?;
            let over = standing.over;
            self.standings.send_replace(Arc::new(standing));
            if over {
                return Ok(());
            }
            let crowd =
                A_FOLLOWER * u32::try_from(self.standings.receiver_count().saturating_sub(1)).unwrap_or(u32::MAX);
            let crowd = crowd.min(AT_LEAST_EVERY);
            if more {
                tokio::time::sleep_until(looked + crowd).await;
                continue;
            }
            let pause = if self.subject.logs == Logs::Progress { PROGRESS_EVERY } else { LINES_EVERY };
            tokio::select! {
                changed = self.ledger.changed() => {
                    changed.map_err(|_| unwatched())?;
                    tokio::time::sleep_until(looked + crowd).await;
                }
                changed = next(&mut self.logs) => {
                    changed?;
                    tokio::time::sleep_until(looked + pause + crowd).await;
                }
                ended = self.ends.changed() => {
                    ended.map_err(|_| unwatched())?;
                    tokio::time::sleep(UNLOCKED_AFTER).await;
                    self.recover().await?;
                }
                problem = broken(&mut self.broken) => return Err(problem),
            }
        }
    }

    /// Sees to it that somebody runs these jobs or that they are marked: a runner may have ended in the middle of them,
    /// and nobody else might look after them while this waits.
    async fn recover(&self) -> Result<()> {
        let (rooms, scope) = (Arc::clone(&self.rooms), self.subject.scope.clone());
        blocking(move || {
            reaper::recover(&rooms)?;
            if rooms.ledger.read(|tx| queue::waits_for_anybody(tx, &scope))? { background(&rooms) } else { Ok(()) }
        })
        .await
    }
}

pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(Code::LedgerFailed, format!("following failed: {error}")))?
}

fn unwatched() -> Error {
    Error::new(Code::Io, "the data directory can no longer be watched")
}

async fn next(changes: &mut Option<Changes>) -> Result<()> {
    match changes {
        Some(changes) => changes.changed().await.map_err(|_| unwatched()),
        None => std::future::pending().await,
    }
}

async fn broken(problem: &mut watch::Receiver<Option<Broken>>) -> Error {
    match problem.wait_for(Option::is_some).await.map(|problem| problem.clone()) {
        Ok(Some(broken)) => broken.to_error(),
        // The farm itself is gone, or was never to run anything: nothing to tell.
        _ => std::future::pending().await,
    }
}

/// The logs of running jobs, held open between looks.
type Readers = HashMap<JobId, LogReader>;

/// How things stand now, and whether there is more that is known already but was too much at once.
fn look(rooms: &Rooms, subject: &Subject, before: &Standing, readers: &mut Readers) -> Result<(Standing, bool)> {
    // Of a large batch most jobs wait or are over; those are not read each time.
    let places: HashMap<&JobId, usize> =
        before.jobs.iter().enumerate().map(|(place, job)| (&job.row.value.id, place)).collect();
    let settled = |id: &JobId, status: JobStatus| {
        let known = places.get(id).map(|place| &before.jobs[*place]);
        known.is_some_and(|known| known.complete || (status == JobStatus::Queued && known.row.value.status == status))
    };
    // Whether they are for a follower to see is asked of each.
    let moves = |id: &JobId, status| !settled(id, status);
    let moved = rooms.ledger.read(|tx| jobs::in_scope_if(tx, Within::Everything, &subject.scope, &moves))?;
    let mut jobs = before.jobs.clone();
    for job in &mut jobs {
        // Who is behind reads the log of a job that is over for themselves.
        if job.complete && !job.pieces.is_empty() {
            *job = Arc::new(JobStanding { pieces: Vec::new(), ..JobStanding::clone(job) });
        }
    }
    let mut more = false;
    for row in moved {
        let place = places.get(&row.id).copied();
        let mut standing = match place {
            Some(place) => JobStanding::clone(&jobs[place]),
            None => JobStanding {
                row: Shared::new(row.clone()),
                edge: 0,
                complete: false,
                pieces: Vec::new(),
                last_line: Arc::from(""),
                findings: Vec::new(),
                findings_from: 0,
                findings_count: 0,
            },
        };
        if standing.row.value != row {
            standing.row = Shared::new(row);
        }
        let is_known = place.is_some();
        let all_log = look_at_log(rooms, subject.logs, &mut standing, readers, is_known)?;
        let all_findings = !subject.findings || look_at_findings(rooms, &mut standing, is_known)?;
        more |= !all_log || !all_findings;
        standing.complete = standing.row.value.status.is_final() && all_log && all_findings;
        if standing.complete {
            readers.remove(&standing.row.value.id);
        }
        match place {
            Some(place) => jobs[place] = Arc::new(standing),
            None => jobs.push(Arc::new(standing)),
        }
    }
    let over = jobs.iter().all(|job| job.complete);
    Ok((Standing { jobs, looked: true, over, broken: None }, more))
}

/// Whether all there is of the log is shown.
fn look_at_log(
    rooms: &Rooms,
    logs: Logs,
    standing: &mut JobStanding,
    readers: &mut Readers,
    is_known: bool,
) -> Result<bool> {
    let job = &standing.row.value;
    if logs == Logs::None || job.status == JobStatus::Queued {
        return Ok(true);
    }
    let reader = match readers.entry(job.id.clone()) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => match LogReader::open(&rooms.logs(), &job.id) {
            Ok(reader) => entry.insert(reader),
            // Not written yet, or gone: its job never began, or is too old.
            Err(error) if error.code() == Code::NotFound => return Ok(true),
            Err(error) => return Err(error),
        },
    };
    reader.refresh()?;
    let is_final = job.status.is_final();
    match logs {
        Logs::None => {}
        Logs::Length => standing.edge = reader.len(),
        Logs::Progress => {
            if standing.edge != reader.len() {
                standing.edge = reader.len();
                if let Some(line) = reader.last_line(PROGRESS_LINE)? {
                    standing.last_line = line.into();
                }
            }
        }
        // Nobody has asked for its log before, and all of it is there: whoever asks reads it.
        Logs::Lines if is_final && !is_known => standing.edge = reader.len(),
        Logs::Lines => return grow(reader, standing, is_known, is_final),
    }
    Ok(true)
}

/// Takes in what was written since, at most a window of it. Whether that was all.
fn grow(reader: &LogReader, standing: &mut JobStanding, is_known: bool, is_final: bool) -> Result<bool> {
    let length = reader.len();
    if !is_known {
        // Somebody comes in the middle: what is far back they read for themselves.
        let from = length.saturating_sub(WINDOW as u64);
        if from > 0 {
            let mut bytes = vec![0; PIECE];
            let count = reader.read_at(from, &mut bytes)?;
            let newline = memchr::memchr(b'\n', &bytes[..count]).map_or(0, |newline| newline as u64 + 1);
            standing.edge = from + newline;
        }
    }
    if standing.edge >= length {
        return Ok(true);
    }
    let room = usize::try_from(length - standing.edge).map_or(WINDOW, |room| room.min(WINDOW));
    let mut bytes = vec![0; room];
    let count = reader.read_at(standing.edge, &mut bytes)?;
    bytes.truncate(count);
    let to_the_end = standing.edge + count as u64 >= length;
    let pieces = piece::cut(standing.edge, &Bytes::from(bytes), is_final && to_the_end);
    standing.edge = pieces.last().map_or(standing.edge, Piece::end);
    standing.pieces.extend(pieces.into_iter().map(Shared::new));
    let held: usize = standing.pieces.iter().map(|piece| piece.value.bytes.len()).sum();
    let mut beyond = held.saturating_sub(WINDOW);
    let old = standing.pieces.iter().take_while(|piece| {
        let goes = beyond > 0;
        beyond = beyond.saturating_sub(piece.value.bytes.len());
        goes
    });
    let old = old.count();
    standing.pieces.drain(..old);
    Ok(to_the_end)
}

/// Whether all that are in the ledger are shown.
fn look_at_findings(rooms: &Rooms, standing: &mut JobStanding, is_known: bool) -> Result<bool> {
    let job = &standing.row.value;
    if job.status == JobStatus::Queued {
        return Ok(true);
    }
    if !is_known {
        // Those that there are already are read by whoever asks.
        standing.findings_from = rooms.ledger.read(|tx| selection::last_row(tx, &job.id))?;
        return Ok(true);
    }
    if !job.status.is_final() && job.findings_count == standing.findings_count {
        return Ok(true);
    }
    let found = rooms.ledger.read(|tx| selection::after(tx, job, standing.last_finding(), FINDINGS))?;
    let all = found.len() < FINDINGS;
    if all {
        standing.findings_count = job.findings_count;
    }
    standing.findings.extend(found.into_iter().map(Shared::new));
    let old = standing.findings.len().saturating_sub(FINDINGS);
    if let Some(last) = standing.findings.drain(..old).next_back() {
        standing.findings_from = row_of(&last.value);
    }
    Ok(all)
}
