//! Mirrors, snapshots and slots, with real repositories.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::{Barrier, Mutex};
use std::time::Duration;

use crafting::detect::Tree as _;
use crafting::error::Code;
use crafting::model::{CommitId, GitUrl, JobId, ProjectName, RefName, SubPath, Timestamp};
use crafting::workspace::{
    Checkout, CheckoutTree, CommitTree, GcOptions, LeaseRequest, Mirror, Release, Slot, Snapshot, Workspace, movement,
    read_commit_file,
};
use support::{Repo, fingerprint, git};
use tempfile::TempDir;

/// A workspace in a temporary folder, and what a job of it asks for.
struct Farm {
    _folder: TempDir,
    workspace: Workspace,
    project: ProjectName,
    keep: Vec<String>,
    fresh: bool,
    submodules: bool,
    subproject: SubPath,
    stranded: Vec<JobId>,
}

impl Farm {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(folder.path().join("workspace")).unwrap();
        Self {
            _folder: folder,
            workspace,
            project: "p".parse().unwrap(),
            keep: vec!["target".to_owned()],
            fresh: false,
            submodules: false,
            subproject: SubPath::root(),
            stranded: Vec::new(),
        }
    }

    fn keeping(patterns: &[&str]) -> Self {
        Self { keep: patterns.iter().map(|&pattern| pattern.to_owned()).collect(), ..Self::new() }
    }

    fn mirror(&self, repo: &Repo) -> Mirror {
        self.workspace.mirror(&self.project, &repo.path().to_str().unwrap().parse().unwrap())
    }

    fn snapshot(&self, repo: &Repo) -> Snapshot {
        let checkout = Checkout::discover(repo.path()).unwrap();
        checkout.snapshot(&self.workspace.mirror(&self.project, checkout.url())).unwrap()
    }

    fn lease(&mut self, repo: &Repo, sha: &CommitId) -> Slot {
        self.lease_as(repo, sha, &JobId::random().unwrap())
    }

    fn lease_as(&mut self, repo: &Repo, sha: &CommitId, job: &JobId) -> Slot {
        let request = LeaseRequest {
            subproject: &self.subproject,
            recipe: &"test".parse().unwrap(),
            job,
            sha,
            keep: &self.keep,
            fresh: self.fresh,
            submodules: self.submodules,
        };
        let mirror = self.mirror(repo);
        self.workspace.lease(&mirror, &request, &mut |job| self.stranded.push(job.clone())).unwrap()
    }

    /// Snapshot, lease, look, release.
    fn run<T>(&mut self, repo: &Repo, look: impl FnOnce(&Path) -> T) -> T {
        let snapshot = self.snapshot(repo);
        let slot = self.lease(repo, &snapshot.sha);
        let seen = look(slot.path());
        slot.release(Release::Clean).unwrap();
        seen
    }

    /// What a slot holds of the repository as it is now: its files, and that git calls it clean.
    fn files(&mut self, repo: &Repo) -> Vec<String> {
        self.run(repo, |slot| {
            assert_eq!(git(slot, &["status", "--porcelain"]), "");
            files(slot)
        })
    }
}

/// Every file below a folder but git's own, as "path mode content-or-target".
fn files(folder: &Path) -> Vec<String> {
    fn walk(top: &Path, folder: &Path, list: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path == top.join(".git") {
                continue;
            }
            let metadata = path.symlink_metadata().unwrap();
            let name = path.strip_prefix(top).unwrap().to_string_lossy().into_owned();
            if metadata.is_dir() {
                list.push(format!("{name}/"));
                walk(top, &path, list);
            } else if metadata.is_symlink() {
                list.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
            } else {
                let executable = if metadata.permissions().mode() & 0o111 == 0 { "" } else { "*" };
                list.push(format!("{name}{executable} {:?}", String::from_utf8_lossy(&fs::read(&path).unwrap())));
            }
        }
    }
    let mut list = Vec::new();
    walk(folder, folder, &mut list);
    list.sort();
    list
}

fn sha(text: &str) -> CommitId {
    text.parse().unwrap()
}

fn refname(text: &str) -> RefName {
    text.parse().unwrap()
}

