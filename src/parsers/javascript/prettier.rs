//! `prettier --check`, of every release since 1.16 (<https://prettier.io/docs/cli#--check>).

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, raw};
use crate::parsers::{Parser, Verdict};

/// Files that are held until it is certain that they are prettier's.
const LIMIT: usize = 100_000;

/// Reads both streams: the files are named on one, what is being done on the other.
#[derive(Default)]
pub(in crate::parsers) struct Prettier {
    /// It is certain that prettier checks files.
    checking: bool,
    /// The old releases list the files on the standard output, each alone on its line.
    listing: [bool; 2],
    listed: [Vec<Diagnostic>; 2],
    warned: Vec<Diagnostic>,
}

impl Parser for Prettier {
    fn triggers(&self) -> &'static [&'static str] {
        &["[warn] ", "[error] ", "Checking formatting...", "Code style issues found in "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = line.side();
        let text = line.text.trim_end();
        if text == "Checking formatting..." {
            self.checking = true;
            self.listing[side] = true;
            self.listed[side].clear();
            return Verdict::Open;
        }
        if let Some(rest) = text.strip_prefix("[warn] ") {
            if rest.starts_with("Code style issues ") {
                out.append(&mut self.warned);
            } else if is_file(rest) && self.warned.len() < LIMIT {
                self.warned.push(unformatted(rest, text));
            }
        } else if let Some(rest) = text.strip_prefix("[error] ") {
            if let Some(found) = syntax(rest) {
                // Nobody else says it in this way, so the files are its own too.
                self.checking = true;
                out.push(Diagnostic { raw: raw(text), ..found });
            }
        } else if text.starts_with("Code style issues found in the above file") {
            self.listing[side] = false;
            out.append(&mut self.listed[side]);
            return Verdict::Idle;
        } else if self.listing[side] && is_file(text) && self.listed[side].len() < LIMIT {
            self.listed[side].push(unformatted(text, text));
        } else {
            self.listing[side] = false;
        }
        if self.listing[side] { Verdict::Open } else { Verdict::Idle }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        if self.checking {
            out.append(&mut self.warned);
        }
    }
}

/// A path, not a sentence.
fn is_file(text: &str) -> bool {
    let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_name = !extension.is_empty() && extension.len() <= 10 && !extension.contains(' ')
        || stem.is_empty() && !extension.is_empty();
    is_name && !text.contains(": ") && !text.contains(['{', '"', '`']) && !text.starts_with([' ', '[', '-'])
}

/// `src/a.js: SyntaxError: message (2:10)`.
fn syntax(text: &str) -> Option<Diagnostic> {
    let (file, rest) = text.split_once(": ")?;
    let (name, rest) = rest.split_once(": ")?;
    let (message, at) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    let (line, column) = at.split_once(':')?;
    // The place may be a range: `(2:10 - 2:11)`.
    let column = column.split([' ', '-']).next()?;
    let (line, column) = (number(line)?, number(column)?);
    let is_error = name.ends_with("Error") && !name.contains(' ') && is_file(file);
    is_error.then(|| Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        column: line_number(column),
        ..Diagnostic::new("prettier", Kind::Lint, Severity::Error, "syntax", one_line(&format!("{name}: {message}")))
    })
}

fn unformatted(file: &str, text: &str) -> Diagnostic {
    Diagnostic {
        file: Some(file.to_owned()),
        raw: raw(text),
        ..Diagnostic::new("prettier", Kind::Lint, Severity::Warn, "unformatted", "the file is not formatted")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_sentences() {
        for file in ["src/a.js", "src/my dir/ü b.ts", ".prettierrc", ".github/x.yml", "README.md"] {
            assert!(is_file(file), "{file}");
        }
        for other in ["Ignored unknown option { a: 1 }.", "retrying in 3 s", "jsxBracketSameLine is deprecated.", ""] {
            assert!(!is_file(other), "{other}");
        }
    }
}
