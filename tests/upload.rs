//! A checkout's files run on a server as they are, and what strangers send does no harm.

mod support;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use git2::ObjectType;
use serde_json::{Value, json};
use support::command::{Answer, Crafting};
use support::{Farm, Reply, Repo, Server, fingerprint, wait_until};

/// What a test's server takes; small, so that what is too large need not be large.
const LIMIT: &str = "262144";

/// A server, and a developer's machine with a token for it.
struct Remote {
    farm: Farm,
    server: Server,
    bearer: String,
    here: Crafting,
}

impl Remote {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(variables: &[(&str, &str)]) -> Self {
        let farm = Farm::new();
        let server = farm.machine().serve_with(&[], variables);
        let bearer = server.mint("dev");
        Self { farm, server, bearer, here: Crafting::new() }
    }

    fn run(&self, repo: &Repo, arguments: &[&str]) -> Answer {
        let call = self.here.args(["job", "run"]).more(arguments).dir(repo.path());
        call.env("CRAFTING_URL", self.server.url()).env("CRAFTING_TOKEN", &self.bearer).run()
    }

    /// Runs a checkout to its end; the job's row.
    fn job(&self, repo: &Repo, arguments: &[&str]) -> Value {
        let answer = self.run(repo, &[&["--detach", "--format", "json"], arguments].concat());
        answer.wants(0);
        let id = answer.json()["jobs"][0]["id"].as_str().unwrap().to_owned();
        let job = || self.server.get(&format!("/jobs/{id}")).wants(200).json()["job"].clone();
        let finished = || ["passed", "failed"].iter().any(|status| job()["status"] == *status);
        wait_until("the job has ended", || format!("{}\n{}", job(), self.server.stderr()), finished);
        job()
    }

    fn log(&self, job: &Value) -> String {
        let path = self.server.machine().data.join("logs").join(format!("{}.log", job["id"].as_str().unwrap()));
        fs::read_to_string(path).unwrap()
    }

    /// The developer's store on the server.
    fn store(&self, project: &str) -> PathBuf {
        self.farm.workspace().join(project).join(".uploads/dev")
    }

    fn packs(&self, project: &str) -> Vec<(PathBuf, u64)> {
        let files = fs::read_dir(self.store(project).join("objects/pack")).unwrap().map(Result::unwrap);
        let packs = files.filter(|file| file.path().extension().is_some_and(|end| end == "pack"));
        packs.map(|file| (file.path(), file.metadata().unwrap().len())).collect()
    }

    /// Registers a project without a run.
    fn register(&self, name: &str) {
        let form = json!({
            "git_url": format!("checkout://test/{name}"), "root": ".", "suggested_name": name,
            "text": "[[subproject]]\npath = \".\"\ntest = \"true\"\n", "project_file": "crafting.toml",
        });
        self.server.request("PUT", "/checkouts").bearer(&self.bearer).json(&form).send().wants(200);
    }

    fn send(&self, project: &str, commit: &str, pack: &[u8]) -> Reply {
        let target = format!("/projects/{project}/packs?commit={commit}");
        let post = self.server.request("POST", &target).bearer(&self.bearer);
        post.header("Content-Type", "application/x-git-pack").body(pack).send()
    }

    /// That nothing of a refused pack is left.
    #[track_caller]
    fn nothing_left(&self, project: &str) {
        let uploads = self.farm.workspace().join(project).join(".uploads");
        let incoming = fs::read_dir(uploads.join(".incoming")).map_or(0, Iterator::count);
        assert_eq!(incoming, 0, "something is left in the quarantine");
        let packs = fs::read_dir(uploads.join("dev/objects/pack")).map_or(0, Iterator::count);
        assert_eq!(packs, 0, "something is left in the store");
    }
}