fn shell(folder: &Path, script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

// ---- Finding the repository -----------------------------------------------------------------------------------

#[test]
fn discovery_finds_top_root_and_branch() {
    let repo = Repo::with(&[("a/crafting.toml", ""), ("a/b/c.txt", ""), ("d/e.txt", "")]);
    let checkout = Checkout::discover(&repo.path().join("a/b")).unwrap();
    assert_eq!(checkout.root().as_str(), "a");
    assert_eq!(checkout.top(), repo.path());
    assert_eq!(checkout.folder(), repo.path().join("a"));
    assert_eq!(checkout.url().as_str(), repo.path().to_str().unwrap());
    assert_eq!(checkout.branch().unwrap().as_str(), "main");
    let checkout = Checkout::discover(&repo.path().join("d")).unwrap();
    assert!(checkout.root().is_root());
    repo.git(&["checkout", "--quiet", "--detach"]);
    assert!(Checkout::discover(repo.path()).unwrap().branch().is_none());
}

#[test]
fn a_linked_worktree_belongs_to_the_same_project() {
    let repo = Repo::with(&[("a", "1")]);
    let linked = repo.path().with_file_name("linked");
    repo.git(&["worktree", "add", "--quiet", "-b", "other", linked.to_str().unwrap()]);
    let linked = Repo::at(&linked);
    linked.write("a", "2");
    linked.commit("second");
    linked.write("b", "new");
    let checkout = Checkout::discover(linked.path()).unwrap();
    assert_eq!(checkout.url().as_str(), repo.path().to_str().unwrap());
    assert_eq!(checkout.branch().unwrap().as_str(), "other");
    let mut farm = Farm::new();
    assert_eq!(farm.files(&linked), ["a \"2\"", "b \"new\""]);
}

#[test]
fn what_is_no_usable_repository_is_one_clear_error() {
    let error = |path: &Path| Checkout::discover(path).unwrap_err();
    let folder = tempfile::tempdir().unwrap();
    let none = error(folder.path());
    assert_eq!(none.code(), Code::NoRepository);
    assert!(none.to_string().starts_with("there is no git repository in "), "{none}");
    assert!(none.hint_text().unwrap().contains("git init"));

    git(folder.path(), &["init", "--quiet", "--bare", "bare.git"]);
    let bare = error(&folder.path().join("bare.git"));
    assert!(bare.to_string().contains("is a bare repository"), "{bare}");

    let repo = Repo::with(&[("a", "")]);
    fs::write(repo.path().join(".git/HEAD"), "rubbish").unwrap();
    let corrupt = error(repo.path());
    assert_eq!(corrupt.code(), Code::NoRepository);
    assert!(corrupt.to_string().ends_with("is damaged"), "{corrupt}");

    let repo = Repo::with(&[("a", "")]);
    fs::write(repo.path().join(".git/refs/heads/main"), "rubbish").unwrap();
    let corrupt = Checkout::discover(repo.path()).unwrap().head().unwrap_err();
    assert!(corrupt.to_string().contains("leads to no commit"), "{corrupt}");

    git(folder.path(), &["init", "--quiet", "--object-format=sha256", "long"]);
    let long = error(&folder.path().join("long"));
    assert!(long.to_string().contains("sha256"), "{long}");
    assert_eq!(error(&folder.path().join("missing")).code(), Code::Io);
}

// ---- Snapshots ------------------------------------------------------------------------------------------------

#[test]
fn a_clean_checkout_runs_as_head_and_the_same_tree_as_the_same_commit() {
    let repo = Repo::with(&[("a", "1")]);
    let farm = Farm::new();
    let head = repo.git(&["rev-parse", "HEAD"]);
    let clean = farm.snapshot(&repo);
    assert_eq!((clean.sha.as_str(), clean.dirty), (head.as_str(), false));
    repo.write("b", "2");
    let dirty = farm.snapshot(&repo);
    assert!(dirty.dirty && dirty.sha != clean.sha);
    assert_eq!(farm.snapshot(&repo).sha, dirty.sha);
    repo.remove("b");
    assert!(!farm.snapshot(&repo).dirty);
}

#[test]
fn a_snapshot_is_the_working_tree_and_writes_nothing_to_it() {
    let repo = Repo::with(&[
        ("changed", "old"),
        ("deleted", "x"),
        ("renamed", "long enough to be found again\n"),
        ("staged", "1"),
        ("run.sh", "#!/bin/sh\n"),
        (".gitignore", "ignored\ntracked.log\n"),
        ("dir/deep", "x"),
    ]);
    repo.write("tracked.log", "1").git(&["add", "--force", "tracked.log"]);
    repo.commit("an ignored file, tracked");
    repo.write("stashed", "x").git(&["stash", "--quiet", "--include-untracked"]);
    repo.write("changed", "new").remove("deleted").write("tracked.log", "2").write("ignored", "no");
    repo.executable("run.sh").write("untracked/x", "yes").write("staged", "2").git(&["add", "staged"]);
    repo.write("staged", "3").write("intended", "i").git(&["add", "--intent-to-add", "intended"]);
    repo.write("only-staged", "s").git(&["add", "only-staged"]);
    fs::rename(repo.path().join("renamed"), repo.path().join("moved")).unwrap();
    fs::remove_dir_all(repo.path().join("dir")).unwrap();
    repo.write("dir", "a file now");
    symlink("nowhere", repo.path().join("link")).unwrap();
    nix::unistd::mkfifo(&repo.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();

    let mut farm = Farm::new();
    farm.mirror(&repo).ensure().unwrap();
    let before = fingerprint(repo.path());
    let expected = [
        ".gitignore \"ignored\\ntracked.log\\n\"",
        "changed \"new\"",
        "dir \"a file now\"",
        "intended \"i\"",
        "link -> nowhere",
        "moved \"long enough to be found again\\n\"",
        "only-staged \"s\"",
        "run.sh* \"#!/bin/sh\\n\"",
        "staged \"3\"",
        "tracked.log \"2\"",
        "untracked/",
        "untracked/x \"yes\"",
    ];
    assert_eq!(farm.files(&repo), expected);
    assert_eq!(fingerprint(repo.path()), before);
}

#[test]
fn a_snapshot_outlives_the_repository_it_was_made_from() {
    let repo = Repo::with(&[("a", "1"), ("d/b", "2")]);
    // A blob and trees that only the user's own objects hold.
    repo.write("d/staged", "only in the index").git(&["add", "--all"]);
    repo.git(&["write-tree"]);
    let mut farm = Farm::new();
    let snapshot = farm.snapshot(&repo);
    let gone = Repo::at(repo.path());
    fs::remove_dir_all(repo.path()).unwrap();
    let slot = farm.lease(&gone, &snapshot.sha);
    assert_eq!(files(slot.path()), ["a \"1\"", "d/", "d/b \"2\"", "d/staged \"only in the index\""]);
    git(farm.mirror(&gone).path(), &["fsck", "--strict"]);
    slot.release(Release::Clean).unwrap();
}

#[test]
fn a_repository_without_a_commit_runs() {
    let repo = Repo::empty();
    let mut farm = Farm::new();
    assert!(farm.snapshot(&repo).dirty);
    assert!(farm.files(&repo).is_empty());
    repo.write("a", "1");
    assert_eq!(farm.files(&repo), ["a \"1\""]);
    repo.commit("first");
    assert!(!farm.snapshot(&repo).dirty);
}

#[test]
fn a_merge_in_progress_runs_as_the_files_are() {
    let repo = Repo::with(&[("a", "base\n")]);
    repo.git(&["checkout", "--quiet", "-b", "other"]);
    repo.write("a", "theirs\n").commit("theirs");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("a", "ours\n").commit("ours");
    let merged = Command::new("git").args(["merge", "other"]).current_dir(repo.path()).output().unwrap();
    assert!(!merged.status.success());
    let mut farm = Farm::new();
    farm.mirror(&repo).ensure().unwrap();
    let before = fingerprint(repo.path());
    let seen = farm.files(&repo);
    assert_eq!(seen.len(), 1);
    assert!(seen[0].contains("<<<<<<<"), "{seen:?}");
    assert_eq!(fingerprint(repo.path()), before);
}

#[test]
fn hidden_changes_run_and_a_sparse_checkout_stays_whole() {
    let repo = Repo::with(&[("assumed", "1"), ("skipped", "1"), ("in/a", "1"), ("out/b", "1")]);
    repo.git(&["update-index", "--assume-unchanged", "assumed"]);
    repo.git(&["update-index", "--skip-worktree", "skipped"]);
    repo.write("assumed", "2").write("skipped", "2");
    let expected = |a: &str| vec![format!("assumed \"{a}\""), "in/".into(), "in/a \"1\"".into(), "out/".into()];
    let seen = Farm::new().files(&repo);
    assert_eq!(seen[..4], expected("2"));
    assert_eq!(seen[5], "skipped \"2\"");

    let repo = Repo::with(&[("in/a", "1"), ("out/b", "1")]);
    for index in ["--no-sparse-index", "--sparse-index"] {
        repo.git(&["sparse-checkout", "set", "--cone", index, "in"]);
        assert!(!repo.path().join("out/b").exists());
        repo.write("in/a", "2");
        assert_eq!(Farm::new().files(&repo), ["in/", "in/a \"2\"", "out/", "out/b \"1\""], "{index}");
        repo.git(&["checkout", "--quiet", "in/a"]);
    }
}

#[test]
fn an_edit_within_the_tick_of_the_last_git_add_is_seen() {
    let repo = Repo::with(&[("a", "1")]);
    let farm = Farm::new();
    for round in 0..20 {
        // Same size, and the index is as old as the file: git has to look at the content.
        repo.write("a", format!("{}", round % 10)).git(&["add", "a"]);
        repo.write("a", format!("{}", (round + 1) % 10));
        let sha = farm.snapshot(&repo).sha;
        let text = read_commit_file(&farm.mirror(&repo), &sha, &"a".parse().unwrap()).unwrap().unwrap();
        assert_eq!(text, format!("{}", (round + 1) % 10));
    }
}

#[test]
fn line_endings_and_filters_come_out_as_they_are_in_the_checkout() {
    let repo = Repo::empty();
    repo.git(&["config", "core.autocrlf", "true"]);
    repo.git(&["config", "filter.shout.clean", "tr A-Z a-z"]);
    repo.git(&["config", "filter.shout.smudge", "tr a-z A-Z"]);
    repo.write(".gitattributes", "*.bin -text\n*.loud filter=shout\n").write("a.txt", "1\r\n2\r\n");
    repo.write("b.bin", "1\r\n").write("c.loud", "HELLO\r\n").commit("first");
    repo.write("d.txt", "x\r\n");
    let mut farm = Farm::new();
    let first = farm.run(&repo, |slot| {
        assert_eq!(git(slot, &["status", "--porcelain"]), "");
        assert_eq!(fs::read(slot.join("a.txt")).unwrap(), b"1\r\n2\r\n");
        assert_eq!(fs::read(slot.join("b.bin")).unwrap(), b"1\r\n");
        assert_eq!(fs::read(slot.join("c.loud")).unwrap(), b"HELLO\r\n");
        assert_eq!(fs::read(slot.join("d.txt")).unwrap(), b"x\r\n");
        times(slot)
    });
    for _ in 0..3 {
        assert_eq!(farm.run(&repo, times), first);
    }
    farm.run(&repo, |slot| fs::write(slot.join("c.loud"), "BYE!!\r\n").unwrap());
    let again = farm.run(&repo, |slot| fs::read(slot.join("c.loud")).unwrap());
    assert_eq!(again, b"HELLO\r\n");
    // Other attributes make other files of the same objects.
    repo.write(".gitattributes", "*.bin -text\n*.loud filter=shout\na.txt eol=lf\n");
    repo.write("a.txt", "1\n2\n");
    assert_eq!(farm.run(&repo, |slot| fs::read(slot.join("a.txt")).unwrap()), b"1\n2\n");
}

/// Inode and modification time of every file.
fn times(folder: &Path) -> BTreeSet<(String, u64, i64, i64)> {
    let mut list = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let metadata = entry.metadata().unwrap();
        if metadata.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            list.insert((name, metadata.ino(), metadata.mtime(), metadata.mtime_nsec()));
        }
    }
    list
}

