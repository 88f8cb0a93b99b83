//! `crafting findings`: ignoring, comparing, grouping, and what a person sees of it.

mod support;

use serde_json::Value;
use support::{Farm, Ran, Repo, recipe_file};

both_farms! {
    an_ignored_finding_is_not_shown_and_counts_for_nothing,
    a_suppression_follows_its_finding,
    a_suppression_holds_for_every_recipe_that_finds_the_same_and_for_no_other_project,
    what_is_over_counts_again,
    rules_of_the_project_file_ignore_too,
    what_is_new_since_then,
    nothing_ran_there,
    thresholds_count_kinds_and_news,
    tables_are_cut_and_grouped,
    what_was_typed_wrong_is_an_error_and_a_hint,
    a_job_that_did_not_see_everything_is_told_of,
}

/// A repository whose recipe prints what stands in `gcc.txt`, in the GNU form.
fn repo(files: &[(&str, &str)], said: &str) -> Repo {
    let repo = Repo::with(&[("crafting.toml", &toml("")), ("gcc.txt", said)]);
    for (path, text) in files {
        repo.write(path, text);
    }
    repo.commit("files");
    repo
}

fn toml(more: &str) -> String {
    format!("name = \"shop\"\n{}\n{more}", recipe_file("c", &[("lint", "cat gcc.txt >&2")]))
}

fn lint(file: &str, line: u32, code: &str) -> String {
    format!("{file}:{line}:1: warning: something about {code} [-W{code}]\n")
}

fn run(farm: &Farm, repo: &Repo) -> Ran {
    farm.run(repo, ["lint"]).success()
}

fn told(farm: &Farm, repo: &Repo, arguments: &[&str]) -> Ran {
    farm.call(&[&["findings"], arguments].concat()).in_dir(repo.path()).output()
}

fn json(farm: &Farm, repo: &Repo, arguments: &[&str]) -> Value {
    told(farm, repo, &[arguments, &["--format", "json"]].concat()).success().json()
}

/// The findings of an answer as `file:line`.
fn places(answer: &Value) -> Vec<String> {
    let findings = answer["findings"].as_array().unwrap().iter();
    findings.map(|one| format!("{}:{}", one["file"].as_str().unwrap_or_default(), one["line"])).collect()
}

/// The fingerprint of the finding at a place.
fn at(farm: &Farm, repo: &Repo, place: &str) -> String {
    let answer = json(farm, repo, &["--ignored"]);
    let index = places(&answer).iter().position(|other| other == place).unwrap_or_else(|| panic!("{answer}"));
    answer["findings"][index]["fingerprint"].as_str().unwrap().to_owned()
}

fn ignore(farm: &Farm, repo: &Repo, fingerprint: &str) {
    told(farm, repo, &["ignore", fingerprint, "--reason", "a reason"]).success();
}

const MAIN: &str = "int main(void) {\n    int a;\n    int b;\n    return 0;\n}\n";

