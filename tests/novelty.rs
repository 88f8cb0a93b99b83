//! Which findings are new, known or fixed from run to run, while the code around them moves.

mod support;

use std::fmt::Write as _;

use serde_json::Value;
use support::{Farm, Ran, Repo, recipe_file};

both_farms! {
    a_finding_is_new_once_and_known_while_lines_come_and_go_above_it,
    commits_or_not_make_no_difference,
    what_is_gone_is_fixed,
    a_renamed_file_takes_its_findings_along,
    a_job_without_an_end_of_its_own_is_no_baseline,
    new_findings_can_be_asked_for_and_failed_on,
    a_moved_line_is_found_by_its_text,
    a_renamed_and_edited_file_keeps_what_it_had,
    gone_in_one_place_and_new_in_another_are_two_things,
    lines_that_change_places_stay_what_they_are,
    a_branch_is_compared_with_itself_and_at_first_with_the_main_one,
    without_the_baselines_commit_the_hashes_decide,
    a_job_that_could_not_look_makes_nothing_fixed_or_new,
}

/// A repository whose recipe prints what rustc would say of it: one warning per `let` of a variable.
struct Crate {
    repo: Repo,
    files: Vec<(String, String)>,
}

impl Crate {
    fn new(files: &[(&str, &str)]) -> Self {
        let repo = Repo::with(&[("crafting.toml", &recipe_file("rust", &[("lint", "cat rustc.txt >&2")]))]);
        let mut own = Self { repo, files: Vec::new() };
        files.iter().for_each(|(path, text)| own.write(path, text));
        own
    }

    fn write(&mut self, path: &str, text: &str) {
        self.files.retain(|(other, _)| other != path);
        self.files.push((path.to_owned(), text.to_owned()));
        self.repo.write(path, text);
        self.repo.write("rustc.txt", self.rustc());
    }

    fn rename(&mut self, from: &str, to: &str) {
        let place = self.files.iter().position(|(path, _)| path == from).unwrap();
        let (_, text) = self.files.remove(place);
        self.repo.remove(from);
        self.write(to, &text);
    }

    fn rustc(&self) -> String {
        let mut said = String::new();
        for (path, text) in &self.files {
            for (index, line) in text.lines().enumerate() {
                let Some(name) = line.trim().strip_prefix("let ").and_then(|rest| rest.split(' ').next()) else {
                    continue;
                };
                let number = index + 1;
                writeln!(said, "warning: unused variable: `{name}`").unwrap();
                writeln!(said, " --> {path}:{number}:9\n  |\n{number} | {line}\n  |         ^\n  |").unwrap();
                writeln!(said, "  = note: `#[warn(unused_variables)]` on by default\n").unwrap();
            }
        }
        said
    }
}

fn run(farm: &Farm, own: &Crate) -> Ran {
    farm.run(&own.repo, ["lint"]).success()
}

/// A job's findings as `file:line new|known`, and the ids of the jobs that saw them first.
fn seen(job: &Value) -> (Vec<String>, Vec<String>) {
    let findings = job["findings"].as_array().unwrap();
    let text = |finding: &Value| {
        let state = if finding["is_new"].as_bool().unwrap() { "new" } else { "known" };
        format!("{}:{} {state}", finding["file"].as_str().unwrap(), finding["line"])
    };
    let first = |finding: &Value| finding["first_seen_job"].as_str().unwrap().to_owned();
    (findings.iter().map(text).collect(), findings.iter().map(first).collect())
}

fn counts(job: &Value) -> [i64; 3] {
    ["findings_count", "findings_new", "findings_fixed"].map(|name| job[name].as_i64().unwrap())
}

const TWO: &str = "fn main() {\n    let a = 1;\n    let b = 2;\n}\n";

fn a_finding_is_new_once_and_known_while_lines_come_and_go_above_it(farm: &Farm) {
    let mut own = Crate::new(&[("src/main.rs", TWO)]);
    let first = run(farm, &own);
    assert_eq!(seen(&first.job()).0, ["src/main.rs:2 new", "src/main.rs:3 new"]);
    assert_eq!(counts(&first.job()), [2, 2, 0]);

    let second = run(farm, &own);
    assert_eq!(seen(&second.job()).0, ["src/main.rs:2 known", "src/main.rs:3 known"]);
    assert_eq!(counts(&second.job()), [2, 0, 0]);

    own.write("src/main.rs", &format!("// Two lines\n// more.\n{TWO}"));
    let third = run(farm, &own);
    let (lines, first_seen) = seen(&third.job());
    assert_eq!(lines, ["src/main.rs:4 known", "src/main.rs:5 known"]);
    assert_eq!(first_seen, [first.id(), first.id()]);

    // One goes, one stays, one comes, and it all moves.
    own.write("src/main.rs", "// One line.\nfn main() {\n    let b = 2;\n    work();\n    let c = 3;\n}\n");
    let fourth = run(farm, &own);
    let (lines, first_seen) = seen(&fourth.job());
    assert_eq!(lines, ["src/main.rs:3 known", "src/main.rs:5 new"]);
    assert_eq!(first_seen, [first.id(), fourth.id()]);
    assert_eq!(counts(&fourth.job()), [2, 1, 1]);
}