#[test]
fn odd_file_names_run() {
    use std::os::unix::ffi::OsStrExt;
    let repo = Repo::with(&[("a", "1")]);
    repo.write("line\nbreak", "1").write(" space ", "2").write("-dash", "3").write("quo\"te\\", "4");
    let name = std::ffi::OsStr::from_bytes(b"latin-\xe9");
    fs::write(repo.path().join(name), "5").unwrap();
    let mut farm = Farm::new();
    let seen = farm.run(&repo, |slot| (files(slot).len(), fs::read(slot.join(name)).unwrap()));
    assert_eq!(seen, (6, b"5".to_vec()));
    assert_eq!(farm.files(&repo).len(), 6);
    let tree = CheckoutTree::list(&Checkout::discover(repo.path()).unwrap()).unwrap();
    assert_eq!(tree.files().len(), 5);
}

#[test]
fn a_nested_repository_is_noted_and_one_without_a_commit_is_an_error() {
    let repo = Repo::with(&[("a", "1")]);
    let nested = Repo::at(&repo.path().join("nested"));
    fs::create_dir(nested.path()).unwrap();
    nested.git(&["init", "--quiet"]);
    let checkout = Checkout::discover(repo.path()).unwrap();
    let farm = Farm::new();
    let error = checkout.snapshot(&farm.mirror(&repo)).unwrap_err();
    assert!(error.to_string().contains("nested/ is a git repository of its own without a commit"), "{error}");
    nested.write("x", "1").commit("inner");
    let snapshot = farm.snapshot(&repo);
    assert_eq!(snapshot.notes.len(), 1, "{:?}", snapshot.notes);
    assert!(snapshot.notes[0].starts_with("nested is a git repository"), "{:?}", snapshot.notes);
    assert_eq!(Farm::new().files(&repo), ["a \"1\"", "nested/"]);
}

#[test]
fn an_unreadable_file_is_named() {
    if nix::unistd::geteuid().is_root() {
        // Root reads everything; a dangling object gives the same path through git.
        return;
    }
    let repo = Repo::with(&[("a", "1")]);
    repo.write("secret", "x");
    fs::set_permissions(repo.path().join("secret"), PermissionsExt::from_mode(0o000)).unwrap();
    let farm = Farm::new();
    let error = Checkout::discover(repo.path()).unwrap().snapshot(&farm.mirror(&repo)).unwrap_err();
    assert!(error.to_string().contains("cannot read secret"), "{error}");
}

