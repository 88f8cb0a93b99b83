//! PHP_CodeSniffer: its reports full, emacs and json (<https://github.com/PHPCSStandards/PHP_CodeSniffer/wiki/Reporting>).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, push_line, raw, slug};
use crate::parsers::{Parser, Verdict};

/// Lines between a file's name and its first row.
const HEAD_LINES: u8 = 6;

/// Reads both streams, each with a table of its own.
#[derive(Default)]
pub(in crate::parsers) struct Phpcs {
    tables: [Option<Table>; 2],
}

struct Table {
    file: String,
    room: u8,
    row: Option<(u32, Severity, String, String)>,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    files: BTreeMap<String, &'a RawValue>,
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message {
    message: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    line: u32,
    column: u32,
}

impl Parser for Phpcs {
    fn triggers(&self) -> &'static [&'static str] {
        &["FILE: ", ": error - ", ": warning - "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.tables[line.side()];
        if let Some(file) = line.text.strip_prefix("FILE: ") {
            out.extend(waiting.as_mut().and_then(Table::end));
            *waiting = Some(Table { file: file.trim().to_owned(), room: HEAD_LINES, row: None });
            return Verdict::Open;
        }
        if let Some(table) = waiting {
            if table.read(line.text, out) {
                return Verdict::Open;
            }
            out.extend(table.end());
            *waiting = None;
        }
        out.extend(emacs(line.text));
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"fixable\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(document) = serde_json::from_str::<Document<'_>>(text) else { return };
        for (file, record) in document.files {
            let Ok(record) = serde_json::from_str::<File<'_>>(record.get()) else { continue };
            for one in record.messages {
                let Ok(message) = serde_json::from_str::<Message>(one.get()) else { continue };
                let Some(severity) = severity(&message.kind) else { continue };
                out.push(Diagnostic {
                    column: line_number(message.column),
                    raw: RawValue::from_string(one.get().to_owned()).ok(),
                    ..found(&file, message.line, severity, Some(&message.source), &message.message)
                });
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.tables.iter_mut().flatten().filter_map(Table::end));
    }
}

impl Table {
    /// Reads a row, or what goes on of one; false if the table is over.
    fn read(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> bool {
        let mut cells = text.splitn(3, '|').map(str::trim);
        let (Some(at), Some(level), Some(message)) = (cells.next(), cells.next(), cells.next()) else {
            // The head of the table is what stands between two rules.
            return match self.room.checked_sub(1).filter(|_| self.row.is_none()) {
                Some(room) => {
                    self.room = room;
                    true
                }
                None => false,
            };
        };
        let message = message.strip_prefix("[ ]").or(message.strip_prefix("[x]")).unwrap_or(message).trim();
        if let (Some(line), Some(severity)) = (number(at), severity(level)) {
            out.extend(self.end());
            self.row = Some((line, severity, message.to_owned(), format!("{text}\n")));
            return true;
        }
        let Some((_, _, whole, raw)) = &mut self.row else { return false };
        whole.push(' ');
        whole.push_str(message.trim_start_matches("|").trim());
        push_line(raw, text);
        true
    }

    fn end(&mut self) -> Option<Diagnostic> {
        let (line, severity, message, text) = self.row.take()?;
        // With `-s` the rule stands behind the message.
        let split = message.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
        let is_rule = |rule: &str| rule.split('.').count() >= 3 && !rule.contains(' ');
        let (message, rule) = match split.filter(|(_, rule)| is_rule(rule)) {
            Some((message, rule)) => (message, Some(rule)),
            None => (message.as_str(), None),
        };
        Some(Diagnostic { raw: raw(&text), ..found(&self.file, line, severity, rule, message) })
    }
}

/// `/src/a.php:2:1: error - message`.
fn emacs(text: &str) -> Option<Diagnostic> {
    let (at, level, message) = [(": error - ", Severity::Error), (": warning - ", Severity::Warn)]
        .into_iter()
        .find_map(|(word, severity)| text.split_once(word).map(|(at, message)| (at, severity, message)))?;
    let (file, line, column) = place(at).filter(|(file, ..)| file.contains('.') && !file.contains(": "))?;
    let split = message.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    let split = split.filter(|(_, rule)| rule.split('.').count() >= 3 && !rule.contains(' '));
    let (message, rule) = split.map_or((message, None), |(message, rule)| (message, Some(rule)));
    let column = line_number(column?);
    Some(Diagnostic { column, raw: raw(text), ..found(file, line, level, rule, message) })
}

fn severity(kind: &str) -> Option<Severity> {
    match kind {
        "ERROR" => Some(Severity::Error),
        "WARNING" => Some(Severity::Warn),
        _ => None,
    }
}

fn found(file: &str, line: u32, severity: Severity, rule: Option<&str>, message: &str) -> Diagnostic {
    let code = rule.map_or_else(|| slug(&message.replace(['"', '\''], "`")), str::to_owned);
    let code = if code.is_empty() { severity.as_str().to_owned() } else { code };
    Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        ..Diagnostic::new("phpcs", Kind::Lint, severity, code, one_line(message))
    }
}
