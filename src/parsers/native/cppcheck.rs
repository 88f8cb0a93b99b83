//! cppcheck's `--xml` (<https://cppcheck.sourceforge.io/manual.html#xml-output>), and its text until 1.89. Since then its
//! text has the GNU form.

use super::gnu::unnamed;
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, raw};
use crate::parsers::{Parser, Verdict};

/// Reads both streams, each with an error whose place stands below it.
#[derive(Default)]
pub(in crate::parsers) struct Cppcheck {
    errors: [Option<Diagnostic>; 2],
}

impl Parser for Cppcheck {
    fn triggers(&self) -> &'static [&'static str] {
        &["<error id=\"", "]: (error", "]: (warning", "]: (style", "]: (performance", "]: (portability"]
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
        if let Some(found) = old(text) {
            out.push(found);
            return Verdict::Own;
        }
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

/// `[a.cpp:3]: (error) message`, `[a.cpp:3] -> [a.cpp:9]: (warning, inconclusive) message`: the last place is its own.
fn old(text: &str) -> Option<Diagnostic> {
    let (at, rest) = text.strip_prefix('[')?.split_once("]: (")?;
    let (level, message) = rest.split_once(") ")?;
    let severity = severity(level.split(',').next()?)?;
    let (file, line, _) = place(at.rsplit("] -> [").next()?)?;
    Some(Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        raw: raw(text),
        ..Diagnostic::new("cppcheck", Kind::Lint, severity, unnamed(message, severity), one_line(message))
    })
}

fn error(text: &str) -> Option<Diagnostic> {
    let severity = severity(&attribute(text, "severity")?)?;
    let message = one_line(&attribute(text, "msg")?);
    let found = Diagnostic::new("cppcheck", Kind::Lint, severity, attribute(text, "id")?, message);
    Some(Diagnostic { raw: raw(text), ..found })
}

/// A severity as cppcheck names it.
pub(in crate::parsers) fn severity(name: &str) -> Option<Severity> {
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
