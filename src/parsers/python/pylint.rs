//! pylint: its text, also coloured and `-f parseable`, `msvs` and `github`, and `-f json` and `json2`
//! (<https://pylint.readthedocs.io/en/stable/user_guide/usage/output.html>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, push_line, raw, slug};
use crate::parsers::{Parser, Verdict};

/// Above the messages of one module.
const MODULE: &str = "************* Module ";
/// Lines of code that may follow a message, before the line that ends with its symbol.
const SOURCE_LINES: u32 = 4;
/// Lines of code that follow the message about similar ones.
const SIMILAR_LINES: u32 = 100;

/// Reads both streams, each with a message of its own that may go on.
#[derive(Default)]
pub(in crate::parsers) struct Pylint {
    similar: [Option<(Diagnostic, String, u32)>; 2],
    /// The file of the module that was named, and a message without its symbol: releases before 2.0 name no files.
    modules: [Option<(String, Option<Old>)>; 2],
}

/// A message of a release before 2.0.
struct Old {
    found: Diagnostic,
    text: String,
    lines: u32,
}

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "type")]
    category: String,
    path: String,
    symbol: String,
    message: String,
    #[serde(alias = "messageId")]
    #[serde(rename = "message-id")]
    id: String,
    line: Option<i64>,
    /// From 0.
    column: Option<i64>,
    #[serde(rename = "endLine")]
    end_line: Option<i64>,
}

impl Parser for Pylint {
    fn triggers(&self) -> &'static [&'static str] {
        &[MODULE, ".py:№", ".pyi:№", ".py(", "::notice file=", "::warning file=", "::error file="]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text;
        if let Some(module) = text.strip_prefix(MODULE) {
            self.end_module(line.side(), out);
            self.modules[line.side()] = Some((format!("{}.py", module.trim().replace('.', "/")), None));
        } else if self.in_module(line.side(), text, out) {
            return Verdict::Open;
        }
        let verdict = self.message_line(line, out);
        if self.modules[line.side()].is_some() { Verdict::Open } else { verdict }
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"message-id\"", "\"absolutePath\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        match serde_json::from_str::<Report<'_>>(text) {
            Ok(report) => report.messages.into_iter().for_each(|one| record(one.get(), out)),
            Err(_) => record(text, out),
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in 0..self.modules.len() {
            self.end_module(side, out);
        }
        out.extend(
            self.similar
                .iter_mut()
                .filter_map(Option::take)
                .map(|(found, text, _)| Diagnostic { raw: raw(&text), ..found }),
        );
    }
}

impl Pylint {
    /// Whether the line is of an old release, below a module's name.
    fn in_module(&mut self, side: usize, text: &str, out: &mut Vec<Diagnostic>) -> bool {
        let Some((file, held)) = &mut self.modules[side] else { return false };
        let next = old_message(file, text);
        if next.is_none()
            && let Some(old) = held
            && old.lines < SOURCE_LINES
            && !text.trim().is_empty()
        {
            old.lines += 1;
            push_line(&mut old.text, text);
            if let Some(symbol) = symbol(text) {
                old.found.code = symbol.to_owned();
                out.extend(held.take().map(Old::end));
            }
            return true;
        }
        out.extend(held.take().map(Old::end));
        let Some(old) = next else {
            if text.trim().is_empty() {
                self.modules[side] = None;
            }
            return false;
        };
        match old.found.code.is_empty() {
            true => *held = Some(old),
            false => out.push(old.end()),
        }
        true
    }

    fn end_module(&mut self, side: usize, out: &mut Vec<Diagnostic>) {
        out.extend(self.modules[side].take().and_then(|(_, held)| held).map(Old::end));
    }

    fn message_line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.similar[line.side()];
        let text = line.text;
        let found = message(text);
        if let Some((similar, raw_text, lines)) = waiting {
            let is_end = found.is_some() || *lines >= SIMILAR_LINES || text.starts_with("*****");
            if !is_end {
                *lines += 1;
                push_line(raw_text, text);
            }
            if is_end || text.trim_end().ends_with("(duplicate-code)") {
                similar.raw = raw(raw_text);
                out.extend(waiting.take().map(|(found, ..)| found));
            }
            if !is_end {
                return if waiting.is_some() { Verdict::Open } else { Verdict::Idle };
            }
        }
        let Some(mut found) = found else { return Verdict::Idle };
        if found.code == "R0801" && !text.trim_end().ends_with(')') {
            *waiting = Some((found, format!("{text}\n"), 0));
            return Verdict::Open;
        }
        found.raw = raw(text);
        out.push(found);
        Verdict::Idle
    }
}

impl Old {
    fn end(mut self) -> Diagnostic {
        if self.found.code.is_empty() {
            self.found.code = slug(&self.found.message);
        }
        Diagnostic { raw: raw(&self.text), ..self.found }
    }
}

