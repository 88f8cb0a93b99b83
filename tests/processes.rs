//! Nothing survives its job, however the job ends; and what a recipe gets to see.

mod support;

use nix::sys::signal::Signal;
use serde_json::Value;
use support::{Farm, Repo, which};

/// Says that the recipe is ready for what the test does to it.
const READY: &str = "touch \"$HOME/ready-$CRAFTING_JOB_ID\"";
/// What heeds no SIGTERM.
const STUBBORN: &str = "trap '' TERM; touch \"$HOME/ready-$CRAFTING_JOB_ID\"; while :; do sleep 1; done";

fn statuses(jobs: &[Value]) -> Vec<&str> {
    jobs.iter().map(|job| job["status"].as_str().unwrap()).collect()
}

/// Four recipes of one subproject, a to d.
fn four(command: &str) -> Repo {
    Repo::of_recipes(&["a", "b", "c", "d"].map(|name| (name, command)))
}

#[test]
fn what_a_recipe_leaves_running_is_ended_and_the_job_passes_at_once() {
    let farm = Farm::new();
    let nap = farm.nap();
    let repo = Repo::of_recipes(&[("test", &format!("{nap} & setsid {nap} & echo hi"))]);
    let ran = farm.run(&repo, ["test"]).success();
    let job = ran.job();
    assert_eq!(job["status"], "passed");
    assert!(job["duration_ms"].as_i64().unwrap() < 30_000, "{ran}");
    farm.nothing_left(&ran.id());
    farm.nobody_naps();

    let log = farm.log(&ran.id());
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines[0], "hi");
    assert_eq!(lines.len(), 3, "{log}");
    assert!(lines[1..].iter().all(|line| line.starts_with("[crafting] ended,") && line.contains("sleep")), "{log}");
}

#[test]
fn a_daemon_without_the_jobs_environment_is_ended_too() {
    let farm = Farm::new();
    let nap = farm.nap();
    let repo = Repo::of_recipes(&[("test", &format!("setsid env -i {nap} >/dev/null 2>&1 & exit 3"))]);
    let ran = farm.run(&repo, ["test"]).exits(1);
    assert_eq!((&ran.job()["status"], &ran.job()["exit_code"]), (&"failed".into(), &3.into()));
    farm.nobody_naps();
}

#[test]
fn a_job_past_its_time_limit_is_timed_out() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", &format!("echo begun; exec {}", farm.nap()))]);
    let ran =
        farm.crafting(["job", "run", "--timeout", "1", "--format", "json"]).in_dir(repo.path()).output().exits(124);
    assert_eq!((&ran.job()["status"], &ran.job()["exit_code"]), (&"timed_out".into(), &124.into()));
    farm.nothing_left(&ran.id());
    farm.nobody_naps();
    assert_eq!(farm.log(&ran.id()), "begun\n[crafting] ended: the time limit of 1 s was up\n");
}

#[test]
fn a_recipe_that_ignores_sigterm_is_killed_after_the_grace() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", STUBBORN)]);
    let run = farm.crafting(["job", "run", "--format", "json"]).in_dir(repo.path()).spawn();
    let id = farm.wait_for_marks("ready", 1).remove(0);
    farm.crafting(["job", "cancel", &id]).output().success();
    let ran = run.finish().exits(130);
    assert_eq!(ran.job()["status"], "cancelled");
    let took = ran.job()["duration_ms"].as_i64().unwrap();
    assert!((10_000..60_000).contains(&took), "it took {took} ms");
    farm.nothing_left(&ran.id());
}

#[test]
fn ctrl_c_ends_a_batch_and_leaves_nothing() {
    let farm = Farm::new();
    let repo = four(&format!("{READY}; exec {}", farm.nap()));
    let run = farm
        .crafting(["job", "run", "a", "b", "c", "d", "--format", "json"])
        .env("CRAFTING_WORKERS", "4")
        .in_dir(repo.path())
        .spawn();
    let ids = farm.wait_for_marks("ready", 4);
    assert_eq!(farm.links().len(), 4);
    run.signal_group(Signal::SIGINT);
    let ran = run.finish().exits(130);
    assert_eq!(statuses(&ran.jobs()), ["cancelled"; 4]);
    assert_eq!(statuses(&farm.jobs()), ["cancelled"; 4]);
    ids.iter().for_each(|id| farm.nothing_left(id));
    farm.nobody_naps();

    // The slots were given back: four jobs at once need no fifth one.
    repo.write("crafting.toml", support::recipe_file("other", &["a", "b", "c", "d"].map(|name| (name, "true"))));
    let ran = farm
        .crafting(["job", "run", "a", "b", "c", "d", "--format", "json"])
        .env("CRAFTING_WORKERS", "4")
        .in_dir(repo.path())
        .output()
        .success();
    assert_eq!(statuses(&ran.jobs()), ["passed"; 4]);
    assert!(!farm.workspace().join("repo/slot-5.lock").exists());
}

#[test]
fn queued_jobs_of_an_interrupted_batch_never_start() {
    let farm = Farm::new();
    let repo = four(&format!("{READY}; exec {}", farm.nap()));
    let run =
        farm.crafting(["job", "run", "a", "b", "c", "d", "-j", "1", "--format", "json"]).in_dir(repo.path()).spawn();
    farm.wait_for_marks("ready", 1);
    run.signal(Signal::SIGINT);
    let ran = run.finish().exits(130);
    assert_eq!(statuses(&ran.jobs()), ["cancelled"; 4]);
    let started = ran.jobs().iter().filter(|job| !job["started_at"].is_null()).count();
    assert_eq!(started, 1, "{ran}");
    farm.nobody_naps();
}

