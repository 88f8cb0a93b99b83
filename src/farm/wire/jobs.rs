//! `/projects/{name}/jobs`, `/jobs` and `/batches`.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::FieldError;
use crate::error::Error;
use crate::farm::{JobSelector, KnownCommit, LONGEST_TIMEOUT, Plan, Revision, RunRequest, Started, Target};
use crate::model::{BatchId, CommitId, Job, JobFilter, JobId, JobStatus, ProjectName, RecipeName, RefName, SubPath};

/// Jobs of a list that says nothing of their number, as of [`JobFilter::default`].
const PAGE: u32 = 50;
/// The most jobs of one list.
const LONGEST_PAGE: u32 = 500;
/// The most lines of a log that come with a job.
pub const LOG_TAIL: u32 = 200;

impl PartialSchema for JobSelector {
    fn schema() -> utoipa::openapi::RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let text = text.pattern(Some("^(@last|@last-failed|[a-z0-9]{1,12})$"));
        let text = text.description(Some("Any unique beginning of a job's id, or @last, or @last-failed."));
        Schema::Object(text.build()).into()
    }
}

impl ToSchema for JobSelector {}

/// The body of `POST /projects/{name}/jobs`. An empty one means `test`, else `build`, of every subproject that has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunJobs {
    /// This recipe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe: Option<RecipeName>,
    /// These recipes too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recipes: Vec<RecipeName>,
    /// Of this subproject; of none in particular: of every one that has the recipe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subproject: Option<SubPath>,
    /// Of these subprojects too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subprojects: Vec<SubPath>,
    /// Where the asker stands below the project's root: inside a subproject's folder, that subproject alone is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<SubPath>,
    /// A branch, a tag or a commit; none: the project's default branch.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<RefName>,
    /// Exactly this commit; `ref` is then only what it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha: Option<CommitId>,
    /// Whether `sha` is a snapshot of uncommitted changes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dirty: bool,
    /// Where the project is a working tree on the server's machine: its HEAD, and not its files as they are.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub committed: bool,
    /// Seconds until each recipe is ended, instead of what the project says.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "timeout")]
    #[schema(minimum = 1, maximum = 2_592_000)]
    pub timeout_secs: Option<u64>,
    /// Start from an empty tree, without kept build outputs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
    /// Tell what would run, and run nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

fn timeout<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let (seconds, most) = (Option::<u64>::deserialize(from)?, LONGEST_TIMEOUT.as_secs());
    match seconds {
        Some(seconds) if !(1..=most).contains(&seconds) => {
            Err(D::Error::custom(format_args!("{seconds} is out of range: give 1 to {most} seconds")))
        }
        other => Ok(other),
    }
}

impl RunJobs {
    /// What asks for the same as a request for a registered project.
    pub fn of(request: &RunRequest) -> Self {
        let (git_ref, known, committed) = match &request.revision {
            Revision::WorkingTree => (None, None, false),
            Revision::Head => (None, None, true),
            Revision::Ref(git_ref) => (Some(git_ref.clone()), None, false),
            Revision::Commit(known) => (Some(known.git_ref.clone()), Some(known), false),
        };
        Self {
            recipes: request.recipes.clone(),
            subprojects: request.subprojects.clone(),
            standing: request.standing.clone(),
            git_ref,
            sha: known.map(|known| known.sha.clone()),
            dirty: known.is_some_and(|known| known.dirty),
            committed,
            timeout_secs: request.timeout.map(|time| time.as_secs()),
            fresh: request.fresh,
            ..Self::default()
        }
    }

    /// The request; members that contradict each other are refused.
    pub fn request(self, project: ProjectName) -> Result<RunRequest, FieldError> {
        let refuse = |field: &str, message: &str| FieldError { field: field.to_owned(), message: message.to_owned() };
        let revision = match (self.git_ref, self.sha) {
            (Some(_), None) | (_, Some(_)) if self.committed => {
                return Err(refuse("committed", "it makes no sense with ref or sha"));
            }
            (_, None) if self.dirty => return Err(refuse("dirty", "it makes no sense without sha")),
            (git_ref, Some(sha)) => {
                let git_ref = git_ref.unwrap_or_else(|| sha.clone().into());
                Revision::Commit(KnownCommit { git_ref, sha, dirty: self.dirty })
            }
            (Some(git_ref), None) => Revision::Ref(git_ref),
            (None, None) if self.committed => Revision::Head,
            (None, None) => Revision::WorkingTree,
        };
        Ok(RunRequest {
            target: Target::Project(project),
            recipes: self.recipe.into_iter().chain(self.recipes).collect(),
            subprojects: self.subproject.into_iter().chain(self.subprojects).collect(),
            standing: self.standing,
            revision,
            timeout: self.timeout_secs.map(Duration::from_secs),
            keep_slot: false,
            fresh: self.fresh,
            detach: true,
        })
    }
}

