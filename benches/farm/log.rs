//! Capturing much output, and reading it again.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::Measured;
use super::measure::{by_turns, median, timed, watched};
use super::produce;
use super::sandbox::{Sandbox, Step, finish};
use super::table::Row;

/// Lines of 100 bytes that just fit below 1 GiB, the default limit of a log.
const BULK_LINES: u64 = (1 << 30) / 100;
const SINGLE_LINES: u64 = 1_000_000;
/// KiB.
const MEMORY: u64 = 64 << 10;
const TAIL: Duration = Duration::from_millis(20);

pub fn run() -> Measured {
    let sandbox = Sandbox::new()?;
    let program = std::env::current_exe()?;
    let recipe = |how: &str, lines: u64| format!("'{}' {} {how} {lines}", program.display(), produce::ARGUMENT);
    let (bulk, single) = (recipe("bulk", BULK_LINES), recipe("single", SINGLE_LINES));
    let project = format!(
        "[[subproject]]\npath = \".\"\nlanguage = \"rust\"\n[subproject.recipes]\nbulk = \"{bulk}\"\nsingle = \
         \"{single}\"\nnothing = \"true\"\n"
    );
    fs::write(sandbox.repository().join("crafting.toml"), project)?;
    sandbox.commit()?;
    // The slot is warm, so that this is about the log alone.
    finish(&mut sandbox.crafting(["--quiet", "job", "run", "nothing"]))?;

    let mut peak = 0;
    let captured = |name: &str, peak: &mut u64| -> Step<Duration> {
        remove_logs(&sandbox.path("data/logs"))?;
        timed(|| {
            *peak = (*peak).max(watched(&mut sandbox.crafting(["--quiet", "job", "run", name]))?);
            Ok(())
        })
    };
    let file = sandbox.path("captured");
    let piped = |command: &str| -> Step<Duration> {
        let _ = fs::remove_file(&file);
        let command = format!("{command} | cat > '{}'", file.display());
        timed(|| finish(Command::new("sh").args(["-c", &command])))
    };
    let many = by_turns(3, || captured("single", &mut peak), || piped(&single))?;
    let much = by_turns(3, || captured("bulk", &mut peak), || piped(&bulk))?;
    captured("bulk", &mut peak)?;
    let job = only_log(&sandbox.path("data/logs"))?;
    let tail = |_| timed(|| finish(&mut sandbox.crafting(["job", "log", &job, "--tail", "200"])));
    let tail = median((0..20).map(tail).collect::<Step<_>>()?);
    let tail_ms = format!("{:.1} ms", tail.as_secs_f64() * 1000.0);
    Ok(vec![
        Row::time("capture of 1 GiB in lines of 100 bytes", much.0, ("| cat > FILE", much.1), Some(1.3)),
        Row::limit(
            "memory at its peak meanwhile",
            format!("{:.1} MiB", peak as f64 / 1024.0),
            "< 64 MiB".to_owned(),
            peak < MEMORY,
        ),
        Row::time("capture of 1 000 000 lines, a write each", many.0, ("| cat > FILE", many.1), Some(1.3)),
        Row::limit("`job log --tail 200` of 1 GiB", tail_ms, "< 20 ms".to_owned(), tail < TAIL),
    ])
}

/// The id of the one job that has a log.
fn only_log(folder: &Path) -> Step<String> {
    for entry in fs::read_dir(folder)? {
        if let Some(id) = entry?.file_name().to_str().and_then(|name| name.strip_suffix(".log")) {
            return Ok(id.to_owned());
        }
    }
    Err("there is no log".into())
}

fn remove_logs(folder: &Path) -> Step {
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}
