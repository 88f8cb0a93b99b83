//! Small readings of text that several tools' formats share.

use serde_json::value::{RawValue, to_raw_value};

use crate::model::{Diagnostic, Kind, Severity};

/// One failed test by its full name; where it says no reason, the name is all there is to say.
pub(super) fn failed_test(tool: &'static str, code: impl Into<String>, message: String) -> Diagnostic {
    let code = code.into();
    let message = if message.is_empty() { format!("{code} failed") } else { message };
    Diagnostic::new(tool, Kind::TestFail, Severity::Error, code, message)
}

/// Bytes of a tool's text that a finding keeps.
const RAW_LIMIT: usize = 16 << 10;

/// Printed text as a JSON string, bounded.
pub(super) fn raw(text: &str) -> Option<Box<RawValue>> {
    to_raw_value(bounded(text.trim_end(), RAW_LIMIT)).ok()
}

/// The start of a text, no longer than `limit` bytes.
pub(super) fn bounded(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// Whether a text has all that findings keep. A block that is longer may never end, and its lines may be others' too.
pub(super) fn is_full(text: &str) -> bool {
    text.len() >= RAW_LIMIT
}

/// Appends a line unless the text has reached the size that findings keep.
pub(super) fn push_line(text: &mut String, line: &str) {
    if text.len() < RAW_LIMIT {
        text.push_str(bounded(line, RAW_LIMIT));
        text.push('\n');
    }
}

/// Bytes of a message.
const MESSAGE_LIMIT: usize = 8 << 10;
/// Lines of a suggested change that are kept.
pub(super) const ADDED_LIMIT: usize = 1000;

/// Free text on one line, bounded: runs of white space become one space.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(512));
    for word in bounded(text, MESSAGE_LIMIT).split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// `path:line:column` or `path:line`; the path may hold colons itself.
pub(super) fn place(text: &str) -> Option<(&str, u32, Option<u32>)> {
    let (rest, last) = text.rsplit_once(':')?;
    let last = number(last)?;
    if let Some((path, line)) = rest.rsplit_once(':')
        && let Some(line) = number(line)
        && !path.is_empty()
    {
        return Some((path, line, Some(last)));
    }
    (!rest.is_empty()).then_some((rest, last, None))
}

/// A number of digits alone.
pub(super) fn number(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// A line number; tools that have none print 0.
pub(super) fn line_number(number: u32) -> Option<u32> {
    (number > 0).then_some(number)
}

/// Whether a file's name is one of Python's, or of a notebook.
pub(super) fn is_python(file: &str) -> bool {
    [".py", ".pyi", ".ipynb", ".pyw"].iter().any(|end| file.ends_with(end))
}

/// A stable name made of a message: the words that do not change from place to place, so what is quoted or
/// numeric is left out.
pub(super) fn slug(message: &str) -> String {
    let mut name = String::new();
    for (index, part) in message.split('`').enumerate() {
        if index % 2 == 1 {
            continue;
        }
        for word in part.split(|c: char| !c.is_alphanumeric() && c != '\'') {
            let word = word.trim_matches('\'');
            if word.is_empty() || word.bytes().any(|byte| byte.is_ascii_digit()) {
                continue;
            }
            if name.len() + word.len() > 48 {
                return name;
            }
            if !name.is_empty() {
                name.push('_');
            }
            name.extend(word.chars().filter(|c| *c != '\'').flat_map(char::to_lowercase));
        }
    }
    name
}

/// A stable name for what a tool gives no rule's name: mostly it could not parse a file.
pub(super) fn nameless(message: &str) -> String {
    let lower = message.to_lowercase();
    if ["syntax", "parse error", "parsing"].iter().any(|word| lower.contains(word)) {
        return "syntax".to_owned();
    }
    let name = slug(message);
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

/// Lines without the white space that they all begin with.
pub(super) fn dedent(lines: &[String]) -> String {
    let indent = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| line.get(indent..).unwrap_or("")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!(place("src/x.rs:1:2"), Some(("src/x.rs", 1, Some(2))));
        assert_eq!(place("a.py:7"), Some(("a.py", 7, None)));
        assert_eq!(place("C:\\x.rs:3:4"), Some(("C:\\x.rs", 3, Some(4))));
        for none in ["", "a", ":1", "a:b", "a:", "1:2", "a:99999999999"] {
            let found = place(none);
            assert!(found.is_none() || none == "1:2", "{none:?} {found:?}");
        }
    }

    #[test]
    fn slugs_leave_out_what_varies() {
        assert_eq!(slug("expected one of `!` or `::`, found `x`"), "expected_one_of_or_found");
        assert_eq!(
            slug("2 positional arguments in format string, but there is 1 argument"),
            "positional_arguments_in_format_string_but_there"
        );
        assert_eq!(slug("``"), "");
    }
}
