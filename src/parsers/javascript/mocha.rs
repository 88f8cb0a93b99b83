//! Mocha: what its spec, dot, list and min reporters print of failures, and its JSON and JSON stream
//! (<https://mochajs.org/#reporters>). Its TAP is read in `tap`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::js_stack::{Frame, frame, is_script, message, own};
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, number, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Lines of a failure that are read.
const BLOCK_LINES: u32 = 2000;
/// Lines between the place of an error and what it is.
const ERROR_LINES: u32 = 20;
/// Lines of a title.
const TITLE_LINES: usize = 32;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct Mocha {
    sides: [Side; 2],
}

#[derive(Default)]
struct Side {
    /// Failures that are still to come, and the number of the next one.
    left: u32,
    next: u32,
    block: Option<Block>,
    /// A file that could not be loaded, and the lines that its error is still waited for.
    broken: Option<(Diagnostic, u32)>,
}

#[derive(Default)]
struct Block {
    title: Vec<String>,
    in_title: bool,
    place: Option<Frame>,
    message: String,
    past_message: bool,
    text: String,
    lines: u32,
}

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    stats: &'a RawValue,
    #[serde(borrow)]
    failures: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Stats {
    suites: f64,
    tests: f64,
}

#[derive(Deserialize)]
struct Test<'a> {
    #[serde(rename = "fullTitle")]
    full_title: String,
    file: Option<String>,
    /// An object in the report, the message alone in the stream.
    #[serde(borrow)]
    err: &'a RawValue,
    stack: Option<String>,
}

#[derive(Deserialize)]
struct Failure {
    stack: Option<String>,
    message: Option<String>,
}

impl Parser for Mocha {
    fn triggers(&self) -> &'static [&'static str] {
        &[" failing", "Exception during run: "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = &mut self.sides[line.side()];
        let text = line.text.trim_end();
        if let Some(count) = text.strip_prefix("  ").and_then(|text| text.strip_suffix(" failing")).and_then(number) {
            side.end(out);
            (side.left, side.next) = (count, 1);
            return if count > 0 { Verdict::Own } else { Verdict::Idle };
        }
        if let Some(error) = text.trim_start().strip_prefix("Exception during run: ") {
            side.end(out);
            side.broken = Some((unloaded(error), ERROR_LINES));
            return Verdict::Open;
        }
        if side.broken.is_some() {
            return side.error(text, out);
        }
        if let Some(title) = side.head(text) {
            side.end(out);
            side.left -= 1;
            side.next += 1;
            let mut block = Block { in_title: true, ..Block::default() };
            block.title(title);
            push_line(&mut block.text, text);
            side.block = Some(block);
            return Verdict::Own;
        }
        let Some(block) = &mut side.block else {
            // Between the count and the first failure stands an empty line.
            let waits = side.left > 0 && text.is_empty();
            side.left = if waits { side.left } else { 0 };
            return if waits { Verdict::Own } else { Verdict::Idle };
        };
        if block.read(text) && !(side.left == 0 && block.is_over(text)) {
            return Verdict::Own;
        }
        side.end(out);
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"fullTitle\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        if let Ok(report) = serde_json::from_str::<Report<'_>>(text) {
            let is_ours =
                serde_json::from_str::<Stats>(report.stats.get()).is_ok_and(|stats| stats.suites + stats.tests >= 0.0);
            if is_ours {
                report.failures.iter().for_each(|record| tell(record.get(), out));
            }
        } else {
            tell(text, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in &mut self.sides {
            side.end(out);
        }
    }
}

impl Side {
    /// `  1) title` with the number that comes next.
    fn head<'a>(&self, text: &'a str) -> Option<&'a str> {
        let (at, title) = text.strip_prefix("  ")?.split_once(") ")?;
        (self.left > 0 && number(at)? == self.next).then_some(title)
    }

    /// Looks for `SyntaxError: message`, below the excerpt of the file that could not be loaded.
    fn error(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        let Some((found, left)) = &mut self.broken else { return Verdict::Idle };
        let is_error = text.split_once(": ").is_some_and(|(name, _)| name.ends_with("Error") && !name.contains(' '));
        if is_error {
            found.message = crate::parsers::text::one_line(text);
        } else if let Some(place) = frame(text).filter(|_| found.file.is_none()) {
            place.locate(found);
        }
        *left -= 1;
        if *left > 0 && !is_error {
            return Verdict::Open;
        }
        self.end(out);
        Verdict::Idle
    }

    fn end(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.broken.take().map(|(found, _)| found));
        if let Some(block) = self.block.take()
            && !block.in_title
        {
            out.push(block.end());
        }
    }
}

