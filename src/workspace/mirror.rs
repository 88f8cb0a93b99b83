//! The bare clone of a project that all its slots share.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::git::{Git, library};
use super::lock::{Lock, Mode};
use super::refs::{ask_local, list_refs, look_up, publish_refs};
use super::stale;
use super::trash::Trash;
use super::uploads;
use crate::error::{Code, Error, IoContext, Result};
use crate::model::{CommitId, GitUrl, JobId, ProjectName, RefName};

/// Written last, holds the address: a mirror without it is a clone that died half-way. Its time is the last use.
pub(super) const MARKER: &str = "crafting-complete";
/// Branches and tags as a slot sees them, ready to be copied to its `packed-refs`.
pub(super) const SLOT_REFS: &str = "crafting-refs";
/// The settings of the user's repository that decide what a file looks like in the working tree.
pub(super) const SETTINGS: &str = "crafting-config";
/// The start of the last fetch that succeeded, in nanoseconds since the epoch.
const FETCHED: &str = "crafting-fetched";
/// The branches and tags of a repository on this machine at the last fetch.
const LISTED: &str = "crafting-listed";
/// Where commits that jobs ran are kept from git's garbage collection.
pub(super) const PINS: &str = "refs/crafting/commits";

/// A project's mirror; making one touches nothing.
#[derive(Clone, Debug)]
pub struct Mirror {
    project: ProjectName,
    url: GitUrl,
    folder: PathBuf,
    job: Option<JobId>,
    redirects: bool,
}

/// What a ref means now.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The commit; it is in the mirror and stays there.
    pub sha: CommitId,
    /// What the job's log should say of how it was found.
    pub notes: Vec<String>,
}

impl Mirror {
    pub(super) fn new(project: ProjectName, url: GitUrl, project_folder: &Path) -> Self {
        Self { project, url, folder: project_folder.join(".cache"), job: None, redirects: true }
    }

    pub(super) fn follow_redirects(self, redirects: bool) -> Self {
        Self { redirects, ..self }
    }

    /// The same for a job: every git that it starts has the job's mark, so that it can be found and ended.
    pub fn for_job(self, job: &JobId) -> Self {
        Self { job: Some(job.clone()), ..self }
    }

    pub(super) fn git(&self, folder: &Path) -> Git {
        let git = match self.redirects {
            true => Git::new(folder),
            false => Git::new(folder).set("http.followRedirects=false"),
        };
        match &self.job {
            Some(job) => git.env(JobId::VARIABLE, job.as_str()),
            None => git,
        }
    }

    /// The project that it belongs to.
    pub fn project(&self) -> &ProjectName {
        &self.project
    }

    /// The repository that it mirrors.
    pub fn url(&self) -> &GitUrl {
        &self.url
    }

