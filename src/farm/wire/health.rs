//! `/healthz`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer of `GET /healthz`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Whether the server takes requests and jobs.
    pub ok: bool,
    /// The same.
    pub ready: bool,
    /// Of crafting.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// What runs jobs.
    pub runner: RunnerHealth,
}

/// What runs jobs, and what there is to do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunnerHealth {
    /// Jobs that this server runs at once.
    pub workers: u64,
    /// Jobs that wait.
    pub queued: u64,
    /// Jobs that run, be it in another process on the same data directory.
    pub running: u64,
    /// Seconds since the server began.
    pub uptime_secs: u64,
}
