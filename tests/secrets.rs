//! Secrets from outside: whoever declares one gets it, and its value is nowhere else.
//!
//! The recipes print planted values in every way that comes to mind. Then every file of the farm is searched, every
//! answer of every command (which the farm's folder keeps too), and while a recipe runs every process of the machine.

mod support;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use support::{Farm, Repo, Server, wait_until};

/// Full of what shells, XML, JSON and addresses escape.
const TOKEN: &str = "planted-7Qz!x&<y>'\"$/+=tok\\zen";
/// One whose beginning is another one's whole.
const SHORT: &str = "planted-2w9";
const LONG: &str = "planted-2w9-and-more-3k8v";
const KEY: &str = "-----BEGIN PLANTED-----\nplantedline4Rt8\n  plantedline5Yu7==\n-----END PLANTED-----\n";

/// Pieces of the values that nothing but they have, and what base64 makes of the beginning at each of three places.
fn needles() -> Vec<String> {
    let mut all =
        ["7Qz!x", "planted-2w9", "and-more-3k8v", "plantedline4Rt8", "plantedline5Yu7", "7Qz%21x", "7Qz!x%26"]
            .map(str::to_owned)
            .to_vec();
    for value in [TOKEN, LONG] {
        for skip in 0..3 {
            use base64::Engine as _;
            let bytes = &value.as_bytes()[skip..skip + 15];
            all.push(base64::engine::general_purpose::STANDARD.encode(bytes));
        }
    }
    all
}

fn holds(bytes: &[u8], needles: &[String]) -> Option<String> {
    needles.iter().find(|needle| memchr::memmem::find(bytes, needle.as_bytes()).is_some()).cloned()
}

/// The files below a folder that hold a needle.
fn files_with(folder: &Path, needles: &[String]) -> Vec<(PathBuf, String)> {
    let (mut found, mut waiting) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(path) = waiting.pop() {
        let Ok(metadata) = path.symlink_metadata() else { continue };
        if metadata.is_dir() {
            waiting.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else if metadata.is_file() {
            found.extend(holds(&fs::read(&path).unwrap_or_default(), needles).map(|needle| (path, needle)));
        }
    }
    found
}

#[track_caller]
fn nowhere(farm: &Farm, needles: &[String]) {
    let root = farm.home().parent().unwrap().to_owned();
    if let Some((path, needle)) = files_with(&root, needles).into_iter().next() {
        let bytes = fs::read(&path).unwrap_or_default();
        let lines: Vec<_> = bytes.split(|byte| *byte == b'\n').map(String::from_utf8_lossy).collect();
        let leaked: Vec<_> = lines.iter().filter(|line| line.contains(&needle)).collect();
        panic!("{needle:?} is in {}: {leaked:#?}", path.display());
    }
}

/// That no process has a needle in its arguments, and in its environment only those of recipes that were given it.
#[track_caller]
fn in_no_process_but(variable: &str, needles: &[String]) -> usize {
    let mut given = 0;
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        let (arguments, environment) = (read("cmdline"), read("environ"));
        assert_eq!(holds(&arguments, needles), None, "{}", String::from_utf8_lossy(&arguments));
        if holds(&environment, needles).is_some() {
            let start = format!("{variable}=");
            let has = environment.split(|byte| *byte == 0).any(|one| one.starts_with(start.as_bytes()));
            assert!(has && !arguments.starts_with(b"crafting"), "{}", String::from_utf8_lossy(&arguments));
            given += 1;
        }
    }
    given
}

