//! The working tree as it is, as a commit in the mirror.
//!
//! Git itself stages everything (filters, line endings, executable bits and ignore rules are as for the user), but
//! into a copy of the index and into the mirror's objects, so nothing of the user's is written. The copy keeps
//! the index's modification time: git compares it with the files' to know which entries it cannot trust.

use std::fs::{self, File};
use std::path::Path;

use super::checkout::Checkout;
use super::git::{Git, Output, library};
use super::lock::{Lock, Mode};
use super::mirror::{Mirror, SETTINGS, oid, replace};
use crate::error::{Code, Error, IoContext, Result};
use crate::model::CommitId;

/// How the folders in a mirror begin that hold a snapshot's copy of the index while it is made.
pub(super) const SCRATCH: &str = "crafting-index-";

/// What runs when a person says "run this".
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The commit in the mirror: HEAD itself if nothing differs from it, else one on top of it that no branch has.
    pub sha: CommitId,
    /// Whether the working tree differs from HEAD, or there is no commit yet.
    pub dirty: bool,
    /// What the job's log should say: what of the working tree could not be taken along, a rebuilt mirror.
    pub notes: Vec<String>,
}

impl Checkout {
    /// Makes the working tree as it is (tracked and untracked, not ignored) a commit in the mirror. The same tree on
    /// the same HEAD gives the same commit id.
    pub fn snapshot(&self, mirror: &Mirror) -> Result<Snapshot> {
        self.take(mirror).map_err(|error| {
            if error.code() == Code::Io {
                mirror.discard_partial();
            }
            self.explain(error)
        })
    }

    /// Says of a failed snapshot what it is that failed.
    pub(super) fn explain(&self, error: Error) -> Error {
        match error.code() {
            Code::GitFailed => error
                .context(format!("the repository {} cannot be run as it is", self.top().display()))
                .hint("`git status` there should work first; `git fsck` finds what is damaged"),
            _ => error,
        }
    }

    fn take(&self, mirror: &Mirror) -> Result<Snapshot> {
        let notes = mirror.ensure()?;
        let head = self.head()?;
        if let Some(head) = &head {
            mirror.follow(self.top(), head)?;
        }
        // Against a collection of the mirror's garbage: until the commit is pinned all of it looks like garbage.
        let _lock = Lock::wait(&mirror.lock_path(), Mode::Shared)?;
        self.copy_settings(mirror)?;
        let snapshot = self.stage(mirror.path(), head.as_ref(), notes)?;
        mirror.pin(&snapshot.sha)?;
        Ok(snapshot)
    }

    /// Makes the commit in a bare repository that has `head`.
    pub(super) fn stage(&self, store: &Path, head: Option<&CommitId>, mut notes: Vec<String>) -> Result<Snapshot> {
        let scratch = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(store);
        let scratch = scratch.on("write in", store)?;
        let staging = Staging { checkout: self, store, index: scratch.path().join("index") };
        staging.copy_index(&self.git_dir.join("index"))?;
        let listed = staging.git().run(["ls-files", "--stage", "-v", "-z"])?;
        let entries = entries(&listed);
        staging.copy_staged_blobs(&entries)?;
        staging.unhide(&entries)?;
        notes.extend(staging.add()?);
        if entries.iter().any(|entry| entry.mode == "160000") {
            notes.extend(staging.dirty_submodules()?);
        }
        let tree = staging.git().run(["write-tree"])?.text();
        let snapshot = commit(store, &tree, head)?;
        Ok(Snapshot { dirty: head != Some(&snapshot), sha: snapshot, notes })
    }

    /// Lets slots lay files as this repository does: line endings, links, filters, attributes.
    fn copy_settings(&self, mirror: &Mirror) -> Result<()> {
        let pattern = r"^(core\.(autocrlf|eol|symlinks|filemode|ignorecase|precomposeunicode)|filter\..*)$";
        let asked = Git::new(self.top()).ask(["config", "--local", "--null", "--get-regexp", pattern])?;
        let mut text = String::new();
        for setting in asked.iter().flat_map(|output| output.stdout.split(|byte| *byte == 0)) {
            let setting = String::from_utf8_lossy(setting);
            // A key without a value is true.
            let (key, value) = setting.split_once('\n').unwrap_or((&setting, "true"));
            let Some((section, name)) = key.rsplit_once('.') else { continue };
            let section = match section.split_once('.') {
                Some((section, part)) => format!("{section} \"{}\"", quoted(part)),
                None => section.to_owned(),
            };
            text.push_str(&format!("[{section}]\n\t{name} = \"{}\"\n", quoted(value)));
        }
        let own = fs::read(self.common_dir.join("info/attributes")).unwrap_or_default();
        for (name, content) in [(SETTINGS, text.as_bytes()), ("info/attributes", own.as_slice())] {
            let path = mirror.path().join(name);
            if fs::read(&path).unwrap_or_default() != content {
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder).on("create the folder", folder)?;
                }
                replace(&path, content)?;
            }
        }
        Ok(())
    }
}