impl Block {
    /// The last line of a title ends with a colon.
    fn title(&mut self, text: &str) {
        let text = text.trim();
        match text.strip_suffix(':') {
            Some(text) => {
                self.title.push(text.to_owned());
                self.in_title = false;
            }
            None => self.title.push(text.to_owned()),
        }
    }

    fn read(&mut self, text: &str) -> bool {
        self.lines += 1;
        if self.lines > BLOCK_LINES {
            return false;
        }
        push_line(&mut self.text, text);
        let body = text.trim();
        if self.in_title {
            // Titles are indented; this is somebody else's list.
            if !text.starts_with("  ") || self.title.len() >= TITLE_LINES {
                return false;
            }
            self.title(text);
        } else if body == "+ expected - actual" {
            self.past_message = true;
        } else if body.starts_with("at ") {
            self.past_message = true;
            self.place = self.place.take().or_else(|| frame(body));
        } else if !self.past_message && self.message.len() < 4096 {
            self.message.push_str(body);
            self.message.push('\n');
        }
        true
    }

    /// After the last failure's stack comes what other programs print.
    fn is_over(&self, text: &str) -> bool {
        self.past_message && !text.is_empty() && !text.starts_with("      ")
    }

    fn end(self) -> Diagnostic {
        let mut found = failed_test("mocha", self.title.join(" "), message(&self.message));
        locate(self.place, None, &mut found);
        found.raw = raw(&self.text);
        found
    }
}

/// What could not be loaded: `/home/ci/test/a.js:2`, or the error itself.
fn unloaded(error: &str) -> Diagnostic {
    let Some(place) = own(error) else {
        return failed_test("mocha", "Exception during run", crate::parsers::text::one_line(error));
    };
    // The checkout's folder is no part of a name that stays the same.
    let name = place.file.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let mut found = failed_test("mocha", name, String::new());
    place.locate(&mut found);
    found.raw = raw(error);
    found
}

/// A timeout has no frame; its message ends with the file.
fn locate(place: Option<Frame>, file: Option<String>, found: &mut Diagnostic) {
    let named = found.message.strip_suffix(')').and_then(|text| text.rsplit_once(" (")).map(|(_, file)| file);
    match place {
        Some(place) => place.locate(found),
        None => found.file = named.filter(|file| is_script(file)).map(str::to_owned).or(file),
    }
}

fn tell(record: &str, out: &mut Vec<Diagnostic>) {
    let Ok(test) = serde_json::from_str::<Test<'_>>(record) else { return };
    let (said, stack) = match serde_json::from_str::<Failure>(test.err.get()) {
        Ok(err) => (err.message, err.stack),
        Err(_) => (serde_json::from_str::<String>(test.err.get()).ok(), test.stack),
    };
    if said.is_none() && stack.is_none() {
        return;
    }
    let stack = stack.unwrap_or_default();
    let text = if stack.trim().is_empty() { said.unwrap_or_default() } else { stack };
    let mut found = failed_test("mocha", test.full_title, message(&text));
    locate(text.lines().find_map(frame), test.file, &mut found);
    found.raw = RawValue::from_string(record.to_owned()).ok();
    out.push(found);
}
