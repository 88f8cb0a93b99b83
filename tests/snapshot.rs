//! What runs is the working tree as it is, and nothing of the user's is written.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::command::{Answer, Crafting, recipes};
use support::{Repo, git};

both_farms! {
    in Shown:
    every_kind_of_change_runs_and_none_is_touched,
    a_clean_tree_runs_as_head,
    a_repository_without_a_commit_runs,
    a_linked_worktree_is_the_same_project,
    a_detached_head_runs,
    a_hook_of_git_may_run_it,
    what_is_committed_runs_on_request,
}

/// A machine whose recipe `test` copies the tree that it runs in to where the test can look at it.
struct Shown {
    crafting: Crafting,
}

impl Shown {
    fn new() -> Self {
        Self { crafting: Crafting::new() }
    }

    fn on_a_server() -> Self {
        Self { crafting: Crafting::on_a_server() }
    }

    fn out(&self) -> PathBuf {
        self.crafting.home().join("out")
    }

    fn toml(&self) -> String {
        let out = self.out();
        let copy = format!("rm -rf {0} && cp -a . {0} && git log -1 --format=%P >/dev/null", out.display());
        recipes(&[("test", &copy)])
    }

    fn repo(&self, files: &[(&str, &str)]) -> Repo {
        let repo = Repo::with(files);
        repo.write("crafting.toml", self.toml());
        repo.commit("with recipes");
        repo
    }

    /// Runs the working tree; the job's row.
    fn run(&self, folder: &Path, args: &[&str]) -> Value {
        let answer = self.crafting.args(["job", "run", "--format", "json"]).more(args).dir(folder).run();
        answer.wants(0);
        answer.json()["jobs"][0].clone()
    }

    /// Runs it, and wants the tree that ran to be what `folder` holds, ignored files aside, and `folder` as before.
    fn runs_as_it_is(&self, folder: &Path) -> Value {
        let wanted = files(folder, &visible(folder));
        let before = state(folder);
        let job = self.run(folder, &[]);
        unchanged(folder, &before);
        assert_eq!(files(&self.out(), &everything(&self.out())), wanted);
        job
    }
}

/// Everything below a folder, git's own files included, as "path mode time content".
fn state(folder: &Path) -> String {
    // Objects are written once and never changed; git renews the time of one that it finds where it would write it.
    let object = regex::Regex::new(r"(/objects/[0-9a-f]{2}/[0-9a-f]{38} \d+) \(\d+, \d+\)").unwrap();
    object.replace_all(&support::fingerprint(folder), "$1").into_owned()
}

#[track_caller]
fn unchanged(folder: &Path, before: &str) {
    let after = state(folder);
    let differing: Vec<_> = before.lines().zip(after.lines()).filter(|(before, after)| before != after).collect();
    assert!(before == after, "something of the user's was written: {:?}", differing.first());
}

