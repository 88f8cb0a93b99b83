//! The service behind every door: each verb once, in domain types.
//!
//! A door parses its arguments into the types of this file, makes one call, and renders the answer. It decides
//! nothing itself, so that every door gives the same answer to the same question. The upkeep of this machine's own
//! data stands beside the trait: [`LocalFarm`] has it.

mod captured;
mod checkout;
mod findings;
pub mod live;
mod local;
mod log_part;
mod plan;
mod remote;
mod request;
mod secrets;
mod serving;
mod since;
mod suppress;
mod tokens;
mod upload;
mod visible;
pub mod wire;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use globset::GlobSet;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use utoipa::ToSchema;

pub use crate::model::{FindingFilter, JobFilter, Scope};
pub use captured::{CapturedLog, read_captured};
pub use checkout::{Initialised, init, settings};
pub use local::{BACKGROUND_COMMAND, GcReport, LocalFarm, Once, run_in_background};
pub use remote::RemoteFarm;
pub use serving::{Disk, Load};
pub use since::Since;
pub use tokens::FirstAdmin;

use crate::error::{Error, Result};
use crate::model::{
    AuditEvent, Batch, Bearer, Cidr, CommitId, EventFilter, Finding, FindingCounts, FindingGroup, FingerprintPrefix,
    GitUrl, GroupBy, Job, JobId, Project, ProjectFile, ProjectName, RecipeName, RefName, Secret, SecretName,
    SecretValue, ServerUrl, Stream, SubPath, Suppression, Timestamp, Token, TokenName, TokenScope, path_glob,
};

/// The longest time that a recipe may be given.
pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(30 * 86_400);

/// Every verb of the build farm.
#[async_trait]
pub trait Farm: Send + Sync {
    /// The server that it is on; none: it is this machine's.
    fn server(&self) -> Option<&ServerUrl> {
        None
    }

    /// What is being sent to it just now, for who waits for that; a farm to which nothing is sent has none.
    fn uploading(&self) -> Option<watch::Receiver<Option<Uploading>>> {
        None
    }

    /// Registers a project; one that exists under the same name is a conflict.
    async fn add_project(&self, new: NewProject) -> Result<Registered>;
    /// Every project, by name.
    async fn projects(&self) -> Result<Vec<Project>>;
    /// One project.
    async fn project(&self, name: &ProjectName) -> Result<Project>;
    /// The project that a folder on this machine belongs to, if it is registered.
    async fn project_of(&self, folder: &std::path::Path) -> Result<Option<Project>>;
    /// Reads the project's `crafting.toml` again (or detects again), and changes what `change` names.
    async fn update_project(&self, name: &ProjectName, change: ProjectChange) -> Result<Registered>;
    /// Removes a project with its jobs, findings, logs, mirror and slots. A running job is a conflict.
    async fn remove_project(&self, name: &ProjectName) -> Result<Removed>;

    /// The secrets of a project, by name: never their values.
    async fn secrets(&self, project: &ProjectName) -> Result<Vec<Secret>>;
    /// Sets a secret, in place of the one of that name if there is one.
    async fn set_secret(&self, project: &ProjectName, name: &SecretName, value: SecretValue) -> Result<Secret>;
    /// Removes a secret. It is answered as it was.
    async fn remove_secret(&self, project: &ProjectName, name: &SecretName) -> Result<Secret>;

