//! What a person can do wrong, or the machine: one sentence on what happened, one on what to do, the documented exit
//! status, and a ledger that stays sound. The snapshots are there to be read: would a user know what to do?

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use support::Repo;
use support::command::{Answer, Call, Crafting, recipes};

/// A machine with a project `repo`, of which one job was run.
struct Farm {
    crafting: Crafting,
    repo: Repo,
    told: Vec<String>,
}

impl Farm {
    fn new() -> Self {
        let farm = Self::before_its_first_job();
        farm.crafting.args(["job", "run"]).dir(farm.repo.path()).run().wants(0);
        farm
    }

    fn before_its_first_job() -> Self {
        let toml = "[[subproject]]\npath = \".\"\ntest = \"true\"\nlint = \"true\"\n\n\
                    [[subproject]]\npath = \"clients/python\"\ntest = \"true\"\n";
        let repo = Repo::with(&[("crafting.toml", toml), ("clients/python/a.py", "")]);
        Self { crafting: Crafting::new(), repo, told: Vec::new() }
    }

    /// The program in the project's folder; the words separated by blanks.
    fn call(&self, line: &str) -> Call {
        self.crafting.args(line.split(' ')).dir(self.repo.path())
    }

    /// Keeps what was told for the snapshot.
    fn told(&mut self, what: &str, answer: &Answer, code: i32) {
        let text = answer.error(code);
        let text =
            regex::Regex::new("127\\.0\\.0\\.1:[0-9]+").unwrap().replace_all(&text, "127.0.0.1:PORT").into_owned();
        self.told.push(format!("$ {what}\n{text}\n"));
    }

    fn wrong(&mut self, line: &str, code: i32) {
        let answer = self.call(line).run();
        self.told(line, &answer, code);
    }

    /// The texts, once the ledger is known to be sound.
    fn texts(self) -> String {
        let check = self.crafting.args(["ledger", "check"]).run();
        check.wants(0);
        assert_eq!((check.stdout.as_str(), check.stderr.as_str()), ("the ledger is sound\n", ""));
        self.told.join("\n")
    }
}

#[test]
fn names_of_things_that_are_not_there() {
    let mut farm = Farm::new();
    for line in [
        "job run -p rep",
        "job run -p something-else",
        "project show rep",
        "project update rep",
        "project remove rep --yes",
        "job list -p rep",
        "findings -p rep",
        "job run -s client/python",
        "job run -s web",
        "job run tset",
        "job run deploy",
        "job run lint -s clients/python",
        "job run test deploy",
        "job run --ref mian",
        "job run --ref 0123456789012345678901234567890123456789",
        "job show zzzzzz",
        "job show first",
        "job log zzzzzz",
        "job watch zzzzzz",
        "job cancel zzzzzz",
        "job retry zzzzzz",
        "job list --before zzzzzz",
        "findings zzzzzz",
        "job show @last-failed",
    ] {
        farm.wrong(line, 4);
    }
    insta::assert_snapshot!("names", farm.texts());
}

#[test]
fn nothing_is_there_yet() {
    let mut farm = Farm::before_its_first_job();
    for (line, code) in [
        ("job show", 4),
        ("job log", 4),
        ("job retry @last-failed", 4),
        ("findings @last", 4),
        ("project show", 4),
        ("project update", 4),
    ] {
        farm.wrong(line, code);
    }
    let home = farm.crafting.home();
    for line in ["job run", "project show", "project add", "init", "job run --dry-run"] {
        let answer = farm.call(line).dir(&home).run();
        let code = if line == "project show" { 4 } else { 2 };
        farm.told(&format!("{line} # outside of any repository"), &answer, code);
    }
    let empty = Repo::with(&[("README.md", "nothing to run")]);
    let answer = farm.call("job run").dir(empty.path()).run();
    farm.told("job run # nothing is recognised", &answer, 4);
    insta::assert_snapshot!("nothing_yet", farm.texts());
}

