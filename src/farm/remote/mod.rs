//! The same verbs, asked of a server over HTTP.

mod around;
mod checkout;
mod findings;
mod jobs;
mod live;
mod projects;
mod secrets;
mod tokens;
mod transport;
mod upload;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};

use self::transport::Transport;
use super::wire::{AuditAnswer, AuditQuery};
use super::{
    Around, EachFinding, Event, Farm, FindingQuery, Findings, FollowLogs, JobFilter, JobSelector, LogPart, Minted,
    NewProject, NewToken, Plan, ProjectChange, Registered, Removed, RunRequest, Scope, Started, Suppress, Target,
    Uploading,
};
use crate::error::{Code, Error, Result};
use crate::model::{
    AuditEvent, Bearer, EventFilter, FingerprintPrefix, Job, JobId, Project, ProjectName, Secret, SecretName,
    SecretValue, ServerUrl, Suppression, Token, TokenName,
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

#[async_trait]
impl Farm for RemoteFarm {
    fn server(&self) -> Option<&ServerUrl> {
        Some(self.server.url())
    }

    fn uploading(&self) -> Option<watch::Receiver<Option<Uploading>>> {
        Some(self.uploading.subscribe())
    }

    async fn add_project(&self, new: NewProject) -> Result<Registered> {
        projects::add(&self.server, new).await
    }

    async fn projects(&self) -> Result<Vec<Project>> {
        projects::list(&self.server).await
    }

    async fn project(&self, name: &ProjectName) -> Result<Project> {
        projects::show(&self.server, name).await
    }

    async fn project_of(&self, folder: &Path) -> Result<Option<Project>> {
        projects::of_folder(&self.server, folder).await
    }

    async fn update_project(&self, name: &ProjectName, change: ProjectChange) -> Result<Registered> {
        projects::update(&self.server, name, change).await
    }

    async fn remove_project(&self, name: &ProjectName) -> Result<Removed> {
        projects::remove(&self.server, name).await
    }

    async fn secrets(&self, project: &ProjectName) -> Result<Vec<Secret>> {
        secrets::list(&self.server, project).await
    }

    async fn set_secret(&self, project: &ProjectName, name: &SecretName, value: SecretValue) -> Result<Secret> {
        secrets::set(&self.server, project, name, value).await
    }

    async fn remove_secret(&self, project: &ProjectName, name: &SecretName) -> Result<Secret> {
        secrets::remove(&self.server, project, name).await
    }

    async fn plan(&self, request: &RunRequest) -> Result<Plan> {
        jobs::can_be_asked(request)?;
        match &request.target {
            Target::Project(project) => self.plan_of(project, request).await,
            Target::Checkout(folder) => self.plan_here(folder, request).await,
        }
    }

    async fn run(&self, request: &RunRequest) -> Result<Started> {
        jobs::can_be_asked(request)?;
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

    async fn findings(&self, query: &FindingQuery) -> Result<Findings> {
        self.page_of_findings(query).await
    }

    async fn each_finding(&self, query: &FindingQuery) -> Result<EachFinding> {
        self.findings_one_by_one(query).await
    }

    async fn ignore(&self, wanted: &Suppress) -> Result<Vec<Suppression>> {
        self.ignore_findings(wanted).await
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<AuditEvent>> {
        let answer: AuditAnswer = self.server.get(&["events"], &AuditQuery::from(filter)).await?;
        Ok(answer.events)
    }

    async fn suppressions(&self, around: &Around) -> Result<Vec<Suppression>> {
        self.ignored_findings(around).await
    }

    async fn unignore(&self, findings: &[FingerprintPrefix], around: &Around) -> Result<Vec<Suppression>> {
        self.unignore_findings(findings, around).await
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