    /// What [`Farm::run`] would queue, without queueing it. As with a run, a checkout is registered or read again, and
    /// the snapshot of its files is made.
    async fn plan(&self, request: &RunRequest) -> Result<Plan>;
    /// Queues a batch; [`Farm::follow`] tells how its jobs go. On this machine they run in this process, or detached in
    /// one that outlives it. On a server they are the server's, which goes on with them whatever becomes of who asked.
    async fn run(&self, request: &RunRequest) -> Result<Started>;
    /// Jobs, newest first.
    async fn jobs(&self, filter: &JobFilter) -> Result<Vec<Job>>;
    /// One job.
    async fn job(&self, which: &JobSelector) -> Result<Job>;
    /// The bytes of a job's log, in chunks that never split a line unless the line is longer than a chunk. To follow one
    /// that has not begun waits until it has.
    async fn log(&self, job: &JobId, part: LogPart) -> Result<mpsc::Receiver<Result<Vec<u8>>>>;
    /// The file of a job's log, where that is on this machine.
    fn log_path(&self, job: &JobId) -> Option<PathBuf>;
    /// The tree that a job left to the user, where that is on this machine and still there.
    fn kept_tree(&self, job: &Job) -> Option<PathBuf>;
    /// What happens to some jobs, from their present state on until all are final, tries again included.
    async fn follow(&self, scope: &Scope, logs: FollowLogs) -> Result<mpsc::Receiver<Result<Event>>>;
    /// Asks for the end of jobs: first with grace, with `force` at once. The jobs as they are after the request.
    async fn cancel(&self, scope: &Scope, force: bool) -> Result<Vec<Job>>;
    /// Queues a finished job again, same commit and same recipe snapshot, as a batch of its own. Who runs it is as with
    /// [`Farm::run`].
    async fn retry(&self, job: &JobId, detach: bool) -> Result<Started>;

    /// Findings, the worst first, and how many there are.
    async fn findings(&self, query: &FindingQuery) -> Result<Findings>;
    /// The same without a limit, however many there are: they come a few at a time.
    async fn each_finding(&self, query: &FindingQuery) -> Result<EachFinding>;
    /// Ignores findings of one project, as they are called now, wherever they go. What was ignored, one by one.
    async fn ignore(&self, wanted: &Suppress) -> Result<Vec<Suppression>>;
    /// The audit trail, newest first; for administrators.
    async fn events(&self, filter: &EventFilter) -> Result<Vec<AuditEvent>>;

    /// What is ignored by the ledger, of one project or of all.
    async fn suppressions(&self, around: &Around) -> Result<Vec<Suppression>>;
    /// Takes back suppressions. What counts again, one by one.
    async fn unignore(&self, findings: &[FingerprintPrefix], around: &Around) -> Result<Vec<Suppression>>;

    /// Mints a token; an active one of the same name is a conflict. An administrator's verb, as all of tokens are.
    async fn mint_token(&self, new: NewToken) -> Result<Minted>;
    /// Every token, by name, those that are over too.
    async fn tokens(&self) -> Result<Vec<Token>>;
    /// Ends a token at once; as it is now.
    async fn revoke_token(&self, name: &TokenName) -> Result<Token>;
}

/// A project to register.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Where it comes from.
    pub source: ProjectSource,
    /// Its name, if not the one of its `crafting.toml` or its folder.
    pub name: Option<ProjectName>,
    /// The branch that jobs run when they name no ref.
    pub default_branch: Option<RefName>,
    /// Instead of the repository's own `crafting.toml`.
    pub file: Option<ProjectText>,
}

/// A `crafting.toml` that is not the repository's own, read where the asker is.
#[derive(Clone, Debug)]
pub struct ProjectText {
    /// What it says.
    pub text: String,
    /// What to call it in answers and errors.
    pub origin: String,
}

/// Where a project comes from.
#[derive(Clone, Debug)]
pub enum ProjectSource {
    /// A folder in a checkout on this machine.
    Folder(PathBuf),
    /// A repository to clone.
    Url {
        /// Where it is.
        url: GitUrl,
        /// The project's root in it.
        root: SubPath,
    },
}

/// What to change of a project; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct ProjectChange {
    /// The branch that jobs run when they name no ref.
    pub default_branch: Option<RefName>,
    /// The repository's new address.
    pub url: Option<GitUrl>,
    /// Instead of the repository's own `crafting.toml`.
    pub file: Option<ProjectText>,
}

/// A registered project, and where its subprojects and recipes were read.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Registered {
    /// The project as it is now.
    pub project: Project,
    /// Whether this call made it.
    pub added: bool,
    /// Whether this call changed it.
    pub changed: bool,
    /// Its `crafting.toml`, if there is one; else everything was detected.
    pub project_file: Option<String>,
    /// What detection saw, one phrase per subproject, in the project's order.
    pub evidence: Vec<String>,
}

/// A token to mint.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its name, which owns projects.
    pub name: TokenName,
    /// Whether it sees everything and may mint others.
    pub is_admin: bool,
    /// What it may do.
    pub scope: TokenScope,
    /// From where it may be used; empty: from wherever the server answers at all.
    pub ip_cidrs: Vec<Cidr>,
    /// When it stops; none: never.
    pub expires_at: Option<Timestamp>,
}

