//! What programs and pipes get: JSON whose names are a contract, nothing but the answer on stdout, no colours.

mod support;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use support::Repo;
use support::command::{Answer, Crafting};

both_farms! {
    a_run_answers_with_its_jobs_and_their_findings,
    findings_answer_in_three_forms,
    stdout_has_the_answer_alone,
    a_reader_who_goes_away_is_no_error,
    which_recipes_run,
    a_dry_run_runs_nothing,
    removing_a_project_takes_a_yes_and_takes_all,
}

const JOB: [&str; 21] = [
    "id",
    "batch_id",
    "project",
    "subproject",
    "recipe",
    "status",
    "ref",
    "sha",
    "dirty",
    "exit_code",
    "queued_at",
    "started_at",
    "finished_at",
    "duration_ms",
    "findings_count",
    "findings_new",
    "log_bytes",
    "log_lines",
    "runtime",
    "recipe_snapshot",
    "token",
];
const FINDING: [&str; 20] = [
    "id",
    "job_id",
    "project",
    "subproject",
    "recipe",
    "kind",
    "severity",
    "file",
    "line",
    "column",
    "end_line",
    "code",
    "message",
    "suggested_fix",
    "fingerprint",
    "first_seen_job",
    "is_new",
    "tool",
    "ignored",
    "raw_json",
];
const PYTEST: &str = "\
============================= test session starts ==============================
collected 2 items

test_a.py .F                                                             [100%]

=================================== FAILURES ===================================
____________________________________ test_b ____________________________________

    def test_b():
>       assert 1 == 2
E       assert 1 == 2

test_a.py:5: AssertionError
=========================== short test summary info ============================
FAILED test_a.py::test_b - assert 1 == 2
========================= 1 failed, 1 passed in 0.02s ==========================
";

/// A machine and a project `repo` with a subproject that passes and one that has findings.
struct Farm {
    crafting: Crafting,
    repo: Repo,
}

impl Farm {
    fn new() -> Self {
        Self::of(Crafting::new())
    }

    fn on_a_server() -> Self {
        Self::of(Crafting::on_a_server())
    }

    fn of(crafting: Crafting) -> Self {
        let log = crafting.home().join("pytest.log");
        fs::write(&log, PYTEST).unwrap();
        let toml = format!(
            "[[subproject]]\npath = \".\"\nbuild = \"echo building\"\n\n\
             [[subproject]]\npath = \"py\"\nlanguage = \"python\"\ntest = \"cat {}; exit 1\"\nlint = \"echo linting\"\n",
            log.display()
        );
        let repo = Repo::with(&[("crafting.toml", &toml), ("py/test_a.py", "\n\n\n\n\n"), ("docs/x", "")]);
        Self { crafting, repo }
    }

    fn run(&self, line: &str) -> Answer {
        self.crafting.args(line.split(' ')).dir(self.repo.path()).run()
    }

    fn json(&self, line: &str) -> Value {
        let answer = self.run(&format!("{line} --format json"));
        assert!(answer.code < 2, "{answer:?}");
        answer.json()
    }
}

fn keys(row: &Value) -> BTreeSet<&str> {
    row.as_object().unwrap().keys().map(String::as_str).collect()
}

#[track_caller]
fn has_keys(row: &Value, wanted: &[&str]) {
    let there = keys(row);
    assert!(wanted.iter().all(|key| there.contains(key)), "{wanted:?} are not all in {there:?}");
}

fn ran(answer: &Value) -> Vec<String> {
    let jobs = answer["jobs"].as_array().unwrap().iter();
    jobs.map(|job| format!("{} {}", job["subproject"].as_str().unwrap(), job["recipe"].as_str().unwrap())).collect()
}