fn commits_or_not_make_no_difference(farm: &Farm) {
    let mut own = Crate::new(&[("src/main.rs", TWO)]);
    own.repo.commit("two");
    run(farm, &own);
    own.write("src/main.rs", &format!("\n\n\n{TWO}"));
    assert_eq!(counts(&run(farm, &own).job()), [2, 0, 0], "as a snapshot");
    own.repo.commit("moved");
    assert_eq!(counts(&run(farm, &own).job()), [2, 0, 0], "the same as a commit");
    own.repo.git(&["checkout", "--quiet", "-b", "topic"]);
    assert_eq!(counts(&run(farm, &own).job())[0], 2);
}

fn what_is_gone_is_fixed(farm: &Farm) {
    let mut own = Crate::new(&[("src/main.rs", TWO)]);
    run(farm, &own);
    own.write("src/main.rs", "fn main() {\n    let a = 1;\n}\n");
    let ran = run(farm, &own);
    assert_eq!(seen(&ran.job()).0, ["src/main.rs:2 known"]);
    let answer = farm.crafting(["findings", &ran.id(), "--format", "json"]).output().success().json();
    let expected = serde_json::json!({
        "total": 1, "by_kind": { "lint": 1 }, "by_severity": { "warn": 1 }, "new": 0, "fixed": 1, "ignored": 0
    });
    assert_eq!(answer["counts"], expected);
    own.write("src/main.rs", "fn main() {}\n");
    assert_eq!(counts(&run(farm, &own).job()), [0, 0, 1]);
    // Fixed once.
    assert_eq!(counts(&run(farm, &own).job()), [0, 0, 0]);
}

fn a_renamed_file_takes_its_findings_along(farm: &Farm) {
    let body = "// A file long enough to be recognised.\nfn one() {}\nfn two() {}\nfn three() {}\n";
    let mut own = Crate::new(&[("src/old.rs", &format!("{body}{TWO}")), ("src/other.rs", TWO)]);
    let first = run(farm, &own);
    own.rename("src/old.rs", "src/new.rs");
    own.write("src/new.rs", &format!("// And a line more.\n{body}{TWO}"));
    let second = run(farm, &own);
    let (mut lines, first_seen) = seen(&second.job());
    lines.sort();
    assert_eq!(lines, ["src/new.rs:7 known", "src/new.rs:8 known", "src/other.rs:2 known", "src/other.rs:3 known"]);
    assert!(first_seen.iter().all(|id| *id == first.id()));
    assert_eq!(counts(&second.job()), [4, 0, 0]);
}

fn a_job_without_an_end_of_its_own_is_no_baseline(farm: &Farm) {
    let own = Crate::new(&[("src/main.rs", TWO)]);
    let first = run(farm, &own);
    // A cancelled and a timed out run in between, both without findings.
    let nap = farm.nap();
    own.repo.write("crafting.toml", recipe_file("rust", &[("lint", &format!("exec {nap}"))]));
    farm.crafting(["job", "run", "lint", "--timeout", "1"]).in_dir(own.repo.path()).output().exits(124);
    let run_again = farm.crafting(["job", "run", "lint"]).in_dir(own.repo.path()).spawn();
    farm.wait_for_nap();
    run_again.signal(nix::sys::signal::Signal::SIGINT);
    run_again.finish().exits(130);
    own.repo.write("crafting.toml", recipe_file("rust", &[("lint", "cat rustc.txt >&2")]));
    let last = run(farm, &own);
    assert_eq!(counts(&last.job()), [2, 0, 0]);
    assert_eq!(seen(&last.job()).1, [first.id(), first.id()]);
}