/// A minted token.
#[derive(Clone, Debug)]
pub struct Minted {
    /// The token.
    pub token: Token,
    /// What its holder shows. Nobody can ask for it again.
    pub bearer: Bearer,
}

/// What went with a removed project.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Removed {
    /// The project.
    pub project: ProjectName,
    /// Its jobs.
    pub jobs: u64,
    /// Their findings.
    pub findings: u64,
    /// Bytes of logs, mirror and slots.
    pub freed_bytes: u64,
}

/// What to run.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// Of which project.
    pub target: Target,
    /// These recipes; none: `test` where there is one, else `build`.
    pub recipes: Vec<RecipeName>,
    /// Of these subprojects; none: every one that has the recipe.
    pub subprojects: Vec<SubPath>,
    /// Where the asker stands below the project's root: inside a subproject's folder, that subproject alone is meant.
    /// For a [`Target::Checkout`] it is found out.
    pub standing: Option<SubPath>,
    /// At which state of the repository.
    pub revision: Revision,
    /// Instead of the recipes' own time limits.
    pub timeout: Option<Duration>,
    /// Leave each slot to the user afterwards.
    pub keep_slot: bool,
    /// Start from an empty tree, without kept build outputs.
    pub fresh: bool,
    /// Let a runner in the background take the jobs.
    pub detach: bool,
}

/// Of which project jobs run.
#[derive(Clone, Debug)]
pub enum Target {
    /// The one that this folder belongs to, registered on the spot if it is not yet; inside a subproject's folder,
    /// that subproject alone.
    Checkout(PathBuf),
    /// A registered one.
    Project(ProjectName),
}

/// Which state of the repository runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// The checkout's files as they are now; for a project that is no checkout, its default branch.
    WorkingTree,
    /// The checkout's HEAD.
    Head,
    /// What a ref resolves to when the job starts.
    Ref(RefName),
    /// A commit that was looked up already, perhaps by somebody on another machine.
    Commit(KnownCommit),
}

/// A commit, and what a person calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCommit {
    /// What was asked for: the branch that is checked out, a tag.
    pub git_ref: RefName,
    /// The commit.
    pub sha: CommitId,
    /// Whether it is a snapshot of uncommitted changes.
    pub dirty: bool,
}

/// What a request comes down to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// The project.
    pub project: ProjectName,
    /// Set if the project was registered or changed on the way.
    pub registered: Option<Registered>,
    /// What was asked for.
    #[serde(rename = "ref")]
    pub git_ref: RefName,
    /// The commit, where it is known before the job starts.
    pub sha: Option<CommitId>,
    /// Whether that commit is a snapshot of uncommitted changes.
    pub dirty: bool,
    /// What the user should know about the snapshot, one sentence each.
    pub notes: Vec<String>,
    /// The jobs, in the order in which they are queued.
    pub jobs: Vec<PlannedJob>,
}

/// One job of a [`Plan`].
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PlannedJob {
    /// The subproject's name.
    pub subproject: SubPath,
    /// The recipe's name.
    pub recipe: RecipeName,
    /// What runs, and how.
    pub recipe_snapshot: crate::model::RecipeSnapshot,
}

/// A queued batch.
#[derive(Clone, Debug)]
pub struct Started {
    /// The jobs as queued.
    pub batch: Batch,
    /// Set if the project was registered or changed on the way.
    pub registered: Option<Registered>,
    /// What the user should know about the snapshot, one sentence each.
    pub notes: Vec<String>,
}

/// A pack on its way to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uploading {
    /// Bytes that went so far.
    pub sent: u64,
    /// Bytes that it has.
    pub total: u64,
    /// When the first of them went.
    pub begun: Instant,
}

/// How a person names a job.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum JobSelector {
    /// Any unique prefix of its id.
    Prefix(String),
    /// The newest.
    Last(Around),
    /// The newest that ended failed or timed out.
    LastFailed(Around),
}

