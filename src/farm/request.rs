//! From a request to jobs: which project, which commit, which recipes.

use super::visible::View;
use super::{Plan, PlannedJob, Registered, Revision, RunRequest, Target, checkout, plan};
use crate::error::{Code, Error, Result};
use crate::model::{BatchId, CommitId, Job, Project, RefName, SubPath, Timestamp};
use crate::workspace::Checkout;

/// What is known of a request after looking at the project and the repository.
struct Prepared {
    project: Project,
    registered: Option<Registered>,
    git_ref: RefName,
    sha: Option<CommitId>,
    dirty: bool,
    notes: Vec<String>,
    standing: Option<SubPath>,
}

fn prepare(view: &View, request: &RunRequest) -> Result<Prepared> {
    let (project, registered, here) = match &request.target {
        Target::Checkout(folder) => {
            let here = Checkout::discover(folder)?;
            let registered = checkout::register(view, &here)?;
            let changed = registered.added || registered.changed;
            (registered.project.clone(), changed.then_some(registered), Some(here))
        }
        Target::Project(name) => {
            let project = view.read(|seen| seen.project(name))?;
            let here = checkout::of_project(&project)?;
            (project, None, here)
        }
    };
    let standing = match (&request.target, &here) {
        (Target::Checkout(folder), Some(here)) => here.standing(folder),
        _ => request.standing.clone(),
    };
    let mirror = view.rooms().workspace.mirror(&project.name, &project.git_url);
    let (git_ref, sha, dirty, notes) = match (&request.revision, &here) {
        // A commit that nobody has is told at once too, and one that is here stays here until its job has run.
        (Revision::Commit(known), _) => {
            let uploaded = mirror.uploads(view.caller().token.as_ref()).pin(&known.sha)?;
            let notes = if uploaded { Vec::new() } else { mirror.resolve(&known.sha.clone().into())?.notes };
            (known.git_ref.clone(), Some(known.sha.clone()), known.dirty, notes)
        }
        (Revision::WorkingTree, Some(here)) => {
            let snapshot = here.snapshot(&mirror)?;
            (here.current_ref()?, Some(snapshot.sha), snapshot.dirty, snapshot.notes)
        }
        (Revision::Head, Some(here)) => {
            let head = here.head()?.ok_or_else(|| {
                Error::new(Code::NoRepository, "this repository has no commit yet")
                    .hint("commit something, or leave out --committed to run the files as they are")
            })?;
            let resolved = mirror.resolve(&head.into())?;
            (here.current_ref()?, Some(resolved.sha), false, resolved.notes)
        }
        // A ref of a repository on this machine costs nothing to look up, and a typo is told at once.
        (Revision::Ref(git_ref), Some(here)) => {
            let resolved = mirror.resolve(&here.resolve(git_ref)?.into())?;
            (git_ref.clone(), Some(resolved.sha), false, resolved.notes)
        }
        (Revision::Ref(git_ref), None) => (git_ref.clone(), None, false, Vec::new()),
        (Revision::WorkingTree | Revision::Head, None) => {
            let git_ref = match &project.default_branch {
                Some(branch) => branch.clone(),
                None => checkout::default_branch(&mirror)?,
            };
            (git_ref, None, false, Vec::new())
        }
    };
    Ok(Prepared { project, registered, git_ref, sha, dirty, notes, standing })
}

/// What a request comes down to. The project is registered or brought up to date, and the snapshot taken.
pub(super) fn plan(view: &View, request: &RunRequest) -> Result<Plan> {
    let prepared = prepare(view, request)?;
    let choice = plan::Choice {
        recipes: &request.recipes,
        subprojects: &request.subprojects,
        standing: prepared.standing.as_ref(),
        timeout: request.timeout,
        fresh: request.fresh,
        keep_slot: request.keep_slot,
    };
    let jobs = plan::jobs(&prepared.project, &choice, &view.rooms().settings)?;
    Ok(Plan {
        project: prepared.project.name,
        registered: prepared.registered,
        git_ref: prepared.git_ref,
        sha: prepared.sha,
        dirty: prepared.dirty,
        notes: prepared.notes,
        jobs,
    })
}

/// The jobs of a plan as one new batch.
pub(super) fn queued(plan: &Plan, runtime: &str) -> Result<Vec<Job>> {
    let (batch, now) = (BatchId::random()?, Timestamp::now());
    let job = |planned: &PlannedJob| {
        Job::queued(
            batch.clone(),
            (plan.project.clone(), planned.subproject.clone(), planned.recipe.clone()),
            (plan.git_ref.clone(), plan.sha.clone(), plan.dirty),
            planned.recipe_snapshot.clone(),
            runtime,
            now,
        )
    };
    plan.jobs.iter().map(job).collect()
}
