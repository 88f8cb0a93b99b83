//! stylelint: its string and verbose formats, and `--formatter json`
//! (<https://stylelint.io/user-guide/options#formatter>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, raw};
use crate::parsers::{Parser, Verdict};

/// Reads both streams, each with a file of its own.
#[derive(Default)]
pub(in crate::parsers) struct Stylelint {
    files: [Option<String>; 2],
}

#[derive(Deserialize)]
struct File<'a> {
    source: Option<String>,
    #[serde(borrow)]
    warnings: Vec<&'a RawValue>,
    #[serde(borrow, rename = "invalidOptionWarnings")]
    _options: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Warning {
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    rule: String,
    severity: String,
    text: String,
    fix: Option<Fix>,
}

#[derive(Deserialize)]
struct Fix {
    text: Option<String>,
}

impl Parser for Stylelint {
    fn triggers(&self) -> &'static [&'static str] {
        &["  ✖  ", "  ⚠  "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let file = &mut self.files[line.side()];
        let text = line.text.trim_end();
        if let Some(found) = row(text) {
            if file.is_none() {
                *file = Some(line.previous().into_owned()).filter(|name| is_header(name));
            }
            if let Some(name) = file {
                out.push(Diagnostic { file: Some(name.clone()), raw: raw(text), ..found });
                return Verdict::Open;
            }
        } else if file.is_some() && (text.is_empty() || text.starts_with("    ")) {
            return Verdict::Open;
        } else if file.is_some() && is_header(text) {
            *file = Some(text.to_owned());
            return Verdict::Open;
        }
        *file = None;
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"invalidOptionWarnings\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(file) = serde_json::from_str::<File<'_>>(text) else { return };
        for record in file.warnings {
            let Ok(warning) = serde_json::from_str::<Warning>(record.get()) else { continue };
            let severity = if warning.severity == "warning" { Severity::Warn } else { Severity::Error };
            // The message ends with the rule, in brackets.
            let end = format!(" ({})", warning.rule);
            let message = warning.text.strip_suffix(end.as_str()).unwrap_or(&warning.text);
            out.push(Diagnostic {
                file: file.source.clone(),
                end_line: warning.end_line,
                suggested_fix: warning.fix.and_then(|fix| fix.text).filter(|text| !text.trim().is_empty()),
                raw: RawValue::from_string(record.get().to_owned()).ok(),
                ..found((warning.line, warning.column), severity, &warning.rule, message)
            });
        }
    }
}

/// `  1:18  ✖  message   rule`.
fn row(text: &str) -> Option<Diagnostic> {
    let (at, rest) = text.strip_prefix(' ')?.trim_start().split_once("  ")?;
    let (line, column) = at.split_once(':')?;
    let (line, column) = (number(line)?, number(column)?);
    let rest = rest.trim_start();
    let (severity, rest) = match rest.strip_prefix("✖  ") {
        Some(rest) => (Severity::Error, rest),
        None => (Severity::Warn, rest.strip_prefix("⚠  ")?),
    };
    let (message, rule) = rest.rsplit_once("  ")?;
    let is_rule = !rule.is_empty() && !rule.contains(' ');
    is_rule.then(|| found((line_number(line), line_number(column)), severity, rule, message))
}

/// The file's name stands alone at the margin.
fn is_header(text: &str) -> bool {
    let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
    !text.starts_with([' ', '✖', '⚠']) && name.contains('.') && !text.contains("  ") && !text.contains(": ")
}

fn found((line, column): (Option<u32>, Option<u32>), severity: Severity, rule: &str, message: &str) -> Diagnostic {
    let code = if rule == "CssSyntaxError" { "syntax" } else { rule };
    Diagnostic { line, column, ..Diagnostic::new("stylelint", Kind::Lint, severity, code, one_line(message)) }
}
