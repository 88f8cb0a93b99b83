//! Commits that developers brought along, kept apart from the mirror and from each other.
//!
//! ```text
//! <workspace>/<project>/.uploads.lock        held, shared, by whoever uploads; alone to collect
//!                       .uploads/<owner>/    a bare repository; it borrows objects from the mirror
//!                           refs/crafting/commits/<sha>   an uploaded commit; its time is the last use
//!                           borrowed/<sha>   the mirror's commits that it stands on
//!                       .uploads/.incoming/  what is on its way and not yet looked at
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::git::{Git, Limits, library};
use super::lock::{Lock, Mode};
use super::mirror::{Mirror, PINS, oid, replace};
use super::trash::Trash;
use crate::error::{IoContext, Result};
use crate::model::{CommitId, TokenName};

/// Where an upload notes what it borrows from the mirror.
const BORROWED: &str = "borrowed";
/// Refs of the mirror that keep what uploads borrow from its garbage collection.
const LENT: &str = "refs/crafting/lent";
/// The store of whoever sits at this machine's terminal; no token has that name.
const TERMINAL: &str = ".terminal";
/// An upload whose job is not queued yet is younger than this.
const GRACE: Duration = Duration::from_secs(3600);
/// More packs than this are made one, lest every look at an object looks into all of them.
const PACKS: usize = 40;

/// What git may use for a stranger's commits.
pub(super) const LIMITS: Limits = Limits { memory: 2 << 30, seconds: 600 };

pub(super) fn lock_path(project: &Path) -> PathBuf {
    project.join(".uploads.lock")
}

pub(super) fn incoming(project: &Path) -> PathBuf {
    project.join(".uploads/.incoming")
}

/// Every store of a project.
pub(super) fn stores(project: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(project.join(".uploads")).into_iter().flatten().flatten();
    let mut stores: Vec<PathBuf> =
        entries.filter(|entry| entry.file_name() != ".incoming").map(|entry| entry.path()).collect();
    stores.sort_unstable();
    stores
}

/// The stores in which a commit was uploaded. For one that a job runs, whose right to it was seen to before.
pub(super) fn stores_of(project: &Path, sha: &CommitId) -> Vec<PathBuf> {
    stores(project).into_iter().filter(|store| store.join(PINS).join(sha.as_str()).exists()).collect()
}

/// What one token has uploaded to one project.
#[derive(Clone, Debug)]
pub struct Uploads {
    pub(super) mirror: Mirror,
    pub(super) folder: PathBuf,
}

impl Mirror {
    /// The uploads of a token; none: of this machine's terminal. Naming them touches nothing.
    pub fn uploads(&self, owner: Option<&TokenName>) -> Uploads {
        let name = owner.map_or(TERMINAL, TokenName::as_str);
        Uploads { mirror: self.clone(), folder: self.project_folder().join(".uploads").join(name) }
    }
}

impl Uploads {
    /// Those of these commits that need not be sent: the mirror has them, or this token has sent them before.
    pub fn known(&self, commits: &[CommitId]) -> Result<Vec<CommitId>> {
        let Some(repository) = self.open()? else { return Ok(Vec::new()) };
        let mut known = Vec::new();
        for sha in commits {
            if oid(sha)?.is_some_and(|id| repository.find_commit(id).is_ok()) {
                self.mark_used(sha);
                known.push(sha.clone());
            }
        }
        Ok(known)
    }

    /// Keeps a commit that this token has sent until no job needs it any more; false if it has not sent it, or need not
    /// have, since the mirror has it.
    pub fn pin(&self, sha: &CommitId) -> Result<bool> {
        if !self.folder.join("HEAD").is_file() || self.mirror.has(sha)? {
            return Ok(false);
        }
        // Against a collection that has just found it unused.
        let _lock = Lock::wait(&lock_path(self.mirror.project_folder()), Mode::Shared)?;
        if self.known(std::slice::from_ref(sha))?.is_empty() {
            return Ok(false);
        }
        // One that came along below another has no pin of its own yet.
        if !self.folder.join(PINS).join(sha.as_str()).exists() {
            self.add(sha, &self.borrowed(&self.folder, sha)?)?;
        }
        Ok(true)
    }

    /// The mirror's commits on which one in `place` stands: the mirror has to keep them, whatever becomes of its branches.
    pub(super) fn borrowed(&self, place: &Path, sha: &CommitId) -> Result<Vec<CommitId>> {
        let refs = Git::new(self.mirror.path()).run(["for-each-ref", "--format=^%(objectname)"])?.stdout;
        if refs.is_empty() {
            return Ok(Vec::new());
        }
        let asked = [format!("{sha}\n").as_bytes(), &refs].concat();
        let walk = ["rev-list", "--boundary", "--ignore-missing", "--stdin"];
        let git = self.mirror.git(place).env("GIT_DIR", place).guarded(LIMITS);
        let listed = git.stdin(asked).run(walk)?.text();
        Ok(listed.lines().filter_map(|line| line.strip_prefix('-')?.parse().ok()).collect())
    }

    /// The token's store and through it the mirror; the mirror alone where nothing was uploaded; none without either.
    fn open(&self) -> Result<Option<git2::Repository>> {
        let place = [self.folder.as_path(), self.mirror.path()].into_iter().find(|place| place.join("HEAD").is_file());
        place.map(|place| git2::Repository::open_bare(place).map_err(library("open the uploads"))).transpose()
    }