#[test]
fn submodules_are_laid_at_their_commit() {
    let inner = Repo::with(&[("x", "1")]);
    let repo = Repo::with(&[("a", "1")]);
    repo.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        inner.path().to_str().unwrap(),
        "sub",
    ]);
    repo.commit("with a submodule");
    let mut farm = Farm::new();
    assert!(farm.run(&repo, |slot| files(&slot.join("sub")).is_empty()));
    farm.submodules = true;
    assert_eq!(farm.run(&repo, |slot| fs::read_to_string(slot.join("sub/x")).unwrap()), "1");
    // A commit in the submodule that was pushed nowhere, and then changes that are no commit.
    let sub = Repo::at(&repo.path().join("sub"));
    sub.write("x", "2").commit("local");
    assert_eq!(farm.run(&repo, |slot| fs::read_to_string(slot.join("sub/x")).unwrap()), "2");
    sub.write("x", "3");
    let before = fingerprint(repo.path());
    let snapshot = farm.snapshot(&repo);
    assert_eq!(fingerprint(repo.path()), before);
    assert!(snapshot.notes.iter().any(|note| note.contains("sub has uncommitted changes")), "{:?}", snapshot.notes);
    farm.run(&repo, |slot| fs::write(slot.join("sub/junk"), "").unwrap());
    assert!(farm.run(&repo, |slot| !slot.join("sub/junk").exists()));
    farm.submodules = false;
    assert!(farm.run(&repo, |slot| files(&slot.join("sub")).is_empty()));
}

// ---- Slots ----------------------------------------------------------------------------------------------------

#[test]
fn nothing_of_the_last_job_is_seen_by_the_next() {
    let repo = Repo::with(&[
        ("a", "1"),
        ("b", "2"),
        ("d/c", "3"),
        ("d/e", "4"),
        ("t.sh", "x"),
        (".gitignore", "ig*\ntarget\n"),
    ]);
    repo.executable("t.sh");
    symlink("a", repo.path().join("link")).unwrap();
    repo.commit("links");
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious"), "1").unwrap();
    let mut farm = Farm::new();
    let first = farm.files(&repo);
    let script = format!(
        "echo x > a; rm b; chmod -x t.sh; echo new > untracked; echo y > ignored; mkdir -p igdir/x ro/y; touch ro/y/z
         chmod 500 ro/y ro; mkdir locked; touch locked/f; chmod 000 locked; git init -q nested; rm -rf d; ln -s {0} d
         rm link; ln -s {0}/precious link; ln -s {0} out; mkfifo pipe; mkdir -p 'deep/a b/c'; touch 'deep/a b/c/new
line'; mkdir target; echo kept > target/k; mkdir -p sub/target; touch sub/target/x; chmod 700 .",
        outside.path().display()
    );
    farm.run(&repo, |slot| shell(slot, &script));
    let mut again = farm.files(&repo);
    assert_eq!(again.iter().filter(|line| line.starts_with("target")).count(), 2);
    again.retain(|line| !line.starts_with("target"));
    assert_eq!(again, first);
    assert_eq!(fs::read(outside.path().join("precious")).unwrap(), b"1");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    // Types exchanged: a file for a folder, a folder for a file, a tracked file gone under a kept name.
    farm.run(&repo, |slot| shell(slot, "rm a; mkdir a; touch a/x; rm -r d; echo f > d; chmod 4777 b; chmod 000 t.sh"));
    let mut again = farm.files(&repo);
    again.retain(|line| !line.starts_with("target"));
    assert_eq!(again, first);
    farm.run(&repo, |slot| assert_eq!(slot.join("b").metadata().unwrap().permissions().mode() & 0o7777, 0o644));
}

#[test]
fn what_a_recipe_does_to_git_stays_with_its_job() {
    let repo = Repo::with(&[("a", "1"), ("b", "2")]);
    let mut farm = Farm::new();
    let head = repo.git(&["rev-parse", "HEAD"]);
    farm.run(&repo, |slot| {
        let script =
            "git config user.name x; git config user.email x@x; echo 9 > a; git update-index --assume-unchanged a
            echo 8 > b; git add b; git commit -qm mine; git branch mine; git tag mine; mkdir -p .git/hooks
            printf '#!/bin/sh\\ntouch HOOKED\\n' > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout
            git config core.hooksPath .git/hooks; git config core.fsmonitor 'touch HOOKED'; git stash list
            git update-ref refs/remotes/origin/main HEAD; echo junk > .git/info/exclude; touch .git/index.lock";
        shell(slot, script)
    });
    let seen = farm.run(&repo, |slot| {
        assert_eq!(git(slot, &["rev-parse", "HEAD", "refs/remotes/origin/main"]), format!("{head}\n{head}"));
        assert_eq!(git(slot, &["branch", "--list"]).lines().count(), 1);
        assert_eq!(git(slot, &["tag"]), "");
        assert!(!slot.join(".git/hooks").exists());
        files(slot)
    });
    assert_eq!(seen, ["a \"1\"", "b \"2\""]);
    // A `.git` that is no folder any more.
    farm.run(&repo, |slot| shell(slot, "rm -rf .git; ln -s /tmp .git"));
    farm.files(&repo);
    git(farm.mirror(&repo).path(), &["fsck", "--strict"]);
}

#[test]
fn a_change_that_hides_behind_size_and_time_is_undone() {
    let repo = Repo::with(&[("a", "1"), ("b", "2")]);
    let mut farm = Farm::new();
    for _ in 0..10 {
        farm.run(&repo, |slot| {
            assert_eq!(fs::read(slot.join("a")).unwrap(), b"1");
            shell(slot, "touch -r a b; echo -n 9 > a; touch -r b a")
        });
    }
    assert_eq!(farm.files(&repo), ["a \"1\"", "b \"2\""]);
}

#[test]
fn unchanged_files_keep_their_time_and_changed_ones_get_now() {
    let repo = Repo::with(&[("a", "1"), ("b", "2"), ("c", "3")]);
    let mut farm = Farm::new();
    let first = farm.run(&repo, times);
    for _ in 0..3 {
        assert_eq!(farm.run(&repo, times), first);
    }
    let untouched = |times: &BTreeSet<(String, u64, i64, i64)>| times.intersection(&first).count();
    repo.write("a", "changed").remove("c").write("d", "new");
    let begun = fs::metadata(repo.path().join("d")).unwrap();
    let second = farm.run(&repo, times);
    assert_eq!(untouched(&second), 1);
    let time = |times: &BTreeSet<(String, u64, i64, i64)>| {
        let file = times.iter().find(|(name, ..)| name == "a").unwrap();
        (file.2, file.3)
    };
    assert!(time(&second) >= (begun.mtime(), begun.mtime_nsec()));
    // Back again: the files of the first commit are younger than any build of the second.
    repo.git(&["checkout", "--quiet", "."]);
    repo.remove("d");
    let third = farm.run(&repo, times);
    assert_eq!(untouched(&third), 1);
    assert!(time(&third) > time(&second));
    // Written with the same content by a job: nothing to rebuild.
    let touched = farm.run(&repo, |slot| {
        shell(slot, "cp a x; cat x > a; touch b");
        times(slot)
    });
    let kept: Vec<_> = farm.run(&repo, times).into_iter().filter(|file| !touched.contains(file)).collect();
    assert!(kept.is_empty(), "{kept:?}");
}

