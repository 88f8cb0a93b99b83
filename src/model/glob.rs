//! Patterns for files and codes.

use globset::{GlobBuilder, GlobMatcher};

use crate::error::{Error, Result};

/// A pattern for paths relative to the project's root: `*` stays inside a folder, `**` does not. One that ends with `/`
/// means everything in that folder.
pub fn path_glob(pattern: &str) -> Result<GlobMatcher> {
    let whole = pattern.strip_prefix("./").unwrap_or(pattern);
    let whole = if whole.ends_with('/') { format!("{whole}**") } else { whole.to_owned() };
    let glob = GlobBuilder::new(&whole).literal_separator(true).build().map_err(|error| {
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
