//! Taking queued jobs, so many at once, until there is none left or somebody says that it is enough.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::job::{self, Orders};
use super::lease::Lease;
use super::{Rooms, log};
use crate::error::{Code, Error, Result};
use crate::ledger::jobs::{self, Outcome};
use crate::ledger::queue;
use crate::model::{JobId, JobStatus, RunnerId, Timestamp};

/// Which queued jobs a runner takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Those that are bound to it: a `job run` in a terminal runs its own batch and nobody else's.
    Bound,
    /// Those that are bound to nobody.
    Unbound,
}

/// How long a runner goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Until none of its share is queued and none runs.
    Drain,
    /// For ever: it waits for jobs that are queued later.
    Serve,
    /// Until those that run have ended. What is queued stays so.
    Finish,
    /// Until those that run are ended as by a cancel.
    Cancel {
        /// At once, without grace.
        force: bool,
    },
}

impl Duty {
    fn takes_jobs(self) -> bool {
        matches!(self, Self::Drain | Self::Serve)
    }
}

/// How long a runner that goes on for ever waits after the ledger failed it.
const LEDGER_PAUSE: Duration = Duration::from_secs(2);

/// A set of workers with a lease.
pub struct Runner {
    rooms: Arc<Rooms>,
    lease: Lease,
    share: Share,
}

impl Runner {
    /// One that has its lease and runs nothing yet.
    pub fn new(rooms: Arc<Rooms>, share: Share) -> Result<Self> {
        let lease = Lease::take(&rooms.leases())?;
        Ok(Self { rooms, lease, share })
    }

    /// What it works with.
    pub fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// Its id, to bind jobs to.
    pub fn id(&self) -> &RunnerId {
        self.lease.id()
    }

    /// Runs jobs until none of its share is queued and none runs. An error if the end of one of them could not be kept:
    /// its row still says that it runs, and the next command finds it stranded.
    ///
    /// It sleeps until the ledger changes, a job ends, or a try again is due: whatever is queued or cancelled by
    /// whichever process is noticed at once.
    pub async fn drain(self) -> Result<()> {
        self.until(watch::Sender::new(Duty::Drain).subscribe()).await
    }

    /// The same, for as long as the duty says, which may change.
    ///
    /// While it is [`Duty::Serve`], a ledger that cannot be read for a while ends nothing, and an end that could not be
    /// kept ends the runner as soon as its other jobs have ended.
    pub async fn until(self, duty: watch::Receiver<Duty>) -> Result<()> {
        let mut crew = Crew::default();
        let worked = self.work(&mut crew, duty).await;
        if worked.is_err() {
            // The lease is held until the last job has ended: others would take a job that still runs for stranded.
            tokio::task::block_in_place(|| crew.orders.values().for_each(|orders| orders.cancel(true)));
            while crew.workers.join_next().await.is_some() {}
        }
        worked
    }

