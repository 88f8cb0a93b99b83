//! Following, as the farm of this machine does it for the doors.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Asked, Follower, Logs, Position, Subject};
use crate::error::{Code, Error, Result};
use crate::farm::log_part::Sending;
use crate::farm::{Event, FollowLogs, LocalFarm, LogPart, LogStart};
use crate::model::{Job, JobId, Scope};
use crate::runner::log::LogReader;

/// Events that wait to be taken.
const WAITING: usize = 64;

/// What somebody follows.
#[derive(Clone, Debug)]
pub struct Follow {
    /// Of which jobs.
    pub scope: Scope,
    /// What of their logs.
    pub logs: FollowLogs,
    /// Of one job's log only this part; then nothing of its further tries' logs, and it ends with the job or the part.
    pub part: Option<LogPart>,
    /// Whether findings are told.
    pub findings: bool,
    /// Behind what was told before.
    pub from: Position,
}

/// The log of a job as it is at a moment.
#[derive(Debug)]
pub struct LogFacts {
    /// Its job.
    pub job: Job,
    /// Bytes in it.
    pub bytes: u64,
}

impl LocalFarm {
    /// Follows jobs. What happens is told one by one, as it is asked for: who does not ask costs nothing.
    pub async fn follower(&self, follow: Follow) -> Result<Follower> {
        let Follow { scope, logs, part, findings, from } = follow;
        let known = scope.clone();
        self.seeing(move |view| view.read(|seen| seen.jobs_in(&known))).await?;
        let shown = if part.is_some() { Logs::Length } else { logs.into() };
        let standings = self.join(Subject { scope, logs: shown, findings })?;
        let (rooms, hub) = self.live_parts();
        let asked = Asked { logs: logs.into(), findings, part, from };
        Follower::new(Arc::clone(rooms), hub.clone(), standings, asked).await
    }

    /// How long a job's log is. [`Code::NotFound`] says whether there is none yet, never was, or is none any more.
    pub async fn log_facts(&self, job: &JobId) -> Result<LogFacts> {
        let id = job.clone();
        self.seeing(move |view| {
            // The row first: the log of a job that is final there does not grow any more.
            let job = view.read(|seen| seen.job(&id))?;
            match LogReader::open(&view.rooms().logs(), &id) {
                Ok(reader) => Ok(LogFacts { bytes: reader.len(), job }),
                Err(error) if error.code() == Code::NotFound => Err(no_log(&job)),
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// Some bytes of a job's log.
    pub async fn log_bytes(&self, job: &JobId, from: u64, count: u64) -> Result<mpsc::Receiver<Result<Vec<u8>>>> {
        let part = LogPart { start: LogStart::Line(1), lines: None, stream: None, follow: false };
        self.send(job, part, Some((from, count))).await
    }

    pub(in crate::farm) async fn send_log(
        &self,
        job: &JobId,
        part: LogPart,
    ) -> Result<mpsc::Receiver<Result<Vec<u8>>>> {
        self.send(job, part, None).await
    }

    async fn send(
        &self,
        job: &JobId,
        part: LogPart,
        bytes: Option<(u64, u64)>,
    ) -> Result<mpsc::Receiver<Result<Vec<u8>>>> {
        let id = job.clone();
        let row = self.seeing(move |view| view.read(|seen| seen.job(&id))).await?;
        let live = match part.follow {
            true => Some(self.join(Subject { scope: Scope::Job(job.clone()), logs: Logs::Length, findings: false })?),
            false => None,
        };
        let (chunks, receiver) = mpsc::channel(1);
        let (rooms, hub) = self.live_parts();
        let sending = match Sending::open(rooms, hub, job, part, live, chunks).await {
            Err(error) if error.code() == Code::NotFound => return Err(no_log(&row)),
            other => other?,
        };
        let sending = match bytes {
            Some((from, count)) => sending.only(from, count),
            None => sending,
        };
        tokio::spawn(sending.run());
        Ok(receiver)
    }

    pub(in crate::farm) async fn send_events(
        &self,
        scope: &Scope,
        logs: FollowLogs,
    ) -> Result<mpsc::Receiver<Result<Event>>> {
        let follow = Follow { scope: scope.clone(), logs, part: None, findings: false, from: Position::default() };
        let mut follower = self.follower(follow).await?;
        let (events, receiver) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            loop {
                let told = tokio::select! {
                    told = follower.next() => told,
                    () = events.closed() => return,
                };
                let Some(told) = told else { return };
                let event = match told {
                    Ok(told) => Event::of(told.what).map(Ok),
                    Err(error) => Some(Err(error)),
                };
                let Some(event) = event else { return };
                let is_last = event.is_err();
                if events.send(event).await.is_err() || is_last {
                    return;
                }
            }
        });
        Ok(receiver)
    }
}

fn no_log(job: &Job) -> Error {
    let id = &job.id;
    if !job.status.is_final() {
        return Error::not_found(format!("there is no log of the job {id} yet"))
            .hint("it has not begun; with --follow, or ?follow=1, its log comes as soon as it does");
    }
    if job.log_bytes == 0 {
        return Error::not_found(format!("there is no log of the job {id}")).hint("it ended before it began");
    }
    Error::not_found(format!("there is no log of the job {id} any more"))
        .hint("it was removed: logs are kept for `retention_days`, findings stay")
}
