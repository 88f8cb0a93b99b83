//! One advisory has many names: what is RUSTSEC-2020-0071 in one database is CVE-2020-26235 in another and a GHSA in a
//! third. Two tools in one log, or one tool with two sources, tell it twice.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::model::{Diagnostic, Kind};

/// Names that are remembered. A log with more advisories may tell one twice.
const LIMIT: usize = 200_000;
/// Files that are remembered of one name and package.
const FILES_LIMIT: usize = 100;

/// The code of what an audit could not check, which is about no advisory.
const NOT_CHECKED: &str = "not_checked";

/// The advisories that were told, by name and package, with the files that they were told of.
#[derive(Default)]
pub(super) struct Advisories {
    told: HashMap<u64, Vec<Option<u64>>>,
}

impl Advisories {
    /// Whether an advisory was told under any of its names before, about the same package, and of the same file or of
    /// none.
    pub fn is_told(&mut self, found: &Diagnostic) -> bool {
        if found.kind != Kind::Cve || found.code.starts_with(NOT_CHECKED) {
            return false;
        }
        let package = found.message.split([' ', ':']).next().unwrap_or_default().to_lowercase();
        let file = found.file.as_deref().map(hash);
        let names: Vec<u64> = std::iter::once(&found.code)
            .chain(&found.aliases)
            .map(|name| hash(&(name.to_lowercase(), &package)))
            .collect();
        let same = |other: &Option<u64>| *other == file || other.is_none() || file.is_none();
        let is_told = names.iter().any(|name| self.told.get(name).is_some_and(|files| files.iter().any(same)));
        // The names of what is left out count too: it may be the one that links two others.
        for name in names {
            if self.told.len() >= LIMIT && !self.told.contains_key(&name) {
                continue;
            }
            let files = self.told.entry(name).or_default();
            if files.len() < FILES_LIMIT && !files.contains(&file) {
                files.push(file);
            }
        }
        is_told
    }
}

fn hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    fn advisory(code: &str, aliases: &[&str], message: &str, file: Option<&str>) -> Diagnostic {
        Diagnostic {
            file: file.map(str::to_owned),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            ..Diagnostic::new("audit", Kind::Cve, Severity::Error, code, message)
        }
    }

    #[test]
    fn an_advisory_is_told_once_whatever_its_name() {
        let mut advisories = Advisories::default();
        for (code, aliases, message, file, is_told) in [
            ("RUSTSEC-2020-0071", &["CVE-2020-26235"][..], "time 0.1.43: segfault", Some("Cargo.lock"), false),
            // By its alias, in other letters, without a file.
            ("cve-2020-26235", &["GHSA-wcg3-cvx6-7396"], "time 0.1.43: unsound", None, true),
            // By what that one called it.
            ("GHSA-WCG3-CVX6-7396", &[], "time: unsound", Some("Cargo.lock"), true),
            // Another package, another file.
            ("CVE-2020-26235", &[], "chrono 0.4.19: segfault", Some("Cargo.lock"), false),
            ("PYSEC-1", &[], "a 1: x", Some("a.txt"), false),
            ("PYSEC-1", &[], "a 1: x", Some("b.txt"), false),
            ("CVE-1", &["PYSEC-1"], "a 1: x", Some("b.txt"), true),
            // What was not checked is no advisory.
            ("not_checked", &[], "a could not be checked", None, false),
            ("not_checked", &[], "a has no lock file", None, false),
        ] {
            assert_eq!(
                advisories.is_told(&advisory(code, aliases, message, file)),
                is_told,
                "{code} {message} {file:?}"
            );
        }
        let lint = Diagnostic::new("ruff", Kind::Lint, Severity::Warn, "PYSEC-1", "a 1: x");
        assert!(!advisories.is_told(&lint));
    }

    #[test]
    fn memory_is_bounded() {
        let mut advisories = Advisories::default();
        for number in 0..LIMIT + 1000 {
            advisories.is_told(&advisory(&format!("CVE-{number}"), &[], "a 1: x", None));
        }
        for number in 0..1000 {
            advisories.is_told(&advisory("CVE-1", &[], "b 1: x", Some(&number.to_string())));
        }
        assert!(advisories.told.len() <= LIMIT);
        assert!(advisories.told.values().all(|files| files.len() <= FILES_LIMIT));
    }
}
