//! What travels between [`super::RemoteFarm`] and the server: requests and answers around the model's own types.
//!
//! Both ends read and write these very types, so they cannot drift apart; the OpenAPI document is made of them.

mod audit;
mod findings;
mod health;
mod jobs;
mod live;
mod problem;
mod projects;
mod query;
mod secrets;
mod suppressions;
mod tokens;
mod uploads;

pub use audit::{AuditAnswer, AuditQuery};
pub use findings::{FindingsAnswer, FindingsEnd, FindingsFormat, FindingsHead, FindingsParams, NDJSON, PAGE_MAX, line};
pub use health::{Health, RunnerHealth};
pub use jobs::{
    BatchAnswer, CancelBatch, CancelJobs, CancelledAnswer, JobAnswer, JobQuery, JobsAnswer, JobsQuery, LOG_TAIL,
    PlanAnswer, RunJobs, StartedAnswer, WhichQuery,
};
pub use live::{EndEvent, EventsQuery, LogEvent, LogQuery, Logs, ProgressEvent, event};
pub use problem::{FieldError, Problem};
pub use projects::{
    AddProject, ProjectAnswer, ProjectsAnswer, ProjectsQuery, RegisteredAnswer, RemovedAnswer, UpdateProject,
};
pub use query::{Flag, FlagText, List};
pub use secrets::{SecretAnswer, SecretsAnswer, SetSecret};
pub use suppressions::{IgnoreRequest, SuppressionsAnswer, SuppressionsParams, UnignoreParams};
pub use tokens::{MintAnswer, MintRequest, TokenAnswer, TokensAnswer};
pub use uploads::{CheckoutAnswer, CheckoutForm, CommitList, KnownAnswer, KnownForm, PackAnswer, PackQuery};
