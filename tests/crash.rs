//! Crashes and crowds: a killed crafting, and many at once on one data directory.

mod support;

use std::collections::BTreeSet;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use support::{Crafting, Farm, Repo, Running, processes, recipe_file, which};

const READY: &str = "touch \"$HOME/ready-$CRAFTING_JOB_ID\"";
const ORPHAN_LINE: &str = "[crafting-table] runner restart, job orphaned\n";

fn job_run<'a>(farm: &'a Farm, repo: &Repo) -> Crafting<'a> {
    farm.crafting(["job", "run", "--format", "json"]).in_dir(repo.path())
}

/// A run whose job naps, and that job.
fn napping<'a>(farm: &'a Farm, repo: &Repo) -> (Running<'a>, String) {
    let before: BTreeSet<String> = farm.marks("ready").into_iter().collect();
    let run = job_run(farm, repo).spawn();
    let ids = farm.wait_for_marks("ready", before.len() + 1);
    let id = ids.into_iter().find(|id| !before.contains(id)).unwrap();
    (run, id)
}

/// A run whose job naps and has the word "begun" in its log.
fn begun<'a>(farm: &'a Farm, repo: &Repo) -> (Running<'a>, String) {
    let (run, id) = napping(farm, repo);
    // A command would look for stranded jobs.
    let log = farm.data().join(format!("logs/{id}.log"));
    farm.wait_until("the log begins", || fs::read(&log).is_ok_and(|log| log == b"begun"));
    (run, id)
}

fn nap_recipe(farm: &Farm) -> Repo {
    Repo::of_recipes(&[("test", &format!("printf begun; {READY}; {nap} & setsid {nap}", nap = farm.nap()))])
}