#[test]
fn a_test_edited_to_fail_fails_in_a_warm_slot() {
    let makefile = "target/out: test.txt\n\t@mkdir -p target; echo built >> target/log; grep -q good test.txt && touch target/out\n";
    let repo = Repo::with(&[("Makefile", makefile), ("test.txt", "good")]);
    let mut farm = Farm::new();
    let make = |slot: &Path| Command::new("make").arg("-s").current_dir(slot).output().unwrap().status.success();
    assert!(farm.run(&repo, make));
    assert!(farm.run(&repo, make));
    let builds = |slot: &Path| fs::read_to_string(slot.join("target/log")).unwrap().lines().count();
    assert_eq!(farm.run(&repo, builds), 1);
    repo.write("test.txt", "baad");
    assert!(!farm.run(&repo, make));
    repo.git(&["checkout", "--quiet", "test.txt"]);
    assert!(farm.run(&repo, make));
    assert_eq!(farm.run(&repo, builds), 3);
}

#[test]
fn kept_paths_survive_but_what_is_tracked_in_them_is_restored() {
    let repo = Repo::with(&[("target/tracked", "1"), ("pkg/a", "1"), ("x", "1")]);
    let mut farm = Farm::keeping(&["target", "**/node_modules", "vendor/bundle", "*.cache"]);
    farm.run(&repo, |slot| {
        let script =
            "echo 9 > target/tracked; touch target/built; mkdir -p pkg/node_modules/.bin vendor/bundle vendor/other
            ln -s ../x pkg/node_modules/.bin/x; touch vendor/bundle/gem vendor/other/y node_modules one.cache two.txt
            mkdir -p gone/deep/node_modules gone/else; mkdir target/locked; chmod 000 target/locked";
        shell(slot, script)
    });
    let expected = [
        "gone/",
        "gone/deep/",
        "gone/deep/node_modules/",
        "node_modules \"\"",
        "one.cache \"\"",
        "pkg/",
        "pkg/a \"1\"",
        "pkg/node_modules/",
        "pkg/node_modules/.bin/",
        "pkg/node_modules/.bin/x -> ../x",
        "target/",
        "target/built \"\"",
        "target/locked/",
        "target/tracked \"1\"",
        "vendor/",
        "vendor/bundle/",
        "vendor/bundle/gem \"\"",
        "x \"1\"",
    ];
    assert_eq!(farm.run(&repo, files), expected);
    // A kept path that is a link could lead anywhere.
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x"), "").unwrap();
    farm.run(&repo, |slot| {
        shell(
            slot,
            &format!(
                "rm -r pkg/node_modules target; ln -s {0} pkg/node_modules; ln -s {0} target",
                outside.path().display()
            ),
        )
    });
    farm.run(&repo, |slot| {
        assert!(slot.join("pkg/node_modules").symlink_metadata().is_err());
        assert_eq!(files(&slot.join("target")), ["tracked \"1\""]);
        assert!(!slot.join("target").is_symlink());
    });
    assert!(outside.path().join("x").exists());
    farm.fresh = true;
    assert_eq!(farm.run(&repo, files), ["pkg/", "pkg/a \"1\"", "target/", "target/tracked \"1\"", "x \"1\""]);
}

#[test]
fn slots_move_between_commits() {
    let repo = Repo::with(&[("a/b", "1"), ("c", "1"), ("l", "x")]);
    let one = repo.git(&["rev-parse", "HEAD"]);
    fs::remove_dir_all(repo.path().join("a")).unwrap();
    repo.write("a", "a file").remove("c").write("c/d/e", "deep").remove("l");
    symlink("a", repo.path().join("l")).unwrap();
    let two = repo.commit("second");
    repo.git(&["tag", "--annotate", "v1", "--message", "x"]);
    let mut farm = Farm::new();
    let mirror = farm.mirror(&repo);
    for round in 0..6 {
        let sha = mirror.resolve(&refname(if round % 2 == 0 { &one } else { &two })).unwrap().sha;
        let slot = farm.lease(&repo, &sha);
        assert_eq!(slot.number(), 1);
        assert_eq!(git(slot.path(), &["status", "--porcelain"]), "");
        assert_eq!(git(slot.path(), &["rev-parse", "HEAD"]), sha.as_str());
        assert_eq!(git(slot.path(), &["describe", "--always", "--tags"]) == "v1", round % 2 == 1);
        let seen = files(slot.path());
        match round % 2 {
            0 => assert_eq!(seen, ["a/", "a/b \"1\"", "c \"1\"", "l \"x\""]),
            _ => assert_eq!(seen, ["a \"a file\"", "c/", "c/d/", "c/d/e \"deep\"", "l -> a"]),
        }
        slot.release(Release::Clean).unwrap();
    }
}

#[test]
fn a_slot_is_leased_to_one_job_at_a_time() {
    let repo = Repo::with(&[("a", "1")]);
    let farm = Farm::new();
    let sha = farm.snapshot(&repo).sha;
    let mirror = farm.mirror(&repo);
    let held: Mutex<BTreeSet<u32>> = Mutex::default();
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                for _ in 0..10 {
                    let job = JobId::random().unwrap();
                    let request = LeaseRequest {
                        subproject: &SubPath::root(),
                        recipe: &"test".parse().unwrap(),
                        job: &job,
                        sha: &sha,
                        keep: &[],
                        fresh: false,
                        submodules: false,
                    };
                    let slot = farm.workspace.lease(&mirror, &request, &mut |job| panic!("stranded {job}")).unwrap();
                    assert!(held.lock().unwrap().insert(slot.number()));
                    assert_eq!(files(slot.path()), ["a \"1\""]);
                    let link = farm.workspace.root().join("p").join(job.as_str());
                    assert_eq!(link.canonicalize().unwrap(), slot.path().canonicalize().unwrap());
                    fs::write(slot.path().join("mine"), "").unwrap();
                    assert!(held.lock().unwrap().remove(&slot.number()));
                    slot.release(Release::Clean).unwrap();
                    assert!(link.symlink_metadata().is_err());
                }
            });
        }
    });
    let slots = fs::read_dir(farm.workspace.root().join("p")).unwrap().flatten();
    let slots = slots.filter(|entry| entry.file_name().to_string_lossy().ends_with(".index")).count();
    assert!(slots <= 8, "{slots}");
}

