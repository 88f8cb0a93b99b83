//! Taking in a pack that a stranger sent: into a folder of its own, looked at from all sides, and only then put with
//! what its token has.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use tempfile::TempDir;

use super::git::{Git, library};
use super::lock::{Lock, Mode};
use super::mirror::oid;
use super::uploads::{LIMITS, Uploads, incoming, lay_bare, lock_path};
use crate::error::{Code, Error, IoContext, Result};
use crate::model::CommitId;

/// The pack as it comes in.
const BODY: &str = "body.pack";
/// Signature, version and number of objects.
const HEADER: usize = 12;
/// A pack has fewer objects than one to so many bytes that it may have.
const BYTES_PER_OBJECT: u64 = 256;
/// The files of a commit may have so many times the bytes that a pack may have.
const EXPANSION: u64 = 32;
/// Folders in folders.
const DEPTH: usize = 256;
/// What `git fsck` minds and old histories have. Nothing of it matters to a checkout.
const TOLERATED: [&str; 14] = [
    "badDate",
    "badDateOverflow",
    "badEmail",
    "badName",
    "badTimezone",
    "badFilemode",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "missingTaggerEntry",
    "multipleAuthors",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
];

/// A pack on its way in. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Incoming {
    uploads: Uploads,
    folder: TempDir,
    body: File,
    head: Vec<u8>,
    received: u64,
    limit: u64,
    _lock: Lock,
}

impl Uploads {
    /// Makes place for a pack of at most `limit` bytes.
    pub fn receive(&self, limit: u64) -> Result<Incoming> {
        self.mirror.ensure_for_uploads()?;
        let project = self.mirror.project_folder();
        // From before the first byte until all is in place, so that nothing of it is taken for a leftover.
        let lock = Lock::wait(&lock_path(project), Mode::Shared)?;
        let place = incoming(project);
        fs::create_dir_all(&place).on("create the folder", &place)?;
        let folder = tempfile::tempdir_in(&place).on("write in", &place)?;
        let path = folder.path().join(BODY);
        let body = File::create_new(&path).on("create", &path)?;
        Ok(Incoming { uploads: self.clone(), folder, body, head: Vec::new(), received: 0, limit, _lock: lock })
    }
}

impl Incoming {
    /// Takes in what came next.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.received += bytes.len() as u64;
        if self.received > self.limit {
            return Err(too_large(format!("the pack is larger than {} bytes", self.limit)));
        }
        if self.head.len() < HEADER {
            self.head.extend(bytes.iter().take(HEADER - self.head.len()));
            self.check_head()?;
        }
        self.body.write_all(bytes).on("write in", self.folder.path())
    }

    /// How many bytes came in.
    pub fn received(&self) -> u64 {
        self.received
    }

    fn check_head(&self) -> Result<()> {
        let [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, a, b, c, d] = self.head[..] else {
            return match self.head.len() {
                HEADER => Err(Error::invalid("what was sent is no pack of git").hint(MADE_BY)),
                _ => Ok(()),
            };
        };
        let (objects, most) = (u64::from(u32::from_be_bytes([a, b, c, d])), self.limit / BYTES_PER_OBJECT);
        if objects > most {
            return Err(too_large(format!("the pack has {objects} objects, and {most} are taken")));
        }
        Ok(())
    }

    /// Looks at everything and puts it with the token's uploads.
    pub fn publish(mut self, sha: &CommitId) -> Result<()> {
        if self.head.len() < HEADER {
            return Err(Error::invalid("the pack is not whole").hint(MADE_BY));
        }
        self.body.flush().on("write in", self.folder.path())?;
        self.uploads.prepare()?;
        lay_bare(self.folder.path(), &[&self.uploads.folder, self.uploads.mirror.path()])?;
        self.unpack()?;
        self.check(sha)?;
        let borrowed = self.uploads.borrowed(self.folder.path(), sha)?;
        self.move_packs()?;
        self.uploads.add(sha, &borrowed)
    }

    fn git(&self) -> Git {
        let git = self.uploads.mirror.git(self.folder.path()).env("GIT_DIR", self.folder.path());
        git.guarded(LIMITS).set("core.packedGitLimit=256m").set("core.bigFileThreshold=16m")
    }

    /// Takes the pack apart: every object whole and sound, and no name in it that could lead out of a checkout.
    fn unpack(&self) -> Result<()> {
        let body = self.folder.path().join(BODY);
        let tolerated: Vec<String> = TOLERATED.iter().map(|id| format!("{id}=ignore")).collect();
        let options = [
            "index-pack".to_owned(),
            "--stdin".to_owned(),
            "--fix-thin".to_owned(),
            "--threads=1".to_owned(),
            format!("--strict={}", tolerated.join(",")),
            format!("--max-input-size={}", self.limit),
        ];
        self.git().stdin_file(&body).run(options).map_err(refused)?;
        fs::remove_file(&body).on("remove", &body)
    }

    fn check(&self, sha: &CommitId) -> Result<()> {
        let repository = git2::Repository::open_bare(self.folder.path()).map_err(library("open the pack"))?;
        let commit = oid(sha)?.and_then(|id| repository.find_commit(id).ok());
        let commit = commit.ok_or_else(|| {
            Error::invalid(format!("the pack does not hold the commit {sha}"))
                .hint("send the pack that `git pack-objects --revs --thin` makes for that commit")
        })?;
        let mut sizes = Sizes { repository: &repository, limit: self.limit, folders: HashMap::new() };
        let (files, bytes) = sizes.of(commit.tree_id(), 0)?;
        let (most_files, most_bytes) = (self.limit / BYTES_PER_OBJECT, self.limit.saturating_mul(EXPANSION));
        if files > most_files {
            return Err(too_large(format!("the commit has {files} files, and {most_files} are taken")));
        }
        if bytes > most_bytes {
            return Err(too_large(format!("the commit's files have {bytes} bytes, and {most_bytes} are taken")));
        }
        // Everything that the commit needs, as far as what is here already does not vouch for it.
        let walk = ["rev-list", "--objects", "--quiet", sha.as_str(), "--not", "--alternate-refs"];
        self.git().run(walk).map(drop).map_err(refused)
    }

    fn move_packs(&self) -> Result<()> {
        let (from, to) = (self.folder.path().join("objects/pack"), self.uploads.folder.join("objects/pack"));
        let entries = fs::read_dir(&from).on("read", &from)?.flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        // A pack is there for git when its index is.
        files.sort_by_key(|path| path.extension().is_some_and(|end| end == "idx"));
        for file in &files {
            let Some(name) = file.file_name() else { continue };
            let target = to.join(name);
            // The name is a digest of the content: who sends the same again has it already.
            if !target.exists() {
                fs::rename(file, &target).on("move into place", &target)?;
            }
        }
        Ok(())
    }
}

