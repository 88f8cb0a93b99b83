//! What of a working tree runs, and that nothing of it is written.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use crafting::detect::Tree as _;
use crafting::workspace::{Checkout, CheckoutTree, CommitTree, Release};

use crate::farm::{Farm, files, times};
use crate::support::{Repo, fingerprint, git};

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
    let merged = Command::new("git")
        .args(["-c", "user.name=A", "-c", "user.email=a@example.com", "merge", "other"])
        .current_dir(repo.path())
        .output()
        .unwrap();
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
        let text = CommitTree::list(&farm.mirror(&repo), &sha, &".".parse().unwrap()).unwrap().read("a").unwrap();
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
        return; // Root reads everything.
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
