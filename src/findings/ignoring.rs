//! Which findings nobody needs to see: those that a suppression follows, and those that `crafting.toml` names.

use std::collections::{HashMap, HashSet};

use globset::GlobSet;

use crate::error::Result;
use crate::model::{IgnoreRule, Kind, Sighting, code_glob, path_glob};

/// What a suppression's finding was called last.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// The suppression.
    pub suppression: i64,
    /// The 64 bits of the fingerprint.
    pub fingerprint: u64,
    /// See [`crate::model::Finding::context_hash`].
    pub context_hash: Option<u64>,
}

/// Finds the findings of suppressions that did not come along with the baseline's: on another branch, of another
/// recipe, or of one that was fixed and is back. The same line of source is asked first, then the same fingerprint. A
/// suppression holds for one finding of a job: a second one at the place that the first has left is not the same.
pub fn recognise(names: &[Name], current: &mut [Sighting]) {
    let mut taken: HashSet<i64> = current.iter().filter_map(|finding| finding.suppression).collect();
    let mut pass = |key: &dyn Fn(&Name) -> Option<u64>, of: &dyn Fn(&Sighting) -> Option<u64>| {
        let open = names.iter().filter(|name| !taken.contains(&name.suppression));
        let open: HashMap<u64, i64> = open.filter_map(|name| Some((key(name)?, name.suppression))).collect();
        if open.is_empty() {
            return;
        }
        for finding in current.iter_mut().filter(|finding| finding.suppression.is_none()) {
            let found = of(finding).and_then(|key| open.get(&key)).copied();
            finding.suppression = found.filter(|suppression| taken.insert(*suppression));
        }
    };
    pass(&|name| name.context_hash, &|finding| finding.context_hash);
    pass(&|name| Some(name.fingerprint), &|finding| Some(finding.fingerprint));
}

/// The `[[ignore]]` tables of a `crafting.toml`.
pub struct Rules<'a>(Vec<Rule<'a>>);

struct Rule<'a> {
    rule: &'a IgnoreRule,
    code: Option<GlobSet>,
    path: Option<GlobSet>,
}

impl<'a> Rules<'a> {
    /// An error if a pattern is none; those that were read from a file are.
    pub fn new(rules: &'a [IgnoreRule]) -> Result<Self> {
        let rule = |rule: &'a IgnoreRule| {
            Ok(Rule {
                rule,
                code: rule.code.as_deref().map(code_glob).transpose()?,
                path: rule.path.as_deref().map(path_glob).transpose()?,
            })
        };
        rules.iter().map(rule).collect::<Result<_>>().map(Self)
    }

    /// The first one that names such a finding.
    pub fn first(&self, kind: Kind, code: &str, file: Option<&str>) -> Option<&'a IgnoreRule> {
        let names = |rule: &&Rule<'_>| {
            // A code may hold what means something in a glob: `test[a]`.
            let same = |glob: &GlobSet| rule.rule.code.as_deref() == Some(code) || glob.is_match(code);
            rule.rule.kind.is_none_or(|wanted| wanted == kind)
                && rule.code.as_ref().is_none_or(same)
                && rule.path.as_ref().is_none_or(|glob| file.is_some_and(|file| glob.is_match(file)))
        };
        self.0.iter().find(names).map(|rule| rule.rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(code: Option<&str>, path: Option<&str>) -> IgnoreRule {
        let text = |text: Option<&str>| text.map(str::to_owned);
        IgnoreRule { code: text(code), path: text(path), kind: None, reason: "x".to_owned(), until: None }
    }

    fn seen(line: u32, context: u64, suppression: Option<i64>) -> Sighting {
        Sighting {
            id: 0,
            kind: Kind::Lint,
            file: Some("a.py".into()),
            line: Some(line),
            column: None,
            code: "F401".into(),
            fingerprint: u64::from(line),
            context_hash: Some(context),
            first_seen_job: None,
            is_new: true,
            suppression,
            ignored: false,
        }
    }

    #[test]
    fn a_suppression_holds_for_one_finding_of_a_job() {
        let name = Name { suppression: 7, fingerprint: 10, context_hash: Some(1) };
        let recognised = |mut current: Vec<Sighting>| {
            recognise(&[name], &mut current);
            current.iter().map(|finding| finding.suppression).collect::<Vec<_>>()
        };
        // Its line went on with the baseline: what stands at its old place is another one.
        assert_eq!(recognised(vec![seen(10, 2, None), seen(15, 3, Some(7))]), [None, Some(7)]);
        assert_eq!(recognised(vec![seen(10, 2, None), seen(15, 1, None)]), [None, Some(7)], "the text comes first");
        assert_eq!(recognised(vec![seen(10, 2, None), seen(15, 3, None)]), [Some(7), None]);
        assert_eq!(recognised(vec![seen(9, 1, None), seen(15, 1, None)]), [Some(7), None]);
    }

    #[test]
    fn rules_name_codes_and_files() {
        let rules = [
            rule(Some("clippy::*"), None),
            rule(None, Some("vendor/")),
            rule(Some("F401"), Some("*/__init__.py")),
            IgnoreRule { kind: Some(Kind::Cve), ..rule(Some("GHSA-*"), None) },
            rule(Some("test_a.py::test[1-2]"), None),
        ];
        let rules = Rules::new(&rules).unwrap();
        let ignored = |kind, code, file| rules.first(kind, code, file).is_some();
        assert!(ignored(Kind::Lint, "clippy::needless_return", None));
        assert!(!ignored(Kind::Lint, "dead_code", Some("src/a.rs")));
        assert!(ignored(Kind::Lint, "dead_code", Some("vendor/a/b.rs")));
        assert!(!ignored(Kind::Lint, "dead_code", Some("a/vendor/b.rs")));
        assert!(ignored(Kind::Lint, "F401", Some("a/__init__.py")));
        assert!(!ignored(Kind::Lint, "F401", Some("a/b/__init__.py")) && !ignored(Kind::Lint, "F401", None));
        assert!(ignored(Kind::Cve, "GHSA-1", None) && !ignored(Kind::Lint, "GHSA-1", None));
        assert!(ignored(Kind::TestFail, "test_a.py::test[1-2]", None));
    }
}