#[test]
fn what_was_typed_is_not_what_the_command_takes() {
    let mut farm = Farm::new();
    for line in [
        "job rnu",
        "jobs",
        "job run --dryrun",
        "job run --timeout soon",
        "job run --timeout 0",
        "job run -p ../x",
        "job run -s ../x",
        "job run -s /x",
        "job run Test!",
        "job run --ref -x",
        "job run --ref a..b",
        "job run --ref main --committed",
        "job run -j 0",
        "job list --limit 0",
        "job list --status pased",
        "job log --lines 9:3",
        "findings --kind lnt",
        "findings --path [",
        "findings --exit-code 1",
        "findings --from nowhere.log",
        "findings --from .",
        "job list --format xml",
        "-C nowhere job list",
        "project remove",
        "project remove repo",
        "project add",
        "project add nowhere",
        "project add ftp://h/r",
        "project add https://user:secret@h.example/r.git",
        "project add https://token@h.example/r.git",
        "project add --name My.App!",
        "completions tcsh",
        "ledger backup .",
    ] {
        farm.wrong(line, if line == "project add nowhere" { 4 } else { 2 });
    }
    for told in &farm.told {
        let (_, answer) = told.split_once('\n').unwrap();
        assert!(!answer.contains("secret") && !answer.contains("token@"), "{told}");
    }
    insta::assert_snapshot!("usage", farm.texts());
}

#[test]
fn settings_that_cannot_be_used() {
    let mut farm = Farm::new();
    let file = farm.crafting.home().join("config.toml");
    for text in
        ["workers = \n", "workers = 2\nretention_day = 3\n", "nonsense = 1\n", "workers = \"two\"\n", "workers = 0\n"]
    {
        fs::write(&file, text).unwrap();
        let answer = farm.call("job list").env("CRAFTING_CONFIG", &file).run();
        farm.told(&format!("job list # config.toml: {text:?}"), &answer, 2);
    }
    fs::write(&file, [0xff, 0xfe]).unwrap();
    for (what, path) in
        [("not text", file.as_path()), ("a folder", Path::new("/")), ("not there", Path::new("/nowhere/x"))]
    {
        let answer = farm.call("job list").env("CRAFTING_CONFIG", path).run();
        farm.told(&format!("job list # config.toml is {what}"), &answer, 2);
    }
    for (name, value) in [("CRAFTING_WORKERS", "many"), ("CRAFTING_WORKERS", "0"), ("CRAFTING_TIMEOUT_SECS", "-1")] {
        let answer = farm.call("job list").env(name, value).run();
        farm.told(&format!("{name}={value} job list"), &answer, 2);
    }
    insta::assert_snapshot!("settings", farm.texts());
}

#[test]
fn a_crafting_toml_that_cannot_be_used() {
    let mut farm = Farm::new();
    for text in [
        "[[subproject]\n",
        "[[subproject]]\npath = \".\"\ntset = \"true\"\n",
        "[[subproject]]\npath = \".\"\ntest = { comand = \"true\" }\n",
        "[[subprojects]]\npath = \".\"\n",
        "[[subproject]]\ntest = \"true\"\n",
        "[[subproject]]\npath = \"../outside\"\n",
        "[[subproject]]\npath = \"/outside\"\n",
        "[[subproject]]\npath = \".\"\ntest = \"\"\n",
        "[[subproject]]\npath = \".\"\nlanguage = \"rusty\"\n",
        "[[subproject]]\npath = \".\"\nkeep = [\"../x\"]\n",
        "[[subproject]]\npath = \".\"\n[[subproject]]\npath = \".\"\n",
        "name = \"Not A Name\"\n",
        "timeout_secs = \"1h\"\n",
    ] {
        farm.repo.write("crafting.toml", text);
        let answer = farm.call("job run").run();
        farm.told(&format!("job run # {text:?}"), &answer, 2);
    }
    farm.repo.write("crafting.toml", [0xff, 0xfe]);
    let answer = farm.call("job run").run();
    farm.told("job run # not text", &answer, 2);
    farm.repo.write("crafting.toml", "");
    let answer = farm.call("job run").run();
    farm.told("job run # empty", &answer, 4);
    insta::assert_snapshot!("crafting_toml", farm.texts());
}

