//! What a caller sees of the ledger: the only way from what somebody names to a project or a job.
//!
//! What belongs to others is not there. Nothing here looks at it first and hides it then: the questions to the ledger
//! reach no further than the caller sees, so that an error, a hint or a count cannot tell of more.

use std::sync::Arc;

use super::{Around, JobSelector};
use crate::error::{Error, Result};
use crate::ledger::events::{self, Act};
use crate::ledger::{Transaction, Within, jobs, projects};
use crate::model::{Caller, GitUrl, Job, JobId, Phase, Project, ProjectName, Scope, SubPath};
use crate::runner::Rooms;
use crate::workspace::Checkout;

/// The rooms, on behalf of a caller.
#[derive(Clone)]
pub(super) struct View {
    rooms: Arc<Rooms>,
    caller: Caller,
}

impl View {
    pub(super) fn new(rooms: Arc<Rooms>, caller: Caller) -> Self {
        Self { rooms, caller }
    }

    /// What is not the ledger. To go on with what was found by a caller's eyes, the ledger itself too.
    pub(super) fn rooms(&self) -> &Arc<Rooms> {
        &self.rooms
    }

    /// Who asks.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Looks at one consistent state of the ledger.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Seen<'_>) -> Result<T>) -> Result<T> {
        self.rooms.ledger.read(|tx| work(&Seen { tx, caller: &self.caller }))
    }

    /// Looks at the ledger and changes it, all or nothing.
    pub(super) fn write<T>(&self, work: impl FnOnce(&Seen<'_>) -> Result<T>) -> Result<T> {
        self.rooms.ledger.write(|tx| work(&Seen { tx, caller: &self.caller }))
    }

    /// Does something long, of which the audit trail has the beginning already, and notes there how it ended.
    pub(super) fn to_the_end<T>(
        &self,
        act: Act<'_>,
        work: impl FnOnce() -> Result<T>,
        told: impl FnOnce(&T) -> String,
    ) -> Result<T> {
        let done = work();
        let (phase, detail) = match &done {
            Ok(done) => (Phase::Completed, told(done)),
            Err(error) => (Phase::Failed, error.code().as_str().to_owned()),
        };
        let noted = self.write(|seen| seen.record(act.in_phase(phase).told(&detail)));
        // Why the work failed matters more than that this could not be noted either.
        done.and_then(|done| noted.map(|()| done))
    }
}

/// One state of the ledger, as a caller sees it.
pub(super) struct Seen<'a> {
    /// To go on with what was found here.
    pub(super) tx: &'a Transaction<'a>,
    caller: &'a Caller,
}

impl Seen<'_> {
    /// Who asks.
    pub(super) fn caller(&self) -> &Caller {
        self.caller
    }

    /// All that the caller sees.
    pub(super) fn all(&self) -> Within<'_> {
        Within::seen_by(self.caller)
    }

    /// One project, if that is what is meant, else all that the caller sees. The project was found here.
    pub(super) fn within<'s>(&'s self, project: Option<&'s ProjectName>) -> Within<'s> {
        project.map_or_else(|| self.all(), Within::Project)
    }

    /// The projects, by name.
    pub(super) fn projects(&self) -> Result<Vec<Project>> {
        projects::list(self.tx, self.all())
    }

    /// One project.
    pub(super) fn project(&self, name: &ProjectName) -> Result<Project> {
        projects::get(self.tx, self.all(), name)
    }

    /// The project of this repository and this folder in it.
    pub(super) fn project_at(&self, git_url: &GitUrl, root: &SubPath) -> Result<Option<Project>> {
        projects::find_by_place(self.tx, self.all(), git_url, root)
    }

    /// The projects of this repository, or of this folder in it.
    pub(super) fn projects_at(&self, git_url: &GitUrl, root: Option<&SubPath>) -> Result<Vec<Project>> {
        projects::list_by_place(self.tx, self.all(), git_url, root)
    }

    /// The project that a folder on this machine belongs to.
    pub(super) fn project_in(&self, folder: &std::path::Path) -> Result<Option<Project>> {
        let Ok(here) = Checkout::discover(folder) else { return Ok(None) };
        self.project_at(here.url(), here.root())
    }

    /// The project that is meant; none: all that the caller sees.
    pub(super) fn project_around(&self, around: &Around) -> Result<Option<ProjectName>> {
        match around {
            Around::Everywhere => Ok(None),
            Around::Project(name) => self.project(name).map(|project| Some(project.name)),
            Around::Folder(folder) => Ok(self.project_in(folder)?.map(|project| project.name)),
        }
    }

    /// One job.
    pub(super) fn job(&self, id: &JobId) -> Result<Job> {
        jobs::get_within(self.tx, self.all(), id)
    }

    /// The job that somebody means.
    pub(super) fn select(&self, which: &JobSelector) -> Result<Job> {
        let (around, failed) = match which {
            JobSelector::Prefix(prefix) => return jobs::get_by_prefix(self.tx, self.all(), prefix),
            JobSelector::Last(around) => (around, false),
            JobSelector::LastFailed(around) => (around, true),
        };
        let project = self.project_around(around)?;
        jobs::last(self.tx, self.within(project.as_ref()), failed)?.ok_or_else(|| {
            let what = if failed { "no failed job" } else { "no job" };
            let of = project.as_ref().map(|project| format!(" of {project}")).unwrap_or_default();
            Error::not_found(format!("there is {what}{of} yet")).hint("`crafting job run` starts one")
        })
    }

    /// Notes in the audit trail what the caller does, as part of the change itself.
    pub(super) fn record(&self, act: Act<'_>) -> Result<()> {
        events::record(self.tx, self.caller, act)
    }

    /// The jobs of a scope with their tries again.
    pub(super) fn jobs_in(&self, scope: &Scope) -> Result<Vec<Job>> {
        jobs::in_scope(self.tx, self.all(), scope)
    }
}
