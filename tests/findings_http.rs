//! `/findings`, `/jobs/{id}/findings` and `/suppressions` as any HTTP client meets them.

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{Farm, Reply, Repo, Server, recipe_file};

/// The fields of a row that everybody may count on.
const FIELDS: [&str; 19] = [
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
    "raw_json",
];
const PROBLEM: &str = "application/problem+json";

/// A repository with a project below its top, whose recipe prints what stands in `gcc.txt`, in the GNU form.
fn repo(said: &str) -> Repo {
    let file = format!("name = \"shop\"\n{}", recipe_file("c", &[("lint", "cat gcc.txt >&2")]));
    Repo::with(&[("app/crafting.toml", &file), ("app/main.c", "int a;\nint b;\nint c;\n"), ("app/gcc.txt", said)])
}

fn lint(line: u32, code: &str) -> String {
    format!("main.c:{line}:1: warning: something about {code} [-W{code}]\n")
}

/// A farm with one job that found three things, its repository, and a server on the farm.
fn found() -> (Farm, Repo, Server, String) {
    let farm = Farm::new();
    let repo = repo(&(lint(1, "a") + &lint(2, "b") + &lint(3, "c")));
    let id = farm.crafting(["job", "run", "lint", "--format", "json"]).in_dir(&repo.path().join("app")).output().id();
    let server = farm.machine().serve();
    (farm, repo, server, id)
}

fn rows(reply: &Reply) -> Vec<Value> {
    reply.json()["findings"].as_array().unwrap().clone()
}

