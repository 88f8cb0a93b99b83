//! Which untracked paths survive in a slot.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::snapshot::bytes_path;
use crate::error::{Error, Result};
use crate::model::GLOB_LIMIT;

/// Patterns relative to the top of the repository; `*` stays inside a folder, `**` does not.
pub(super) struct Keep {
    whole: GlobSet,
    parts: Vec<Vec<Part>>,
}

/// One folder's worth of a pattern.
enum Part {
    Any,
    One(GlobSet),
}

impl Keep {
    /// From patterns such as `target` or `**/node_modules`.
    pub fn new(patterns: &[String]) -> Result<Self> {
        let bad = |pattern: &str, why: &dyn std::fmt::Display| {
            Error::invalid(format!("keep holds {pattern:?}, which is no pattern: {why}"))
                .hint("use paths with *, ** and ?, relative to the subproject, such as target or **/build")
        };
        let build = |pattern: &str| -> Result<Glob> {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            glob.map_err(|error| bad(pattern, error.kind()))
        };
        // A set of one: a matcher panics where the expression that a glob becomes is nested too deep.
        let one = |name: &str| -> Result<GlobSet> {
            let set = GlobSet::builder().add(build(name)?).build();
            set.map_err(|error| bad(name, error.kind()))
        };
        let mut whole = GlobSetBuilder::new();
        let mut parts = Vec::new();
        for pattern in patterns {
            let names = pattern.split('/').filter(|part| !matches!(*part, "" | "."));
            let names: Vec<&str> = names.collect();
            if names.is_empty() || names.contains(&"..") {
                continue;
            }
            if pattern.len() > GLOB_LIMIT {
                return Err(Error::invalid(format!("a pattern of keep has {} characters", pattern.len()))
                    .hint(format!("{GLOB_LIMIT} are the most; use several shorter ones")));
            }
            whole.add(build(&names.join("/"))?);
            let pieces = names.iter().map(|name| match *name {
                "**" => Ok(Part::Any),
                name => Ok(Part::One(one(name)?)),
            });
            parts.push(pieces.collect::<Result<_>>()?);
        }
        let whole = whole.build().map_err(|error| Error::invalid(format!("keep cannot be used: {error}")))?;
        Ok(Self { whole, parts })
    }

    /// Whether this path is one of them.
    pub fn holds(&self, path: &[u8]) -> bool {
        self.whole.is_match(bytes_path(path))
    }

    /// Whether something below this folder may be one of them.
    pub fn reaches_below(&self, folder: &[u8]) -> bool {
        self.parts.iter().any(|parts| {
            let mut parts = parts.iter();
            for name in folder.split(|byte| *byte == b'/') {
                match parts.next() {
                    Some(Part::Any) => return true,
                    Some(Part::One(matcher)) if matcher.is_match(bytes_path(name)) => {}
                    _ => return false,
                }
            }
            parts.next().is_some()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_folders_and_what_leads_to_them() {
        let keep = Keep::new(&["target".into(), "vendor/bundle/".into(), "**/node_modules".into()]).unwrap();
        assert!(keep.holds(b"target") && !keep.holds(b"a/target") && !keep.holds(b"target/x"));
        assert!(keep.holds(b"vendor/bundle") && keep.holds(b"node_modules") && keep.holds(b"a/b/node_modules"));
        let keep = Keep::new(&["vendor/bundle".into()]).unwrap();
        assert!(keep.reaches_below(b"vendor") && !keep.reaches_below(b"vendor/bundle") && !keep.reaches_below(b"x"));
        let keep = Keep::new(&["**/x".into()]).unwrap();
        assert!(keep.reaches_below(b"a/b\xff"));
        assert!(Keep::new(&["[".into()]).is_err());
        assert!(!Keep::new(&["..".into(), String::new(), ".".into()]).unwrap().holds(b""));
    }
}