fn kill_supervisor_of(job: &str) {
    let mark = format!("CRAFTING_JOB_ID={job}");
    let found = processes(|process| process.name == "crafting-job" && process.has(&mark));
    assert_eq!(found.len(), 1, "{found:?}");
    let pid = found[0].split(' ').next().unwrap().parse().unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

fn rows(jobs: &[Value], keys: &[&str]) -> Vec<Vec<Value>> {
    jobs.iter().map(|job| keys.iter().map(|key| job[key].clone()).collect()).collect()
}

#[test]
fn the_next_command_of_any_kind_ends_a_stranded_job() {
    for next in [["job", "list"], ["project", "list"], ["ledger", "check"], ["findings", "--new"]] {
        let farm = Farm::new();
        let repo = nap_recipe(&farm);
        let (run, id) = begun(&farm, &repo);
        run.kill();
        let ran = farm.crafting(next).in_dir(repo.path()).output().success();
        assert!(ran.stderr.contains("stranded"), "{ran}");
        farm.nothing_left(&id);
        farm.nobody_naps();
        let job = farm.job(&id);
        assert_eq!((&job["status"], &job["exit_code"]), (&"failed".into(), &(-1).into()), "{next:?}");
        assert!(!job["finished_at"].is_null());
        let log = farm.log(&id);
        assert_eq!(log, format!("begun\n{ORPHAN_LINE}"), "{next:?}");
        assert_eq!(job["log_bytes"], log.len());
        // Said once.
        assert!(!farm.crafting(next).in_dir(repo.path()).output().success().stderr.contains("stranded"));
    }
}

#[test]
fn killed_together_with_its_supervisor_a_job_leaves_nothing_either() {
    let farm = Farm::new();
    let repo = nap_recipe(&farm);
    let (run, id) = begun(&farm, &repo);
    // Stopped first, so that the one cannot act on the other's death.
    run.signal(Signal::SIGSTOP);
    kill_supervisor_of(&id);
    run.kill();
    farm.crafting(["job", "list"]).output().success();
    farm.nothing_left(&id);
    farm.nobody_naps();
    assert_eq!(farm.job(&id)["exit_code"], -1);
    assert_eq!(farm.log(&id), format!("begun\n{ORPHAN_LINE}"));
}

#[test]
fn a_killed_supervisor_fails_the_job_and_leaves_nothing() {
    let farm = Farm::new();
    let repo = nap_recipe(&farm);
    let (run, id) = napping(&farm, &repo);
    kill_supervisor_of(&id);
    let ran = run.finish().exits(3);
    assert_eq!(ran.job()["status"], "failed");
    assert!(ran.job()["error"].as_str().unwrap().contains("supervisor was killed"), "{ran}");
    farm.nothing_left(&id);
    farm.nobody_naps();
    repo.write("crafting.toml", recipe_file("other", &[("test", "true")]));
    farm.run(&repo, ["test"]).success();
}

#[test]
fn the_slot_of_a_killed_job_is_laid_anew() {
    let farm = Farm::new();
    // Says what it found of an earlier job, and leaves something itself; naps when told to.
    let command = format!(
        "test -e target/kept && echo warm || echo cold; mkdir -p target; touch target/kept; \
         test -e calm || {{ {READY}; exec {}; }}",
        farm.nap()
    );
    let repo = Repo::with(&[("crafting.toml", &recipe_file("rust", &[("test", &command)]))]);
    repo.write("calm", "");
    farm.run(&repo, ["test"]).success();
    let warm = farm.run(&repo, ["test"]).success();
    assert_eq!(farm.log(&warm.id()), "warm\n", "a slot keeps its target folder from job to job");

    repo.remove("calm");
    let (run, id) = napping(&farm, &repo);
    let slot = fs::read_link(farm.workspace().join("repo").join(&id)).unwrap();
    run.kill();
    repo.write("calm", "");
    let after = farm.run(&repo, ["test"]).success();
    assert_eq!(farm.log(&after.id()), "cold\n");
    assert_eq!(slot.to_str(), Some("slot-1"));
    assert!(!farm.workspace().join("repo/slot-2.lock").exists(), "the same slot serves again");
}

#[test]
fn many_commands_after_a_crash_write_the_orphan_line_once() {
    let farm = Farm::new();
    let repo = nap_recipe(&farm);
    let (run, id) = begun(&farm, &repo);
    run.kill();
    let commands: Vec<Running> = (0..8).map(|_| farm.crafting(["job", "list"]).spawn()).collect();
    let told = commands.into_iter().map(Running::finish).filter(|ran| ran.stderr.contains("stranded")).count();
    assert_eq!(told, 1);
    assert_eq!(farm.log(&id), format!("begun\n{ORPHAN_LINE}"));
    farm.nothing_left(&id);
}

#[test]
fn a_recovery_that_was_killed_itself_is_finished_by_the_next() {
    let farm = Farm::new();
    let repo = nap_recipe(&farm);
    let (run, id) = begun(&farm, &repo);
    run.kill();
    // As it is when the line is in the log and the row not written yet.
    let log = farm.data().join(format!("logs/{id}.log"));
    fs::write(&log, format!("begun\n{ORPHAN_LINE}")).unwrap();
    farm.crafting(["job", "list"]).output().success();
    assert_eq!(farm.log(&id), format!("begun\n{ORPHAN_LINE}"));
    let job = farm.job(&id);
    assert_eq!((&job["exit_code"], &job["log_lines"]), (&(-1).into(), &2.into()));
}

#[test]
fn a_stranded_job_whose_log_cannot_be_written_stops_no_command() {
    let farm = Farm::new();
    let repo = nap_recipe(&farm);
    let (run, id) = begun(&farm, &repo);
    run.kill();
    let log = farm.data().join(format!("logs/{id}.log"));
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();
    farm.crafting(["job", "list"]).output().success();
    assert_eq!(farm.job(&id)["exit_code"], -1);
    farm.nothing_left(&id);
}

#[test]
fn two_runs_at_once_disturb_each_other_in_nothing() {
    let farm = Farm::new();
    let meet =
        "touch \"$HOME/here-$CRAFTING_JOB_ID\"; until [ $(ls \"$HOME\" | grep -c here-) -ge 2 ]; do sleep 0.01; done";
    let repo = Repo::of_recipes(&[("test", &format!("test ! -e mine; touch mine; {meet}; pwd"))]);
    let runs = [job_run(&farm, &repo).spawn(), job_run(&farm, &repo).spawn()];
    let logs = runs.map(|run| farm.log(&run.finish().success().id()));
    assert_ne!(logs[0], logs[1], "each has a slot of its own");
}

#[test]
fn twenty_runs_at_once_lose_nothing() {
    let farm = Farm::new();
    let git = which("git");
    farm.program("git", &format!("#!/bin/sh\necho \" $* \" >> \"$HOME/git.log\"\nexec {git} \"$@\"\n"));
    let repo = Repo::of_recipes(&[("test", "echo \"$CRAFTING_JOB_ID\"")]);
    // On a data directory that none of them finds made.
    let runs: Vec<Running> = (0..20).map(|_| job_run(&farm, &repo).spawn()).collect();
    let mut ids = BTreeSet::new();
    for run in runs {
        let ran = run.finish().success();
        assert!(!ran.stderr.contains("locked"), "{ran}");
        let id = ran.id();
        assert_eq!(farm.log(&id), format!("{id}\n"));
        ids.insert(id);
    }
    assert_eq!(ids.len(), 20);
    let jobs = farm.jobs();
    assert_eq!(jobs.len(), 20);
    assert!(jobs.iter().all(|job| job["status"] == "passed" && ids.contains(job["id"].as_str().unwrap())));
    let projects = farm.crafting(["project", "list", "--format", "json"]).output().success().json();
    assert_eq!(projects["projects"].as_array().unwrap().len(), 1, "{projects}");
    let calls = fs::read_to_string(farm.home().join("git.log")).unwrap();
    assert_eq!(calls.lines().filter(|call| call.contains(" clone ")).count(), 1, "the mirror is cloned once");
    farm.crafting(["ledger", "check"]).output().success();
    assert_eq!(farm.links(), [] as [&str; 0]);
    let leases = fs::read_dir(farm.data().join("runners")).unwrap().count();
    assert_eq!(leases, 0, "a runner that has ended leaves no lease file");
}

#[test]
fn queued_jobs_of_a_killed_run_wait_for_the_next_runner() {
    let farm = Farm::new();
    // The first one naps, whichever it is; the others pass.
    let command = format!("mkdir \"$HOME/first\" 2>/dev/null || exit 0; {READY}; exec {}", farm.nap());
    let repo = Repo::of_recipes(&["a", "b", "c"].map(|name| (name, command.as_str())));
    let run = farm.crafting(["job", "run", "a", "b", "c", "-j", "1"]).in_dir(repo.path()).spawn();
    farm.wait_for_marks("ready", 1);
    run.kill();
    let jobs = farm.jobs();
    let states: Vec<_> = jobs.iter().map(|job| job["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["failed", "queued", "queued"]);
    // Whoever waits for one of them starts a runner in the background.
    let id = jobs[2]["id"].as_str().unwrap();
    farm.crafting(["job", "watch", id]).output().success();
    farm.wait_until("all have ended", || farm.jobs().iter().all(|job| !job["finished_at"].is_null()));
    assert_eq!(rows(&farm.jobs()[1..], &["status"]), [["passed"], ["passed"]]);
}

#[test]
fn a_detached_run_returns_at_once_and_ends_in_the_background() {
    let farm = Farm::new();
    let wait = format!("{READY}; until [ -e \"$HOME/go\" ]; do sleep 0.01; done; echo done");
    let repo = Repo::of_recipes(&[("a", &wait), ("b", &wait)]);
    let ran = farm
        .crafting(["job", "run", "a", "b", "--detach", "--format", "json"])
        .env("CRAFTING_WORKERS", "2")
        .in_dir(repo.path())
        .output()
        .success();
    assert_eq!(rows(&ran.jobs(), &["status"]), [["queued"], ["queued"]]);
    // They run, and go on running while other commands come and go.
    farm.wait_for_marks("ready", 2);
    assert_eq!(rows(&farm.jobs(), &["status"]), [["running"], ["running"]]);
    fs::write(farm.home().join("go"), "").unwrap();
    let id = ran.jobs()[0]["id"].as_str().unwrap().to_owned();
    let watched = farm.crafting(["job", "watch", &id, "--batch"]).output().success();
    assert!(watched.stdout.contains("2 passed"), "{watched}");
    assert_eq!(farm.log(&id), "done\n");
    let home = format!("HOME={}", farm.home().display());
    farm.wait_until("the runner in the background has ended", || processes(|process| process.has(&home)).is_empty());
}

#[test]
fn a_background_runner_that_is_killed_strands_its_job() {
    let farm = Farm::new();
    let repo = nap_recipe(&farm);
    farm.crafting(["job", "run", "--detach"]).in_dir(repo.path()).output().success();
    let id = farm.wait_for_marks("ready", 1).remove(0);
    let home = format!("HOME={}", farm.home().display());
    let runner =
        processes(|process| process.has(&home) && process.command.iter().any(|word| word.contains("background")));
    assert_eq!(runner.len(), 1, "{runner:?}");
    kill(Pid::from_raw(runner[0].split(' ').next().unwrap().parse().unwrap()), Signal::SIGKILL).unwrap();
    let seen = farm.wait_for_stranded(&id);
    assert_eq!(seen["exit_code"], -1);
    farm.nothing_left(&id);
    farm.nobody_naps();
}

#[test]
fn another_process_cancels_running_and_queued_jobs() {
    let farm = Farm::new();
    let command = format!("{READY}; exec {}", farm.nap());
    let repo = Repo::of_recipes(&["a", "b", "c"].map(|name| (name, command.as_str())));
    let run = farm.crafting(["job", "run", "a", "b", "c", "-j", "1", "--format", "json"]).in_dir(repo.path()).spawn();
    let first = farm.wait_for_marks("ready", 1).remove(0);
    let queued = farm.jobs()[1]["id"].as_str().unwrap().to_owned();
    let answer = farm.crafting(["job", "cancel", &queued, "--format", "json"]).output().success().json();
    assert_eq!(answer["jobs"][0]["status"], "cancelled", "{answer}");
    // The end of the first one makes room for the third, not for the second.
    farm.crafting(["job", "cancel", &first]).output().success();
    let third = farm.wait_for_marks("ready", 2).into_iter().find(|id| *id != first).unwrap();
    assert_ne!(third, queued);
    farm.crafting(["job", "cancel", &third, "--batch", "--force"]).output().success();
    let ran = run.finish().exits(130);
    assert_eq!(rows(&ran.jobs(), &["status"]), [["cancelled"], ["cancelled"], ["cancelled"]]);
    assert!(ran.jobs()[1]["started_at"].is_null());
    farm.nobody_naps();
    // Again, and on one that has ended: nothing changes.
    farm.crafting(["job", "cancel", &third]).output().success();
    assert_eq!(farm.job(&third)["status"], "cancelled");
}

#[test]
fn a_failing_recipe_is_tried_again() {
    let farm = Farm::new();
    let command = "{ command = 'mkdir \"$HOME/tried\" 2>/dev/null || exit 0; exit 7', retries = 2, backoff_secs = 1 }";
    let repo = Repo::of_recipes(&[("test", command)]);
    let ran = farm.run(&repo, ["test"]).success();
    let jobs = ran.jobs();
    assert_eq!(rows(&jobs, &["status", "exit_code"]), [[Value::from("failed"), 7.into()], ["passed".into(), 0.into()]]);
    assert_eq!((&jobs[0]["retry_of"], &jobs[1]["retry_of"]), (&Value::Null, &jobs[0]["id"]));
    assert_eq!(jobs[0]["sha"], jobs[1]["sha"]);
    let pause = jobs[1]["started_at"].as_f64().unwrap() - jobs[0]["finished_at"].as_f64().unwrap();
    assert!(pause >= 0.999, "the second try came {pause} s after the first");
}

#[test]
fn a_recipe_that_keeps_failing_is_tried_as_often_as_it_says() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", "{ command = 'exit 7', retries = 2 }")]);
    let ran = farm.run(&repo, ["test"]).exits(1);
    let first = &ran.jobs()[0]["id"];
    assert_eq!(rows(&ran.jobs(), &["status"]), [["failed"], ["failed"], ["failed"]]);
    assert_eq!(rows(&ran.jobs(), &["retry_of"]), [[Value::Null], [first.clone()], [first.clone()]]);
}

#[test]
fn a_crash_in_the_first_clone_poisons_nothing() {
    let farm = Farm::new();
    let git = which("git");
    // The clone stops half-way: the copy is there, the rest of the program's work is not.
    let script = "#!/bin/sh\ncase \" $* \" in *\" clone \"*) GIT \"$@\"; touch \"$HOME/ready-clone\"; exec sleep 300;; esac\nexec GIT \"$@\"\n";
    farm.program("git", &script.replace("GIT", &git));
    let repo = Repo::of_recipes(&[("test", "true")]);
    let run = job_run(&farm, &repo).spawn();
    farm.wait_for_marks("ready", 1);
    run.signal_group(Signal::SIGKILL);
    run.kill();
    farm.program("git", &format!("#!/bin/sh\nexec {git} \"$@\"\n"));
    farm.run(&repo, ["test"]).success();
    let leftover = fs::read_dir(farm.workspace().join("repo")).unwrap().flatten().map(|entry| entry.file_name());
    let leftover: Vec<_> = leftover.filter(|name| name.to_string_lossy().starts_with(".cache.new")).collect();
    assert_eq!(leftover, [] as [&str; 0]);
}

#[test]
fn a_crash_while_a_tree_is_laid_poisons_no_slot() {
    let farm = Farm::new();
    let git = which("git");
    let nap = farm.nap();
    let hold = "touch \"$GIT_INDEX_FILE.lock\" \"$HOME/ready-$CRAFTING_JOB_ID\"";
    farm.program(
        "git",
        &format!("#!/bin/sh\ncase \" $* \" in *\" read-tree \"*) {hold}; exec {nap};; esac\nexec {git} \"$@\"\n"),
    );
    let repo = Repo::of_recipes(&[("test", "true")]);
    let (run, id) = napping(&farm, &repo);
    // The git that it had started lives on.
    run.kill();
    farm.crafting(["job", "list"]).output().success();
    farm.nobody_naps();
    farm.nothing_left(&id);
    farm.program("git", &format!("#!/bin/sh\nexec {git} \"$@\"\n"));
    farm.run(&repo, ["test"]).success();
    assert!(!farm.workspace().join("repo/slot-2.lock").exists());
}

#[test]
fn a_crash_while_the_mirror_is_brought_up_to_date_does_not_poison_it() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", "true")]);
    farm.run(&repo, ["test"]).success();
    for lock in ["packed-refs.lock", "config.lock", "HEAD.lock", "refs/heads/main.lock", "refs/heads/topic.lock"] {
        // As a git leaves it that loses its power.
        let lock = farm.workspace().join("repo/.cache").join(lock);
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        fs::write(&lock, "").unwrap();
        repo.commit("more");
        repo.git(&["branch", "--force", "topic"]);
        farm.run(&repo, ["test"]).success();
        assert!(!lock.exists(), "{}", lock.display());
    }
}
