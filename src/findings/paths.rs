//! Paths as tools print them, and the same relative to the project's root.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::model::SubPath;

/// Answers remembered; a log that prints more different paths asks the disk again.
const CACHE_LIMIT: usize = 100_000;

/// Maps the paths that a job's tools print. Every way to spell the checkout's top is known, and every folder that
/// tools take their relative paths from: the subproject's, the project's root and the repository's top.
#[derive(Debug)]
pub struct PathMap {
    /// Spellings of the repository's top, the longest first.
    tops: Vec<PathBuf>,
    checkout: PathBuf,
    root: PathBuf,
    subproject: PathBuf,
    cache: RefCell<HashMap<String, Option<String>>>,
}

impl PathMap {
    /// `checkout` is the repository's top in the slot; `root` (the project's) and `subproject_dir` are relative to it;
    /// `aliases` are other spellings of `checkout`, such as the job's own link. Symbolic links are followed too.
    pub fn new(checkout: &Path, root: &SubPath, subproject_dir: &SubPath, aliases: Vec<PathBuf>) -> Self {
        let mut tops = aliases;
        tops.push(checkout.to_owned());
        tops.extend(checkout.canonicalize());
        tops.sort_by_key(|top| std::cmp::Reverse(top.as_os_str().len()));
        tops.dedup();
        Self {
            tops,
            checkout: checkout.to_owned(),
            root: relative(root),
            subproject: relative(subproject_dir),
            cache: RefCell::default(),
        }
    }

    /// The path relative to the project's root, with `/` between folders; none if it lies outside, as the files of
    /// libraries and toolchains do.
    pub fn map(&self, printed: &str) -> Option<String> {
        if let Some(known) = self.cache.borrow().get(printed) {
            return known.clone();
        }
        let mapped = self.find(printed);
        let mut cache = self.cache.borrow_mut();
        if cache.len() >= CACHE_LIMIT {
            cache.clear();
        }
        cache.insert(printed.to_owned(), mapped.clone());
        mapped
    }

    fn find(&self, printed: &str) -> Option<String> {
        let printed = printed.trim();
        let decoded = printed.strip_prefix("file://").map(percent_decoded);
        let path = Path::new(decoded.as_deref().unwrap_or(printed));
        if path.as_os_str().is_empty() || printed.starts_with('<') || printed.contains('\0') {
            return None;
        }
        if path.is_absolute() {
            // Clean first: `/slot/../else` is not in the slot.
            let path = clean(path)?;
            return self.tops.iter().find_map(|top| self.in_project(path.strip_prefix(top).ok()?));
        }
        // cargo prints what is relative to its workspace, which may be above the subproject.
        let bases = [self.subproject.as_path(), self.root.as_path(), Path::new("")];
        let candidates = bases.iter().filter_map(|base| clean(&base.join(path)));
        let existing = candidates.into_iter().find(|candidate| self.checkout.join(candidate).is_file());
        let path = match existing {
            Some(path) => path,
            // A bare name that is in none of the places may be in any folder, as with `go test`'s.
            None if path.components().count() == 1 => return None,
            None => clean(&self.subproject.join(path))?,
        };
        self.in_project(&path)
    }

    /// From relative to the repository's top to relative to the project's root.
    fn in_project(&self, path: &Path) -> Option<String> {
        let path = path.strip_prefix(&self.root).ok()?;
        // Dependencies are often unpacked inside the checkout, and are still not the project's.
        let foreign = path
            .components()
            .any(|part| matches!(part.as_os_str().to_str(), Some("site-packages" | "dist-packages" | "node_modules")));
        let text = path.to_str()?;
        (!foreign && !text.is_empty()).then(|| text.to_owned())
    }
}

fn relative(path: &SubPath) -> PathBuf {
    if path.is_root() { PathBuf::new() } else { PathBuf::from(path.as_str()) }
}

/// Without `.` and `..`; none if it leads above its start.
fn clean(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !clean.pop() {
                    return None;
                }
            }
            part => clean.push(part),
        }
    }
    Some(clean)
}

/// The path of a `file://` address (RFC 8089): without its host, `%20` and the like decoded.
fn percent_decoded(address: &str) -> String {
    let path = address.find('/').map_or(address, |at| &address[at..]);
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn checkout() -> (tempfile::TempDir, PathMap) {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("slot-1");
        for file in ["api/crates/a/src/lib.rs", "api/src/main.rs", "api/crates/a/src/main.rs", "other/x.rs"] {
            fs::create_dir_all(top.join(file).parent().unwrap()).unwrap();
            fs::write(top.join(file), "").unwrap();
        }
        std::os::unix::fs::symlink(&top, folder.path().join("job")).unwrap();
        let aliases = vec![folder.path().join("job")];
        let map = PathMap::new(&top, &"api".parse().unwrap(), &"api/crates/a".parse().unwrap(), aliases);
        (folder, map)
    }

    #[test]
    fn every_spelling_is_the_same_path() {
        let (folder, map) = checkout();
        let top = folder.path().display().to_string();
        for printed in [
            "src/lib.rs".to_owned(),
            "./src/lib.rs".to_owned(),
            "tests/../src/lib.rs".to_owned(),
            "crates/a/src/lib.rs".to_owned(),
            "api/crates/a/src/lib.rs".to_owned(),
            format!("{top}/slot-1/api/crates/a/src/lib.rs"),
            format!("{top}/job/api/crates/a/src/lib.rs"),
            format!("{top}/slot-1/other/../api/crates/a/./src/lib.rs"),
            format!("file://{top}/slot-1/api/crates/a/src/lib%2Ers"),
        ] {
            assert_eq!(map.map(&printed).as_deref(), Some("crates/a/src/lib.rs"), "{printed}");
        }
        // The subproject's own file is preferred; a file that is gone is taken to be the subproject's.
        assert_eq!(map.map("src/main.rs").as_deref(), Some("crates/a/src/main.rs"));
        assert_eq!(map.map("../../src/main.rs").as_deref(), Some("src/main.rs"));
        assert_eq!(map.map("src/gone.rs").as_deref(), Some("crates/a/src/gone.rs"));
        assert_eq!(map.map("gone.rs"), None);
    }

    #[test]
    fn what_is_not_the_projects_has_no_path() {
        let (folder, map) = checkout();
        let top = folder.path().display().to_string();
        for printed in [
            "/rustc/abc/library/core/src/panicking.rs".to_owned(),
            "/home/u/.cargo/registry/src/x/lib.rs".to_owned(),
            "../../../../../../etc/passwd".to_owned(),
            ".venv/lib/python3.11/site-packages/a.py".to_owned(),
            "<frozen importlib._bootstrap>".to_owned(),
            String::new(),
            format!("{top}/slot-10/api/src/main.rs"),
            format!("{top}/slot-1/other/x.rs"),
            format!("{top}/slot-1/api/../../x.rs"),
            format!("{top}/slot-1/api"),
        ] {
            assert_eq!(map.map(&printed), None, "{printed}");
        }
    }
}
