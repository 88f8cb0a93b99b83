//! Vitest: the failures that its default, verbose, dot and tree reporters print
//! (<https://vitest.dev/guide/reporters.html>), from release 0.3x on. Its JSON is read in `jest`.

use super::js_stack::{Frame, is_script, message, named_frame, own};
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{bounded, failed_test, place, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Lines of a failure that are read.
const BLOCK_LINES: u32 = 2000;
/// Failed tests that are remembered until their failures are printed.
const LISTED_LIMIT: usize = 10_000;
/// Errors outside of tests, by the words that head them.
const OUTSIDE: &[&str] =
    &["Unhandled Rejection", "Uncaught Exception", "Unhandled Error", "Unhandled Source Error", "Typecheck Error"];

/// Reads both streams, each with a failure of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Vitest {
    sides: [Side; 2],
    /// The failures are printed: what was listed while the tests ran is in them.
    reported: bool,
}

#[derive(Default)]
struct Side {
    block: Option<Block>,
    /// The file whose tests are listed.
    file: Option<String>,
    listed: Vec<Diagnostic>,
}

#[derive(Default)]
struct Block {
    /// Names and files: what fails in the same way is printed once.
    tests: Vec<(String, String)>,
    message: String,
    past_message: bool,
    place: Option<Frame>,
    text: String,
    lines: u32,
}

impl Parser for Vitest {
    fn triggers(&self) -> &'static [&'static str] {
        &[" FAIL  ", " failed) ", " failed | ", "⎯ Unhandled ", "⎯ Uncaught Exception ⎯", "⎯ Typecheck Error ⎯"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = &mut self.sides[line.side()];
        let text = line.text;
        if let Some(test) = failure(text) {
            self.reported = true;
            let waits = side.block.as_ref().is_some_and(|block| block.message.is_empty() && !block.tests.is_empty());
            if !waits {
                side.end(out);
            }
            let block = side.block.get_or_insert_default();
            block.tests.push(test);
            push_line(&mut block.text, text);
            return Verdict::Own;
        }
        if text.starts_with('⎯') {
            side.end(out);
            let title = text.trim_matches(|c| c == '⎯' || c == ' ');
            if OUTSIDE.contains(&title) {
                self.reported = true;
                side.block = Some(Block { tests: vec![(title.to_owned(), String::new())], ..Block::default() });
                return Verdict::Own;
            }
            return Verdict::Idle;
        }
        if let Some(block) = &mut side.block {
            if block.lines < BLOCK_LINES && !text.starts_with(" Test Files  ") {
                block.read(text);
                return Verdict::Own;
            }
            side.end(out);
            return Verdict::Idle;
        }
        side.list(text)
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in &mut self.sides {
            side.end(out);
            if !self.reported {
                out.append(&mut side.listed);
            }
        }
    }
}

impl Side {
    fn end(&mut self, out: &mut Vec<Diagnostic>) {
        if let Some(block) = self.block.take() {
            block.end(out);
        }
    }

    /// `❯ src/a.test.ts (3 tests | 1 failed) 5ms`, then `× name 2ms`, then `→ message`.
    fn list(&mut self, text: &str) -> Verdict {
        if let Some(file) = listed_file(text) {
            self.file = Some(file.to_owned());
            return Verdict::Open;
        }
        let Some(file) = &self.file else { return Verdict::Idle };
        let body = text.trim_start();
        if !text.starts_with("  ") {
            self.file = None;
            return Verdict::Idle;
        }
        let old = body.strip_prefix("❯ ").and_then(|rest| rest.strip_prefix(file.as_str())?.strip_prefix(" > "));
        if let Some(name) = body.strip_prefix("× ").or(old) {
            if self.listed.len() < LISTED_LIMIT {
                let mut found = failed_test("vitest", without_time(name), String::new());
                found.file = Some(file.clone());
                found.raw = raw(text);
                self.listed.push(found);
            }
        } else if let Some(message) = body.strip_prefix("→ ")
            && let Some(found) = self.listed.last_mut()
        {
            found.message = crate::parsers::text::one_line(message);
        }
        Verdict::Open
    }
}