#[test]
fn a_subproject_that_is_not_in_the_commit_is_its_jobs_failure() {
    let crafting = Crafting::new();
    let repo = Repo::with(&[("crafting.toml", "[[subproject]]\npath = \"gone\"\ntest = \"true\"\n")]);
    let answer = crafting.args(["job", "run", "--format", "json"]).dir(repo.path()).run();
    answer.wants(3);
    let job = &answer.json()["jobs"][0];
    assert_eq!((&job["status"], &job["exit_code"]), (&"failed".into(), &serde_json::Value::Null));
    let error = job["error"].as_str().unwrap();
    let error = regex::Regex::new("commit [0-9a-f]{10}").unwrap().replace(error, "commit ID");
    insta::assert_snapshot!(error, @"the commit ID has no folder gone (see `crafting project show` for the project's folders)");
}

#[test]
fn a_ledger_that_cannot_be_used() {
    let mut farm = Farm::new();
    let ledger = farm.crafting.data().join("ledger.db");
    let other = farm.crafting.home().join("other");
    let mut with = |what: &str, line: &str, folder: &Path, code: i32| {
        let answer = farm.call(line).env("CRAFTING_DATA_DIR", folder).run();
        farm.told(&format!("{line} # {what}"), &answer, code);
    };
    with("the data directory cannot be made", "job run", Path::new("/proc/nope"), 3);
    let below_a_file = other.with_file_name("file");
    fs::write(&below_a_file, "").unwrap();
    with("the data directory is a file", "job run", &below_a_file, 3);
    with("the data directory is below a file", "job run", &below_a_file.join("x"), 3);
    let set = |name: &str| {
        let folder = other.join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    };
    let garbage = set("garbage");
    fs::write(garbage.join("ledger.db"), "this is no database, and it is long enough to be looked at".repeat(100))
        .unwrap();
    with("the ledger is garbage", "job list", &garbage, 3);
    let folder = set("folder");
    fs::create_dir(folder.join("ledger.db")).unwrap();
    with("the ledger is a folder", "job list", &folder, 3);
    let torn = set("torn");
    let copy = torn.join("ledger.db");
    farm.crafting.args(["ledger", "backup", copy.to_str().unwrap()]).run().wants(0);
    let bytes = fs::read(&copy).unwrap();
    fs::write(&copy, &bytes[..bytes.len() / 2]).unwrap();
    let mut with = |what: &str, line: &str, folder: &Path, code: i32| {
        let answer = farm.call(line).env("CRAFTING_DATA_DIR", folder).run();
        farm.told(&format!("{line} # {what}"), &answer, code);
    };
    with("the ledger was cut in half", "job list", &torn, 3);
    let future = set("future");
    fs::copy(&ledger, future.join("ledger.db")).unwrap();
    let copy = future.join("ledger.db");
    fs::remove_file(&copy).unwrap();
    farm.crafting.args(["ledger", "backup", copy.to_str().unwrap()]).run().wants(0);
    let connection = rusqlite::Connection::open(&copy).unwrap();
    let add = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (999, 'later', '2030-01-01T00:00:00Z', '1')";
    connection.execute(add, []).unwrap();
    drop(connection);
    let before = fs::read(&copy).unwrap();
    let mut with = |what: &str, line: &str, folder: &Path, code: i32| {
        let answer = farm.call(line).env("CRAFTING_DATA_DIR", folder).run();
        farm.told(&format!("{line} # {what}"), &answer, code);
    };
    with("a ledger of the future", "job list", &future, 3);
    with("a ledger of the future", "job run", &future, 3);
    assert_eq!(fs::read(&copy).unwrap(), before, "a newer ledger is not touched");
    insta::assert_snapshot!("ledger", farm.texts());
}

