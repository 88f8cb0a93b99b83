//! What the next job finds in a slot.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::{Barrier, Mutex};

use crafting::error::Code;
use crafting::model::{JobId, SubPath};
use crafting::workspace::{LeaseRequest, Release};

use crate::farm::{Farm, files, refname, shell, times};
use crate::support::{Repo, git};

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
            mkdir -p gone/deep/node_modules gone/else";
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
