//! How files and lines moved from one commit to another.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::git::library;
use super::mirror::{Mirror, oid};
use crate::error::{Error, Result};
use crate::findings::novelty::{Hunk, Movement};
use crate::model::{CommitId, SubPath};

/// The new path, unless the file is gone, and the hunks.
type Moved = (Option<String>, Vec<Hunk>);

/// What changed below `root` between two commits of a mirror, renames recognised; paths relative to `root`.
pub fn movement(mirror: &Mirror, from: &CommitId, to: &CommitId, root: &SubPath) -> Result<Movement> {
    let repository = mirror.open_with_uploads()?;
    let tree = |sha: &CommitId| -> Result<git2::Tree<'_>> {
        let id = oid(sha)?.ok_or_else(|| Error::not_found(format!("the mirror has no commit {sha}")))?;
        let commit = repository.find_commit(id).map_err(|_| {
            Error::not_found(format!("the mirror has no commit {sha} any more"))
                .hint("compare with a job whose commit is still there")
        })?;
        commit.tree().map_err(library("read the commit"))
    };
    let mut options = git2::DiffOptions::new();
    options.context_lines(0).interhunk_lines(0).include_typechange(true);
    // Without a pathspec, so that a file that moved in from outside is still a rename.
    let mut diff = repository
        .diff_tree_to_tree(Some(&tree(from)?), Some(&tree(to)?), Some(&mut options))
        .map_err(library("compare two commits"))?;
    // libgit2's limit of 200 candidates, as git's own, bounds the time of this.
    let mut similar = git2::DiffFindOptions::new();
    diff.find_similar(Some(similar.renames(true))).map_err(library("find renames"))?;

    let prefix = if root.is_root() { String::new() } else { format!("{root}/") };
    let inside = |file: git2::DiffFile<'_>| -> Option<String> {
        let path = std::str::from_utf8(file.path_bytes()?).ok()?;
        path.strip_prefix(&prefix).map(str::to_owned)
    };
    // Old path to new path and hunks; an added file has no old lines to follow.
    let files: RefCell<BTreeMap<String, Moved>> = RefCell::default();
    diff.foreach(
        &mut |delta, _| {
            if let (Some(old), false) = (inside(delta.old_file()), delta.status() == git2::Delta::Added) {
                let gone = delta.status() == git2::Delta::Deleted;
                let new = if gone { None } else { inside(delta.new_file()) };
                files.borrow_mut().insert(old, (new, Vec::new()));
            }
            true
        },
        None,
        Some(&mut |delta, hunk| {
            if let Some(old) = inside(delta.old_file())
                && let Some((_, hunks)) = files.borrow_mut().get_mut(&old)
            {
                hunks.push(Hunk {
                    old_start: hunk.old_start(),
                    old_lines: hunk.old_lines(),
                    new_start: hunk.new_start(),
                    new_lines: hunk.new_lines(),
                });
            }
            true
        }),
        None,
    )
    .map_err(library("compare two commits"))?;
    let mut movement = Movement::default();
    for (old, (new, hunks)) in files.into_inner() {
        movement.file(old, new, hunks);
    }
    Ok(movement)
}
