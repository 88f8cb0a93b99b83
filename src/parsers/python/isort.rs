//! `isort --check` (<https://pycqa.github.io/isort/docs/configuration/options.html#check>).

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{is_python, raw};
use crate::parsers::{Parser, Verdict};

/// What isort prints is told line by line.
#[derive(Default)]
pub(in crate::parsers) struct Isort;

impl Parser for Isort {
    fn triggers(&self) -> &'static [&'static str] {
        &[" Imports are incorrectly sorted"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        out.extend(read(line.text));
        Verdict::Idle
    }
}

/// `ERROR: a.py Imports are incorrectly sorted and/or formatted.`, before 5 without the last words.
fn read(text: &str) -> Option<Diagnostic> {
    let (before, _) = text.split_once(" Imports are incorrectly sorted")?;
    let at = before.find("ERROR: ")?;
    let is_start = at == 0 || before[..at].ends_with(' ');
    let file = before[at + "ERROR: ".len()..].trim();
    (is_start && is_python(file)).then(|| Diagnostic {
        file: Some(file.to_owned()),
        raw: raw(text),
        ..Diagnostic::new(
            "isort",
            Kind::Lint,
            Severity::Warn,
            "unformatted",
            text[at + "ERROR: ".len() + file.len()..].trim(),
        )
    })
}
