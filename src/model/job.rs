//! Jobs: one run of one recipe of one subproject at one commit.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::named::by_name;
use super::{
    BatchId, CommitId, IgnoreRule, JobId, Language, ProjectName, RecipeName, RefName, SecretName, SubPath, Timestamp,
};
use crate::error::Result;

/// `queued → running → passed | failed | timed_out | cancelled`, and `queued → cancelled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Waits for a runner.
    Queued,
    /// A runner has it.
    Running,
    /// The recipe exited 0.
    Passed,
    /// The recipe exited otherwise, or the farm could not run it.
    Failed,
    /// The recipe was ended because its time was up.
    TimedOut,
    /// Somebody asked for its end.
    Cancelled,
}

impl JobStatus {
    /// Every state, in the order of a job's life.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Running, Self::Passed, Self::Failed, Self::TimedOut, Self::Cancelled];

    /// The name in JSON, SQL and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen to the job.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// The states from which a job may come into this one. The ledger's updates are guarded by it.
    pub fn predecessors(self) -> &'static [Self] {
        match self {
            Self::Queued => &[],
            Self::Running => &[Self::Queued],
            Self::Passed | Self::Failed | Self::TimedOut => &[Self::Running],
            Self::Cancelled => &[Self::Queued, Self::Running],
        }
    }
}

by_name!(JobStatus, "a job state");

/// Where bytes of a log came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// The recipe's standard output.
    Stdout,
    /// The recipe's standard error.
    Stderr,
    /// A line of crafting's own, beginning with `[crafting]`.
    Crafting,
}

/// What a job runs, copied out of the project when the job was made: later edits do not change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecipeSnapshot {
    /// Given to `/bin/sh -c`.
    pub command: String,
    /// The recipe's own environment, on top of the allowlist.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The project's secrets that it gets: their names, never their values.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<SecretName>,
    /// Seconds until the recipe is ended.
    pub timeout_secs: u64,
    /// The subproject's folder, relative to the repository's top.
    pub path: SubPath,
    /// The project's root, relative to the repository's top; `file` of a finding is relative to it.
    pub root: SubPath,
    /// The subproject's language, a hint for the parsers.
    pub language: Language,
    /// Patterns, relative to the repository's top, of untracked paths that survive in the slot.
    pub keep: Vec<String>,
    /// Whether the job gets an empty tree.
    pub fresh: bool,
    /// Whether submodules are checked out.
    pub submodules: bool,
    /// How many more tries a failing job gets.
    #[serde(default)]
    pub retries: u32,
    /// Seconds between two tries.
    #[serde(default)]
    pub backoff_secs: u64,
    /// Whether the slot is left to the user afterwards.
    #[serde(default)]
    pub keep_slot: bool,
    /// Findings that nobody needs to see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignores: Vec<IgnoreRule>,
}

/// One run of one recipe of one subproject at one commit. The wire type of every door.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// The batch it was started with.
    pub batch_id: BatchId,
    /// The project.
    pub project: ProjectName,
    /// The subproject's name (its folder, unless the project says otherwise).
    pub subproject: SubPath,
    /// The recipe's name.
    pub recipe: RecipeName,
    /// Its state.
    pub status: JobStatus,
    /// What was asked for: a branch, a tag, a commit.
    #[serde(rename = "ref")]
    pub git_ref: RefName,
    /// The commit that the ref was resolved to; null until then.
    pub sha: Option<CommitId>,
    /// Whether `sha` is a snapshot of a working tree with changes that no branch has.
    pub dirty: bool,
    /// The recipe's exit status, 128+N for a signal N; -1 if a crash stranded the job; null before the
    /// end, and where the recipe never started.
    pub exit_code: Option<i32>,
    /// When it was asked for.
    pub queued_at: Timestamp,
    /// When a runner took it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Milliseconds from start to end.
    pub duration_ms: Option<i64>,
    /// How many findings it has.
    pub findings_count: i64,
    /// How many of them are new.
    pub findings_new: i64,
    /// How many of the baseline's are gone.
    pub findings_fixed: i64,
    /// Bytes in its log.
    pub log_bytes: i64,
    /// Lines in its log.
    pub log_lines: i64,
    /// Where its process lived: `host`.
    pub runtime: String,
    /// What it ran.
    pub recipe_snapshot: RecipeSnapshot,
    /// The name of the token that asked for it; null from a terminal.
    pub token: Option<String>,
    /// Why the farm could not run it, if so.
    pub error: Option<String>,
    /// The job that this one tries again.
    pub retry_of: Option<JobId>,
}

