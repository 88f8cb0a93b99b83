//! Bringing a slot's files to a commit: everything on the first time, afterwards only what differs.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use git2::{Index, IndexEntry, IndexTime};

use super::git::{Git, library};
use super::keep::Keep;
use super::mirror::{Mirror, oid};
use super::snapshot::bytes_path;
use super::sweep::Expected;
use super::trash::Trash;
use super::{gitdir, submodule};
use crate::error::{Code, Error, IoContext, Result};
use crate::model::{CommitId, JobId};

/// A slot's tree and the private index that describes it.
pub(super) struct Tree<'a> {
    /// The slot's folder.
    pub folder: &'a Path,
    /// The index that no recipe sees.
    pub index: PathBuf,
    /// For whom it is laid.
    pub job: &'a JobId,
    /// Where the objects are.
    pub mirror: &'a Mirror,
    /// Where removed folders go.
    pub trash: &'a Trash,
}

impl Tree<'_> {
    /// Makes the tree `sha`. `laid` is the commit that the index describes, if the tree is known to come from it.
    /// `begun` is the file system's time of a moment before this call, after the last job had ended.
    pub fn bring(
        &self,
        laid: Option<&CommitId>,
        sha: &CommitId,
        keep: &Keep,
        begun: SystemTime,
    ) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        let warm = laid.filter(|_| self.index.is_file() && self.folder.symlink_metadata().is_ok_and(|m| m.is_dir()));
        let done = match warm {
            Some(laid) => self.change(laid, sha, keep, begun),
            None => self.anew(sha),
        };
        if let Err(error) = done {
            if warm.is_none() || error.code() == Code::GitMissing {
                return Err(self.explain(error));
            }
            notes.push(format!("the slot could not be cleaned ({error}) and has been laid anew"));
            self.anew(sha).map_err(|error| self.explain(error))?;
        }
        let copy = self.folder.join(".git/index");
        fs::copy(&self.index, &copy).on("write", &copy)?;
        Ok(notes)
    }

    /// Fills the submodules' places, which [`Tree::bring`] has emptied.
    pub fn fill_submodules(&self) -> Result<()> {
        submodule::fill(self.folder, self.mirror)
    }

    fn anew(&self, sha: &CommitId) -> Result<()> {
        self.trash.take(self.folder)?;
        self.trash.take(&self.index)?;
        // A git that was killed leaves its lock, and none would ever get past it.
        self.trash.take(&self.index.with_added_extension("lock"))?;
        fs::create_dir(self.folder).on("create the folder", self.folder)?;
        gitdir::lay(self.folder, self.mirror, sha)?;
        self.git().env("GIT_INDEX_FILE", &self.index).run(["read-tree", "--reset", "-u", sha.as_str()])?;
        if !self.index.exists() {
            // A commit without any file.
            Index::open(&self.index).and_then(|mut index| index.write()).map_err(library("write the slot's index"))?;
        }
        Ok(())
    }

    fn change(&self, laid: &CommitId, sha: &CommitId, keep: &Keep, begun: SystemTime) -> Result<()> {
        let mut index = Index::open(&self.index).map_err(library("read the slot's index"))?;
        let metadata = self.index.metadata().on("read", &self.index)?;
        let mut changed = laid != sha;
        if changed {
            self.move_index(&mut index, laid, sha)?;
        }
        let expected = Expected::new(index.iter().collect(), (metadata.mtime(), metadata.mtime_nsec()));
        let swept = expected.sweep(self.folder, keep, self.trash).on("clean", self.folder)?;
        gitdir::lay(self.folder, self.mirror, sha)?;
        for entry in &swept.refreshed {
            index.add(entry).map_err(library("update the slot's index"))?;
            changed = true;
        }
        if !swept.rewrite.is_empty() {
            self.write_files(&mut index, &swept.rewrite, metadata.modified().on("read", &self.index)?)?;
            changed = true;
        }
        if changed {
            // Its new time says that everything in it was looked at, or written, until now: no job ran in between.
            index.write().map_err(library("write the slot's index"))?;
        } else if swept.verified {
            set_time(&self.index, begun)?;
        }
        Ok(())
    }

    /// Lets git write some files, by an index of these alone: git would read and write all of the slot's twice.
    fn write_files(&self, index: &mut Index, entries: &[IndexEntry], trusted: SystemTime) -> Result<()> {
        let path = self.index.with_extension("part");
        self.trash.take(&path)?;
        let mut part = Index::open(&path).map_err(library("make an index"))?;
        for entry in entries {
            part.add(entry).map_err(library("fill an index"))?;
        }
        part.write().map_err(library("write an index"))?;
        // Git doubts files that are not older than the index, so this one must not look younger than it is.
        set_time(&path, trusted)?;
        self.git().env("GIT_INDEX_FILE", &path).run(["checkout-index", "--force", "--index", "--all"])?;
        let part = Index::open(&path).map_err(library("read an index"))?;
        for entry in part.iter() {
            index.add(&entry).map_err(library("update the slot's index"))?;
        }
        fs::remove_file(&path).on("remove", &path)
    }

    /// Makes the index that of another commit: what changed between the two has no file yet as far as it knows.
    fn move_index(&self, index: &mut Index, from: &CommitId, to: &CommitId) -> Result<()> {
        let repository = self.mirror.open_with_uploads()?;
        let tree = |sha: &CommitId| -> Result<git2::Tree<'_>> {
            let id = oid(sha)?.ok_or_else(|| Error::not_found(format!("the mirror has no commit {sha}")))?;
            repository.find_commit(id).and_then(|commit| commit.tree()).map_err(library("read the commit"))
        };
        let diff = repository
            .diff_tree_to_tree(Some(&tree(from)?), Some(&tree(to)?), None)
            .map_err(library("compare two commits"))?;
        let mut attributes = BTreeSet::new();
        for delta in diff.deltas() {
            let (old, new) = (delta.old_file(), delta.new_file());
            for path in [old.path_bytes(), new.path_bytes()].into_iter().flatten() {
                if path == b".gitattributes" || path.ends_with(b"/.gitattributes") {
                    attributes.insert(path[..path.len() - ".gitattributes".len()].to_vec());
                }
            }
            if let (git2::Delta::Deleted, Some(path)) = (delta.status(), old.path_bytes()) {
                index.remove_path(bytes_path(path)).map_err(library("update the slot's index"))?;
            }
        }
        for delta in diff.deltas().filter(|delta| delta.status() != git2::Delta::Deleted) {
            let new = delta.new_file();
            let Some(path) = new.path_bytes() else { continue };
            let entry = unwritten(path.to_vec(), new.id(), u32::from(new.mode()));
            index.add(&entry).map_err(library("update the slot's index"))?;
        }
        if !attributes.is_empty() {
            // Other attributes can make other files of the same objects, so these are written again.
            let below = |entry: &IndexEntry| attributes.iter().any(|folder| entry.path.starts_with(folder));
            let again: Vec<IndexEntry> = index.iter().filter(below).collect();
            for entry in again {
                let _ = fs::remove_file(self.folder.join(bytes_path(&entry.path)));
                index.add(&unwritten(entry.path, entry.id, entry.mode)).map_err(library("update the slot's index"))?;
            }
        }
        Ok(())
    }

    fn git(&self) -> Git {
        // It has the job's mark: one that outlives a killed crafting is found and ended with the job.
        Git::new(self.folder)
            .env(JobId::VARIABLE, self.job.as_str())
            .env("GIT_DIR", self.folder.join(".git"))
            .env("GIT_WORK_TREE", self.folder)
            .set("core.sparseCheckout=false")
    }

    /// A missing or damaged object is the mirror's fault: the next run clones it again.
    fn explain(&self, error: Error) -> Error {
        let said = error.to_string();
        let damaged = ["unable to read", "missing", "bad object", "corrupt", "inflate", "failed to read object"];
        if error.code() == Code::GitFailed && damaged.iter().any(|text| said.contains(text)) {
            self.mirror.distrust();
            return error.hint(
                "the mirror is damaged and will be cloned again: run the job once more; if that does not help, \
                 `git fsck` in the repository itself",
            );
        }
        error
    }
}

fn set_time(index: &Path, time: SystemTime) -> Result<()> {
    File::options().write(true).open(index).and_then(|file| file.set_modified(time)).on("write", index)
}

/// An index entry whose file has yet to be written.
fn unwritten(path: Vec<u8>, id: git2::Oid, mode: u32) -> IndexEntry {
    let never = IndexTime::new(0, 0);
    IndexEntry {
        ctime: never,
        mtime: never,
        dev: 0,
        ino: 0,
        mode,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path,
    }
}
