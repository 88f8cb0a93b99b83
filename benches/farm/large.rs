//! A repository of 50,000 files.

use std::ffi::OsStr;
use std::fs;
use std::time::{Duration, Instant};

use crafting::model::{CommitId, GitUrl, JobId, ProjectName, RecipeName, SubPath};
use crafting::workspace::{LeaseRequest, Mirror, Release, Slot, Workspace};

use super::Measured;
use super::measure::{by_turns, median, timed};
use super::sandbox::{Sandbox, Step};
use super::table::Row;

const FILES: u32 = 50_000;
const CHANGED: u32 = 10;

pub fn run() -> Measured {
    let sandbox = Sandbox::with_files(FILES, "[[subproject]]\npath = \".\"\ntest = \"true\"\n")?;
    let workspace = Workspace::open(sandbox.path("workspace"))?;
    let project: ProjectName = "large".parse()?;
    let url: GitUrl = sandbox.repository().display().to_string().parse()?;
    let mirror = workspace.mirror(&project, &url);
    let head = mirror.resolve(&"main".parse()?)?.sha;

    // A slot that is held is no other job's, so each lease lays a tree of its own.
    let mut slots = Vec::new();
    let mut trees = 0;
    let (first, worktree) = by_turns(
        3,
        || {
            let (slot, time) = lease(&workspace, &mirror, &head)?;
            slots.push(slot);
            Ok(time)
        },
        || {
            trees += 1;
            let place = sandbox.path(&format!("worktree-{trees}"));
            let arguments = ["worktree", "add", "--detach", "--quiet"].map(OsStr::new);
            timed(|| sandbox.git(arguments.into_iter().chain([place.as_os_str()])))
        },
    )?;
    let kept = slots.swap_remove(0);
    kept.release(Release::Clean)?;

    let mut next = Vec::new();
    for round in 0..7 {
        for number in 0..CHANGED {
            let file = number * (FILES / CHANGED) + round;
            let path = sandbox.repository().join(format!("folder-{}/file-{file}.txt", file / 100));
            fs::write(path, format!("Changed in round {round}.\n"))?;
        }
        sandbox.commit()?;
        let head = mirror.resolve(&"main".parse()?)?.sha;
        let (slot, time) = lease(&workspace, &mirror, &head)?;
        slot.release(Release::Clean)?;
        next.push(time);
    }
    let peer = ("worktree add", worktree);
    Ok(vec![
        Row::time("50 000 files: the first job's tree", first, peer, Some(1.1)),
        Row::time("the next one's, ten files changed", median(next), peer, Some(0.05)),
    ])
}

fn lease(workspace: &Workspace, mirror: &Mirror, sha: &CommitId) -> Step<(Slot, Duration)> {
    let (subproject, recipe, job) = (SubPath::root(), "test".parse::<RecipeName>()?, JobId::random()?);
    let request = LeaseRequest {
        subproject: &subproject,
        recipe: &recipe,
        job: &job,
        sha,
        keep: &[],
        fresh: false,
        submodules: false,
    };
    let begun = Instant::now();
    let slot = workspace.lease(mirror, &request, &mut |_| {})?;
    Ok((slot, begun.elapsed()))
}
