//! Finding the repository around a folder.

use std::fs;
use std::path::Path;

use crafting::error::Code;
use crafting::workspace::Checkout;

use crate::farm::Farm;
use crate::support::{Repo, git};

#[test]
fn discovery_finds_top_root_and_branch() {
    let repo = Repo::with(&[("a/crafting.toml", ""), ("a/b/c.txt", ""), ("d/e.txt", "")]);
    let checkout = Checkout::discover(&repo.path().join("a/b")).unwrap();
    assert_eq!(checkout.root().as_str(), "a");
    assert_eq!(checkout.top(), repo.path());
    assert_eq!(checkout.folder(), repo.path().join("a"));
    assert_eq!(checkout.url().as_str(), repo.path().to_str().unwrap());
    assert_eq!(checkout.branch().unwrap().unwrap().as_str(), "main");
    let checkout = Checkout::discover(&repo.path().join("d")).unwrap();
    assert!(checkout.root().is_root());
    repo.git(&["checkout", "--quiet", "--detach"]);
    assert!(Checkout::discover(repo.path()).unwrap().branch().unwrap().is_none());
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
    assert_eq!(checkout.branch().unwrap().unwrap().as_str(), "other");
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
