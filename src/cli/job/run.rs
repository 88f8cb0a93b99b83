//! `crafting job run`.

use std::time::Duration;

use super::super::args::RunArgs;
use super::super::here;
use super::super::project::registration;
use super::super::ui::table::Table;
use super::super::ui::{Ui, text};
use super::attached::{Attached, Attachment, OnInterrupt};
use crate::error::Result;
use crate::farm::{Farm, Plan, Revision, RunRequest, Target};

/// Runs recipes, or shows what would run.
pub async fn run(ui: &Ui, farm: &dyn Farm, args: RunArgs) -> Result<u8> {
    let attachment = (!args.detach).then_some(Attachment {
        follow: args.follow,
        fail_on: args.fail_on,
        on_interrupt: OnInterrupt::Cancel,
    });
    let dry_run = args.dry_run;
    let request = request(args)?;
    let preparing = preparing(farm, &request);
    if dry_run {
        return plan(ui, &ui.waiting_for_uploads(preparing, farm.uploading(), farm.plan(&request)).await?);
    }
    let starting = ui.waiting_for_uploads(preparing, farm.uploading(), farm.run(&request));
    Attached::new(ui, farm)?.start(starting, attachment).await
}

/// What goes on until the jobs are queued. A project on a server has no files on this machine.
fn preparing(farm: &dyn Farm, request: &RunRequest) -> &'static str {
    match (&request.target, &request.revision) {
        (Target::Project(_), _) if farm.server().is_some() => "queueing the jobs",
        (_, Revision::WorkingTree) => "taking a snapshot of the repository",
        _ => "looking for the commit",
    }
}

fn request(args: RunArgs) -> Result<RunRequest> {
    Ok(RunRequest {
        target: match args.project {
            Some(project) => Target::Project(project),
            None => Target::Checkout(here()?),
        },
        recipes: args.recipes,
        subprojects: args.subprojects,
        standing: None,
        revision: match (args.git_ref, args.committed) {
            (Some(git_ref), _) => Revision::Ref(git_ref),
            (None, true) => Revision::Head,
            (None, false) => Revision::WorkingTree,
        },
        timeout: args.timeout,
        keep_slot: args.keep,
        fresh: args.fresh,
        detach: args.detach,
    })
}

fn plan(ui: &Ui, plan: &Plan) -> Result<u8> {
    if let Some(registered) = &plan.registered {
        ui.note(&registration(registered));
    }
    plan.notes.iter().for_each(|note| ui.note(note));
    if ui.is_json() {
        ui.json(plan)?;
        return Ok(0);
    }
    let mut table = Table::new(["subproject", "recipe", "timeout", "secrets", "command"]).optional(&[3]);
    for job in &plan.jobs {
        let recipe = &job.recipe_snapshot;
        table.row([
            job.subproject.as_str().into(),
            job.recipe.as_str().into(),
            text::duration(Duration::from_secs(recipe.timeout_secs)).into(),
            text::list(&recipe.secrets).into(),
            recipe.command.trim().replace('\n', "; ").into(),
        ]);
    }
    let state = match (&plan.sha, plan.dirty) {
        (Some(sha), true) => format!("{} as it is now ({})", plan.git_ref, sha.short()),
        (Some(sha), false) => format!("{} ({})", plan.git_ref, sha.short()),
        (None, _) => plan.git_ref.to_string(),
    };
    let jobs = text::count(u64::try_from(plan.jobs.len()).unwrap_or(u64::MAX), "job");
    ui.print(&format!("{}\nwould run {jobs} of {} at {state}\n", table.render(ui.look()), plan.project))?;
    Ok(0)
}