/// Paths that a snapshot is of: tracked or untracked, there, and not ignored.
fn visible(folder: &Path) -> Vec<String> {
    let listed = git(folder, &["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
    listed.split_terminator('\0').map(str::to_owned).collect()
}

fn everything(folder: &Path) -> Vec<String> {
    let (mut found, mut waiting) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(place) = waiting.pop() {
        for entry in fs::read_dir(place).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != ".git") {
            match entry.file_type().unwrap().is_dir() {
                true => waiting.push(entry.path()),
                false => found.push(entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }
    found
}

/// Each file's kind and content.
fn files(folder: &Path, paths: &[String]) -> BTreeMap<String, String> {
    let describe = |path: &String| {
        let place = folder.join(path);
        let metadata = place.symlink_metadata().ok()?;
        let text = if metadata.is_symlink() {
            format!("-> {}", fs::read_link(&place).unwrap().display())
        } else if metadata.is_dir() {
            return None;
        } else {
            let executable = metadata.permissions().mode() & 0o111 != 0;
            format!("{executable} {}", fs::read(&place).unwrap().escape_ascii())
        };
        Some((path.clone(), text))
    };
    paths.iter().filter_map(describe).collect()
}

fn every_kind_of_change_runs_and_none_is_touched(shown: &Shown) {
    let repo = shown.repo(&[
        ("kept.txt", "kept\n"),
        ("modified.txt", "old\n"),
        ("staged.txt", "old\n"),
        ("both.txt", "old\n"),
        ("deleted.txt", "x\n"),
        ("deleted-staged.txt", "x\n"),
        ("renamed-from.txt", "the same content, long enough to be followed\n"),
        ("moved/inner.txt", "x\n"),
        ("script.sh", "#!/bin/sh\n"),
        ("plain.sh", "#!/bin/sh\n"),
        ("file-to-link", "x\n"),
        ("link-target-changes", "x\n"),
        ("file-to-folder", "x\n"),
        (".gitignore", "*.log\nbuild/\n!keep.log\n"),
    ]);
    repo.executable("script.sh").commit("executable");
    let at = |path: &str| repo.path().join(path);
    // A stash, which must still be there afterwards.
    repo.write("modified.txt", "stashed\n").git(&["stash", "--quiet"]);
    repo.write("modified.txt", "new\n");
    repo.write("staged.txt", "new\n").git(&["add", "staged.txt"]);
    repo.write("both.txt", "staged\n").git(&["add", "both.txt"]);
    repo.write("both.txt", "and then changed\n");
    repo.remove("deleted.txt").git(&["rm", "--quiet", "deleted-staged.txt"]);
    repo.git(&["mv", "renamed-from.txt", "renamed-to.txt"]);
    fs::rename(at("moved"), at("moved-away")).unwrap();
    repo.executable("plain.sh");
    fs::set_permissions(at("script.sh"), PermissionsExt::from_mode(0o644)).unwrap();
    repo.remove("file-to-link");
    symlink("kept.txt", at("file-to-link")).unwrap();
    symlink("/nowhere/at all", at("dangling")).unwrap();
    repo.remove("file-to-folder").write("file-to-folder/inside", "x\n");
    repo.write("untracked.txt", "new\n").write("new folder/ä\n\"quoted\"", "x").write("empty", "");
    repo.write("new-intended", "x").git(&["add", "--intent-to-add", "new-intended"]);
    repo.write("a.log", "ignored").write("build/x", "ignored").write("keep.log", "not ignored");
    repo.write("binary", [0, 255, 13, 10, 0]);
    let job = shown.runs_as_it_is(repo.path());
    assert_eq!((&job["dirty"], &job["ref"]), (&true.into(), &"main".into()));
    assert_ne!(job["sha"], repo.git(&["rev-parse", "HEAD"]));
    assert_eq!(repo.git(&["stash", "list"]).lines().count(), 1);
    assert!(repo.git(&["status", "--porcelain"]).contains("MM both.txt"));
    // The same tree is the same commit.
    assert_eq!(shown.runs_as_it_is(repo.path())["sha"], job["sha"]);
}

fn a_clean_tree_runs_as_head(shown: &Shown) {
    let repo = shown.repo(&[("a.txt", "a\n")]);
    let job = shown.runs_as_it_is(repo.path());
    assert_eq!((&job["dirty"], &job["sha"]), (&false.into(), &repo.git(&["rev-parse", "HEAD"]).into()));
}

#[test]
fn line_endings_are_as_in_the_working_tree() {
    for setting in ["true", "input", "false"] {
        let shown = Shown::new();
        let repo = shown.repo(&[
            ("unix.txt", "a\nb\n"),
            ("asked.bat", "a\nb\n"),
            ("bytes.bin", "a\r\nb\n\0"),
            (".gitattributes", "*.bat text eol=crlf\n*.bin -text\n"),
        ]);
        repo.git(&["config", "core.autocrlf", setting]);
        // As git itself lays them.
        repo.git(&["rm", "--quiet", "--cached", "-r", "."]);
        repo.git(&["reset", "--quiet", "--hard"]);
        if setting != "input" {
            shown.runs_as_it_is(repo.path());
        }
        repo.write("unix.txt", if setting == "true" { "changed\r\nb\r\n" } else { "changed\nb\n" });
        repo.write("new.txt", if setting == "true" { "new\r\n" } else { "new\n" });
        shown.runs_as_it_is(repo.path());
    }
}

fn a_repository_without_a_commit_runs(shown: &Shown) {
    let repo = Repo::empty();
    repo.write("crafting.toml", shown.toml())
        .write("a.txt", "a\n")
        .write("staged.txt", "x")
        .git(&["add", "staged.txt"]);
    let job = shown.runs_as_it_is(repo.path());
    assert_eq!((&job["dirty"], &job["ref"]), (&true.into(), &"main".into()));
    let error = shown.crafting.args(["job", "run", "--committed"]).dir(repo.path()).run().error(2);
    insta::allow_duplicates! {
        insta::assert_snapshot!(error, @"
        2: error: this repository has no commit yet
        hint: commit something, or leave out --committed to run the files as they are
        ");
    }
}

fn a_linked_worktree_is_the_same_project(shown: &Shown) {
    let repo = shown.repo(&[("a.txt", "a\n")]);
    let linked = shown.crafting.home().join("linked");
    repo.git(&["worktree", "add", "--quiet", "-b", "side", linked.to_str().unwrap()]);
    shown.run(repo.path(), &[]);
    let main = state(repo.path());
    fs::write(linked.join("a.txt"), "changed there\n").unwrap();
    fs::write(linked.join("new.txt"), "new\n").unwrap();
    let job = shown.runs_as_it_is(&linked);
    assert_eq!((&job["project"], &job["ref"], &job["dirty"]), (&"repo".into(), &"side".into(), &true.into()));
    unchanged(repo.path(), &main);
    assert_eq!(shown.runs_as_it_is(repo.path())["ref"], "main");
    let projects = shown.crafting.args(["project", "list", "--format", "json"]).json();
    assert_eq!(projects["projects"].as_array().unwrap().len(), 1);
    // And with the main one gone from its place, the linked one says what it misses.
    fs::rename(repo.path(), repo.path().with_file_name("elsewhere")).unwrap();
    let error = shown.crafting.args(["job", "run"]).dir(&linked).run().error(2);
    insta::allow_duplicates! {
        insta::assert_snapshot!(error, @"
        2: error: the repository HOME/linked is damaged
        hint: `git status` there says what git misses; a fresh clone mends it
        ");
    }
}

fn a_detached_head_runs(shown: &Shown) {
    let repo = shown.repo(&[("a.txt", "a\n")]);
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.write("a.txt", "second\n").commit("second");
    repo.git(&["checkout", "--quiet", &first]);
    let job = shown.runs_as_it_is(repo.path());
    assert_eq!((&job["ref"], &job["sha"]), (&"HEAD".into(), &first.into()));
    repo.write("b.txt", "b\n");
    assert_eq!(shown.runs_as_it_is(repo.path())["dirty"], true);
}

#[test]
fn a_conflict_runs_as_the_files_are() {
    for how in [["merge", "side"], ["rebase", "side"], ["cherry-pick", "side"]] {
        let shown = Shown::new();
        let repo = shown.repo(&[("a.txt", "a\n"), ("gone.txt", "x\n")]);
        repo.git(&["checkout", "--quiet", "-b", "side"]);
        repo.write("a.txt", "theirs\n").write("gone.txt", "changed\n").write("theirs.txt", "x").commit("theirs");
        repo.git(&["checkout", "--quiet", "main"]);
        repo.write("a.txt", "ours\n").remove("gone.txt").commit("ours");
        let script = format!("git -c user.name=a -c user.email=a@b {} >/dev/null 2>&1; git ls-files -u", how.join(" "));
        let stopped = shown.crafting.shell(&script).dir(repo.path()).run();
        assert!(stopped.stdout.contains("a.txt"), "{how:?}: there is no conflict: {stopped:?}");
        shown.runs_as_it_is(repo.path());
        assert!(fs::read_to_string(shown.out().join("a.txt")).unwrap().contains("<<<<<<<"));
    }
}

#[test]
fn submodules_run_at_their_commit() {
    let shown = Shown::new();
    let library = Repo::with(&[("lib.txt", "one\n")]);
    let repo = shown.repo(&[("a.txt", "a\n")]);
    let allow = ["-c", "protocol.file.allow=always"];
    let source = library.path().to_str().unwrap();
    repo.git(&[&allow[..], &["submodule", "--quiet", "add", source, "lib"]].concat());
    repo.commit("with a submodule");
    shown.run(repo.path(), &[]);
    assert!(!shown.out().join("lib/lib.txt").exists(), "submodules were not asked for");
    repo.write("crafting.toml", format!("submodules = true\n{}", shown.toml()));
    shown.run(repo.path(), &[]);
    assert_eq!(fs::read_to_string(shown.out().join("lib/lib.txt")).unwrap(), "one\n");
    // A commit that nobody else has yet.
    let inner = Repo::at(&repo.path().join("lib"));
    inner.write("lib.txt", "two\n").commit("only here");
    let before = state(repo.path());
    let answer = shown.crafting.args(["job", "run"]).dir(repo.path()).run();
    answer.wants(0);
    unchanged(repo.path(), &before);
    assert_eq!(fs::read_to_string(shown.out().join("lib/lib.txt")).unwrap(), "two\n");
    // What is not committed in it cannot be a part of the commit, which is said.
    inner.write("lib.txt", "three\n");
    let answer = shown.crafting.args(["job", "run"]).dir(repo.path()).run();
    answer.wants(0);
    assert_eq!(fs::read_to_string(shown.out().join("lib/lib.txt")).unwrap(), "two\n");
    let note = "note: the submodule lib has uncommitted changes, which are not part of the run\n";
    assert!(answer.stderr.contains(note), "{}", answer.stderr);
}

fn a_hook_of_git_may_run_it(shown: &Shown) {
    let repo = shown.repo(&[("a.txt", "a\n")]);
    let hook = "#!/bin/sh\n\"$CRAFTING\" job run --format json > \"$HOME/hooked\"\n";
    repo.write(".git/hooks/pre-commit", hook).executable(".git/hooks/pre-commit").write("a.txt", "committed\n");
    let script = "git -c user.name=a -c user.email=a@b commit -qam second && git status --porcelain";
    let commit = shown.crafting.shell(script).dir(repo.path()).run();
    commit.wants(0);
    assert_eq!(commit.stdout, "");
    assert_eq!(fs::read_to_string(shown.out().join("a.txt")).unwrap(), "committed\n");
    let hooked: Value = serde_json::from_slice(&fs::read(shown.crafting.home().join("hooked")).unwrap()).unwrap();
    assert_eq!(hooked["jobs"][0]["status"], "passed");
}

fn what_is_committed_runs_on_request(shown: &Shown) {
    let repo = shown.repo(&[("a.txt", "first\n")]);
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["tag", "-a", "-m", "x", "v1"]);
    repo.git(&["branch", "old/one"]);
    repo.write("a.txt", "second\n").commit("second");
    let second = repo.git(&["rev-parse", "HEAD"]);
    repo.write("a.txt", "not committed\n").write("new.txt", "x");
    let before = state(repo.path());
    let ran = |args: &[&str]| {
        let job = shown.run(repo.path(), args);
        assert_eq!(job["dirty"], false);
        assert!(!shown.out().join("new.txt").exists());
        let text = fs::read_to_string(shown.out().join("a.txt")).unwrap();
        let get = |key: &str| job[key].as_str().unwrap().to_owned();
        (text, get("sha"), get("ref"))
    };
    let wanted = |text: &str, sha: &str, git_ref: &str| (text.to_owned(), sha.to_owned(), git_ref.to_owned());
    assert_eq!(ran(&["--committed"]), wanted("second\n", &second, "main"));
    for name in ["v1", "old/one", "HEAD~1", "main^", &first[..8], &first] {
        assert_eq!(ran(&["--ref", name]), wanted("first\n", &first, name));
    }
    assert_eq!(ran(&["--ref", "HEAD"]), wanted("second\n", &second, "HEAD"));
    unchanged(repo.path(), &before);
    let error = shown.crafting.args(["job", "run", "--ref", "old/onw"]).dir(repo.path()).run().error(4);
    insta::allow_duplicates! {
        insta::assert_snapshot!(error, @"
        4: error: the repository has no ref old/onw
        hint: did you mean old/one?
        ");
    }
}

/// Only its own machine sees a checkout from elsewhere.
#[test]
fn a_project_runs_as_its_files_are_from_elsewhere() {
    let shown = Shown::new();
    let repo = shown.repo(&[("a.txt", "a\n")]);
    shown.run(repo.path(), &[]);
    repo.write("new.txt", "x");
    let job = shown.run(&shown.crafting.home(), &["-p", "repo"]);
    assert_eq!(job["dirty"], true, "{job}");
    assert!(shown.out().join("new.txt").exists());
}

/// Makes a repository, damages it, and runs it.
fn damaged(damage: impl FnOnce(&Repo)) -> Answer {
    let crafting = Crafting::new();
    let repo = Repo::with(&[("crafting.toml", &recipes(&[("test", "true")])), ("a.txt", "a\n")]);
    damage(&repo);
    let answer = crafting.args(["job", "run"]).dir(repo.path()).run();
    crafting.args(["ledger", "check"]).run().wants(0);
    answer
}

#[test]
fn a_repository_that_cannot_run_is_one_clear_error() {
    let mut told = Vec::new();
    let mut tell = |what: &str, answer: Answer| {
        let text = answer.error(answer.code);
        assert!(matches!(answer.code, 2 | 3), "{what}: {text}");
        told.push(format!("{what}\n{text}\n"));
    };
    let bare = tempfile::tempdir().unwrap();
    git(bare.path(), &["init", "--quiet", "--bare"]);
    tell("a bare repository", Crafting::new().args(["job", "run"]).dir(bare.path()).run());
    tell("inside .git", {
        let repo = Repo::with(&[("a", "a")]);
        Crafting::new().args(["job", "run"]).dir(repo.path().join(".git/refs")).run()
    });
    tell("no repository", {
        let crafting = Crafting::new();
        crafting.args(["job", "run"]).dir(crafting.home()).run()
    });
    tell("HEAD is empty", damaged(|repo| _ = repo.write(".git/HEAD", "")));
    tell("HEAD is garbage", damaged(|repo| _ = repo.write(".git/HEAD", [0, 1, 255])));
    tell("HEAD is gone", damaged(|repo| _ = repo.remove(".git/HEAD")));
    tell("the branch is garbage", damaged(|repo| _ = repo.write(".git/refs/heads/main", "nonsense\n")));
    tell(
        "the branch leads to an object that is not there",
        damaged(|repo| _ = repo.write(".git/refs/heads/main", format!("{}\n", "1".repeat(40)))),
    );
    let objects = |repo: &Repo| repo.path().join(".git/objects");
    tell("all objects are gone", damaged(|repo| fs::remove_dir_all(objects(repo)).unwrap()));
    tell(
        "all objects but their folder are gone",
        damaged(|repo| {
            fs::remove_dir_all(objects(repo)).unwrap();
            fs::create_dir(objects(repo)).unwrap();
        }),
    );
    let object = |repo: &Repo, name: &str| {
        let id = repo.git(&["rev-parse", name]);
        objects(repo).join(&id[..2]).join(&id[2..])
    };
    tell("the commit is gone", damaged(|repo| fs::remove_file(object(repo, "HEAD")).unwrap()));
    tell("the index is garbage", damaged(|repo| _ = repo.write(".git/index", "garbage")));
    tell("the configuration is garbage", damaged(|repo| _ = repo.write(".git/config", "[core\n")));
    let all = told.join("\n");
    let ids = regex::Regex::new("[0-9a-f]{40}|(?P<index>crafting-index-)[A-Za-z0-9]{6}").unwrap();
    insta::assert_snapshot!("damaged", ids.replace_all(&all, "${index}ID"));
}

#[test]
fn a_damaged_file_is_the_jobs_failure_with_the_reason() {
    let damage = |repo: &Repo| {
        let id = repo.git(&["rev-parse", "HEAD:a.txt"]);
        let place = repo.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
        fs::set_permissions(&place, PermissionsExt::from_mode(0o644)).unwrap();
        fs::write(place, "garbage").unwrap();
    };
    let answer = damaged(damage);
    answer.wants(3);
    assert!(answer.stderr.contains("is corrupt (the mirror is damaged and will be cloned again"), "{answer:?}");
    assert!(answer.stderr.contains("`git fsck` in the repository itself"), "{answer:?}");
}
