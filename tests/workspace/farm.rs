//! A workspace in a temporary folder, and looking at what is in its slots.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use crafting::model::{CommitId, JobId, ProjectName, RefName, SubPath};
use crafting::workspace::{Checkout, LeaseRequest, Mirror, Release, Slot, Snapshot, Workspace};
use tempfile::TempDir;

use crate::support::{Repo, git};

/// A workspace in a temporary folder, and what a job of it asks for.
pub struct Farm {
    _folder: TempDir,
    pub workspace: Workspace,
    pub project: ProjectName,
    pub keep: Vec<String>,
    pub fresh: bool,
    pub submodules: bool,
    pub subproject: SubPath,
    pub stranded: Vec<JobId>,
}

impl Farm {
    pub fn new() -> Self {
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

    pub fn keeping(patterns: &[&str]) -> Self {
        Self { keep: patterns.iter().map(|&pattern| pattern.to_owned()).collect(), ..Self::new() }
    }

    pub fn mirror(&self, repo: &Repo) -> Mirror {
        self.workspace.mirror(&self.project, &repo.path().to_str().unwrap().parse().unwrap())
    }

    pub fn snapshot(&self, repo: &Repo) -> Snapshot {
        let checkout = Checkout::discover(repo.path()).unwrap();
        checkout.snapshot(&self.workspace.mirror(&self.project, checkout.url())).unwrap()
    }

    pub fn lease(&mut self, repo: &Repo, sha: &CommitId) -> Slot {
        self.lease_as(repo, sha, &JobId::random().unwrap())
    }

    pub fn lease_as(&mut self, repo: &Repo, sha: &CommitId, job: &JobId) -> Slot {
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
    pub fn run<T>(&mut self, repo: &Repo, look: impl FnOnce(&Path) -> T) -> T {
        let snapshot = self.snapshot(repo);
        let slot = self.lease(repo, &snapshot.sha);
        let seen = look(slot.path());
        slot.release(Release::Clean).unwrap();
        seen
    }

    /// What a slot holds of the repository as it is now: its files, and that git calls it clean.
    pub fn files(&mut self, repo: &Repo) -> Vec<String> {
        self.run(repo, |slot| {
            assert_eq!(git(slot, &["status", "--porcelain"]), "");
            files(slot)
        })
    }
}

/// Every file below a folder but git's own, as "path mode content-or-target".
pub fn files(folder: &Path) -> Vec<String> {
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

pub fn sha(text: &str) -> CommitId {
    text.parse().unwrap()
}

pub fn refname(text: &str) -> RefName {
    text.parse().unwrap()
}

pub fn shell(folder: &Path, script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Inode and modification time of every file.
pub fn times(folder: &Path) -> BTreeSet<(String, u64, i64, i64)> {
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
