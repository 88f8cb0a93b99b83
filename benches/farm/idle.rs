//! What it costs to start, and to wait.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Measured;
use super::measure::{by_turns, timed};
use super::sandbox::{Sandbox, Step, finish};
use super::table::Row;

const WATCHED: Duration = Duration::from_secs(3);
/// Nearly none: what the kernel may wake a thread for by itself.
const WAKE_UPS: u64 = 2;

pub fn run() -> Measured {
    let sandbox = Sandbox::with_files(10, "[[subproject]]\npath = \".\"\ntest = \"sleep 60\"\n")?;
    // The path is looked up for neither.
    let git = find("git").ok_or("there is no git")?;
    let version = by_turns(
        100,
        || timed(|| finish(&mut sandbox.crafting(["--version"]))),
        || timed(|| finish(Command::new(&git).arg("--version"))),
    )?;
    let mut running = quietly(sandbox.crafting(["--quiet", "job", "run"]))?;
    let begun = wait_for_recipe(&running);
    let mut watching = quietly(sandbox.crafting(["--quiet", "job", "watch", "@last"]))?;
    // Everything has come to rest.
    std::thread::sleep(Duration::from_secs(1));
    let before = [wake_ups(running.id()), wake_ups(watching.id())];
    std::thread::sleep(WATCHED);
    let after = [wake_ups(running.id()), wake_ups(watching.id())];
    finish(&mut sandbox.crafting(["job", "cancel", "@last", "--force"]))?;
    running.wait()?;
    watching.wait()?;
    begun?;
    let row = |name: &str, which: usize| {
        let count = after[which] - before[which];
        Row::limit(name, format!("{count} wake-ups in 3 s"), format!("≤ {WAKE_UPS}"), count <= WAKE_UPS)
    };
    Ok(vec![
        Row::time("`crafting --version`", version.0, ("git --version", version.1), Some(2.0)),
        row("a `job run` whose recipe sleeps, all its threads", 0),
        row("a `job watch` of it", 1),
    ])
}

fn quietly(mut command: Command) -> Step<Child> {
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Until a process has a child, the job's supervisor, that has one in turn.
fn wait_for_recipe(process: &Child) -> Step {
    let children = |pid: u32| -> Vec<u32> {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        tasks
            .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
            .flat_map(|text| text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
            .collect()
    };
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        if children(process.id()).into_iter().any(|child| !children(child).is_empty()) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err("the recipe does not start".into())
}

/// How often the threads of a process have begun to wait, so far.
fn wake_ups(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let count = |task: fs::DirEntry| -> Option<u64> {
        let text = fs::read_to_string(task.path().join("status")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        line.trim().parse().ok()
    };
    tasks.filter_map(count).sum()
}
