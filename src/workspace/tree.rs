//! Reading a project's files for detection: from a folder of the user's, or from a commit in a mirror.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::checkout::Checkout;
use super::git::{Git, library};
use super::mirror::{Mirror, oid};
use super::snapshot::bytes_path;
use crate::detect::Tree;
use crate::error::{Error, Result};
use crate::model::{CommitId, SubPath};

/// No file that says how a project is built is larger; in bytes.
const LARGEST: u64 = 1 << 20;

/// The files of a checkout's project: tracked, or untracked and not ignored.
#[derive(Debug)]
pub struct CheckoutTree {
    folder: PathBuf,
    files: Vec<String>,
}

impl CheckoutTree {
    /// Lists the files below the checkout's project root.
    pub fn list(checkout: &Checkout) -> Result<Self> {
        let folder = checkout.folder();
        let question = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z"];
        let listed = Git::new(&folder).run(question)?;
        let mut files: Vec<String> = listed
            .stdout
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
            .filter(|path| folder.join(bytes_path(path)).symlink_metadata().is_ok_and(|found| !found.is_dir()))
            .filter_map(|path| std::str::from_utf8(path).ok().map(str::to_owned))
            .collect();
        files.sort_unstable();
        Ok(Self { folder, files })
    }
}

impl Tree for CheckoutTree {
    /// Sorted. Names that are not UTF-8 are left out.
    fn files(&self) -> &[String] {
        &self.files
    }

    fn read(&self, path: &str) -> Option<String> {
        self.files.binary_search_by(|file| file.as_str().cmp(path)).ok()?;
        let place = self.folder.join(path);
        if !place.symlink_metadata().ok()?.is_file() {
            return None;
        }
        let mut bytes = Vec::new();
        File::open(place).ok()?.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
        text(bytes)
    }

    fn is_executable(&self, path: &str) -> bool {
        let metadata = self.folder.join(path).symlink_metadata();
        metadata.is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    }
}

/// The files of a project at a commit.
pub struct CommitTree {
    repository: git2::Repository,
    files: Vec<String>,
    /// Object and mode of each file.
    objects: Vec<(git2::Oid, i32)>,
}

impl CommitTree {
    /// Lists the files below `root` of a commit that the mirror holds.
    pub fn list(mirror: &Mirror, sha: &CommitId, root: &SubPath) -> Result<Self> {
        let repository = mirror.open_with_uploads()?;
        let mut found: Vec<(String, git2::Oid, i32)> = Vec::new();
        {
            let whole = commit_tree(&repository, sha)?;
            let tree = if root.is_root() {
                Some(whole)
            } else {
                let entry = whole.get_path(root.as_str().as_ref()).ok();
                entry.and_then(|entry| repository.find_tree(entry.id()).ok())
            };
            let tree = tree.ok_or_else(|| {
                Error::not_found(format!("the commit {} has no folder {root}", sha.short()))
                    .hint("check the project's root with `crafting project show`")
            })?;
            // Not libgit2's own walk, which ends at the first folder whose name is not UTF-8.
            let mut folders = vec![(String::new(), tree)];
            while let Some((folder, tree)) = folders.pop() {
                for entry in &tree {
                    let Ok(name) = entry.name() else { continue };
                    let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                    match entry.kind() {
                        Some(git2::ObjectType::Blob) => found.push((path, entry.id(), entry.filemode())),
                        Some(git2::ObjectType::Tree) => {
                            let inner = repository.find_tree(entry.id());
                            folders.push((path, inner.map_err(library("list the commit's files"))?));
                        }
                        _ => {}
                    }
                }
            }
        }
        found.sort_unstable();
        let (files, objects) = found.into_iter().map(|(path, id, mode)| (path, (id, mode))).unzip();
        Ok(Self { repository, files, objects })
    }

    fn object(&self, path: &str) -> Option<(git2::Oid, i32)> {
        let number = self.files.binary_search_by(|file| file.as_str().cmp(path)).ok()?;
        self.objects.get(number).copied()
    }
}

impl Tree for CommitTree {
    /// Sorted. Names that are not UTF-8 are left out.
    fn files(&self) -> &[String] {
        &self.files
    }

    fn read(&self, path: &str) -> Option<String> {
        let (id, mode) = self.object(path)?;
        if mode == 0o120_000 {
            return None;
        }
        let (size, _) = self.repository.odb().ok()?.read_header(id).ok()?;
        if u64::try_from(size).ok()? > LARGEST {
            return None;
        }
        text(self.repository.find_blob(id).ok()?.content().to_vec())
    }

    fn is_executable(&self, path: &str) -> bool {
        self.object(path).is_some_and(|(_, mode)| mode == 0o100_755)
    }
}

fn commit_tree<'r>(repository: &'r git2::Repository, sha: &CommitId) -> Result<git2::Tree<'r>> {
    let id = oid(sha)?.ok_or_else(|| Error::not_found(format!("the mirror has no commit {sha}")))?;
    repository.find_commit(id).and_then(|commit| commit.tree()).map_err(library("read the commit"))
}

fn text(bytes: Vec<u8>) -> Option<String> {
    if bytes.len() as u64 > LARGEST || bytes.contains(&0) { None } else { String::from_utf8(bytes).ok() }
}
