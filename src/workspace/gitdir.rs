//! A slot's own `.git`: made anew for every job, so that nothing that a recipe does to it outlives the job or reaches
//! the mirror, whose objects it only borrows.

use std::fs;
use std::path::Path;

use super::mirror::{Mirror, SETTINGS, SLOT_REFS};
use super::snapshot::quoted;
use super::trash::remove_tree;
use super::uploads;
use crate::error::{IoContext, Result};
use crate::model::CommitId;

/// Makes `<slot>/.git`, detached at a commit, with the project's branches as those of `origin`, and its tags.
pub(super) fn lay(slot: &Path, mirror: &Mirror, sha: &CommitId) -> Result<()> {
    let folder = slot.join(".git");
    remove_tree(&folder).on("remove", &folder)?;
    for name in ["objects/info", "refs", "info"] {
        let path = folder.join(name);
        fs::create_dir_all(&path).on("create the folder", &path)?;
    }
    let settings = fs::read_to_string(mirror.path().join(SETTINGS)).unwrap_or_default();
    let url = quoted(mirror.url().as_str());
    let config = format!(
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n\
         [advice]\n\tdetachedHead = false\n\
         [remote \"origin\"]\n\turl = \"{url}\"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n{settings}"
    );
    let mut alternates = Vec::new();
    let stores = uploads::stores_of(mirror.project_folder(), sha);
    for place in [mirror.path()].into_iter().chain(stores.iter().map(std::path::PathBuf::as_path)) {
        alternates.extend([place.join("objects").as_os_str().as_encoded_bytes(), b"\n"].concat());
    }
    for (name, content) in [
        ("config", config.as_bytes()),
        ("objects/info/alternates", alternates.as_slice()),
        ("HEAD", format!("{sha}\n").as_bytes()),
    ] {
        let path = folder.join(name);
        fs::write(&path, content).on("write", &path)?;
    }
    for (from, to) in [(SLOT_REFS, "packed-refs"), ("info/attributes", "info/attributes"), ("shallow", "shallow")] {
        let (from, to) = (mirror.path().join(from), folder.join(to));
        if from.is_file() {
            fs::copy(&from, &to).on("write", &to)?;
        }
    }
    Ok(())
}
