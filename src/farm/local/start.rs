//! From a plan to queued jobs, and to somebody who takes them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{LocalFarm, background};
use crate::error::{Code, Error, Result};
use crate::farm::live::Broken;
use crate::farm::visible::{Seen, View};
use crate::farm::{Farm as _, JobSelector, RunRequest, Started, request};
use crate::ledger::events::{self, Act};
use crate::ledger::jobs;
use crate::ledger::requests::{self, Asked};
use crate::model::{Action, Batch, BatchId, Caller, IdempotencyKey, Job, JobId, RunnerId, Scope, Timestamp};
use crate::runner::queue::{Runner, Share};

/// How long a request is known again.
const REMEMBERED: Duration = Duration::from_secs(86_400);

/// A request that may come twice, and is then answered as it was the first time.
#[derive(Clone, Debug)]
pub struct Once {
    key: IdempotencyKey,
    digest: [u8; 32],
}

impl Once {
    /// One that came with `key`; `asked` says what it asked for, word by word.
    pub fn new(key: IdempotencyKey, asked: &str) -> Self {
        Self { key, digest: Sha256::digest(asked.as_bytes()).into() }
    }

    fn asked<'a>(&'a self, caller: &'a Caller) -> Asked<'a> {
        Asked { caller, key: &self.key, digest: &self.digest }
    }
}

impl LocalFarm {
    /// [`crate::farm::Farm::run`] for a request that may come twice.
    pub async fn run_once(&self, request: &RunRequest, once: Option<Once>) -> Result<Started> {
        if let Some(started) = self.before(&once).await? {
            return Ok(started);
        }
        let mut plan = self.plan(request).await?;
        let jobs = request::queued(&plan, self.rooms.runtime.name())?;
        let notes = std::mem::take(&mut plan.notes);
        let started = self.start(jobs, notes, request.detach, once).await?;
        Ok(Started { registered: plan.registered, ..started })
    }

    /// [`crate::farm::Farm::retry`] for a request that may come twice.
    pub async fn retry_once(&self, job: &JobSelector, detach: bool, once: Option<Once>) -> Result<Started> {
        if let Some(started) = self.before(&once).await? {
            return Ok(started);
        }
        let old = self.job(job).await?;
        if !old.status.is_final() {
            return Err(Error::new(Code::Conflict, format!("the job {} is still {}", old.id, old.status))
                .hint("wait for its end with `crafting job watch`, or cancel it first"));
        }
        let again = old.queued_again(BatchId::random()?, Timestamp::now())?;
        self.start(vec![again], Vec::new(), detach, once).await
    }

    /// What came of it the first time, if this is not that.
    async fn before(&self, once: &Option<Once>) -> Result<Option<Started>> {
        let Some(once) = once.clone() else { return Ok(None) };
        self.seeing(move |view| view.read(|seen| earlier(seen, &once, Timestamp::now()))).await
    }

    /// Queues jobs in the caller's name and sees to it that a runner takes them.
    async fn start(&self, mut jobs: Vec<Job>, notes: Vec<String>, detach: bool, once: Option<Once>) -> Result<Started> {
        let token = self.caller.token.as_ref().map(ToString::to_string);
        jobs.iter_mut().for_each(|job| job.token.clone_from(&token));
        let new = New { batch: batch_of(jobs)?, notes, once };
        if detach {
            let started = self.seeing(move |view| new.enqueue(view, None)).await?;
            background(&self.rooms)?;
            return Ok(started);
        }
        let rooms = Arc::clone(&self.rooms);
        let (runner, started) = self
            .seeing(move |view| {
                let runner = Runner::new(rooms, Share::Bound)?;
                let started = new.enqueue(view, Some(runner.id()))?;
                Ok((runner, started))
            })
            .await?;
        let broken = self.broken.clone();
        self.runners.lock().await.spawn(async move {
            if let Err(error) = runner.drain().await {
                broken.send_replace(Some(Broken::by(&error)));
            }
        });
        Ok(started)
    }
}

/// A batch that is not in the ledger yet.
struct New {
    batch: Batch,
    notes: Vec<String>,
    once: Option<Once>,
}

impl New {
    /// Queues it, unless somebody came first with the same request.
    fn enqueue(self, view: &View, bound_to: Option<&RunnerId>) -> Result<Started> {
        let Self { batch, notes, once } = self;
        let now = Timestamp::now();
        view.write(|seen| {
            let Some(first) = batch.jobs.first() else { return Ok(Started { batch, registered: None, notes }) };
            // It may have been removed since the jobs were planned.
            seen.project(&first.project)?;
            if let Some(once) = &once {
                if let Some(started) = earlier(seen, once, now)? {
                    return Ok(started);
                }
                let came = (&first.project, &batch.batch_id, notes.as_slice());
                requests::keep(seen.tx, &once.asked(view.caller()), came, now, now.before(REMEMBERED))?;
            }
            for job in &batch.jobs {
                jobs::insert(seen.tx, job, bound_to, None)?;
                events::job_queued(seen.tx, job, view.caller().address)?;
                if let Some(old) = &job.retry_of {
                    seen.record(Act::new(Action::JobRetry, old.as_str()).of(&job.project).told(job.id.as_str()))?;
                }
            }
            Ok(Started { batch, registered: None, notes })
        })
    }
}

/// The batch that this request came to before, its jobs as they are now.
fn earlier(seen: &Seen<'_>, once: &Once, now: Timestamp) -> Result<Option<Started>> {
    let Some(came) = requests::find(seen.tx, &once.asked(seen.caller()), now.before(REMEMBERED))? else {
        return Ok(None);
    };
    if !came.same {
        return Err(Error::new(Code::Conflict, "this idempotency key was used for another request")
            .hint("give every request a key of its own, and only its repetition the same"));
    }
    let mut jobs = seen.jobs_in(&Scope::Batch(came.batch.clone()))?;
    // Tries again came later.
    let ids: HashSet<JobId> = jobs.iter().map(|job| job.id.clone()).collect();
    jobs.retain(|job| !job.retry_of.as_ref().is_some_and(|first| ids.contains(first)));
    Ok(Some(Started { batch: Batch { batch_id: came.batch, jobs }, registered: None, notes: came.notes }))
}

fn batch_of(jobs: Vec<Job>) -> Result<Batch> {
    match jobs.first() {
        Some(first) => Ok(Batch { batch_id: first.batch_id.clone(), jobs }),
        None => Err(Error::not_found("there is nothing to run").hint("`crafting project show` lists the recipes")),
    }
}