fn set(farm: &Farm, more: &[&str], name: &str, value: &str) {
    let arguments: Vec<&str> = ["secret", "set", name, "-p", "mine"].into_iter().chain(more.iter().copied()).collect();
    let mut command = farm.machine().crafting(&arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for stream in [output.stdout, output.stderr] {
        assert_eq!(holds(&stream, &needles()), None);
    }
}

fn set_all(farm: &Farm, more: &[&str]) {
    for (name, value) in [("TOKEN", TOKEN), ("SHORT", SHORT), ("LONG", LONG), ("KEY", KEY)] {
        set(farm, more, name, &format!("{value}\n"));
    }
}

const LEAK: &str = r#"
xml() { sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'; }
json() { sed 's/\\/\\\\/g; s/"/\\"/g'; }
echo "in a line: $TOKEN and $SHORT and $LONG"
echo "on the other stream: $TOKEN" >&2
printf '%s' "$TOKEN" | base64
printf 'user:%s' "$TOKEN" | base64 -w0; echo
printf 'u:%s' "$LONG" | base64 -w0; echo
printf '%s\n' "$LONG" | base64 -w0; echo
printf '%s' "$KEY" | base64
printf 'https://x:%s@example.org\n' "$(printf '%s' "$TOKEN" | sed 's/!/%21/; s/&/%26/; s/</%3C/; s/>/%3E/; s/"/%22/; s/\$/%24/; s,/,%2F,; s/+/%2B/; s/=/%3D/; s/\\/%5C/; s/'"'"'/%27/')"
echo "$KEY"
echo $KEY
env
set
(set -x; : "$TOKEN" "$LONG")
echo "src/a.c:3:5: error: unknown name '$LONG'"
echo "{\"message\": \"$(printf '%s' "$TOKEN" | json)\"}"
cat > "$CRAFTING_REPORTS/junit.xml" <<END
<testsuite name="s"><testcase classname="c" name="leaks $LONG"><failure message="got $(printf '%s' "$TOKEN" | xml)">
expected $(printf '%s' "$TOKEN" | xml) and <![CDATA[$TOKEN]]> $SHORT</failure></testcase></testsuite>
END
cat > "$CRAFTING_REPORTS/lint.sarif" <<END
{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t"}},"results":[{"ruleId":"r","level":"error",
"message":{"text":"found $(printf '%s' "$TOKEN" | json) and \u0070lanted-2w9"},"locations":[{"physicalLocation":
{"artifactLocation":{"uri":"a.c"},"region":{"startLine":1}}}],"fixes":[{"description":{"text":"put $LONG"},"artifactChanges":
[{"artifactLocation":{"uri":"a.c"},"replacements":[{"deletedRegion":{"startLine":1},"insertedContent":{"text":"$LONG"}}]}]}]}]}]}
END
exit 3
"#;

