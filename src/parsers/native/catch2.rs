//! The console reporters of Catch2 (<https://github.com/catchorg/Catch2/blob/devel/docs/reporters.md>) and of doctest
//! (<https://github.com/doctest/doctest/blob/master/doc/markdown/reporters.md>).

use std::collections::HashSet;

use crate::model::Diagnostic;
use crate::parsers::Verdict;
use crate::parsers::text::{failed_test, is_full, line_number, one_line, place, push_line, raw};

/// Names remembered of what was told.
const NAMES_LIMIT: usize = 100_000;
/// Lines of a heading, and of what may stand between it and the failure.
const HEAD_LINES: u8 = 12;
/// Bytes of a message.
const MESSAGE_LIMIT: usize = 2 << 10;

/// Reads one stream.
#[derive(Default)]
pub(in crate::parsers) struct Catch2 {
    part: Part,
    told: HashSet<String>,
    suite: String,
}

#[derive(Default)]
enum Part {
    #[default]
    None,
    /// In the heading of a test, with the lines that it may still have.
    Head(Vec<String>, u8),
    /// Below the heading; none once the test was told.
    Body(&'static str, Option<String>, u8),
    Failure(Failure),
}

struct Failure {
    tool: &'static str,
    name: String,
    place: (String, u32),
    message: String,
    is_first: bool,
    text: String,
}

impl Catch2 {
    /// Reads a line.
    pub fn read(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        let is_rule = text.len() >= 79 && text.bytes().all(|byte| byte == b'-');
        let is_end = text.len() >= 79 && text.bytes().all(|byte| byte == b'=');
        if let Some(suite) = text.strip_prefix("TEST SUITE: ") {
            self.suite = format!("{} > ", suite.trim());
        }
        if let Some(name) = text.strip_prefix("TEST CASE:  ") {
            self.finish(out);
            let name = format!("{}{}", std::mem::take(&mut self.suite), name.trim());
            self.part = Part::Body("doctest", Some(name), HEAD_LINES);
            return Verdict::Own;
        }
        self.part = match std::mem::take(&mut self.part) {
            Part::None if is_rule => Part::Head(Vec::new(), HEAD_LINES),
            Part::None => return Verdict::Idle,
            Part::Head(lines, _) if is_rule && lines.is_empty() => Part::Head(lines, HEAD_LINES),
            Part::Head(lines, _) if is_rule => Part::Body("catch2", Some(lines.join(" > ")), HEAD_LINES),
            Part::Head(mut lines, room) => match room.checked_sub(1) {
                Some(room) if !text.trim().is_empty() => {
                    lines.push(text.trim().to_owned());
                    Part::Head(lines, room)
                }
                _ => return Verdict::Idle,
            },
            Part::Failure(failure) if is_rule || is_end => {
                self.tell(failure, out);
                if is_end {
                    return Verdict::Idle;
                }
                Part::Head(Vec::new(), HEAD_LINES)
            }
            Part::Failure(mut failure) => {
                failure.is_first &= failed(failure.tool, text).is_none();
                failure.read(text);
                Part::Failure(failure)
            }
            Part::Body(..) if is_end => return Verdict::Idle,
            Part::Body(tool, name, room) => match (failed(tool, text), room.checked_sub(1)) {
                (Some((file, line, message)), _) => Part::Failure(Failure {
                    tool,
                    name: name.unwrap_or_default(),
                    place: (file.to_owned(), line),
                    message: message.to_owned(),
                    is_first: true,
                    text: format!("{text}\n"),
                }),
                (None, Some(room)) => Part::Body(tool, name, room),
                (None, None) => return Verdict::Idle,
            },
        };
        match &self.part {
            Part::Failure(failure) if !is_full(&failure.text) => Verdict::Own,
            _ => Verdict::Open,
        }
    }

    /// The end of the log.
    pub fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        if let Part::Failure(failure) = std::mem::take(&mut self.part) {
            self.tell(failure, out);
        }
    }

    fn tell(&mut self, failure: Failure, out: &mut Vec<Diagnostic>) {
        // A test is run once for each of its sections.
        if self.told.len() < NAMES_LIMIT && self.told.insert(failure.name.clone()) {
            let Failure { tool, name, place: (file, line), message, text, .. } = failure;
            let (file, line) = (Some(file), line_number(line));
            out.push(Diagnostic { file, line, raw: raw(&text), ..failed_test(tool, name, one_line(&message)) });
        }
    }
}

impl Failure {
    fn read(&mut self, text: &str) {
        push_line(&mut self.text, text);
        if self.is_first && self.message.len() < MESSAGE_LIMIT {
            self.message.push('\n');
            self.message.push_str(text);
        }
    }
}

/// `a.cc:3: FAILED:`, of doctest `a.cc:4: ERROR: CHECK( 1 == 2 ) is NOT correct!`.
fn failed<'a>(tool: &str, text: &'a str) -> Option<(&'a str, u32, &'a str)> {
    let words: &[&str] = if tool == "catch2" { &[": FAILED:"] } else { &[": ERROR: ", ": FATAL ERROR: "] };
    let (at, message) = words.iter().find_map(|word| text.split_once(word))?;
    // With Microsoft's compiler the line stands in parentheses.
    let at = at.strip_suffix(')').map_or(at.to_owned(), |at| at.replace('(', ":"));
    let (file, line, _) = place(&at)?;
    Some((&text[..file.len()], line, message.trim()))
}
