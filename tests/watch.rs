//! Who waits for a job is told of its end, also when whoever ran it is killed.

mod support;

use std::fs;
use std::time::Duration;

use support::Repo;
use support::command::{Crafting, recipes};

#[test]
fn who_waits_for_a_job_is_told_that_its_runner_was_killed() {
    let crafting = Crafting::new();
    let begun = crafting.home().join("begun");
    let long = format!("echo begun; echo x > {}; exec sleep 300", begun.display());
    let repo = Repo::with(&[("crafting.toml", &recipes(&[("long", &long), ("next", "echo next")]))]);
    let mut run = crafting.args(["job", "run", "long", "next", "-j1"]).dir(repo.path()).start();
    until(|| begun.exists());
    let jobs = crafting.args(["job", "list", "--format", "json", "--recipe", "long"]).json();
    let id = jobs["jobs"][0]["id"].as_str().unwrap();
    let watch = crafting.args(["job", "watch", id, "--batch", "--format", "json"]).start();
    let follow = crafting.args(["job", "log", id, "-f"]).start();
    // Both wait: each has its files watched.
    let watches = |pid: u32| {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
        open.filter(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.to_string_lossy().contains("inotify"))).count()
    };
    until(|| watches(watch.child.id()) >= 1 && watches(follow.child.id()) >= 1);
    run.child.kill().unwrap();
    run.child.wait().unwrap();
    let watched = watch.wait();
    watched.wants(1);
    let jobs: Vec<String> = watched.json()["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| format!("{} {} {}", job["recipe"], job["status"], job["exit_code"]))
        .collect();
    // The one that waited for its turn is taken over.
    assert_eq!(jobs, ["\"long\" \"failed\" -1", "\"next\" \"passed\" 0"]);
    let followed = follow.wait();
    assert_eq!(followed.stdout, "begun\n[crafting-table] runner restart, job orphaned\n");
}

/// Waits for something that another process brings about.
fn until(condition: impl Fn() -> bool) {
    for _ in 0..3000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it never came");
}
