//! The farm of this machine: the ledger in the user's data directory, and runners in this process or in the background.

mod log_tail;
mod start;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;

pub use self::start::Once;
use super::live::{Broken, Hub, Standing, Subject};
use super::visible::View;
use super::{
    Around, EachFinding, Event, Farm, FindingQuery, Findings, FollowLogs, JobFilter, JobSelector, LogPart, Minted,
    NewProject, NewToken, Plan, ProjectChange, Registered, Removed, RunRequest, Scope, Started, Suppress, checkout,
    findings, request, secrets, suppress, tokens,
};
use crate::config::Settings;
use crate::error::{Code, Error, Result};
use crate::ledger::events::{self, Act};
use crate::ledger::{self, Ledger, jobs, projects, queue};
use crate::model::{
    Action, AuditEvent, Caller, CommitId, EventFilter, FingerprintPrefix, GitUrl, Job, JobId, Phase, Project,
    ProjectName, Secret, SecretName, SecretValue, SubPath, Suppression, Timestamp, Token, TokenName,
};
use crate::runner::log;
use crate::runner::queue::{Runner, Share};
use crate::runner::reaper::{self, Recovered};
use crate::runner::{Rooms, Tally, retention};
use crate::runtime::{self, Host};
use crate::workspace::{GcOptions, Workspace};

/// The one argument that makes this program a runner in the background ([`run_in_background`]).
pub const BACKGROUND_COMMAND: &str = "run-in-background";

/// The farm of this machine, as one caller sees it. Clones share everything but the caller.
#[derive(Clone)]
pub struct LocalFarm {
    pub(super) rooms: Arc<Rooms>,
    recovered: Arc<Recovered>,
    /// Set when a runner of this process gave up.
    broken: watch::Sender<Option<Broken>>,
    /// The runners of this process.
    runners: Arc<Mutex<JoinSet<()>>>,
    /// What is followed in this process.
    hub: Hub,
    caller: Caller,
}

/// How long the end of the process waits for what was killed.
const SETTLE: Duration = Duration::from_secs(10);

const DAY: Duration = Duration::from_secs(86_400);

/// What [`LocalFarm::gc`] removed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct GcReport {
    /// Slots that nobody uses.
    pub slots: u64,
    /// Logs beyond the retention.
    pub logs: u64,
    /// Mirrors that were packed anew.
    pub mirrors: u64,
    /// Bytes that all of it freed.
    pub freed_bytes: u64,
}

impl LocalFarm {
    /// Opens the ledger, making or migrating it, and puts right what a killed runner left.
    pub fn open(settings: Settings) -> Result<Self> {
        let ledger = Arc::new(Ledger::open(&settings.data_dir.value)?);
        let workspace = Workspace::open(settings.workspace_dir.value.clone())?
            .follow_redirects(settings.git_hosts.value.is_every());
        let rooms = Rooms { ledger, workspace, runtime: Box::new(Host::default()), settings, tally: Tally::default() };
        rooms.prepare()?;
        let recovered = reaper::recover(&rooms)?;
        Ok(Self {
            rooms: Arc::new(rooms),
            recovered: Arc::new(recovered),
            broken: watch::Sender::new(None),
            runners: Arc::default(),
            hub: Hub::default(),
            caller: Caller::terminal(),
        })
    }

    /// The same farm as this caller sees it: what belongs to others is not there for them.
    pub fn as_caller(&self, caller: Caller) -> Self {
        Self { caller, ..self.clone() }
    }

    /// The limits and folders that it works with.
    pub fn settings(&self) -> &Settings {
        &self.rooms.settings
    }

    /// The jobs that opening found stranded, as they are now.
    pub fn recovered(&self) -> &[Job] {
        &self.recovered.jobs
    }

    /// Why a stranded job could not be put right yet.
    pub fn unrecovered(&self) -> Option<&Error> {
        self.recovered.trouble.as_ref()
    }

    /// How many queued jobs lost the `job run` that they were meant for.
    pub fn abandoned(&self) -> usize {
        self.recovered.unbound
    }

