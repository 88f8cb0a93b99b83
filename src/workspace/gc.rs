//! Getting disk space back: slots that nobody uses, trash, and the garbage of quiet mirrors.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::Workspace;
use super::git::Git;
use super::lock::Lock;
use super::mirror::{MARKER, PINS};
use super::record::{Record, State};
use super::slot::{lock_path, numbers};
use super::snapshot::SCRATCH;
use super::trash::{Trash, disk_usage, remove_tree};
use super::uploads;
use crate::error::{Code, Error, IoContext, Result};
use crate::model::{CommitId, ProjectName, Timestamp};

/// Noted when a mirror's garbage was collected; nothing is to be had again before its next use.
const COLLECTED: &str = "crafting-collected";

/// What may go.
#[derive(Clone, Copy, Debug)]
pub struct GcOptions {
    /// The time that ages are counted from.
    pub now: Timestamp,
    /// Free slots go when no job used them for this long.
    pub slots_unused_for: Duration,
    /// Mirrors are collected when no job used them for this long.
    pub mirrors_quiet_for: Duration,
}

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GcReport {
    /// Slots removed.
    pub slots: u64,
    /// Mirrors whose garbage was collected.
    pub mirrors: u64,
    /// Commits of old jobs that are no longer kept.
    pub commits: u64,
    /// Bytes on disk that are free now.
    pub freed_bytes: u64,
}

impl Workspace {
    /// Removes what may go. `is_live` says whether a commit of a project is still wanted, because a job that waits or
    /// a patch refers to it; those that are not, and that no branch or tag holds, go with their mirror's garbage.
    /// Slots that a job or the user has are left alone.
    pub fn gc(&self, options: &GcOptions, is_live: &dyn Fn(&ProjectName, &CommitId) -> bool) -> Result<GcReport> {
        let mut report = GcReport::default();
        for project in self.projects()? {
            let folder = self.project(&project);
            let trash = Trash::new(folder.join(".trash"));
            for number in numbers(&folder) {
                report.slots += u64::from(drop_slot(&folder, number, options, &trash)?);
            }
            report.commits += uploads::collect(&folder, &|sha| is_live(&project, sha))?;
            report.freed_bytes += trash.empty();
            collect(&folder, options, &|sha| is_live(&project, sha), &mut report)?;
        }
        Trash::new(self.root.join(".trash")).empty();
        Ok(report)
    }

    /// Removes a project's mirror and slots; the bytes on disk that this freed. [`Code::Conflict`] while a job runs.
    pub fn remove_project(&self, project: &ProjectName) -> Result<u64> {
        let folder = self.project(project);
        if !folder.exists() {
            return Ok(0);
        }
        let mut locks = Vec::new();
        let slots = numbers(&folder).into_iter().map(|number| lock_path(&folder, number));
        for path in slots.chain([folder.join(".cache.lock"), uploads::lock_path(&folder)]) {
            let lock = Lock::attempt(&path)?.ok_or_else(|| {
                Error::new(Code::Conflict, format!("a job of {project} is running, or commits are uploaded to it"))
                    .hint("cancel it with `crafting job cancel`, or wait for its end")
            })?;
            locks.push(lock);
        }
        let trash = Trash::new(self.root.join(".trash"));
        trash.take(&folder)?;
        Ok(trash.empty())
    }

    /// The projects that have a folder here.
    fn projects(&self) -> Result<Vec<ProjectName>> {
        let entries = fs::read_dir(&self.root).on("read", &self.root)?;
        let mut names: Vec<ProjectName> =
            entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        names.sort_unstable();
        Ok(names)
    }
}

fn age(path: &Path, now: Timestamp) -> Option<Duration> {
    let modified = path.metadata().ok()?.modified().ok()?;
    let since = modified.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
    Some(now.since(Timestamp::from_millis(i64::try_from(since.as_millis()).ok()?)))
}

fn drop_slot(project: &Path, number: u32, options: &GcOptions, trash: &Trash) -> Result<bool> {
    let path = lock_path(project, number);
    let folder = project.join(format!("slot-{number}"));
    if age(&path, options.now).is_none_or(|age| age < options.slots_unused_for) || folder.symlink_metadata().is_err() {
        return Ok(false);
    }
    let Some(lock) = Lock::attempt(&path)? else { return Ok(false) };
    let record = Record::read(&lock, &path)?;
    // One that a crash left is recovered with its job, whose processes may still be in it.
    if !matches!(record.state, State::Empty | State::Settled) {
        return Ok(false);
    }
    trash.take(&folder)?;
    trash.take(&path.with_extension("index"))?;
    Record::default().write(&lock, &path)?;
    Ok(true)
}

/// Removes the copies of indexes that killed snapshots left; who makes one holds the mirror's lock.
fn remove_scratch(mirror: &Path) {
    for entry in fs::read_dir(mirror).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(SCRATCH.as_bytes())
            && let Err(error) = remove_tree(&entry.path())
        {
            tracing::debug!(path = %entry.path().display(), %error, "a killed snapshot's index stays");
        }
    }
}

fn collect(
    project: &Path,
    options: &GcOptions,
    is_live: &dyn Fn(&CommitId) -> bool,
    report: &mut GcReport,
) -> Result<()> {
    let mirror = project.join(".cache");
    let due = || {
        let quiet = age(&mirror.join(MARKER), options.now)?;
        // Older than the last use: there may be something new to collect.
        let done = age(&mirror.join(COLLECTED), options.now);
        Some(quiet >= options.mirrors_quiet_for && done.is_none_or(|done| done > quiet))
    };
    if due() != Some(true) {
        return Ok(());
    }
    // Held by whoever clones, fetches or makes a snapshot; looked at again, for one may have just ended.
    let Some(_lock) = Lock::attempt(&project.join(".cache.lock"))? else { return Ok(()) };
    if due() != Some(true) {
        return Ok(());
    }
    let before = disk_usage(&mirror);
    let pins = Git::new(&mirror).run(["for-each-ref", "--format=%(refname)", PINS])?.text();
    let gone: Vec<&str> = pins
        .lines()
        .filter(|pin| pin.rsplit('/').next().and_then(|sha| sha.parse().ok()).is_some_and(|sha| !is_live(&sha)))
        .collect();
    if !gone.is_empty() {
        let orders: String = gone.iter().map(|pin| format!("delete {pin}\n")).collect();
        Git::new(&mirror).stdin(orders.into_bytes()).run(["update-ref", "--stdin"])?;
    }
    Git::new(&mirror).run(["gc", "--quiet", "--prune=now"])?;
    remove_scratch(&mirror);
    let noted = mirror.join(COLLECTED);
    fs::write(&noted, b"").on("write", &noted)?;
    report.mirrors += 1;
    report.commits += gone.len() as u64;
    report.freed_bytes += before.saturating_sub(disk_usage(&mirror));
    Ok(())
}