fn new_findings_can_be_asked_for_and_failed_on(farm: &Farm) {
    let mut own = Crate::new(&[("src/main.rs", TWO)]);
    let status = |own: &Crate, bound: &str| {
        farm.crafting(["job", "run", "lint", "--fail-on", bound]).in_dir(own.repo.path()).output().code()
    };
    assert_eq!(status(&own, "error"), 0);
    assert_eq!(status(&own, "warn"), 1);
    // Known by now.
    assert_eq!(status(&own, "new:warn"), 0);
    own.write("src/main.rs", &format!("{TWO}fn more() {{\n    let c = 3;\n}}\n"));
    assert_eq!(status(&own, "new:error"), 0);
    // The run before has made it known.
    assert_eq!(status(&own, "new:warn"), 0);
    own.write("src/more.rs", "fn more() {\n    let d = 4;\n}\n");
    assert_eq!(status(&own, "new:warn"), 1);

    let new = farm.crafting(["findings", "--new", "--format", "jsonl"]).in_dir(own.repo.path()).output().success();
    let rows: Vec<Value> = new.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 1, "{new}");
    assert_eq!((&rows[0]["file"], &rows[0]["line"]), (&"src/more.rs".into(), &2.into()));
    for (bound, expected) in [("warn", 1), ("new:warn", 1), ("error", 0)] {
        let ran = farm.crafting(["findings", "@last", "--fail-on", bound]).in_dir(own.repo.path()).output();
        assert_eq!(ran.code(), expected, "{bound}: {ran}");
    }
    let wrong = farm.crafting(["job", "run", "--fail-on", "newer"]).in_dir(own.repo.path()).output().exits(2);
    assert!(wrong.stderr.contains("hint:"), "{wrong}");
}

/// What was seen, in the order of places.
fn sorted(job: &Value) -> Vec<String> {
    let mut lines = seen(job).0;
    lines.sort();
    lines
}

fn a_moved_line_is_found_by_its_text(farm: &Farm) {
    let mut own =
        Crate::new(&[("src/main.rs", "fn main() {\n    let a = 1;\n    one();\n    two();\n    three();\n}\n")]);
    let first = run(farm, &own);
    own.write("src/main.rs", "fn main() {\n    one();\n    two();\n    three();\n    let a = 1;\n}\n");
    let second = run(farm, &own);
    assert_eq!(seen(&second.job()), (vec!["src/main.rs:5 known".to_owned()], vec![first.id()]));
    assert_eq!(counts(&second.job()), [1, 0, 0]);
}

fn a_renamed_and_edited_file_keeps_what_it_had(farm: &Farm) {
    let body: String = (0..20).map(|number| format!("// Line {number} of a file.\n")).collect();
    let mut own = Crate::new(&[("src/old.rs", &format!("{body}{TWO}"))]);
    let first = run(farm, &own);
    own.rename("src/old.rs", "src/new.rs");
    // Of the two, one was edited as well: the same kind and code in the same renamed file are taken in order.
    own.write("src/new.rs", &format!("{body}fn main() {{\n    let a = 100;\n    let b = 2;\n}}\n"));
    let second = run(farm, &own);
    assert_eq!(sorted(&second.job()), ["src/new.rs:22 known", "src/new.rs:23 known"]);
    assert!(seen(&second.job()).1.iter().all(|id| *id == first.id()));
}

fn gone_in_one_place_and_new_in_another_are_two_things(farm: &Farm) {
    let mut own = Crate::new(&[("src/a.rs", TWO), ("src/b.rs", "fn b() {\n    work();\n    work();\n}\n")]);
    run(farm, &own);
    own.write("src/a.rs", "fn main() {\n    work();\n    let b = 2;\n}\n");
    own.write("src/b.rs", "fn b() {\n    let a = 1;\n    work();\n}\n");
    let second = run(farm, &own);
    // On the same line as the one that went, but in another file.
    assert_eq!(sorted(&second.job()), ["src/a.rs:3 known", "src/b.rs:2 new"]);
    assert_eq!(counts(&second.job()), [2, 1, 1]);
    // On the very line of the one that went, with another text.
    own.write("src/a.rs", "fn main() {\n    work();\n    let other = 2;\n}\n");
    let third = run(farm, &own);
    assert_eq!(sorted(&third.job()), ["src/a.rs:3 new", "src/b.rs:2 known"]);
    assert_eq!(counts(&third.job()), [2, 1, 1]);
}

