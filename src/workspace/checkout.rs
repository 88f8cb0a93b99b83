//! Where the user stands: the repository around a folder, found as git finds it.

use std::path::{Path, PathBuf};

use super::git::Git;
use super::refs::ask_local;
use crate::error::{Code, Error, IoContext, Result};
use crate::model::{CommitId, GitUrl, ProjectFile, RefName, SubPath};

/// A working tree of the user's. Nothing in it, nor in its repository, is ever written.
#[derive(Clone, Debug)]
pub struct Checkout {
    url: GitUrl,
    root: SubPath,
    top: PathBuf,
    pub(super) git_dir: PathBuf,
    pub(super) common_dir: PathBuf,
}

impl Checkout {
    /// The working tree that `dir` lies in. Errors are [`Code::NoRepository`] with what to do: no repository, a bare
    /// one, a damaged one, one that belongs to another user, one with SHA-256 object names.
    pub fn discover(dir: &Path) -> Result<Self> {
        let dir = dir.canonicalize().on("enter", dir)?;
        let questions = [
            "rev-parse",
            "--path-format=absolute",
            "--show-object-format",
            "--absolute-git-dir",
            "--git-common-dir",
            "--is-inside-work-tree",
        ];
        // One process where all is well; without a working tree the last question fails, and takes the others along.
        let answer = match Git::new(&dir).ask(questions.iter().chain(&["--show-toplevel"]))? {
            Some(answer) => answer.text(),
            None => Git::new(&dir).run(questions).map_err(|error| no_repository(&dir, &error))?.text(),
        };
        let lines: Vec<&str> = answer.lines().collect();
        let (format, git_dir, common_dir, top) = match lines[..] {
            [format, git_dir, common_dir, "true", top] => (format, git_dir, common_dir, top),
            [_, git_dir, _, _] => {
                let message = format!("{git_dir} is a bare repository, or git's own folder: there is no working tree");
                return Err(Error::new(Code::NoRepository, message)
                    .hint("go to a working tree of it, or register it: crafting project add file://PATH"));
            }
            _ => {
                return Err(Error::new(Code::NoRepository, "the path of this repository holds a line break")
                    .hint("move it to a path without one"));
            }
        };
        if format != "sha1" {
            let message = format!("the repository {git_dir} has {format} object names");
            return Err(Error::new(Code::NoRepository, message).hint("crafting reads repositories with SHA-1 names"));
        }
        let (git_dir, common_dir) = (PathBuf::from(git_dir), PathBuf::from(common_dir));
        let top = PathBuf::from(top);
        let home = match common_dir.file_name() {
            Some(name) if name == ".git" => common_dir.parent().unwrap_or(&common_dir).to_owned(),
            // Worktrees of a bare repository, submodules, --separate-git-dir.
            _ => common_dir.clone(),
        };
        let url = home.to_str().and_then(|path| path.parse().ok()).ok_or_else(|| {
            Error::new(Code::NoRepository, format!("the path {} is not plain text", home.display()))
                .hint("move the repository to a path of plain UTF-8 text")
        })?;
        Ok(Self { url, root: project_root(&top, &dir)?, top, git_dir, common_dir })
    }

    /// The repository's address: its main working tree, so that linked ones belong to the same project.
    pub fn url(&self) -> &GitUrl {
        &self.url
    }

    /// The project's root below [`Checkout::top`]: the nearest folder upward with a `crafting.toml`, else the top.
    pub fn root(&self) -> &SubPath {
        &self.root
    }

    /// The top folder of this working tree.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The project's root as a path on disk.
    pub fn folder(&self) -> PathBuf {
        if self.root.is_root() { self.top.clone() } else { self.top.join(self.root.as_str()) }
    }

    /// The branch that is checked out, also one without a commit yet; `None` for a detached HEAD.
    pub fn branch(&self) -> Result<Option<RefName>> {
        let output = Git::new(&self.top).ask(["symbolic-ref", "--quiet", "--short", "HEAD"])?;
        Ok(output.and_then(|output| output.text().parse().ok()))
    }

    /// What a job of this working tree is said to run: the branch, or `HEAD` where none is checked out.
    pub fn current_ref(&self) -> Result<RefName> {
        Ok(self.branch()?.unwrap_or_else(RefName::head))
    }

    /// Where `folder` lies below the project's root; `None` if it lies elsewhere.
    pub fn standing(&self, folder: &Path) -> Option<SubPath> {
        let folder = folder.canonicalize().ok()?;
        folder.strip_prefix(self.folder()).ok()?.to_str()?.parse().ok()
    }

    /// The commit that a ref names in this working tree, whose `HEAD` need not be the main one's.
    pub fn resolve(&self, name: &RefName) -> Result<CommitId> {
        ask_local(&self.top, name)
    }

    /// The commit that is checked out; `None` before the first one.
    pub fn head(&self) -> Result<Option<CommitId>> {
        if let Some(output) = Git::new(&self.top).ask(["rev-parse", "--quiet", "--verify", "HEAD"])? {
            return output.text().parse().map(Some);
        }
        // Either there is no commit yet, or the branch's file is damaged; the second is told on standard error only.
        let branches = Git::new(&self.top).run(["for-each-ref", "--count=1", "refs/heads/"])?;
        let unborn = self.branch()?.is_some() && !branches.stderr.contains("broken ref");
        if unborn {
            return Ok(None);
        }
        Err(Error::new(Code::NoRepository, format!("HEAD of {} leads to no commit", self.top.display()))
            .hint("the repository is damaged: `git fsck` says more, `git checkout BRANCH` may mend it"))
    }
}

/// The nearest folder from `dir` upward that has a project file, relative to `top`.
fn project_root(top: &Path, dir: &Path) -> Result<SubPath> {
    let found = dir
        .ancestors()
        .take_while(|folder| folder.starts_with(top))
        .find(|folder| folder.join(ProjectFile::NAME).is_file())
        .unwrap_or(top);
    let relative = found.strip_prefix(top).unwrap_or(Path::new(""));
    let text = relative.to_str().ok_or_else(|| {
        Error::invalid(format!("the path {} is not plain text", found.display()))
            .hint("rename the folder to plain UTF-8 text")
    })?;
    text.parse()
}

/// Says in one sentence why there is no usable repository around `dir`.
fn no_repository(dir: &Path, error: &Error) -> Error {
    if error.code() == Code::GitMissing || error.code() == Code::Io {
        return Error::new(error.code(), error.to_string()).hint(error.hint_text().unwrap_or("check git"));
    }
    let said = error.to_string();
    let damaged = dir.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok());
    if said.contains("dubious ownership") {
        let owner = damaged.unwrap_or(dir);
        return Error::new(Code::NoRepository, format!("the repository {} belongs to another user", owner.display()))
            .hint(format!("if you trust it: git config --global --add safe.directory {}", owner.display()));
    }
    if !said.contains("not a git repository") {
        return Error::new(Code::NoRepository, format!("git cannot read this repository: {said}"))
            .hint("`git status` should work here first");
    }
    match damaged {
        Some(folder) => Error::new(Code::NoRepository, format!("the repository {} is damaged", folder.display()))
            .hint("`git status` there says what git misses; a fresh clone mends it"),
        None => Error::new(Code::NoRepository, format!("there is no git repository in {} or above", dir.display()))
            .hint("go to one, or make one here with `git init`"),
    }
}
