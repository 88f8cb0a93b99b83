//! What a killed git leaves in a mirror: lock files that no other git would ever get past.

use std::fs;
use std::path::{Path, PathBuf};

/// The files beside which git makes lock files when it fetches and packs; crafting's own are named otherwise.
const LOCKED: [&str; 4] = ["HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock"];

/// Removes them. Whoever calls this has the mirror alone; only a git that outlived its crafting may still be at it, and
/// that one stands in the mirror's folder.
pub(super) fn remove_locks(mirror: &Path) {
    let mut locks: Vec<PathBuf> = LOCKED.iter().map(|name| mirror.join(name)).filter(|path| path.exists()).collect();
    let mut folders = vec![mirror.join("refs/heads"), mirror.join("refs/tags")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "lock") {
                locks.push(path);
            }
        }
    }
    if locks.is_empty() || somebody_stands_in(mirror) {
        return;
    }
    for lock in locks {
        if let Err(error) = fs::remove_file(&lock) {
            tracing::debug!(path = %lock.display(), %error, "a stale lock stays");
        }
    }
}

fn somebody_stands_in(folder: &Path) -> bool {
    let folder = folder.canonicalize().ok();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut standing = processes.map(|process| fs::read_link(process.path().join("cwd")).ok());
    folder.is_some() && standing.any(|place| place == folder)
}