const SPLIT: &str = r#"
half=${TOKEN%????????????}
printf 'before %s' "$half"
touch "$HOME/half-$CRAFTING_JOB_ID"
until [ -e "$HOME/go" ]; do sleep 0.02; done
printf '%s\n' "${TOKEN#"$half"}"
i=0
while [ $i -lt ${#LONG} ]; do
    i=$((i + 1)); printf '%s' "$LONG" | cut -c$i | tr -d '\n'; printf x >&2
done
echo
"#;

fn repo() -> Repo {
    let repo = Repo::empty();
    let toml = "[[subproject]]\npath = \".\"\nsecrets = [\"TOKEN\"]\n[subproject.recipes]\n\
        leak = { command = \"sh leak.sh\", secrets = [\"SHORT\", \"LONG\", \"KEY\"] }\n\
        split = { command = \"sh split.sh\", secrets = [\"LONG\"] }\n\
        prompt = \"printf 'Password: pl'; touch $HOME/asked-$CRAFTING_JOB_ID; until [ -e $HOME/go ]; do sleep 0.02; done\"\n\
        nap = \"echo $TOKEN; printf 'and half: %.20s' $TOKEN; touch $HOME/nap-$CRAFTING_JOB_ID; sleep 300\"\n\
        [[subproject]]\npath = \"other\"\n[subproject.recipes]\nplain = \"env; echo [$TOKEN]\"\n";
    repo.write("crafting.toml", toml).write("leak.sh", LEAK).write("split.sh", SPLIT).write("other/x", "");
    repo.commit("a");
    repo
}

fn registered() -> (Farm, Repo) {
    let (farm, repo) = (Farm::new(), repo());
    farm.crafting(["project", "add", "--name", "mine"]).in_dir(repo.path()).output().success();
    (farm, repo)
}

#[test]
fn a_value_is_masked_in_whatever_way_it_is_printed() {
    let (farm, repo) = registered();
    set_all(&farm, &[]);
    let needles = needles();
    let ran = farm.crafting(["job", "run", "leak", "-f", "-vv"]).in_dir(repo.path()).output().exits(1);
    let log = farm.log(farm.jobs()[0]["id"].as_str().unwrap());
    for line in
        ["in a line: *** and *** and ***\n", "on the other stream: ***\n", "https://x:***@example.org\n", "TOKEN=***\n"]
    {
        assert!(log.contains(line), "{line:?} is not in\n{log}");
    }
    assert!(ran.stdout.contains("***"), "{ran}");
    let found = farm.crafting(["findings", "--format", "json"]).in_dir(repo.path()).output().success().json();
    let found = found["findings"].as_array().unwrap();
    for (tool, message) in [("junit", "got ***"), ("t", "found *** and ***")] {
        let one = found.iter().find(|one| one["message"].as_str().unwrap().contains(message));
        assert!(one.is_some(), "{tool}: {message} is not in {found:#?}");
    }
    assert!(found.iter().any(|one| one["message"].as_str().unwrap().contains("unknown name '***'")), "{found:#?}");
    for format in ["sarif", "junit", "gitlab", "github", "markdown", "checkstyle", "rdjsonl"] {
        farm.crafting(["findings", "--format", format]).in_dir(repo.path()).output();
    }
    farm.crafting(["job", "show", "@last", "--format", "json"]).in_dir(repo.path()).output().success();
    farm.crafting(["project", "show", "--format", "json"]).in_dir(repo.path()).output().success();
    nowhere(&farm, &needles);
}

#[test]
fn a_value_in_pieces_is_masked_and_no_other_process_has_it() {
    let (farm, repo) = registered();
    set_all(&farm, &[]);
    let needles = needles();
    let run = farm.crafting(["job", "run", "split", "-f"]).in_dir(repo.path()).spawn();
    let job = farm.wait_for_marks("half", 1).remove(0);
    wait_until("the log has begun", String::new, || farm.log(&job).contains("before "));
    assert!(in_no_process_but("TOKEN", &needles) > 0, "the recipe has it");
    nowhere(&farm, &needles);
    fs::write(farm.home().join("go"), "").unwrap();
    run.finish().success();
    let log = farm.log(&job);
    assert!(log.contains("before ***\n"), "{log}");
    let stdout = farm.crafting(["job", "log", &job, "--stream", "stdout"]).output().success().stdout;
    assert_eq!(stdout, "before ***\n***\n", "{log}");
    nowhere(&farm, &needles);
}

#[test]
fn a_prompt_that_ends_as_a_value_begins_is_shown() {
    let (farm, repo) = registered();
    set_all(&farm, &[]);
    let run = farm.crafting(["job", "run", "prompt"]).in_dir(repo.path()).spawn();
    let job = farm.wait_for_marks("asked", 1).remove(0);
    let log = farm.data().join(format!("logs/{job}.log"));
    wait_until("the prompt is shown", String::new, || fs::read(&log).unwrap_or_default().ends_with(b"Password: pl"));
    fs::write(farm.home().join("go"), "").unwrap();
    run.finish().success();
}

#[test]
fn who_does_not_declare_it_does_not_get_it_and_who_does_needs_it() {
    let (farm, repo) = registered();
    farm.run(&repo, ["plain"]).success();
    let missing = farm.run(&repo, ["leak"]).exits(3).job();
    let error = missing["error"].as_str().unwrap();
    assert!(error.contains("the secrets KEY, LONG, SHORT, TOKEN are not set"), "{error}");
    assert!(error.contains("crafting secret set KEY --project mine"), "{error}");
    assert_eq!((missing["status"].as_str(), missing["exit_code"].as_i64()), (Some("failed"), None));
    set_all(&farm, &[]);
    let ran = farm.run(&repo, ["plain"]).success();
    let log = farm.log(&ran.id());
    assert!(log.contains("[]\n") && !log.contains("TOKEN="), "{log}");
    assert_eq!(missing["recipe_snapshot"]["secrets"], json!(["KEY", "LONG", "SHORT", "TOKEN"]));
    let plan = farm.crafting(["job", "run", "leak", "--dry-run"]).in_dir(repo.path()).output().success();
    assert!(plan.stdout.contains("KEY, LONG, SHORT, TOKEN"), "{plan}");
    let shown = farm.crafting(["project", "show"]).in_dir(repo.path()).output().success();
    assert!(shown.stdout.contains("KEY, LONG, SHORT, TOKEN"), "{shown}");
    farm.crafting(["secret", "remove", "KEY"]).in_dir(repo.path()).output().success();
    let error = farm.run(&repo, ["leak"]).exits(3).job()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("the secret KEY is not set"), "{error}");
}

#[test]
fn a_killed_farm_leaves_no_value() {
    let (farm, repo) = registered();
    set_all(&farm, &[]);
    let run = farm.crafting(["job", "run", "nap"]).in_dir(repo.path()).spawn();
    let job = farm.wait_for_marks("nap", 1).remove(0);
    wait_until("the log has begun", String::new, || farm.log(&job).contains("and half: "));
    run.kill();
    farm.wait_for_stranded(&job);
    farm.nothing_left(&job);
    nowhere(&farm, &needles());
    assert!(farm.log(&job).starts_with("***\nand half: "), "{}", farm.log(&job));
}

#[test]
fn secrets_are_set_listed_and_removed() {
    let (farm, repo) = registered();
    let none = farm.crafting(["secret", "list"]).in_dir(repo.path()).output().success();
    assert!(none.stdout.is_empty() && none.stderr.contains("mine has no secrets"), "{none}");
    set(&farm, &[], "TOKEN", "planted-2w9-first\r\n");
    set(&farm, &["--format", "json"], "TOKEN", TOKEN);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), LONG).unwrap();
    let path = file.path().to_str().unwrap();
    farm.call(&["secret", "set", "LONG", "-p", "mine", "--from", path]).output().success();
    for flags in [&["-p", "mine"][..], &["--project", "mine"], &["--project=mine", "--color", "never"]] {
        let arguments = [&["secret", "set", "LONG", "--from", path][..], flags].concat();
        farm.call(&arguments).output().success();
        let arguments = [&["secret", "set", "LONG"][..], flags, &["--format", "json", "--from", path]].concat();
        assert_eq!(farm.call(&arguments).output().success().json()["secret"]["project"], "mine");
    }
    let listed = farm.crafting(["secret", "list", "-p", "mine", "--format", "json"]).output().success().json();
    let names: Vec<&str> =
        listed["secrets"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["LONG", "TOKEN"]);
    let table = farm.crafting(["secret", "list"]).in_dir(repo.path()).output().success();
    assert!(table.stdout.contains("leak, nap, prompt, split"), "{table}");

    let key = farm.data().join("secrets.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let refused = |arguments: &[&str], code: i32, told: &str| {
        let ran = farm.call(arguments).in_dir(repo.path()).output().exits(code);
        assert!(ran.stderr.contains(told) && ran.stderr.contains("hint: "), "{told}: {ran}");
    };
    refused(&["secret", "set", "TOKEN", "planted-2w9"], 2, "is not given as an argument");
    refused(&["secret", "set", "TOKEN", "---planted-2w9"], 2, "is not given as an argument");
    refused(&["secret", "set", "TOKEN", "-Xmine"], 2, "such as `-p app`");
    refused(&["secret", "set", "TOKEN=planted-2w9"], 2, "\"TOKEN\" is not a secret's name");
    refused(&["secret", "set", "PATH"], 2, "has a meaning of its own");
    refused(&["secret", "set", "TOKEN", "--from", "/dev/null"], 2, "has 0 bytes");
    refused(&["secret", "set", "TOKEN", "-p", "nobodys"], 4, "there is no project nobodys");
    refused(&["secret", "remove", "TOKE"], 4, "has no secret TOKE");

    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let job = farm.run(&repo, ["prompt"]).exits(3).job();
    assert!(job["error"].as_str().unwrap().contains("can be read by others"), "{job}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(&key, farm.data().join("elsewhere")).unwrap();
    let job = farm.run(&repo, ["prompt"]).exits(3).job();
    assert!(job["error"].as_str().unwrap().contains("is gone"), "{job}");
    refused(&["secret", "set", "LONG", "--from", path], 3, "is gone");
    fs::write(&key, [1; 32]).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let job = farm.run(&repo, ["prompt"]).exits(3).job();
    assert!(job["error"].as_str().unwrap().contains("is not the key it was sealed with"), "{job}");
    for name in ["LONG", "TOKEN"] {
        farm.call(&["secret", "remove", name, "-p", "mine"]).output().success();
    }
    assert_eq!(
        farm.crafting(["secret", "list", "-p", "mine", "--format", "json"]).output().json(),
        json!({"secrets": []})
    );
    nowhere(&farm, &needles());
}

