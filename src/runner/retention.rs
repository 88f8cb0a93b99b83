//! Which logs go, and when: beyond an age, and beyond a size of all together, the oldest first. Rows stay.

use std::path::Path;
use std::time::SystemTime;

use super::log;
use crate::error::{IoContext, Result};
use crate::model::{JobId, Timestamp};

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// Logs.
    pub removed: u64,
    /// Their bytes.
    pub freed_bytes: u64,
}

/// Bytes of all files in `folder`.
pub fn bytes(folder: &Path) -> Result<u64> {
    let entries = folder.read_dir().on("read the folder", folder)?;
    // One may be removed while it is looked at.
    Ok(entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum())
}

/// Removes the logs in `folder` that were last written before `oldest`, then the oldest until all together have at
/// most `limit` bytes. Logs of live jobs stay.
pub fn apply(folder: &Path, oldest: Timestamp, limit: u64, is_live: &dyn Fn(&JobId) -> bool) -> Result<Freed> {
    let mut logs: Vec<(Timestamp, JobId, u64)> = Vec::new();
    for entry in folder.read_dir().on("read the folder", folder)? {
        let entry = entry.on("read the folder", folder)?;
        let Some(id) = log::job_of(&entry.path()) else { continue };
        // It may be removed by somebody else in between.
        let Ok(metadata) = entry.metadata() else { continue };
        let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        logs.push((Timestamp::of(written), id, metadata.len()));
    }
    logs.sort();
    let mut total: u64 = logs.iter().map(|(.., bytes)| bytes).sum();
    let mut freed = Freed::default();
    for (written, id, bytes) in logs {
        if (written >= oldest && total <= limit) || is_live(&id) {
            continue;
        }
        freed.freed_bytes += log::remove(folder, &id)?;
        freed.removed += 1;
        total -= bytes;
    }
    Ok(freed)
}