/// Where somebody stands who names things without saying of which project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Around {
    /// Nowhere: all projects are meant.
    #[default]
    Everywhere,
    /// This one is meant.
    Project(ProjectName),
    /// In a folder on this machine: its project is meant, if it is registered, else all.
    Folder(PathBuf),
}

impl JobSelector {
    /// The same, asked by somebody who stands there, unless it says itself where.
    pub fn around(self, place: Around) -> Self {
        match self {
            Self::Last(Around::Everywhere) => Self::Last(place),
            Self::LastFailed(Around::Everywhere) => Self::LastFailed(place),
            other => other,
        }
    }
}

impl FromStr for JobSelector {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "@last" => Ok(Self::Last(Around::Everywhere)),
            "@last-failed" => Ok(Self::LastFailed(Around::Everywhere)),
            prefix
                if (1..=12).contains(&prefix.len())
                    && prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) =>
            {
                Ok(Self::Prefix(prefix.to_owned()))
            }
            _ => Err(Error::invalid(format!("{text:?} does not name a job"))
                .hint("give the beginning of a job's id (see `crafting job list`), @last or @last-failed")),
        }
    }
}

impl fmt::Display for JobSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Prefix(prefix) => prefix,
            Self::Last(_) => "@last",
            Self::LastFailed(_) => "@last-failed",
        })
    }
}

impl TryFrom<String> for JobSelector {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<JobId> for JobSelector {
    fn from(id: JobId) -> Self {
        Self::Prefix(id.into())
    }
}

/// Which part of a log to read.
#[derive(Clone, Debug)]
pub struct LogPart {
    /// Where to begin.
    pub start: LogStart,
    /// At most so many lines.
    pub lines: Option<u64>,
    /// Only what came from this stream.
    pub stream: Option<Stream>,
    /// Go on until the job ends.
    pub follow: bool,
}

/// Where reading a log begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStart {
    /// At this line, the first being 1.
    Line(u64),
    /// At the beginning of the last so many lines.
    Tail(u64),
}

/// What of the logs [`Farm::follow`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowLogs {
    /// Nothing: state changes alone.
    None,
    /// The last line and the number of findings, at most ten times a second.
    Progress,
    /// Every byte.
    Lines,
}

/// Something that happened to a followed job. Every job's first event is the state it is in.
#[derive(Clone, Debug)]
pub enum Event {
    /// It came into a state.
    State(Box<Job>),
    /// It printed and found something ([`FollowLogs::Progress`]).
    Progress {
        /// The job.
        job: JobId,
        /// The last line that is not empty, without colours and control characters.
        last_line: String,
        /// Findings so far.
        findings: u64,
    },
    /// It printed whole lines ([`FollowLogs::Lines`]), or at its end the unfinished last one.
    Log {
        /// The job.
        job: JobId,
        /// As in the log.
        bytes: Bytes,
    },
    /// The way to the jobs is interrupted, or there again: what a person who waits should know, one sentence. Nothing
    /// is missed by it.
    Interrupted(String),
}

impl Event {
    /// What is told in this process; nothing is told of an end, behind which the events end, nor of findings.
    fn of(happening: live::Happening) -> Option<Self> {
        match happening {
            live::Happening::State(job) => Some(Self::State(Box::new(job.value.clone()))),
            live::Happening::Progress { job, last_line, findings } => {
                Some(Self::Progress { job, last_line: last_line.to_string(), findings })
            }
            live::Happening::Log { job, piece } => Some(Self::Log { job, bytes: piece.value.bytes.clone() }),
            live::Happening::Finding(_) | live::Happening::End => None,
        }
    }
}

/// Which findings to read, and how much of them.
#[derive(Clone, Debug, Default)]
pub struct FindingQuery {
    /// Of these jobs. Empty: of the newest finished job of every subproject and recipe.
    pub jobs: Vec<JobSelector>,
    /// Where the asker stands.
    pub around: Around,
    /// Only what is new since then.
    pub since: Option<Since>,
    /// The commit that `since` names where the asker stands, for a farm that does not see the asker's refs.
    pub since_commit: Option<CommitId>,
    /// Which of them.
    pub filter: FindingFilter,
    /// What stands together.
    pub group_by: Option<GroupBy>,
    /// At most so many; they are counted all the same.
    pub limit: Option<u64>,
    /// Whether the tools' own records are wanted, most of what a finding weighs.
    pub records: bool,
    /// Whether files are named from the repository's top, as other programs name them, and not from the project's
    /// root. The filter's pattern is for the project's paths all the same.
    pub from_top: bool,
}

