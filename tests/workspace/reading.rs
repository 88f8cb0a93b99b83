//! Files and lines of commits.

use std::os::unix::fs::symlink;

use crafting::detect::Tree as _;
use crafting::error::Code;
use crafting::model::SubPath;
use crafting::workspace::{Checkout, CheckoutTree, CommitTree, movement};

use crate::farm::{Farm, sha};
use crate::support::Repo;

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
