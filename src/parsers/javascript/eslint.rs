//! ESLint: `-f json`, `json-with-metadata`, `unix`, `compact`, `visualstudio` and `codeframe`, of every release since
//! the third (<https://eslint.org/docs/latest/use/formatters/>). What it prints by default is read in
//! `eslint_stylish`.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, raw, slug};
use crate::parsers::{Parser, Verdict};

/// The name of what cannot be parsed, which has no rule.
const SYNTAX: &str = "syntax";

/// Has no state: each line and each document says all.
#[derive(Default)]
pub(in crate::parsers) struct Eslint;

#[derive(Deserialize)]
struct File<'a> {
    #[serde(rename = "filePath")]
    path: String,
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
}

/// The document of `json-with-metadata`.
#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    rule_id: Option<String>,
    severity: u8,
    #[serde(default)]
    fatal: Option<bool>,
    message: String,
    line: Option<f64>,
    column: Option<f64>,
    end_line: Option<f64>,
    fix: Option<Fix>,
}

#[derive(Deserialize)]
struct Fix {
    text: Option<String>,
}

impl Parser for Eslint {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            ", Error - ",
            ", Warning - ",
            " [Error/",
            " [Warning/",
            " [Error]",
            " [Warning]",
            "): error ",
            "): warning ",
            ") at ",
            "error: Parsing error: ",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text.trim_end();
        let found = compact(text).or_else(|| unix(text)).or_else(|| visual_studio(text)).or_else(|| code_frame(text));
        let Some(found) = found else { return Verdict::Idle };
        out.push(Diagnostic { raw: raw(text), ..found });
        Verdict::Mine
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"errorCount\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        if let Ok(file) = serde_json::from_str::<File<'_>>(text) {
            file.tell(out);
        } else if let Ok(report) = serde_json::from_str::<Report<'_>>(text) {
            for file in report.results {
                if let Ok(file) = serde_json::from_str::<File<'_>>(file.get()) {
                    file.tell(out);
                }
            }
        }
    }
}

impl File<'_> {
    fn tell(self, out: &mut Vec<Diagnostic>) {
        for record in self.messages {
            let Ok(message) = serde_json::from_str::<Message>(record.get()) else { continue };
            let severity =
                if message.severity >= 2 || message.fatal == Some(true) { Severity::Error } else { Severity::Warn };
            let fatal = message.fatal == Some(true);
            let at = |number: Option<f64>| number.and_then(whole);
            let mut found = found(
                &self.path,
                (at(message.line), at(message.column)),
                severity,
                &message.message,
                if fatal { None } else { message.rule_id.as_deref() },
            );
            if fatal {
                found.code = SYNTAX.to_owned();
            }
            found.end_line = at(message.end_line);
            found.suggested_fix = message.fix.and_then(|fix| fix.text).filter(|text| !text.trim().is_empty());
            found.raw = RawValue::from_string(record.get().to_owned()).ok();
            out.push(found);
        }
    }
}

/// A place in a file; rules of plugins compute it, so it may be anything.
fn whole(number: f64) -> Option<u32> {
    (number >= 1.0 && number <= f64::from(u32::MAX)).then_some(number as u32)
}

/// A finding of a rule, or of none.
pub(in crate::parsers) fn found(
    file: &str,
    (line, column): (Option<u32>, Option<u32>),
    severity: Severity,
    message: &str,
    rule: Option<&str>,
) -> Diagnostic {
    let code = rule.filter(|rule| !rule.is_empty()).map_or_else(|| unnamed(message), str::to_owned);
    Diagnostic {
        file: Some(file.to_owned()),
        line,
        column,
        ..Diagnostic::new("eslint", Kind::Lint, severity, code, one_line(message))
    }
}

/// A name for what ESLint says without a rule.
fn unnamed(message: &str) -> String {
    if message.starts_with("Parsing error: ") {
        SYNTAX.to_owned()
    } else if message.starts_with("Unused eslint-disable directive") || message.starts_with("Unused eslint-enable") {
        "unused-disable-directive".to_owned()
    } else if message.starts_with("File ignored ") {
        "file-ignored".to_owned()
    } else {
        let name = slug(&message.replace(['\'', '"'], "`"));
        if name.is_empty() { "error".to_owned() } else { name }
    }
}

/// Whether this can be the name of a rule: `no-var`, `@typescript-eslint/no-shadow`, `import/no-unresolved`.
pub(in crate::parsers) fn is_rule(name: &str) -> bool {
    name.len() > 2
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./@".contains(&byte))
        && !name.ends_with(['.', '/', '-'])
}

