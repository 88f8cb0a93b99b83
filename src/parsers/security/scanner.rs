//! What scanners of dependencies share: words for severities, a text for what to upgrade to, and tables drawn with lines.

use super::{advisory, cvss};
use crate::model::Severity;
use crate::parsers::text::bounded;

/// Columns of a table.
const COLUMNS_LIMIT: usize = 32;
/// Bytes of a cell over its lines.
const CELL_LIMIT: usize = 2 << 10;

/// A rating in words. What was not rated may be anything.
pub(in crate::parsers) fn rated(word: &str) -> Severity {
    match word.to_ascii_lowercase().as_str() {
        "info" | "informational" | "none" => Severity::Info,
        word => advisory::severity(word).unwrap_or(Severity::Error),
    }
}

/// A rating by the qualitative scale of CVSS (<https://www.first.org/cvss/specification-document>); none if it is none.
pub(in crate::parsers) fn scored(score: &str) -> Option<Severity> {
    let score: f64 = score.trim().parse().ok()?;
    (0.0..=10.0).contains(&score).then(|| cvss::rating(score))
}

/// `name >= 1.2.3 or >= 2.0.1`; nothing if there is no version to go to.
pub(in crate::parsers) fn upgrade<'a>(name: &str, versions: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut text = String::new();
    for version in versions.into_iter().map(str::trim).filter(|version| !version.is_empty()).take(COLUMNS_LIMIT) {
        text.push_str(if text.is_empty() { name } else { " or" });
        // Some databases say how to compare.
        text.push_str(if version.starts_with(['>', '<', '=', '^', '~']) { " " } else { " >= " });
        text.push_str(version);
    }
    (!text.is_empty()).then_some(text)
}

/// `name 1.2.3: title`.
pub(in crate::parsers) fn of_package(name: &str, version: &str, title: &str) -> String {
    let mut message = name.to_owned();
    for (gap, part) in [(" ", version), (": ", title)] {
        if !part.is_empty() {
            message.push_str(gap);
            message.push_str(bounded(part, CELL_LIMIT));
        }
    }
    message
}

/// Whether a line belongs to a drawn table.
pub(in crate::parsers) fn is_drawn(text: &str) -> bool {
    text.starts_with(['│', '┌', '├', '└', '╭', '╰', '|', '+', '╞'])
}

/// The cells of a line of it, without the space around them.
pub(in crate::parsers) fn cells(text: &str) -> Vec<&str> {
    // Where cells are merged, the line between two rows has their edges only.
    let is_ruler = text.starts_with('+');
    let edge = |c: char| matches!(c, '│' | '├' | '┤' | '┼' | '┬' | '┴') || c == if is_ruler { '+' } else { '|' };
    let mut inner = text.trim_end().chars();
    inner.next();
    inner.next_back();
    inner.as_str().split(edge).take(COLUMNS_LIMIT).map(str::trim).collect()
}

/// Whether a cell is part of the line between two rows.
pub(in crate::parsers) fn is_ruled(cell: &str) -> bool {
    !cell.is_empty() && cell.chars().all(|c| matches!(c, '─' | '-' | '═')) && cell.chars().nth(2).is_some()
}
