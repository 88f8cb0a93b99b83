//! Which commits came before another one.

use std::collections::HashMap;

use super::git::library;
use super::mirror::{Mirror, oid};
use crate::error::{Error, Result};
use crate::model::CommitId;

/// Commits that are looked back at.
const LIMIT: usize = 200_000;

/// A commit and those before it, along first parents.
pub struct History {
    repository: git2::Repository,
    depth: HashMap<git2::Oid, usize>,
}

impl History {
    /// Of a commit that the mirror holds.
    pub fn of(mirror: &Mirror, tip: &CommitId) -> Result<Self> {
        let repository = mirror.open_with_uploads()?;
        let tip = oid(tip)?.ok_or_else(|| Error::not_found(format!("the mirror has no commit {tip}")))?;
        let mut walk = repository.revwalk().map_err(library("walk the history"))?;
        walk.simplify_first_parent().map_err(library("walk the history"))?;
        walk.push(tip).map_err(library("walk the history"))?;
        // The history of a shallow clone ends where it was cut.
        let depth = walk.map_while(Result::ok).take(LIMIT).enumerate().map(|(depth, id)| (id, depth)).collect();
        Ok(Self { repository, depth })
    }

    /// How far back a commit is, 0 being the history's own; `None` if it is not in it. A `snapshot` of a working tree
    /// lies between the commit that it was made on and the next one.
    pub fn distance(&self, sha: &CommitId, snapshot: bool) -> Option<usize> {
        let id = oid(sha).ok()??;
        match self.depth.get(&id) {
            Some(depth) => Some(depth * 2),
            None if snapshot => {
                let parent = self.repository.find_commit(id).ok()?.parent_id(0).ok()?;
                (self.depth.get(&parent)? * 2).checked_sub(1)
            }
            None => None,
        }
    }
}
