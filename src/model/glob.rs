//! Patterns for files and codes.

use globset::{GlobBuilder, GlobSet};

use crate::error::{Error, Result};

/// Bytes of any pattern. Its braces may be nested, and compiling it goes as deep as they do.
pub const GLOB_LIMIT: usize = 1000;

/// A pattern for paths relative to the project's root: `*` stays inside a folder, `**` does not. One that ends in a
/// folder's name means everything in that folder.
pub fn path_glob(pattern: &str) -> Result<GlobSet> {
    let whole = pattern.strip_prefix("./").unwrap_or(pattern);
    let (folders, name) = whole.rsplit_once('/').unwrap_or(("", whole));
    let whole = match name {
        "" if folders.is_empty() => whole.to_owned(),
        "" => format!("{whole}**"),
        // Whether this is a file's name or a folder's, nobody knows here. Where it is a pattern, it says itself how deep.
        name if !name.contains(['*', '?', '[', ']', '{', '}', '\\']) => format!("{whole}{{,/**}}"),
        _ => whole.to_owned(),
    };
    let mut builder = GlobBuilder::new(&whole);
    compiled(
        builder.literal_separator(true).empty_alternates(true),
        pattern,
        "use *, ?, [a-z] and ** as in src/**/*.rs",
    )
}

/// A pattern for codes: `*` is anything.
pub fn code_glob(pattern: &str) -> Result<GlobSet> {
    let hint = "use *, ? and [a-z] as in clippy::*; a lone [ is written [[]";
    compiled(&GlobBuilder::new(pattern), pattern, hint)
}

fn compiled(builder: &GlobBuilder<'_>, pattern: &str, hint: &str) -> Result<GlobSet> {
    if pattern.len() > GLOB_LIMIT {
        return Err(Error::invalid(format!("a glob of {} characters is too long", pattern.len()))
            .hint(format!("{GLOB_LIMIT} are the most; use several shorter ones")));
    }
    // A set of one: a matcher panics where the expression that a glob becomes is nested too deep, or too large.
    let glob = builder.build().and_then(|glob| GlobSet::builder().add(glob).build());
    glob.map_err(|error| Error::invalid(format!("{pattern:?} is not a glob: {}", error.kind())).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_from_a_repository_are_bounded() {
        let nested = |depth: usize| "{".repeat(depth) + "a" + &"}".repeat(depth);
        for (depth, is_glob) in [(1, true), (20, true), (499, false), (500_000, false)] {
            for glob in [path_glob(&nested(depth)), code_glob(&nested(depth))] {
                assert_eq!(glob.is_ok(), is_glob, "{depth}");
            }
        }
    }

    #[test]
    fn a_folders_name_means_what_is_in_it() {
        let matching = |pattern: &str| {
            let glob = path_glob(pattern).unwrap();
            ["src", "src/a.rs", "src/b/c.rs", "srcs/a.rs"]
                .into_iter()
                .filter(|path| glob.is_match(path))
                .collect::<Vec<_>>()
        };
        assert_eq!(matching("src"), ["src", "src/a.rs", "src/b/c.rs"]);
        assert_eq!(matching("./src/"), ["src/a.rs", "src/b/c.rs"]);
        assert_eq!(matching("src/*"), ["src/a.rs"], "a star stays inside its folder");
        assert_eq!(matching("src/**"), ["src/a.rs", "src/b/c.rs"]);
        assert_eq!(matching("**/b"), ["src/b/c.rs"]);
        assert_eq!(matching("src/a.rs"), ["src/a.rs"]);
        assert!(matching("").is_empty());
    }

    #[test]
    fn what_is_no_pattern_is_refused_as_it_was_written() {
        for bad in ["[", "{a", "a\\"] {
            let error = path_glob(bad).unwrap_err().to_string();
            assert!(error.contains(&format!("{bad:?} is not a glob")), "{error}");
        }
    }
}
