//! Slots: worktrees at stable paths, each leased to one job at a time, warm from the last one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::Workspace;
use super::keep::Keep;
use super::lay::Tree;
use super::lock::{Lock, Mode};
use super::mirror::{Mirror, rules};
use super::record::{Record, State};
use super::trash::Trash;
use crate::error::{Code, Error, IoContext, Result};
use crate::model::{CommitId, JobId, ProjectName, RecipeName, SubPath};

/// What a job needs of a slot.
#[derive(Clone, Copy, Debug)]
pub struct LeaseRequest<'a> {
    /// Whose slot is preferred.
    pub subproject: &'a SubPath,
    /// Which recipe's slot is preferred among those.
    pub recipe: &'a RecipeName,
    /// The job that will own it.
    pub job: &'a JobId,
    /// The commit, which the mirror holds.
    pub sha: &'a CommitId,
    /// Globs of untracked paths that survive, relative to the top of the repository. A slot may have served another
    /// subproject before, so these are best all the project's.
    pub keep: &'a [String],
    /// Whether to begin with an empty folder.
    pub fresh: bool,
    /// Whether to check out submodules.
    pub submodules: bool,
}

/// How a job leaves its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// As it liked, but its processes ended by themselves: the next job finds it warm.
    Clean,
    /// Killed in the middle of something: what is kept may be half-written, so the tree goes and the next job gets an
    /// empty one.
    Spoiled,
    /// To the user, for as long as the folder exists; no job uses it meanwhile.
    Keep,
}

/// A leased slot. Dropped without [`Slot::release`], it counts as stranded by a crash.
#[derive(Debug)]
pub struct Slot {
    folder: PathBuf,
    number: u32,
    link: PathBuf,
    lock: Lock,
    lock_path: PathBuf,
    record: Record,
    notes: Vec<String>,
}

impl Workspace {
    /// Leases a slot at a commit. `on_stranded` is told the job whose crash left a slot behind, to end what may still
    /// run in it, before that slot is laid anew.
    pub fn lease(
        &self,
        mirror: &Mirror,
        request: &LeaseRequest<'_>,
        on_stranded: &mut dyn FnMut(&JobId),
    ) -> Result<Slot> {
        let project = self.project(mirror.project());
        let keep = Keep::new(request.keep)?;
        let (number, lock) = choose(&project, request)?;
        let lock_path = lock_path(&project, number);
        let folder = project.join(format!("slot-{number}"));
        let last = Record::read(&lock, &lock_path)?;
        if last.state == State::Leased
            && let Some(job) = &last.job
        {
            on_stranded(job);
            remove_link(&project, job);
        }
        let rules = rules(mirror)?;
        let warm = last.state == State::Settled && !request.fresh && last.rules.as_ref() == Some(&rules);
        let record = Record {
            state: State::Leased,
            subproject: Some(request.subproject.clone()),
            recipe: Some(request.recipe.clone()),
            job: Some(request.job.clone()),
            sha: None,
            rules: Some(rules),
        };
        let begun = record.write(&lock, &lock_path)?;
        let link = project.join(request.job.as_str());
        let mut slot = Slot { folder, number, link, lock, lock_path, record, notes: Vec::new() };
        let prepared = slot.prepare(mirror, request, last.sha.filter(|_| warm).as_ref(), &keep, begun);
        if let Err(error) = prepared {
            let _ = slot.release(Release::Spoiled);
            return Err(error);
        }
        slot.record.sha = Some(request.sha.clone());
        Ok(slot)
    }

    /// The tree that a job left to the user, if it is still there.
    pub fn kept(&self, project: &ProjectName, job: &JobId) -> Option<PathBuf> {
        let folder = self.project(project);
        let number = numbers(&folder).into_iter().find(|number| {
            let record = Record::peek(&lock_path(&folder, *number));
            record.state == State::Kept && record.job.as_ref() == Some(job)
        })?;
        Some(folder.join(format!("slot-{number}"))).filter(|tree| tree.exists())
    }

    /// Clears up after a job whose process died: its link goes, and its slot, unless somebody has it again, is laid
    /// anew by the next job. What still runs of the job has to be ended before.
    pub fn recover(&self, project: &ProjectName, job: &JobId) -> Result<()> {
        let folder = self.project(project);
        for number in numbers(&folder) {
            let path = lock_path(&folder, number);
            if Record::peek(&path).job.as_ref() != Some(job) {
                continue;
            }
            let Some(lock) = Lock::attempt(&path)? else { continue };
            let record = Record::read(&lock, &path)?;
            if record.state == State::Leased && record.job.as_ref() == Some(job) {
                let trash = Trash::new(folder.join(".trash"));
                trash.take(&folder.join(format!("slot-{number}")))?;
                Record { state: State::Empty, sha: None, ..record }.write(&lock, &path)?;
                trash.empty_in_background();
            }
        }
        remove_link(&folder, job);
        Ok(())
    }
}

