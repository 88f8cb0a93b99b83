//! Patterns for files and codes.

use globset::{GlobBuilder, GlobMatcher};

use crate::error::{Error, Result};

/// A pattern for paths relative to the project's root: `*` stays inside a folder, `**` does not. One that ends in a
/// folder's name means everything in that folder.
pub fn path_glob(pattern: &str) -> Result<GlobMatcher> {
    let whole = pattern.strip_prefix("./").unwrap_or(pattern);
    let (folders, name) = whole.rsplit_once('/').unwrap_or(("", whole));
    let whole = match name {
        "" if folders.is_empty() => whole.to_owned(),
        "" => format!("{whole}**"),
        // Whether this is a file's name or a folder's, nobody knows here. Where it is a pattern, it says itself how deep.
        name if !name.contains(['*', '?', '[', ']', '{', '}', '\\']) => format!("{whole}{{,/**}}"),
        _ => whole.to_owned(),
    };
    let glob = GlobBuilder::new(&whole).literal_separator(true).empty_alternates(true).build().map_err(|error| {
        Error::invalid(format!("{pattern:?} is not a glob: {}", error.kind()))
            .hint("use *, ?, [a-z] and ** as in src/**/*.rs")
    })?;
    Ok(glob.compile_matcher())
}

/// A pattern for codes: `*` is anything.
pub fn code_glob(pattern: &str) -> Result<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).build().map_err(|error| {
        Error::invalid(format!("{pattern:?} is not a glob: {}", error.kind()))
            .hint("use *, ? and [a-z] as in clippy::*; a lone [ is written [[]")
    })?;
    Ok(glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

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
