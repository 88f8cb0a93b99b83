//! mypy: its text, also with `--pretty`, `--show-column-numbers`, `--show-error-end` and `--hide-error-codes`, and
//! `--output json` (<https://mypy.readthedocs.io/en/stable/command_line.html#configuring-error-messages>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{is_python, line_number, one_line, place, push_line, raw, slug};
use crate::parsers::{Parser, Verdict};

/// The code of what mypy cannot parse; its own since codes are printed.
const SYNTAX: &str = "syntax";
/// The name of mypy's own crash.
const INTERNAL: &str = "internal_error";
/// Errors that concern a whole file, hence have no line. argparse prints its usage errors in the same form.
const WHOLE_FILE: [&str; 4] = ["Cannot read file", "Duplicate module named", "Source file found twice", "No such file"];
/// Characters that a line has at least, with the first word of the next one, if `--pretty` broke it: the narrowest
/// width of mypy without a terminal is 80.
const WRAP_WIDTH: usize = 70;
/// Bytes of a message that further lines are added to.
const MESSAGE_ROOM: usize = 8 << 10;

/// Reads both streams, each with an error of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Mypy {
    blocks: [Option<Block>; 2],
}

/// An error, with the notes and the source below it.
struct Block {
    at: Place,
    severity: Severity,
    message: String,
    /// What stands between message and code: less if the line was broken there.
    gap: &'static str,
    /// The message may go on; this is the length in characters of its last line.
    wrapped_at: Option<usize>,
    text: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Place {
    file: String,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Note,
}

#[derive(Deserialize)]
struct Record {
    file: String,
    line: i64,
    /// From 0; -1 where there is none.
    column: i64,
    end_line: Option<i64>,
    message: String,
    code: Option<String>,
    severity: String,
}

impl Parser for Mypy {
    fn triggers(&self) -> &'static [&'static str] {
        &[": error:", ": warning:"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.blocks[line.side()];
        let head = head(line.text);
        if let Some(block) = waiting {
            if block.read(line.text, head.as_ref()) {
                return Verdict::Open;
            }
            out.extend(waiting.take().map(Block::end));
        }
        *waiting = head.and_then(|head| Block::begin(line.text, head));
        if waiting.is_some() { Verdict::Open } else { Verdict::Idle }
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"hint\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(record) = serde_json::from_str::<Record>(text) else { return };
        let severity = match record.severity.as_str() {
            "error" => Severity::Error,
            "warning" => Severity::Warn,
            _ => return,
        };
        let from_one = |number: i64| u32::try_from(number).ok().and_then(line_number);
        let at = Place {
            file: record.file,
            line: from_one(record.line),
            column: from_one(record.column.saturating_add(1)),
            end_line: record.end_line.and_then(from_one),
        };
        let mut found = found(at, severity, &record.message, record.code.as_deref());
        found.raw = RawValue::from_string(text.to_owned()).ok();
        out.push(found);
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.blocks.iter_mut().filter_map(Option::take).map(Block::end));
    }
}

impl Block {
    fn begin(text: &str, (at, level, message): (Place, Level, &str)) -> Option<Self> {
        let severity = match level {
            Level::Error => Severity::Error,
            Level::Warning => Severity::Warn,
            Level::Note => return None,
        };
        let has_code = code(message, "  ").1.is_some();
        let is_mypy = match at.line {
            Some(_) => has_code || is_python(&at.file),
            None => WHOLE_FILE.iter().any(|start| message.starts_with(start)),
        };
        is_mypy.then(|| Self {
            at,
            severity,
            message: message.to_owned(),
            gap: "  ",
            wrapped_at: (!has_code).then(|| text.trim_end().chars().count()),
            text: format!("{text}\n"),
        })
    }

    /// Reads the next line; false if it is not part of the block.
    fn read(&mut self, text: &str, head: Option<&(Place, Level, &str)>) -> bool {
        match head {
            Some((at, Level::Note, message)) if self.is_explained_by(at, message) => self.wrapped_at = None,
            Some(_) => return false,
            // The source, and what marks the place in it.
            None if text.starts_with("    ") => self.wrapped_at = None,
            None => match self.wrapped_at {
                Some(length) if is_continuation(length, text) => {
                    if self.message.len() < MESSAGE_ROOM {
                        self.message.push(' ');
                        self.message.push_str(text.trim_end());
                    }
                    self.gap = " ";
                    let is_whole = code(&self.message, self.gap).1.is_some();
                    self.wrapped_at = (!is_whole).then(|| text.trim_end().chars().count());
                }
                _ => return false,
            },
        }
        push_line(&mut self.text, text);
        true
    }