impl Job {
    /// A queued job, with nothing in it yet of how it goes.
    pub fn queued(
        batch_id: BatchId,
        (project, subproject, recipe): (ProjectName, SubPath, RecipeName),
        (git_ref, sha, dirty): (RefName, Option<CommitId>, bool),
        recipe_snapshot: RecipeSnapshot,
        runtime: &str,
        queued_at: Timestamp,
    ) -> Result<Self> {
        Ok(Self {
            id: JobId::random()?,
            batch_id,
            project,
            subproject,
            recipe,
            status: JobStatus::Queued,
            git_ref,
            sha,
            dirty,
            exit_code: None,
            queued_at,
            started_at: None,
            finished_at: None,
            duration_ms: None,
            findings_count: 0,
            findings_new: 0,
            findings_fixed: 0,
            log_bytes: 0,
            log_lines: 0,
            runtime: runtime.to_owned(),
            recipe_snapshot,
            token: None,
            error: None,
            retry_of: None,
        })
    }

    /// How it ended, if that was before its recipe had seen all there was to see.
    pub fn unfinished(&self) -> Option<&'static str> {
        match self.status {
            JobStatus::TimedOut => Some("ran out of time"),
            JobStatus::Cancelled => Some("was cancelled"),
            JobStatus::Passed | JobStatus::Failed if self.error.is_some() => Some("could not be run"),
            JobStatus::Passed | JobStatus::Failed => match self.exit_code {
                None | Some(..0) => Some("was cut short by a crash"),
                Some(129..=192) => Some("was ended by a signal"),
                Some(_) => None,
            },
            JobStatus::Queued | JobStatus::Running => None,
        }
    }

    /// The same thing queued once more, in `batch_id`; it names the first of all tries.
    pub fn queued_again(&self, batch_id: BatchId, queued_at: Timestamp) -> Result<Self> {
        let again = Self::queued(
            batch_id,
            (self.project.clone(), self.subproject.clone(), self.recipe.clone()),
            (self.git_ref.clone(), self.sha.clone(), self.dirty),
            self.recipe_snapshot.clone(),
            &self.runtime,
            queued_at,
        )?;
        let first = self.retry_of.as_ref().unwrap_or(&self.id).clone();
        Ok(Self { retry_of: Some(first), token: self.token.clone(), ..again })
    }
}

/// The jobs that one request started together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Batch {
    /// Its name.
    pub batch_id: BatchId,
    /// Its jobs, in the order in which they were queued.
    pub jobs: Vec<Job>,
}

/// Some jobs that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One, and its tries again.
    Job(JobId),
    /// All of a batch, and their tries again.
    Batch(BatchId),
}

/// Which jobs a list shows.
#[derive(Clone, Debug)]
pub struct JobFilter {
    /// Of this project.
    pub project: Option<ProjectName>,
    /// In this state.
    pub status: Option<JobStatus>,
    /// Of this recipe.
    pub recipe: Option<RecipeName>,
    /// At most so many, 1…500.
    pub limit: u32,
    /// Only jobs queued before this one: the cursor to the next page.
    pub before: Option<JobId>,
}

impl Default for JobFilter {
    fn default() -> Self {
        Self { project: None, status: None, recipe: None, limit: 50, before: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_states_lead_nowhere() {
        for status in JobStatus::ALL {
            assert_eq!(status.as_str().parse::<JobStatus>().unwrap(), status);
            for next in JobStatus::ALL.into_iter().filter(|next| next.predecessors().contains(&status)) {
                assert!(!status.is_final(), "{status} → {next}");
            }
        }
        assert_eq!("pased".parse::<JobStatus>().unwrap_err().hint_text(), Some("did you mean passed?"));
    }
}
