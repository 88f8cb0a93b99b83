//! hadolint: its text for terminals, `-f gnu` and `-f json`
//! (<https://github.com/hadolint/hadolint#cli>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, raw};
use crate::parsers::{Parser, Verdict};

/// hadolint's own name of a Dockerfile that it cannot parse.
const SYNTAX: &str = "DL1000";

/// Keeps nothing: every line and every record stands for itself.
#[derive(Default)]
pub(in crate::parsers) struct Hadolint;

#[derive(Deserialize)]
struct Record {
    file: String,
    line: u32,
    #[serde(default)]
    column: u32,
    code: String,
    #[serde(default)]
    level: String,
    message: String,
}

impl Parser for Hadolint {
    fn triggers(&self) -> &'static [&'static str] {
        &[" DL1", " DL3", " DL4", " SC1", " SC2", " SC3", "ockerfile:"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text.strip_prefix("hadolint:").unwrap_or(line.text);
        out.extend(rule(text).or_else(|| syntax(text)).map(|found| Diagnostic { raw: raw(line.text), ..found }));
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"DL1", "\"DL3", "\"DL4", "\"SC1", "\"SC2", "\"SC3"]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(record) = serde_json::from_str::<Record>(text) else { return };
        if !is_code(&record.code) {
            return;
        }
        let severity = severity(&record.level).unwrap_or(Severity::Warn);
        out.push(Diagnostic {
            column: line_number(record.column),
            raw: RawValue::from_string(text.to_owned()).ok(),
            ..found(&record.file, record.line, severity, &record.code, &record.message)
        });
    }
}

/// `Dockerfile:3 DL3008 warning: message`; releases before 2.0 print no level, `-f gnu` a colon behind the line.
fn rule(text: &str) -> Option<Diagnostic> {
    let (at, rest) = [" DL", " SC"].iter().filter_map(|start| text.find(start)).min().map(|at| text.split_at(at))?;
    let (code, rest) = rest.trim_start().split_once(' ')?;
    let (file, line) = at.strip_suffix(':').unwrap_or(at).rsplit_once(':')?;
    let line = number(line)?;
    if !is_code(code) || file.is_empty() || file.contains(": ") {
        return None;
    }
    let leveled = rest.split_once(": ").and_then(|(level, message)| Some((severity(level)?, message)));
    let (severity, message) = leveled.unwrap_or((Severity::Warn, rest));
    Some(found(file, line, severity, code, message))
}

/// `Dockerfile:2:4 unexpected 'x' expecting …`: what cannot be parsed has a column.
fn syntax(text: &str) -> Option<Diagnostic> {
    let at = text.to_ascii_lowercase().find("dockerfile:")?;
    let (at, message) = text.split_at(at + text[at..].find(' ')?);
    let (file, line, column) = place(at.strip_suffix(':').unwrap_or(at))?;
    let is_message =
        ["unexpected ", "missing ", "expecting ", "invalid "].iter().any(|it| message[1..].starts_with(it));
    is_message.then_some(())?;
    let column = line_number(column?);
    Some(Diagnostic { column, ..found(file, line, Severity::Error, SYNTAX, message) })
}

fn is_code(code: &str) -> bool {
    let digits = code.strip_prefix("DL").or(code.strip_prefix("SC"));
    digits.is_some_and(|digits| digits.len() == 4 && number(digits).is_some())
}

fn severity(level: &str) -> Option<Severity> {
    Some(match level {
        "error" => Severity::Error,
        "warning" => Severity::Warn,
        "info" | "style" => Severity::Info,
        _ => return None,
    })
}

fn found(file: &str, line: u32, severity: Severity, code: &str, message: &str) -> Diagnostic {
    Diagnostic {
        // `-` is the standard input.
        file: (file != "-").then(|| file.to_owned()),
        line: line_number(line),
        ..Diagnostic::new("hadolint", Kind::Lint, severity, code.to_owned(), one_line(message))
    }
}