    async fn work(&self, Crew { workers, orders }: &mut Crew, mut duty: watch::Receiver<Duty>) -> Result<()> {
        let mut changes = self.rooms.ledger.changes().watch()?;
        let mut trouble = Ok(());
        let bound = self.share == Share::Bound;
        loop {
            // What changes from here on wakes the loop again.
            changes.borrow_and_update();
            let now = *duty.borrow_and_update();
            if let Duty::Cancel { force } = now {
                tokio::task::block_in_place(|| orders.values().for_each(|orders| orders.cancel(force)));
            }
            // A server's runner that is in trouble gives up soon; a `job run` goes on with what it was asked for.
            let takes_jobs = now.takes_jobs() && (trouble.is_ok() || now == Duty::Drain);
            let free = if takes_jobs { self.rooms.settings.workers.value.saturating_sub(workers.len()) } else { 0 };
            let runner = self.id().clone();
            let step = match self.in_ledger(move |rooms| step(rooms, &runner, bound, free)).await {
                Err(error) if now != Duty::Drain => {
                    tracing::warn!("the queue waits: {error}");
                    tokio::time::sleep(LEDGER_PAUSE).await;
                    if now == Duty::Serve {
                        continue;
                    }
                    // Running jobs end without the ledger's word, too.
                    Step::default()
                }
                step => step?,
            };
            for (id, force) in step.cancelled {
                if let Some(orders) = orders.get(&id) {
                    tokio::task::block_in_place(|| orders.cancel(force));
                }
            }
            for job in step.claimed {
                let order = Arc::new(Orders::default());
                orders.insert(job.id.clone(), Arc::clone(&order));
                let (rooms, binding) = (Arc::clone(&self.rooms), bound.then(|| self.id().clone()));
                workers.spawn_blocking(move || {
                    let id = job.id.clone();
                    let kept = live(&rooms, job, binding.as_ref(), &order);
                    (id, kept)
                });
            }
            let over = match now {
                Duty::Drain => step.next_try.is_none() || trouble.is_err(),
                Duty::Serve => trouble.is_err(),
                Duty::Finish | Duty::Cancel { .. } => true,
            };
            if over && workers.is_empty() {
                return trouble;
            }
            let due = async {
                match step.next_try {
                    // A worker that is free when it is due takes it; one that is not looks again when it is.
                    Some(wait) if free > 0 => tokio::time::sleep(wait).await,
                    _ => pending().await,
                }
            };
            tokio::select! {
                changed = changes.changed() => {
                    changed.map_err(|_| Error::new(Code::Io, "the ledger's folder can no longer be watched"))?;
                }
                Some(ended) = workers.join_next() => {
                    if let Ok((id, kept)) = ended {
                        orders.remove(&id);
                        trouble = trouble.and(kept);
                    }
                }
                () = changed(&mut duty) => {}
                () = due => {}
            }
        }
    }

    async fn in_ledger<T: Send + 'static>(&self, work: impl FnOnce(&Rooms) -> Result<T> + Send + 'static) -> Result<T> {
        let rooms = Arc::clone(&self.rooms);
        tokio::task::spawn_blocking(move || work(&rooms))
            .await
            .map_err(|error| Error::new(Code::LedgerFailed, format!("the queue could not be read: {error}")))?
    }
}

/// The jobs that run, and how to reach them.
#[derive(Default)]
struct Crew {
    workers: JoinSet<(JobId, Result<()>)>,
    orders: HashMap<JobId, Arc<Orders>>,
}

/// Waits for another duty; for ever once nobody can give one.
async fn changed(duty: &mut watch::Receiver<Duty>) {
    if duty.changed().await.is_err() {
        pending().await
    }
}

/// What the ledger says at one turn of the loop.
#[derive(Default)]
struct Step {
    claimed: Vec<crate::model::Job>,
    cancelled: Vec<(JobId, bool)>,
    next_try: Option<Duration>,
}

fn step(rooms: &Rooms, runner: &RunnerId, bound: bool, free: usize) -> Result<Step> {
    let now = Timestamp::now();
    let (waiting, cancelled, next_try) = rooms.ledger.read(|tx| {
        Ok((
            queue::any_claimable(tx, runner, bound, now)?,
            queue::cancel_requests(tx, runner)?,
            queue::next_try(tx, runner, bound, now)?,
        ))
    })?;
    let mut claimed = Vec::new();
    if waiting && free > 0 {
        rooms.ledger.write(|tx| {
            while claimed.len() < free
                && let Some(job) = queue::claim(tx, runner, bound, now)?
            {
                claimed.push(job);
            }
            Ok(())
        })?;
    }
    Ok(Step { claimed, cancelled, next_try })
}

/// Runs one job to its end. A panic in it is the job's failure, not the runner's; an error is left only if the job's end
/// could not be kept.
fn live(rooms: &Rooms, job: crate::model::Job, binding: Option<&RunnerId>, orders: &Orders) -> Result<()> {
    let id = job.id.clone();
    let run = std::panic::AssertUnwindSafe(|| job::run(rooms, job, binding, orders));
    let problem = match std::panic::catch_unwind(run) {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "crafting itself failed while it ran this job; please report it".to_owned(),
    };
    tracing::error!(job = %id, "{problem}");
    let outcome = Outcome { error: Some(problem), ..Outcome::bare(JobStatus::Failed, None) };
    // If this fails too, the job is stranded, and the next command finds it so.
    let _ = log::append_line(&rooms.logs(), &id, "[crafting] the job's end could not be kept");
    rooms
        .ledger
        .write(|tx| jobs::finish(tx, &id, &outcome, Timestamp::now()))
        .map_err(|error| error.context(format!("the end of the job {id} could not be kept")))
}
