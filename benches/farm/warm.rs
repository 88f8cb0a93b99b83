//! A published crate's tests, warm, beside the same by hand in one folder.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::Measured;
use super::measure::{by_turns, timed};
use super::sandbox::{Sandbox, Step, finish};
use super::table::Row;

/// Small, with tests and documentation tests, and without dependencies.
const CRATE: (&str, &str) = ("semver", "1.0.27");

pub fn run() -> Measured {
    let sandbox = Sandbox::new()?;
    let repository = sandbox.repository();
    download(&sandbox.path("download"), &repository)?;
    let project = "[[subproject]]\npath = \".\"\nlanguage = \"rust\"\ntest = \"cargo test --offline\"\n\
                   [subproject.recipes]\nnothing = \"true\"\n";
    fs::write(repository.join("crafting.toml"), project)?;
    fs::write(repository.join(".gitignore"), "/target\n")?;
    let hand = sandbox.path("hand");
    finish(Command::new("cp").arg("-r").arg(&repository).arg(&hand))?;
    finish(Command::new("cargo").args(["generate-lockfile", "--offline"]).current_dir(&repository))?;
    fs::copy(repository.join("Cargo.lock"), hand.join("Cargo.lock"))?;
    sandbox.commit()?;

    let ours = || timed(|| finish(&mut sandbox.crafting(["--quiet", "job", "run", "test"])));
    let by_hand = || timed(|| finish(Command::new("cargo").args(["test", "--offline"]).current_dir(&hand)));
    // The first of each is cold.
    ours()?;
    by_hand()?;

    let same = by_turns(5, ours, by_hand)?;
    let (mut our_edits, mut hand_edits) = (0, 0);
    let changed = by_turns(
        5,
        || {
            our_edits += 1;
            edit(&repository, our_edits)?;
            sandbox.commit()?;
            ours()
        },
        || {
            hand_edits += 1;
            edit(&hand, hand_edits)?;
            by_hand()
        },
    )?;
    let nothing = || timed(|| finish(&mut sandbox.crafting(["--quiet", "job", "run", "nothing"])));
    let shell = || timed(|| finish(Command::new("sh").args(["-c", "true"]).current_dir(&hand)));
    let (overhead, shell) = by_turns(9, nothing, shell)?;
    let row = |what: &str, times: (Duration, Duration)| {
        let name = format!("`cargo test` of {} {}, {what}", CRATE.0, CRATE.1);
        Row::time(&name, times.0.saturating_sub(overhead), ("by hand", times.1), Some(1.2))
    };
    Ok(vec![
        row("same commit", same),
        row("one line changed", changed),
        Row::time("taken off those: the command's own share", overhead, ("sh -c true", shell), None),
    ])
}

/// Gets the crate's source through cargo.
fn download(folder: &Path, to: &Path) -> Step {
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let (name, version) = CRATE;
    let manifest =
        format!("[package]\nname = \"download\"\nedition = \"2024\"\n[dependencies]\n{name} = \"={version}\"\n");
    fs::write(folder.join("Cargo.toml"), manifest)?;
    finish(Command::new("cargo").args(["vendor", "--quiet", "vendor"]).current_dir(folder))?;
    let source = folder.join("vendor").join(name);
    fs::remove_file(source.join(".cargo-checksum.json"))?;
    finish(Command::new("cp").arg("-r").arg(source.join(".")).arg(to))
}

/// One more line at the end of the crate's root.
fn edit(crate_root: &Path, number: u32) -> Step {
    let path = crate_root.join("src/lib.rs");
    let text = fs::read_to_string(&path)?;
    Ok(fs::write(path, format!("{text}// Edit {number}.\n"))?)
}