#[test]
fn a_recipe_cannot_have_a_name_in_both() {
    let repo = Repo::empty();
    repo.write(
        "crafting.toml",
        "[[subproject]]\npath = \".\"\nenv = { TOKEN = \"x\" }\ntest = { command = \"true\", secrets = [\"TOKEN\"] }\n",
    );
    repo.commit("a");
    let farm = Farm::new();
    let ran = farm.run(&repo, ["test"]).exits(2);
    assert!(
        ran.stderr.contains("crafting.toml:1:1") && ran.stderr.contains("TOKEN in its env and in its secrets"),
        "{ran}"
    );
    repo.write("crafting.toml", "[[subproject]]\npath = \".\"\ntest = { command = \"true\", secrets = [\"tok\"] }\n");
    let ran = farm.run(&repo, ["test"]).exits(2);
    assert!(ran.stderr.contains("crafting.toml:3:") && ran.stderr.contains("is not a secret's name"), "{ran}");
}

/// Everything that a server answers about one job.
fn everything(server: &Server, job: &str) -> Vec<Value> {
    let paths = ["", "/log", "/findings", "/events?logs=lines", "/diff"].map(|path| format!("/jobs/{job}{path}"));
    let others = [
        "/jobs?limit=50",
        "/findings",
        "/events",
        "/metrics",
        "/projects",
        "/projects/mine",
        "/projects/mine/secrets",
        "/openapi.json",
    ];
    let mut all = Vec::new();
    for path in paths.into_iter().chain(others.map(str::to_owned)) {
        let reply = server.get(&path);
        assert_eq!(holds(&reply.body, &needles()), None, "{path}");
        all.push(json!({ "path": path, "status": reply.status }));
    }
    all
}