fn record(text: &str, out: &mut Vec<Diagnostic>) {
    let Ok(record) = serde_json::from_str::<Record>(text) else { return };
    if severity(&record.id).is_none() || record.category.is_empty() || record.symbol.is_empty() {
        return;
    }
    let unsigned = |number: i64| u32::try_from(number).ok();
    out.push(Diagnostic {
        file: Some(record.path),
        line: record.line.and_then(unsigned).and_then(line_number),
        column: record.column.filter(|column| *column >= 0).and_then(|column| unsigned(column + 1)),
        end_line: record.end_line.and_then(unsigned).and_then(line_number),
        raw: RawValue::from_string(text.to_owned()).ok(),
        ..found(&record.id, &record.message)
    });
}

/// `C: 12, 0: message (symbol)`, `W: 28,11: message`, `C0111: 12,0:object: message`.
fn old_message(file: &str, text: &str) -> Option<Old> {
    let (id, rest) = text.split_once(':')?;
    let letter = id.get(..1).filter(|_| id.len() == 1 || severity(id).is_some())?;
    let (at, rest) = rest.split_once(':')?;
    let (line, column) = at.split_once(',').map_or((at, None), |(line, column)| (line, number(column.trim())));
    let line = number(line.trim())?;
    let message = rest.strip_prefix(' ').or_else(|| rest.split_once(": ").map(|(_, message)| message))?;
    // The letters stand for the same in every release.
    severity(&format!("{letter}0000"))?;
    let code = if id.len() > 1 { id } else { symbol(message).unwrap_or_default() };
    let found = Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        column: column.and_then(|column| column.checked_add(1)),
        code: code.to_owned(),
        ..found(&format!("{letter}0000"), without_symbol(message))
    };
    Some(Old { found, text: format!("{text}\n"), lines: 0 })
}

/// The symbol in parentheses that a line ends with.
fn symbol(text: &str) -> Option<&str> {
    let (_, symbol) = text.trim_end().strip_suffix(')')?.rsplit_once(" (")?;
    let is_symbol = symbol.contains('-') && symbol.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    (is_symbol || symbol == "unreachable" || symbol == "fixme").then_some(symbol)
}

/// A line in any of the text formats.
fn message(text: &str) -> Option<Diagnostic> {
    if text.starts_with("::") {
        return github(text);
    }
    if text.starts_with(char::is_whitespace) {
        return None;
    }
    if let Some((at, rest)) = text.split_once(": [") {
        return bracketed(at, rest);
    }
    // `a.py:26:0: C0301: message (line-too-long)`
    let (at, rest) = text.match_indices(": ").find_map(|(at, gap)| {
        let rest = &text[at + gap.len()..];
        let (id, message) = rest.split_once(": ")?;
        severity(id).map(|_| (&text[..at], (id, message)))
    })?;
    let (file, line, column) = place(at)?;
    Some(Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        column: column.and_then(|column| column.checked_add(1)),
        ..found(rest.0, without_symbol(rest.1))
    })
}

/// `a.py:26: [C0301(line-too-long), obj] message` and `a.py(26): [C0301(line-too-long)obj] message`. flake8 and ruff
/// print a code alone.
fn bracketed(at: &str, rest: &str) -> Option<Diagnostic> {
    let (names, message) = rest.split_once("] ")?;
    let id = names.get(..5)?;
    if severity(id).is_none() || !names[5..].starts_with(['(', ',']) {
        return None;
    }
    let (file, line) = match at.strip_suffix(')') {
        Some(at) => at.rsplit_once('(')?,
        None => at.rsplit_once(':')?,
    };
    Some(Diagnostic { file: Some(file.to_owned()), line: line_number(number(line)?), ..found(id, message) })
}

/// `::error file=a.py,line=1,endline=,col=0,title=E0602::message`.
fn github(text: &str) -> Option<Diagnostic> {
    let (properties, message) = text.trim_start_matches(':').split_once("::")?;
    let (_, properties) = properties.split_once(' ')?;
    let (rest, id) = properties.rsplit_once(",title=")?;
    severity(id)?;
    let (rest, column) = rest.rsplit_once(",col=")?;
    let (rest, end_line) = rest.rsplit_once(",endline=").map_or((rest, ""), |(rest, end)| (rest, end));
    let (file, line) = rest.strip_prefix("file=")?.rsplit_once(",line=")?;
    Some(Diagnostic {
        file: Some(file.to_owned()),
        line: number(line).and_then(line_number),
        column: number(column).and_then(|column| column.checked_add(1)),
        end_line: number(end_line).and_then(line_number),
        ..found(id, &message.replace("%0A", " "))
    })
}

/// The message without the symbol behind it.
fn without_symbol(text: &str) -> &str {
    let split = || {
        let (message, symbol) = text.trim_end().strip_suffix(')')?.rsplit_once(" (")?;
        symbol.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-').then_some(message)
    };
    split().unwrap_or(text)
}

/// The severity of a message by its name, if it is one: a letter and four digits.
fn severity(id: &str) -> Option<Severity> {
    let (letter, digits) = id.split_at_checked(1)?;
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match letter {
        "E" | "F" => Some(Severity::Error),
        "W" => Some(Severity::Warn),
        "C" | "R" | "I" => Some(Severity::Info),
        _ => None,
    }
}

fn found(id: &str, message: &str) -> Diagnostic {
    let severity = severity(id).unwrap_or(Severity::Warn);
    Diagnostic::new("pylint", Kind::Lint, severity, id.to_owned(), one_line(message))
}
