//! One listener on the way from a position to how things stand.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

use super::Logs;
use super::feed::{JobStanding, Shared, Standing, row_of};
use super::hub::Hub;
use super::piece::Piece;
use super::position::{Phase, Place, Position};
use super::reading::{self, Reading};
use crate::error::{Error, Result};
use crate::farm::LogPart;
use crate::model::{Finding, Job, JobId, JobStatus};
use crate::runner::Rooms;

/// Something to tell, and how far its listener has come with it.
#[derive(Clone, Debug)]
pub struct Told {
    /// To go on behind it.
    pub position: Position,
    /// What happened.
    pub what: Happening,
}

/// Something that happened to a followed job.
#[derive(Clone, Debug)]
pub enum Happening {
    /// It came into a state.
    State(Arc<Shared<Job>>),
    /// It printed and found something.
    Progress {
        /// The job.
        job: JobId,
        /// The last line that is not empty, without colours and control characters.
        last_line: Arc<str>,
        /// Findings so far.
        findings: u64,
    },
    /// It printed something.
    Log {
        /// The job.
        job: JobId,
        /// What.
        piece: Arc<Shared<Piece>>,
    },
    /// It found something.
    Finding(Arc<Shared<Finding>>),
    /// Nothing more will happen.
    End,
}

/// What a listener wants.
pub(in crate::farm) struct Asked {
    pub(in crate::farm) logs: Logs,
    pub(in crate::farm) findings: bool,
    /// Of the first job's log only this part, and of its further tries nothing.
    pub(in crate::farm) part: Option<LogPart>,
    pub(in crate::farm) from: Position,
}

/// One listener.
pub struct Follower {
    rooms: Arc<Rooms>,
    hub: Hub,
    standings: watch::Receiver<Arc<Standing>>,
    logs: Logs,
    findings: bool,
    part: Option<Reading>,
    position: Position,
    /// Where to look first: behind the job that was told of last.
    turn: usize,
    /// What was read and not told yet: at most some findings of one job, or of its log what is read at once.
    waiting: VecDeque<(usize, Happening)>,
    /// What was told of each job's progress: its log's length, and the number of its findings.
    progress: Vec<(u64, i64)>,
}

/// What there is to do for one job.
enum Step {
    Tell(Happening),
    /// Its log is to be read from here on, at most to there.
    ReadLog(u64, u64),
    /// Its findings behind this row are to be read.
    ReadFindings(i64),
}

impl Follower {
    /// One who begins where they were; at a standing, so that what is wrong with the jobs is told before anything else.
    pub(in crate::farm) async fn new(
        rooms: Arc<Rooms>,
        hub: Hub,
        mut standings: watch::Receiver<Arc<Standing>>,
        asked: Asked,
    ) -> Result<Self> {
        let Asked { logs, findings, part, from: mut position } = asked;
        let standing = standings.wait_for(|standing| standing.looked || standing.broken.is_some()).await;
        let standing = standing.map(|standing| Arc::clone(&standing)).unwrap_or_default();
        if let Some(problem) = standing.problem() {
            return Err(problem);
        }
        if position.jobs.len() > standing.jobs.len() {
            return Err(
                Error::invalid("that id is of another event's jobs").hint("send the last id of these very events")
            );
        }
        let mut part = part.map(Reading::new);
        if let (Some(part), Some(job)) = (&mut part, standing.jobs.first()) {
            // The last lines are those of this moment, also for somebody who breaks off and comes back later.
            let (lines, is_new) = (part.take_tail(), position.jobs.is_empty());
            if let Some(lines) = lines.filter(|_| is_new) {
                let (rooms, id) = (Arc::clone(&rooms), job.row.value.id.clone());
                let offset = hub.read(move || reading::tail(&rooms, &id, lines)).await?;
                position.place_mut(0).offset = offset;
            }
        }
        Ok(Self {
            rooms,
            hub,
            standings,
            logs,
            findings,
            part,
            position,
            turn: 0,
            waiting: VecDeque::new(),
            progress: Vec::new(),
        })
    }

    /// The next thing to tell; `None` behind [`Happening::End`], and where this farm ends. Nothing is lost if it is
    /// dropped while it waits.
    pub async fn next(&mut self) -> Option<Result<Told>> {
        loop {
            if self.position.ended {
                return None;
            }
            if let Some((job, what)) = self.waiting.pop_front() {
                return Some(Ok(self.tell(job, what)));
            }
            let standing = Arc::clone(&self.standings.borrow_and_update());
            match self.step(&standing) {
                Some((job, Step::Tell(what))) => return Some(Ok(self.tell(job, what))),
                Some((job, Step::ReadLog(from, to))) => {
                    if let Err(error) = self.read_log(job, &standing.jobs[job], from, to).await {
                        return Some(Err(error));
                    }
                    continue;
                }
                Some((job, Step::ReadFindings(row))) => {
                    let (rooms, row_of) = (Arc::clone(&self.rooms), Arc::clone(&standing.jobs[job].row));
                    match self.hub.read(move || reading::findings(&rooms, &row_of.value, row)).await {
                        Ok(found) if found.is_empty() => {
                            self.position.place_mut(job).finding = standing.jobs[job].last_finding();
                        }
                        Ok(found) => self.waiting.extend(found.into_iter().map(|it| (job, Happening::Finding(it)))),
                        Err(error) => return Some(Err(error)),
                    }
                    continue;
                }
                None => {}
            }
            if let Some(problem) = standing.problem() {
                return Some(Err(problem));
            }
            if standing.over || self.is_part_told() {
                self.position.ended = true;
                return Some(Ok(Told { position: self.position.clone(), what: Happening::End }));
            }
            drop(standing);
            if self.standings.changed().await.is_err() {
                return None;
            }
        }
    }