#[test]
fn a_second_ctrl_c_kills_at_once() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", STUBBORN)]);
    let run = farm.crafting(["job", "run", "--format", "json"]).in_dir(repo.path()).spawn();
    farm.wait_for_marks("ready", 1);
    run.signal(Signal::SIGINT);
    run.wait_for_stderr("once more");
    run.signal(Signal::SIGINT);
    let ran = run.finish().exits(130);
    assert_eq!(ran.job()["status"], "cancelled");
    let took = ran.job()["duration_ms"].as_i64().unwrap();
    assert!(took < 10_000, "it was given the whole grace: {took} ms");
    farm.nothing_left(&ran.id());
}

#[test]
fn sigterm_and_sighup_end_a_run_as_ctrl_c_does() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let farm = Farm::new();
        let repo = Repo::of_recipes(&[("test", &format!("{READY}; exec {}", farm.nap()))]);
        let run = farm.crafting(["job", "run", "--format", "json"]).in_dir(repo.path()).spawn();
        farm.wait_for_marks("ready", 1);
        run.signal(signal);
        let ran = run.finish().exits(130);
        assert_eq!(ran.job()["status"], "cancelled", "{signal}");
        farm.nothing_left(&ran.id());
        farm.nobody_naps();
    }
}

#[test]
fn a_recipe_sees_an_environment_built_from_nothing() {
    let farm = Farm::new();
    let command = "cat; test $(stat -c %a \"$TMPDIR\") = 700 || exit 1; touch \"$TMPDIR/mine\"; pwd; env";
    let repo = Repo::of_recipes(&[("test", &format!("{{ command = '{command}', env = {{ OWN = \"own\" }} }}"))]);
    let ran = farm
        .crafting(["job", "run", "--format", "json"])
        .env("SMTP_PASSWORD", "hunter2")
        .env("CRAFTING_TOKEN", format!("ct_{}A", "hunter2".repeat(6)))
        .env("GIT_ASKPASS", "hunter2")
        .in_dir(repo.path())
        .output()
        .success();
    let id = ran.id();
    let log = farm.log(&id);
    assert!(!log.contains("hunter2"), "{log}");
    let mut lines = log.lines();
    let folder = lines.next().unwrap();
    assert!(folder.ends_with("/repo/slot-1"), "{log}");
    let sha = ran.job()["sha"].as_str().unwrap().to_owned();
    let env: std::collections::BTreeMap<&str, &str> = lines.map(|line| line.split_once('=').unwrap()).collect();
    for (name, value) in [
        ("CI", "true"),
        ("TERM", "dumb"),
        ("OWN", "own"),
        ("HOME", farm.home().to_str().unwrap()),
        ("CRAFTING_JOB_ID", &id),
        ("CRAFTING_PROJECT", "repo"),
        ("CRAFTING_SUBPROJECT", "."),
        ("CRAFTING_RECIPE", "test"),
        ("CRAFTING_SHA", &sha),
    ] {
        assert_eq!(env.get(name), Some(&value), "{name} in {log}");
    }
    let temporary = std::path::Path::new(env["TMPDIR"]);
    assert!(temporary.starts_with(farm.temporary()) && !temporary.exists(), "{}", temporary.display());
    farm.nothing_left(&id);
}

#[test]
fn a_signal_that_ended_the_recipe_is_in_its_exit_code() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", "kill -SEGV $$")]);
    let ran = farm.run(&repo, ["test"]).exits(1);
    assert_eq!((&ran.job()["status"], &ran.job()["exit_code"]), (&"failed".into(), &139.into()));
}

/// A git that says that it is ready and then hangs in this command.
fn hang_in(farm: &Farm, command: &str) {
    let (git, nap) = (which("git"), farm.nap());
    let case = format!("*\" {command} \"*) {READY}; exec {nap};;");
    farm.program("git", &format!("#!/bin/sh\ncase \" $* \" in {case} esac\nexec {git} \"$@\"\n"));
}

#[test]
fn ctrl_c_while_git_is_at_work_is_an_interruption_and_no_failure() {
    let farm = Farm::new();
    hang_in(&farm, "clone");
    let repo = Repo::of_recipes(&[("test", "true")]);
    let run = farm.crafting(["job", "run", "--format", "json"]).in_dir(repo.path()).spawn();
    farm.wait_for_nap();
    run.signal_group(Signal::SIGINT);
    let ran = run.finish().exits(130);
    assert!(ran.stderr.contains("interrupted"), "{ran}");
    farm.nobody_naps();
    assert_eq!(farm.jobs(), [] as [Value; 0]);
}

#[test]
fn a_job_that_waits_for_git_can_be_cancelled() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", "true")]);
    let bare = farm.home().join("remote.git");
    support::git(&farm.home(), &["clone", "--quiet", "--bare", repo.path().to_str().unwrap(), bare.to_str().unwrap()]);
    farm.crafting(["project", "add", &format!("file://{}", bare.display()), "--name", "remote"]).output().success();
    repo.commit("second");
    repo.git(&["push", "--quiet", bare.to_str().unwrap(), "main"]);
    hang_in(&farm, "fetch");
    let run = farm.crafting(["job", "run", "-p", "remote", "--format", "json"]).spawn();
    let id = farm.wait_for_marks("ready", 1).remove(0);
    farm.crafting(["job", "cancel", &id]).output().success();
    let ran = run.finish().exits(130);
    assert_eq!((&ran.job()["status"], &ran.job()["error"]), (&"cancelled".into(), &Value::Null));
    assert_eq!(farm.log(&id), "[crafting] ended: the job was cancelled\n");
    farm.nothing_left(&id);
    farm.nobody_naps();
    farm.program("git", &format!("#!/bin/sh\nexec {} \"$@\"\n", which("git")));
    farm.crafting(["job", "run", "-p", "remote"]).output().success();
}