    /// Removes what nobody needs any more: slots, logs beyond the retention, loose objects of quiet mirrors. With
    /// `all_slots`, slots that were used a moment ago too.
    pub async fn gc(&self, all_slots: bool) -> Result<GcReport> {
        self.seeing(move |view| {
            let note = |act: Act<'_>| {
                // A full disk has no room for a note, and this is what makes room: it goes on without.
                if let Err(error) = view.write(|seen| seen.record(act)) {
                    tracing::warn!("the audit trail does not tell of this gc: {error}");
                }
            };
            let act = Act::new(Action::FarmGc, "farm");
            note(act.in_phase(Phase::Started));
            let done = tidy(view.rooms(), all_slots);
            match &done {
                Ok(report) => note(act.in_phase(Phase::Completed).told(&format!("{} bytes freed", report.freed_bytes))),
                Err(error) => note(act.in_phase(Phase::Failed).told(error.code().as_str())),
            }
            done
        })
        .await
    }
    /// The projects that the caller sees at this place; without a root, anywhere in the repository.
    pub async fn projects_at(&self, git_url: GitUrl, root: Option<SubPath>) -> Result<Vec<Project>> {
        self.seeing(move |view| view.read(|seen| seen.projects_at(&git_url, root.as_ref()))).await
    }

    /// What is wrong with the ledger, one sentence each; empty if it is sound.
    pub async fn check_ledger(&self) -> Result<Vec<String>> {
        self.blocking(|rooms| rooms.ledger.check()).await
    }

    /// Copies the ledger to a new file while it is in use.
    pub async fn backup_ledger(&self, to: &Path) -> Result<PathBuf> {
        let to = to.to_owned();
        self.blocking(move |rooms| rooms.ledger.backup(&to).map(|()| to)).await
    }

    /// Refuses whoever is not an administrator.
    pub(crate) fn wants_administrator(&self) -> Result<()> {
        if self.caller.is_admin {
            return Ok(());
        }
        Err(Error::new(Code::Forbidden, "that is for administrators").hint("use an administrator's bearer"))
    }

    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Rooms) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let rooms = Arc::clone(&self.rooms);
        match tokio::task::spawn_blocking(move || work(&rooms)).await {
            Ok(answer) => answer,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => Err(Error::new(Code::Interrupted, format!("the work was dropped: {error}"))),
        }
    }

    /// The jobs of a scope with their tries again, in the order of queueing.
    pub async fn in_scope(&self, scope: &Scope) -> Result<Vec<Job>> {
        let scope = scope.clone();
        self.seeing(move |view| view.read(|seen| seen.jobs_in(&scope))).await
    }

    /// Does the work on what the caller sees.
    pub(super) async fn seeing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&View) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let view = View::new(Arc::clone(&self.rooms), self.caller.clone());
        self.blocking(move |_| work(&view)).await
    }

    /// How some jobs stand, from now on; they must be the caller's.
    pub(super) fn join(&self, subject: Subject) -> Result<watch::Receiver<Arc<Standing>>> {
        self.hub.join(&self.rooms, subject, self.broken.subscribe())
    }

    pub(super) fn live_parts(&self) -> (&Arc<Rooms>, &Hub) {
        (&self.rooms, &self.hub)
    }

    /// Waits until the runners of this process have given up their leases, which they do when their last job has
    /// ended; for the end of the process. One whose job cannot be ended soon is left to the next command.
    pub async fn settle(&self) {
        let mut runners = self.runners.lock().await;
        let settled = async { while runners.join_next().await.is_some() {} };
        if tokio::time::timeout(SETTLE, settled).await.is_err() {
            tracing::warn!("a job is left behind; the next command ends it");
        }
    }
}

/// Sees to it that a process takes the jobs which are bound to nobody. More than one does no harm: one at a time works.
pub(super) fn background(rooms: &Rooms) -> Result<()> {
    // Whoever has the turn looks for such jobs once more after giving it up.
    if crate::runner::lease::is_taken(&rooms.turn()) {
        return Ok(());
    }
    runtime::spawn_background(&[BACKGROUND_COMMAND], &rooms.settings.data_dir.value.join("runner.log"))
}

/// Takes the queued jobs that are bound to nobody, until there is none left. One process at a time does.
pub async fn run_in_background(settings: Settings) -> Result<()> {
    let farm = LocalFarm::open(settings)?;
    loop {
        let Some(_turn) = crate::runner::lease::only_one(&farm.rooms.turn())? else {
            return Ok(());
        };
        Runner::new(Arc::clone(&farm.rooms), Share::Unbound)?.drain().await?;
        drop(_turn);
        // What was queued after the last look, by somebody who then saw this process still at it.
        if !farm.blocking(|rooms| rooms.ledger.read(queue::any_unbound)).await? {
            return Ok(());
        }
    }
}

