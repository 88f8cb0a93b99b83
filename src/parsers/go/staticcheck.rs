//! staticcheck: `-f json`, `stylish`, and the text that it prints by default
//! (<https://staticcheck.dev/docs/running-staticcheck/cli/formatters/>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, raw};
use crate::parsers::{Parser, Verdict};

/// The name of what does not compile; staticcheck's own.
const COMPILE: &str = "compile";

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct Staticcheck {
    /// The file whose problems are listed below it in the stylish format.
    files: [Option<String>; 2],
}

#[derive(Deserialize)]
struct Record {
    code: String,
    severity: String,
    location: Location,
    #[serde(default)]
    end: Option<Location>,
    message: String,
}

#[derive(Deserialize)]
struct Location {
    file: String,
    line: u32,
    column: u32,
}

impl Parser for Staticcheck {
    fn triggers(&self) -> &'static [&'static str] {
        &[".go:№", "  SA", "  ST1", "  S1", "  QF1", "  U1000", "  compile  ", "(compile)"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text;
        let file = &mut self.files[line.side()];
        if let Some(listed) = file {
            if let Some(found) = stylish(listed, text) {
                out.push(found);
                return Verdict::Own;
            }
            // What belongs to a problem is further in.
            if text.starts_with("    (") {
                return Verdict::Own;
            }
            *file = None;
        }
        if let Some(found) = of_text(text) {
            out.push(found);
            return Verdict::Own;
        }
        let above = line.previous();
        if above.ends_with(".go")
            && !above.starts_with(char::is_whitespace)
            && let Some(found) = stylish(&above, text)
        {
            out.push(found);
            *file = Some(above.into_owned());
            return Verdict::Own;
        }
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"location\":{\"file\":\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(record) = serde_json::from_str::<Record>(text) else { return };
        let severity = match record.severity.as_str() {
            "error" => Severity::Error,
            "warning" => Severity::Warn,
            _ => return,
        };
        if !is_code(&record.code) {
            return;
        }
        if matches!(record.location.file.as_str(), "" | "-") {
            // The compiler's own words, behind a line with the package's name.
            let before = out.len();
            out.extend(record.message.lines().filter_map(|line| of_text(&format!("{line} ({COMPILE})"))));
            if out.len() > before {
                return;
            }
        }
        let mut found = found(&record.code, &record.message);
        found.severity = severity;
        found.file = Some(record.location.file).filter(|file| !matches!(file.as_str(), "" | "-"));
        found.line = line_number(record.location.line);
        found.column = line_number(record.location.column);
        found.end_line = record.end.and_then(|end| line_number(end.line));
        found.raw = RawValue::from_string(text.to_owned()).ok();
        out.push(found);
    }
}

/// `a.go:1:2: message (SA1000)`; what concerns no file has `-` in its place.
fn of_text(text: &str) -> Option<Diagnostic> {
    let (rest, code) = text.trim_end().strip_suffix(')')?.rsplit_once(" (")?;
    if !is_code(code) || text.starts_with(char::is_whitespace) {
        return None;
    }
    let (at, message) = rest.split_once(": ")?;
    let mut found = found(code, message);
    if at != "-" {
        let (file, line, column) = place(at).filter(|(file, ..)| file.ends_with(".go"))?;
        found.file = Some(file.to_owned());
        found.line = line_number(line);
        found.column = column.and_then(line_number);
    }
    found.raw = raw(text);
    Some(found)
}

/// `  (1, 2)  SA1000  message` below the file's name.
fn stylish(file: &str, text: &str) -> Option<Diagnostic> {
    let (at, rest) = text.trim_start().strip_prefix('(')?.split_once(')')?;
    let (line, column) = at.split_once(", ")?;
    let (code, message) = rest.trim_start().split_once(' ')?;
    if !is_code(code) || !text.starts_with("  (") {
        return None;
    }
    let mut found = found(code, message.trim_start());
    found.file = Some(file.to_owned());
    found.line = line_number(number(line)?);
    found.column = line_number(number(column.trim())?);
    found.raw = raw(text);
    Some(found)
}

/// `SA1000`, `S1000`, `ST1000`, `QF1000`, `U1000`.
fn is_code(code: &str) -> bool {
    let digits = ["SA", "ST", "S", "QF", "U"].iter().find_map(|start| code.strip_prefix(start));
    code == COMPILE || digits.is_some_and(|digits| digits.len() == 4 && number(digits).is_some())
}

fn found(code: &str, message: &str) -> Diagnostic {
    let severity = if code == COMPILE { Severity::Error } else { Severity::Warn };
    Diagnostic::new("staticcheck", Kind::Lint, severity, code, one_line(message))
}
