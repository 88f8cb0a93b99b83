//! Folders that several threads read together, each telling the others what else there is to read.

use std::sync::{Condvar, Mutex, PoisonError};

/// A folder's path from the top, and whether a kept path leads to it.
pub(super) type Folder = (Vec<u8>, bool);

/// The folders that are still to be read.
pub(super) struct Folders {
    pending: Mutex<Pending>,
    changed: Condvar,
}

struct Pending {
    waiting: Vec<Folder>,
    /// How many are being read, which may lead to more.
    busy: usize,
    failed: bool,
}

impl Folders {
    /// Begins with the top.
    pub fn new() -> Self {
        let pending = Pending { waiting: vec![(Vec::new(), false)], busy: 0, failed: false };
        Self { pending: Mutex::new(pending), changed: Condvar::new() }
    }

    /// The next folder, once there is one; `None` when all are read, or one could not be.
    pub fn next(&self) -> Option<Folder> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if pending.failed {
                return None;
            }
            if let Some(folder) = pending.waiting.pop() {
                pending.busy += 1;
                return Some(folder);
            }
            if pending.busy == 0 {
                return None;
            }
            pending = self.changed.wait(pending).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// One that [`Folders::next`] gave is read: what it leads to, or `None` if that failed.
    pub fn done(&self, found: Option<Vec<Folder>>) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.busy -= 1;
        match found {
            Some(found) => pending.waiting.extend(found),
            None => pending.failed = true,
        }
        if pending.failed || pending.busy == 0 || !pending.waiting.is_empty() {
            self.changed.notify_all();
        }
    }
}