#[async_trait]
impl Farm for LocalFarm {
    async fn add_project(&self, new: NewProject) -> Result<Registered> {
        self.seeing(move |view| checkout::add(view, new)).await
    }

    async fn projects(&self) -> Result<Vec<Project>> {
        self.seeing(|view| view.read(|seen| seen.projects())).await
    }

    async fn project(&self, name: &ProjectName) -> Result<Project> {
        let name = name.clone();
        self.seeing(move |view| view.read(|seen| seen.project(&name))).await
    }

    async fn project_of(&self, folder: &Path) -> Result<Option<Project>> {
        let folder = folder.to_owned();
        self.seeing(move |view| view.read(|seen| seen.project_in(&folder))).await
    }

    async fn update_project(&self, name: &ProjectName, change: ProjectChange) -> Result<Registered> {
        let name = name.clone();
        self.seeing(move |view| checkout::update(view, &name, change)).await
    }

    async fn remove_project(&self, name: &ProjectName) -> Result<Removed> {
        let name = name.clone();
        self.seeing(move |view| remove(view, &name)).await
    }

    async fn secrets(&self, project: &ProjectName) -> Result<Vec<Secret>> {
        let project = project.clone();
        self.seeing(move |view| secrets::list(view, &project)).await
    }

    async fn set_secret(&self, project: &ProjectName, name: &SecretName, value: SecretValue) -> Result<Secret> {
        let (project, name) = (project.clone(), name.clone());
        self.seeing(move |view| secrets::set(view, &project, &name, &value)).await
    }

    async fn remove_secret(&self, project: &ProjectName, name: &SecretName) -> Result<Secret> {
        let (project, name) = (project.clone(), name.clone());
        self.seeing(move |view| secrets::remove(view, &project, &name)).await
    }

    async fn plan(&self, request: &RunRequest) -> Result<Plan> {
        let wanted = request.clone();
        self.seeing(move |view| request::plan(view, &wanted)).await
    }

    async fn run(&self, request: &RunRequest) -> Result<Started> {
        self.run_once(request, None).await
    }

    async fn jobs(&self, filter: &JobFilter) -> Result<Vec<Job>> {
        let filter = filter.clone();
        self.seeing(move |view| {
            view.read(|seen| {
                if let Some(project) = &filter.project {
                    seen.project(project)?;
                }
                jobs::list(seen.tx, seen.all(), &filter)
            })
        })
        .await
    }

    async fn job(&self, which: &JobSelector) -> Result<Job> {
        let which = which.clone();
        self.seeing(move |view| view.read(|seen| seen.select(&which))).await
    }

    async fn log(&self, job: &JobId, part: LogPart) -> Result<mpsc::Receiver<Result<Vec<u8>>>> {
        self.send_log(job, part).await
    }

    fn log_path(&self, job: &JobId) -> Option<PathBuf> {
        Some(log::path(&self.rooms.logs(), job))
    }

    fn kept_tree(&self, job: &Job) -> Option<PathBuf> {
        self.rooms.workspace.kept(&job.project, &job.id)
    }

    async fn follow(&self, scope: &Scope, logs: FollowLogs) -> Result<mpsc::Receiver<Result<Event>>> {
        self.send_events(scope, logs).await
    }

    async fn cancel(&self, scope: &Scope, force: bool) -> Result<Vec<Job>> {
        let scope = scope.clone();
        self.seeing(move |view| {
            view.write(|seen| {
                for job in seen.jobs_in(&scope)?.iter().filter(|job| !job.status.is_final()) {
                    let act = Act::new(Action::JobCancel, job.id.as_str()).of(&job.project);
                    seen.record(if force { act.told("at once") } else { act })?;
                }
                queue::request_cancel(seen.tx, seen.all(), &scope, force, Timestamp::now())?;
                seen.jobs_in(&scope)
            })
        })
        .await
    }

    async fn retry(&self, job: &JobId, detach: bool) -> Result<Started> {
        self.retry_once(&job.clone().into(), detach, None).await
    }

    async fn findings(&self, query: &FindingQuery) -> Result<Findings> {
        let query = query.clone();
        self.seeing(move |view| findings::page(view, &query)).await
    }

    async fn each_finding(&self, query: &FindingQuery) -> Result<EachFinding> {
        let query = query.clone();
        let begun = self.seeing(move |view| findings::begin(view, query)).await?;
        Ok(begun.send(Arc::clone(&self.rooms)))
    }

