//! pydocstyle, which prints the place and below it the message
//! (<https://www.pydocstyle.org/en/stable/usage.html>).

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, one_line, place, raw};
use crate::parsers::{Parser, Verdict};

/// Reads both streams, each with a place whose message is to come.
#[derive(Default)]
pub(in crate::parsers) struct Pydocstyle {
    places: [Option<(String, u32)>; 2],
}

impl Parser for Pydocstyle {
    fn triggers(&self) -> &'static [&'static str] {
        &[".py:№"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.places[line.side()];
        if let Some((file, number)) = waiting.take()
            && let Some((code, message)) = message(line.text)
        {
            out.push(Diagnostic {
                file: Some(file),
                line: line_number(number),
                raw: raw(&format!("{}\n{}", line.previous(), line.text)),
                ..Diagnostic::new("pydocstyle", Kind::Lint, Severity::Warn, code, one_line(message))
            });
            return Verdict::Idle;
        }
        *waiting = located(line.text);
        if waiting.is_some() { Verdict::Open } else { Verdict::Idle }
    }
}

/// `a.py:10 in public function `run`:`.
fn located(text: &str) -> Option<(String, u32)> {
    let body = text.trim_end().strip_suffix(':')?;
    let (at, _) =
        body.rsplit_once(" at module level").or_else(|| body.split_once(" in p").or(body.split_once(" in n")))?;
    let (file, line, column) = place(at)?;
    (column.is_none() && !file.starts_with(char::is_whitespace)).then(|| (file.to_owned(), line))
}

/// `        D103: Missing docstring in public function`.
fn message(text: &str) -> Option<(&str, &str)> {
    let (code, message) = text.strip_prefix("    ")?.trim_start().split_once(": ")?;
    let digits = code.strip_prefix('D')?;
    (digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some((code, message))
}