fn level(name: &str) -> Option<Severity> {
    match name {
        "Error" | "error" => Some(Severity::Error),
        "Warning" | "warning" => Some(Severity::Warn),
        _ => None,
    }
}

/// `message (rule)`; only what could not be parsed has no rule.
fn in_brackets(text: &str) -> Option<(&str, Option<&str>)> {
    let split = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    match split.filter(|(_, rule)| is_rule(rule)) {
        Some((message, rule)) => Some((message, Some(rule))),
        None if text.starts_with("Parsing error: ") || text.starts_with("Unused eslint-") => Some((text, None)),
        None => None,
    }
}

/// `path: line 1, col 8, Error - message (rule)`.
fn compact(text: &str) -> Option<Diagnostic> {
    let text = ["Error: ", "Warning: "].iter().find_map(|level| text.strip_prefix(level)).unwrap_or(text);
    let (before, message) = text.split_once(" - ")?;
    let (before, severity) = before.rsplit_once(", ")?;
    let (before, column) = before.rsplit_once(", col ")?;
    let (file, line) = before.rsplit_once(": line ")?;
    let (message, rule) = in_brackets(message)?;
    let at = (line_number(number(line)?), line_number(number(column)?));
    Some(found(file, at, level(severity)?, message, rule))
}

/// `path:1:8: message [Error/rule]`.
fn unix(text: &str) -> Option<Diagnostic> {
    let (before, name) = text.strip_suffix(']')?.rsplit_once(" [")?;
    let (severity, rule) = name.split_once('/').map_or((name, None), |(severity, rule)| (severity, Some(rule)));
    if rule.is_some_and(|rule| !is_rule(rule)) || !matches!(severity, "Error" | "Warning") {
        return None;
    }
    let (at, message) = before.match_indices(": ").find_map(|(at, gap)| {
        let found = place(&before[..at]).filter(|(_, _, column)| column.is_some());
        Some((found?, &before[at + gap.len()..]))
    })?;
    if rule.is_none() && !message.starts_with("Parsing error: ") && !message.starts_with("Unused eslint-") {
        return None;
    }
    let (file, line, column) = at;
    Some(found(file, (line_number(line), column.and_then(line_number)), level(severity)?, message, rule))
}

/// `path(1,8): error rule : message`.
fn visual_studio(text: &str) -> Option<Diagnostic> {
    let (before, rest) = text.split_once("): ")?;
    let (file, at) = before.rsplit_once('(')?;
    let (line, column) = at.split_once(',')?;
    let (severity, rest) = rest.split_once(' ')?;
    let (rule, message) = match rest.strip_prefix(": ") {
        Some(message) => (None, message),
        None => rest.split_once(" : ").map(|(rule, message)| (Some(rule), message))?,
    };
    let named = match rule {
        Some(rule) => is_rule(rule) && rule.starts_with(|c: char| c.is_ascii_lowercase() || c == '@'),
        None => message.starts_with("Parsing error: ") || message.starts_with("Unused eslint-"),
    };
    let at = (line_number(number(line)?), line_number(number(column)?));
    (named && matches!(severity, "error" | "warning"))
        .then(|| level(severity))?
        .map(|severity| found(file, at, severity, message, rule))
}

/// `error: message (rule) at path:1:8:`.
fn code_frame(text: &str) -> Option<Diagnostic> {
    let (severity, rest) = text.split_once(": ")?;
    if !matches!(severity, "error" | "warning") {
        return None;
    }
    let (message, at) = rest.strip_suffix(':').unwrap_or(rest).rsplit_once(" at ")?;
    let (file, line, column) = place(at)?;
    let (message, rule) = in_brackets(message)?;
    Some(found(file, (line_number(line), line_number(column?)), level(severity)?, message, rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_look_alike_are_not_eslints() {
        for line in [
            "Program.cs(1,8): error CS0103: The name 'x' : y",
            "a.ts(1,2): error TS2322: Type 'x' : y",
            "x: line 1, col 2, Error - because",
            "12:30:45: message [Error]",
            "10:12:30: started job [Error/x]y",
            "error: it failed at src/a.js:1:2:",
            "error: it failed (badly done) at src/a.js:1:2:",
            "    at Object.<anonymous> (src/a.js:1:2)",
        ] {
            let found = compact(line).or(unix(line)).or(visual_studio(line)).or(code_frame(line));
            assert!(found.is_none(), "{line} {found:?}");
        }
    }

    #[test]
    fn rules() {
        for rule in ["no-var", "@typescript-eslint/no-shadow", "eqeqeq", "n8n-nodes-base/x"] {
            assert!(is_rule(rule), "{rule}");
        }
        for other in ["a b", "(x)", "", "x.", "path/"] {
            assert!(!is_rule(other), "{other}");
        }
    }
}