fn an_ignored_finding_is_not_shown_and_counts_for_nothing(farm: &Farm) {
    let repo = repo(&[("main.c", MAIN)], &(lint("main.c", 2, "a") + &lint("main.c", 3, "b")));
    let job = run(farm, &repo).id();
    let a = at(farm, &repo, "main.c:2");
    let ignored = json(farm, &repo, &["ignore", &a[..6], "--reason", " not  ours ", "--until", "2999-01-31"]);
    let row = &ignored["ignored"][0];
    assert_eq!((&row["fingerprint"], &row["reason"]), (&a.as_str().into(), &"not ours".into()));
    let answer = json(farm, &repo, &[]);
    assert_eq!(places(&answer), ["main.c:3"]);
    let counts = |answer: &Value| ["total", "new", "ignored"].map(|name| answer["counts"][name].as_i64().unwrap());
    assert_eq!(counts(&answer), [1, 1, 1]);
    assert_eq!(answer["findings"][0]["ignored"], Value::Null);
    let all = json(farm, &repo, &["--ignored"]);
    assert_eq!((places(&all), counts(&all)), (vec!["main.c:2".to_owned(), "main.c:3".to_owned()], [2, 1, 1]));
    let why = &all["findings"][0]["ignored"];
    assert_eq!((&why["reason"], &why["source"]), (&"not ours".into(), &"ledger".into()));
    assert!(why["until"].as_f64().unwrap() > 32_000_000_000.0, "{why}");
    // By the job's id it is the same; a threshold passes it over.
    assert_eq!(places(&json(farm, &repo, &[&job])), ["main.c:3"]);
    ignore(farm, &repo, &at(farm, &repo, "main.c:3"));
    assert_eq!(told(farm, &repo, &["--fail-on", "info"]).code(), 0);
    assert_eq!(told(farm, &repo, &["--fail-on", "info", "--ignored"]).code(), 0);
    let ran = farm.crafting(["job", "run", "lint", "--fail-on", "info"]).in_dir(repo.path()).output().success();
    assert!(ran.stdout.contains("1 passed · no findings, 2 ignored"), "{ran}");
    let jobs = farm.jobs();
    let last = jobs.last().unwrap();
    assert_eq!(
        (&last["findings_count"], &last["findings_new"], &last["findings_fixed"]),
        (&0.into(), &0.into(), &0.into())
    );
    // And back again.
    assert_eq!(json(farm, &repo, &["ignored"])["ignored"].as_array().unwrap().len(), 2);
    told(farm, &repo, &["unignore", &a]).success();
    assert_eq!(places(&json(farm, &repo, &[])), ["main.c:2"]);
    assert_eq!(json(farm, &repo, &["ignored"])["ignored"].as_array().unwrap().len(), 1);
    assert!(json(farm, &repo, &[])["findings"][0]["is_new"] == false, "it was known all along");
}

fn a_suppression_follows_its_finding(farm: &Farm) {
    let said = |a: u32, b: u32| lint("main.c", a, "a") + &lint("main.c", b, "a");
    let repo = repo(&[("main.c", MAIN)], &said(2, 3));
    run(farm, &repo);
    let first = at(farm, &repo, "main.c:2");
    ignore(farm, &repo, &first);
    // An edit above; what stands now where the ignored one stood is another one.
    repo.write("main.c", format!("// A line.\n{MAIN}")).write("gcc.txt", said(3, 4));
    run(farm, &repo);
    assert_eq!(places(&json(farm, &repo, &[])), ["main.c:4"]);
    // Into another file.
    repo.write("other.c", format!("// A line.\n{MAIN}")).remove("main.c");
    repo.write("gcc.txt", said(3, 4).replace("main.c", "other.c"));
    run(farm, &repo);
    assert_eq!(places(&json(farm, &repo, &[])), ["other.c:4"]);
    let listed = json(farm, &repo, &["ignored"])["ignored"][0].clone();
    assert_eq!((&listed["file"], &listed["line"]), (&"other.c".into(), &3.into()));
    assert_eq!(listed["ignored_as"], first.as_str());
    // Fixed, and back again, a line further down.
    repo.write("gcc.txt", lint("other.c", 4, "a"));
    assert_eq!(run(farm, &repo).job()["findings_fixed"], 0, "nobody missed it");
    repo.write("other.c", format!("// A line.\n// One more.\n{MAIN}"))
        .write("gcc.txt", said(4, 5).replace("main.c", "other.c"));
    let back = run(farm, &repo).job();
    assert_eq!((&back["findings_count"], &back["findings_new"]), (&1.into(), &0.into()), "{back}");
    assert_eq!(places(&json(farm, &repo, &[])), ["other.c:5"]);
    // On another branch that never saw it, without a job of its own to be compared with.
    repo.commit("moved");
    repo.git(&["checkout", "--quiet", "-b", "topic"]);
    run(farm, &repo);
    assert_eq!(places(&json(farm, &repo, &[])), ["other.c:5"]);
    // By either of its names it counts again.
    told(farm, &repo, &["unignore", &first]).success();
    assert_eq!(places(&json(farm, &repo, &[])), ["other.c:4", "other.c:5"]);
}

