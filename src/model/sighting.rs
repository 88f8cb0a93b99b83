//! A finding as far as comparing jobs goes.

use std::sync::Arc;

use super::{JobId, Kind};

/// What comparing needs to know of a stored finding, and no more: a job may have hundreds of thousands.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Its row's number.
    pub id: i64,
    /// What it is about.
    pub kind: Kind,
    /// Relative to the project's root.
    pub file: Option<Arc<str>>,
    /// 1-based.
    pub line: Option<u32>,
    /// 1-based.
    pub column: Option<u32>,
    /// The rule, the advisory, or the test's full name.
    pub code: Arc<str>,
    /// The 64 bits of its fingerprint.
    pub fingerprint: u64,
    /// See [`super::Finding::context_hash`].
    pub context_hash: Option<u64>,
    /// The job that had it first.
    pub first_seen_job: Option<Arc<JobId>>,
    /// Whether the baseline job did not have it.
    pub is_new: bool,
    /// The suppression that holds for it, expired or not.
    pub suppression: Option<i64>,
    /// Whether it is ignored now.
    pub ignored: bool,
}
