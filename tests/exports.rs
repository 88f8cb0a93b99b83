//! Findings in other programs' formats.

mod support;

use std::fmt::Write as _;

use serde_json::Value;
use support::command::Crafting;
use support::{Farm, Repo};

/// What several tools print about places and in words that formats could trip over.
const LOG: &str = "\
src/a b/ü,x.py:1:8: F401 [*] `os` imported but <b>unused</b> | @team ]]> & \"q\" 100%: ::x
src/core.py:12:5: E722 Do not use bare `except`
src/core.py:14:1: SyntaxError: Expected an indented block
error[E0308]: mismatched types
 --> src/lib.rs:3:5
  |
3 |     \"x\"
  |     ^^^ expected `u32`, found `&str`

=========================== short test summary info ============================
FAILED tests/test_a.py::test_one[a::b, c%d] - AssertionError: assert 1 == 2
============================== 1 failed in 0.01s ===============================
";

const FORMATS: [&str; 7] = ["sarif", "junit", "rdjsonl", "github", "gitlab", "checkstyle", "markdown"];

fn exported(log: &str, format: &str) -> String {
    let crafting = Crafting::new();
    let arguments = ["findings", "--from", "-", "--exit-code", "1", "--recipe", "test", "--format", format];
    crafting.args(arguments).stdin(log).run().wants(0).stdout.clone()
}

/// Every fault that the standard's schema finds.
fn sarif_faults(document: &str) -> Vec<String> {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemas/sarif-schema-2.1.0.json");
    let index = compiler.compile(schema, &mut schemas).unwrap();
    let document: Value = serde_json::from_str(document).unwrap();
    schemas.validate(&document, index).err().map(|error| format!("{error:#}")).into_iter().collect()
}

/// The elements of an XML document, each with its attributes; whatever is not well-formed panics.
fn elements(document: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut reader = quick_xml::Reader::from_str(document);
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                let attributes = tag.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap();
                    (attribute.key.as_ref().to_owned(), value.into_owned())
                });
                let attributes = attributes.collect();
                found.push((tag.name().as_ref().to_owned(), attributes));
            }
            quick_xml::events::Event::Eof => return found,
            _ => {}
        }
    }
}

