//! How many jobs this process ended, and how.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::JobStatus;

/// Counts of ends since the process began.
#[derive(Debug, Default)]
pub struct Tally([AtomicU64; JobStatus::ALL.len()]);

impl Tally {
    pub(super) fn add(&self, status: JobStatus) {
        for (_, count) in self.0.iter().enumerate().filter(|(index, _)| JobStatus::ALL[*index] == status) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many ended in each of the final states.
    pub fn ended(&self) -> impl Iterator<Item = (JobStatus, u64)> + '_ {
        let all = JobStatus::ALL.into_iter().zip(&self.0);
        all.filter(|(status, _)| status.is_final()).map(|(status, count)| (status, count.load(Ordering::Relaxed)))
    }
}