#[test]
fn a_server_never_tells_a_value() {
    let (farm, _repo) = registered();
    let server = farm.machine().serve_with(&["-vv"], &[]);
    let put =
        |name: &str, body: &Value| server.request("PUT", &format!("/projects/mine/secrets/{name}")).json(body).send();
    for (name, value) in [("TOKEN", TOKEN), ("SHORT", SHORT), ("LONG", LONG), ("KEY", KEY)] {
        let reply = put(name, &json!({ "value": value })).wants(200);
        assert_eq!(reply.json()["secret"]["name"], name);
        assert_eq!(holds(&reply.body, &needles()), None);
    }
    let refused = [
        ("TOKEN", json!({ "value": 112_233_445_566_u64 })),
        ("TOKEN", json!({ "value": ["planted-2w9"] })),
        ("TOKEN", json!({ "value": "abc" })),
        ("TOKEN", json!({ "value": "x".repeat(70_000) })),
        ("TOKEN", json!({ "valeu": "planted-2w9" })),
        ("TOKEN", json!("planted-2w9")),
        ("PATH", json!({ "value": "planted-2w9" })),
    ];
    for (name, body) in refused {
        let reply = put(name, &body).wants(422);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        assert!(!reply.text().contains("planted") && !reply.text().contains("112233"), "{}", reply.text());
    }
    server.delete("/projects/mine/secrets/NOT_THERE").wants(404);
    server.request("PUT", "/projects/nobodys/secrets/TOKEN").json(&json!({"value": TOKEN})).send().wants(404);

    let started = server.post("/projects/mine/jobs", &json!({ "recipe": "leak" }));
    assert!(started.status / 100 == 2, "{}", started.text());
    let id = started.json()["jobs"][0]["id"].as_str().unwrap().to_owned();
    let status = || server.get(&format!("/jobs/{id}")).wants(200).json()["job"]["status"].as_str().unwrap().to_owned();
    wait_until("the job has ended", || server.stderr(), || status() == "failed");
    let answers = everything(&server, &id);
    assert!(answers.iter().any(|one| one["status"] == 200), "{answers:?}");
    let shown = server.get(&format!("/jobs/{id}")).wants(200).json();
    assert_eq!((shown["job"]["exit_code"].as_i64(), shown["job"]["error"].as_str()), (Some(3), None), "{shown}");
    let bearer = server.admin().unwrap();
    let said = server.stderr();
    assert_eq!(holds(said.as_bytes(), &needles()), None);
    assert!(!said.contains(&bearer), "{said}");
    let mut all = needles();
    nowhere(&farm, &all);
    // The bearer stands in its own file, and nowhere else.
    all = vec![bearer];
    let places = files_with(&farm.data(), &all);
    assert!(places.iter().all(|(path, _)| path.ends_with("admin-bearer.txt")), "{places:?}");
    in_no_process_but("CRAFTING_TOKEN", &all);
}