    /// The bare repository's folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    pub(super) fn project_folder(&self) -> &Path {
        self.folder.parent().unwrap_or(&self.folder)
    }

    pub(super) fn lock_path(&self) -> PathBuf {
        self.folder.with_file_name(".cache.lock")
    }

    /// Clones the repository unless a sound mirror is there. The notes say when a broken one was rebuilt.
    pub fn ensure(&self) -> Result<Vec<String>> {
        self.ensure_by(|fresh| if self.url.is_checkout() { self.init(fresh) } else { self.clone_to(fresh) })
    }

    /// Sees that commits can be uploaded beside it: where there is none yet, one without any commit is made, and the
    /// repository itself is not asked. What it has is fetched when a job first names a ref.
    pub(super) fn ensure_for_uploads(&self) -> Result<Vec<String>> {
        self.ensure_by(|fresh| if self.url.local_path().is_some() { self.clone_to(fresh) } else { self.init(fresh) })
    }

    fn ensure_by(&self, make: impl FnOnce(&Path) -> Result<()>) -> Result<Vec<String>> {
        if self.is_sound() {
            self.mark_used();
            return Ok(Vec::new());
        }
        fs::create_dir_all(self.project_folder()).on("create the folder", self.project_folder())?;
        let _lock = Lock::wait(&self.lock_path(), Mode::Alone)?;
        if self.is_sound() {
            return Ok(Vec::new());
        }
        let trash = Trash::new(self.project_folder().join(".trash"));
        let mut notes = Vec::new();
        if self.folder.symlink_metadata().is_ok() {
            notes.push("the mirror was incomplete or damaged and has been rebuilt".to_owned());
            trash.take(&self.folder)?;
        }
        for entry in fs::read_dir(self.project_folder()).on("read", self.project_folder())?.flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(b".cache.new-") {
                trash.take(&entry.path())?;
            }
        }
        let fresh = self.folder.with_file_name(format!(".cache.new-{}", std::process::id()));
        let made = make(&fresh).and_then(|()| {
            Git::new(&fresh).run(["config", "gc.auto", "0"])?;
            refuse_sha256(&fresh)?;
            publish_refs(&fresh)?;
            let marker = fresh.join(MARKER);
            fs::write(&marker, self.url.as_str()).on("write", &marker)?;
            fs::rename(&fresh, &self.folder).on("move into place", &self.folder)
        });
        if made.is_err() {
            let _ = super::trash::remove_tree(&fresh);
        }
        made?;
        trash.empty_in_background();
        Ok(notes)
    }

    fn init(&self, fresh: &Path) -> Result<()> {
        let git = Git::new(self.project_folder());
        let options =
            ["init", "--quiet", "--bare", "--template=", "--object-format=sha1", "--initial-branch=main", "--"];
        git.run(options.iter().map(std::ffi::OsString::from).chain([fresh.into()])).map(drop)
    }

    fn clone_to(&self, fresh: &Path) -> Result<()> {
        self.local_is_there()?;
        // Without --local on purpose: git hard-links where it can and copies where the system forbids links.
        // --dissociate: a source that borrows objects itself may lose them later.
        let git = self.git(self.project_folder());
        let git = if self.url.local_path().is_some() { git } else { git.remote() };
        let options = ["clone", "--quiet", "--bare", "--template=", "--dissociate", "--"].map(std::ffi::OsString::from);
        let places = [self.source().into(), fresh.into()];
        let listed = self.url.local_path().map(list_refs).transpose().map_err(|error| self.explain(error))?;
        git.run(options.into_iter().chain(places)).map_err(|error| self.explain(error))?;
        match listed {
            Some(listed) => replace(&fresh.join(LISTED), &listed),
            None => Ok(()),
        }
    }

    fn local_is_there(&self) -> Result<()> {
        match self.url.local_path() {
            Some(path) if !path.exists() => Err(moved(&self.project, path)),
            _ => Ok(()),
        }
    }

    /// The address as git shall take it: a plain path for a local one, so that objects are linked.
    fn source(&self) -> PathBuf {
        self.url.local_path().map_or_else(|| PathBuf::from(self.url.as_str()), Path::to_owned)
    }

    fn is_sound(&self) -> bool {
        fs::read_to_string(self.folder.join(MARKER)).is_ok_and(|url| url == self.url.as_str())
            && [SLOT_REFS, "HEAD", "config"].iter().all(|name| self.folder.join(name).is_file())
            && packs_are_whole(&self.folder.join("objects/pack"))
    }

    /// The next use rebuilds the mirror; for when an object in it turned out to be missing or damaged.
    pub(super) fn distrust(&self) {
        let _ = fs::remove_file(self.folder.join(MARKER));
    }

    /// Removes what a write that failed has left: git does not, and on a full disk it is in the way of the next try.
    pub(super) fn discard_partial(&self) {
        // Somebody else may be in the middle of a write that does not fail.
        let Ok(Some(_lock)) = Lock::attempt(&self.lock_path()) else { return };
        let folders = fs::read_dir(self.folder.join("objects")).into_iter().flatten().flatten();
        let entries = folders.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten().flatten());
        for entry in entries {
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b"tmp_") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn mark_used(&self) {
        let touched = File::options().write(true).open(self.folder.join(MARKER));
        if let Err(error) = touched.and_then(|file| file.set_modified(SystemTime::now())) {
            tracing::debug!(%error, "the mirror's last use is not noted");
        }
    }

    /// The mirror for reading, without a process.
    pub(super) fn open(&self) -> Result<git2::Repository> {
        git2::Repository::open_bare(&self.folder).map_err(library("open the mirror"))
    }

    /// The same with everything that was uploaded: for looking into a commit that is known to be the asker's.
    pub(super) fn open_with_uploads(&self) -> Result<git2::Repository> {
        let repository = self.open()?;
        let stores = uploads::stores(self.project_folder());
        if !stores.is_empty() {
            let odb = repository.odb().map_err(library("open the mirror's objects"))?;
            for objects in stores.iter().filter_map(|store| Some(store.join("objects").to_str()?.to_owned())) {
                odb.add_disk_alternate(&objects).map_err(library("open the uploads"))?;
            }
        }
        Ok(repository)
    }

    /// Whether a commit is here already.
    pub fn has(&self, sha: &CommitId) -> Result<bool> {
        let repository = self.open()?;
        Ok(oid(sha)?.is_some_and(|id| repository.find_commit(id).is_ok()))
    }

    /// The commit that a ref names now. A full commit id that the mirror holds costs no network and no process;
    /// anything else is asked of the repository itself. [`Code::NotFound`] if it has no such ref.
    pub fn resolve(&self, name: &RefName) -> Result<Resolved> {
        let asked = SystemTime::now();
        let notes = self.ensure()?;
        let known = name.as_commit();
        if let Some(sha) = &known
            && self.has(sha)?
        {
            self.pin(sha)?;
            return Ok(Resolved { sha: sha.clone(), notes });
        }
        if self.url.is_checkout() {
            return Err(Error::not_found(format!(
                "{} is a checkout elsewhere: no {name} is fetched from it",
                self.url
            ))
            .hint("start the job in that checkout, with `crafting job run`: it brings its commits along"));
        }
        let sha = match self.url.local_path() {
            Some(path) => {
                self.local_is_there()?;
                let sha = ask_local(path, name).map_err(|error| self.explain(error))?;
                self.follow(path, &sha)?;
                sha
            }
            None => {
                self.fetch_since(asked)?;
                match known {
                    Some(sha) => {
                        self.fetch_commit(&sha)?;
                        sha
                    }
                    None => look_up(&self.open()?, name)?,
                }
            }
        };
        self.pin(&sha)?;
        Ok(Resolved { sha, notes })
    }

    /// The commit that a ref names, for looking at what is here: a remote is asked only for what the mirror lacks.
    pub fn commit_of(&self, name: &RefName) -> Result<CommitId> {
        if self.url.local_path().is_none()
            && let Ok(known) = self.open().and_then(|mirror| look_up(&mirror, name))
        {
            return Ok(known);
        }
        self.resolve(name).map(|resolved| resolved.sha)
    }

    /// The branch that the repository itself considers its main one; `None` for a detached HEAD.
    pub fn default_branch(&self) -> Result<Option<RefName>> {
        if self.url.is_checkout() {
            return Ok(None);
        }
        if let Some(path) = self.url.local_path() {
            let is_repository = path.is_dir() && Git::new(path).ask(["rev-parse", "--git-dir"])?.is_some();
            if !is_repository {
                return Err(Error::not_found(format!("there is no git repository in {}", path.display()))
                    .hint("check the path"));
            }
            let output = Git::new(path).ask(["symbolic-ref", "--quiet", "--short", "HEAD"])?;
            return Ok(output.and_then(|output| output.text().parse().ok()));
        }
        let git = self.git(&std::env::temp_dir()).remote();
        let output = git.run(["ls-remote", "--symref", "--", self.url.as_str(), "HEAD"])?.text();
        let branch = output.lines().find_map(|line| line.strip_prefix("ref: refs/heads/")?.split('\t').next());
        Ok(branch.and_then(|branch| branch.parse().ok()))
    }

    /// The branch that findings of other branches are compared with, where the project names none: what its remote
    /// considers the main one; of a repository without a remote `main`, else `master`. Asks no network.
    pub fn main_branch(&self) -> Option<RefName> {
        let branch = match self.url.local_path() {
            Some(path) => return main_branch_of(path),
            None => {
                let mirror = self.open().ok()?;
                let head = mirror.find_reference("HEAD").ok()?;
                head.symbolic_target().ok().flatten()?.strip_prefix("refs/heads/")?.to_owned()
            }
        };
        branch.parse().ok()
    }

    /// Sees that a repository on this machine is mirrored as it is now, with `sha` in it.
    pub(super) fn follow(&self, path: &Path, sha: &CommitId) -> Result<()> {
        let listed = list_refs(path)?;
        let current = || -> Result<bool> {
            Ok(self.has(sha)? && fs::read(self.folder.join(LISTED)).is_ok_and(|old| old == listed))
        };
        if current()? {
            return Ok(());
        }
        let _lock = Lock::wait(&self.lock_path(), Mode::Alone)?;
        if current()? {
            return Ok(());
        }
        // By its id, for a commit that only a linked worktree's HEAD holds.
        self.fetch(&[sha.as_str()])?;
        replace(&self.folder.join(LISTED), &listed)
    }

    /// Fetches from a remote, unless a fetch that began after `asked` has succeeded meanwhile.
    fn fetch_since(&self, asked: SystemTime) -> Result<()> {
        let nanos = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |span| span.as_nanos());
        let _lock = Lock::wait(&self.lock_path(), Mode::Alone)?;
        let record = self.folder.join(FETCHED);
        let last = fs::read_to_string(&record).ok().and_then(|text| text.parse::<u128>().ok());
        if last.is_some_and(|last| last > nanos(asked)) {
            return Ok(());
        }
        let begun = nanos(SystemTime::now());
        self.fetch(&[])?;
        self.find_head()?;
        replace(&record, begun.to_string().as_bytes())
    }

    /// A mirror that uploads made knows the repository's main branch from its first fetch on.
    fn find_head(&self) -> Result<()> {
        let unborn = self.open()?.head().is_err();
        if unborn && let Some(branch) = self.default_branch()? {
            Git::new(&self.folder).run(["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")])?;
        }
        Ok(())
    }

    /// Fetches one commit that no branch or tag holds, if it is still missing; not every remote allows that.
    fn fetch_commit(&self, sha: &CommitId) -> Result<()> {
        if self.has(sha)? {
            return Ok(());
        }
        let _lock = Lock::wait(&self.lock_path(), Mode::Alone)?;
        self.fetch(&[sha.as_str()])
    }

    /// The lock has to be held.
    fn fetch(&self, more: &[&str]) -> Result<()> {
        let local = self.url.local_path().is_some();
        let git = self.git(&self.folder);
        let git = if local { git } else { git.remote() };
        let mut arguments: Vec<std::ffi::OsString> =
            ["fetch", "--quiet", "--prune", "--no-write-fetch-head", "--no-tags", "--no-recurse-submodules"]
                .map(Into::into)
                .into();
        arguments.push("--update-shallow".into());
        arguments.extend(["--".into(), self.source().into_os_string()]);
        arguments.extend(["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"].map(Into::into));
        arguments.extend(more.iter().map(Into::into));
        stale::remove_locks(&self.folder);
        git.run(arguments).map_err(|error| self.explain(error))?;
        Git::new(&self.folder).run(["pack-refs", "--all"])?;
        publish_refs(&self.folder)
    }

    /// Adds what is known of the repository to git's words.
    fn explain(&self, error: Error) -> Error {
        let partial = self.url.local_path().is_some_and(|path| {
            let asked = Git::new(path).ask(["config", "--get-regexp", r"^remote\..*\.promisor$"]);
            matches!(asked, Ok(Some(_)))
        });
        if partial && error.code() != Code::Io {
            return Error::new(error.code(), format!("{} is a partial clone: {error}", self.url))
                .hint("complete it with `git fetch --refetch --no-filter`, or register its remote's address");
        }
        error
    }

    /// Keeps a commit from git's garbage collection until [`crate::workspace::Workspace::gc`] lets go of it.
    pub(super) fn pin(&self, sha: &CommitId) -> Result<()> {
        let folder = self.folder.join(PINS);
        let pin = folder.join(sha.as_str());
        if pin.exists() {
            return Ok(());
        }
        fs::create_dir_all(&folder).on("create the folder", &folder)?;
        // As git writes a loose ref, but with a lock file of a name of its own: two writers write the same.
        replace(&pin, format!("{sha}\n").as_bytes())
    }
}

