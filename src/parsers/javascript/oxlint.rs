//! oxlint: its default format and `-f json` (<https://oxc.rs/docs/guide/usage/linter/output-formats.html>).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::js_stack::is_script;
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, one_line, place, raw};
use crate::parsers::{Parser, Verdict};

/// Has no state: the line above the place says the rest.
#[derive(Default)]
pub(in crate::parsers) struct Oxlint;

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    diagnostics: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Record {
    message: String,
    code: Option<String>,
    severity: String,
    filename: String,
    labels: Vec<Label>,
}

#[derive(Deserialize)]
struct Label {
    span: Span,
}

#[derive(Deserialize)]
struct Span {
    line: Option<u32>,
    column: Option<u32>,
}

impl Parser for Oxlint {
    fn triggers(&self) -> &'static [&'static str] {
        &[" ,-[", " ╭─["]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text.trim();
        let at = text.strip_prefix(",-[").or(text.strip_prefix("╭─[")).and_then(|text| text.strip_suffix(']'));
        let header = line.previous();
        if let Some((file, line, Some(column))) = at.and_then(place)
            && is_script(file)
            && let Some((severity, message)) = header.strip_prefix("  ").and_then(sign)
        {
            let (code, message) = match message.split_once("): ") {
                Some((code, rest)) if code.contains('(') && !code.contains(' ') => (Some(format!("{code})")), rest),
                _ => (None, message),
            };
            let at = (line_number(line), Some(column));
            let mut found = found(file, at, severity, code.as_deref(), message);
            found.raw = raw(&format!("{header}\n{text}"));
            out.push(found);
        }
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"labels\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        if let Ok(report) = serde_json::from_str::<Report<'_>>(text) {
            report.diagnostics.iter().for_each(|record| tell(record.get(), out));
        } else {
            tell(text, out);
        }
    }
}

fn tell(text: &str, out: &mut Vec<Diagnostic>) {
    let Ok(record) = serde_json::from_str::<Record>(text) else { return };
    let severity = match record.severity.as_str() {
        "error" => Severity::Error,
        "warning" => Severity::Warn,
        "advice" => Severity::Info,
        _ => return,
    };
    let span = record.labels.first().map(|label| (label.span.line, label.span.column)).unwrap_or_default();
    let mut found = found(&record.filename, span, severity, record.code.as_deref(), &record.message);
    found.raw = RawValue::from_string(text.to_owned()).ok();
    out.push(found);
}

/// The sign before the message says how bad it is.
fn sign(text: &str) -> Option<(Severity, &str)> {
    [("x ", Severity::Error), ("× ", Severity::Error), ("! ", Severity::Warn), ("⚠ ", Severity::Warn)]
        .into_iter()
        .find_map(|(sign, severity)| Some((severity, text.strip_prefix(sign)?)))
}

fn found(
    file: &str,
    (line, column): (Option<u32>, Option<u32>),
    severity: Severity,
    code: Option<&str>,
    message: &str,
) -> Diagnostic {
    Diagnostic {
        file: Some(file.to_owned()),
        line,
        column,
        ..Diagnostic::new("oxlint", Kind::Lint, severity, code.unwrap_or("syntax"), one_line(message))
    }
}