impl Slot {
    fn prepare(
        &mut self,
        mirror: &Mirror,
        request: &LeaseRequest<'_>,
        laid: Option<&CommitId>,
        keep: &Keep,
        begun: std::time::SystemTime,
    ) -> Result<()> {
        let trash = Trash::new(mirror.project_folder().join(".trash"));
        let index = self.lock_path.with_extension("index");
        let tree = Tree { folder: &self.folder, index, job: request.job, mirror, trash: &trash };
        self.notes = tree.bring(laid, request.sha, keep, begun)?;
        if request.submodules {
            tree.fill_submodules()?;
        }
        trash.empty_in_background();
        if self.link.symlink_metadata().is_ok() {
            fs::remove_file(&self.link).on("remove", &self.link)?;
        }
        symlink(format!("slot-{}", self.number), &self.link).on("make the link", &self.link)
    }

    /// Its folder, the same for every job that gets this slot.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Its number, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The link that leads to it while the job lives.
    pub fn link(&self) -> &Path {
        &self.link
    }

    /// What the job's log should say of how the slot was made ready.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// A folder inside, for a path relative to the top of the repository. [`Code::NotFound`] if the commit has no
    /// such folder; [`Code::InvalidInput`] if a link in it leads out of the slot.
    pub fn folder(&self, path: &SubPath) -> Result<PathBuf> {
        let missing = || {
            let commit = self.record.sha.as_ref().map_or("?", CommitId::short);
            Error::not_found(format!("the commit {commit} has no folder {path}"))
                .hint("see `crafting project show` for the project's folders")
        };
        let top = self.folder.canonicalize().on("enter", &self.folder)?;
        let folder = self.folder.join(path.as_str()).canonicalize().map_err(|_| missing())?;
        if !folder.starts_with(&top) || folder.starts_with(top.join(".git")) {
            return Err(Error::new(
                Code::InvalidInput,
                format!("the folder {path} is a link that leads out of the slot"),
            )
            .hint("make the subproject's path a folder of the repository"));
        }
        if folder.is_dir() { Ok(folder) } else { Err(missing()) }
    }

    /// Gives the slot back. With [`Release::Keep`], the folder that is the user's now.
    pub fn release(mut self, how: Release) -> Result<Option<PathBuf>> {
        self.record.state = match how {
            Release::Clean => State::Settled,
            Release::Spoiled => State::Empty,
            Release::Keep => State::Kept,
        };
        if how == Release::Spoiled {
            self.discard();
        }
        let written = self.record.write(&self.lock, &self.lock_path);
        let _ = fs::remove_file(&self.link);
        written?;
        Ok((how == Release::Keep).then_some(self.folder))
    }

    /// A tree that no job will use only takes space. If it cannot be moved away now, the next lease does it.
    fn discard(&self) {
        let project = self.folder.parent().unwrap_or(&self.folder);
        let trash = Trash::new(project.join(".trash"));
        if let Err(error) = trash.take(&self.folder) {
            tracing::debug!(%error, "a spoiled slot stays for now");
        }
        trash.empty_in_background();
    }
}

/// Takes the lock of the free slot that suits best: the one that last served this recipe, then this subproject, then
/// any, then a new one.
fn choose(project: &Path, request: &LeaseRequest<'_>) -> Result<(u32, Lock)> {
    // Whoever chooses is alone, so that a free slot is never passed over because another one just looked at it, and
    // there are no more slots than there ever were jobs at once.
    let _choosing = Lock::wait(&project.join(".slots.lock"), Mode::Alone)?;
    let mut known: Vec<(u8, u32)> = Vec::new();
    let mut highest = 0;
    for number in numbers(project) {
        highest = highest.max(number);
        let record = Record::peek(&lock_path(project, number));
        let same = record.subproject.as_ref() == Some(request.subproject);
        let rank = match same {
            true if record.recipe.as_ref() == Some(request.recipe) => 0,
            true => 1,
            false => 2,
        };
        known.push((rank, number));
    }
    known.sort_unstable();
    let new = highest.saturating_add(1)..;
    for number in known.into_iter().map(|(_, number)| number).chain(new) {
        let path = lock_path(project, number);
        let Some(lock) = Lock::attempt(&path)? else { continue };
        let kept = Record::read(&lock, &path)?.state == State::Kept;
        if kept && project.join(format!("slot-{number}")).exists() {
            continue;
        }
        return Ok((number, lock));
    }
    Err(Error::new(Code::Io, format!("there is no slot left in {}", project.display())))
}

pub(super) fn lock_path(project: &Path, number: u32) -> PathBuf {
    project.join(format!("slot-{number}.lock"))
}

/// The numbers of the slots that a project has.
pub(super) fn numbers(project: &Path) -> Vec<u32> {
    let entries = fs::read_dir(project).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("slot-")?.strip_suffix(".lock")?.parse().ok())
        .collect()
}

fn remove_link(project: &Path, job: &JobId) {
    let link = project.join(job.as_str());
    if link.is_symlink() {
        let _ = fs::remove_file(&link);
    }
}
