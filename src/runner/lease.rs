//! A runner's sign of life: a file that it holds locked. The kernel unlocks it when the process dies, however it dies.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

use crate::changes::Place;
use crate::error::{IoContext, Result};
use crate::model::RunnerId;

/// A held lease. Dropping it gives it up.
pub struct Lease {
    id: RunnerId,
    path: PathBuf,
    _file: Flock<File>,
}

impl Lease {
    /// Takes a new one in `folder`, which must exist.
    pub fn take(folder: &Path) -> Result<Self> {
        let id = RunnerId::random()?;
        let path = folder.join(id.as_str());
        let file = File::create_new(&path).on("create the lease", &path)?;
        let file = Flock::lock(file, FlockArg::LockExclusiveNonblock)
            .map_err(|(_, errno)| errno.into())
            .on("lock the lease", &path)?;
        Ok(Self { id, path, _file: file })
    }

    /// The runner's id.
    pub fn id(&self) -> &RunnerId {
        &self.id
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A file that stays is without meaning: nobody holds it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether the runner `id` lives. One that cannot be asked, for want of descriptors say, counts as alive: its jobs would
/// be killed otherwise.
pub fn is_held(folder: &Path, id: &RunnerId) -> bool {
    let path = folder.join(id.as_str());
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) => return error.kind() != ErrorKind::NotFound,
    };
    if Flock::lock(file, FlockArg::LockSharedNonblock).is_err() {
        return true;
    }
    let _ = std::fs::remove_file(&path);
    false
}

/// Told of when a runner may have gone, however it ended. The kernel tells a moment before it unlocks the lease.
pub fn ends(folder: &Path) -> Place {
    // Other locks in the folder come and go without meaning.
    Place::closed(folder, |name| name.to_str().is_some_and(|name| name.parse::<RunnerId>().is_ok()))
}

/// Takes a lock that only one process may have at a time; `None` if another one has it.
pub fn only_one(path: &Path) -> Result<Option<Flock<File>>> {
    let file = File::options().create(true).append(true).open(path).on("open", path)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(held) => Ok(Some(held)),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => Err(errno.into()).on("lock", path),
    }
}

/// The same, waiting until nobody else has it any more. Blocks the thread, for months perhaps.
pub fn the_only_one(path: &Path) -> Result<Flock<File>> {
    let file = File::options().create(true).append(true).open(path).on("open", path)?;
    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno.into()).on("lock", path)
}

/// Whether a process has that lock. It does not take it, not even for a moment, from somebody who wants it.
pub fn is_taken(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| Flock::lock(file, FlockArg::LockSharedNonblock).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_held_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let lease = Lease::take(folder.path()).unwrap();
        let id = lease.id().clone();
        assert!(is_held(folder.path(), &id));
        drop(lease);
        assert!(!is_held(folder.path(), &id));
        // As a killed process leaves it: the file is there, the lock is not.
        std::fs::write(folder.path().join(id.as_str()), "").unwrap();
        assert!(!is_held(folder.path(), &id));
    }

    #[test]
    fn who_cannot_be_asked_is_not_dead() {
        let folder = tempfile::tempdir().unwrap();
        let id = RunnerId::random().unwrap();
        let path = folder.path().join(id.as_str());
        // Opening this fails, for root too.
        std::os::unix::fs::symlink(&path, &path).unwrap();
        assert!(is_held(folder.path(), &id));
    }
}
