//! Finding and undoing what the last job did to a slot, by one walk over its files.
//!
//! A file is as it was laid if its size, mode, inode, modification time and change time are; a recipe can set every
//! one of them but the change time. Where the change time is not older than the index (a clock tick is a few
//! milliseconds), or anything differs, the content decides. Nothing here sets a time.

use std::collections::{HashMap, HashSet};
use std::fs::{self, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use git2::{IndexEntry, IndexTime, Oid};

use super::folders::{Folder, Folders};
use super::keep::Keep;
use super::snapshot::bytes_path;
use super::trash::{Trash, open_up, remove_tree};

const TYPE: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
const GITLINK: u32 = 0o160_000;

/// What a slot shall hold, by path from its top.
pub(super) struct Expected {
    entries: Vec<IndexEntry>,
    /// Seconds and nanoseconds: entries that changed later than this are not trusted.
    written: (i64, i64),
}

/// What the walk found out; what is not tracked and not kept is gone already.
#[derive(Default)]
pub(super) struct Swept {
    /// Entries whose files git has to write: missing, changed, or in need of git's filters to tell.
    pub rewrite: Vec<IndexEntry>,
    /// Entries with the same content under a new time or inode.
    pub refreshed: Vec<IndexEntry>,
    /// Whether anything was told by its content, so that the index may be trusted from now on.
    pub verified: bool,
}

impl Expected {
    /// From an index and the time that it was written.
    pub fn new(entries: Vec<IndexEntry>, written: (i64, i64)) -> Self {
        Self { entries, written }
    }

    /// Makes the files below `top` what is expected, except for those that it returns for git to write. An error
    /// means that the tree is in a state that only laying it anew cures.
    pub fn sweep(&self, top: &Path, keep: &Keep, trash: &Trash) -> io::Result<Swept> {
        let mut tracked = HashMap::with_capacity(self.entries.len());
        let mut folders = HashSet::new();
        for (number, entry) in self.entries.iter().enumerate() {
            tracked.insert(entry.path.as_slice(), number);
            let mut folder = entry.path.as_slice();
            while let Some(end) = folder.iter().rposition(|byte| *byte == b'/') {
                folder = &folder[..end];
                if !folders.insert(folder) {
                    break;
                }
            }
        }
        let seen = self.entries.iter().map(|_| AtomicBool::new(false)).collect();
        Walk { expected: self, top, keep, trash, tracked, folders, seen }.run()
    }
}

/// What all threads of a walk share.
struct Walk<'a> {
    expected: &'a Expected,
    top: &'a Path,
    keep: &'a Keep,
    trash: &'a Trash,
    tracked: HashMap<&'a [u8], usize>,
    folders: HashSet<&'a [u8]>,
    seen: Vec<AtomicBool>,
}

/// What one thread of a walk found.
#[derive(Default)]
struct Found {
    swept: Swept,
    /// Untracked folders that were only looked into for something kept below.
    untracked: Vec<Vec<u8>>,
}

