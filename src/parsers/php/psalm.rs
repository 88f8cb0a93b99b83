//! Psalm: its console report, `--output-format=emacs` and `--output-format=json` (<https://psalm.dev/docs/running_psalm/issues/>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, one_line, place, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Reads both streams, each with an issue whose place stands below it.
#[derive(Default)]
pub(in crate::parsers) struct Psalm {
    issues: [Option<Issue>; 2],
}

struct Issue {
    severity: Severity,
    code: String,
    place: Option<(String, u32, Option<u32>)>,
    text: String,
}

#[derive(Deserialize)]
struct Record {
    severity: String,
    line_from: u32,
    line_to: Option<u32>,
    column_from: Option<u32>,
    #[serde(rename = "type")]
    kind: String,
    message: String,
    file_name: String,
}

impl Parser for Psalm {
    fn triggers(&self) -> &'static [&'static str] {
        &["ERROR: ", "INFO: ", "(see https://psalm.dev/", ":error - ", ":warning - "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.issues[line.side()];
        if let Some((severity, rest)) = level(line.text) {
            *waiting = None;
            // Before version 5 all stands on one line.
            let mut parts = rest.splitn(3, " - ");
            if let (Some(code), Some(at), Some(message)) = (parts.next(), parts.next(), parts.next()) {
                if let Some(at) = place(at).filter(|_| is_name(code) && message.contains("psalm.dev/")) {
                    out.push(Diagnostic { raw: raw(line.text), ..found(severity, code, at, message) });
                    return Verdict::Own;
                }
            } else if is_name(rest) {
                let (code, text) = (rest.to_owned(), format!("{}\n", line.text));
                *waiting = Some(Issue { severity, code, place: None, text });
                return Verdict::Open;
            }
            return Verdict::Idle;
        }
        if let Some(found) = emacs(line.text) {
            *waiting = None;
            out.push(Diagnostic { raw: raw(line.text), ..found });
            return Verdict::Own;
        }
        let Some(mut issue) = waiting.take() else { return Verdict::Idle };
        push_line(&mut issue.text, line.text);
        match &issue.place {
            None => {
                let at = line.text.strip_prefix("at ").and_then(place);
                issue.place = at.map(|(file, line, column)| (file.to_owned(), line, column));
                if issue.place.is_some() {
                    *waiting = Some(issue);
                    return Verdict::Own;
                }
            }
            Some((file, at, column)) if line.text.contains("psalm.dev/") => {
                let found = found(issue.severity, &issue.code, (file, *at, *column), line.text);
                out.push(Diagnostic { raw: raw(&issue.text), ..found });
                return Verdict::Own;
            }
            Some(_) => {}
        }
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"line_from\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(record) = serde_json::from_str::<Record>(text) else { return };
        let severity = if record.severity == "error" { Severity::Error } else { Severity::Info };
        let at = (record.file_name.as_str(), record.line_from, record.column_from);
        out.push(Diagnostic {
            end_line: record.line_to.and_then(line_number),
            raw: RawValue::from_string(text.to_owned()).ok(),
            ..found(severity, &record.kind, at, &record.message)
        });
    }
}

fn level(text: &str) -> Option<(Severity, &str)> {
    let error = text.strip_prefix("ERROR: ").map(|rest| (Severity::Error, rest));
    error.or_else(|| text.strip_prefix("INFO: ").map(|rest| (Severity::Info, rest)))
}

/// `/src/a.php:3:4:error - UndefinedMethod: message`.
fn emacs(text: &str) -> Option<Diagnostic> {
    let (at, rest) = text.split_once(" - ")?;
    let (at, level) = at.rsplit_once(':')?;
    let severity = match level {
        "error" => Severity::Error,
        "warning" => Severity::Warn,
        "info" => Severity::Info,
        _ => return None,
    };
    let (file, line, column) = place(at).filter(|(file, _, column)| column.is_some() && !file.contains(": "))?;
    let (code, message) = rest.split_once(": ").filter(|(code, _)| is_name(code))?;
    Some(found(severity, code, (file, line, column), message))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn found(severity: Severity, code: &str, at: (&str, u32, Option<u32>), message: &str) -> Diagnostic {
    let message = message.split(" (see https://psalm.dev/").next().unwrap_or(message);
    let (file, line, column) = at;
    Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        column: column.and_then(line_number),
        ..Diagnostic::new("psalm", Kind::Lint, severity, code.to_owned(), one_line(message))
    }
}