#[test]
fn each_format_as_it_is_read_elsewhere() {
    for format in FORMATS {
        insta::with_settings!({ filters => [(r#""version": "\d[^"]*",\n(\s+)"rules""#, "\"version\": \"VERSION\",\n$1\"rules\"")] }, {
            insta::assert_snapshot!(format, exported(LOG, format));
        });
    }
}

#[test]
fn nothing_found_is_a_document_too() {
    let mut all = String::new();
    for format in FORMATS {
        let crafting = Crafting::new();
        let answer = crafting.args(["findings", "--from", "-", "--format", format]).stdin("all well\n").run();
        writeln!(all, "--- {format}\n{}", answer.wants(0).stdout).unwrap();
        match format {
            "sarif" => assert_eq!(sarif_faults(&answer.stdout), [] as [&str; 0]),
            "junit" | "checkstyle" => assert_eq!(elements(&answer.stdout).len(), 1),
            "gitlab" => assert_eq!(serde_json::from_str::<Value>(&answer.stdout).unwrap(), serde_json::json!([])),
            "rdjsonl" | "github" => assert_eq!(answer.stdout, ""),
            _ => {}
        }
    }
    assert!(all.contains("No findings."), "{all}");
}

#[test]
fn hostile_words_stay_words() {
    let message = "\u{1b}[31m<script>&amp;]]>\u{7}\u{fffe} %0A::error::x | `a` **b** [c](d) @all \u{202e}";
    let log = format!("a'\"<&>.py:1:2: F401 {message}\n%2E%2E/é ü.py:3:1: E722 {message}\n");
    let rows = |format: &str| exported(&log, format);
    assert_eq!(sarif_faults(&rows("sarif")), [] as [&str; 0]);
    let checkstyle = elements(&rows("checkstyle"));
    let names: Vec<&str> =
        checkstyle.iter().filter(|(tag, _)| tag == "file").map(|(_, attributes)| attributes[0].1.as_str()).collect();
    assert_eq!(names, ["%2E%2E/é ü.py", "a'\"<&>.py"]);
    let junit = elements(&rows("junit"));
    assert_eq!(junit.iter().filter(|(tag, _)| tag == "failure").count(), 2);
    for line in rows("github").lines() {
        assert!(line.starts_with("::warning file=") && line.contains("%250A"), "{line}");
    }
    assert_eq!(rows("rdjsonl").lines().map(serde_json::from_str::<Value>).filter(Result::is_ok).count(), 2);
    let markdown = rows("markdown");
    assert_eq!(markdown.lines().count(), 6, "{markdown}");
    assert!(!markdown.contains("<script>") && !markdown.contains("@all"), "{markdown}");
}

#[test]
fn sarif_says_what_the_farm_knows() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("lint", "cat lint.txt")]);
    repo.write("a.py", "import os\n").write("lint.txt", "a.py:1:8: F401 `os` imported but unused\n");
    repo.commit("one");
    farm.run(&repo, ["lint"]);
    repo.write("a.py", "# moved\nimport os\nimport re\n")
        .write("lint.txt", "a.py:2:8: F401 `os` imported but unused\na.py:3:8: F401 `re` imported but unused\n");
    let first = farm.crafting(["findings", "--format", "sarif"]).in_dir(repo.path()).output().success();
    farm.run(&repo, ["lint"]);
    let second = farm.crafting(["findings", "--format", "sarif"]).in_dir(repo.path()).output().success();
    let results = |text: &str| -> Vec<Value> {
        assert_eq!(sarif_faults(text), [] as [&str; 0]);
        let document: Value = serde_json::from_str(text).unwrap();
        document["runs"][0]["results"].as_array().unwrap().clone()
    };
    let (first, second) = (results(&first.stdout), results(&second.stdout));
    let states: Vec<_> = second.iter().map(|result| result["baselineState"].as_str().unwrap()).collect();
    assert_eq!(states, ["unchanged", "new"]);
    let hash = |result: &Value| result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned();
    assert_eq!(hash(&first[0]), hash(&second[0]), "an alert follows its line");
    assert_ne!(hash(&second[0]), hash(&second[1]));
}

#[test]
fn other_commands_have_no_such_answers() {
    let crafting = Crafting::new();
    for format in FORMATS {
        let error = crafting.args(["job", "list", "--format", format]).run().error(2);
        assert!(error.contains("only `crafting findings` answers as"), "{error}");
    }
}

/// A project in a folder of its repository: a subproject whose name is not its folder, and two recipes that find the
/// same; one of its two findings is ignored.
fn in_a_folder(farm: &Farm) -> Repo {
    let repo = Repo::with(&[
        (
            "apps/shop/crafting.toml",
            "[[subproject]]\npath = \"back\"\nname = \"api\"\nlint = \"cat lint.txt\"\naudit = \"cat lint.txt\"\n\
             test = \"exit 7\"\nrecipes = { e2e = \"exit 7\" }\n\
             [[ignore]]\ncode = \"E722\"\nreason = \"bare | on purpose\"\n",
        ),
        ("apps/shop/back/a.py", "import os\n\ntry: f()\nexcept: pass\n"),
        (
            "apps/shop/back/lint.txt",
            "a.py:1:8: F401 `os` imported but unused\na.py:4:1: E722 Do not use bare `except`\n",
        ),
    ]);
    let all = ["job", "run", "lint", "audit", "test", "e2e"];
    farm.crafting(all).in_dir(&repo.path().join("apps/shop")).output().exits(1);
    repo
}

fn told(farm: &Farm, repo: &Repo, arguments: &[&str]) -> String {
    let arguments = [&["findings"], arguments].concat();
    farm.call(&arguments).in_dir(&repo.path().join("apps/shop")).output().success().stdout
}

