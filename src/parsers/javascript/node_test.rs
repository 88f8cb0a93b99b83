//! `node --test` with its spec reporter, the default of Node.js 20 and later on a terminal and of 23 and later
//! everywhere (<https://nodejs.org/api/test.html#test-reporters>), and with its dot reporter. Its TAP is read in `tap`.

use super::js_stack::{Frame, frame, is_script, message, own};
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Failures that are remembered until they are listed.
const LIMIT: usize = 10_000;
/// Lines in a row that the list may be interrupted by.
const FOREIGN_LIMIT: u32 = 60;
/// Suites inside one another.
const DEPTH_LIMIT: usize = 64;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct NodeTest {
    sides: [Side; 2],
}

#[derive(Default)]
struct Side {
    suites: Vec<String>,
    /// Names of failed tests, with the names of their suites.
    failed: Vec<Failed>,
    /// The list of failures at the end has begun.
    listing: bool,
    /// It may begin with the next line.
    awaiting: bool,
    /// Lines in a row that are not the list's: an error's own text is not always indented.
    foreign: u32,
    /// Where the next test of the list begins.
    begins: Option<Frame>,
    block: Option<Block>,
}

struct Failed {
    name: String,
    full_name: String,
    is_parent: bool,
    listed: bool,
}

struct Block {
    name: String,
    begins: Option<Frame>,
    place: Option<Frame>,
    message: String,
    past_message: bool,
    text: String,
}

impl Parser for NodeTest {
    fn triggers(&self) -> &'static [&'static str] {
        &["▶ ", "✖ ", "test at ", "Failed tests:"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = &mut self.sides[line.side()];
        let text = line.text.trim_end();
        if side.listing {
            return side.list(text, out);
        }
        if text == "✖ failing tests:" {
            side.listing = true;
            return Verdict::Own;
        }
        // The dot reporter's list; others begin one with the same words.
        if text == "Failed tests:" || (side.awaiting && text.is_empty()) {
            side.awaiting = true;
            return Verdict::Open;
        }
        if std::mem::take(&mut side.awaiting) && text.starts_with("✖ ") {
            side.listing = true;
            return side.list(text, out);
        }
        let body = text.trim_start();
        let depth = (text.len() - body.len()) / 2;
        if depth > DEPTH_LIMIT {
            return Verdict::Idle;
        }
        if let Some(name) = body.strip_prefix("▶ ") {
            side.suites.truncate(depth);
            // Before 22 a suite's end looks like its beginning, with the time it took.
            let (name, time) = split_time(name);
            if !time {
                side.suites.resize(depth, String::new());
                side.suites.push(name.to_owned());
            }
        } else if let Some(name) = body.strip_prefix("✖ ").filter(|name| !name.starts_with(' ')) {
            let (name, time) = split_time(name);
            let is_parent = side.suites.get(depth).is_some_and(|suite| suite == name);
            side.suites.truncate(depth);
            if side.failed.len() < LIMIT && (time || depth > 0) && !name.contains(" # ") {
                let names = side.suites.iter().map(String::as_str).filter(|name| !name.is_empty());
                let full_name = names.chain([name]).collect::<Vec<_>>().join(" > ");
                side.failed.push(Failed { name: name.to_owned(), full_name, is_parent, listed: false });
            }
        }
        Verdict::Idle
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in &mut self.sides {
            side.end(out);
            if !side.listing {
                // It was killed before it listed them.
                let failed = std::mem::take(&mut side.failed);
                out.extend(failed.into_iter().filter(|failed| !failed.is_parent).map(|failed| {
                    let mut found = failed_test("node --test", failed.full_name, String::new());
                    found.file = Some(failed.name).filter(|name| is_script(name));
                    found
                }));
            }
        }
    }
}

impl Side {
    /// `test at a.js:1:2`, then `✖ name (1ms)`, then the error, indented.
    fn list(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        if let Some(place) = text.strip_prefix("test at ") {
            self.end(out);
            self.begins = own(place);
        } else if text.starts_with("⚠ ") {
            self.end(out);
        } else if let Some(name) = text.strip_prefix("✖ ") {
            self.end(out);
            let begins = self.begins.take();
            let is_todo = split_time(name).0.len() < name.len() && !name.ends_with(')');
            if !is_todo {
                self.block = Some(Block {
                    name: split_time(name).0.to_owned(),
                    begins,
                    place: None,
                    message: String::new(),
                    past_message: false,
                    text: format!("{text}\n"),
                });
            }
        } else if text.is_empty() || text.starts_with("  ") {
            if let Some(block) = &mut self.block {
                block.read(text);
            }
        } else {
            self.foreign += 1;
            if self.foreign > FOREIGN_LIMIT || text.starts_with("▶ ") {
                self.end(out);
                // Another run of tests may follow.
                *self = Self::default();
                return Verdict::Idle;
            }
            return Verdict::Open;
        }
        self.foreign = 0;
        Verdict::Own
    }

    fn end(&mut self, out: &mut Vec<Diagnostic>) {
        let Some(block) = self.block.take() else { return };
        let known = self.failed.iter_mut().find(|failed| !failed.listed && failed.name == block.name);
        let full_name = match known {
            Some(known) => {
                known.listed = true;
                known.full_name.clone()
            }
            None => block.name.clone(),
        };
        let message = message(&block.message);
        if message.ends_with(" subtests failed") || message.ends_with(" subtest failed") {
            return;
        }
        let mut found = failed_test("node --test", full_name, message);
        if let Some(place) = block.place.or(block.begins) {
            place.locate(&mut found);
        }
        if is_script(&block.name) && found.line == Some(1) && found.column == Some(1) {
            // The file as a whole.
            (found.line, found.column) = (None, None);
        }
        found.raw = raw(&block.text);
        out.push(found);
    }
}

impl Block {
    fn read(&mut self, text: &str) {
        push_line(&mut self.text, text);
        let body = text.trim();
        if body.starts_with("at ") {
            self.past_message = true;
            self.place = self.place.take().or_else(|| frame(body));
        } else if !self.past_message && self.message.len() < 4096 {
            self.message.push_str(body.trim_matches('\''));
            self.message.push('\n');
        }
    }
}

/// Splits `name (1.5ms)`, also with a directive behind it; says whether there was a time.
fn split_time(name: &str) -> (&str, bool) {
    let split = name.rsplit_once("ms)").and_then(|(rest, after)| {
        let (name, time) = rest.rsplit_once(" (")?;
        (time.parse::<f64>().is_ok() && (after.is_empty() || after.starts_with(" #"))).then_some(name)
    });
    split.map_or((name, false), |name| (name, true))
}