    fn mark_used(&self, sha: &CommitId) {
        if let Ok(pin) = File::options().write(true).open(self.folder.join(PINS).join(sha.as_str())) {
            let _ = pin.set_modified(SystemTime::now());
        }
    }

    /// Makes the store, or sees that it borrows from where the mirror is now.
    pub(super) fn prepare(&self) -> Result<()> {
        lay_bare(&self.folder, &[self.mirror.path()])
    }

    /// Notes an uploaded commit whose objects are there: from here on it is known.
    pub(super) fn add(&self, sha: &CommitId, borrowed: &[CommitId]) -> Result<()> {
        for commit in borrowed {
            let lent = self.mirror.path().join(LENT).join(commit.as_str());
            write_new(&lent, &format!("{commit}\n"))?;
        }
        let list: String = borrowed.iter().map(|commit| format!("{commit}\n")).collect();
        write_new(&self.folder.join(BORROWED).join(sha.as_str()), &list)?;
        write_new(&self.folder.join(PINS).join(sha.as_str()), &format!("{sha}\n"))
    }
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).on("create the folder", folder)?;
    }
    replace(path, text.as_bytes())
}

/// Makes a bare repository that borrows the objects of others.
pub(super) fn lay_bare(folder: &Path, lenders: &[&Path]) -> Result<()> {
    for name in ["objects/info", "objects/pack", "refs"] {
        let path = folder.join(name);
        fs::create_dir_all(&path).on("create the folder", &path)?;
    }
    let mut alternates = Vec::new();
    for lender in lenders {
        alternates.extend([lender.join("objects").as_os_str().as_encoded_bytes(), b"\n"].concat());
    }
    let config = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n[gc]\n\tauto = 0\n";
    for (name, content) in [
        ("objects/info/alternates", alternates.as_slice()),
        ("config", config.as_bytes()),
        ("HEAD", b"ref: refs/heads/none\n"),
    ] {
        let path = folder.join(name);
        if fs::read(&path).ok().as_deref() != Some(content) {
            replace(&path, content)?;
        }
    }
    Ok(())
}

/// Removes uploads that no job needs any more and what interrupted ones left; how many commits went. Not while
/// somebody uploads: the next time will do.
pub(super) fn collect(project: &Path, is_wanted: &dyn Fn(&CommitId) -> bool) -> Result<u64> {
    if !project.join(".uploads").is_dir() {
        return Ok(0);
    }
    let Some(_lock) = Lock::attempt(&lock_path(project))? else { return Ok(0) };
    let trash = Trash::new(project.join(".trash"));
    trash.take(&incoming(project))?;
    let (mut gone, mut borrowed) = (0, BTreeSet::new());
    for store in stores(project) {
        let (mut kept, mut dropped) = (0, Vec::new());
        for (pin, sha) in pins(&store) {
            let young = pin.metadata().and_then(|pin| pin.modified()).ok();
            let young = young.and_then(|time| time.elapsed().ok()).is_none_or(|age| age < GRACE);
            if young || is_wanted(&sha) {
                kept += 1;
                let list = fs::read_to_string(store.join(BORROWED).join(sha.as_str())).unwrap_or_default();
                borrowed.extend(list.lines().map(str::to_owned));
            } else {
                dropped.push((pin, sha));
            }
        }
        gone += dropped.len() as u64;
        if kept == 0 {
            trash.take(&store)?;
            continue;
        }
        for (pin, sha) in &dropped {
            let _ = fs::remove_file(store.join(BORROWED).join(sha.as_str()));
            fs::remove_file(pin).on("remove", pin)?;
        }
        let packs = fs::read_dir(store.join("objects/pack")).into_iter().flatten().flatten();
        let packs = packs.filter(|entry| entry.path().extension().is_some_and(|end| end == "idx")).count();
        if !dropped.is_empty() || packs > PACKS {
            // Local objects alone; what is borrowed stays where it is.
            Git::new(&store).run(["repack", "--quiet", "-a", "-d", "-l"])?;
        }
    }
    release(project, &borrowed)?;
    Ok(gone)
}

/// The mirror need not keep any longer what no upload borrows.
fn release(project: &Path, borrowed: &BTreeSet<String>) -> Result<()> {
    let mirror = project.join(".cache");
    if !mirror.is_dir() {
        return Ok(());
    }
    let Some(_lock) = Lock::attempt(&project.join(".cache.lock"))? else { return Ok(()) };
    let lent = Git::new(&mirror).run(["for-each-ref", "--format=%(refname)", LENT])?.text();
    let idle = lent.lines().filter(|name| !name.rsplit('/').next().is_some_and(|sha| borrowed.contains(sha)));
    let orders: String = idle.map(|name| format!("delete {name}\n")).collect();
    match orders.is_empty() {
        true => Ok(()),
        false => Git::new(&mirror).stdin(orders.into_bytes()).run(["update-ref", "--stdin"]).map(drop),
    }
}

fn pins(store: &Path) -> Vec<(PathBuf, CommitId)> {
    let entries = fs::read_dir(store.join(PINS)).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.path(), entry.file_name().to_str()?.parse().ok()?))).collect()
}