    async fn ignore(&self, wanted: &Suppress) -> Result<Vec<Suppression>> {
        let wanted = wanted.clone();
        self.seeing(move |view| suppress::ignore(view, &wanted)).await
    }

    async fn suppressions(&self, around: &Around) -> Result<Vec<Suppression>> {
        let around = around.clone();
        self.seeing(move |view| {
            view.read(|seen| {
                let project = seen.project_around(&around)?;
                ledger::suppressions::list(seen.tx, seen.within(project.as_ref()))
            })
        })
        .await
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<AuditEvent>> {
        self.wants_administrator()?;
        let filter = filter.clone();
        self.blocking(move |rooms| rooms.ledger.read(|tx| events::list(tx, &filter))).await
    }

    async fn unignore(&self, findings: &[FingerprintPrefix], around: &Around) -> Result<Vec<Suppression>> {
        let (findings, around) = (findings.to_vec(), around.clone());
        self.seeing(move |view| suppress::unignore(view, &findings, &around)).await
    }

    async fn mint_token(&self, new: NewToken) -> Result<Minted> {
        self.wants_administrator()?;
        self.seeing(move |view| tokens::mint(view, new)).await
    }

    async fn tokens(&self) -> Result<Vec<Token>> {
        self.wants_administrator()?;
        self.blocking(|rooms| rooms.ledger.read(ledger::tokens::list)).await
    }

    async fn revoke_token(&self, name: &TokenName) -> Result<Token> {
        self.wants_administrator()?;
        let (name, from_terminal) = (name.clone(), self.caller.token.is_none());
        self.seeing(move |view| {
            view.write(|seen| {
                let revoked = tokens::revoke(seen.tx, &name, from_terminal)?;
                seen.record(Act::new(Action::TokenRevoke, name.as_str()))?;
                Ok(revoked)
            })
        })
        .await
    }
}

fn tidy(rooms: &Rooms, all_slots: bool) -> Result<GcReport> {
    let now = Timestamp::now();
    let settings = &rooms.settings;
    // What cannot be looked up stays, here and below.
    let is_live = |id: &JobId| match rooms.ledger.read(|tx| jobs::get(tx, id)) {
        Ok(job) => !job.status.is_final(),
        Err(error) => error.code() != Code::NotFound,
    };
    let keep = DAY * u32::try_from(settings.retention_days.value).unwrap_or(u32::MAX);
    let logs = retention::apply(&rooms.logs(), now.before(keep), settings.retention_bytes.value, &is_live)?;
    let options =
        GcOptions { now, slots_unused_for: if all_slots { Duration::ZERO } else { DAY }, mirrors_quiet_for: 7 * DAY };
    let wanted = |project: &ProjectName, sha: &CommitId| {
        rooms.ledger.read(|tx| jobs::is_commit_wanted(tx, project, sha, now.before(keep))).unwrap_or(true)
    };
    let trees = rooms.workspace.gc(&options, &wanted)?;
    Ok(GcReport {
        slots: trees.slots,
        logs: logs.removed,
        mirrors: trees.mirrors,
        freed_bytes: logs.freed_bytes + trees.freed_bytes,
    })
}

fn remove(view: &View, name: &ProjectName) -> Result<Removed> {
    let rooms = view.rooms();
    let act = Act::new(Action::ProjectRemove, name.as_str()).of(name);
    let (ids, findings) = view.write(|seen| {
        let tx = seen.tx;
        seen.project(name)?;
        if jobs::any_running(tx, name)? {
            return Err(Error::new(Code::Conflict, format!("a job of {name} is running"))
                .hint("wait for its end, or cancel it with `crafting job cancel`"));
        }
        let counted = (jobs::ids_of_project(tx, name)?, ledger::findings::count_of_project(tx, name)?);
        projects::remove(tx, name)?;
        seen.record(act.in_phase(Phase::Started))?;
        Ok(counted)
    })?;
    let files = || {
        let mut freed_bytes = rooms.workspace.remove_project(name)?;
        for id in &ids {
            freed_bytes += log::remove(&rooms.logs(), id)?;
        }
        Ok(freed_bytes)
    };
    let told = |_: &u64| format!("jobs: {}, findings: {findings}", ids.len());
    let freed_bytes = view.to_the_end(act, files, told)?;
    Ok(Removed { project: name.clone(), jobs: ids.len() as u64, findings, freed_bytes })
}
