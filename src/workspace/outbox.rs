//! What a checkout sends to a server: its commits, and snapshots of its working tree, packed.
//!
//! A bare repository of its own in the client's workspace borrows the user's objects and holds the snapshots, so that
//! nothing of the user's is written. It outlives the run: what an earlier snapshot has sent is not sent again. It can
//! be removed at any time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::checkout::Checkout;
use super::git::{Git, library};
use super::lock::{Lock, Mode};
use super::mirror::{PINS, main_branch_of, oid, replace};
use super::snapshot::Snapshot;
use super::trash::{disk_usage, remove_tree};
use super::uploads::lay_bare;
use crate::error::{IoContext, Result};
use crate::model::{CommitId, GitUrl, RefName};

/// Larger than this, it is begun anew.
const ENOUGH: u64 = 512 << 20;
/// As many commits as a server is asked about at once.
const OFFERS: usize = 256;
/// As many of them are tips of branches.
const TIPS: usize = 160;
/// As many of them are earlier snapshots.
const SNAPSHOTS: usize = 32;

/// A checkout's place for what it sends.
#[derive(Debug)]
pub struct Outbox {
    checkout: Checkout,
    folder: PathBuf,
    _lock: Lock,
}

/// A pack on its way to a server. Its file goes with it.
#[derive(Debug)]
pub struct Parcel {
    file: NamedTempFile,
    size: u64,
}

impl Parcel {
    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Outbox {
    /// The outbox of a checkout in this workspace.
    pub fn open(workspace: &Path, checkout: &Checkout) -> Result<Self> {
        let outboxes = workspace.join(".outbox");
        fs::create_dir_all(&outboxes).on("create the folder", &outboxes).map_err(|error| {
            error.advise("give it space and permissions, or choose another folder with CRAFTING_WORKSPACE_DIR")
        })?;
        let digest = Sha256::digest(checkout.common_dir.as_os_str().as_encoded_bytes());
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let folder = outboxes.join(&name);
        let lock_path = outboxes.join(format!("{name}.lock"));
        if disk_usage(&folder) > ENOUGH
            && let Some(_lock) = Lock::attempt(&lock_path)?
        {
            remove_tree(&folder).on("remove", &folder)?;
        }
        let lock = Lock::wait(&lock_path, Mode::Shared)?;
        lay_bare(&folder, &[&checkout.common_dir])?;
        let (theirs, ours) = (checkout.common_dir.join("shallow"), folder.join("shallow"));
        match fs::read(&theirs) {
            Ok(cut) => replace(&ours, &cut)?,
            Err(_) => remove_tree(&ours).on("remove", &ours)?,
        }
        Ok(Self { checkout: checkout.clone(), folder, _lock: lock })
    }

    /// Makes the working tree as it is a commit, as [`Checkout::snapshot`] does: the same one.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let head = self.checkout.head()?;
        self.checkout.stage(&self.folder, head.as_ref(), Vec::new()).map_err(|error| self.checkout.explain(error))
    }

    /// Commits that the server may have, the one that is wanted before all: what it has of them need not be sent.
    pub fn offers(&self, sha: &CommitId) -> Result<Vec<CommitId>> {
        let mut offers = vec![sha.clone()];
        let mut sent: Vec<(SystemTime, CommitId)> = fs::read_dir(self.folder.join(PINS))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|pin| Some((pin.metadata().ok()?.modified().ok()?, pin.file_name().to_str()?.parse().ok()?)))
            .collect();
        sent.sort_unstable();
        offers.extend(sent.into_iter().rev().take(SNAPSHOTS).map(|(_, sha)| sha));
        let tips = ["for-each-ref", "--sort=-committerdate", "--format=%(objectname)", "refs/remotes", "refs/heads"];
        let tips = Git::new(self.checkout.top()).run(tips)?.text();
        offers.extend(tips.lines().take(TIPS).filter_map(|tip| tip.parse().ok()));
        offers.extend(self.ancestors(sha)?);
        let mut seen = std::collections::HashSet::new();
        offers.retain(|sha| seen.insert(sha.clone()));
        offers.truncate(OFFERS);
        Ok(offers)
    }

    /// Ancestors at distances that double.
    fn ancestors(&self, sha: &CommitId) -> Result<Vec<CommitId>> {
        let repository = git2::Repository::open_bare(&self.folder).map_err(library("open the outbox"))?;
        let mut walk = repository.revwalk().map_err(library("walk the history"))?;
        walk.simplify_first_parent().map_err(library("walk the history"))?;
        if let Some(id) = oid(sha)? {
            walk.push(id).map_err(library("walk the history"))?;
        }
        let thinned = walk.map_while(std::result::Result::ok).enumerate().filter(|(far, _)| far.is_power_of_two());
        thinned.map(|(_, id)| id.to_string().parse()).collect()
    }

    /// Packs a commit with all that it needs but what comes with the known ones.
    pub fn pack(&self, sha: &CommitId, known: &[CommitId]) -> Result<Parcel> {
        let file = NamedTempFile::new_in(&self.folder).on("write in", &self.folder)?;
        let mut wanted = format!("{sha}\n");
        known.iter().for_each(|known| wanted.push_str(&format!("^{known}\n")));
        // --shallow: what an earlier snapshot has counts as known, though it is no ancestor of this one.
        let options = ["pack-objects", "--revs", "--thin", "--shallow", "--delta-base-offset", "--stdout", "--quiet"];
        Git::new(&self.folder)
            .env("GIT_DIR", &self.folder)
            .stdin(wanted.into_bytes())
            .stdout_file(file.path())
            .run(options)
            .map_err(|error| self.checkout.explain(error))?;
        let size = file.path().metadata().on("read", file.path())?.len();
        Ok(Parcel { file, size })
    }

    /// Notes that the server has a commit now: the next pack is made against it.
    pub fn sent(&self, sha: &CommitId) -> Result<()> {
        let pin = self.folder.join(PINS).join(sha.as_str());
        let folder = self.folder.join(PINS);
        fs::create_dir_all(&folder).on("create the folder", &folder)?;
        replace(&pin, format!("{sha}\n").as_bytes())
    }
}

impl Checkout {
    /// The branch that its repository considers the main one.
    pub fn main_branch(&self) -> Option<RefName> {
        main_branch_of(self.top())
    }

    /// Where this checkout's project is for a server: its remote, if a server can fetch from such an address; else the
    /// checkout itself, from which only uploads come.
    pub fn place(&self) -> Result<GitUrl> {
        let origin = Git::new(self.top()).ask(["remote", "get-url", "origin"])?;
        let origin = origin.and_then(|origin| without_user(&origin.text()).parse::<GitUrl>().ok());
        match origin {
            Some(url) if url.local_path().is_none() && !url.is_checkout() => Ok(url),
            _ => {
                let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
                let home = self.url().local_path().unwrap_or_else(|| self.top());
                GitUrl::of_checkout(host.as_deref().filter(|host| !host.is_empty()).unwrap_or("localhost"), home)
            }
        }
    }
}

/// An address over HTTP without the user and the password that somebody has put in it: they are nobody else's.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| scheme.starts_with("http")) else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_stays_here() {
        assert_eq!(without_user("https://me:secret@h/o/r.git"), "https://h/o/r.git");
        assert_eq!(without_user("https://h/o/r@1.git"), "https://h/o/r@1.git");
        assert_eq!(without_user("git@h:o/r.git"), "git@h:o/r.git");
    }
}