#[test]
fn a_job_gets_the_slot_of_its_subproject() {
    let repo = Repo::with(&[("a/x", "1"), ("b/x", "1")]);
    let mut farm = Farm::new();
    let sha = farm.snapshot(&repo).sha;
    let mut lease = |subproject: &str| {
        farm.subproject = subproject.parse().unwrap();
        farm.lease(&repo, &sha)
    };
    let (a, b) = (lease("a"), lease("b"));
    assert_eq!((a.number(), b.number()), (1, 2));
    a.release(Release::Clean).unwrap();
    b.release(Release::Clean).unwrap();
    let b = lease("b");
    assert_eq!(b.number(), 2);
    // Any free one is better than a new one.
    let other = lease("b");
    assert_eq!(other.number(), 1);
    let new = lease("b");
    assert_eq!(new.number(), 3);
}

#[test]
fn a_stranded_or_spoiled_slot_is_laid_anew() {
    let repo = Repo::with(&[("a", "1")]);
    let mut farm = Farm::new();
    let sha = farm.snapshot(&repo).sha;
    let job = JobId::random().unwrap();
    let slot = farm.lease_as(&repo, &sha, &job);
    let path = slot.path().to_owned();
    fs::create_dir(path.join("target")).unwrap();
    fs::write(path.join("a"), "half").unwrap();
    drop(slot); // As a crash does it: the kernel lets go of the lock, nothing else happens.
    let link = farm.workspace.root().join("p").join(job.as_str());
    assert!(link.is_symlink());
    let slot = farm.lease(&repo, &sha);
    assert_eq!(farm.stranded, [job]);
    assert!(!link.is_symlink());
    assert_eq!(slot.path(), path);
    assert_eq!(files(&path), ["a \"1\""]);
    fs::create_dir(path.join("target")).unwrap();
    slot.release(Release::Spoiled).unwrap();
    let slot = farm.lease(&repo, &sha);
    assert_eq!(files(&path), ["a \"1\""]);
    assert_eq!(farm.stranded.len(), 1);

    // Recovery by the job's id, while another job runs.
    let job = JobId::random().unwrap();
    drop(farm.lease_as(&repo, &sha, &job));
    farm.workspace.recover(&farm.project, &job).unwrap();
    assert!(farm.workspace.root().join("p").join(job.as_str()).symlink_metadata().is_err());
    let other = farm.lease(&repo, &sha);
    assert_eq!((slot.number(), other.number(), farm.stranded.len()), (1, 2, 1));
    // Somebody else's slot is not touched.
    farm.workspace.recover(&farm.project, &JobId::random().unwrap()).unwrap();
    assert_eq!(files(other.path()), ["a \"1\""]);
}

#[test]
fn a_damaged_private_index_means_a_new_tree() {
    let repo = Repo::with(&[("a", "1")]);
    let mut farm = Farm::new();
    farm.run(&repo, |slot| fs::create_dir(slot.join("target")).unwrap());
    fs::write(farm.workspace.root().join("p/slot-1.index"), "rubbish").unwrap();
    let sha = farm.snapshot(&repo).sha;
    let slot = farm.lease(&repo, &sha);
    assert!(slot.notes()[0].contains("laid anew"), "{:?}", slot.notes());
    assert_eq!(files(slot.path()), ["a \"1\""]);
    slot.release(Release::Clean).unwrap();
    fs::remove_dir_all(farm.workspace.root().join("p/slot-1")).unwrap();
    assert_eq!(farm.files(&repo), ["a \"1\""]);
}

#[test]
fn a_kept_slot_is_the_users_until_it_is_deleted() {
    let repo = Repo::with(&[("a", "1")]);
    let mut farm = Farm::new();
    let sha = farm.snapshot(&repo).sha;
    let kept = farm.lease(&repo, &sha).release(Release::Keep).unwrap().unwrap();
    assert!(kept.join("a").exists());
    let slot = farm.lease(&repo, &sha);
    assert_eq!(slot.number(), 2);
    fs::remove_dir_all(kept).unwrap();
    assert_eq!(farm.lease(&repo, &sha).number(), 1);
}

#[test]
fn a_subprojects_folder_stays_inside_the_slot() {
    let repo = Repo::with(&[("a/b", "1")]);
    for (name, target) in [("up", ".."), ("abs", "/tmp"), ("ok", "a"), ("git", ".git")] {
        symlink(target, repo.path().join(name)).unwrap();
    }
    let mut farm = Farm::new();
    let sha = farm.snapshot(&repo).sha;
    let slot = farm.lease(&repo, &sha);
    let folder = |path: &str| slot.folder(&path.parse().unwrap());
    assert_eq!(folder("ok").unwrap(), slot.path().join("a"));
    assert_eq!(folder(".").unwrap(), slot.path());
    for path in ["up", "abs", "git"] {
        assert_eq!(folder(path).unwrap_err().code(), Code::InvalidInput, "{path}");
    }
    assert_eq!(folder("missing").unwrap_err().code(), Code::NotFound);
    assert_eq!(folder("a/b").unwrap_err().code(), Code::NotFound);
}

// ---- Mirrors --------------------------------------------------------------------------------------------------

#[test]
fn refs_of_a_local_repository_are_what_the_user_sees() {
    let repo = Repo::with(&[("a", "1")]);
    let one = repo.git(&["rev-parse", "HEAD"]);
    let farm = Farm::new();
    let mirror = farm.mirror(&repo);
    let resolve = |name: &str| mirror.resolve(&refname(name)).map(|resolved| resolved.sha.as_str().to_owned());
    assert_eq!(resolve("main").unwrap(), one);
    let two = repo.write("a", "2").commit("second");
    repo.git(&["tag", "v1"]);
    assert_eq!(resolve("main").unwrap(), two);
    assert_eq!(resolve("HEAD~1").unwrap(), one);
    assert_eq!(resolve("v1").unwrap(), two);
    assert_eq!(resolve(&two[..8]).unwrap(), two);
    let error = resolve("mian").unwrap_err();
    assert_eq!((error.code(), error.hint_text()), (Code::NotFound, Some("did you mean main?")));
    assert_eq!(resolve(&"a".repeat(40)).unwrap_err().code(), Code::NotFound);
    assert_eq!(resolve(&"a".repeat(64)).unwrap_err().code(), Code::NotFound);
    assert_eq!(mirror.default_branch().unwrap().unwrap().as_str(), "main");
    // A full id that the mirror holds needs the repository no more.
    fs::remove_dir_all(repo.path()).unwrap();
    assert_eq!(resolve(&one).unwrap(), one);
    assert_eq!(resolve("main").unwrap_err().code(), Code::NoRepository);
}

