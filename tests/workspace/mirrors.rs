//! Refs, fetches, broken clones, odd sources.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crafting::error::Code;
use crafting::model::{GitUrl, JobId, SubPath};
use crafting::workspace::{LeaseRequest, Release};

use crate::farm::{Farm, files, refname, sha};
use crate::support::{Repo, git};

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