fn lines_that_change_places_stay_what_they_are(farm: &Farm) {
    let text = |first: &str, second: &str| format!("fn main() {{\n    {first}\n    middle();\n    {second}\n}}\n");
    let mut own = Crate::new(&[("src/main.rs", &text("let a = 1;", "let a = 1;"))]);
    run(farm, &own);
    own.write("src/main.rs", &format!("// Above.\n{}", text("let a = 1;", "let a = 1;")));
    assert_eq!(counts(&run(farm, &own).job()), [2, 0, 0], "two equal lines are two findings");
    own.write("src/main.rs", &text("let a = 1;", "let b = 2;"));
    assert_eq!(counts(&run(farm, &own).job()), [2, 1, 1]);
    own.write("src/main.rs", &text("let b = 2;", "let a = 1;"));
    let swapped = run(farm, &own);
    assert_eq!(counts(&swapped.job()), [2, 0, 0], "{swapped}");
}

fn a_branch_is_compared_with_itself_and_at_first_with_the_main_one(farm: &Farm) {
    let mut own = Crate::new(&[("src/main.rs", TWO)]);
    own.repo.commit("two");
    let first = run(farm, &own);
    own.repo.git(&["checkout", "--quiet", "-b", "topic"]);
    own.write("src/more.rs", "fn more() {\n    let c = 3;\n}\n");
    let topic = run(farm, &own);
    assert_eq!(sorted(&topic.job()), ["src/main.rs:2 known", "src/main.rs:3 known", "src/more.rs:2 new"]);
    assert_eq!(seen(&topic.job()).1[0], first.id());
    assert_eq!(counts(&run(farm, &own).job()), [3, 0, 0], "itself from now on");
    own.repo.commit("more");
    own.repo.git(&["checkout", "--quiet", "--detach"]);
    assert_eq!(counts(&run(farm, &own).job()), [3, 1, 0], "a detached HEAD is no branch: the main one again");
    own.repo.git(&["checkout", "--quiet", "main"]);
    own.write("src/main.rs", TWO);
    own.files.retain(|(path, _)| path != "src/more.rs");
    own.write("src/main.rs", TWO);
    assert_eq!(counts(&run(farm, &own).job()), [2, 0, 0], "main never had it");
}

fn without_the_baselines_commit_the_hashes_decide(farm: &Farm) {
    let mut own = Crate::new(&[("src/main.rs", TWO)]);
    own.repo.commit("two");
    own.write("src/main.rs", &format!("// A snapshot.\n{TWO}"));
    run(farm, &own);
    // Nobody has the snapshot any more.
    std::fs::remove_dir_all(farm.workspace()).unwrap();
    own.write("src/main.rs", &format!("// Another.\n// One.\n{TWO}"));
    assert_eq!(counts(&run(farm, &own).job()), [2, 0, 0]);
}

fn a_job_that_could_not_look_makes_nothing_fixed_or_new(farm: &Farm) {
    let own = Crate::new(&[("src/main.rs", TWO)]);
    let first = run(farm, &own);
    let lint = |command: &str| {
        own.repo.write("crafting.toml", recipe_file("rust", &[("lint", command)]));
        farm.run(&own.repo, ["lint"]).job()
    };
    // Its tool did not even start; then it was killed half-way.
    let broken = lint("exit 3");
    assert_eq!(counts(&broken), [1, 1, 0], "{broken}");
    assert_eq!(counts(&lint("exit 3")), [1, 0, 0], "that it is broken is new once");
    assert_eq!(counts(&lint("head -n 7 rustc.txt >&2; kill -9 $$")), [1, 0, 0]);
    let again = lint("cat rustc.txt >&2");
    assert_eq!(counts(&again), [2, 0, 0], "{again}");
    assert_eq!(seen(&again).1, [first.id(), first.id()]);
}

/// How many jobs run side by side is a server's own business.
#[test]
fn jobs_side_by_side_are_compared_with_what_was_there_before() {
    let farm = Farm::new();
    let own = Crate::new(&[("src/main.rs", TWO)]);
    own.repo.write("crafting.toml", recipe_file("rust", &[("lint", "touch \"$HOME/begun-$CRAFTING_JOB_ID\"; cat rustc.txt >&2; while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done")]));
    let one = farm.crafting(["job", "run", "lint", "--format", "json"]).in_dir(own.repo.path()).spawn();
    let other = farm.crafting(["job", "run", "lint", "--format", "json"]).in_dir(own.repo.path()).spawn();
    farm.wait_for_marks("begun", 2);
    std::fs::write(farm.home().join("go"), "").unwrap();
    let mut new = [one.finish().success().job(), other.finish().success().job()].map(|job| counts(&job)[1]);
    new.sort_unstable();
    // The first queued has nothing before it; the second may or may not have seen the first one's end.
    assert!(new == [2, 2] || new == [0, 2], "{new:?}");
    assert_eq!(counts(&run(&farm, &own).job()), [2, 0, 0]);
}