impl Block {
    fn read(&mut self, text: &str) {
        self.lines += 1;
        push_line(&mut self.text, text);
        let body = text.trim();
        if let Some(at) = body.strip_prefix("❯ ") {
            self.past_message = true;
            self.place = self.place.take().or_else(|| named_frame(at));
        } else if let Some(at) = body.strip_prefix("File: ") {
            self.past_message = true;
            self.place = self.place.take().or_else(|| from_zero(at));
        } else if let Some((at, _)) = body.split_once(": ERROR: ") {
            // esbuild's, below `Transform failed with 1 error:`.
            self.place = self.place.take().or_else(|| from_zero(at));
        } else if let Some(at) = body.strip_prefix("╭─[ ").and_then(|at| at.strip_suffix(']')) {
            self.place = self.place.take().or_else(|| own(at.trim()));
        }
        if !self.past_message && !body.is_empty() {
            self.message.push_str(bounded(body, 4 << 10));
            self.message.push('\n');
            self.past_message = self.message.len() > 8 << 10;
        }
    }

    fn end(self, out: &mut Vec<Diagnostic>) {
        let message = message(&self.message);
        for (name, file) in self.tests {
            let mut found = failed_test("vitest", name, message.clone());
            match &self.place {
                Some(place) => place.clone().locate(&mut found),
                None => found.file = (!file.is_empty()).then_some(file),
            }
            found.raw = raw(&self.text);
            out.push(found);
        }
    }
}

/// A place whose columns are counted from 0.
fn from_zero(text: &str) -> Option<Frame> {
    let frame = own(text)?;
    Some(Frame { column: frame.column.and_then(|column| column.checked_add(1)), ..frame })
}

/// The test and its file in ` FAIL  |project| src/a.test.ts > suite > name`, ` FAIL  src/a.test.ts [ src/a.test.ts ]`.
fn failure(text: &str) -> Option<(String, String)> {
    let rest = text.strip_prefix(' ').unwrap_or(text).strip_prefix("FAIL  ")?.trim();
    let (path, name) = match rest.split_once(" > ") {
        Some((path, name)) => (path, Some(name.trim())),
        None => (rest.split_once(" [ ")?.0, None),
    };
    // A project's name stands before the path, in bars or in a colour of its own.
    let path = path.rsplit_once("| ").map_or(path, |(_, path)| path);
    let path = path.rsplit_once("  ").map_or(path, |(_, path)| path).trim();
    is_script(path).then(|| (name.unwrap_or(path).to_owned(), path.to_owned()))
}

/// The file in `❯ src/a.test.ts (3 tests | 1 failed) 5ms`.
fn listed_file(text: &str) -> Option<&str> {
    let rest = text.trim_start().strip_prefix("❯ ")?;
    let (path, counts) = rest.split_once(" (")?;
    let path = path.trim_end();
    let path = path.strip_prefix('|').and_then(|rest| rest.split_once("| ")).map_or(path, |(_, path)| path);
    let is_count = counts.starts_with(|c: char| c.is_ascii_digit()) && counts.contains(" failed");
    (is_count && is_script(path) && place(path).is_none()).then_some(path)
}

/// `name 12ms`, also `name (retry x1) 12ms`.
fn without_time(name: &str) -> &str {
    let name = name.trim_end();
    match name.rsplit_once(' ') {
        Some((rest, time)) if time.strip_suffix("ms").is_some_and(|time| time.parse::<u64>().is_ok()) => {
            rest.trim_end()
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_failures() {
        let test = |text: &str| failure(text);
        let both = |name: &str, file: &str| Some((name.to_owned(), file.to_owned()));
        assert_eq!(test(" FAIL  src/a.test.ts > s > n > m"), both("s > n > m", "src/a.test.ts"));
        assert_eq!(test(" FAIL  |unit| src/a.test.ts > n"), both("n", "src/a.test.ts"));
        assert_eq!(test(" FAIL   unit  src/a.test.ts > n"), both("n", "src/a.test.ts"));
        assert_eq!(test(" FAIL  src/a.test.ts [ src/a.test.ts ]"), both("src/a.test.ts", "src/a.test.ts"));
        for other in [" FAIL  src/a.test.js", "FAIL: x > y", " FAIL  x > y", "FAIL  "] {
            assert_eq!(test(other), None, "{other}");
        }
    }
}