const MADE_BY: &str = "send what `git pack-objects --stdout` writes, all of it";

fn too_large(message: String) -> Error {
    Error::new(Code::TooLarge, message).hint(
        "leave large files out with .gitignore, or push the commit and run it by --ref; CRAFTING_UPLOAD_LIMIT_BYTES of \
         the server sets what it takes",
    )
}

/// What git said of a pack, as a refusal of it.
fn refused(error: Error) -> Error {
    let said = error.to_string();
    let has = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
    if matches!(error.code(), Code::GitMissing | Code::Io | Code::Interrupted) {
        return error;
    }
    if has(&["ut of memory", "was ended by SIGXCPU", "was ended by SIGKILL", "exceeds maximum allowed size"]) {
        return too_large("to unpack the pack takes too much memory or time".to_owned());
    }
    if has(&[
        "unresolved delta",
        "missing",
        "bad object",
        "unable to read",
        "Could not read",
        "nonexistent",
        "object of ",
    ]) {
        return Error::invalid(format!("the pack lacks what its commit needs: {said}")).hint(
            "run it once more; of a shallow or partial clone, `git fetch --unshallow` or `--refetch` brings the rest",
        );
    }
    Error::invalid(format!("the pack is refused: {said}")).hint("`git fsck --strict` in the repository says more")
}

/// How many files a tree has and how many bytes they have, without walking the same folder twice: a few objects can
/// be a tree of billions.
struct Sizes<'a> {
    repository: &'a git2::Repository,
    limit: u64,
    folders: HashMap<git2::Oid, (u64, u64)>,
}

impl Sizes<'_> {
    fn of(&mut self, id: git2::Oid, depth: usize) -> Result<(u64, u64)> {
        if let Some(known) = self.folders.get(&id) {
            return Ok(*known);
        }
        if depth > DEPTH {
            return Err(too_large(format!("the commit has more than {DEPTH} folders in each other")));
        }
        let lacks = |id: git2::Oid| {
            move |_| {
                Error::invalid(format!("the pack lacks what its commit needs: the object {id}"))
                    .hint("run it once more")
            }
        };
        let tree = self.repository.find_tree(id).map_err(lacks(id))?;
        let odb = self.repository.odb().map_err(library("open the pack"))?;
        let (mut files, mut bytes) = (0_u64, 0_u64);
        for entry in &tree {
            let (more, size) = match entry.kind() {
                Some(git2::ObjectType::Tree) => self.of(entry.id(), depth + 1)?,
                Some(git2::ObjectType::Blob) => {
                    let (size, _) = odb.read_header(entry.id()).map_err(lacks(entry.id()))?;
                    let size = size as u64;
                    if size > self.limit.saturating_mul(EXPANSION) {
                        return Err(too_large(format!("a file of the commit has {size} bytes")));
                    }
                    (1, size)
                }
                _ => (1, 0),
            };
            files = files.saturating_add(more);
            bytes = bytes.saturating_add(size);
        }
        self.folders.insert(id, (files, bytes));
        Ok((files, bytes))
    }
}
