//! Branches and tags: asked of a repository, looked up in the mirror, written for slots.

use std::path::Path;

use super::git::{Git, library};
use super::mirror::{SLOT_REFS, replace};
use crate::error::{Code, Error, Result};
use crate::model::{CommitId, RefName, nearest};

/// Asks a repository on this machine, where branches and HEAD are what the user sees.
pub(super) fn ask_local(path: &Path, name: &RefName) -> Result<CommitId> {
    let wanted = format!("{name}^{{commit}}");
    match Git::new(path).run(["rev-parse", "--verify", "--end-of-options", &wanted]) {
        Ok(output) => output.text().parse(),
        Err(error) if error.code() == Code::GitFailed => {
            let list = ["for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags"];
            let known = Git::new(path).run(list)?.text();
            Err(unknown(name, known.lines()))
        }
        Err(error) => Err(error),
    }
}

/// Looks in the mirror, as it was fetched last.
pub(super) fn look_up(mirror: &git2::Repository, name: &RefName) -> Result<CommitId> {
    let commit = mirror.revparse_single(name.as_str()).and_then(|object| object.peel_to_commit());
    if let Ok(commit) = commit {
        return commit.id().to_string().parse();
    }
    let mut known = Vec::new();
    for pattern in ["refs/heads/*", "refs/tags/*"] {
        let references = mirror.references_glob(pattern).map_err(library("list the refs"))?;
        known.extend(references.flatten().filter_map(|reference| reference.shorthand().ok().map(str::to_owned)));
    }
    Err(unknown(name, known.iter().map(String::as_str)))
}

fn unknown<'a>(name: &RefName, known: impl IntoIterator<Item = &'a str>) -> Error {
    let error = Error::not_found(format!("the repository has no ref {name}"));
    match nearest(name.as_str(), known) {
        Some(other) => error.hint(format!("did you mean {other}?")),
        None => error.hint("give a branch, a tag or a commit id that the repository has"),
    }
}

/// The branches and tags of a repository on this machine, to see whether anything moved.
pub(super) fn list_refs(path: &Path) -> Result<Vec<u8>> {
    let list = ["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags"];
    Ok(Git::new(path).run(list)?.stdout)
}

/// Writes the branches, as those of `origin`, and the tags in the format of git's `packed-refs`.
pub(super) fn publish_refs(repository: &Path) -> Result<()> {
    let format = "--format=%(objectname) %(refname) %(*objectname)";
    let listed = Git::new(repository).run(["for-each-ref", format, "refs/heads", "refs/tags"])?;
    let mut packed = Vec::with_capacity(listed.stdout.len());
    for line in listed.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let mut fields = line.splitn(3, |byte| *byte == b' ');
        let (Some(id), Some(name)) = (fields.next(), fields.next()) else { continue };
        packed.extend_from_slice(id);
        packed.push(b' ');
        match name.strip_prefix(b"refs/heads/") {
            Some(branch) => packed.extend([b"refs/remotes/origin/", branch].concat()),
            None => packed.extend_from_slice(name),
        }
        packed.push(b'\n');
        if let Some(peeled) = fields.next().filter(|peeled| !peeled.is_empty()) {
            packed.push(b'^');
            packed.extend_from_slice(peeled);
            packed.push(b'\n');
        }
    }
    replace(&repository.join(SLOT_REFS), &packed)
}
