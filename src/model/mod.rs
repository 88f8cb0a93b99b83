//! Plain types with their own validation. This module knows no other one but `error`.

mod finding;
mod id;
mod job;
mod name;
mod named;
mod project;
mod time;

pub use finding::{Diagnostic, Finding, FindingCounts, FindingFilter, Fingerprint, Kind, Severity};
pub use id::{BatchId, JobId, RunnerId};
pub use job::{Batch, Job, JobFilter, JobStatus, RecipeSnapshot, Scope, Stream};
pub use name::{CommitId, GitUrl, ProjectName, RecipeName, RefName, SubPath, nearest};
pub(crate) use named::by_name;
pub(crate) use project::config_error;
pub use project::{Language, Project, ProjectFile, Recipe, Subproject};
pub use time::Timestamp;
