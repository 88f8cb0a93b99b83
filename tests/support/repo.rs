//! Real git repositories in temporary folders.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A real git repository in a temporary folder.
pub struct Repo {
    _folder: Option<TempDir>,
    path: PathBuf,
}

impl Repo {
    /// One without a commit.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("repo");
        fs::create_dir(&path).unwrap();
        let repo = Self { _folder: Some(folder), path };
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo
    }

    /// One with a first commit of these files.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let repo = Self::empty();
        for (path, text) in files {
            repo.write(path, text);
        }
        repo.commit("first");
        repo
    }

    /// One whose `crafting.toml` has a single subproject with these recipes, each a name and a TOML value.
    pub fn of_recipes(recipes: &[(&str, &str)]) -> Self {
        Self::with(&[("crafting.toml", &recipe_file("other", recipes))])
    }

    /// One that is already at a path.
    pub fn at(path: &Path) -> Self {
        Self { _folder: None, path: path.to_owned() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file and the folders above it.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let place = self.path.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
        self
    }

    pub fn executable(&self, path: &str) -> &Self {
        fs::set_permissions(self.path.join(path), PermissionsExt::from_mode(0o755)).unwrap();
        self
    }

    pub fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.path.join(path)).unwrap();
        self
    }

    /// Runs git in it, and wants it to succeed.
    pub fn git(&self, arguments: &[&str]) -> String {
        git(&self.path, arguments)
    }

    /// Commits everything; the commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// A `crafting.toml` with a single subproject.
pub fn recipe_file(language: &str, recipes: &[(&str, &str)]) -> String {
    let mut text = format!("[[subproject]]\npath = \".\"\nlanguage = \"{language}\"\n\n[subproject.recipes]\n");
    for (name, command) in recipes {
        match command.starts_with('{') {
            true => text.push_str(&format!("{name} = {command}\n")),
            // A literal string: a recipe is full of quotes and backslashes.
            false => text.push_str(&format!("{name} = '''\n{command}'''\n")),
        }
    }
    text
}

/// Runs git with a fixed author and no configuration but the repository's.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.com");
        command.env(format!("GIT_{role}_DATE"), "2026-04-29T12:00:00Z");
    }
    command.env("GIT_ALLOW_PROTOCOL", "file");
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?} in {}: {stderr}", folder.display());
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Everything below a folder as "path mode mtime content", to show that nothing was written.
pub fn fingerprint(folder: &Path) -> String {
    use std::fmt::Write as _;
    use std::os::unix::fs::MetadataExt;
    let mut text = String::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        let metadata = path.symlink_metadata().unwrap();
        let content = if metadata.is_file() { fs::read(&path).unwrap_or_default() } else { Vec::new() };
        let hash = git2::Oid::hash_object(git2::ObjectType::Blob, &content).unwrap();
        // Object files that a mirror shares by hard link: git moves their time when it would write the same again.
        let shared = metadata.is_file() && metadata.nlink() > 1;
        let time = if shared { (0, 0) } else { (metadata.mtime(), metadata.mtime_nsec()) };
        writeln!(text, "{} {:o} {time:?} {hash}", path.display(), metadata.mode()).unwrap();
        if metadata.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}
