//! javac and kotlinc, by themselves and below Ant and Gradle
//! (<https://docs.oracle.com/en/java/javase/21/docs/specs/man/javac.html>,
//! <https://kotlinlang.org/docs/command-line.html>). Maven prints their diagnostics its own way.

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::native::gnu::unnamed;
use crate::parsers::text::{line_number, number, one_line, place, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Lines between a diagnostic's head and the caret below its source.
const SOURCE_LINES: u8 = 4;
/// Lines below the caret that explain it.
const DETAIL_LINES: u8 = 40;

/// What Maven puts before a line.
const LEVELS: [&str; 2] = ["[ERROR] ", "[WARNING] "];

/// Reads both streams, each with a diagnostic of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Javac {
    blocks: [Option<Block>; 2],
}

struct Block {
    found: Diagnostic,
    /// `symbol:` and the like, which stand below the caret.
    details: String,
    text: String,
    part: Part,
    /// Whether Maven's levels stand before its lines.
    leveled: bool,
    /// Gradle prints diagnostics a second time, all lines further to the right.
    indent: usize,
}

#[derive(Clone, Copy)]
enum Part {
    /// The lines in which the caret has to come.
    Source(u8),
    /// The lines that may still explain it.
    Details(u8),
}

impl Parser for Javac {
    fn triggers(&self) -> &'static [&'static str] {
        &[": error: ", ": warning: ", ".kt: (", ".kts: (", "e: file:///", "w: file:///"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.blocks[line.side()];
        let text = unprefixed(line.text);
        let indent = text.len() - text.trim_start_matches(' ').len();
        if let Some(found) = head(&text[indent..]) {
            out.extend(waiting.take().map(Block::end));
            *waiting = Some(Block {
                found,
                details: String::new(),
                text: format!("{}\n", &text[indent..]),
                part: Part::Source(SOURCE_LINES),
                leveled: is_leveled(line.text),
                indent,
            });
            return Verdict::Own;
        }
        if let Some(found) = gradle_kotlin(text) {
            out.extend(waiting.take().map(Block::end));
            out.push(found);
            return Verdict::Own;
        }
        if let Some(block) = waiting {
            // Maven's own lines are no part of it.
            let is_same = block.leveled == is_leveled(line.text) && !text.contains(".java:[");
            if is_same && block.read(text) {
                return Verdict::Own;
            }
            out.extend(waiting.take().map(Block::end));
        }
        Verdict::Idle
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.blocks.iter_mut().filter_map(Option::take).map(Block::end));
    }
}

impl Block {
    /// Reads the next line; false if it is not part of the block.
    fn read(&mut self, text: &str) -> bool {
        let text = if text.trim().is_empty() { "" } else { text.get(self.indent..).unwrap_or(text) };
        self.part = match self.part {
            Part::Source(_) if is_caret(text) => {
                let column = u32::try_from(text.chars().count()).ok();
                self.found.column = self.found.column.or(column);
                Part::Details(DETAIL_LINES)
            }
            Part::Source(room) => match room.checked_sub(1) {
                Some(room) => Part::Source(room),
                None => return false,
            },
            Part::Details(room) => {
                let is_detail = text.starts_with("  ") && !text.trim().is_empty();
                let Some(room) = room.checked_sub(1).filter(|_| is_detail) else { return false };
                if self.found.tool == "javac" && is_named_detail(text) {
                    self.details.push_str("; ");
                    self.details.push_str(text);
                }
                Part::Details(room)
            }
        };
        push_line(&mut self.text, text);
        true
    }

    fn end(self) -> Diagnostic {
        let Self { mut found, details, text, .. } = self;
        if !details.is_empty() {
            found.message = one_line(&format!("{}{details}", found.message));
        }
        found.raw = raw(&text);
        found
    }
}

/// Without Ant's `    [javac] `, and without the level that Maven puts before what javadoc says.
fn unprefixed(text: &str) -> &str {
    let rest = text.trim_start();
    if let Some(rest) = rest.strip_prefix("[javac] ") {
        return rest;
    }
    LEVELS.iter().find_map(|level| rest.strip_prefix(level)).filter(|rest| !rest.starts_with('[')).unwrap_or(text)
}

