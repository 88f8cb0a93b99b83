//! PHPStan: `--error-format` table (the default), raw and json (<https://phpstan.org/user-guide/output-format>).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, push_line, raw, slug};
use crate::parsers::{Parser, Verdict};

/// Reads both streams, each with a table of its own.
#[derive(Default)]
pub(in crate::parsers) struct Phpstan {
    tables: [Option<Table>; 2],
}

/// The table of one file, or of the errors that are in no file.
struct Table {
    file: Option<String>,
    row: Option<Row>,
}

struct Row {
    line: Option<u32>,
    message: String,
    identifier: Option<String>,
    text: String,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(rename = "totals")]
    _totals: Totals,
    #[serde(borrow)]
    files: &'a RawValue,
    #[serde(default)]
    errors: Vec<String>,
}

#[derive(Deserialize)]
struct Totals {
    #[serde(rename = "file_errors")]
    _file_errors: u64,
}

#[derive(Deserialize)]
struct File {
    messages: Vec<Message>,
}

#[derive(Deserialize, serde::Serialize)]
struct Message {
    message: String,
    line: Option<u32>,
    identifier: Option<String>,
    tip: Option<String>,
}

impl Parser for Phpstan {
    fn triggers(&self) -> &'static [&'static str] {
        &["  Line   ", "     Error", ".php:"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.tables[line.side()];
        let text = line.text.trim_end();
        if is_rule(&line.previous()) && (text.starts_with("  Line   ") || text == "     Error") {
            let file = text.strip_prefix("  Line   ").map(|file| without_context(file.trim()).to_owned());
            *waiting = Some(Table { file, row: None });
            return Verdict::Own;
        }
        if let Some(table) = waiting {
            if is_rule(text) {
                // The first one stands below the file's name.
                if table.row.is_none() {
                    return Verdict::Own;
                }
                out.extend(table.end());
                *waiting = None;
                return Verdict::Own;
            }
            if table.read(text, out) {
                return Verdict::Own;
            }
            out.extend(table.end());
            *waiting = None;
        }
        out.extend(raw_format(text));
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"file_errors\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(Document { files, errors, .. }) = serde_json::from_str::<Document<'_>>(text) else { return };
        // Without files it is an empty array.
        let files: BTreeMap<String, &RawValue> = serde_json::from_str(files.get()).unwrap_or_default();
        for (file, record) in files {
            let Ok(record) = serde_json::from_str::<File>(record.get()) else { continue };
            for message in record.messages {
                let raw = to_raw_value(&message).ok();
                let file = Some(without_context(&file).to_owned());
                let line = message.line.and_then(line_number);
                out.push(Diagnostic { file, line, raw, ..found(&message.message, message.identifier.as_deref()) });
            }
        }
        out.extend(errors.iter().map(|error| found(error, None)));
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for table in self.tables.iter_mut().filter_map(Option::take) {
            let mut table = table;
            out.extend(table.end());
        }
    }
}

impl Table {
    /// Reads a row, or what goes on of one; false if it is no part of the table.
    fn read(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> bool {
        let body = text.trim();
        let indent = text.len() - text.trim_start().len();
        if body.is_empty() || indent == 0 {
            return body.is_empty() && self.row.is_some();
        }
        let begins = match &self.file {
            // `  :15` where the line is of another file, `  ?` where there is none.
            Some(_) => indent == 2,
            None => indent == 5,
        };
        if begins {
            out.extend(self.end());
            let (at, message) = match &self.file {
                Some(_) => body.split_once(' ').unwrap_or((body, "")),
                None => ("", body),
            };
            let line = number(at.trim_start_matches(':')).and_then(line_number);
            let (message, text) = (message.trim().to_owned(), format!("{text}\n"));
            self.row = Some(Row { line, message, identifier: None, text });
            return true;
        }
        let Some(row) = &mut self.row else { return false };
        push_line(&mut row.text, text);
        if let Some(identifier) = body.strip_prefix("🪪") {
            row.identifier = Some(identifier.trim().to_owned());
        } else if row.identifier.is_none() && !body.starts_with(['💡', '✏']) {
            row.message.push(' ');
            row.message.push_str(body);
        }
        true
    }

    fn end(&mut self) -> Option<Diagnostic> {
        let Row { line, message, identifier, text } = self.row.take()?;
        let message = message.split(" 💡").next().unwrap_or(&message);
        Some(Diagnostic { file: self.file.clone(), line, raw: raw(&text), ..found(message, identifier.as_deref()) })
    }
}

/// ` ------ -----------`.
fn is_rule(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("--") && text.contains(' ') && text.bytes().all(|byte| byte == b'-' || byte == b' ')
}

/// How messages begin that may end without a full stop.
const STARTS: [&str; 5] = ["Call to ", "Access to ", "Class ", "Undefined variable: $", "Syntax error, "];

/// `/src/a.php:12:message [identifier=argument.type]`.
fn raw_format(text: &str) -> Option<Diagnostic> {
    let (file, rest) = text.split_once(".php:")?;
    let (line, message) = rest.split_once(':')?;
    let line = number(line).filter(|_| message.starts_with(|c: char| c.is_ascii_uppercase()))?;
    if file.contains(": ") || file.starts_with([' ', '#', '[', '(']) || message.contains(": error") {
        return None;
    }
    let split = message.strip_suffix(']').and_then(|rest| rest.rsplit_once(" [identifier="));
    let (message, identifier) = split.map_or((message, None), |(message, identifier)| (message, Some(identifier)));
    // What `grep -n` finds looks alike, but is no sentence.
    let is_sentence =
        message.ends_with('.') && message.contains(' ') || STARTS.iter().any(|it| message.starts_with(it));
    if identifier.is_none() && !is_sentence {
        return None;
    }
    Some(Diagnostic {
        file: Some(without_context(&format!("{file}.php")).to_owned()),
        line: line_number(line),
        raw: raw(text),
        ..found(message, identifier)
    })
}

/// The file of a trait is named with the class that uses it.
fn without_context(file: &str) -> &str {
    file.split(" (in context of ").next().unwrap_or(file)
}

fn found(message: &str, identifier: Option<&str>) -> Diagnostic {
    let code = identifier.filter(|it| !it.is_empty()).map_or_else(|| code(message), str::to_owned);
    Diagnostic::new("phpstan", Kind::Lint, Severity::Error, code, one_line(message))
}

/// Before 1.11 there are no identifiers. Names of classes, variables and types vary from place to place.
fn code(message: &str) -> String {
    if message.starts_with("Syntax error") {
        return "phpstan.parse".to_owned();
    }
    let is_word = |word: &&str| {
        let word = word.trim_end_matches(['.', ',', ':']);
        let rest = &word[word.chars().next().map_or(0, char::len_utf8)..];
        !word.contains(['\\', '$', ':', '(', '#', '<', '{', '|', '\'']) && !rest.contains(|c: char| c.is_uppercase())
    };
    let name = slug(&message.split(' ').filter(is_word).collect::<Vec<_>>().join(" "));
    if name.is_empty() { "error".to_owned() } else { name }
}
