//! markdownlint-cli and markdownlint-cli2: `file:line:column error MD013/line-length message`
//! (<https://github.com/DavidAnson/markdownlint-cli2#use>).

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, one_line, place, raw};
use crate::parsers::{Parser, Verdict};

/// Has no state: a line says all.
#[derive(Default)]
pub(in crate::parsers) struct Markdownlint;

impl Parser for Markdownlint {
    fn triggers(&self) -> &'static [&'static str] {
        &[" MD0", " error MD", " warning MD"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        out.extend(found(line.text));
        Verdict::Idle
    }
}

fn found(text: &str) -> Option<Diagnostic> {
    let (at, rest) = text.match_indices(" MD").find_map(|(at, _)| {
        let rest = &text[at + 1..];
        let digits = rest[2..].bytes().take_while(u8::is_ascii_digit).count();
        (digits == 3 && rest[5..].starts_with(['/', ' '])).then_some((&text[..at], rest))
    })?;
    let (at, severity) = match at.strip_suffix(" warning") {
        Some(at) => (at, Severity::Warn),
        None => (at.strip_suffix(" error").unwrap_or(at), Severity::Error),
    };
    let (names, message) = rest.split_once(' ')?;
    let (file, line, column) = place(at)?;
    let is_file = !file.starts_with(' ') && !file.contains(": ") && file.contains('.');
    let code = names.split('/').next()?;
    is_file.then(|| Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        column,
        raw: raw(text),
        ..Diagnostic::new("markdownlint", Kind::Lint, severity, code, one_line(message))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let code = |text: &str| found(text).map(|found| (found.code, found.line));
        assert_eq!(code("a b.md:8:81 MD013/line-length Line length"), Some(("MD013".to_owned(), Some(8))));
        assert_eq!(code("a.md:8 error MD041/first Line"), Some(("MD041".to_owned(), Some(8))));
        for other in ["see MD013/line-length for more", "a.md MD013 x", "10:30:00 MD0134 x"] {
            assert_eq!(code(other), None, "{other}");
        }
    }
}
