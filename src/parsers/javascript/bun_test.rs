//! `bun test` (<https://bun.sh/docs/cli/test>): the error, then `(fail) suite > name [1.00ms]`.

use super::js_stack::{Frame, frame, is_script};
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{bounded, failed_test, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Lines after a file's name that are waited for its first result.
const PATIENCE: u32 = 500;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct BunTest {
    sides: [Side; 2],
}

/// What was printed since the last result.
#[derive(Default)]
struct Side {
    running: bool,
    /// Lines that are still read before the first result.
    patience: u32,
    /// The file whose tests run.
    file: Option<String>,
    /// An error that is no test's.
    between: bool,
    message: String,
    place: Option<Frame>,
    text: String,
}

impl Parser for BunTest {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "(fail) ",
            "(pass) ",
            "✗ ",
            "# Unhandled error between tests",
            ".test.ts:¶",
            ".test.tsx:¶",
            ".test.js:¶",
            ".spec.ts:¶",
            "_test.ts:¶",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = &mut self.sides[line.side()];
        let text = line.text.trim_end();
        if let Some((failed, name)) = result(text) {
            if failed {
                if !side.running && side.message.is_empty() {
                    // The first result of a run; of what stands before it one line is known.
                    side.place = frame(&line.previous());
                }
                push_line(&mut side.text, text);
                out.push(side.failure(name));
            }
            side.clear();
            side.running = true;
            return Verdict::Open;
        }
        if text == "# Unhandled error between tests" {
            side.clear();
            (side.between, side.running) = (true, true);
            return Verdict::Open;
        }
        if text.starts_with("Ran ") && text.contains(" tests across ") || text.starts_with("Ran 1 test across ") {
            *side = Side::default();
            return Verdict::Idle;
        }
        if let Some(file) = text.strip_suffix(':').filter(|file| is_script(file) && !file.contains([' ', '|'])) {
            side.file = Some(file.to_owned());
            side.clear();
            side.patience = PATIENCE;
        } else if !side.running {
            if side.patience == 0 {
                *side = Side::default();
                return Verdict::Idle;
            }
            side.patience -= 1;
        }
        side.read(text);
        if side.between && text.starts_with("----") && !side.message.is_empty() {
            let name = side.file.clone().unwrap_or_else(|| "Unhandled error between tests".to_owned());
            out.push(side.failure(&name));
            side.clear();
        }
        Verdict::Open
    }
}

impl Side {
    fn read(&mut self, text: &str) {
        push_line(&mut self.text, text);
        let is_error = text
            .split_once(": ")
            .is_some_and(|(name, _)| (name == "error" || name.ends_with("Error")) && !name.contains(' '));
        if is_error {
            self.message = one_line(text.strip_prefix("error: ").unwrap_or(text));
            self.place = None;
        } else if self.message.len() < 1000 && (text.starts_with("Expected") || text.starts_with("Received")) {
            self.message.push_str("; ");
            self.message.push_str(&one_line(bounded(text, 1000)));
        }
        self.place = self.place.take().or_else(|| frame(text));
    }

    fn failure(&mut self, name: &str) -> Diagnostic {
        let mut found = failed_test("bun test", name, std::mem::take(&mut self.message));
        match self.place.take() {
            Some(place) => place.locate(&mut found),
            None => found.file.clone_from(&self.file),
        }
        found.raw = raw(&self.text);
        found
    }

    fn clear(&mut self) {
        let file = self.file.take();
        *self = Self { file, running: self.running, ..Self::default() };
    }
}

/// Whether a test failed, and its name: `(fail) name [1.00ms]`, in colours `✗ name [1.00ms]`.
fn result(text: &str) -> Option<(bool, &str)> {
    let words =
        [("(fail) ", true), ("(pass) ", false), ("(skip) ", false), ("(todo) ", false), ("✗ ", true), ("✓ ", false)];
    let (failed, name) = words.iter().find_map(|(word, failed)| Some((*failed, text.strip_prefix(word)?)))?;
    let timed = name
        .strip_suffix("ms]")
        .and_then(|rest| rest.rsplit_once(" ["))
        .filter(|(_, time)| time.parse::<f64>().is_ok())
        .map(|(name, _)| name);
    // A sign alone is anybody's.
    if text.starts_with('(') { Some((failed, timed.unwrap_or(name))) } else { timed.map(|name| (failed, name)) }
}
