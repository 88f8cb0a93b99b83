//! `black --check`, and what black could not format
//! (<https://black.readthedocs.io/en/stable/usage_and_configuration/the_basics.html>).

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{is_python, line_number, number, one_line, place, raw};
use crate::parsers::{Parser, Verdict};

/// The name of a file that is not formatted.
const UNFORMATTED: &str = "unformatted";
/// The name of a file that black cannot parse.
const SYNTAX: &str = "syntax";
/// The name of a file that it cannot format for another reason.
const FAILED: &str = "cannot_format";

/// What black prints is told line by line.
#[derive(Default)]
pub(in crate::parsers) struct Black;

impl Parser for Black {
    fn triggers(&self) -> &'static [&'static str] {
        &["would reformat ", "error: cannot format ", "error: cannot parse: "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text.trim_end();
        // A prefix such as a time stamp or pre-commit's margin may stand before it.
        let after = |word: &str| {
            let at = text.find(word)?;
            (at == 0 || text[..at].ends_with(' ')).then(|| &text[at + word.len()..])
        };
        let found = if let Some(file) = after("would reformat ") {
            is_python(file).then(|| found(file, Severity::Warn, UNFORMATTED, "would reformat"))
        } else if let Some(rest) = after("error: cannot format ") {
            unparsed(rest)
        } else {
            after("error: cannot parse: ").and_then(|at| {
                let (file, line, column) = place(at)?;
                Some(Diagnostic {
                    line: line_number(line),
                    column: column.and_then(line_number),
                    ..found(file, Severity::Error, SYNTAX, "cannot parse")
                })
            })
        };
        out.extend(found.map(|found| Diagnostic { raw: raw(text), ..found }));
        Verdict::Idle
    }
}

/// `a.py: Cannot parse: 1:6: def f(:`, since 23.1 with `for target version Python 3.13` before the place.
fn unparsed(rest: &str) -> Option<Diagnostic> {
    let (file, reason) = rest.split_once(": ").filter(|(file, _)| !file.is_empty())?;
    let Some(at) = reason.strip_prefix("Cannot parse") else {
        return Some(found(file, Severity::Error, FAILED, reason));
    };
    let at = at.split_once(": ").map_or(at, |(_, at)| at);
    let mut numbers = at.splitn(3, ':').map_while(|part| number(part.trim()));
    Some(Diagnostic {
        line: numbers.next().and_then(line_number),
        column: numbers.next().and_then(line_number),
        ..found(file, Severity::Error, SYNTAX, reason)
    })
}

fn found(file: &str, severity: Severity, code: &str, message: &str) -> Diagnostic {
    Diagnostic {
        file: Some(file.to_owned()),
        ..Diagnostic::new("black", Kind::Lint, severity, code.to_owned(), one_line(message))
    }
}