fn a_run_answers_with_its_jobs_and_their_findings(farm: &Farm) {
    let answer = farm.run("job run build test --format json");
    answer.wants(1);
    let run = answer.json();
    assert_eq!(keys(&run), BTreeSet::from(["batch_id", "jobs"]));
    assert_eq!(ran(&run), [". build", "py test"]);
    for job in run["jobs"].as_array().unwrap() {
        has_keys(job, &JOB);
        has_keys(job, &["error", "findings"]);
        assert_eq!(job["batch_id"], run["batch_id"]);
        assert!(job["queued_at"].as_f64().unwrap() > 1_700_000_000.0);
        assert!(job["finished_at"].as_f64() >= job["started_at"].as_f64());
    }
    let [build, test] = [&run["jobs"][0], &run["jobs"][1]];
    assert_eq!(
        (&build["status"], &build["exit_code"], &build["findings"]),
        (&"passed".into(), &0.into(), &Value::Array(vec![]))
    );
    assert_eq!(
        (&test["status"], &test["exit_code"], &test["findings_count"]),
        (&"failed".into(), &1.into(), &1.into())
    );
    assert_eq!((&test["log_bytes"], &test["log_lines"]), (&PYTEST.len().into(), &PYTEST.lines().count().into()));
    let finding = &test["findings"][0];
    has_keys(finding, &FINDING);
    has_keys(finding, &["created_at"]);
    let facts = ["kind", "severity", "file", "line", "code", "project", "subproject", "recipe", "is_new"];
    let facts: Vec<&Value> = facts.iter().map(|key| &finding[key]).collect();
    let wanted = r#"["test_fail","error","py/test_a.py",5,"test_a.py::test_b","repo","py","test",true]"#;
    assert_eq!(serde_json::to_string(&facts).unwrap(), wanted);
    assert_eq!(finding["job_id"], test["id"]);
    // The same again: nothing is new.
    let again = farm.json("job run test");
    assert_eq!(
        (&again["jobs"][0]["findings_new"], &again["jobs"][0]["findings"][0]["is_new"]),
        (&0.into(), &false.into())
    );
    assert_eq!(again["jobs"][0]["findings"][0]["first_seen_job"], test["id"]);
    assert_eq!(again["jobs"][0]["findings"][0]["fingerprint"], finding["fingerprint"]);
}

fn findings_answer_in_three_forms(farm: &Farm) {
    farm.run("job run test").wants(1);
    let findings = farm.json("findings");
    assert_eq!(keys(&findings), BTreeSet::from(["counts", "findings"]));
    has_keys(&findings["counts"], &["total", "by_kind", "by_severity", "new", "fixed", "ignored"]);
    assert_eq!(findings["counts"]["total"], 1);
    assert_eq!(findings["counts"]["by_kind"]["test_fail"], 1);
    assert_eq!(findings["counts"]["by_severity"]["error"], 1);
    let lines = farm.run("findings --format jsonl");
    assert_eq!(lines.wants(0).stdout.lines().count(), 1);
    let line: Value = serde_json::from_str(lines.stdout.trim_end()).unwrap();
    assert_eq!(line, findings["findings"][0]);
    assert_eq!(farm.json("findings --kind lint")["counts"]["total"], 0);
    assert_eq!(farm.run("findings --kind lint --format jsonl").wants(0).stdout, "");
    assert_eq!(farm.json("findings --path py/**")["counts"]["total"], 1);
    assert_eq!(farm.json("findings --path docs/**")["counts"]["total"], 0);
    farm.run("findings --fail-on error").wants(1);
    let table = farm.run("findings");
    assert!(table.wants(0).stdout.contains("py/test_a.py:5"), "{}", table.stdout);
}

#[test]
fn findings_of_a_captured_log_need_nothing_but_the_log() {
    let crafting = Crafting::new();
    let log = crafting.home().join("a.log");
    fs::write(&log, PYTEST).unwrap();
    let read = |args: &[&str], stdin: &str| {
        let call = crafting.args(["findings", "--from"]).more(args).more(&["--format", "json"]);
        // No repository, no home that can be written to, no settings.
        let call = call.dir("/").env("HOME", "/proc/nope").env_remove("CRAFTING_DATA_DIR");
        call.env_remove("CRAFTING_WORKSPACE_DIR").stdin(stdin).json()
    };
    for answer in
        [read(&[log.to_str().unwrap()], ""), read(&["-"], PYTEST), read(&["-", "--language", "python"], PYTEST)]
    {
        assert_eq!(answer["counts"]["total"], 1, "{answer}");
        let finding = &answer["findings"][0];
        assert_eq!((&finding["code"], &finding["job_id"]), (&"test_a.py::test_b".into(), &Value::Null));
        has_keys(finding, &FINDING);
    }
    // The exit status is a source of its own, where the log tells nothing.
    let failed = read(&["-", "--exit-code", "3", "--recipe", "audit"], "nothing of interest\n");
    assert_eq!(failed["findings"][0]["code"], "exit_3");
    assert_eq!(failed["findings"][0]["kind"], "recipe_fail");
    assert_eq!(read(&["-", "--exit-code", "0"], "nothing\n")["counts"]["total"], 0);
    assert_eq!(read(&["-", "--exit-code", "1"], PYTEST)["counts"]["total"], 1);
    assert_eq!(read(&["-"], "")["counts"]["total"], 0);
    let status = |args: &[&str]| crafting.args(["findings", "--from", "-"]).more(args).stdin(PYTEST).run().code;
    assert_eq!([status(&["--fail-on", "error"]), status(&["--fail-on", "error", "--kind", "lint"])], [1, 0]);
    assert!(!crafting.data().exists(), "reading a log makes no ledger");
}

