//! reviewdog's diagnostic format, as one document (rdjson) and as a record per line (rdjsonl)
//! (<https://github.com/reviewdog/reviewdog/tree/master/proto/rdf>).

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::exported;
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::Parser;
use crate::parsers::text::{line_number, nameless, one_line};

/// Diagnostics kept until their tool is known.
const HELD_LIMIT: usize = 200_000;
/// The tool of a diagnostic that names none.
const NAMELESS: &str = "rdjson";

/// Keeps diagnostics that do not name their tool: a document may name it at its end.
#[derive(Default)]
pub(in crate::parsers) struct Rdjson {
    held: Vec<Diagnostic>,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    diagnostics: Vec<&'a RawValue>,
    source: Option<Source>,
    severity: Option<Value>,
}

#[derive(Deserialize)]
struct Record {
    message: String,
    location: Option<Location>,
    severity: Option<Value>,
    source: Option<Source>,
    code: Option<Code>,
    #[serde(default)]
    suggestions: Option<Vec<Suggestion>>,
}

#[derive(Deserialize)]
struct Location {
    path: String,
    range: Option<Range>,
}

#[derive(Deserialize)]
struct Range {
    start: Option<Position>,
    end: Option<Position>,
}

#[derive(Deserialize)]
struct Position {
    line: Option<u32>,
    column: Option<u32>,
}

#[derive(Deserialize)]
struct Source {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Code {
    Object { value: Option<String> },
    Plain(String),
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Suggestion {
    text: Option<String>,
}

impl Parser for Rdjson {
    fn json_triggers(&self) -> &'static [&'static str] {
        &[
            "\"range\"",
            "\"location\":{\"path\"",
            "\"location\": {\"path\"",
            "\"source\":{\"name\":",
            "\"original_output\"",
            "\"originalOutput\"",
        ]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        // Other tools' records with a range are many, and have no path.
        let holds = |key: &str| memchr::memmem::find(text.as_bytes(), key.as_bytes()).is_some();
        let is_exported = holds("\"source\":{\"name\":") && holds("\"code\":{\"value\":");
        if !holds("\"path\"") && !is_exported {
            return;
        }
        if let Ok(Document { diagnostics, source, severity }) = serde_json::from_str(text) {
            for raw in &diagnostics {
                if let Ok(record) = serde_json::from_str::<Record>(raw.get()) {
                    self.push(record, severity.as_ref(), raw, out);
                }
            }
            if let Some(name) = source.and_then(|source| source.name) {
                out.extend(self.held.drain(..).map(|mut found| {
                    found.tool = tool(&name).into();
                    found
                }));
            }
        } else if let Ok(record) = serde_json::from_str::<Record>(text)
            && let Ok(raw) = RawValue::from_string(text.to_owned())
        {
            self.push(record, None, &raw, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.append(&mut self.held);
    }
}

impl Rdjson {
    fn push(&mut self, record: Record, severity: Option<&Value>, raw: &RawValue, out: &mut Vec<Diagnostic>) {
        // What has no place names its tool and its rule.
        let is_whole = record.source.as_ref().is_some_and(|source| source.name.is_some())
            && matches!(&record.code, Some(Code::Object { value: Some(_) }));
        if record.location.is_none() && !is_whole {
            return;
        }
        let (message, fix) = exported::without_fix(&record.message);
        let message = one_line(message);
        let code = match record.code {
            Some(Code::Object { value: Some(code) } | Code::Plain(code)) if !code.is_empty() => code,
            _ => nameless(&message),
        };
        let severity = match record.severity.as_ref().or(severity) {
            Some(Value::String(name)) => level(name),
            Some(Value::Number(number)) => match number.as_i64() {
                Some(1) => Severity::Error,
                Some(3) => Severity::Info,
                _ => Severity::Warn,
            },
            _ => Severity::Warn,
        };
        let (path, range) = record.location.map_or((None, None), |location| (Some(location.path), location.range));
        let (start, end) = range.map_or((None, None), |range| (range.start, range.end));
        let start = start.unwrap_or(Position { line: None, column: None });
        let line = start.line.and_then(line_number);
        let name = record.source.and_then(|source| source.name);
        let ends_before = end.as_ref().is_some_and(|end| end.column == Some(1) && end.line > start.line);
        let end = end.and_then(|end| end.line).map(|line| line - u32::from(ends_before));
        let suggestions = record.suggestions.unwrap_or_default();
        let found = Diagnostic {
            file: path.filter(|path| !path.is_empty()),
            line,
            column: start.column.and_then(line_number).filter(|_| line.is_some()),
            end_line: end.filter(|end| line.is_some_and(|line| *end >= line)),
            suggested_fix: suggestions
                .into_iter()
                .find_map(|one| one.text)
                .or_else(|| fix.map(str::to_owned))
                .filter(|text| !text.trim().is_empty()),
            raw: Some(raw.to_owned()),
            ..Diagnostic::new(
                name.as_deref().map_or_else(|| NAMELESS.to_owned(), tool),
                name.as_deref().map_or(Kind::Lint, |name| exported::kind(name, &code)),
                severity,
                code,
                message,
            )
        };
        match name {
            None if self.held.len() < HELD_LIMIT => self.held.push(found),
            _ => out.push(found),
        }
    }
}

fn tool(name: &str) -> String {
    name.trim().to_lowercase()
}

fn level(name: &str) -> Severity {
    match name.to_ascii_uppercase().as_str() {
        "ERROR" => Severity::Error,
        "INFO" | "NOTE" | "HINT" => Severity::Info,
        _ => Severity::Warn,
    }
}