/// Queued jobs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StartedAnswer {
    /// Always true.
    pub ok: bool,
    /// What they were started together as.
    pub batch_id: BatchId,
    /// The first of them.
    pub job_id: JobId,
    /// All of them, in the order of queueing.
    pub job_ids: Vec<JobId>,
    /// The same, whole.
    pub jobs: Vec<Job>,
    /// What the asker should know, one sentence each.
    pub notes: Vec<String>,
}

impl StartedAnswer {
    /// Of a batch, which has at least one job.
    pub fn of(started: Started) -> Result<Self, Error> {
        let Started { batch, notes, .. } = started;
        let job_ids: Vec<JobId> = batch.jobs.iter().map(|job| job.id.clone()).collect();
        let first = job_ids.first().cloned().ok_or_else(|| Error::not_found("the batch is empty"));
        Ok(Self { ok: true, batch_id: batch.batch_id, job_id: first?, job_ids, jobs: batch.jobs, notes })
    }
}

/// What would run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PlanAnswer {
    /// Always true.
    pub ok: bool,
    /// The jobs, and at which commit.
    pub plan: Plan,
}

/// The query of `GET /jobs`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JobsQuery {
    /// Of this project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectName>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<JobStatus>,
    /// Of this recipe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe: Option<RecipeName>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "page")]
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<u32>,
    /// Only jobs that were queued before this one: the `next` of the answer before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<JobId>,
}

fn up_to<'de, D: Deserializer<'de>>(from: D, least: u32, most: u32) -> Result<Option<u32>, D::Error> {
    match Option::<u32>::deserialize(from)? {
        Some(number) if !(least..=most).contains(&number) => {
            Err(D::Error::custom(format_args!("{number} is out of range: give {least} to {most}")))
        }
        other => Ok(other),
    }
}

fn page<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    up_to(from, 1, LONGEST_PAGE)
}

fn tail<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    up_to(from, 0, LOG_TAIL)
}

impl From<JobFilter> for JobsQuery {
    fn from(filter: JobFilter) -> Self {
        let JobFilter { project, status, recipe, limit, before } = filter;
        Self { project, status, recipe, limit: Some(limit), before }
    }
}

impl From<JobsQuery> for JobFilter {
    fn from(query: JobsQuery) -> Self {
        let JobsQuery { project, status, recipe, limit, before } = query;
        Self { project, status, recipe, limit: limit.unwrap_or(PAGE), before }
    }
}

/// Some jobs of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobsAnswer {
    /// Always true.
    pub ok: bool,
    /// The newest first.
    pub jobs: Vec<Job>,
    /// What to give as `before` to get the ones behind; null: there are none.
    pub next: Option<JobId>,
}

/// The query that goes with `{id}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhichQuery {
    /// Of which project `@last` and `@last-failed` are meant; none: of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectName>,
}

/// The query of `GET /jobs/{id}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JobQuery {
    /// Of which project `@last` and `@last-failed` are meant; none: of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectName>,
    /// So many of the log's last lines.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "tail")]
    #[param(minimum = 0, maximum = 200, default = 200)]
    pub log_tail: Option<u32>,
}

/// One job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobAnswer {
    /// Always true.
    pub ok: bool,
    /// The job.
    pub job: Job,
    /// The last lines of its log, at most 200 and 256 KiB, as UTF-8: what is none is replaced.
    pub log_tail: Vec<String>,
}

/// The body of `POST /jobs/{id}/cancel`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CancelJobs {
    /// At once, without time to clean up.
    pub force: bool,
    /// All the jobs of its batch.
    pub batch: bool,
}

/// The body of `POST /batches/{id}/cancel`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CancelBatch {
    /// At once, without time to clean up.
    pub force: bool,
}

/// Jobs whose end was asked for, as they are after the request: a queued one is cancelled, a running one runs until its
/// recipe has ended, one that had ended stays as it was.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CancelledAnswer {
    /// Always true.
    pub ok: bool,
    /// They, tries again included, in the order of queueing.
    pub jobs: Vec<Job>,
}

/// The jobs that were started together.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BatchAnswer {
    /// Always true.
    pub ok: bool,
    /// What they were started together as.
    pub batch_id: BatchId,
    /// They, tries again included, in the order of queueing.
    pub jobs: Vec<Job>,
}
