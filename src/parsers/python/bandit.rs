//! bandit: `-f json`, the text that it prints by default, and `-f custom`
//! (<https://bandit.readthedocs.io/en/latest/formatters/index.html>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// The name of a file that bandit could not parse.
const SYNTAX: &str = "syntax";
/// The name of a file that was not scanned for another reason.
const SKIPPED: &str = "not_scanned";
/// Above the files that were not scanned.
const FILES_SKIPPED: &str = "Files skipped (";
/// Lines of one issue: bandit shows three lines of source unless told otherwise.
const BLOCK_LINES: usize = 200;

/// Reads both streams, each with an issue of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Bandit {
    parts: [Part; 2],
}

#[derive(Default)]
enum Part {
    #[default]
    None,
    Issue(Block),
    Skipped,
}

/// An issue of the text format.
#[derive(Default)]
struct Block {
    code: String,
    message: String,
    severity: Option<Severity>,
    at: Option<(String, u32, Option<u32>)>,
    lines: usize,
    text: String,
}

/// A report, or a part of one.
#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow, default)]
    results: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    errors: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Issue {
    filename: String,
    test_id: String,
    issue_text: String,
    issue_severity: String,
    #[serde(rename = "issue_confidence")]
    _confidence: String,
    line_number: Option<i64>,
    /// From 0; since 1.7.
    col_offset: Option<i64>,
    #[serde(default)]
    line_range: Vec<i64>,
}

#[derive(Deserialize)]
struct Unscanned {
    filename: String,
    reason: String,
}

impl Parser for Bandit {
    fn triggers(&self) -> &'static [&'static str] {
        &[">> Issue: [", FILES_SKIPPED, "[bandit]: "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let part = &mut self.parts[line.side()];
        let text = line.text;
        match part {
            Part::Issue(block) => {
                if block.read(text) {
                    return Verdict::Open;
                }
                out.extend(std::mem::take(block).end());
            }
            Part::Skipped => {
                if let Some(found) = text.strip_prefix('\t').and_then(skipped) {
                    out.push(found);
                    return Verdict::Open;
                }
            }
            Part::None => {}
        }
        *part = if let Some(issue) = text.strip_prefix(">> Issue: [") {
            Block::begin(issue, text).map_or(Part::None, Part::Issue)
        } else if text.starts_with(FILES_SKIPPED) && text.ends_with("):") {
            Part::Skipped
        } else {
            out.extend(custom(text));
            Part::None
        };
        if matches!(part, Part::None) { Verdict::Idle } else { Verdict::Open }
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"issue_confidence\"", "\"CONFIDENCE.HIGH\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(report) = serde_json::from_str::<Report<'_>>(text) else { return };
        for one in report.results {
            let Ok(issue) = serde_json::from_str::<Issue>(one.get()) else { continue };
            out.push(issue.diagnostic(one));
        }
        for one in report.errors {
            let Ok(error) = serde_json::from_str::<Unscanned>(one.get()) else { continue };
            let raw = RawValue::from_string(one.get().to_owned()).ok();
            out.push(Diagnostic { raw, ..unscanned(&error.filename, &error.reason) });
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for part in &mut self.parts {
            if let Part::Issue(block) = std::mem::take(part) {
                out.extend(block.end());
            }
        }
    }
}

impl Issue {
    fn diagnostic(self, record: &RawValue) -> Diagnostic {
        let unsigned = |number: i64| u32::try_from(number).ok();
        let line = self.line_number.and_then(unsigned).and_then(line_number);
        Diagnostic {
            file: Some(self.filename),
            line,
            column: self.col_offset.filter(|column| *column >= 0).and_then(|column| unsigned(column + 1)),
            end_line: self.line_range.iter().copied().max().and_then(unsigned).filter(|end| Some(*end) >= line),
            raw: RawValue::from_string(record.get().to_owned()).ok(),
            ..found(&self.test_id, severity(&self.issue_severity), &self.issue_text)
        }
    }
}

impl Block {
    /// From what follows the opening bracket: `B101:assert_used] message`.
    fn begin(issue: &str, text: &str) -> Option<Self> {
        let (name, message) = issue.split_once("] ")?;
        let code = name.split_once(':').map_or(name, |(code, _)| code);
        Some(Self { code: code.to_owned(), message: message.to_owned(), text: format!("{text}\n"), ..Self::default() })
    }

    /// Reads the next line; false if it is not part of the block.
    fn read(&mut self, text: &str) -> bool {
        self.lines += 1;
        let is_rule = text.len() > 40 && text.bytes().all(|byte| byte == b'-');
        if is_rule || self.lines > BLOCK_LINES || text.starts_with(">> Issue: [") || text.starts_with("Code scanned:") {
            return false;
        }
        let body = text.trim_start();
        if self.at.is_none() {
            if let Some(words) = body.strip_prefix("Severity: ") {
                self.severity = words.split_whitespace().next().map(severity);
            } else if let Some(at) = body.strip_prefix("Location: ") {
                self.at = Some(located(at.trim_end()));
            }
        }
        push_line(&mut self.text, text);
        true
    }

    fn end(self) -> Option<Diagnostic> {
        let (file, line, column) = self.at?;
        Some(Diagnostic {
            file: Some(file),
            line: line_number(line),
            column,
            raw: raw(&self.text),
            ..found(&self.code, self.severity?, &self.message)
        })
    }
}

/// `a.py:2:0`, before 1.7 `a.py:2`. Columns count from 0; -1 and an empty one are none.
fn located(at: &str) -> (String, u32, Option<u32>) {
    let at = at.strip_suffix(":-1").or(at.strip_suffix(':')).unwrap_or(at);
    match place(at) {
        Some((file, line, column)) => (file.to_owned(), line, column.and_then(|column| column.checked_add(1))),
        None => (at.to_owned(), 0, None),
    }
}

/// `a.py:2: B404[bandit]: LOW: message`, the custom format as it is unless a template is given.
fn custom(text: &str) -> Option<Diagnostic> {
    let (before, after) = text.split_once("[bandit]: ")?;
    let (at, code) = before.rsplit_once(": ")?;
    let (file, line) = at.rsplit_once(':')?;
    let (level, message) = after.split_once(": ")?;
    let is_level = ["LOW", "MEDIUM", "HIGH", "UNDEFINED"].contains(&level);
    let line = number(line).filter(|_| is_level)?;
    Some(Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        raw: raw(text),
        ..found(code, severity(level), message)
    })
}

/// `a.py (reason)`.
fn skipped(text: &str) -> Option<Diagnostic> {
    let (file, reason) = text.trim_end().strip_suffix(')')?.rsplit_once(" (")?;
    Some(Diagnostic { raw: raw(text), ..unscanned(file, reason) })
}

fn unscanned(file: &str, reason: &str) -> Diagnostic {
    let (code, severity) = match reason.starts_with("syntax error") {
        true => (SYNTAX, Severity::Error),
        false => (SKIPPED, Severity::Warn),
    };
    Diagnostic { file: Some(file.to_owned()), ..found(code, severity, reason) }
}

fn severity(level: &str) -> Severity {
    match level.to_ascii_lowercase().as_str() {
        "high" => Severity::Error,
        "low" => Severity::Info,
        _ => Severity::Warn,
    }
}

fn found(code: &str, severity: Severity, message: &str) -> Diagnostic {
    Diagnostic::new("bandit", Kind::Lint, severity, code.to_owned(), one_line(message))
}