#[test]
fn a_workspace_that_cannot_be_used() {
    let mut farm = Farm::new();
    let file = farm.crafting.home().join("file");
    fs::write(&file, "").unwrap();
    for place in [Path::new("/proc/nope"), &file, &file.join("x")] {
        let answer = farm.call("job run").env("CRAFTING_WORKSPACE_DIR", place).run();
        farm.told(&format!("job run # in {}", answer.plain(place.to_str().unwrap())), &answer, 3);
    }
    insta::assert_snapshot!("workspace", farm.texts());
}

/// Runs a script that may mount what it likes. Where that is not allowed, the test fails: it cannot tell anything.
fn with_mounts(farm: &Farm, script: &str) -> Answer {
    let script = format!("set -e\nmount --make-rprivate /\n{script}");
    let answer = farm.crafting.shell("exec unshare --user --map-root-user --mount /bin/sh -c \"$SCRIPT\"");
    answer.env("SCRIPT", script).dir(farm.repo.path()).run()
}

#[test]
fn a_read_only_data_directory() {
    let mut farm = Farm::new();
    for (variable, what) in [("CRAFTING_DATA_DIR", "data"), ("CRAFTING_WORKSPACE_DIR", "workspace")] {
        let mounted =
            format!("mount --bind \"${variable}\" \"${variable}\"; mount -o remount,bind,ro \"${variable}\"; ");
        for line in ["job run", "job list"] {
            let answer = with_mounts(&farm, &format!("{mounted} exec \"$CRAFTING\" {line}"));
            farm.told(&format!("{line} # {what} is read-only"), &answer, 3);
        }
    }
    insta::assert_snapshot!("read_only", farm.texts());
}

