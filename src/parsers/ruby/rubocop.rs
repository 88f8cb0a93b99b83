//! RuboCop: `--format json`, and the lines of its formats progress, clang, emacs, quiet and simple
//! (<https://docs.rubocop.org/rubocop/formatters.html>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, raw};
use crate::parsers::{Parser, Verdict};

/// Reads both streams, each with the file whose offenses are listed below it in the simple format.
#[derive(Default)]
pub(in crate::parsers) struct Rubocop {
    files: [Option<String>; 2],
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    files: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct File<'a> {
    path: String,
    #[serde(borrow)]
    offenses: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Offense {
    severity: String,
    message: String,
    cop_name: String,
    #[serde(default)]
    corrected: Option<bool>,
    location: Location,
}

#[derive(Deserialize)]
struct Location {
    line: u32,
    column: u32,
    last_line: Option<u32>,
}

impl Parser for Rubocop {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            ": C: ",
            ": W: ",
            ": E: ",
            ": F: ",
            ": R: ",
            ": I: ",
            ".rb ==",
            "file ==",
            ".rake ==",
            ".gemspec ==",
            ".ru ==",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let file = &mut self.files[line.side()];
        if let Some(name) = line.text.strip_prefix("== ").and_then(|rest| rest.strip_suffix(" ==")) {
            *file = Some(name.to_owned());
            return Verdict::Open;
        }
        if let Some(name) = file {
            if let Some((severity, at)) = line.text.split_once(':').filter(|(severity, _)| severity.len() == 1)
                && let Some((line_at, rest)) = at.split_once(':')
                && let Some((column, rest)) = rest.split_once(':')
            {
                let place = (name.as_str(), number(line_at.trim()), number(column.trim()));
                out.extend(offense(place, severity, rest.trim_start(), line.text));
                return Verdict::Open;
            }
            // A message may go on over the next line.
            if !line.text.is_empty() {
                return Verdict::Open;
            }
            *file = None;
        }
        if let Some((at, rest)) = line.text.split_once(": ")
            && let Some((severity, rest)) = rest.split_once(": ")
            && let Some((file, line_at, Some(column))) = place(at)
            && !file.starts_with(['#', ' '])
        {
            out.extend(offense((file, Some(line_at), Some(column)), severity, rest, line.text));
        }
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"cop_name\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(document) = serde_json::from_str::<Document<'_>>(text) else { return };
        for file in document.files {
            let Ok(file) = serde_json::from_str::<File<'_>>(file.get()) else { continue };
            for one in file.offenses {
                let Ok(offense) = serde_json::from_str::<Offense>(one.get()) else { continue };
                let Some(severity) = severity(&offense.severity).filter(|_| offense.corrected != Some(true)) else {
                    continue;
                };
                let Location { line, column, last_line } = offense.location;
                out.push(Diagnostic {
                    end_line: last_line.and_then(line_number),
                    raw: RawValue::from_string(one.get().to_owned()).ok(),
                    ..found((&file.path, line, column), severity, offense.cop_name, &offense.message)
                });
            }
        }
    }
}

/// `[Correctable] Style/Name: message`. What was corrected is no longer there.
fn offense(
    (file, line, column): (&str, Option<u32>, Option<u32>),
    letter: &str,
    rest: &str,
    text: &str,
) -> Option<Diagnostic> {
    let severity = severity(letter).filter(|_| letter.len() == 1)?;
    if rest.starts_with("[Corrected]") || rest.starts_with("[Todo]") {
        return None;
    }
    let (cop, message) = rest.strip_prefix("[Correctable] ").unwrap_or(rest).split_once(": ")?;
    let is_cop = cop.starts_with(|c: char| c.is_ascii_uppercase())
        && cop.contains('/')
        && cop.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_".contains(&byte));
    is_cop.then_some(())?;
    Some(Diagnostic { raw: raw(text), ..found((file, line?, column?), severity, cop.to_owned(), message) })
}

fn severity(name: &str) -> Option<Severity> {
    Some(match name {
        "fatal" | "error" | "F" | "E" => Severity::Error,
        "warning" | "convention" | "refactor" | "W" | "C" | "R" => Severity::Warn,
        "info" | "I" => Severity::Info,
        _ => return None,
    })
}

fn found((file, line, column): (&str, u32, u32), severity: Severity, cop: String, message: &str) -> Diagnostic {
    Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        column: line_number(column),
        ..Diagnostic::new("rubocop", Kind::Lint, severity, cop, one_line(message))
    }
}
