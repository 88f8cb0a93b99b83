//! The files of a checkout by folder, and which of the folders can hold a subproject.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::Tree;
use crate::model::GLOB_LIMIT;

/// Folders of other people's code and of what tools put down.
const NOT_OURS: [&str; 17] = [
    "vendor",
    "vendored",
    "third_party",
    "third-party",
    "thirdparty",
    "3rdparty",
    "external",
    "node_modules",
    "bower_components",
    "jspm_packages",
    "site-packages",
    "venv",
    "virtualenv",
    "Pods",
    "Carthage",
    "target",
    "__pycache__",
];

/// Folders whose manifests are there to be looked at, copied or fed to a test.
const NOT_PROJECTS: [&str; 27] = [
    "example",
    "examples",
    "_examples",
    "sample",
    "samples",
    "demo",
    "demos",
    "testdata",
    "test-data",
    "test_data",
    "testassets",
    "fixture",
    "fixtures",
    "__fixtures__",
    "test-fixtures",
    "test_fixtures",
    "snapshots",
    "__snapshots__",
    "template",
    "templates",
    "doc",
    "docs",
    "documentation",
    "tutorial",
    "tutorials",
    "archetype-resources",
    "dist",
];

/// Folders that hold tests. What lies a further level down in them is what the tests work on.
const TESTS: [&str; 5] = ["test", "tests", "testing", "spec", "__tests__"];

/// How many patterns of a manifest are looked at, and how many files where some are sampled.
pub(super) const ENOUGH: usize = 256;

/// An index over a [`Tree`]. A folder is written without a slash at its end; the root is the empty string.
pub(super) struct Checkout<'a> {
    tree: &'a dyn Tree,
    /// Every folder with its files' names.
    folders: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Those that can hold a subproject.
    candidates: BTreeSet<&'a str>,
}

impl<'a> Checkout<'a> {
    pub fn new(tree: &'a dyn Tree) -> Self {
        let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for path in tree.files() {
            let (mut folder, name) = split(path);
            folders.entry(folder).or_default().insert(name);
            // A folder of folders is one too.
            while !folder.is_empty() {
                folder = split(folder).0;
                if folders.contains_key(folder) {
                    break;
                }
                folders.insert(folder, BTreeSet::new());
            }
        }
        let candidates = folders.keys().copied().filter(|folder| can_hold_a_subproject(folder)).collect();
        Self { tree, folders, candidates }
    }

    /// The folders that can hold a subproject, parents before what they hold.
    pub fn folders(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.candidates.iter().copied()
    }

    pub fn can_hold_a_subproject(&self, folder: &str) -> bool {
        self.candidates.contains(folder)
    }

    /// Those of them that have a file of this name.
    pub fn folders_with(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.folders().filter(move |folder| self.has(folder, name))
    }

    /// Whether the folder has this file; `path` may lead further down.
    pub fn has(&self, folder: &str, path: &str) -> bool {
        let path = join(folder, path);
        let (folder, name) = split(&path);
        self.folders.get(folder).is_some_and(|names| names.contains(name))
    }

    /// The first of these files that the folder has.
    pub fn first<'n>(&self, folder: &str, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.has(folder, name))
    }

    /// The names of the files right in the folder, in order.
    pub fn names(&self, folder: &str) -> impl Iterator<Item = &'a str> {
        self.folders.get(folder).into_iter().flatten().copied()
    }

    /// The files in the folder and below it as (folder, name), other people's code left out.
    pub fn below<'s>(&'s self, folder: &str) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a, 's> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let own = self.folders.get_key_value(folder);
        let inner = self.folders.range::<str, _>((Bound::Excluded(prefix.as_str()), Bound::Unbounded));
        own.into_iter()
            .chain(inner.take_while(move |(inner, _)| inner.starts_with(&prefix)))
            .filter(|(inner, _)| !inner.split('/').any(is_foreign))
            .flat_map(|(inner, names)| names.iter().map(move |name| (*inner, *name)))
    }

    pub fn read(&self, folder: &str, name: &str) -> Option<String> {
        if !self.has(folder, name) {
            return None;
        }
        let text = self.tree.read(&join(folder, name))?;
        // Windows editors put a byte order mark before it, which is no part of TOML or JSON.
        Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
    }

    pub fn toml(&self, folder: &str, name: &str) -> Option<toml::Table> {
        self.read(folder, name)?.parse().ok()
    }

    pub fn json(&self, folder: &str, name: &str) -> Option<serde_json::Value> {
        serde_json::from_str(&self.read(folder, name)?).ok()
    }

    pub fn is_executable(&self, folder: &str, name: &str) -> bool {
        self.tree.is_executable(&join(folder, name))
    }
}

