//! cppcheck's `--xml` (<https://cppcheck.sourceforge.io/manual.html#xml-output>). Its text has the GNU form.

use super::line::Line;
use super::text::{line_number, number, one_line, raw};
use super::{Parser, Verdict};
use crate::model::{Diagnostic, Kind, Severity};

/// Reads both streams, each with an error whose place stands below it.
#[derive(Default)]
pub(super) struct Cppcheck {
    errors: [Option<Diagnostic>; 2],
}

impl Parser for Cppcheck {
    fn triggers(&self) -> &'static [&'static str] {
        &["<error id=\""]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.errors[line.side()];
        let text = line.text.trim();
        if let Some(found) = waiting
            && text.starts_with("<location ")
        {
            // The first place is the error's own.
            if found.file.is_none() {
                found.file = attribute(text, "file").filter(|file| !file.is_empty());
                found.line = attribute(text, "line").and_then(|line| number(&line)).and_then(line_number);
                found.column = attribute(text, "column").and_then(|column| number(&column)).and_then(line_number);
            }
            return Verdict::Own;
        }
        out.extend(waiting.take());
        if !text.starts_with("<error id=\"") {
            return Verdict::Idle;
        }
        let Some(found) = error(text) else { return Verdict::Idle };
        if text.ends_with("/>") {
            return Verdict::Own;
        }
        *waiting = Some(found);
        Verdict::Own
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.errors.iter_mut().filter_map(Option::take));
    }
}

fn error(text: &str) -> Option<Diagnostic> {
    let severity = severity(&attribute(text, "severity")?)?;
    let message = one_line(&attribute(text, "msg")?);
    let found = Diagnostic::new("cppcheck", Kind::Lint, severity, attribute(text, "id")?, message);
    Some(Diagnostic { raw: raw(text), ..found })
}

/// A severity as cppcheck names it.
pub(super) fn severity(name: &str) -> Option<Severity> {
    Some(match name {
        "error" => Severity::Error,
        "warning" | "performance" | "portability" => Severity::Warn,
        "style" | "information" => Severity::Info,
        _ => return None,
    })
}

/// The value of an attribute.
fn attribute(text: &str, name: &str) -> Option<String> {
    let start = text.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &text[start..start + text[start..].find('"')?];
    let mut plain = value.to_owned();
    for (entity, character) in [("&apos;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")] {
        plain = plain.replace(entity, character);
    }
    Some(plain)
}