/// The lines of an answer that comes one a line.
fn lines(reply: &Reply) -> Vec<Value> {
    reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn one_a_line(server: &Server, target: &str) -> Reply {
    server.request("GET", target).header("Accept", "application/x-ndjson").send().wants(200)
}

#[test]
fn a_page_has_rows_with_every_field_and_counts_beyond_it() {
    let (_farm, _repo, server, id) = found();
    let reply = server.get("/findings?project=shop&limit=2").wants(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let answer = reply.json();
    assert_eq!(
        (&answer["ok"], &answer["counts"]["total"], &answer["counts"]["new"]),
        (&true.into(), &3.into(), &3.into())
    );
    assert_eq!(answer["sorts"], json!([{"kind": "lint", "severity": "warn", "new": true, "count": 3}]));
    assert_eq!((&answer["groups"], &answer["notes"]), (&json!([]), &json!([])));
    let rows = rows(&reply);
    assert_eq!(rows.len(), 2);
    for field in FIELDS.into_iter().chain(["created_at"]) {
        assert!(rows[0].get(field).is_some(), "{field} is missing in {}", rows[0]);
    }
    let one = &rows[0];
    assert_eq!([&one["job_id"], &one["file"], &one["code"]], [&id, "main.c", "-Wa"]);
    assert!(one["raw_json"].as_str().unwrap().contains("something about a"), "{one}");
    assert!(one["created_at"].as_f64().unwrap() > 1_700_000_000.0);
    let without = server.get("/findings?records=0").wants(200);
    assert_eq!(self::rows(&without)[0]["raw_json"], Value::Null);
    // By the job, by the beginning of its id, and by what it is besides, it is the same.
    for target in
        [format!("/jobs/{id}/findings"), format!("/jobs/{}/findings", &id[..6]), "/jobs/@last/findings".into()]
    {
        assert_eq!(self::rows(&server.get(&target).wants(200)).len(), 3, "{target}");
    }
}

#[test]
fn queries_narrow_and_group() {
    let (_farm, _repo, server, id) = found();
    let count = |query: &str| rows(&server.get(&format!("/jobs/{id}/findings?{query}")).wants(200)).len();
    assert_eq!(count("new=1&kind=lint&severity=warn"), 3);
    assert_eq!(["severity=error", "kind=cve", "path=*.py"].map(count), [0; 3]);
    assert_eq!(["new=true", "since=1d", "path=*.c", "limit=1"].map(count), [3, 3, 3, 1]);
    let answer = server.get("/findings?group_by=code&limit=0").wants(200).json();
    assert_eq!((&answer["findings"], &answer["groups"]), (&json!([]), &json!([])));
    let answer = server.get("/findings?group_by=file&from_top=1").wants(200).json();
    assert_eq!(answer["groups"], json!([{"key": "main.c", "errors": 0, "warns": 3, "infos": 0, "new": 3}]));
    assert_eq!(answer["findings"][0]["file"], "app/main.c");
}

#[test]
fn what_makes_no_sense_is_refused_with_the_parameters_name() {
    let (_farm, _repo, server, id) = found();
    for (query, field) in [
        ("kind=bug", "kind"),
        ("severity=bad", "severity"),
        ("new=yes", "new"),
        ("limit=-1", "limit"),
        ("limit=1001", "limit"),
        ("format=pdf", "format"),
        ("job=UPPER", "job"),
        ("since=2999-01-01", "since"),
        ("projekt=shop", "projekt"),
        ("new=1&new=0", "new"),
    ] {
        let reply = server.get(&format!("/findings?{query}")).wants(422);
        assert_eq!(reply.header("content-type"), Some(PROBLEM), "{query}");
        let problem = reply.json();
        assert_eq!((&problem["ok"], &problem["errors"][0]["field"]), (&false.into(), &field.into()), "{problem}");
    }
    server.get("/findings?path=[").wants(422);
    server.get("/findings?project=nothing").wants(404);
    server.get("/findings?since=nothing").wants(404);
    server.get("/jobs/zzzz/findings").wants(404);
    server.get("/jobs/UPPER/findings").wants(422);
    server.request("POST", &format!("/jobs/{id}/findings")).send().wants(405);
}

#[test]
fn one_a_line_they_all_come_between_a_head_and_an_end() {
    let (_farm, _repo, server, id) = found();
    let reply = one_a_line(&server, &format!("/jobs/{id}/findings"));
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    let lines = lines(&reply);
    assert_eq!(lines.len(), 5, "{lines:#?}");
    assert_eq!((&lines[0]["ok"], &lines[0]["counts"]["total"]), (&true.into(), &3.into()));
    assert_eq!([&lines[1]["code"], &lines[2]["code"], &lines[3]["code"]], ["-Wa", "-Wb", "-Wc"]);
    assert_eq!(lines[4], json!({"ok": true, "findings": 3}));
    assert_eq!(one_a_line(&server, "/findings?limit=1").text().lines().count(), 3);
}

#[test]
fn other_programs_get_what_they_take() {
    let (farm, _repo, server, id) = found();
    for (format, media) in [
        ("sarif", "application/sarif+json"),
        ("junit", "application/xml"),
        ("rdjsonl", "application/rdjsonl"),
        ("github", "text/plain; charset=utf-8"),
        ("gitlab", "application/json"),
        ("checkstyle", "application/xml"),
        ("markdown", "text/markdown; charset=utf-8"),
    ] {
        let reply = server.get(&format!("/jobs/{id}/findings?format={format}")).wants(200);
        assert_eq!(reply.header("content-type"), Some(media), "{format}");
        // The same bytes as on the command line.
        assert_eq!(reply.text(), farm.crafting(["findings", &id, "--format", format]).output().success().stdout);
    }
    assert_eq!(rows(&server.get(&format!("/jobs/{id}/findings?format=json")).wants(200)).len(), 3);
}

#[test]
fn suppressions_are_made_listed_and_taken_back() {
    let (_farm, _repo, server, id) = found();
    let all = rows(&server.get(&format!("/jobs/{id}/findings")).wants(200));
    let print = all[0]["fingerprint"].as_str().unwrap();
    let body = json!({"findings": [&print[..8]], "reason": "not ours", "project": "shop"});
    let made = server.post("/suppressions", &body).wants(200).json();
    assert_eq!((&made["ok"], &made["suppressions"][0]["fingerprint"]), (&true.into(), &print.into()));
    assert_eq!(server.get("/suppressions?project=shop").wants(200).json()["suppressions"], made["suppressions"]);
    let left = server.get("/findings").wants(200).json();
    assert_eq!((&left["counts"]["total"], &left["counts"]["ignored"]), (&2.into(), &1.into()));
    assert_eq!(server.get("/findings?ignored=1").wants(200).json()["findings"][0]["ignored"]["reason"], "not ours");
    server.delete(&format!("/suppressions?finding={print}&project=nothing")).wants(404);
    let back = server.delete(&format!("/suppressions?finding={print}")).wants(200).json();
    assert_eq!(back["suppressions"][0]["fingerprint"], print);
    assert_eq!(server.get("/suppressions").wants(200).json()["suppressions"], json!([]));
    server.delete(&format!("/suppressions?finding={print}")).wants(404);
    for (body, field) in [
        (json!({"findings": ["xyz"], "reason": "r"}), "findings[0]"),
        (json!({"findings": [], "reason": "r"}), "findings"),
        (json!({"findings": vec![print; 1001], "reason": "r"}), "findings"),
        (json!({"findings": [print]}), "reason"),
        (json!({"findings": [print], "reason": "r", "why": "?"}), "why"),
    ] {
        let problem = server.post("/suppressions", &body).wants(422).json();
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    server.delete("/suppressions").wants(422);
}

/// Everything about findings that a caller may ask for who owns nothing: as if there was nothing.
#[test]
fn somebody_elses_findings_are_not_there() {
    let (_farm, _repo, server, id) = found();
    let all = rows(&server.get("/findings").wants(200));
    let print = all[0]["fingerprint"].as_str().unwrap().to_owned();
    let stranger = server.mint("stranger");
    let ask = |method: &str, target: &str| server.request(method, target).bearer(&stranger).send();
    assert_eq!(rows(&ask("GET", "/findings").wants(200)), [] as [Value; 0]);
    assert_eq!(ask("GET", "/findings").json()["counts"]["total"], 0);
    assert_eq!(rows(&ask("GET", "/findings?since=7d&ignored=1").wants(200)), [] as [Value; 0]);
    server.post("/suppressions", &json!({"findings": [print], "reason": "r"})).wants(200);
    assert_eq!(ask("GET", "/suppressions").wants(200).json()["suppressions"], json!([]));
    let ignore = |finding: &str, project: Value| {
        let body = json!({"findings": [finding], "reason": "r", "project": project});
        server.request("POST", "/suppressions").bearer(&stranger).json(&body).send()
    };
    // What there is and what there is not differ by the name alone that was asked for.
    let same = |there: Reply, missing: Reply, name: &str, other: &str| {
        assert_eq!((there.status, missing.status), (404, 404), "{}: {}", there.what, there.text());
        assert_eq!(there.text().replace(name, other), missing.text(), "{}", there.what);
        let names = |reply: &Reply| reply.headers.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>();
        assert_eq!(names(&there), names(&missing), "{}", there.what);
    };
    let (other_id, other_print) = ("0".repeat(12), "0".repeat(16));
    let get = |target: &str| ask("GET", target);
    same(get(&format!("/jobs/{id}/findings")), get(&format!("/jobs/{other_id}/findings")), &id, &other_id);
    same(
        get(&format!("/jobs/{id}/findings?format=sarif")),
        get(&format!("/jobs/{other_id}/findings?format=sarif")),
        &id,
        &other_id,
    );
    same(get(&format!("/findings?job={id}")), get(&format!("/findings?job={other_id}")), &id, &other_id);
    same(get(&format!("/findings?since={id}")), get(&format!("/findings?since={other_id}")), &id, &other_id);
    same(get("/findings?project=shop"), get("/findings?project=nope"), "shop", "nope");
    same(get("/suppressions?project=shop"), get("/suppressions?project=nope"), "shop", "nope");
    same(ignore(&print, Value::Null), ignore(&other_print, Value::Null), &print, &other_print);
    same(ignore(&print, "shop".into()), ignore(&print, "nope".into()), "shop", "nope");
    let unignore = |finding: &str| ask("DELETE", &format!("/suppressions?finding={finding}"));
    same(unignore(&print), unignore(&other_print), &print, &other_print);
    assert_eq!(server.get("/suppressions").json()["suppressions"].as_array().unwrap().len(), 1);
}

#[test]
fn a_reader_who_stops_reading_stops_nobody() {
    let farm = Farm::new();
    let many: String = (1..=20_000).map(|line| lint(line, &format!("w{line}"))).collect();
    let repo = repo(&many);
    let id = farm.crafting(["job", "run", "lint", "--format", "json"]).in_dir(&repo.path().join("app")).output().id();
    let server = farm.machine().serve();
    let target = format!("/jobs/{id}/findings");
    let stuck: Vec<_> =
        (0..40).map(|_| server.request("GET", &target).header("Accept", "application/x-ndjson").open()).collect();
    assert!(stuck.iter().all(|answer| answer.status == 200));
    let whole = one_a_line(&server, &target);
    assert_eq!(whole.text().lines().count(), 20_002);
    drop(stuck);
    assert_eq!(server.get(&target).wants(200).json()["counts"]["total"], 20_000);
}