impl FindingQuery {
    /// The findings of these jobs, all that are not ignored.
    pub fn of_jobs<'a>(jobs: impl IntoIterator<Item = &'a Job>) -> Self {
        Self { jobs: jobs.into_iter().map(|job| job.id.clone().into()).collect(), ..Self::default() }
    }
}

/// Findings, and their counts over the whole of what was asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Findings {
    /// The worst first: by severity, by kind (cve, test_fail, lint, recipe_fail), by file, line and column.
    pub findings: Vec<Finding>,
    /// How many.
    pub counts: FindingCounts,
    /// What stands together, in the order of the findings, where that was asked for; not beyond the limit.
    #[serde(skip)]
    pub groups: Vec<FindingGroup>,
    /// What the user should know of the answer, one sentence each.
    #[serde(skip)]
    pub notes: Vec<String>,
}

impl Findings {
    /// Puts together what belongs together, the worst group first, and leaves out what is beyond the limit.
    pub fn arranged(mut self, group_by: Option<GroupBy>, limit: Option<u64>) -> Self {
        if let Some(group_by) = group_by {
            let mut groups: BTreeMap<Option<String>, FindingGroup> = BTreeMap::new();
            for finding in &self.findings {
                let key = group_by.key(finding);
                let empty = FindingGroup { key: key.clone(), errors: 0, warns: 0, infos: 0, new: 0 };
                groups.entry(key).or_insert(empty).add(finding);
            }
            self.groups = groups.into_values().collect();
            self.groups.sort_by_key(|group| Reverse((group.errors, group.warns, group.infos)));
            let rank: HashMap<_, _> =
                self.groups.iter().enumerate().map(|(rank, group)| (group.key.clone(), rank)).collect();
            self.findings.sort_by_key(|finding| rank.get(&group_by.key(finding)).copied());
        }
        if let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) {
            self.findings.truncate(limit);
        }
        self
    }
}

/// Findings, however many there are.
pub struct EachFinding {
    /// How many there will be.
    pub counts: FindingCounts,
    /// What the user should know of the answer, one sentence each.
    pub notes: Vec<String>,
    /// The worst first, some at a time.
    pub findings: mpsc::Receiver<Result<Vec<Finding>>>,
}

/// Findings to ignore.
#[derive(Clone, Debug)]
pub struct Suppress {
    /// These.
    pub findings: Vec<FingerprintPrefix>,
    /// Where the asker stands.
    pub around: Around,
    /// Why.
    pub reason: String,
    /// When they count again; none: never.
    pub until: Option<Timestamp>,
}

/// What `crafting.toml` or detection says about a project.
#[derive(Clone, Debug)]
struct Description {
    /// What a file says, or what a file would say.
    file: ProjectFile,
    /// Where the file was, if there is one.
    project_file: Option<String>,
    /// What detection saw.
    evidence: Vec<String>,
}

/// A [`FindingFilter`] for findings that are in no ledger.
struct Filter<'a> {
    filter: &'a FindingFilter,
    path: Option<GlobSet>,
}

impl<'a> Filter<'a> {
    fn new(filter: &'a FindingFilter) -> Result<Self> {
        Ok(Self { filter, path: filter.path.as_deref().map(path_glob).transpose()? })
    }

    fn lets(&self, finding: &Finding) -> bool {
        let Self { filter, path } = self;
        path.as_ref().is_none_or(|glob| finding.file.as_deref().is_some_and(|file| glob.is_match(file)))
            && filter.kind.is_none_or(|kind| finding.kind == kind)
            && filter.severity.is_none_or(|least| finding.severity >= least)
    }
}

/// The worst first, with the counts.
fn sorted(mut rows: Vec<Finding>) -> Findings {
    rows.sort_by(|a, b| {
        (b.severity, a.kind, &a.file, a.line, a.column).cmp(&(a.severity, b.kind, &b.file, b.line, b.column))
    });
    let counts = FindingCounts::of(&rows, 0);
    Findings { findings: rows, counts, ..Findings::default() }
}