/// Serves a repository over git's own protocol, as a remote.
struct Remote {
    daemon: std::process::Child,
    url: GitUrl,
}

impl Remote {
    fn of(repo: &Repo) -> Option<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let parent = repo.path().parent().unwrap();
        let daemon = Command::new("git")
            .args(["daemon", "--reuseaddr", "--export-all", "--listen=127.0.0.1", &format!("--port={port}")])
            .arg(format!("--base-path={}", parent.display()))
            .arg(parent)
            .stderr(std::process::Stdio::null())
            .spawn()
            .ok()?;
        let remote = Self { daemon, url: format!("git://127.0.0.1:{port}/repo").parse().unwrap() };
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(std::time::Instant::now() < deadline, "git daemon does not answer");
            std::thread::yield_now();
        }
        Some(remote)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(self.daemon.id().cast_signed()),
            nix::sys::signal::SIGTERM,
        );
        let _ = self.daemon.wait();
    }
}

#[test]
fn a_remote_is_fetched_when_a_name_is_asked_for() {
    let repo = Repo::with(&[("a", "1")]);
    let one = repo.git(&["rev-parse", "HEAD"]);
    let remote = Remote::of(&repo).expect("git comes with its daemon");
    let mut farm = Farm::new();
    let mirror = farm.workspace.mirror(&farm.project, &remote.url);
    let resolve = |name: &str| mirror.resolve(&refname(name)).map(|resolved| resolved.sha.as_str().to_owned());
    assert_eq!(resolve("main").unwrap(), one);
    let two = repo.write("a", "2").commit("second");
    repo.git(&["branch", "gone"]);
    assert_eq!(resolve("main").unwrap(), two);
    assert_eq!(resolve("gone").unwrap(), two);
    // A branch where a folder of branches was, and one that was rewritten.
    repo.git(&["branch", "--quiet", "-D", "gone"]);
    repo.git(&["branch", "gone/below", "HEAD~1"]);
    repo.git(&["commit", "--quiet", "--amend", "--message", "again"]);
    assert_eq!(resolve("gone/below").unwrap(), one);
    assert_eq!(resolve("main").unwrap(), repo.git(&["rev-parse", "HEAD"]));
    assert_eq!(resolve("gone").unwrap_err().code(), Code::NotFound);
    assert_eq!(resolve(&"b".repeat(40)).unwrap_err().code(), Code::NotFound);
    assert_eq!(mirror.default_branch().unwrap().unwrap().as_str(), "main");
    drop(remote);
    assert_eq!(resolve(&one).unwrap(), one);
    let error = resolve("main").unwrap_err();
    assert_eq!(error.code(), Code::RemoteUnreachable, "{error}");
    let at = Repo::at(repo.path());
    let slot = {
        let mirror = mirror.clone();
        let job = JobId::random().unwrap();
        let request = LeaseRequest {
            subproject: &SubPath::root(),
            recipe: &"test".parse().unwrap(),
            job: &job,
            sha: &sha(&one),
            keep: &[],
            fresh: false,
            submodules: false,
        };
        farm.workspace.lease(&mirror, &request, &mut |_| {}).unwrap()
    };
    assert_eq!(files(slot.path()), ["a \"1\""]);
    slot.release(Release::Clean).unwrap();
    // The project moved to another address: the old mirror is no use.
    let moved = farm.mirror(&at).resolve(&refname("main")).unwrap();
    assert_eq!(moved.notes.len(), 1);
    farm.submodules = true;
    farm.files(&at);
}

#[test]
fn a_broken_mirror_is_rebuilt_and_says_so() {
    let repo = Repo::with(&[("a", "1")]);
    repo.git(&["gc", "--quiet"]);
    let farm = Farm::new();
    let mirror = farm.mirror(&repo);
    assert!(mirror.ensure().unwrap().is_empty());
    assert!(mirror.ensure().unwrap().is_empty());
    let pack = |extension: &str| {
        let packs = fs::read_dir(mirror.path().join("objects/pack")).unwrap().flatten().map(|entry| entry.path());
        packs.into_iter().find(|path| path.extension().is_some_and(|found| found == extension)).unwrap()
    };
    let breaks: [&dyn Fn(); 4] = [
        &|| fs::remove_file(mirror.path().join("crafting-complete")).unwrap(),
        &|| fs::remove_file(mirror.path().join("HEAD")).unwrap(),
        &|| fs::remove_file(pack("pack")).unwrap(),
        &|| fs::remove_dir_all(mirror.path().join("objects")).unwrap(),
    ];
    for damage in breaks {
        damage();
        let notes = mirror.ensure().unwrap();
        assert_eq!(notes.len(), 1);
        assert!(notes[0].contains("rebuilt"), "{notes:?}");
        git(mirror.path(), &["fsck", "--strict"]);
    }
    // A clone that died half-way lies beside, and goes.
    let half = mirror.path().with_file_name(".cache.new-1");
    fs::create_dir_all(half.join("objects")).unwrap();
    fs::remove_file(mirror.path().join("crafting-complete")).unwrap();
    mirror.ensure().unwrap();
    assert!(!half.exists());
}

#[test]
fn clones_and_fetches_are_shared() {
    let repo = Repo::with(&[("a", "1")]);
    let head = repo.git(&["rev-parse", "HEAD"]);
    let farm = Farm::new();
    let mirror = farm.mirror(&repo);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let resolved = mirror.resolve(&refname("main")).unwrap();
                assert_eq!(resolved.sha.as_str(), head);
                assert!(resolved.notes.is_empty(), "{:?}", resolved.notes);
            });
        }
    });
}