fn a_suppression_holds_for_every_recipe_that_finds_the_same_and_for_no_other_project(farm: &Farm) {
    let two =
        recipe_file("c", &[("lint", "cat gcc.txt >&2"), ("check", "cat gcc.txt >&2; exit 1"), ("fail", "exit 3")]);
    let repo = repo(&[("main.c", MAIN)], &lint("main.c", 2, "a"));
    repo.write(
        "crafting.toml",
        format!("name = \"shop\"\n{two}\n[[subproject]]\npath = \"sub\"\nrecipes = {{ fail = \"exit 3\" }}\n"),
    );
    repo.write("sub/x", "").commit("two recipes");
    farm.run(&repo, ["lint", "check"]).exits(1);
    ignore(farm, &repo, &at(farm, &repo, "main.c:2"));
    assert_eq!(places(&json(farm, &repo, &[])), [] as [&str; 0]);
    farm.run(&repo, ["lint", "check"]).exits(1);
    assert_eq!(json(farm, &repo, &[])["counts"]["ignored"], 2);
    // What has no file is told apart by subproject and recipe alone.
    let failed = farm.run(&repo, ["fail"]).exits(1);
    let one = failed.jobs()[0]["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
    told(farm, &repo, &["ignore", &one, "--reason", "x"]).success();
    assert_eq!(json(farm, &repo, &["ignored"])["ignored"].as_array().unwrap().len(), 3);
    // Another project with the same name of a finding has to be named apart.
    let own = toml("").replace("shop", "other");
    let other = Repo::with(&[("main.c", MAIN), ("crafting.toml", &own), ("gcc.txt", &lint("main.c", 2, "a"))]);
    run(farm, &other);
    assert_eq!(places(&json(farm, &other, &[])), ["main.c:2"]);
    let fingerprint = at(farm, &other, "main.c:2");
    let home = farm.home();
    let nowhere = |arguments: &[&str]| farm.call(arguments).in_dir(&home).output();
    let refused = nowhere(&["findings", "ignore", &fingerprint, "--reason", "x"]).exits(2);
    assert!(
        refused.stderr.contains("several projects have the finding") && refused.stderr.contains("-p PROJECT"),
        "{refused}"
    );
    nowhere(&["findings", "ignore", &fingerprint, "--reason", "x", "-p", "other"]).success();
    assert_eq!(places(&json(farm, &other, &[])), [] as [&str; 0]);
    nowhere(&["findings", "-p", "other", "unignore", &fingerprint]).success();
}

fn what_is_over_counts_again(farm: &Farm) {
    let repo = repo(&[("main.c", MAIN)], &lint("main.c", 2, "a"));
    run(farm, &repo);
    let a = at(farm, &repo, "main.c:2");
    told(farm, &repo, &["ignore", &a, "--reason", "x", "--until", "1s"]).success();
    let shown = || !places(&json(farm, &repo, &[])).is_empty();
    farm.wait_until("the suppression is over", shown);
    assert_eq!(json(farm, &repo, &[])["counts"]["ignored"], 0);
    let listed = told(farm, &repo, &["ignored"]).success();
    assert!(listed.stdout.contains("over"), "{listed}");
    assert_eq!(run(farm, &repo).job()["findings_count"], 1);
    // The same one, longer.
    told(farm, &repo, &["ignore", &a, "--reason", "y"]).success();
    assert!(!shown());
    let all = json(farm, &repo, &["ignored"])["ignored"].clone();
    assert_eq!((all.as_array().unwrap().len(), &all[0]["reason"]), (1, &"y".into()));
}

fn rules_of_the_project_file_ignore_too(farm: &Farm) {
    let said = lint("main.c", 2, "a") + &lint("gen/x.c", 1, "a") + &lint("main.c", 3, "long-b");
    let repo = repo(&[("main.c", MAIN), ("gen/x.c", "x\n")], &said);
    let before = run(farm, &repo).id();
    assert_eq!(json(farm, &repo, &[])["counts"]["total"], 3);
    let rules = "[[ignore]]\npath = \"gen/\"\nreason = \"generated\"\n\n\
                 [[ignore]]\ncode = \"-Wlong-*\"\nkind = \"lint\"\nreason = \"later\"\nuntil = 2999-01-31\n\n\
                 [[ignore]]\ncode = \"-Wa\"\nreason = \"was to be mended by then\"\nuntil = 2020-01-31\n";
    repo.write("crafting.toml", toml(rules));
    let ran = run(farm, &repo);
    assert_eq!((&ran.job()["findings_count"], &ran.job()["findings_fixed"]), (&1.into(), &0.into()));
    assert_eq!(ran.job()["recipe_snapshot"]["ignores"].as_array().unwrap().len(), 3);
    assert_eq!(places(&json(farm, &repo, &[])), ["main.c:2"]);
    let all = json(farm, &repo, &["--ignored", "--path", "gen/**"]);
    let why = &all["findings"][0]["ignored"];
    assert_eq!(
        (&why["reason"], &why["source"], &why["until"]),
        (&"generated".into(), &"crafting.toml".into(), &Value::Null)
    );
    // What a job did stands, whatever the file says later.
    assert_eq!(json(farm, &repo, &[&before])["counts"]["total"], 3);
    repo.write("crafting.toml", toml(""));
    assert_eq!(places(&json(farm, &repo, &[])), ["main.c:2"]);
    assert_eq!(run(farm, &repo).job()["findings_new"], 0, "they were known");
    assert_eq!(json(farm, &repo, &[])["counts"]["total"], 3);
}

fn what_is_new_since_then(farm: &Farm) {
    let repo = repo(&[("main.c", MAIN)], &lint("main.c", 2, "a"));
    let first = run(farm, &repo).id();
    repo.write("main.c", format!("// Above.\n{MAIN}"))
        .write("gcc.txt", lint("main.c", 3, "a") + &lint("main.c", 4, "b"));
    let second = repo.commit("two");
    repo.git(&["tag", "v2"]);
    run(farm, &repo);
    repo.write("gcc.txt", lint("main.c", 3, "a") + &lint("main.c", 4, "b") + &lint("main.c", 5, "c"));
    repo.commit("three");
    run(farm, &repo);
    repo.write("gcc.txt", lint("main.c", 3, "a") + &lint("main.c", 5, "c"));
    let last = run(farm, &repo).id();
    assert_eq!(places(&json(farm, &repo, &["--new"])), [] as [&str; 0], "against the job before");
    let since = |then: &str| {
        let answer = json(farm, &repo, &["--since", then]);
        let counts = ["total", "new", "fixed"].map(|name| answer["counts"][name].as_i64().unwrap());
        (places(&answer), counts)
    };
    assert_eq!(since(&first), (vec!["main.c:5".to_owned()], [1, 1, 0]), "a moved, b came and went");
    assert_eq!(since(&first[..6]).1, [1, 1, 0]);
    for then in ["v2", &second, &second[..8], "refs/tags/v2", "HEAD~1"] {
        assert_eq!(since(then), (vec!["main.c:5".to_owned()], [1, 1, 1]), "{then}");
    }
    // The last one was a snapshot on top of main: main itself had b.
    assert_eq!(since("main"), (vec![], [0, 0, 1]));
    assert_eq!((since("@last").1, since(&last).1), ([0, 0, 0], [0, 0, 0]));
    assert_eq!(since("1h").1, [2, 2, 0]);
    assert_eq!(since("2020-01-01").1, [2, 2, 0]);
    assert_eq!(told(farm, &repo, &["--since", "v2", "--fail-on", "new"]).code(), 1);
    assert_eq!(told(farm, &repo, &["--since", "main", "--fail-on", "new"]).code(), 0);
    assert_eq!(places(&json(farm, &repo, &["--since", "v2", "--new", "--path", "main.*"])), ["main.c:5"]);
    // What is both the beginning of a job's id and a branch has to be said in full.
    repo.git(&["branch", &first[..6]]);
    let refused = told(farm, &repo, &["--since", &first[..6]]).exits(2);
    assert!(refused.stderr.contains("may be the job") && refused.stderr.contains("hint: "), "{refused}");
    assert_eq!(since(&format!("refs/heads/{}", &first[..6])).1, [0, 0, 1]);
    assert_eq!(since(&first).1, [1, 1, 0]);
    // A job of another recipe has nothing to compare.
    repo.write("crafting.toml", recipe_file("c", &[("lint", "true"), ("test", "true")]));
    let other = farm.run(&repo, ["test"]).id();
    let refused = told(farm, &repo, &[&last, "--since", &other]).exits(2);
    assert!(refused.stderr.contains("ran test") && refused.stderr.contains("hint:"), "{refused}");
    assert_eq!(since(&other).1, [0, 0, 0], "its own recipe is what is meant");
}

fn nothing_ran_there(farm: &Farm) {
    let repo = repo(&[("main.c", MAIN)], &lint("main.c", 2, "a"));
    repo.commit("later");
    run(farm, &repo);
    let refused = told(farm, &repo, &["--since", "HEAD~1"]).exits(4);
    assert!(refused.stderr.contains("no job has run at HEAD~1 or before it"), "{refused}");
}

fn thresholds_count_kinds_and_news(farm: &Farm) {
    let audit = r#"{"dependencies": [{"name": "urllib3", "version": "1.26.5", "vulns": [{"id": "PYSEC-2023-192", "fix_versions": ["1.26.17", "2.0.6"], "aliases": ["CVE-2023-43804"], "description": "Cookies leak."}]}], "fixes": []}"#;
    let repo = Repo::with(&[("gcc.txt", &lint("main.c", 2, "a")), ("audit.json", audit)]);
    repo.write("crafting.toml", recipe_file("python", &[("lint", "cat gcc.txt >&2"), ("audit", "cat audit.json")]));
    let status = |bound: &str| {
        let ran = farm.crafting(["job", "run", "lint", "--fail-on", bound]).in_dir(repo.path()).output();
        ran.code()
    };
    assert_eq!(["new:warn", "new", "warn", "error", "cve"].map(status), [1, 0, 1, 0, 0]);
    let from = |bound: &str| {
        let log = repo.path().join("gcc.txt");
        let ran = farm.call(&["findings", "--from", log.to_str().unwrap(), "--fail-on", bound]).output();
        ran.code()
    };
    assert_eq!(["new", "new:warn", "new:error", "cve", "new:cve", "info"].map(from), [1, 1, 0, 0, 0, 1]);
    let wrong = farm.crafting(["findings", "--fail-on", "worse"]).output().exits(2);
    assert_eq!(
        wrong.stderr,
        "error: --fail-on: \"worse\" is nothing to fail on\n\
         hint: use error, warn, info, cve, new, new:error, new:warn, new:info or new:cve\n"
    );
}

fn tables_are_cut_and_grouped(farm: &Farm) {
    let mut said: String = (1..=300).map(|line| lint("a.c", line, "many")).collect();
    said.push_str("b.c:7:1: error: broken [-Wfew]\nsrc/日本語/長い.c:1:1: warning: wide [-Wfew]\n");
    let repo = repo(&[("a.c", ""), ("b.c", "")], &said);
    run(farm, &repo);
    let table = told(farm, &repo, &[]).success().stdout;
    assert_eq!(table.lines().count(), 1 + 200 + 1 + 2, "{table}");
    assert!(table.contains("\n… and 102 more: --limit 0 shows all\n\n302 findings (302 new)\n"));
    assert!(table.lines().nth(1).unwrap().contains("b.c:7"), "the worst first: {table}");
    assert_eq!(told(farm, &repo, &["--limit", "0"]).success().stdout.lines().count(), 1 + 302 + 2);
    assert_eq!(json(farm, &repo, &[])["findings"].as_array().unwrap().len(), 302);
    let page = json(farm, &repo, &["--limit", "2", "--group-by", "file"]);
    assert_eq!((places(&page).len(), &page["counts"]["total"]), (2, &302.into()));
    let lines = told(farm, &repo, &["--limit", "5", "--format", "jsonl"]).success().stdout;
    assert_eq!(lines.lines().count(), 5);
    insta::assert_snapshot!(
        "grouped_by_file",
        told(farm, &repo, &["--group-by", "file", "--limit", "3"]).success().stdout
    );
    insta::assert_snapshot!(
        "grouped_by_code",
        told(farm, &repo, &["--group-by", "code", "--limit", "4"]).success().stdout
    );
    let log = repo.path().join("gcc.txt");
    let from = |by: &str| farm.call(&["findings", "--from", log.to_str().unwrap(), "--group-by", by, "--limit", "4"]);
    assert_eq!(
        from("code").output().success().stdout,
        told(farm, &repo, &["--group-by", "code", "--limit", "4"]).stdout
    );
    let own = farm.crafting(["job", "run", "lint"]).in_dir(repo.path()).output().success().stdout;
    assert!(own.contains("\n… and 252 more: crafting findings "), "{own}");
}

fn what_was_typed_wrong_is_an_error_and_a_hint(farm: &Farm) {
    let repo = repo(&[("main.c", MAIN)], &(lint("main.c", 2, "a") + &lint("main.c", 3, "b")));
    run(farm, &repo);
    let a = at(farm, &repo, "main.c:2");
    let near = format!("{}0000", &a[..12]);
    let mut told_all = String::new();
    for (arguments, code) in [
        (vec!["ignore", "abcd"], 2),
        (vec!["ignore", "--reason", "x"], 2),
        (vec!["ignore", "abc", "--reason", "x"], 2),
        (vec!["ignore", &near, "--reason", "x"], 4),
        (vec!["ignore", &a, "--reason", " "], 2),
        (vec!["ignore", &a, "--reason", "x", "--until", "tomorrow"], 2),
        (vec!["ignore", &a, "--reason", "x", "--until", "2020-01-01"], 2),
        (vec!["ignore", &a, "--reason", "x", "-p", "shpo"], 4),
        (vec!["unignore", &a], 4),
        (vec!["ingore"], 4),
        (vec!["--new", "ignored"], 2),
        (vec!["@last", "ignored"], 4),
        (vec!["--since", "mian"], 4),
        (vec!["--since", "nowhere"], 4),
        (vec!["--since", "2999-01-01"], 2),
        (vec!["--since", "a b"], 2),
        (vec!["--since", "@first"], 2),
        (vec!["--group-by", "line"], 2),
        (vec!["--path", "[x"], 2),
    ] {
        let ran = told(farm, &repo, &arguments).exits(code);
        assert_eq!(ran.stdout, "", "{ran}");
        let text = ran.stderr.replace(&near, "NEAR").replace(&a, "FINGERPRINT");
        told_all.push_str(&format!(
            "$ crafting findings {}\n{text}\n",
            arguments.join(" ").replace(&near, "NEAR").replace(&a, "FINGERPRINT")
        ));
    }
    insta::assert_snapshot!("wrong", told_all);
    // The form of the answer may stand before the command, as everywhere.
    let early = told(farm, &repo, &["--format", "json", "ignored"]).success();
    assert_eq!(early.json()["ignored"], Value::Array(vec![]));
    told(farm, &repo, &["@last", "@last"]).success();
}

fn a_job_that_did_not_see_everything_is_told_of(farm: &Farm) {
    let repo = Repo::of_recipes(&[("lint", "cat lint.txt; kill -TERM $$"), ("audit", "true")]);
    repo.write("lint.txt", "a.py:1:1: F401 `os` imported but unused\n").write("a.py", "import os\n");
    farm.run(&repo, ["lint", "audit"]);
    let ran = told(farm, &repo, &[]).success();
    let note = ran.stderr.lines().find(|line| line.starts_with("note: ")).unwrap_or_default();
    assert!(
        note.starts_with("note: repo lint was ended by a signal (") && note.ends_with("more findings than these"),
        "{ran}"
    );
    assert_eq!(ran.stderr.lines().count(), 1, "nothing is said of the other one: {ran}");
    assert_eq!(told(farm, &repo, &["@last"]).success().stderr, "");
}