    /// What is to be told next, in turns: a job that prints without end does not keep others from being heard. A new
    /// job is the last in the order, so that at most one is unknown at a time.
    fn step(&self, standing: &Standing) -> Option<(usize, Step)> {
        let count = standing.jobs.len().min(self.position.jobs.len() + 1);
        (0..count).find_map(|turn| {
            let job = (self.turn + turn) % count;
            self.step_of(job, &standing.jobs[job]).map(|step| (job, step))
        })
    }

    fn step_of(&self, number: usize, standing: &JobStanding) -> Option<Step> {
        let (place, job) = (self.position.place(number), &standing.row.value);
        if place.phase == Phase::Over {
            return None;
        }
        let is_final = job.status.is_final();
        let state = || Some(Step::Tell(Happening::State(Arc::clone(&standing.row))));
        // A job's end is told after all of its log.
        if !is_final && place.phase < phase(job.status) {
            return state();
        }
        if let Some(step) = self.log_step(number, place, standing) {
            return Some(step);
        }
        if self.findings && place.finding < standing.last_finding() {
            if place.finding < standing.findings_from {
                return Some(Step::ReadFindings(place.finding));
            }
            let next = standing.findings.iter().find(|finding| row_of(&finding.value) > place.finding);
            return next.map(|next| Step::Tell(Happening::Finding(Arc::clone(next))));
        }
        let now = (standing.edge, job.findings_count);
        let told = self.progress.get(number).copied().unwrap_or_default();
        if self.logs == Logs::Progress && !is_final && told != now {
            let findings = job.findings_count.cast_unsigned();
            let last_line = Arc::clone(&standing.last_line);
            return Some(Step::Tell(Happening::Progress { job: job.id.clone(), last_line, findings }));
        }
        if is_final && standing.complete { state() } else { None }
    }

    fn log_step(&self, number: usize, place: Place, standing: &JobStanding) -> Option<Step> {
        if self.logs != Logs::Lines || place.offset >= standing.edge {
            return None;
        }
        if let Some(part) = &self.part {
            let wanted = number == 0 && part.wants(place.offset, standing.edge, standing.complete);
            return wanted.then_some(Step::ReadLog(place.offset, standing.edge));
        }
        let next = standing.pieces.partition_point(|piece| piece.value.end() <= place.offset);
        match standing.pieces.get(next) {
            Some(piece) if piece.value.start == place.offset => {
                Some(Step::Tell(Happening::Log { job: standing.row.value.id.clone(), piece: Arc::clone(piece) }))
            }
            // Within a piece, or before the first: what is read ends where one begins.
            Some(piece) if piece.value.start < place.offset => Some(Step::ReadLog(place.offset, piece.value.end())),
            Some(piece) => Some(Step::ReadLog(place.offset, piece.value.start)),
            None => Some(Step::ReadLog(place.offset, standing.edge)),
        }
    }

    async fn read_log(&mut self, number: usize, standing: &JobStanding, from: u64, to: u64) -> Result<()> {
        let (rooms, job, part) = (Arc::clone(&self.rooms), standing.row.value.id.clone(), self.part.clone());
        // Whether the log ends there for good.
        let is_end = standing.complete && to == standing.edge;
        let read = self.hub.read(move || reading::log(&rooms, &job, from..to, is_end, part));
        let reading::Read { pieces, offset, part } = read.await?;
        self.part = part;
        if pieces.is_empty() {
            self.position.place_mut(number).offset = offset;
        }
        let job = &standing.row.value.id;
        let told = |piece| (number, Happening::Log { job: job.clone(), piece: Shared::new(piece) });
        self.waiting.extend(pieces.into_iter().map(told));
        Ok(())
    }

    fn is_part_told(&self) -> bool {
        let first = self.position.place(0);
        self.part.as_ref().is_some_and(|part| first.phase == Phase::Over || part.is_told(first.offset))
    }

    fn tell(&mut self, number: usize, what: Happening) -> Told {
        let (edge, is_complete) = {
            let standing = self.standings.borrow();
            standing.jobs.get(number).map_or((0, false), |job| (job.edge, job.complete))
        };
        let place = self.position.place_mut(number);
        match &what {
            Happening::State(job) => {
                place.phase = phase(job.value.status);
                if place.phase == Phase::Over {
                    (place.offset, place.finding) = (0, 0);
                }
            }
            Happening::Log { piece, .. } => place.offset = piece.value.end(),
            Happening::Finding(finding) => place.finding = row_of(&finding.value),
            Happening::Progress { findings, .. } => {
                if self.progress.len() <= number {
                    self.progress.resize(number + 1, (0, 0));
                }
                self.progress[number] = (edge, findings.cast_signed());
            }
            Happening::End => {}
        }
        // One that is over is told of to its end before others have their turn.
        self.turn = if is_complete && place.phase != Phase::Over { number } else { number + 1 };
        Told { position: self.position.clone(), what }
    }
}

fn phase(status: JobStatus) -> Phase {
    match status {
        JobStatus::Queued => Phase::Queued,
        JobStatus::Running => Phase::Running,
        JobStatus::Passed | JobStatus::Failed | JobStatus::TimedOut | JobStatus::Cancelled => Phase::Over,
    }
}