#[test]
fn everything_else_answers_as_json_too() {
    let farm = Farm::new();
    let registered = farm.json("project add");
    assert_eq!(registered["project"]["name"], "repo", "{registered}");
    farm.run("job run test build").wants(1);
    let jobs = farm.json("job list");
    assert_eq!(keys(&jobs), BTreeSet::from(["jobs"]));
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 2);
    jobs["jobs"].as_array().unwrap().iter().for_each(|job| has_keys(job, &JOB));
    let newest = jobs["jobs"][0]["id"].as_str().unwrap();
    assert_eq!(farm.json(&format!("job list --before {newest}"))["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(farm.json("job list --status failed")["jobs"][0]["recipe"], "test");
    assert_eq!(farm.json("job show")["job"], jobs["jobs"][0]);
    assert_eq!(farm.json(&format!("job show {}", &newest[..5]))["job"], jobs["jobs"][0]);
    assert_eq!(farm.json("job show @last-failed")["job"]["recipe"], "test");
    let projects = farm.json("project list");
    has_keys(&projects["projects"][0], &["name", "git_url", "root", "default_branch", "subprojects", "created_at"]);
    assert_eq!(farm.json("project show")["project"], projects["projects"][0]);
    assert_eq!(farm.json("project show repo")["project"], projects["projects"][0]);
    let settings = farm.json("config show");
    let one = settings["settings"].as_array().unwrap().iter().find(|row| row["name"] == "data_dir").unwrap();
    has_keys(one, &["name", "value", "origin", "variable"]);
    let gc = farm.json("gc");
    has_keys(&gc, &["slots", "logs", "mirrors", "freed_bytes"]);
    let check = farm.json("ledger check");
    assert_eq!((&check["sound"], &check["problems"]), (&true.into(), &Value::Array(vec![])));
    let retried = farm.json("job retry @last-failed");
    assert_eq!(retried["jobs"][0]["recipe"], "test");
    has_keys(&retried["jobs"][0], &["findings"]);
    assert_eq!(farm.json("job watch")["jobs"][0]["id"], retried["jobs"][0]["id"]);
}

#[test]
fn settings_say_where_they_come_from() {
    let crafting = Crafting::new();
    let file = crafting.home().join(".config/crafting/config.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "workers = 3\nretention_days = 7\ntimeout_secs = 5\n").unwrap();
    let rows = crafting.args(["config", "show", "--format", "json"]).env("CRAFTING_TIMEOUT_SECS", "9").json();
    let origin = |name: &str| {
        let row = rows["settings"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
        (row["value"].as_str().unwrap().to_owned(), row["origin"].as_str().unwrap().to_owned())
    };
    let path = file.to_str().unwrap();
    assert_eq!(origin("workers"), ("3".into(), path.into()));
    assert_eq!(origin("retention_days"), ("7".into(), path.into()));
    assert_eq!(origin("timeout_secs"), ("9".into(), "CRAFTING_TIMEOUT_SECS".into()));
    assert_eq!(origin("data_dir"), (crafting.data().display().to_string(), "CRAFTING_DATA_DIR".into()));
    assert_eq!(origin("config_file"), (path.into(), "default".into()));
    assert_eq!(origin("log_limit_bytes"), ((1_u64 << 30).to_string(), "default".into()));
    assert!(!crafting.data().exists(), "looking at settings makes nothing");
}

#[test]
fn pipes_get_no_colours_and_no_boxes() {
    let farm = Farm::new();
    let plain = |answer: &Answer| {
        let both = format!("{}{}", answer.stdout, answer.stderr);
        assert!(!both.contains('\x1b'), "{both}");
        assert!(!both.contains(['│', '─', '┌', '═', '╭', '┆']), "{both}");
        assert!(!both.contains('\r'), "{both}");
    };
    plain(&farm.run("job run build"));
    for line in [
        "job list",
        "job show",
        "project list",
        "project show",
        "findings",
        "config show",
        "gc",
        "job run lint --dry-run",
    ] {
        let answer = farm.run(line);
        plain(answer.wants(0));
        assert!(!answer.stdout.is_empty());
    }
    let coloured = |line: &str, variables: &[(&str, &str)]| {
        let mut call = farm.crafting.args(line.split(' ')).dir(farm.repo.path());
        for (name, value) in variables {
            call = call.env(name, value);
        }
        let answer = call.run();
        answer.wants(0);
        answer.stdout.contains('\x1b')
    };
    assert!(coloured("job list", &[("CLICOLOR_FORCE", "1")]));
    assert!(coloured("job list --color always", &[]));
    assert!(coloured("job list --color always", &[("NO_COLOR", "1")]), "what was asked for wins");
    assert!(!coloured("job list --color never", &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured("job list", &[("CLICOLOR_FORCE", "0")]));
    assert!(!coloured("job list", &[("NO_COLOR", "1")]));
    assert!(!coloured("job list --format json", &[("CLICOLOR_FORCE", "1")]));
}

fn stdout_has_the_answer_alone(farm: &Farm) {
    // Registering, progress and last lines go to stderr; a document is one document.
    let first = farm.run("job run build test --format json");
    assert!(first.stderr.contains("project repo: registered"), "{}", first.stderr);
    first.json();
    let quiet = farm.run("job run build -q");
    assert_eq!(quiet.wants(0).stderr, "");
    let log = farm.run("job log");
    assert_eq!((log.stdout.as_str(), log.stderr.as_str()), ("building\n", ""));
    let followed = farm.run("job run build -f");
    assert!(followed.wants(0).stdout.contains("1 passed"), "{followed:?}");
    let verbose = farm.run("job list --format json -vv");
    verbose.json();
}

fn a_reader_who_goes_away_is_no_error(farm: &Farm) {
    farm.run("job run build test").wants(1);
    // `head` reads nothing of it, or one line.
    for line in
        ["job list", "job log", "findings --format json", "job run test", "--help", "config show", "job run build -f"]
    {
        for head in ["head -n 0", "head -n 1", "true"] {
            let script = format!("{{ \"$CRAFTING\" -q {line}; echo $? >&2; }} | {head}");
            let answer = farm.crafting.shell(&script).dir(farm.repo.path()).run();
            let status = if line == "job run test" { "1\n" } else { "0\n" };
            assert!(answer.stderr.ends_with(status), "{line} | {head}: {answer:?}");
            for word in ["anic", "roken pipe", "error:"] {
                assert!(!answer.stderr.contains(word), "{line} | {head}: {}", answer.stderr);
            }
        }
    }
    let script = "\"$CRAFTING\" job list > /dev/full; echo $?";
    let answer = farm.crafting.shell(script).dir(farm.repo.path()).run();
    assert_eq!(answer.stdout, "3\n");
    assert!(
        answer.stderr.starts_with("error: cannot write to the standard output: no space left on device\nhint: "),
        "{answer:?}"
    );
}

fn removing_a_project_takes_a_yes_and_takes_all(farm: &Farm) {
    let other = Repo::with(&[("crafting.toml", "name = \"other\"\n[[subproject]]\npath = \".\"\ntest = \"true\"\n")]);
    farm.crafting.args(["job", "run"]).dir(other.path()).run().wants(0);
    farm.run("job run build test").wants(1);
    let logs = || fs::read_dir(farm.crafting.data().join("logs")).unwrap().count();
    let before = logs();
    farm.run("project remove repo").error(2);
    assert_eq!((logs(), farm.json("job list")["jobs"].as_array().unwrap().len()), (before, 3));
    let removed = farm.json("project remove repo --yes");
    assert_eq!((&removed["project"], &removed["jobs"], &removed["findings"]), (&"repo".into(), &2.into(), &1.into()));
    assert!(removed["freed_bytes"].as_u64().unwrap() > 0);
    assert!(!farm.crafting.workspace().join("repo").exists());
    assert!(farm.crafting.workspace().join("other/.cache").exists());
    assert_eq!(logs(), before - 4, "two files a job");
    assert_eq!(farm.json("job list")["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(farm.json("project list")["projects"].as_array().unwrap().len(), 1);
    farm.run("project show repo").error(4);
    farm.run("ledger check").wants(0);
    // And it may come back.
    farm.run("job run build").wants(0);
}

#[test]
fn init_writes_what_runs() {
    let crafting = Crafting::new();
    let repo = Repo::with(&[("Makefile", "build:\n\t@echo built\n\ntest:\n\t@echo tested\n\n.PHONY: build test\n")]);
    let answer = crafting.args(["init", "--format", "json"]).dir(repo.path()).run();
    answer.wants(0);
    let path = repo.path().join("crafting.toml");
    assert_eq!(answer.json()["path"], path.to_str().unwrap());
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("make test") && text.contains("\n#"), "{text}");
    let run = crafting.args(["job", "run", "--format", "json"]).dir(repo.path()).run();
    run.wants(0);
    assert!(run.stderr.contains("crafting.toml)"), "{}", run.stderr);
    assert_eq!(run.json()["jobs"][0]["recipe_snapshot"]["command"], "make test");
    assert_eq!(crafting.args(["job", "log"]).dir(repo.path()).run().stdout, "tested\n");
    // What a person changed in it counts, and is not written over.
    fs::write(&path, text.replace("make test", "make test && echo mine")).unwrap();
    let changed = fs::read(&path).unwrap();
    let refused = crafting.args(["init"]).dir(repo.path()).run();
    assert!(refused.error(2).contains("exists already"), "{refused:?}");
    assert_eq!(fs::read(&path).unwrap(), changed);
    crafting.args(["job", "run", "-q"]).dir(repo.path()).run().wants(0);
    assert_eq!(crafting.args(["job", "log"]).dir(repo.path()).run().stdout, "tested\nmine\n");
    crafting.args(["init", "--force"]).dir(repo.path()).run().wants(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_copy_of_the_ledger_is_a_ledger() {
    let farm = Farm::new();
    farm.run("job run build test").wants(1);
    let folder = farm.crafting.home().join("copies");
    fs::create_dir(&folder).unwrap();
    let copy = folder.join("ledger.db");
    let line = format!("ledger backup {}", copy.display());
    assert_eq!(farm.json(&line)["path"], copy.to_str().unwrap());
    let bytes = fs::read(&copy).unwrap();
    let refused = farm.run(&line);
    assert!(refused.error(2).contains("exists already"));
    assert_eq!(fs::read(&copy).unwrap(), bytes);
    let with_copy = |line: &str| {
        let answer = farm.crafting.args(line.split(' ')).env("CRAFTING_DATA_DIR", &folder).run();
        answer.wants(0);
        answer.json()
    };
    assert_eq!(with_copy("ledger check --format json")["sound"], true);
    assert_eq!(with_copy("job list --format json"), farm.json("job list"));
    assert_eq!(with_copy("findings --format json -p repo"), farm.json("findings -p repo"));
}

#[test]
fn gc_removes_old_logs_and_keeps_their_rows() {
    let farm = Farm::new();
    farm.run("job run test").wants(1);
    let old = farm.json("job show")["job"]["id"].as_str().unwrap().to_owned();
    farm.run("job run build").wants(0);
    let log = |id: &str| farm.crafting.data().join("logs").join(format!("{id}.log"));
    let then = SystemTime::now() - Duration::from_secs(3 * 86_400);
    File::options().write(true).open(log(&old)).unwrap().set_modified(then).unwrap();
    assert_eq!(farm.json("gc")["logs"], 0, "30 days are the default");
    let gc = farm.crafting.args(["gc", "--format", "json"]).env("CRAFTING_RETENTION_DAYS", "2").json();
    assert_eq!(gc["logs"], 1);
    assert!(gc["freed_bytes"].as_u64().unwrap() >= PYTEST.len() as u64);
    assert!(!log(&old).exists() && !log(&old).with_extension("idx").exists());
    assert_eq!(farm.run("job log").wants(0).stdout, "building\n");
    assert_eq!(farm.json(&format!("job show {old}"))["job"]["findings_count"], 1);
    assert_eq!(farm.json(&format!("findings {old}"))["counts"]["total"], 1);
    let gone = farm.run(&format!("job log {old}"));
    let told = gone.error(4).replace(&old, "JOB");
    insta::assert_snapshot!(told, @"
    4: error: there is no log of the job JOB any more
    hint: it was removed: logs are kept for `retention_days`, findings stay
    ");
}

#[test]
fn slots_that_nobody_used_for_a_day_go_and_all_of_them_on_request() {
    let farm = Farm::new();
    farm.run("job run build").wants(0);
    let project = farm.crafting.workspace().join("repo");
    assert_eq!(farm.json("gc")["slots"], 0);
    assert!(project.join("slot-1").exists());
    let then = SystemTime::now() - Duration::from_secs(25 * 3600);
    File::options().write(true).open(project.join("slot-1.lock")).unwrap().set_modified(then).unwrap();
    assert_eq!(farm.json("gc")["slots"], 1);
    assert!(!project.join("slot-1").exists());
    farm.run("job run build").wants(0);
    assert_eq!(farm.json("gc --all")["slots"], 1);
    assert!(!project.join("slot-1").exists());
    farm.run("job run build").wants(0);
}

fn which_recipes_run(farm: &Farm) {
    let ran_in = |folder: &Path, args: &[&str]| {
        let answer = farm.crafting.args(["job", "run", "--format", "json"]).more(args).dir(folder).run();
        assert!(answer.code < 2, "{answer:?}");
        ran(&answer.json())
    };
    let top = farm.repo.path();
    // Each subproject's `test`, else its `build`.
    assert_eq!(ran_in(top, &[]), [". build", "py test"]);
    assert_eq!(ran_in(&top.join("docs"), &[]), [". build", "py test"]);
    assert_eq!(ran_in(&top.join("py"), &[]), ["py test"]);
    assert_eq!(ran_in(&top.join("py"), &["lint"]), ["py lint"]);
    assert_eq!(ran_in(top, &["-s", "."]), [". build"]);
    assert_eq!(ran_in(top, &["-s", "py", "-s", "."]), [". build", "py test"]);
    assert_eq!(ran_in(&top.join("py"), &["-s", "."]), [". build"]);
    assert_eq!(ran_in(top, &["lint", "test", "build"]), [". build", "py lint", "py test"]);
    assert_eq!(ran_in(top, &["lint", "lint"]), ["py lint"]);
    assert_eq!(ran_in(&farm.crafting.home(), &["-C", top.join("py").to_str().unwrap()]), ["py test"]);
    farm.crafting.args(["job", "run", "build"]).dir(top.join("py")).run().error(4);
}

/// Only its own machine sees a checkout from elsewhere.
#[test]
fn recipes_of_a_checkout_run_from_elsewhere() {
    let farm = Farm::new();
    farm.run("job run build").wants(0);
    let elsewhere = farm.crafting.args(["job", "run", "-p", "repo", "lint", "--format", "json"]).run();
    assert_eq!(ran(&elsewhere.wants(0).json()), ["py lint"]);
}

fn a_dry_run_runs_nothing(farm: &Farm) {
    let plan = farm.run("job run test build --dry-run");
    plan.wants(0);
    assert!(
        plan.stdout.contains("echo building") && plan.stdout.contains("would run 2 jobs of repo"),
        "{}",
        plan.stdout
    );
    let plan = farm.json("job run test build --dry-run");
    assert_eq!(ran(&plan), [". build", "py test"]);
    assert_eq!(plan["dirty"], false);
    assert_eq!(farm.json("job list")["jobs"], Value::Array(vec![]));
    let slots = fs::read_dir(farm.crafting.workspace().join("repo")).unwrap();
    assert!(slots.map(|entry| entry.unwrap().file_name()).all(|name| !name.to_str().unwrap().starts_with("slot-")));
}
