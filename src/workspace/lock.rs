//! Locked files: who may use a slot or change a mirror. The kernel lets go of a lock when its process dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::{IoContext, Result};

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

/// Whom a lock shuts out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Everybody else.
    Alone,
    /// Those who want to be alone.
    Shared,
}

impl Lock {
    /// Waits for the lock on `path`, which is made if it is missing.
    pub fn wait(path: &Path, mode: Mode) -> Result<Self> {
        loop {
            let file = open(path)?;
            match mode {
                Mode::Alone => file.lock(),
                Mode::Shared => file.lock_shared(),
            }
            .on("lock", path)?;
            if current(&file, path) {
                return Ok(Self { file });
            }
        }
    }

    /// The lock on `path`, alone, or `None` if another holds it.
    pub fn attempt(path: &Path) -> Result<Option<Self>> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(current(&file, path).then_some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).on("lock", path),
        }
    }

    /// The locked file.
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child that another thread has just forked holds the same open file until it
        // executes its program, and the lock with it.
        if let Err(error) = self.file.unlock() {
            tracing::debug!(%error, "a lock is left to the kernel");
        }
    }
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).on("open", path)
}

/// Whether the locked file is still the one at that path: its folder may have been removed in between.
fn current(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(there)) = (file.metadata(), path.metadata()) else { return false };
    held.ino() == there.ino() && held.dev() == there.dev()
}