#[test]
fn a_full_disk_below_the_ledger() {
    let farm = Farm::before_its_first_job();
    farm.repo.write(
        "crafting.toml",
        recipes(&[("test", "true"), ("noisy", "yes a line of some length | head -c 20000000")]),
    );
    let script = r#"
        mkdir -p "$CRAFTING_DATA_DIR"; mount -t tmpfs -o size=3m none "$CRAFTING_DATA_DIR"
        try() { echo "$ $*"; status=0; "$CRAFTING" "$@" 2>&1 || status=$?; echo "= $status"; }
        try job run test -q
        try job run noisy -q
        try job list
        try job run test
        try gc
        try ledger check
        rm "$CRAFTING_DATA_DIR"/logs/*
        try ledger check
        try job run test -q
        cat /dev/zero > "$CRAFTING_DATA_DIR/fill" 2>/dev/null || true
        try job run test
        try job list -q
        rm "$CRAFTING_DATA_DIR/fill"
        try job run test -q
        try ledger check
        "$CRAFTING" job list --format json > "$HOME/jobs.json"
    "#;
    let answer = with_mounts(&farm, script);
    answer.wants(0);
    let jobs: serde_json::Value =
        serde_json::from_slice(&fs::read(farm.crafting.home().join("jobs.json")).unwrap()).unwrap();
    let jobs: Vec<String> = jobs["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| format!("{} {} {}", job["recipe"], job["status"], job["exit_code"]))
        .collect();
    // Nothing that was told to be done is lost, and what could not be kept did not stay half-done.
    assert_eq!(
        jobs,
        ["\"test\" \"passed\" 0"; 2]
            .into_iter()
            .chain(["\"noisy\" \"failed\" -1", "\"test\" \"passed\" 0"])
            .collect::<Vec<_>>()
    );
    // Whether the log or the ledger is the first to find no room depends on which of them has some left in its last block.
    let shown = without_times(&answer.plain(&answer.stdout));
    let shown =
        regex::Regex::new(r"cannot be put right yet: .*").unwrap().replace_all(&shown, "cannot be put right yet: …");
    // And how wide the column of times is.
    let shown = regex::Regex::new("took +age").unwrap().replace_all(&shown, "took  age");
    // And whether the killed job's tree was gone before its process.
    let shown = regex::Regex::new(r"mirrors: .* free again").unwrap().replace_all(&shown, "mirrors: … free again");
    insta::assert_snapshot!("full_disk_ledger", shown);
}

#[test]
fn a_full_disk_below_the_workspace() {
    let farm = Farm::before_its_first_job();
    farm.repo.write("crafting.toml", recipes(&[("test", "true"), ("big", "cat /dev/zero > big")]));
    farm.repo.write("large", vec![0x55; 100]).commit("recipes");
    let script = r#"
        mkdir -p "$CRAFTING_WORKSPACE_DIR"; mount -t tmpfs -o size=3m none "$CRAFTING_WORKSPACE_DIR"
        try() { echo "$ $*"; status=0; "$CRAFTING" "$@" 2>&1 || status=$?; echo "= $status"; }
        try job run test -q
        # The recipe fills the disk itself.
        try job run big -q
        try job run test -q
        try gc --all
        try job run test -q
        # Somebody else fills it: no room for the snapshot.
        cat /dev/zero > "$CRAFTING_WORKSPACE_DIR/fill" 2>/dev/null || true
        echo changed > new
        try job run test -q
        rm "$CRAFTING_WORKSPACE_DIR/fill"
        try job run test -q
        # No room for the tree.
        head -c 8000000 /dev/urandom > new
        try job run test -q
        rm new
        try job run test -q
        try job run test --fresh -q
        try ledger check
    "#;
    let answer = with_mounts(&farm, script);
    answer.wants(0);
    insta::assert_snapshot!("full_disk_workspace", without_times(&answer.plain(&answer.stdout)));
}

fn without_times(text: &str) -> String {
    let text = regex::Regex::new(r"\b[0-9a-z]{12}\b").unwrap().replace_all(text, "JOB").into_owned();
    let text = regex::Regex::new(r"\b[0-9a-f]{40}\b|tmp_obj_[A-Za-z0-9]+|index-[A-Za-z0-9]{6}")
        .unwrap()
        .replace_all(&text, "ID")
        .into_owned();
    let text = regex::Regex::new(r"(?m)(crafting findings)( [0-9a-z]{6})+$")
        .unwrap()
        .replace_all(&text, "$1 JOB")
        .into_owned();
    let text = regex::Regex::new(r"(?m)^(JOB) .*$").unwrap().replace_all(&text, "$1 …").into_owned();
    regex::Regex::new(r"\d+\.\ds").unwrap().replace_all(&text, "TIME").into_owned()
}

#[test]
fn git_is_missing() {
    let mut farm = Farm::new();
    for line in ["job run", "project add https://127.0.0.1:1/x.git", "init"] {
        let answer = farm.call(line).env("PATH", "/nowhere").run();
        farm.told(&format!("{line} # without git"), &answer, 3);
    }
    // What needs no git works.
    for line in ["job list", "job log", "ledger check", "config show"] {
        farm.call(line).env("PATH", "/nowhere").run().wants(0);
    }
    insta::assert_snapshot!("no_git", farm.texts());
}

/// A server that gives one answer to whatever it is asked, for as long as the test runs.
fn server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(length) => request.extend_from_slice(&buffer[..length]),
                }
            }
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}/team/app.git")
}

#[test]
fn remotes_that_do_not_answer_as_they_should() {
    let mut farm = Farm::new();
    let denied = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let add = |farm: &mut Farm, what: &str, url: &str, code: i32, environment: &[(&str, &str)]| {
        let mut call = farm.crafting.args(["project", "add", url]);
        for (name, value) in environment {
            call = call.env(name, value);
        }
        let answer = call.run();
        farm.told(&format!("project add … # {what}"), &answer, code);
    };
    add(&mut farm, "nobody listens", "https://127.0.0.1:1/x.git", 3, &[]);
    add(&mut farm, "nobody listens to ssh", "ssh://git@127.0.0.1:1/x.git", 3, &[]);
    add(&mut farm, "nobody listens to git", "git://127.0.0.1:1/x.git", 3, &[]);
    add(&mut farm, "credentials are asked for", &server(denied), 5, &[]);
    // A credential helper that knows a wrong password; it must not show up anywhere.
    let helper = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "credential.helper"),
        ("GIT_CONFIG_VALUE_0", "!f() { echo username=me; echo password=hunter2; }; f"),
    ];
    add(&mut farm, "the credentials are wrong", &server(denied), 5, &helper);
    add(
        &mut farm,
        "forbidden",
        &server("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        5,
        &[],
    );
    add(
        &mut farm,
        "no such repository",
        &server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        4,
        &[],
    );
    add(
        &mut farm,
        "no git server",
        &server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"),
        2,
        &[],
    );
    add(
        &mut farm,
        "a server in trouble",
        &server("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        3,
        &[],
    );
    add(&mut farm, "a server that hangs up", &server(""), 3, &[]);
    let ssh = |text: &str| format!("sh -c 'echo \"{text}\" >&2; exit 255'");
    let unknown = ssh("Host key verification failed.");
    add(&mut farm, "an unknown host key", "git@127.0.0.1:x.git", 5, &[("GIT_SSH_COMMAND", &unknown)]);
    let refused = ssh("git@127.0.0.1: Permission denied (publickey).");
    add(&mut farm, "a refused ssh key", "git@127.0.0.1:x.git", 5, &[("GIT_SSH_COMMAND", &refused)]);
    add(&mut farm, "a folder that is no repository", "file:///proc", 4, &[]);
    add(&mut farm, "a folder that is not there", "file:///nowhere/x", 4, &[]);
    // None of it left a project or a mirror behind.
    let projects = farm.crafting.args(["project", "list", "--format", "json"]).json();
    assert_eq!(projects["projects"].as_array().unwrap().len(), 1);
    let left: Vec<_> =
        fs::read_dir(farm.crafting.workspace()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "repo" || name == ".trash"), "{left:?}");
    let all = farm.texts();
    assert!(!all.contains("hunter2"));
    // What git, curl and ssh say differs from version to version; what crafting makes of it does not.
    let all = regex::Regex::new(r"(?m)^(\d: error: git [a-z-]+: ).+$").unwrap().replace_all(&all, "$1…");
    insta::assert_snapshot!("remotes", all);
}

#[test]
fn a_repository_that_moved() {
    let mut farm = Farm::new();
    let elsewhere = farm.repo.path().with_file_name("elsewhere");
    fs::rename(farm.repo.path(), &elsewhere).unwrap();
    let answer = farm.crafting.args(["job", "run", "-p", "repo"]).run();
    farm.told("job run -p repo", &answer, 2);
    let answer = farm.crafting.args(["project", "update", "repo"]).run();
    farm.told("project update repo", &answer, 2);
    let url = elsewhere.to_str().unwrap();
    farm.crafting.args(["project", "update", "repo", "--url", url]).run().wants(0);
    farm.crafting.args(["job", "run", "-p", "repo"]).run().wants(0);
    insta::assert_snapshot!("moved", farm.texts());
}

#[test]
fn programs_get_their_errors_as_json() {
    let farm = Farm::new();
    for (line, code, name) in [
        ("job show zzzzzz --format json", 4, "not_found"),
        ("--format json job rnu", 2, "invalid_input"),
        ("job list --format jsonl", 2, "invalid_input"),
        ("job run tset --format=json", 4, "not_found"),
        ("findings zzzzzz --format jsonl", 4, "not_found"),
        ("project add https://u:p@h/r --format json", 2, "invalid_input"),
    ] {
        let answer = farm.call(line).run();
        answer.wants(code);
        assert_eq!(answer.stdout, "");
        let error: serde_json::Value = serde_json::from_str(&answer.stderr).unwrap();
        let error = error.as_object().unwrap();
        assert_eq!(error.keys().collect::<Vec<_>>(), ["error"]);
        let body = error["error"].as_object().unwrap();
        let mut keys: Vec<_> = body.keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["code", "hint", "message"]);
        assert_eq!(body["code"], name);
        assert!(body["message"].is_string() && body["hint"].is_string(), "{body:?}");
    }
    let answer = farm.call("job list --format json").env("CRAFTING_WORKERS", "x").run();
    answer.wants(2);
    assert!(
        answer.stderr.starts_with("{\"error\":{\"code\":\"invalid_config\",\"message\":\"CRAFTING_WORKERS"),
        "{answer:?}"
    );
}
