//! A job's log: exactly the bytes that its recipe wrote, in the order in which they arrived, and an index beside them.
//!
//! A *line* ends at a newline, or where the other stream cuts in, or at the end of the log. So every line came from one
//! stream at one time, and the index has one record for each: the N-th line is the N-th record, and neither the last 200
//! lines of a log of 1 GiB nor the lines N to M cost a scan.
//!
//! Crafting's own lines begin with `[crafting]` (a stranded job's last one with `[crafting-table]`) and stand on lines of
//! their own. They are the only bytes in a log that the recipe did not write, but for one newline before such a line
//! where the recipe's last one was not finished.

mod index;
mod reader;
mod watch;
mod writer;

use std::path::{Path, PathBuf};

use crate::changes::Place;
use crate::error::{IoContext, Result};
use crate::model::JobId;

pub use index::MAX_BYTES;
pub use reader::LogReader;
pub use watch::LogWatch;
pub use writer::{LogWriter, append_line};

/// How much there is in a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Bytes.
    pub bytes: u64,
    /// Lines.
    pub lines: u64,
}

/// The file with the bytes.
pub fn path(folder: &Path, job: &JobId) -> PathBuf {
    folder.join(format!("{job}.log"))
}

fn index_path(folder: &Path, job: &JobId) -> PathBuf {
    folder.join(format!("{job}.idx"))
}

/// The job whose log a file is; `None` for any other file.
pub fn job_of(path: &Path) -> Option<JobId> {
    match path.extension() {
        Some(extension) if extension == "log" => path.file_stem()?.to_str()?.parse().ok(),
        _ => None,
    }
}

/// Told when a log in that folder is written to, or begun.
pub fn written(folder: &Path) -> Place {
    Place::written(folder, |name| Path::new(name).extension().is_some_and(|extension| extension == "log"))
}

/// Removes a log, if it is there. The bytes that it had.
pub fn remove(folder: &Path, job: &JobId) -> Result<u64> {
    let mut freed = 0;
    for path in [path(folder, job), index_path(folder, job)] {
        let bytes = path.metadata().map_or(0, |metadata| metadata.len());
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            other => other.on("remove", &path)?,
        }
        freed += bytes;
    }
    Ok(freed)
}