#[test]
fn paths_are_from_the_top_of_the_repository() {
    let farm = Farm::new();
    let repo = in_a_folder(&farm);
    let file = "apps/shop/back/a.py";
    let sarif: Value = serde_json::from_str(&told(&farm, &repo, &["--format", "sarif"])).unwrap();
    let places: Vec<&str> = sarif["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["apps/shop/back", "apps/shop/back", file, file]);

    let github = told(&farm, &repo, &["--format", "github"]);
    assert_eq!(github.matches(&format!("file={file},line=1")).count(), 1, "one place is annotated once: {github}");
    assert_eq!(github.lines().filter(|line| line.contains("exit_7")).count(), 2, "{github}");

    let gitlab: Value = serde_json::from_str(&told(&farm, &repo, &["--format", "gitlab"])).unwrap();
    let issues = gitlab.as_array().unwrap();
    let places: Vec<_> = issues.iter().map(|issue| issue["location"]["path"].as_str().unwrap()).collect();
    assert_eq!(places, ["apps/shop/back", "apps/shop/back", file]);
    let names: std::collections::HashSet<_> = issues.iter().map(|issue| issue["fingerprint"].as_str()).collect();
    assert_eq!(names.len(), 3, "each failed recipe has a name of its own: {gitlab}");

    for format in ["junit", "rdjsonl", "checkstyle", "markdown"] {
        assert!(told(&farm, &repo, &["--format", format]).contains(file), "{format}");
    }
    // Everything else names files as the project does.
    let json: Value = serde_json::from_str(&told(&farm, &repo, &["--kind", "lint", "--format", "json"])).unwrap();
    assert_eq!(json["findings"][0]["file"], "back/a.py");
    let by_path = told(&farm, &repo, &["--path", "back", "--format", "github"]);
    assert_eq!(by_path.lines().count(), 1, "{by_path}");
}

#[test]
fn ignored_findings_are_marked_or_left_out() {
    let farm = Farm::new();
    let repo = in_a_folder(&farm);
    let lint = |format: &str| told(&farm, &repo, &["--kind", "lint", "--ignored", "--format", format]);
    let without = told(&farm, &repo, &["--kind", "lint", "--format", "sarif"]);
    assert!(!without.contains("E722"), "code scanning would open an alert for it: {without}");
    told(&farm, &repo, &["ignore", "--reason", "known", &name_of(&farm, &repo, "F401")]);

    let sarif = lint("sarif");
    assert_eq!(sarif_faults(&sarif), [] as [&str; 0]);
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let suppressions: Vec<_> = sarif["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| {
            let suppression = &result["suppressions"][0];
            (result["ruleId"].as_str(), suppression["kind"].as_str(), suppression["justification"].as_str())
        })
        .collect();
    let (by_hand, by_rule) =
        ((Some("F401"), Some("external"), Some("known")), (Some("E722"), Some("inSource"), Some("bare | on purpose")));
    assert_eq!(suppressions, [by_hand, by_hand, by_rule, by_rule]);

    let junit = elements(&lint("junit"));
    let with_tag = |tag: &str| junit.iter().filter(|(name, _)| name == tag).count();
    assert_eq!([with_tag("testcase"), with_tag("skipped"), with_tag("failure")], [4, 4, 0]);
    let counts: Vec<_> = junit[0].1.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(counts, ["crafting", "4", "0", "0", "4"]);

    let markdown = lint("markdown");
    assert!(markdown.starts_with("**4 findings**, 4 ignored\n"), "{markdown}");
    assert!(
        markdown.contains("| 🟡 warn ignored |") && markdown.contains("<br>ignored: bare \\| on purpose"),
        "{markdown}"
    );
    for format in ["rdjsonl", "github"] {
        assert_eq!(lint(format), "", "{format}");
    }
    assert_eq!(lint("gitlab"), "[]\n");
    assert_eq!(elements(&lint("checkstyle")).len(), 1);
}

fn name_of(farm: &Farm, repo: &Repo, code: &str) -> String {
    let json: Value = serde_json::from_str(&told(farm, repo, &["--format", "json"])).unwrap();
    let findings = json["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["code"] == code).unwrap()["fingerprint"].as_str().unwrap().to_owned()
}