/// Text inside double quotes in git's configuration format.
pub(super) fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t")
}

/// One line of `git ls-files -v --stage`.
struct Entry<'a> {
    tag: u8,
    mode: &'a str,
    id: &'a str,
    stage: &'a str,
    path: &'a [u8],
}

/// The copy of the index that is being filled.
struct Staging<'a> {
    checkout: &'a Checkout,
    /// The bare repository that gets the objects.
    store: &'a Path,
    index: std::path::PathBuf,
}

impl Staging<'_> {
    fn git(&self) -> Git {
        let mut storage = std::ffi::OsString::from("lfs.storage=");
        storage.push(self.store.join("lfs"));
        Git::new(self.checkout.top())
            .env("GIT_INDEX_FILE", &self.index)
            .env("GIT_OBJECT_DIRECTORY", self.store.join("objects"))
            .set("core.safecrlf=false")
            .set("add.ignoreErrors=false")
            .set(storage)
    }

    fn copy_index(&self, user: &Path) -> Result<()> {
        let modified = match user.metadata() {
            Ok(metadata) => metadata.modified().on("read", user)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::io("read", user, &error)),
        };
        fs::copy(user, &self.index).on("copy", user)?;
        let copy = File::options().write(true).open(&self.index).on("open", &self.index)?;
        copy.set_modified(modified).on("write", &self.index)
    }

    /// Brings along what the user staged and never committed: only the user's repository has those objects.
    fn copy_staged_blobs(&self, entries: &[Entry<'_>]) -> Result<()> {
        let ours = open(self.store)?;
        let ours = ours.odb().map_err(library("open the mirror's objects"))?;
        let mut theirs = None;
        for entry in entries.iter().filter(|entry| entry.stage == "0" && entry.mode != "160000") {
            let Ok(id) = git2::Oid::from_str(entry.id) else { continue };
            if ours.exists(id) {
                continue;
            }
            let theirs = match &theirs {
                Some(odb) => odb,
                None => theirs.insert(open_objects(&self.checkout.common_dir.join("objects"))?),
            };
            // An entry that `git add --intent-to-add` made has no object; adding the file gives it one.
            if let Ok(object) = theirs.read(id) {
                ours.write(object.kind(), object.data()).map_err(library("write to the mirror"))?;
            }
        }
        Ok(())
    }

    /// Files whose changes git was told not to look at are part of the working tree as it is. Those that a sparse
    /// checkout left out stay as they are in HEAD.
    fn unhide(&self, entries: &[Entry<'_>]) -> Result<()> {
        let there = |path: &[u8]| self.checkout.top().join(bytes_path(path)).symlink_metadata().is_ok();
        let paths = |wanted: &dyn Fn(&&Entry<'_>) -> bool| -> Vec<u8> {
            entries.iter().filter(wanted).flat_map(|entry| [entry.path, b"\0"].concat()).collect()
        };
        let assumed = paths(&|entry| entry.tag.is_ascii_lowercase());
        let skipped = paths(&|entry| entry.tag.eq_ignore_ascii_case(&b'S') && there(entry.path));
        for (switch, paths) in [("--no-assume-unchanged", assumed), ("--no-skip-worktree", skipped)] {
            if !paths.is_empty() {
                self.git().stdin(paths).run(["update-index", switch, "-z", "--stdin"])?;
            }
        }
        Ok(())
    }

    /// Stages everything; the notes name nested repositories, which git records without their content.
    fn add(&self) -> Result<Vec<String>> {
        let Output { stderr, .. } = self.git().run(["add", "--all", "--sparse"]).map_err(explain_add)?;
        if let Some(folder) = stderr.lines().find_map(|line| between(line, "could not open directory '", "'")) {
            return Err(unreadable(folder));
        }
        let nested = stderr.lines().filter_map(|line| line.strip_prefix("warning: adding embedded git repository: "));
        Ok(nested
            .map(|name| {
                format!("{name} is a git repository of its own inside this one: its files are not part of the run")
            })
            .collect())
    }

    fn dirty_submodules(&self) -> Result<Vec<String>> {
        let question = ["status", "--porcelain=v2", "-z", "--ignore-submodules=none", "--untracked-files=normal"];
        let status = self.git().run(question)?.stdout;
        let mut notes = Vec::new();
        for line in status.split(|byte| *byte == 0) {
            // "1 XY S<c><m><u> …": m says changed files, u says untracked ones; nine fields, the last one the path.
            let fields: Vec<&[u8]> = line.splitn(9, |byte| *byte == b' ').collect();
            let [b"1", _, state, .., path] = fields.as_slice() else { continue };
            if state.starts_with(b"S") && (state.contains(&b'M') || state.contains(&b'U')) {
                let path = String::from_utf8_lossy(path);
                notes.push(format!("the submodule {path} has uncommitted changes, which are not part of the run"));
            }
        }
        Ok(notes)
    }
}

fn entries(listed: &Output) -> Vec<Entry<'_>> {
    let parse = |line| -> Option<Entry<'_>> {
        let line: &[u8] = line;
        let tab = line.iter().position(|byte| *byte == b'\t')?;
        let mut fields = std::str::from_utf8(line.get(2..tab)?).ok()?.split(' ');
        let (mode, id, stage) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Entry { tag: *line.first()?, mode, id, stage, path: line.get(tab + 1..)? })
    };
    listed.stdout.split(|byte| *byte == 0).filter_map(parse).collect()
}

