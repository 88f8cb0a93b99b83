//! What travels between [`super::RemoteFarm`] and the server: requests and answers around the model's own types.
//!
//! Both ends read and write these very types, so they cannot drift apart; the OpenAPI document is made of them.

mod health;
mod jobs;
mod live;
mod problem;
mod projects;
mod tokens;
mod uploads;

pub use health::{Health, RunnerHealth};
pub use jobs::{
    BatchAnswer, CancelBatch, CancelJobs, CancelledAnswer, JobAnswer, JobQuery, JobsAnswer, JobsQuery, LOG_TAIL,
    PlanAnswer, RunJobs, StartedAnswer, WhichQuery,
};
pub use live::{EndEvent, EventsQuery, Flag, LogEvent, LogQuery, Logs, ProgressEvent, event};
pub use problem::{FieldError, Problem};
pub use projects::{ProjectAnswer, ProjectsAnswer};
pub use tokens::{MintAnswer, MintRequest, TokenAnswer, TokensAnswer};
pub use uploads::{CheckoutAnswer, CheckoutForm, CommitList, KnownAnswer, KnownForm, PackAnswer, PackQuery};
