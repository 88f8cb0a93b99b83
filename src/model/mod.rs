//! Plain types with their own validation. This module knows no other one but `error`.

mod audit;
mod finding;
mod git_hosts;
mod glob;
mod id;
mod idempotency;
mod ignore;
mod job;
mod name;
mod named;
mod project;
mod secret;
mod sighting;
mod time;
mod token;

pub use audit::{Action, AuditEvent, EventFilter, ObjectKind, Phase};
pub use finding::{
    Diagnostic, Finding, FindingCounts, FindingFilter, FindingGroup, FindingSort, Fingerprint, FingerprintPrefix,
    GroupBy, Kind, Severity,
};
pub use git_hosts::GitHosts;
pub use glob::{GLOB_LIMIT, code_glob, path_glob};
pub use id::{BatchId, JobId, RunnerId};
pub use idempotency::IdempotencyKey;
pub use ignore::{IgnoreRule, IgnoreSource, Ignored, Suppression};
pub use job::{Batch, Job, JobFilter, JobStatus, RecipeSnapshot, Scope, Stream};
pub use name::{
    CommitId, GitUrl, ProjectName, RecipeName, RefName, SecretName, ServerUrl, SubPath, TokenName, nearest,
};
pub(crate) use named::by_name;
pub(crate) use project::config_error;
pub use project::{Language, Project, ProjectFile, Recipe, Subproject};
pub use secret::{Secret, SecretValue};
pub use sighting::Sighting;
pub use time::{Timestamp, span};
pub use token::{Bearer, Caller, Cidr, Token, TokenScope, USE_GRAIN};
