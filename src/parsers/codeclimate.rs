//! The report of GitLab's code quality and of Code Climate, which many linters write: an array of issues, or issue
//! after issue (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Parser;
use super::text::{line_number, one_line};
use crate::model::{Diagnostic, Kind, Severity};

/// Keeps nothing: every issue stands for itself.
#[derive(Default)]
pub(super) struct CodeClimate;

#[derive(Deserialize)]
struct Issue {
    check_name: String,
    description: String,
    severity: Option<String>,
    location: Location,
}

#[derive(Deserialize)]
struct Location {
    path: String,
    lines: Option<Lines>,
    positions: Option<Positions>,
}

#[derive(Deserialize)]
struct Lines {
    begin: LineAt,
    end: Option<LineAt>,
}

#[derive(Deserialize)]
struct Positions {
    begin: Position,
    end: Option<Position>,
}

/// Some linters put a position where a line belongs.
#[derive(Deserialize)]
#[serde(untagged)]
enum LineAt {
    Line(u32),
    Position(Position),
}

#[derive(Deserialize)]
struct Position {
    line: u32,
    column: Option<u32>,
}

impl Parser for CodeClimate {
    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"check_name\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(issue) = serde_json::from_str::<Issue>(text) else { return };
        let Location { path, lines, positions } = issue.location;
        let place = match (lines, positions) {
            (Some(Lines { begin, end }), _) => Some((begin.position(), end.map(LineAt::position))),
            (None, Some(Positions { begin, end })) => Some((begin, end)),
            (None, None) => None,
        };
        let severity = match issue.severity.as_deref() {
            Some("blocker" | "critical") => Severity::Error,
            Some("info") => Severity::Info,
            _ => Severity::Warn,
        };
        out.push(Diagnostic {
            file: Some(path),
            line: place.as_ref().and_then(|(begin, _)| line_number(begin.line)),
            column: place.as_ref().and_then(|(begin, _)| begin.column).and_then(line_number),
            end_line: place.as_ref().and_then(|(_, end)| line_number(end.as_ref()?.line)),
            raw: RawValue::from_string(text.to_owned()).ok(),
            ..Diagnostic::new("codeclimate", Kind::Lint, severity, issue.check_name, one_line(&issue.description))
        });
    }
}

impl LineAt {
    fn position(self) -> Position {
        match self {
            Self::Line(line) => Position { line, column: None },
            Self::Position(position) => position,
        }
    }
}
