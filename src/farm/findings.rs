//! Findings out of the ledger: a page of them, or all one after the other.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::since::{self, Resolved};
use super::visible::View;
use super::{EachFinding, FindingQuery, Findings};
use crate::error::{Code, Error, Result};
use crate::ledger::selection::{Newness, Selection};
use crate::model::{Finding, FindingCounts, Job, JobId, RecipeSnapshot, Timestamp};
use crate::runner::Rooms;

/// Findings that are read in one go.
const PIECE: usize = 500;
/// Pieces that wait to be taken.
const WAITING: usize = 2;

/// A page, and how many there are in all.
pub(super) fn page(view: &View, query: &FindingQuery) -> Result<Findings> {
    let Resolved { jobs, newness, fixed, notes } = since::resolve(view, query)?;
    view.rooms().ledger.read(|tx| {
        let selection = Selection::new(tx, &jobs, &query.filter, &newness, Timestamp::now())?;
        let rows = match query.limit {
            Some(0) => Vec::new(),
            limit => selection.rows(tx, query.group_by, limit)?,
        };
        let groups = match query.group_by {
            // There are no more groups than findings.
            Some(group_by) => selection.groups(tx, group_by, query.limit)?,
            None => Vec::new(),
        };
        let counts = selection.count(tx, fixed)?;
        let mut findings = selection.read(tx, &rows, query.records)?;
        if query.from_top {
            name_from_top(&mut findings, &jobs);
        }
        Ok(Findings { findings, counts, groups, notes })
    })
}

/// Names files from the repository's top instead of the project's root.
fn name_from_top(findings: &mut [Finding], jobs: &[Job]) {
    let recipes: HashMap<&JobId, &RecipeSnapshot> = jobs.iter().map(|job| (&job.id, &job.recipe_snapshot)).collect();
    for finding in findings {
        let Some(recipe) = finding.job_id.as_ref().and_then(|job| recipes.get(job)) else { continue };
        if let Some(file) = finding.file.as_mut().filter(|file| !recipe.root.is_root() && !file.starts_with('/')) {
            *file = format!("{}/{file}", recipe.root);
        }
        finding.folder = Some(recipe.path.clone());
    }
}

/// What is known before the first finding is read.
pub(super) struct Begun {
    query: FindingQuery,
    resolved: Resolved,
    counts: FindingCounts,
    rows: Vec<i64>,
    now: Timestamp,
}

pub(super) fn begin(view: &View, query: FindingQuery) -> Result<Begun> {
    let resolved = since::resolve(view, &query)?;
    let now = Timestamp::now();
    let (counts, rows) = view.rooms().ledger.read(|tx| {
        let selection = Selection::new(tx, &resolved.jobs, &query.filter, &resolved.newness, now)?;
        let counts = selection.count(tx, resolved.fixed)?;
        Ok((counts, selection.rows(tx, query.group_by, query.limit)?))
    })?;
    Ok(Begun { query, resolved, counts, rows, now })
}

impl Begun {
    /// Reads on as fast as the pieces are taken, until there is none left or nobody takes them any more.
    pub(super) fn send(mut self, rooms: Arc<Rooms>) -> EachFinding {
        let (pieces, findings) = mpsc::channel(WAITING);
        let (counts, notes) = (self.counts.clone(), std::mem::take(&mut self.resolved.notes));
        if let Newness::Only(rows) = &mut self.resolved.newness {
            // What they chose is in the rows already.
            rows.clear();
        }
        let begun = Arc::new(self);
        tokio::spawn(async move {
            for start in (0..begun.rows.len()).step_by(PIECE) {
                // A read and a thread for each: who reads slowly keeps neither the ledger from being tidied up nor
                // a thread from others.
                let (begun, rooms) = (Arc::clone(&begun), Arc::clone(&rooms));
                let piece = tokio::task::spawn_blocking(move || begun.piece(&rooms, start)).await;
                let piece = piece.unwrap_or_else(|error| {
                    Err(Error::new(Code::Interrupted, format!("findings were not read: {error}")))
                });
                let failed = piece.is_err();
                if pieces.send(piece).await.is_err() || failed {
                    return;
                }
            }
        });
        EachFinding { counts, notes, findings }
    }

    fn piece(&self, rooms: &Rooms, start: usize) -> Result<Vec<Finding>> {
        let Self { resolved, query, now, .. } = self;
        let rows = &self.rows[start..self.rows.len().min(start + PIECE)];
        let mut findings = rooms.ledger.read(|tx| {
            let selection = Selection::new(tx, &resolved.jobs, &query.filter, &resolved.newness, *now)?;
            selection.read(tx, rows, query.records)
        })?;
        if query.from_top {
            name_from_top(&mut findings, &resolved.jobs);
        }
        Ok(findings)
    }
}