#[test]
fn sources_that_borrow_or_lack_objects_work() {
    let repo = Repo::with(&[("a", "1")]);
    repo.write("a", "2").commit("second");
    let place = |name: &str| repo.path().with_file_name(name).to_str().unwrap().to_owned();
    let url = format!("file://{}", repo.path().display());
    repo.git(&["clone", "--quiet", "--shared", ".", &place("shared")]);
    repo.git(&["clone", "--quiet", "--depth=1", &url, &place("shallow")]);
    for name in ["shared", "shallow"] {
        let copy = Repo::at(Path::new(&place(name)));
        copy.write("b", "new");
        let mut farm = Farm::new();
        assert_eq!(farm.files(&copy), ["a \"2\"", "b \"new\""], "{name}");
        copy.commit("third");
        copy.write("b", "newer");
        assert_eq!(farm.files(&copy), ["a \"2\"", "b \"newer\""], "{name}");
        assert!(!farm.mirror(&copy).path().join("objects/info/alternates").exists());
        git(farm.mirror(&copy).path(), &["fsck"]);
    }
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    repo.git(&["clone", "--quiet", "--filter=blob:none", &url, &place("partial")]);
    let partial = Repo::at(Path::new(&place("partial")));
    let farm = Farm::new();
    match farm.mirror(&partial).resolve(&refname("HEAD")) {
        Ok(_) => drop(farm.snapshot(&partial)),
        Err(error) => assert!(error.to_string().contains("is a partial clone"), "{error}"),
    }
}

// ---- Reading commits ------------------------------------------------------------------------------------------

#[test]
fn trees_of_a_checkout_and_of_its_snapshot_agree() {
    let repo = Repo::with(&[("p/crafting.toml", "x = 1"), ("p/run.sh", "#!/bin/sh"), ("other", ""), ("p/gone", "")]);
    repo.executable("p/run.sh").write("p/new/deep.txt", "new").remove("p/gone").write("p/big", vec![b'x'; 1 << 21]);
    symlink("/etc/passwd", repo.path().join("p/link")).unwrap();
    let checkout = Checkout::discover(&repo.path().join("p")).unwrap();
    let farm = Farm::new();
    let mirror = farm.mirror(&repo);
    let snapshot = checkout.snapshot(&mirror).unwrap();
    let here = CheckoutTree::list(&checkout).unwrap();
    let there = CommitTree::list(&mirror, &snapshot.sha, checkout.root()).unwrap();
    assert_eq!(here.files(), ["big", "crafting.toml", "link", "new/deep.txt", "run.sh"]);
    assert_eq!(here.files(), there.files());
    for path in ["big", "crafting.toml", "link", "new/deep.txt", "run.sh", "gone", "../other"] {
        assert_eq!(here.read(path), there.read(path), "{path}");
        assert_eq!(here.is_executable(path), there.is_executable(path), "{path}");
    }
    assert_eq!(here.read("new/deep.txt").as_deref(), Some("new"));
    assert!(here.read("link").is_none() && here.read("big").is_none());
    assert!(here.is_executable("run.sh"));
    let read = |path: &str| read_commit_file(&mirror, &snapshot.sha, &path.parse().unwrap()).unwrap();
    assert_eq!(read("p/crafting.toml").as_deref(), Some("x = 1"));
    assert_eq!(read("p/none"), None);
    assert_eq!(read("p"), None);
    assert!(CommitTree::list(&mirror, &snapshot.sha, &"nowhere".parse().unwrap()).is_err());
}

#[test]
fn lines_are_followed_through_edits_and_renames() {
    let text: String = (1..=20).map(|n| format!("line {n}\n")).collect();
    let repo = Repo::with(&[("p/a", &text), ("p/gone", "x\n"), ("q/out", "y\n")]);
    let one = repo.git(&["rev-parse", "HEAD"]);
    repo.remove("p/a").remove("p/gone").write("q/out", "z\n");
    repo.write("p/b", text.replace("line 3\n", "line 3\nmore\n").replace("line 10\n", ""));
    let farm = Farm::new();
    let two = farm.snapshot(&repo).sha;
    let moved = movement(&farm.mirror(&repo), &sha(&one), &two, &"p".parse().unwrap()).unwrap();
    let told = format!("{moved:?}");
    for part in [
        "\"a\"",
        "Some(\"b\")",
        "\"gone\"",
        "None",
        "Hunk { old_start: 3, old_lines: 0, new_start: 4, new_lines: 1 }",
        "Hunk { old_start: 10, old_lines: 1, new_start: 10, new_lines: 0 }",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains("out"), "{told}");
    let missing = movement(&farm.mirror(&repo), &sha(&"a".repeat(40)), &two, &SubPath::root()).unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
}

// ---- Space ----------------------------------------------------------------------------------------------------

#[test]
fn gc_removes_what_nobody_uses() {
    let repo = Repo::with(&[("a", "1")]);
    let mut farm = Farm::new();
    let old = repo.write("a", "old").git(&["rev-parse", "HEAD"]);
    let snapshot = farm.snapshot(&repo).sha;
    let live = repo.write("a", "live");
    let live = farm.snapshot(live).sha;
    let busy = farm.lease(&repo, &snapshot);
    let (free, kept) = (farm.lease(&repo, &snapshot), farm.lease(&repo, &snapshot));
    let free_path = free.path().to_owned();
    free.release(Release::Clean).unwrap();
    let kept = kept.release(Release::Keep).unwrap().unwrap();
    let day = Duration::from_secs(24 * 3600);
    let now = Timestamp::now();
    let options = |days: u64| GcOptions {
        now: Timestamp::from_millis(
            now.as_millis() + i64::try_from((day * u32::try_from(days).unwrap()).as_millis()).unwrap(),
        ),
        slots_unused_for: day,
        mirrors_quiet_for: 7 * day,
    };
    let gc = |days| farm.workspace.gc(&options(days), &|_, sha| *sha == live).unwrap();
    assert_eq!((gc(0).slots, gc(0).mirrors), (0, 0));
    let report = gc(2);
    assert_eq!((report.slots, report.mirrors), (1, 0));
    assert!(report.freed_bytes > 0);
    assert!(!free_path.exists() && kept.exists() && busy.path().exists());
    let report = gc(8);
    assert_eq!((report.slots, report.mirrors, report.commits), (0, 1, 1));
    assert_eq!(gc(9).mirrors, 0);
    let mirror = farm.mirror(&repo);
    assert!(mirror.has(&live).unwrap() && mirror.has(&sha(&old)).unwrap());
    assert!(!mirror.has(&snapshot).unwrap());
    assert_eq!(farm.workspace.remove_project(&farm.project).unwrap_err().code(), Code::Conflict);
    busy.release(Release::Clean).unwrap();
    farm.workspace.remove_project(&farm.project).unwrap();
    assert!(!mirror.path().exists());
    assert_eq!(farm.workspace.remove_project(&farm.project).unwrap(), 0);
    assert_eq!(farm.files(&repo), ["a \"live\""]);
}
