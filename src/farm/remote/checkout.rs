//! Running what somebody has in a checkout on this machine on a server: the server learns of the project, gets what it
//! lacks of the commit, and runs that.

use std::path::Path;

use reqwest::Method;

use super::RemoteFarm;
use crate::error::{Code, Error, Result};
use crate::farm::wire::{CheckoutAnswer, CheckoutForm};
use crate::farm::{KnownCommit, Plan, Registered, Revision, RunRequest, Started, Target, checkout};
use crate::model::RefName;
use crate::workspace::{Checkout, Outbox, Snapshot};

/// What is known of a checkout and of the commit that is to run.
struct Prepared {
    outbox: Outbox,
    form: CheckoutForm,
    request: RunRequest,
    known: KnownCommit,
    notes: Vec<String>,
}

impl RemoteFarm {
    /// What a run of a checkout would queue. As with a run, the server gets the commit.
    pub(super) async fn plan_here(&self, folder: &Path, request: &RunRequest) -> Result<Plan> {
        let (registered, request, notes) = self.bring(folder, request).await?;
        let mut plan = self.plan_of(&registered.project.name, &request).await?;
        plan.notes.splice(0..0, notes);
        plan.registered = news(registered);
        Ok(plan)
    }

    /// Runs a checkout's files as they are, its HEAD or one of its refs.
    pub(super) async fn run_here(&self, folder: &Path, request: &RunRequest) -> Result<Started> {
        let (registered, request, notes) = self.bring(folder, request).await?;
        let mut started = self.run_of(&registered.project.name, &request).await?;
        started.notes.splice(0..0, notes);
        started.registered = news(registered);
        Ok(started)
    }

    /// Sees that the server has project and commit; the request as it is for that project.
    async fn bring(&self, folder: &Path, request: &RunRequest) -> Result<(Registered, RunRequest, Vec<String>)> {
        let (folder, request, workspace) = (folder.to_owned(), request.clone(), self.workspace.clone());
        let Prepared { outbox, form, mut request, known, notes } =
            super::blocking(move || prepare(&folder, request, &workspace)).await?;
        let put = self.server.request(Method::PUT, &["checkouts"]).json(&form);
        let answer: CheckoutAnswer = self.server.answer(put).await?;
        let name = &answer.registered.project.name;
        self.upload(name, outbox, &known.sha).await?;
        request.target = Target::Project(name.clone());
        request.revision = Revision::Commit(known);
        Ok((answer.registered, request, notes))
    }
}

fn news(registered: Registered) -> Option<Registered> {
    (registered.added || registered.changed).then_some(registered)
}

fn prepare(folder: &Path, mut request: RunRequest, workspace: &Path) -> Result<Prepared> {
    let here = Checkout::discover(folder)?;
    let form = checkout::form_of(&here)?;
    let outbox = Outbox::open(workspace, &here)?;
    let mut notes = Vec::new();
    let at = |git_ref: RefName, sha| KnownCommit { git_ref, sha, dirty: false };
    let known = match &request.revision {
        Revision::WorkingTree => {
            let Snapshot { sha, dirty, notes: told } = outbox.snapshot()?;
            notes = told;
            KnownCommit { git_ref: here.current_ref()?, sha, dirty }
        }
        Revision::Head => {
            let head = here.head()?.ok_or_else(|| {
                Error::new(Code::NoRepository, "this repository has no commit yet")
                    .hint("commit something, or leave out --committed to run the files as they are")
            })?;
            at(here.current_ref()?, head)
        }
        Revision::Ref(git_ref) => at(git_ref.clone(), here.resolve(git_ref)?),
        Revision::Commit(known) => known.clone(),
    };
    request.standing = here.standing(folder);
    Ok(Prepared { outbox, form, request, known, notes })
}
