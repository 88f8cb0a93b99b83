//! GitLab's code quality report and the Code Climate issues that it stems from
//! (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::exported;
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::Parser;
use crate::parsers::security::advisory;
use crate::parsers::text::{line_number, nameless, number, one_line};

/// Reads the elements of the report.
#[derive(Default)]
pub(in crate::parsers) struct CodeQuality;

#[derive(Deserialize)]
struct Issue {
    check_name: String,
    description: String,
    severity: Option<String>,
    location: Location,
    engine_name: Option<String>,
}

#[derive(Deserialize)]
struct Location {
    path: String,
    lines: Option<Lines>,
    positions: Option<Positions>,
}

/// Some write a place where a line is meant.
#[derive(Deserialize)]
struct Lines {
    begin: Option<Begin>,
    end: Option<Begin>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Begin {
    Line(u32),
    Place(Place),
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Positions {
    begin: Option<Place>,
    end: Option<Place>,
}

#[derive(Clone, Copy, Deserialize)]
struct Place {
    line: Option<u32>,
    column: Option<u32>,
}

impl Begin {
    fn place(self) -> Place {
        match self {
            Self::Line(line) => Place { line: Some(line), column: None },
            Self::Place(place) => place,
            Self::Other(_) => Place { line: None, column: None },
        }
    }
}

impl Parser for CodeQuality {
    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"check_name\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(issue) = serde_json::from_str::<Issue>(text) else { return };
        let Location { path, lines, positions } = issue.location;
        let (begin, end) = match (positions, lines) {
            (Some(positions), _) => (positions.begin, positions.end),
            (None, Some(lines)) => (lines.begin.map(Begin::place), lines.end.map(Begin::place)),
            (None, None) => (None, None),
        };
        let line = begin.and_then(|begin| begin.line).and_then(line_number);
        let ends_before = end.is_some_and(|end| end.column == Some(1) && end.line > line);
        let end = end.and_then(|end| end.line).map(|line| line.saturating_sub(u32::from(ends_before)));
        let message = one_line(&issue.description);
        let code = issue.check_name.trim();
        // Some say the rule's name before the message, too.
        let said = [format!("{code}: "), format!("({code}) ")];
        let message = said.iter().find_map(|start| message.strip_prefix(start.as_str())).unwrap_or(&message).to_owned();
        // hadolint has its warnings as major, and ruff all that it says; the others their errors.
        let letters = code.bytes().take_while(u8::is_ascii_uppercase).count();
        let digits = code.get(letters..).unwrap_or_default();
        let is_numbered = (1..=4).contains(&letters) && (3..=4).contains(&digits.len()) && number(digits).is_some();
        let is_lenient = is_numbered && !code.starts_with("TS");
        let is_hadolint = is_lenient && (code.starts_with("DL") || code.starts_with("SC"));
        let severity = match issue.severity.as_deref() {
            Some("blocker" | "critical") => Severity::Error,
            Some("major") if !is_lenient => Severity::Error,
            Some("minor") if is_hadolint => Severity::Info,
            Some("info") => Severity::Info,
            _ => Severity::Warn,
        };
        // A place is demanded there: what has none stands in the root.
        let is_placeless = path == ".";
        out.push(Diagnostic {
            file: Some(path.strip_prefix("./").map_or(path.clone(), str::to_owned))
                .filter(|path| !path.is_empty() && !is_placeless),
            line: line.filter(|_| !is_placeless),
            column: begin.and_then(|begin| begin.column).and_then(line_number).filter(|_| line.is_some()),
            end_line: end.filter(|end| line.is_some_and(|line| *end >= line)),
            raw: RawValue::from_string(text.to_owned()).ok(),
            ..Diagnostic::new(
                issue.engine_name.unwrap_or_else(|| "code quality".to_owned()),
                if advisory::is_id(code) || exported::is_not_checked(code) { Kind::Cve } else { Kind::Lint },
                severity,
                if code.is_empty() { nameless(&message) } else { code.to_owned() },
                message,
            )
        });
    }
}