impl Walk<'_> {
    fn run(&self) -> io::Result<Swept> {
        mend_mode(self.top, &self.top.symlink_metadata()?)?;
        let queue = Folders::new();
        let threads = match self.expected.entries.len() {
            0..4000 => 1,
            _ => std::thread::available_parallelism().map_or(1, |cores| cores.get().min(4)),
        };
        let found: Vec<Found> = std::thread::scope(|scope| {
            let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(|| self.work(&queue))).collect();
            let mut found = vec![self.work(&queue)];
            found.extend(helpers.into_iter().map(|helper| helper.join().expect("a walk does not panic")));
            found.into_iter().collect::<io::Result<_>>()
        })?;
        let mut swept = Swept::default();
        let mut untracked = Vec::new();
        for part in found {
            swept.rewrite.extend(part.swept.rewrite);
            swept.refreshed.extend(part.swept.refreshed);
            swept.verified |= part.swept.verified;
            untracked.extend(part.untracked);
        }
        // The longest first, so that a folder comes after those in it.
        untracked.sort_unstable_by_key(|folder| std::cmp::Reverse(folder.len()));
        for folder in untracked {
            match fs::remove_dir(self.on_disk(&folder)) {
                Err(error) if !matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound) => {
                    return Err(error);
                }
                _ => {}
            }
        }
        self.missing(&mut swept)?;
        Ok(swept)
    }

    fn work(&self, queue: &Folders) -> io::Result<Found> {
        let mut found = Found::default();
        while let Some((folder, kept)) = queue.next() {
            match self.read(&folder, kept, &mut found) {
                Ok(below) => queue.done(Some(below)),
                Err(error) => {
                    queue.done(None);
                    return Err(error);
                }
            }
        }
        Ok(found)
    }

    /// Cleans one folder; the folders in it that are to be read as well.
    fn read(&self, folder: &[u8], kept: bool, found: &mut Found) -> io::Result<Vec<Folder>> {
        let mut below = Vec::new();
        for entry in fs::read_dir(self.on_disk(folder))? {
            let entry = entry?;
            let mut path = folder.to_vec();
            if !folder.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(entry.file_name().as_bytes());
            if path == b".git" {
                continue;
            }
            // Of the entry itself, never of what a link leads to.
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                other => other?,
            };
            if !metadata.is_dir() {
                self.file(&path, &metadata, kept, found)?;
            } else if self.folder(&path, &metadata, kept, found)? {
                let kept = kept || self.keep.holds(&path);
                below.push((path, kept));
            }
        }
        Ok(below)
    }

    fn on_disk(&self, path: &[u8]) -> PathBuf {
        self.top.join(bytes_path(path))
    }

    /// Whether to look into a folder.
    fn folder(&self, path: &[u8], metadata: &Metadata, kept: bool, found: &mut Found) -> io::Result<bool> {
        let place = self.on_disk(path);
        if self.folders.contains(path) {
            mend_mode(&place, metadata)?;
            return Ok(true);
        }
        if let Some(&number) = self.tracked.get(path) {
            // A submodule's place is always begun empty; where a file belongs, a folder goes.
            self.discard(&place)?;
            if self.expected.entries[number].mode & TYPE == GITLINK {
                self.seen[number].store(true, Ordering::Relaxed);
                fs::create_dir(&place)?;
            }
            return Ok(false);
        }
        if kept || self.keep.holds(path) {
            return Ok(false);
        }
        if self.keep.reaches_below(path) {
            open_up(&place)?;
            found.untracked.push(path.to_vec());
            return Ok(true);
        }
        self.discard(&place)?;
        Ok(false)
    }

    fn discard(&self, place: &Path) -> io::Result<()> {
        // Where moving away fails, the folder is deleted in place.
        if self.trash.take(place).is_ok() { Ok(()) } else { remove_tree(place) }
    }

    fn file(&self, path: &[u8], metadata: &Metadata, kept: bool, found: &mut Found) -> io::Result<()> {
        let place = self.on_disk(path);
        if let Some(&number) = self.tracked.get(path) {
            self.seen[number].store(true, Ordering::Relaxed);
            return self.compare(number, &place, metadata, &mut found.swept);
        }
        // A kept path that is itself a link could lead anywhere.
        let stays = kept || (self.keep.holds(path) && !metadata.is_symlink());
        if stays && !self.folders.contains(path) {
            return Ok(());
        }
        fs::remove_file(&place)
    }

    fn compare(&self, number: usize, place: &Path, metadata: &Metadata, swept: &mut Swept) -> io::Result<()> {
        let entry = &self.expected.entries[number];
        let laid = is_as_laid(entry, metadata);
        if laid && (metadata.ctime(), metadata.ctime_nsec()) < self.expected.written {
            return Ok(());
        }
        if has_content(entry, place, metadata) {
            swept.verified = true;
            if !laid {
                swept.refreshed.push(refreshed(entry, metadata));
            }
            return Ok(());
        }
        // As laid, yet with other bytes than the object: a filter's work (line endings, LFS) or a change within one
        // tick of the clock. Git can tell, and writes only if it has to. Anything else was changed.
        if !laid {
            fs::remove_file(place)?;
        }
        swept.rewrite.push(copied(entry));
        Ok(())
    }

    fn missing(&self, swept: &mut Swept) -> io::Result<()> {
        for (entry, seen) in self.expected.entries.iter().zip(&self.seen) {
            if seen.load(Ordering::Relaxed) {
                continue;
            }
            if entry.mode & TYPE == GITLINK {
                fs::create_dir_all(self.top.join(bytes_path(&entry.path)))?;
            } else {
                swept.rewrite.push(copied(entry));
            }
        }
        Ok(())
    }
}

/// Whether nothing that the file system tells differs from what git noted when it laid the file. Sizes and inodes
/// are cut to 32 bits in an index.
#[allow(clippy::cast_possible_truncation)]
fn is_as_laid(entry: &IndexEntry, metadata: &Metadata) -> bool {
    let same = |time: IndexTime, seconds: i64, nanoseconds: i64| {
        time.seconds() == seconds as i32 && i64::from(time.nanoseconds()) == nanoseconds
    };
    entry.file_size == metadata.size() as u32
        && entry.ino == metadata.ino() as u32
        && same(entry.mtime, metadata.mtime(), metadata.mtime_nsec())
        && same(entry.ctime, metadata.ctime(), metadata.ctime_nsec())
        && has_mode(entry, metadata.mode())
}

/// Git knows files, executable files and links; rights that git does not give are somebody's change.
fn has_mode(entry: &IndexEntry, mode: u32) -> bool {
    match entry.mode & TYPE {
        LINK => mode & TYPE == LINK,
        FILE => mode & TYPE == FILE && mode & 0o7700 == if entry.mode & 0o100 == 0 { 0o600 } else { 0o700 },
        _ => false,
    }
}

fn has_content(entry: &IndexEntry, place: &Path, metadata: &Metadata) -> bool {
    if !has_mode(entry, metadata.mode()) {
        return false;
    }
    let id = if metadata.is_symlink() {
        fs::read_link(place)
            .ok()
            .and_then(|target| Oid::hash_object(git2::ObjectType::Blob, &target.into_os_string().into_vec()).ok())
    } else {
        Oid::hash_file(git2::ObjectType::Blob, place).ok()
    };
    id == Some(entry.id)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn refreshed(entry: &IndexEntry, metadata: &Metadata) -> IndexEntry {
    IndexEntry {
        ctime: IndexTime::new(metadata.ctime() as i32, metadata.ctime_nsec() as u32),
        mtime: IndexTime::new(metadata.mtime() as i32, metadata.mtime_nsec() as u32),
        dev: metadata.dev() as u32,
        ino: metadata.ino() as u32,
        uid: metadata.uid(),
        gid: metadata.gid(),
        file_size: metadata.size() as u32,
        ..copied(entry)
    }
}

/// An index entry is not `Clone`.
fn copied(entry: &IndexEntry) -> IndexEntry {
    IndexEntry { path: entry.path.clone(), ..*entry }
}

/// A folder of the tree that the owner cannot use, or that has odd bits, gets the usual rights again.
fn mend_mode(place: &Path, metadata: &Metadata) -> io::Result<()> {
    if metadata.mode() & 0o7700 == 0o700 {
        return Ok(());
    }
    fs::set_permissions(place, Permissions::from_mode(0o755))
}
