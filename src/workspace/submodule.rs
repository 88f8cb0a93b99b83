//! Submodules in a slot. They are laid anew for every job: their files are always younger than the last build.
//!
//! A submodule that the user's own checkout of a repository on this machine holds is cloned from there, so that
//! its commits need not be pushed and no network is used.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::git::Git;
use super::mirror::Mirror;
use super::snapshot::bytes_path;
use crate::error::{Error, Result};
use crate::model::SubPath;

/// Checks out every submodule of a slot, and theirs.
pub(super) fn fill(slot: &Path, mirror: &Mirror) -> Result<()> {
    let known = mirror.url().local_path().map(|path| {
        let git_dir = path.join(".git");
        if git_dir.is_dir() { git_dir.join("modules") } else { path.join("modules") }
    });
    fill_level(slot, mirror, known.as_deref())
}

fn fill_level(tree: &Path, mirror: &Mirror, known: Option<&Path>) -> Result<()> {
    let local = mirror.url().local_path().is_some();
    if !tree.join(".gitmodules").is_file() {
        return Ok(());
    }
    let question = ["config", "--file", ".gitmodules", "--null", "--get-regexp", r"^submodule\..*\.path$"];
    let Some(listed) = Git::new(tree).ask(question)? else { return Ok(()) };
    let git = || {
        let git = mirror.git(tree);
        // A repository that the user trusts enough to run jobs of may name submodules on the same machine.
        if local { git.set("protocol.file.allow=always") } else { git }
    };
    git().run(["submodule", "--quiet", "init"])?;
    let mut inner: Vec<(PathBuf, Option<PathBuf>, String)> = Vec::new();
    for setting in listed.stdout.split(|byte| *byte == 0) {
        let Some(end) = setting.iter().position(|byte| *byte == b'\n') else { continue };
        let (key, path) = (String::from_utf8_lossy(&setting[..end]), bytes_path(&setting[end + 1..]));
        let Some(name) = key.strip_prefix("submodule.").and_then(|key| key.strip_suffix(".path")) else { continue };
        let key = format!("submodule.{name}.url");
        // Named in .gitmodules, but not part of this commit.
        let Some(url) = git().ask(["config", "--get", &key])? else { continue };
        let here = known.filter(|_| name.parse::<SubPath>().is_ok()).map(|folder| folder.join(name));
        let here = here.filter(|folder| folder.join("HEAD").is_file());
        if let Some(here) = &here {
            git().run([OsStr::new("config"), OsStr::new(&key), here.as_os_str()])?;
        }
        inner.push((tree.join(path), here, url.text()));
    }
    git()
        .remote()
        .run(["submodule", "--quiet", "update", "--force"])
        .map_err(|error: Error| error.context("cannot check out the submodules"))?;
    for (folder, here, url) in inner {
        if !folder.join(".git").symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        // Relative addresses of nested submodules are relative to the real one.
        Git::new(&folder).run(["remote", "set-url", "origin", &url])?;
        fill_level(&folder, mirror, here.map(|folder| folder.join("modules")).as_deref())?;
    }
    Ok(())
}