/// The branch that a repository on this machine considers the main one, as [`Mirror::main_branch`] says.
pub(super) fn main_branch_of(path: &Path) -> Option<RefName> {
    let repository = git2::Repository::open(path).ok()?;
    let remote = repository.find_reference("refs/remotes/origin/HEAD").ok();
    let named = remote.and_then(|head| {
        let target = head.symbolic_target().ok().flatten()?;
        target.strip_prefix("refs/remotes/origin/").map(str::to_owned)
    });
    let usual = || {
        ["main", "master"]
            .into_iter()
            .map(str::to_owned)
            .find(|name| repository.find_reference(&format!("refs/heads/{name}")).is_ok())
    };
    named.or_else(usual)?.parse().ok()
}

/// A commit id for libgit2; `None` for a SHA-256 one, which no mirror holds.
pub(super) fn oid(sha: &CommitId) -> Result<Option<git2::Oid>> {
    if sha.as_str().len() != 40 {
        return Ok(None);
    }
    git2::Oid::from_str(sha.as_str()).map(Some).map_err(library("read the commit id"))
}

/// A digest of the settings that decide what a file looks like in a working tree.
pub(super) fn rules(mirror: &Mirror) -> Result<String> {
    let mut all = Vec::new();
    for name in [SETTINGS, "info/attributes"] {
        all.extend(fs::read(mirror.path().join(name)).unwrap_or_default());
        all.push(0);
    }
    let id = git2::Oid::hash_object(git2::ObjectType::Blob, &all).map_err(library("hash the settings"))?;
    Ok(id.to_string())
}

fn refuse_sha256(repository: &Path) -> Result<()> {
    let format = Git::new(repository).run(["rev-parse", "--show-object-format"])?.text();
    if format == "sha1" {
        return Ok(());
    }
    Err(Error::new(Code::NoRepository, format!("the repository has {format} object names"))
        .hint("crafting reads repositories with SHA-1 names"))
}

/// Every index beside its pack, and no pack empty: what a full disk or a crash of the machine leaves otherwise.
fn packs_are_whole(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "idx")).all(
        |index| {
            let size = |path: &Path| path.metadata().map_or(0, |metadata| metadata.len());
            size(&index) > 0 && size(&index.with_extension("pack")) > 0
        },
    )
}

/// Writes a file so that a reader sees the old content or the new one, never a part.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Ends in .lock, so that git never takes it for a ref.
    let beside = path.with_extension(format!("{}-{number}.lock", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&beside)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.on("write", path)
}

/// The repository of a project is not where it was.
pub fn moved(project: &ProjectName, path: &Path) -> Error {
    Error::new(Code::NoRepository, format!("there is no repository {} any more", path.display())).hint(format!(
        "tell where it is now with `crafting project update {project} --url …`, or `crafting project remove {project}`"
    ))
}
