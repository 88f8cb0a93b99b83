//! What a slot's lock file says: whom it served last, and in what state that left it.

use std::fs;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::lock::Lock;
use crate::error::{IoContext, Result};
use crate::model::{CommitId, JobId, RecipeName, SubPath};

/// The life of a slot. `Leased` with nobody holding the lock means that its process died.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Free, and nothing usable in it.
    #[default]
    Empty,
    /// A job has it.
    Leased,
    /// Free, with the tree that its last job left.
    Settled,
    /// The user has it.
    Kept,
}

/// The JSON in a slot's lock file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Record {
    pub state: State,
    pub subproject: Option<SubPath>,
    pub recipe: Option<RecipeName>,
    pub job: Option<JobId>,
    /// The commit that the private index describes.
    pub sha: Option<CommitId>,
    /// The settings that its files were laid by.
    pub rules: Option<String>,
}

impl Record {
    /// Reads it without the lock, to choose by. What another process is just writing reads as nothing.
    pub fn peek(path: &Path) -> Self {
        fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Reads it under the lock.
    pub fn read(lock: &Lock, path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        let mut file = lock.file();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).on("read", path)?;
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Writes it under the lock; the file system's time of it.
    pub fn write(&self, lock: &Lock, path: &Path) -> Result<SystemTime> {
        let text = serde_json::to_string(self).expect("a record is plain data");
        let mut file = lock.file();
        // Shorter is never left behind longer: a reader of half a text sees nothing, which is safe.
        file.rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| file.write_all(text.as_bytes()))
            .and_then(|()| file.metadata()?.modified())
            .on("write", path)
    }
}
