//! Getting rid of trees: renamed away at once, deleted afterwards, whatever their permissions are.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{IoContext, Result};

/// A project's folder of things to delete.
#[derive(Clone, Debug)]
pub(super) struct Trash {
    folder: PathBuf,
}

impl Trash {
    /// The one in a project's folder.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Takes whatever is at `path` away at once; it is deleted by [`Trash::empty`]. Nothing there is fine.
    pub fn take(&self, path: &Path) -> Result<()> {
        let Ok(metadata) = path.symlink_metadata() else { return Ok(()) };
        if !metadata.is_dir() {
            return fs::remove_file(path).on("remove", path);
        }
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // Moving a folder to another parent writes its `..`, for which it has to be writable itself.
        open_up(path).on("open", path)?;
        loop {
            fs::create_dir_all(&self.folder).on("create the folder", &self.folder)?;
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let target = self.folder.join(format!("{}-{number}", std::process::id()));
            if target.symlink_metadata().is_ok() {
                continue; // Left by an earlier process of this number.
            }
            match fs::rename(path, &target) {
                Err(error) if error.kind() == ErrorKind::CrossesDevices => return remove_tree(path).on("remove", path),
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
                // Another thread has emptied the trash, and removed its folder, in between.
                Err(error) if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_ok() => {}
                other => return other.on("move away", path),
            }
        }
    }

    /// Deletes what was taken; the bytes on disk that this freed.
    pub fn empty(&self) -> u64 {
        let mut freed = 0;
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let bytes = disk_usage(&entry.path());
            match remove_tree(&entry.path()) {
                Ok(()) => freed += bytes,
                Err(error) => tracing::debug!(path = %entry.path().display(), %error, "left in the trash"),
            }
        }
        // Not empty if another process has just put something in.
        let _ = fs::remove_dir(&self.folder);
        freed
    }

    /// Deletes what was taken on a thread of its own. What the process's end leaves is deleted by the next one.
    pub fn empty_in_background(&self) {
        if !self.folder.is_dir() {
            return;
        }
        let trash = self.clone();
        let started = std::thread::Builder::new().name("trash".to_owned()).spawn(move || trash.empty());
        if let Err(error) = started {
            tracing::debug!(%error, "the trash stays for now");
        }
    }
}

/// Removes whatever is at `path`, and nothing that a symbolic link in it leads to.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    };
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return gone(fs::remove_file(path)),
        Err(error) => return gone(Err(error)),
    }
    match gone(fs::remove_dir_all(path)) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            open_up_below(path)?;
            gone(fs::remove_dir_all(path))
        }
        other => other,
    }
}

/// Gives the owner all rights on one folder.
pub(super) fn open_up(folder: &Path) -> io::Result<()> {
    let mode = folder.symlink_metadata()?.permissions().mode();
    if mode & 0o700 == 0o700 { Ok(()) } else { fs::set_permissions(folder, Permissions::from_mode(mode | 0o700)) }
}

fn open_up_below(folder: &Path) -> io::Result<()> {
    open_up(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up_below(&entry.path())?;
        }
    }
    Ok(())
}

/// The bytes that a tree takes on disk; what cannot be read counts nothing.
pub(super) fn disk_usage(path: &Path) -> u64 {
    let Ok(metadata) = path.symlink_metadata() else { return 0 };
    let own = metadata.blocks().saturating_mul(512);
    if !metadata.is_dir() {
        // A hard link, as git makes them between a repository and its local clone, frees nothing.
        return if metadata.nlink() > 1 { 0 } else { own };
    }
    let below = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| disk_usage(&entry.path()));
    below.fold(own, u64::saturating_add)
}