    /// Whether a note belongs to this error, not to the next one or to nobody.
    fn is_explained_by(&self, at: &Place, message: &str) -> bool {
        let is_context = at.line.is_none() && self.at.line.is_some();
        !is_context
            && code(message, "  ").1.is_none()
            && !message.starts_with("Revealed ")
            && !message.ends_with(" defined here")
            && !message.ends_with("imported here:")
    }

    fn end(self) -> Diagnostic {
        let Self { at, severity, message, gap, text, .. } = self;
        let (message, code) = code(&message, gap);
        let mut found = found(at, severity, message, code);
        found.raw = raw(&text);
        found
    }
}

/// Splits `a.py:1:2: error: message`. The place may also lack its line, or have an end (`a.py:1:2:3:4`).
fn head(text: &str) -> Option<(Place, Level, &str)> {
    let levels = [(": error:", Level::Error), (": warning:", Level::Warning), (": note:", Level::Note)];
    let (at, word, level) =
        levels.into_iter().filter_map(|(word, level)| Some((text.find(word)?, word, level))).min_by_key(|hit| hit.0)?;
    let (place, message) = (&text[..at], &text[at + word.len()..]);
    let place = located(place)?;
    Some((place, level, message.strip_prefix(' ').unwrap_or(message).trim_end()))
}

fn located(text: &str) -> Option<Place> {
    if text.is_empty() || text.starts_with(char::is_whitespace) || text.contains(": ") {
        return None;
    }
    let Some((file, line, column)) = place(text) else {
        return Some(Place { file: text.to_owned(), line: None, column: None, end_line: None });
    };
    let (file, line, column, end_line) = match place(file) {
        Some((file, first, Some(first_column))) => (file, first, Some(first_column), line_number(line)),
        _ => (file, line, column, None),
    };
    Some(Place { file: file.to_owned(), line: line_number(line), column: column.and_then(line_number), end_line })
}

/// Splits `message  [code]`; `gap` stands between the two.
fn code<'a>(message: &'a str, gap: &str) -> (&'a str, Option<&'a str>) {
    let split = || {
        let (rest, code) = message.strip_suffix(']')?.rsplit_once('[')?;
        let rest = rest.strip_suffix(gap)?;
        let is_code =
            !code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        is_code.then_some((rest.trim_end(), Some(code)))
    };
    split().unwrap_or((message, None))
}

/// Whether a line of so many characters was broken before `text` because its first word, or what it quotes, had no
/// room.
fn is_continuation(length: usize, text: &str) -> bool {
    let word = match text.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().map_or(0, |quoted| quoted.chars().count() + 2),
        None => text.split_whitespace().next().map_or(0, |word| word.chars().count()),
    };
    let is_text = !text.is_empty() && !text.starts_with(char::is_whitespace) && !text.starts_with("Found ");
    is_text && length + 1 + word >= WRAP_WIDTH
}

fn found(at: Place, severity: Severity, message: &str, code: Option<&str>) -> Diagnostic {
    let code = match code {
        Some(code) => code.to_owned(),
        None if message.starts_with("invalid syntax") => SYNTAX.to_owned(),
        None if message.starts_with("INTERNAL ERROR") => INTERNAL.to_owned(),
        // What mypy quotes varies from place to place.
        None => slug(&message.replace('"', "`")),
    };
    Diagnostic {
        file: Some(at.file),
        line: at.line,
        column: at.column,
        end_line: at.end_line,
        ..Diagnostic::new(
            "mypy",
            Kind::Lint,
            severity,
            if code.is_empty() { "error".to_owned() } else { code },
            one_line(message),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_up_to_four_numbers() {
        let at = |text: &str| located(text).map(|at| (at.file, at.line, at.column, at.end_line));
        assert_eq!(at("a.py"), Some(("a.py".to_owned(), None, None, None)));
        assert_eq!(at("a.py:3"), Some(("a.py".to_owned(), Some(3), None, None)));
        assert_eq!(at("a.py:3:4"), Some(("a.py".to_owned(), Some(3), Some(4), None)));
        assert_eq!(at("a.py:3:4:5:6"), Some(("a.py".to_owned(), Some(3), Some(4), Some(5))));
        assert_eq!(at(" a.py:3"), None);
    }

    #[test]
    fn codes_are_not_types() {
        assert_eq!(code("no  [name-defined]", "  "), ("no", Some("name-defined")));
        assert_eq!(code("use list[int]", "  "), ("use list[int]", None));
        assert_eq!(code("use X [int]", "  "), ("use X [int]", None));
    }
}
