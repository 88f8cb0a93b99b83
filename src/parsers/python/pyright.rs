//! pyright and basedpyright: their text, and `--outputjson`
//! (<https://microsoft.github.io/pyright/#/command-line?id=json-output>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, push_line, raw, slug};
use crate::parsers::{Parser, Verdict};

/// The code of an error without a rule.
const SYNTAX: &str = "syntax";
/// Lines of a message.
const MESSAGE_LINES: usize = 200;

/// Reads both streams, each with a diagnostic of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Pyright {
    parts: [Part; 2],
}

#[derive(Default)]
struct Part {
    /// The file whose diagnostics are listed.
    file: String,
    block: Option<Block>,
}

struct Block {
    at: (String, u32, u32),
    severity: Severity,
    message: String,
    text: String,
    lines: usize,
}

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(rename = "generalDiagnostics", borrow)]
    diagnostics: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Record {
    file: String,
    severity: String,
    message: String,
    range: Option<Range>,
    rule: Option<String>,
}

#[derive(Deserialize)]
struct Range {
    start: Position,
    end: Position,
}

/// Both from 0.
#[derive(Deserialize)]
struct Position {
    line: u32,
    character: u32,
}

impl Parser for Pyright {
    fn triggers(&self) -> &'static [&'static str] {
        &[" - error: ", " - warning: ", " - information: "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let part = &mut self.parts[line.side()];
        let text = line.text;
        if let Some(block) = &mut part.block
            && block.read(text)
        {
            return Verdict::Open;
        }
        let was_open = part.block.is_some();
        out.extend(part.block.take().map(Block::end));
        if text.starts_with(' ') {
            if !was_open {
                part.file = line.previous().trim_end().to_owned();
            }
            part.block = Block::begin(&part.file, text);
        }
        if part.block.is_some() { Verdict::Open } else { Verdict::Idle }
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"generalDiagnostics\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(report) = serde_json::from_str::<Report<'_>>(text) else { return };
        for one in report.diagnostics {
            let Ok(record) = serde_json::from_str::<Record>(one.get()) else { continue };
            let Some(severity) = severity(&record.severity) else { continue };
            let start = record.range.as_ref().map(|range| &range.start);
            out.push(Diagnostic {
                line: start.and_then(|start| start.line.checked_add(1)),
                column: start.and_then(|start| start.character.checked_add(1)),
                end_line: record.range.as_ref().and_then(|range| range.end.line.checked_add(1)),
                raw: RawValue::from_string(one.get().to_owned()).ok(),
                ..found(record.file, severity, record.rule.as_deref(), &record.message)
            });
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.parts.iter_mut().filter_map(|part| part.block.take()).map(Block::end));
    }
}

impl Block {
    /// `  /a/b.py:5:8 - error: message (rule)`; before 1.1.170 or so the file stands above only.
    fn begin(file: &str, text: &str) -> Option<Self> {
        let body = text.strip_prefix("  ").filter(|body| !body.starts_with(' '))?;
        let (at, severity, message) = [" - error: ", " - warning: ", " - information: "].iter().find_map(|word| {
            let (at, message) = body.split_once(word)?;
            Some((at, severity(word.trim_matches([' ', '-', ':']))?, message))
        })?;
        let at = match place(at)? {
            (file, line, Some(column)) => (file.to_owned(), line, column),
            (line, column, None) if is_file(file) => (file.to_owned(), number(line)?, column),
            _ => return None,
        };
        Some(Self { at, severity, message: message.to_owned(), text: format!("{text}\n"), lines: 0 })
    }

    /// Reads the next line of the message; false if it is not part of it.
    fn read(&mut self, text: &str) -> bool {
        self.lines += 1;
        let is_part = text.starts_with("    ") && self.lines < MESSAGE_LINES;
        if is_part {
            push_line(&mut self.text, text);
            self.message.push(' ');
            self.message.push_str(text.trim());
        }
        is_part
    }

    fn end(self) -> Diagnostic {
        let message = self.message.trim_end();
        let named = message
            .strip_suffix(')')
            .and_then(|message| message.rsplit_once(" ("))
            .filter(|(_, rule)| rule.starts_with("report") && rule.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let (message, rule) = named.map_or((message, None), |(message, rule)| (message, Some(rule)));
        let (file, line, column) = self.at;
        Diagnostic {
            line: line_number(line),
            column: line_number(column),
            raw: raw(&self.text),
            ..found(file, self.severity, rule, message)
        }
    }
}

fn is_file(text: &str) -> bool {
    let text = text.trim_end();
    !text.is_empty() && !text.starts_with(' ') && !text.contains(": ") && text.contains(['.', '/', '\\'])
}

fn severity(word: &str) -> Option<Severity> {
    match word {
        "error" => Some(Severity::Error),
        "warning" => Some(Severity::Warn),
        "information" => Some(Severity::Info),
        // Hints for editors: what is not used or not reached.
        _ => None,
    }
}

fn found(file: String, severity: Severity, rule: Option<&str>, message: &str) -> Diagnostic {
    let code = match rule {
        Some(rule) => rule.to_owned(),
        None if severity == Severity::Error => SYNTAX.to_owned(),
        // What pyright quotes varies from place to place.
        None => slug(&message.replace('"', "`")),
    };
    Diagnostic { file: Some(file), ..Diagnostic::new("pyright", Kind::Lint, severity, code, one_line(message)) }
}
