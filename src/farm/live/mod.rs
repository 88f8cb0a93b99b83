//! What happens to some jobs, told to any number of listeners, whichever process runs the jobs.
//!
//! The ledger and the logs are the only source: the kernel tells when they change, and nothing is asked in between.
//!
//! ```text
//!  ledger, logs ──► Feed, one a scope: looks once for all ──► Standing ──► Follower, one a listener ──► terminal, HTTP
//! ```
//!
//! A [`feed::Feed`] shows how things stand, with the newest pieces of the logs as they go out. A [`Follower`] walks
//! from its own [`Position`] to there: by the feed's pieces where it stands at the beginning of one, else by reading
//! the log itself until it does. What it tells depends on nothing but its position and what is in ledger and log, so
//! that a listener who is slow, comes late, or comes back with a position of days ago misses nothing and hears
//! nothing twice.

mod farm;
mod feed;
mod follower;
mod hub;
mod piece;
mod position;
mod reading;

pub use farm::{Follow, LogFacts};
pub use feed::Shared;
pub use follower::{Follower, Happening, Told};
pub use piece::Piece;
pub use position::Position;

pub(super) use feed::{Broken, Standing};
pub(super) use follower::Asked;
pub(super) use hub::Hub;

use super::FollowLogs;
use crate::model::Scope;

/// Bytes of a log that are told at once, at most.
pub(super) const PIECE: usize = 64 << 10;

/// What one feed looks at. Listeners who want the same share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Subject {
    pub(super) scope: Scope,
    pub(super) logs: Logs,
    pub(super) findings: bool,
}

/// What a feed shows of logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Logs {
    /// Nothing.
    None,
    /// How long they are.
    Length,
    /// Their last lines.
    Progress,
    /// Their lines.
    Lines,
}

impl From<FollowLogs> for Logs {
    fn from(logs: FollowLogs) -> Self {
        match logs {
            FollowLogs::None => Self::None,
            FollowLogs::Progress => Self::Progress,
            FollowLogs::Lines => Self::Lines,
        }
    }
}
