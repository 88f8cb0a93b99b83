//! What Python's compiler refuses, as the interpreter, `compileall` and `py_compile` print it
//! (<https://docs.python.org/3/library/exceptions.html#SyntaxError>). Other exceptions that end a script are not told:
//! a log may hold many that were handled.

use super::pytest_text::is_library;
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Lines from the place to the error: the source and the mark below it, or none of them.
const LINES_BETWEEN: u8 = 4;

/// Reads both streams, each with a place whose error is to come.
#[derive(Default)]
pub(in crate::parsers) struct PythonSyntax {
    places: [Option<Place>; 2],
}

struct Place {
    file: String,
    line: u32,
    lines: u8,
    text: String,
}

impl Parser for PythonSyntax {
    fn triggers(&self) -> &'static [&'static str] {
        &["\", line "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.places[line.side()];
        let text = line.text.trim_end();
        if let Some(next) = located(text) {
            *waiting = Some(next);
            return Verdict::Open;
        }
        let Some(place) = waiting else { return Verdict::Idle };
        push_line(&mut place.text, text);
        place.lines += 1;
        if let Some((name, message)) = error(text) {
            out.push(Diagnostic {
                file: Some(std::mem::take(&mut place.file)),
                line: line_number(place.line),
                raw: raw(&place.text),
                ..Diagnostic::new("python", Kind::Lint, Severity::Error, name, one_line(message))
            });
        } else if place.lines < LINES_BETWEEN && (text.starts_with(' ') || text.is_empty()) {
            return Verdict::Open;
        }
        *waiting = None;
        Verdict::Idle
    }
}

/// `  File "a.py", line 1`: a frame of a traceback names its function too.
fn located(text: &str) -> Option<Place> {
    let body = text.strip_prefix("***").unwrap_or(text).trim_start();
    let (file, line) = body.strip_prefix("File \"")?.split_once("\", line ")?;
    let line = number(line)?;
    (!is_library(file)).then(|| Place { file: file.to_owned(), line, lines: 0, text: format!("{text}\n") })
}

fn error(text: &str) -> Option<(&str, &str)> {
    let (name, message) = text.split_once(": ")?;
    ["SyntaxError", "IndentationError", "TabError"].contains(&name).then_some((name, message))
}