/// The commit for a tree: HEAD if it has that tree already, else one that depends on nothing but tree and parent.
fn commit(store: &Path, tree: &str, head: Option<&CommitId>) -> Result<CommitId> {
    let repository = open(store)?;
    let tree = git2::Oid::from_str(tree)
        .and_then(|id| repository.find_tree(id))
        .map_err(library("read the snapshot's tree"))?;
    let parent = match head.map(oid).transpose()?.flatten() {
        Some(id) => Some(repository.find_commit(id).map_err(library("read HEAD in the mirror"))?),
        None => None,
    };
    if let (Some(parent), Some(head)) = (&parent, head)
        && parent.tree_id() == tree.id()
    {
        return Ok(head.clone());
    }
    let time = parent.as_ref().map_or_else(|| git2::Time::new(0, 0), git2::Commit::time);
    let sign = git2::Signature::new("crafting", "crafting@localhost", &time).map_err(library("sign the snapshot"))?;
    let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
    let message = "The working tree as it is\n";
    let id = repository.commit(None, &sign, &sign, message, &tree, &parents).map_err(library("commit the snapshot"))?;
    id.to_string().parse()
}

fn open(store: &Path) -> Result<git2::Repository> {
    git2::Repository::open_bare(store).map_err(library("open the place for the snapshot"))
}

fn open_objects(folder: &Path) -> Result<git2::Odb<'static>> {
    let odb = git2::Odb::new().map_err(library("open the objects"))?;
    if let Some(text) = folder.to_str() {
        odb.add_disk_alternate(text).map_err(library("open the repository's objects"))?;
    }
    Ok(odb)
}

/// A path that git printed as bytes.
pub(super) fn bytes_path(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.rsplit_once(after).map(|(middle, _)| middle)
}

fn unreadable(path: &str) -> Error {
    Error::new(Code::Io, format!("cannot read {path}, which is part of the working tree"))
        .hint("check its permissions, or name it in .gitignore")
}

fn explain_add(error: Error) -> Error {
    let said = error.to_string();
    if let Some(path) = between(&said, "open(\"", "\")") {
        return unreadable(path);
    }
    if let Some(path) = between(&said, "'", "' does not have a commit checked out") {
        let message = format!("{path} is a git repository of its own without a commit, inside this one");
        return Error::new(Code::NoRepository, message).hint("commit something in it, or name it in .gitignore");
    }
    error.hint("`git add --all --dry-run` should work here first")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_staged_is_named() {
        let told = |said: &str| explain_add(Error::new(Code::GitFailed, said)).to_string();
        let said = "git add failed: open(\"a \"b\"\"): Permission denied (adding files failed)";
        assert_eq!(told(said), "cannot read a \"b\", which is part of the working tree");
        let said = "git add failed: 'x/' does not have a commit checked out (adding files failed)";
        assert_eq!(told(said), "x/ is a git repository of its own without a commit, inside this one");
        assert_eq!(told("git add failed: else"), "git add failed: else");
    }
}