/// `git pack-objects` of these objects, as `git rev-list` or a line each names them.
fn pack(repo: &Path, options: &[&str], wanted: &str) -> Vec<u8> {
    let mut git = Command::new("git")
        .current_dir(repo)
        .args(["pack-objects", "--stdout", "--quiet"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    git.stdin.take().unwrap().write_all(wanted.as_bytes()).unwrap();
    let output = git.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// A commit whose tree has these raw entries, and all objects of it; written without any check.
fn crafted(repo: &Repo, entries: &[(&str, &str, git2::Oid)]) -> (String, Vec<u8>) {
    let repository = git2::Repository::open(repo.path()).unwrap();
    let odb = repository.odb().unwrap();
    let mut tree = Vec::new();
    for (mode, name, id) in entries {
        tree.extend(format!("{mode} {name}\0").as_bytes());
        tree.extend(id.as_bytes());
    }
    let tree = odb.write(ObjectType::Tree, &tree).unwrap();
    let who = "A <a@example.com> 1777470000 +0000";
    let text = format!("tree {tree}\nauthor {who}\ncommitter {who}\n\ncrafted\n");
    let commit = odb.write(ObjectType::Commit, text.as_bytes()).unwrap();
    let mut wanted = format!("{commit}\n{tree}\n");
    entries.iter().for_each(|(_, _, id)| wanted.push_str(&format!("{id}\n")));
    (commit.to_string(), pack(repo.path(), &[], &wanted))
}

fn blob(repo: &Repo, content: &[u8]) -> git2::Oid {
    git2::Repository::open(repo.path()).unwrap().blob(content).unwrap()
}

/// Everything below a folder but the times of objects: git renews that of one which it would write if it were not there.
fn state(folder: &Path) -> String {
    let object = regex::Regex::new(r"(/objects/[0-9a-f]{2}/[0-9a-f]{38} \d+) \(\d+, \d+\)").unwrap();
    object.replace_all(&fingerprint(folder), "$1").into_owned()
}

const LINTS: &str = r"grep -nE 'one|two' a.c | sed 's/^\([0-9]*\):\(.*\)/a.c:\1:2: error: bad \2/'; exit 1";

#[test]
fn uncommitted_work_runs_with_the_same_results_as_here() {
    let remote = Remote::new();
    let repo = Repo::of_recipes(&[("test", LINTS)]);
    // What does not shrink when it is packed.
    let noise: Vec<u8> = (0..200_000_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    repo.write("a.c", "one\ntwo\n").write("noise", &noise).commit("second");
    repo.write("a.c", "one\ntwo\nthree\n").write("new.txt", "new\n");
    repo.write("staged.txt", "x").git(&["add", "staged.txt"]);
    repo.write("untracked-noise", &noise[..100_000]);
    let before = state(repo.path());

    let far = remote.job(&repo, &[]);
    assert!(state(repo.path()) == before, "something of the user's was written");
    let near = remote.here.args(["job", "run", "--format", "json"]).dir(repo.path()).run();
    near.wants(1);
    let near = near.json();
    for key in ["sha", "ref", "dirty", "status", "exit_code", "findings_count", "findings_new"] {
        assert_eq!(far[key], near["jobs"][0][key], "{key}");
    }
    let fingerprints = |answer: &Value| -> Vec<String> {
        let rows = answer["findings"].as_array().unwrap();
        rows.iter().map(|row| row["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let query = format!("/jobs/{}/findings", far["id"].as_str().unwrap());
    let reply = remote.server.get(&query);
    // The route may be another's yet to come; the counts above hold in any case.
    if reply.status == 200 {
        let local = remote.here.args(["findings", "--format", "json"]).dir(repo.path()).json();
        assert_eq!(fingerprints(&reply.json()), fingerprints(&local));
    }
    let first: u64 = remote.packs("repo").iter().map(|(_, size)| size).sum();
    assert!(first > 500_000, "{first}");

    // A line above: what was found is known still, and little has to travel.
    let packs = remote.packs("repo");
    repo.write("a.c", "zero\none\ntwo\nthree\n");
    let again = remote.job(&repo, &[]);
    assert_eq!((&again["findings_count"], &again["findings_new"]), (&json!(2), &json!(0)), "{}", remote.log(&again));
    let new: Vec<_> = remote.packs("repo").into_iter().filter(|pack| !packs.contains(pack)).collect();
    assert_eq!(new.len(), 1);
    assert!(new[0].1 < 4096, "the second pack has {} bytes", new[0].1);

    // HEAD has come along with the snapshot: nothing travels, and it runs.
    let committed = remote.job(&repo, &["--committed"]);
    assert_eq!(committed["sha"], repo.git(&["rev-parse", "HEAD"]));
    assert_eq!(committed["status"], "failed");
    assert!(committed["error"].is_null(), "{committed}");
    assert_eq!(remote.packs("repo").len(), packs.len() + 1);
}

#[test]
fn every_kind_of_file_arrives_as_it_is() {
    let remote = Remote::new();
    let look = "stat -c '%A %n' run.sh plain.sh; readlink link dangling; od -c crlf.bat | head -1; cat pointer; \
                test ! -e deleted && test ! -e ignored.log && git log -1 --format=parent:%P";
    let repo = Repo::of_recipes(&[("test", look)]);
    repo.write("run.sh", "#!/bin/sh\n").executable("run.sh").write("plain.sh", "x").write("deleted", "x");
    repo.write(".gitattributes", "*.bat text eol=crlf\n").write("crlf.bat", "a\r\n").write(".gitignore", "*.log\n");
    let head = repo.commit("second");
    repo.remove("deleted").write("ignored.log", "x");
    fs::set_permissions(repo.path().join("plain.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("run.sh", repo.path().join("link")).unwrap();
    symlink("/nowhere/at all", repo.path().join("dangling")).unwrap();
    repo.write("pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    let job = remote.job(&repo, &[]);
    let log = remote.log(&job);
    assert_eq!(job["status"], "passed", "{log}");
    for wanted in
        ["-rwxr-xr-x run.sh", "-rwxr-xr-x plain.sh", "run.sh\n", "/nowhere/at all", "a  \\r  \\n", "git-lfs", &head]
    {
        assert!(log.contains(wanted), "{wanted} is not in\n{log}");
    }
}

#[test]
fn what_is_refused_leaves_nothing_and_the_server_goes_on() {
    let remote = Remote::with(&[("CRAFTING_UPLOAD_LIMIT_BYTES", LIMIT)]);
    remote.register("app");
    let repo = Repo::with(&[("a.txt", "a\n"), ("b.txt", "b\n")]);
    let head = repo.git(&["rev-parse", "HEAD"]);
    let good = pack(repo.path(), &["--revs"], &format!("{head}\n"));
    let text = blob(&repo, b"x\n");
    let refused = |what: &str, status: u16, commit: &str, pack: &[u8]| {
        let reply = remote.send("app", commit, pack);
        assert_eq!(reply.status, status, "{what}: {}", reply.text());
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{what}");
        assert_eq!(reply.json()["ok"], false, "{what}");
        remote.nothing_left("app");
        let known = json!({"commits": [commit]});
        let known = remote.server.request("POST", "/projects/app/known").bearer(&remote.bearer).json(&known).send();
        assert_eq!(known.json()["known"], json!([]), "{what}");
    };
    refused("nothing", 422, &head, b"");
    refused("half a head", 422, &head, b"PACK\0\0");
    refused("random bytes", 422, &head, &[0x5a; 5000]);
    refused("a pack that breaks off", 422, &head, &good[..good.len() - 30]);
    let mut flipped = good.clone();
    flipped[20] ^= 0xff;
    refused("a flipped bit", 422, &head, &flipped);
    refused("more than is taken", 413, &head, &[&b"PACK\0\0\0\x02\0\0\0\x01"[..], &[0; 300_000]].concat());
    refused("a million objects", 413, &head, &[&b"PACK\0\0\0\x02\0\x0f\x42\x40"[..], &good[12..]].concat());
    refused("another commit", 422, "0123456789012345678901234567890123456789", &good);
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    refused("a tree that is called a commit", 422, &tree, &good);
    refused("a commit without its files", 422, &head, &pack(repo.path(), &[], &format!("{head}\n{tree}\n")));
    repo.write("a.txt", "a\nchanged\n");
    let next = repo.commit("next");
    let thin = pack(repo.path(), &["--revs", "--thin"], &format!("{next}\n^{head}\n"));
    refused("a pack on top of what is not here", 422, &next, &thin);
    let inner = git2::Oid::from_str(&tree).unwrap();
    for (what, mode, name, id) in [
        ("a hook", "40000", ".git", inner),
        ("a hook by another name", "40000", ".GIT", inner),
        ("a way out", "40000", "..", inner),
        ("a path in a name", "100644", "../x", text),
        ("an absolute path", "100644", "/etc/x", text),
    ] {
        let (commit, pack) = crafted(&repo, &[(mode, name, id)]);
        refused(what, 422, &commit, &pack);
    }
    let trick = blob(&repo, b"[submodule \"../../x\"]\n\tpath = x\n\turl = -u./payload\n");
    let (commit, pack) = crafted(&repo, &[("100644", ".gitmodules", trick)]);
    refused("a submodule that is a trick", 422, &commit, &pack);
    let zeros = blob(&repo, &vec![0; 16 << 20]);
    let (commit, pack) = crafted(&repo, &[("100644", "zeros", zeros)]);
    refused("sixteen megabytes of nothing", 413, &commit, &pack);
    // A few objects that are a billion files.
    let (mut folder, mut wanted) = (text, format!("{text}\n"));
    let repository = git2::Repository::open(repo.path()).unwrap();
    for level in 0..9 {
        let mut raw = Vec::new();
        for name in b'0'..=b'9' {
            let mode = if level == 0 { "100644" } else { "40000" };
            raw.extend(format!("{mode} {}\0", char::from(name)).as_bytes());
            raw.extend(folder.as_bytes());
        }
        folder = repository.odb().unwrap().write(ObjectType::Tree, &raw).unwrap();
        wanted.push_str(&format!("{folder}\n"));
    }
    let (commit, _) = crafted(&repo, &[("40000", "deep", folder)]);
    wanted.push_str(&format!("{commit}\n{}\n", repo.git(&["rev-parse", &format!("{commit}^{{tree}}")])));
    refused("a billion files", 413, &commit, &super_pack(&repo, &wanted));

    let plain = remote.server.request("POST", &format!("/projects/app/packs?commit={head}")).bearer(&remote.bearer);
    plain.body(good.clone()).send().wants(415);
    // After all that, a good one is taken, and once more the same.
    let reply = remote.send("app", &head, &good).wants(200).json();
    assert_eq!((&reply["ok"], &reply["commit"]), (&json!(true), &json!(head)));
    assert_eq!(reply["received_bytes"], good.len());
    remote.send("app", &head, &good).wants(200);
    assert_eq!(remote.packs("app").len(), 1);
    let thin = remote.send("app", &next, &thin).wants(200).json();
    assert!(thin["received_bytes"].as_u64().unwrap() < good.len() as u64 + 200);
}

fn super_pack(repo: &Repo, wanted: &str) -> Vec<u8> {
    pack(repo.path(), &[], wanted)
}

#[test]
fn a_connection_that_breaks_leaves_nothing() {
    let remote = Remote::new();
    remote.register("app");
    let head = "0123456789012345678901234567890123456789";
    let request = format!(
        "POST /projects/app/packs?commit={head} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/x-git-pack\r\nContent-Length: 100000\r\n\r\nPACK\0\0\0\x02\0\0\0\x01",
        remote.bearer
    );
    remote.server.raw(request.as_bytes());
    let incoming = remote.farm.workspace().join("app/.uploads/.incoming");
    let left = || fs::read_dir(&incoming).map_or(0, Iterator::count);
    wait_until("the quarantine is empty", || left().to_string(), || left() == 0);
}

#[test]
fn nobody_else_can_name_an_uploaded_commit() {
    let remote = Remote::new();
    remote.register("app");
    let repo = Repo::with(&[("a.txt", "a\n")]);
    let head = repo.git(&["rev-parse", "HEAD"]);
    remote.send("app", &head, &pack(repo.path(), &["--revs"], &format!("{head}\n"))).wants(200);
    let known = |bearer: &str| {
        let ask = remote.server.request("POST", "/projects/app/known").bearer(bearer);
        ask.json(&json!({"commits": [head]})).send()
    };
    assert_eq!(known(&remote.bearer).wants(200).json()["known"], json!([head]));
    // An administrator sees the project, and has brought nothing along.
    let admin = remote.server.admin().unwrap();
    assert_eq!(known(&admin).wants(200).json()["known"], json!([]));
    let jobs = json!({"recipe": "test", "sha": head});
    let start = |bearer: &str| remote.server.request("POST", "/projects/app/jobs").bearer(bearer).json(&jobs).send();
    let refused = start(&admin).wants(404).json();
    assert!(refused["hint"].as_str().unwrap().contains("crafting job run"), "{refused}");
    // To another token the project is not there at all.
    let other = remote.server.mint("other");
    let missing = remote.server.request("POST", "/projects/none/known").bearer(&other);
    let missing = missing.json(&json!({"commits": [head]})).send().wants(404);
    assert_eq!(known(&other).wants(404).text().replace("app", "none"), missing.text());
    assert_eq!(start(&remote.bearer).status / 100, 2);
}

#[test]
fn gc_removes_what_nobody_needs() {
    let remote = Remote::new();
    remote.register("app");
    let repo = Repo::with(&[("a.txt", "a\n")]);
    let head = repo.git(&["rev-parse", "HEAD"]);
    remote.send("app", &head, &pack(repo.path(), &["--revs"], &format!("{head}\n"))).wants(200);
    let incoming = remote.farm.workspace().join("app/.uploads/.incoming");
    fs::create_dir(incoming.join("killed")).unwrap();
    let pin = remote.store("app").join("refs/crafting/commits").join(&head);
    let gc = || remote.farm.crafting(["gc"]).output().success();
    gc();
    assert!(pin.exists(), "its job may be about to be queued");
    assert!(!incoming.join("killed").exists());
    let long_ago = SystemTime::now() - Duration::from_secs(2 * 3600);
    let old = || fs::File::options().write(true).open(&pin).unwrap().set_modified(long_ago).unwrap();
    let jobs = json!({"recipe": "test", "sha": head});
    let started = remote.server.request("POST", "/projects/app/jobs").bearer(&remote.bearer).json(&jobs).send();
    let id = started.json()["job_id"].as_str().unwrap().to_owned();
    let passed = || remote.server.get(&format!("/jobs/{id}")).json()["job"]["status"] == "passed";
    wait_until("the job has passed", || remote.server.stderr(), passed);
    old();
    gc();
    assert!(pin.exists(), "a job may be run again");
    remote.register("other");
    remote.send("other", &head, &pack(repo.path(), &["--revs"], &format!("{head}\n"))).wants(200);
    let pin = remote.store("other").join("refs/crafting/commits").join(&head);
    fs::File::options().write(true).open(&pin).unwrap().set_modified(long_ago).unwrap();
    gc();
    assert!(!remote.store("other").exists());
}
