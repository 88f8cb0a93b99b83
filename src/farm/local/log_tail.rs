//! The last lines of a log, for who looks at its job.

use super::LocalFarm;
use crate::error::{Code, Result};
use crate::model::JobId;
use crate::runner::log::LogReader;

/// Bytes of those lines; what comes before them is left out.
const MOST_BYTES: u64 = 256 << 10;

impl LocalFarm {
    /// The last lines of a job's log as it is now; none where there is no log, or none any more.
    pub async fn log_tail(&self, job: &JobId, lines: u32) -> Result<Vec<String>> {
        if lines == 0 {
            return Ok(Vec::new());
        }
        let id = job.clone();
        self.seeing(move |view| {
            let job = view.read(|seen| seen.job(&id))?;
            match LogReader::open(&view.rooms().logs(), &job.id) {
                Err(error) if error.code() == Code::NotFound => Ok(Vec::new()),
                reader => tail(&mut reader?, lines),
            }
        })
        .await
    }
}

fn tail(reader: &mut LogReader, lines: u32) -> Result<Vec<String>> {
    let begin = reader.tail(lines.into())?;
    let start = begin.max(reader.len().saturating_sub(MOST_BYTES));
    let mut bytes = vec![0; usize::try_from(reader.len() - start).unwrap_or(0)];
    let length = reader.read_at(start, &mut bytes)?;
    bytes.truncate(length);
    Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
}
