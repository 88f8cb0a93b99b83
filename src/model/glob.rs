//! Patterns for files and codes.

use globset::{GlobBuilder, GlobSet};

use crate::error::{Error, Result};

/// Bytes of any pattern. Its braces may be nested, and compiling it goes as deep as they do.
pub const GLOB_LIMIT: usize = 1000;

/// A pattern for paths relative to the project's root: `*` stays inside a folder, `**` does not. One that ends with `/`
/// means everything in that folder.
pub fn path_glob(pattern: &str) -> Result<GlobSet> {
    let whole = pattern.strip_prefix("./").unwrap_or(pattern);
    let whole = if whole.ends_with('/') { format!("{whole}**") } else { whole.to_owned() };
    compiled(GlobBuilder::new(&whole).literal_separator(true), pattern, "use *, ?, [a-z] and ** as in src/**/*.rs")
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
}
