//! The feeds that somebody follows, each once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Semaphore, watch};

use super::feed::{Broken, Feed, Standing};
use super::{Logs, Subject};
use crate::changes::{Changes, watch as watch_changes};
use crate::error::Result;
use crate::runner::{Rooms, lease, log};

/// Logs that are read at the same time for those who are behind. More would not be read faster, and each takes a
/// thread from everybody else.
const READS: usize = 4;

/// Every feed of this process.
#[derive(Clone)]
pub(in crate::farm) struct Hub(Arc<Inner>);

struct Inner {
    feeds: Mutex<HashMap<Subject, watch::Sender<Arc<Standing>>>>,
    /// What the kernel tells of, shared by all feeds: it allows a user few such watches. One with the logs, one without.
    quiet: Mutex<Weak<[Changes; 2]>>,
    busy: Mutex<Weak<[Changes; 3]>>,
    reads: Semaphore,
}

impl Default for Hub {
    fn default() -> Self {
        Self(Arc::new(Inner {
            feeds: Mutex::default(),
            quiet: Mutex::default(),
            busy: Mutex::default(),
            reads: Semaphore::new(READS),
        }))
    }
}

impl Hub {
    /// Views of a subject, from now on. The feed is there until the last of them is dropped or all jobs are final.
    pub(in crate::farm) fn join(
        &self,
        rooms: &Arc<Rooms>,
        subject: Subject,
        broken: watch::Receiver<Option<Broken>>,
    ) -> Result<watch::Receiver<Arc<Standing>>> {
        let mut feeds = self.feeds();
        if let Some(standings) = feeds.get(&subject) {
            return Ok(standings.subscribe());
        }
        let watches = self.watches(rooms, subject.logs)?;
        let (standings, receiver) = watch::channel(Arc::new(Standing::default()));
        feeds.insert(subject.clone(), standings.clone());
        drop(feeds);
        let (ledger, ends, logs) = watches.changes();
        let mut feed = Feed { rooms: Arc::clone(rooms), subject, standings, ledger, ends, logs, broken };
        let hub = self.clone();
        tokio::spawn(async move {
            let _watches = watches;
            loop {
                let standings = feed.standings.clone();
                let is_over = tokio::select! {
                    () = feed.run() => true,
                    () = standings.closed() => false,
                };
                let mut feeds = hub.feeds();
                // Somebody may have come a moment ago.
                if is_over || feed.standings.receiver_count() == 0 {
                    feeds.remove(&feed.subject);
                    break;
                }
            }
        });
        Ok(receiver)
    }

    /// One of few who may read a log at a time.
    pub(in crate::farm) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let _permit = self.0.reads.acquire().await;
        super::feed::blocking(work).await
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<Subject, watch::Sender<Arc<Standing>>>> {
        self.0.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watches(&self, rooms: &Rooms, logs: Logs) -> Result<Watches> {
        let places = || (rooms.ledger.changes(), lease::ends(&rooms.leases()));
        if logs == Logs::None {
            let quiet = shared(&self.0.quiet, || watch_changes([places().0, places().1]))?;
            return Ok(Watches::Quiet(quiet));
        }
        let busy = shared(&self.0.busy, || {
            let written = log::written(&rooms.logs());
            watch_changes([places().0, places().1, written])
        })?;
        Ok(Watches::Busy(busy))
    }
}

/// What is there already, or a new one.
fn shared<T>(slot: &Mutex<Weak<T>>, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(there) = slot.upgrade() {
        return Ok(there);
    }
    let new = Arc::new(make()?);
    *slot = Arc::downgrade(&new);
    Ok(new)
}

/// What the kernel tells of, for as long as somebody holds it.
enum Watches {
    Quiet(Arc<[Changes; 2]>),
    Busy(Arc<[Changes; 3]>),
}

impl Watches {
    /// Of the ledger, of leases, and of logs.
    fn changes(&self) -> (Changes, Changes, Option<Changes>) {
        match self {
            Self::Quiet(changes) => (changes[0].clone(), changes[1].clone(), None),
            Self::Busy(changes) => (changes[0].clone(), changes[1].clone(), Some(changes[2].clone())),
        }
    }
}
