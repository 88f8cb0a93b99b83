//! Jobs on a server.

use reqwest::{Method, RequestBuilder};

use super::RemoteFarm;
use crate::error::{Error, Result};
use crate::farm::wire::{
    CancelBatch, CancelJobs, CancelledAnswer, JobAnswer, JobQuery, JobsAnswer, JobsQuery, PlanAnswer, RunJobs,
    StartedAnswer,
};
use crate::farm::{JobSelector, Plan, RunRequest, Started};
use crate::model::{Batch, IdempotencyKey, Job, JobFilter, JobId, ProjectName, Scope};

impl RemoteFarm {
    /// What a request for a registered project would queue.
    pub(super) async fn plan_of(&self, project: &ProjectName, request: &RunRequest) -> Result<Plan> {
        let body = RunJobs { dry_run: true, ..RunJobs::of(request) };
        let post = self.server.request(Method::POST, &["projects", project.as_str(), "jobs"]).json(&body);
        let answer: PlanAnswer = self.server.answer(post).await?;
        Ok(answer.plan)
    }

    /// Queues jobs of a registered project.
    pub(super) async fn run_of(&self, project: &ProjectName, request: &RunRequest) -> Result<Started> {
        let path = ["projects", project.as_str(), "jobs"];
        self.start(self.server.request(Method::POST, &path).json(&RunJobs::of(request))).await
    }

    pub(super) async fn list_jobs(&self, filter: &JobFilter) -> Result<Vec<Job>> {
        let answer: JobsAnswer = self.server.get(&["jobs"], &JobsQuery::from(filter.clone())).await?;
        Ok(answer.jobs)
    }

    pub(super) async fn find_job(&self, which: &JobSelector) -> Result<Job> {
        let project = match which {
            JobSelector::Prefix(_) => None,
            JobSelector::Last(around) | JobSelector::LastFailed(around) => self.project_around(around).await?,
        };
        let query = JobQuery { project, log_tail: Some(0) };
        let answer: JobAnswer = self.server.get(&["jobs", &which.to_string()], &query).await?;
        Ok(answer.job)
    }

    pub(super) async fn cancel_jobs(&self, scope: &Scope, force: bool) -> Result<Vec<Job>> {
        let post = |path: &[&str]| self.server.request(Method::POST, path);
        let request = match scope {
            Scope::Job(id) => post(&["jobs", id.as_str(), "cancel"]).json(&CancelJobs { force, batch: false }),
            Scope::Batch(id) => post(&["batches", id.as_str(), "cancel"]).json(&CancelBatch { force }),
        };
        let answer: CancelledAnswer = self.server.answer(request).await?;
        Ok(answer.jobs)
    }

    pub(super) async fn retry_job(&self, job: &JobId) -> Result<Started> {
        self.start(self.server.request(Method::POST, &["jobs", job.as_str(), "retry"])).await
    }

    /// Sends a request that queues jobs, and sends it again if its answer was lost: its key keeps it from queueing twice.
    async fn start(&self, request: RequestBuilder) -> Result<Started> {
        let request = request.header("Idempotency-Key", IdempotencyKey::random()?.as_str());
        let answer: StartedAnswer = self.server.answer_to_repeatable(request).await?;
        let batch = Batch { batch_id: answer.batch_id, jobs: answer.jobs };
        Ok(Started { batch, registered: None, notes: answer.notes })
    }
}

/// That a server can do what is wanted; asked before anything is sent.
pub(super) fn can_be_asked(request: &RunRequest) -> Result<()> {
    if request.keep_slot {
        return Err(Error::invalid("the tree of a job on a server cannot be kept: it would be out of your reach")
            .hint("leave out --keep, or run the job on this machine, without --server and CRAFTING_URL"));
    }
    Ok(())
}