/// The folder, its parent, and so on to the root.
pub(super) fn upward(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |folder| (!folder.is_empty()).then(|| split(folder).0))
}

/// Whether the folder is one of these or lies in one.
pub(super) fn lies_in(folder: &str, outer: &BTreeSet<&str>) -> bool {
    upward(folder).any(|folder| outer.contains(folder))
}

/// Whether `folder` is `outer` or lies in it.
pub(super) fn is_within(folder: &str, outer: &str) -> bool {
    outer.is_empty() || folder.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// `path` as seen from `outer`, which it lies in; `.` for `outer` itself.
pub(super) fn relative<'p>(path: &'p str, outer: &str) -> &'p str {
    match path.strip_prefix(outer).map(|rest| rest.trim_start_matches('/')) {
        Some("") => ".",
        Some(rest) => rest,
        None => path,
    }
}

/// `name` in `folder`.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// What `path`, written in a manifest of `folder`, leads to, unless that is outside the project.
pub(super) fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The folders that a manifest's patterns name, such as a workspace's members.
pub(super) fn patterns<'p>(folder: &str, patterns: impl IntoIterator<Item = &'p str>) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns.into_iter().take(ENOUGH) {
        let Some(pattern) = resolve(folder, pattern).filter(|pattern| pattern.len() <= GLOB_LIMIT) else { continue };
        if let Ok(glob) = GlobBuilder::new(&pattern).literal_separator(true).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_else(|_| GlobSet::empty())
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn is_foreign(part: &str) -> bool {
    part.starts_with('.') || NOT_OURS.contains(&part)
}

fn can_hold_a_subproject(folder: &str) -> bool {
    if folder.is_empty() {
        return true;
    }
    let parts: Vec<&str> = folder.split('/').collect();
    // `{{cookiecutter.name}}` and its like are templates, whatever their parent is called.
    let named_so = |part: &str| is_foreign(part) || NOT_PROJECTS.contains(&part) || part.contains("{{");
    if parts.iter().any(|part| named_so(part)) {
        return false;
    }
    // tests/e2e may have a manifest of its own; tests/data/project is what a test works on.
    match parts.iter().position(|part| TESTS.contains(part)) {
        Some(tests) => parts.len() <= tests + 2 && parts.last() != Some(&"resources"),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_others_hold_no_subprojects() {
        for folder in ["", "a", "a/b", "crates/x", "tests", "tests/e2e", "packages/vendor-sdk", "build"] {
            assert!(can_hold_a_subproject(folder), "{folder}");
        }
        for folder in [
            "vendor/x",
            "a/node_modules/b",
            ".github",
            "a/.hidden/b",
            "examples/hello",
            "tests/fixtures",
            "tests/data/project",
            "src/test/resources",
            "templates/app",
            "x/{{cookiecutter.name}}",
            "docs",
        ] {
            assert!(!can_hold_a_subproject(folder), "{folder}");
        }
    }

    #[test]
    fn paths_of_manifests_stay_inside() {
        assert_eq!(resolve("a/b", "../c/./d/").as_deref(), Some("a/c/d"));
        assert_eq!(resolve("a", "..").as_deref(), Some(""));
        assert_eq!(resolve("a", "../../c"), None);
        assert!(is_within("a/b", "a") && is_within("a", "a") && is_within("a", "") && !is_within("a-b", "a"));
        assert_eq!(upward("a/b").collect::<Vec<_>>(), ["a/b", "a", ""]);
        assert_eq!(relative("a/b/c", "a"), "b/c");
        assert_eq!(relative("a", "a"), ".");
    }
}