fn is_leveled(text: &str) -> bool {
    LEVELS.iter().any(|level| text.trim_start().starts_with(level))
}

/// `Foo.java:3: error: message`, `warning: [name] message`, `a.kt:3:4: error: message`.
fn head(text: &str) -> Option<Diagnostic> {
    let words = [(": error: ", Severity::Error), (": warning: ", Severity::Warn)];
    let (at, word, severity) = words
        .into_iter()
        .filter_map(|(word, severity)| Some((text.find(word)?, word, severity)))
        .min_by_key(|hit| hit.0)?;
    let (file, line, column) = place(&text[..at])?;
    let is_place = !file.contains(": ") && !file.starts_with(['\t', '[', '(']);
    let tool = tool(file).filter(|_| is_place)?;
    Some(found((tool, file), (line, column), severity, &text[at + word.len()..]))
}

/// `e: file:///a.kt:3:4 message`, until Kotlin 1.8 `e: /a.kt: (3, 4): message`.
fn gradle_kotlin(text: &str) -> Option<Diagnostic> {
    let (severity, rest) = match text.split_once(": ")? {
        ("e", rest) => (Severity::Error, rest),
        ("w", rest) => (Severity::Warn, rest),
        _ => return None,
    };
    let (file, line, column, message) = if let Some((file, rest)) = rest.split_once(": (") {
        let (at, message) = rest.split_once("): ")?;
        let (line, column) = at.split_once(", ")?;
        (file, number(line)?, number(column)?, message)
    } else {
        let ends = [".kt:", ".kts:", ".java:"];
        let end = ends.iter().filter_map(|end| rest.find(end).map(|at| at + end.len())).min()?;
        let (at, message) = rest[end..].split_once(' ')?;
        let (line, column) = at.split_once(':')?;
        (&rest[..end - 1], number(line)?, number(column.trim_end_matches(':'))?, message)
    };
    tool(file)?;
    let found = found(("kotlinc", file), (line, Some(column)), severity, message);
    Some(Diagnostic { raw: raw(text), ..found })
}

fn tool(file: &str) -> Option<&'static str> {
    match file.rsplit_once('.')?.1 {
        "java" => Some("javac"),
        "kt" | "kts" => Some("kotlinc"),
        _ => None,
    }
}

/// A diagnostic of either compiler, also where Maven prints it.
pub(in crate::parsers) fn found(
    (tool, file): (&'static str, &str),
    (line, column): (u32, Option<u32>),
    severity: Severity,
    message: &str,
) -> Diagnostic {
    let (code, message) = match message.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((name, rest)) if is_lint(name) => (name.to_owned(), rest),
        _ => (code(message, severity), message),
    };
    Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        column: column.and_then(line_number),
        ..Diagnostic::new(tool, Kind::Lint, severity, code, one_line(message))
    }
}

/// `[deprecation]`, `[this-escape]`, `[UNUSED_VARIABLE]`.
fn is_lint(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic() || b"-_".contains(&byte))
}

/// What of a message does not vary from place to place.
fn code(message: &str, severity: Severity) -> String {
    // The compiler interface that Maven uses leaves the names of lints out.
    for (words, lint) in
        [("has been deprecated", "deprecation"), ("found raw type", "rawtypes"), ("unchecked ", "unchecked")]
    {
        if severity == Severity::Warn && message.contains(words) {
            return lint.to_owned();
        }
    }
    if message.starts_with("package ") && message.ends_with(" does not exist") {
        return "package_does_not_exist".to_owned();
    }
    // `incompatible types: String cannot be converted to int`.
    let kind = message.split_once(": ").map_or(message, |(kind, _)| kind);
    unnamed(kind, severity)
}

/// What javac says below the caret of a symbol or of arguments.
pub(in crate::parsers) fn is_named_detail(text: &str) -> bool {
    ["symbol:", "location:", "required:", "found:", "reason:"].iter().any(|name| text.trim_start().starts_with(name))
}

fn is_caret(text: &str) -> bool {
    text.trim() == "^" || (text.contains('^') && text.bytes().all(|byte| b" \t^~".contains(&byte)))
}
