//! The same verbs, asked of a server over HTTP.

mod around;
mod checkout;
mod jobs;
mod live;
mod tokens;
mod transport;
mod upload;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};

use self::transport::Transport;
use super::wire::{ProjectAnswer, ProjectsAnswer};
use super::{
    Around, EachFinding, Event, Farm, FindingQuery, Findings, FollowLogs, JobFilter, JobSelector, LogPart, Minted,
    NewProject, NewToken, Plan, ProjectChange, Registered, Removed, RunRequest, Scope, Started, Suppress, Target,
    Uploading,
};
use crate::error::{Code, Error, Result};
use crate::model::{
    Bearer, FingerprintPrefix, Job, JobId, Project, ProjectName, ServerUrl, Suppression, Token, TokenName,
};

/// A farm on a server.
pub struct RemoteFarm {
    server: Transport,
    /// Where checkouts of this machine put what they send.
    workspace: PathBuf,
    uploading: watch::Sender<Option<Uploading>>,
}

impl RemoteFarm {
    /// The farm that answers there. Nothing is asked of it yet. What is sent to it is made ready in `workspace`.
    pub fn new(server: ServerUrl, bearer: Option<Bearer>, workspace: PathBuf) -> Result<Self> {
        Ok(Self { server: Transport::new(server, bearer)?, workspace, uploading: watch::Sender::new(None) })
    }
}

/// Work on this machine's files.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(Error::new(Code::Interrupted, format!("the work was dropped: {error}"))),
    }
}

fn unbuilt<T>() -> Result<T> {
    Err(Error::new(Code::Unavailable, "not over HTTP yet"))
}

#[async_trait]
impl Farm for RemoteFarm {
    fn server(&self) -> Option<&ServerUrl> {
        Some(self.server.url())
    }

    fn uploading(&self) -> Option<watch::Receiver<Option<Uploading>>> {
        Some(self.uploading.subscribe())
    }

    async fn add_project(&self, _new: NewProject) -> Result<Registered> {
        unbuilt()
    }

    async fn projects(&self) -> Result<Vec<Project>> {
        let answer: ProjectsAnswer = self.server.get(&["projects"], &()).await?;
        Ok(answer.projects)
    }

    async fn project(&self, name: &ProjectName) -> Result<Project> {
        let answer: ProjectAnswer = self.server.get(&["projects", name.as_str()], &()).await?;
        Ok(answer.project)
    }

    async fn project_of(&self, _folder: &Path) -> Result<Option<Project>> {
        unbuilt()
    }

    async fn update_project(&self, _name: &ProjectName, _change: ProjectChange) -> Result<Registered> {
        unbuilt()
    }

    async fn remove_project(&self, _name: &ProjectName) -> Result<Removed> {
        unbuilt()
    }

    async fn plan(&self, request: &RunRequest) -> Result<Plan> {
        match &request.target {
            Target::Project(project) => self.plan_of(project, request).await,
            Target::Checkout(folder) => self.plan_here(folder, request).await,
        }
    }

    async fn run(&self, request: &RunRequest) -> Result<Started> {
        match &request.target {
            Target::Project(project) => self.run_of(project, request).await,
            Target::Checkout(folder) => self.run_here(folder, request).await,
        }
    }

    async fn jobs(&self, filter: &JobFilter) -> Result<Vec<Job>> {
        self.list_jobs(filter).await
    }

    async fn job(&self, which: &JobSelector) -> Result<Job> {
        self.find_job(which).await
    }

    async fn log(&self, job: &JobId, part: LogPart) -> Result<mpsc::Receiver<Result<Vec<u8>>>> {
        live::log(&self.server, job, part).await
    }

    fn log_path(&self, _job: &JobId) -> Option<PathBuf> {
        None
    }

    fn kept_tree(&self, _job: &Job) -> Option<PathBuf> {
        None
    }

    async fn follow(&self, scope: &Scope, logs: FollowLogs) -> Result<mpsc::Receiver<Result<Event>>> {
        live::follow(&self.server, scope, live::query(logs)).await
    }

    async fn cancel(&self, scope: &Scope, force: bool) -> Result<Vec<Job>> {
        self.cancel_jobs(scope, force).await
    }

    async fn retry(&self, job: &JobId, _detach: bool) -> Result<Started> {
        self.retry_job(job).await
    }

    async fn findings(&self, _query: &FindingQuery) -> Result<Findings> {
        unbuilt()
    }

    async fn each_finding(&self, _query: &FindingQuery) -> Result<EachFinding> {
        unbuilt()
    }

    async fn ignore(&self, _wanted: &Suppress) -> Result<Vec<Suppression>> {
        unbuilt()
    }

    async fn suppressions(&self, _around: &Around) -> Result<Vec<Suppression>> {
        unbuilt()
    }

    async fn unignore(&self, _findings: &[FingerprintPrefix], _around: &Around) -> Result<Vec<Suppression>> {
        unbuilt()
    }

    async fn mint_token(&self, new: NewToken) -> Result<Minted> {
        self.post_token(new).await
    }

    async fn tokens(&self) -> Result<Vec<Token>> {
        self.get_tokens().await
    }

    async fn revoke_token(&self, name: &TokenName) -> Result<Token> {
        self.delete_token(name).await
    }
}
