//! What a server does besides answering: it runs what is queued, puts right what others left, and tidies up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::{GcReport, LocalFarm};
use crate::error::{Code, Error, Result};
use crate::ledger::queue;
use crate::model::JobStatus;
use crate::runner::queue::{Duty, Runner, Share};
use crate::runner::{lease, reaper, retention};

/// How long a runner that failed waits before it begins again: a full disk does not get empty at once.
const BEGIN_AGAIN: Duration = Duration::from_secs(5);
/// By then the kernel has unlocked a lease of whose end it told; it does so at once.
const UNLOCKED_AFTER: Duration = Duration::from_millis(20);
/// How long after a vain attempt a stranded job is looked at again.
const RECOVER_AGAIN: Duration = Duration::from_secs(60);
/// The first tidying waits until a machine that has just started has done the rest.
const FIRST_GC: Duration = Duration::from_secs(60);
/// How old the numbers of a [`Load`] may be while the ledger changes all the time.
const LOAD_EVERY: Duration = Duration::from_millis(200);

/// What the farm has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Jobs that wait, those among them whose `job run` in a terminal is alive.
    pub queued: u64,
    /// Jobs that run, whichever process runs them.
    pub running: u64,
}

/// What the farm takes on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Bytes of the ledger, with what is not yet at its place in it.
    pub ledger_bytes: u64,
    /// Bytes of all logs, with their indexes.
    pub log_bytes: u64,
}

/// Waits until the duty is another one.
async fn other(duty: &mut watch::Receiver<Duty>) {
    let _ = duty.wait_for(|duty| *duty != Duty::Serve).await;
}

impl LocalFarm {
    /// Runs the jobs that are bound to nobody, until the duty is another one than [`Duty::Serve`] and has been done.
    ///
    /// One process on a data directory does. While another one is at it, a second server or what `job run --detach`
    /// had left running, this waits for its end.
    pub async fn run_queue(&self, mut duty: watch::Receiver<Duty>) {
        let turn = tokio::select! {
            turn = self.turn() => turn,
            () = other(&mut duty) => return,
        };
        let _turn = match turn {
            Ok(turn) => turn,
            Err(error) => return tracing::error!("no queued job will be run: {error}"),
        };
        loop {
            let runner = self.blocking_with(|rooms| Runner::new(rooms, Share::Unbound)).await;
            let worked = match runner {
                Ok(runner) => runner.until(duty.clone()).await,
                Err(error) => Err(error),
            };
            if *duty.borrow() != Duty::Serve {
                return;
            }
            if let Err(error) = worked {
                tracing::error!("the runner begins again in a moment: {error}");
            }
            tokio::select! {
                () = tokio::time::sleep(BEGIN_AGAIN) => {}
                () = other(&mut duty) => return,
            }
        }
    }

    /// Waits for the right to take jobs that are bound to nobody; it lasts until the answer is dropped.
    async fn turn(&self) -> Result<impl Send + use<>> {
        let path = self.rooms.turn();
        if let Some(turn) = lease::only_one(&path)? {
            return Ok(turn);
        }
        tracing::info!("another process runs the queued jobs; this one does when it ends");
        let (sender, receiver) = oneshot::channel();
        // A thread of its own: the process may end while it waits.
        std::thread::Builder::new()
            .name("turn".to_owned())
            .spawn(move || sender.send(lease::the_only_one(&path)))
            .map_err(|error| Error::new(Code::Io, format!("cannot start a thread: {error}")))?;
        receiver.await.map_err(|_| Error::new(Code::Io, "waiting for another process's end failed"))?
    }

    /// Puts right what other runners leave that end before their jobs, from now on and for ever.
    pub async fn recover_others(&self) -> Result<()> {
        let mut ends = lease::ends(&self.rooms.leases()).watch()?;
        loop {
            let again = match self.blocking(reaper::recover).await {
                Ok(recovered) => {
                    for job in &recovered.jobs {
                        tracing::warn!(job = %job.id, project = %job.project, "a job was stranded by a crash");
                    }
                    recovered.trouble
                }
                Err(error) => Some(error),
            };
            let pause = match &again {
                Some(error) => {
                    tracing::warn!("{error}");
                    RECOVER_AGAIN
                }
                None => Duration::MAX,
            };
            tokio::select! {
                ended = ends.changed() => {
                    ended.map_err(|_| Error::new(Code::Io, "the leases' folder can no longer be watched"))?;
                    tokio::time::sleep(UNLOCKED_AFTER).await;
                }
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Removes every hour, or however often the settings say, what nobody needs any more, and tells of it each time.
    pub async fn tidy_up(&self, tell: impl Fn(&Result<GcReport>)) {
        let every = Duration::from_secs(self.settings().gc_secs.value);
        let mut due = Instant::now() + every.min(FIRST_GC);
        loop {
            tokio::time::sleep_until(due).await;
            tell(&self.gc(false).await);
            due = Instant::now() + every;
        }
    }

    /// What there is to do, now and whenever that changes.
    pub fn load(&self) -> Result<watch::Receiver<Load>> {
        let mut changes = self.rooms.ledger.changes().watch()?;
        let (load, receiver) = watch::channel(self.look_at_load()?);
        let farm = self.clone();
        tokio::spawn(async move {
            while changes.changed().await.is_ok() && !load.is_closed() {
                tokio::time::sleep(LOAD_EVERY).await;
                changes.borrow_and_update();
                let farm = farm.clone();
                match tokio::task::spawn_blocking(move || farm.look_at_load()).await {
                    Ok(Ok(now)) => drop(load.send_replace(now)),
                    Ok(Err(error)) => tracing::warn!("how much there is to do is not known: {error}"),
                    Err(_) => return,
                }
            }
        });
        Ok(receiver)
    }

    fn look_at_load(&self) -> Result<Load> {
        let (queued, running) = self.rooms.ledger.read(queue::load)?;
        Ok(Load { queued, running })
    }

    /// What lies on the disk. It looks at every log, so it is nothing to ask for all the time.
    pub async fn disk(&self) -> Result<Disk> {
        self.blocking(|rooms| {
            let ledger = rooms.ledger.path();
            let size = |path: &std::path::Path| path.metadata().map_or(0, |metadata| metadata.len());
            let ledger_bytes = size(ledger) + size(&ledger.with_extension("db-wal"));
            Ok(Disk { ledger_bytes, log_bytes: retention::bytes(&rooms.logs())? })
        })
        .await
    }

    /// How many jobs this process ended, and how.
    pub fn ended(&self) -> impl Iterator<Item = (JobStatus, u64)> + '_ {
        self.rooms.tally.ended()
    }

    async fn blocking_with<T: Send + 'static>(
        &self,
        work: impl FnOnce(Arc<crate::runner::Rooms>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let rooms = Arc::clone(&self.rooms);
        self.blocking(move |_| work(rooms)).await
    }
}
