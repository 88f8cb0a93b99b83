//! The same verbs, asked of a server over HTTP.

mod secrets;
mod transport;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::sync::mpsc;

use self::transport::Transport;
use super::wire::{ProjectAnswer, ProjectsAnswer};
use super::{
    Around, EachFinding, Event, Farm, FindingQuery, Findings, FollowLogs, JobFilter, JobSelector, LogPart, NewProject,
    Plan, ProjectChange, Registered, Removed, RunRequest, Scope, Started, Suppress,
};
use crate::error::{Code, Error, Result};
use crate::model::{
    Bearer, FingerprintPrefix, Job, JobId, Project, ProjectName, Secret, SecretName, SecretValue, ServerUrl,
    Suppression,
};

/// A farm on a server.
pub struct RemoteFarm {
    server: Transport,
}

impl RemoteFarm {
    /// The farm that answers there. Nothing is asked of it yet.
    pub fn new(server: ServerUrl, bearer: Option<Bearer>) -> Result<Self> {
        Ok(Self { server: Transport::new(server, bearer)? })
    }
}

fn unbuilt<T>() -> Result<T> {
    Err(Error::new(Code::Unavailable, "not over HTTP yet"))
}

#[async_trait]
impl Farm for RemoteFarm {
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

    async fn secrets(&self, project: &ProjectName) -> Result<Vec<Secret>> {
        secrets::list(&self.server, project).await
    }

    async fn set_secret(&self, project: &ProjectName, name: &SecretName, value: SecretValue) -> Result<Secret> {
        secrets::set(&self.server, project, name, value).await
    }

    async fn remove_secret(&self, project: &ProjectName, name: &SecretName) -> Result<Secret> {
        secrets::remove(&self.server, project, name).await
    }

    async fn plan(&self, _request: &RunRequest) -> Result<Plan> {
        unbuilt()
    }

    async fn run(&self, _request: &RunRequest) -> Result<Started> {
        unbuilt()
    }

    async fn jobs(&self, _filter: &JobFilter) -> Result<Vec<Job>> {
        unbuilt()
    }

    async fn job(&self, _which: &JobSelector) -> Result<Job> {
        unbuilt()
    }

    async fn log(&self, _job: &JobId, _part: LogPart) -> Result<mpsc::Receiver<Result<Vec<u8>>>> {
        unbuilt()
    }

    fn log_path(&self, _job: &JobId) -> Option<PathBuf> {
        None
    }

    fn kept_tree(&self, _job: &Job) -> Option<PathBuf> {
        None
    }

    async fn follow(&self, _scope: &Scope, _logs: FollowLogs) -> Result<mpsc::Receiver<Result<Event>>> {
        unbuilt()
    }

    async fn cancel(&self, _scope: &Scope, _force: bool) -> Result<Vec<Job>> {
        unbuilt()
    }

    async fn retry(&self, _job: &JobId, _detach: bool) -> Result<Started> {
        unbuilt()
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
}
