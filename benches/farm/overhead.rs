//! What one job costs that does nothing.

use crafting::farm::{Event, Farm, FollowLogs, LocalFarm, Revision, RunRequest, Started, Target};
use crafting::model::{JobId, JobStatus, Scope};

use super::Measured;
use super::measure::{by_turns, timed};
use super::sandbox::{Sandbox, Step, finish};
use super::table::Row;

/// A project whose one recipe does nothing.
const PROJECT: &str = "[[subproject]]\npath = \".\"\ntest = \"true\"\n";
const PEER: &str = "worktree add, sh, remove";

pub fn run() -> Measured {
    let sandbox = Sandbox::with_files(100, PROJECT)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let farm = LocalFarm::open(sandbox.settings()?)?;
    let request = RunRequest {
        target: Target::Checkout(sandbox.repository()),
        recipes: Vec::new(),
        subprojects: Vec::new(),
        standing: None,
        revision: Revision::Head,
        timeout: None,
        keep_slot: false,
        fresh: false,
        detach: false,
    };
    let first = runtime.block_on(async { ended(&farm, farm.run(&request).await?).await })?;
    // A job again: its commit is in the mirror, its slot is warm, nothing is asked of the user's repository.
    let again = || timed(|| runtime.block_on(async { ended(&farm, farm.retry(&first, false).await?).await }).map(drop));
    let job = by_turns(60, again, || timed(|| sandbox.worktree_job()))?;
    let command = || timed(|| finish(&mut sandbox.crafting(["--quiet", "job", "run"])));
    let whole = by_turns(30, command, || timed(|| sandbox.worktree_job()))?;
    Ok(vec![
        Row::time("one job of `true`, 100 files", job.0, (PEER, job.1), Some(1.0)),
        Row::time("`crafting job run` of it, with snapshot", whole.0, (PEER, whole.1), None),
    ])
}

async fn ended(farm: &LocalFarm, started: Started) -> Step<JobId> {
    let mut events = farm.follow(&Scope::Batch(started.batch.batch_id), FollowLogs::None).await?;
    let mut last = None;
    while let Some(event) = events.recv().await {
        if let Event::State(job) = event? {
            last = Some(job);
        }
    }
    match last {
        Some(job) if job.status == JobStatus::Passed => Ok(job.id),
        other => Err(format!("the job did not pass: {other:?}").into()),
    }
}
