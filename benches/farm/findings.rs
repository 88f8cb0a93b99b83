//! What tools print, 100 MB of it, to rows in the ledger: a job that prints it, beside the tools that only read it.

use std::fs;
use std::process::{Command, Stdio};

use super::Measured;
use super::measure::{by_turns, median, timed, watched};
use super::reports::{self, Report};
use super::sandbox::{Sandbox, Step, finish};
use super::table::Row;

/// KiB.
const MEMORY: u64 = 64 << 10;
/// Of the rate of reading the same with serde_json into the types that are needed, or of counting lines.
const GOAL_JSON: f64 = 0.4;
const GOAL_TEXT: f64 = 0.5;

pub fn run() -> Measured {
    let mut rows = Vec::new();
    for report in reports::ALL {
        match measure(report) {
            Ok(measured) => rows.extend(measured),
            Err(error) => rows.push(Row::skipped(report.name, &error.to_string())),
        }
    }
    Ok(rows)
}

fn measure(report: &Report) -> Measured {
    let sandbox = Sandbox::new()?;
    let file = sandbox.path("report");
    let bytes = report.write(&file)?;
    let project = format!(
        "[[subproject]]\npath = \".\"\nlanguage = \"rust\"\n[subproject.recipes]\nnothing = \"true\"\nprint = \"cat '{}'\"\n",
        file.display()
    );
    fs::write(sandbox.repository().join("crafting.toml"), project)?;
    sandbox.commit()?;
    // The slot is warm, so that this is about the log alone.
    finish(&mut sandbox.crafting(["--quiet", "job", "run", "nothing"]))?;

    let mut peak = 0;
    let job = |peak: &mut u64| {
        timed(|| -> Step {
            *peak = (*peak).max(watched(&mut sandbox.crafting(["--quiet", "job", "run", "print"]))?);
            Ok(())
        })
    };
    let counted = |command: &str| {
        let command = format!("{command} '{}' > /dev/null", file.display());
        timed(|| finish(Command::new("sh").args(["-c", &command])))
    };
    let from = || {
        let mut command = sandbox.crafting(["findings", "--format", "jsonl", "--from"]);
        timed(|| finish(command.arg(&file).stdout(Stdio::null())))
    };
    let nothing = median(
        (0..5)
            .map(|_| timed(|| finish(&mut sandbox.crafting(["--quiet", "job", "run", "nothing"]))))
            .collect::<Step<_>>()?,
    );
    let (ours, lines) = by_turns(3, || job(&mut peak), || counted("wc -l"))?;
    let (alone, serde) = by_turns(3, from, || timed(|| (report.read)(&file)))?;
    let jq = if report.is_json() { Some(counted("jq -c .")).transpose().ok().flatten() } else { None };
    let stored = sandbox.crafting(["findings", "--format", "jsonl"]).output()?.stdout;
    let found = memchr::memchr_iter(b'\n', &stored).count();
    if found == 0 {
        return Err(format!("nothing was found in {}", report.name).into());
    }

    #[allow(clippy::cast_precision_loss)] // Megabytes for people.
    let rate = |time: std::time::Duration| bytes as f64 / 1e6 / time.as_secs_f64();
    let name = report.name;
    let (peer, goal) =
        if report.is_json() { (("serde_json", rate(serde)), GOAL_JSON) } else { (("wc -l", rate(lines)), GOAL_TEXT) };
    let goal = goal * peer.1;
    let mut rows = vec![
        Row::rate(
            &format!("{name}: a job, {found} rows"),
            "MB",
            rate(ours.saturating_sub(nothing)),
            peer,
            Some(goal.round()),
        ),
        Row::rate(&format!("{name}: `findings --from`"), "MB", rate(alone), ("wc -l", rate(lines)), None),
        Row::limit(
            &format!("{name}: memory of the job at its peak"),
            format!("{:.1} MiB", peak as f64 / 1024.0),
            "< 64 MiB".to_owned(),
            peak < MEMORY,
        ),
    ];
    if let Some(jq) = jq {
        rows.push(Row::rate(&format!("{name}: a job"), "MB", rate(ours), ("jq -c", rate(jq)), None));
    }
    Ok(rows)
}
