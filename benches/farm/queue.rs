//! Many small jobs.

use std::fmt::Write as _;

use super::Measured;
use super::measure::{by_turns, timed};
use super::sandbox::{Sandbox, finish};
use super::table::Row;

const JOBS: u32 = 500;
/// Enough of the peer's to know its pace.
const WORKTREES: u32 = 50;

pub fn run() -> Measured {
    let mut project = "[[subproject]]\npath = \".\"\n[subproject.recipes]\n".to_owned();
    for number in 0..JOBS {
        writeln!(project, "r{number} = \"true\"")?;
    }
    let sandbox = Sandbox::with_files(100, &project)?;
    let names: Vec<String> = (0..JOBS).map(|number| format!("r{number}")).collect();
    // Both slots are there.
    finish(sandbox.crafting(["--quiet", "job", "run", "--workers", "2"]).args(&names[..10]))?;
    let ours = || timed(|| finish(sandbox.crafting(["--quiet", "job", "run", "--workers", "2"]).args(&names)));
    let peer = || timed(|| (0..WORKTREES).try_for_each(|_| sandbox.worktree_job()));
    let (ours, peer) = by_turns(3, ours, peer)?;
    let pace = (f64::from(JOBS) / ours.as_secs_f64(), f64::from(WORKTREES) / peer.as_secs_f64());
    Ok(vec![Row::rate("500 jobs of `true`, 2 workers", "jobs", pace.0, ("a worktree each", pace.1), Some(60.0))])
}
