//! A test that takes pytest's process with it, so that no report follows: a crash of the interpreter, as faulthandler
//! prints it (<https://docs.python.org/3/library/faulthandler.html>), and a timeout of pytest-timeout's thread method
//! (<https://github.com/pytest-dev/pytest-timeout#timeout-methods>).

use super::pytest_text::is_library;
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, line_number, number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Lines of one block, which may hold the stacks of many threads.
const BLOCK_LINES: u32 = 5000;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct PytestFatal {
    blocks: [Option<Block>; 2],
}

#[derive(Default)]
struct Block {
    message: String,
    /// The innermost frame in own code of the thread that ran the tests: file, line, function.
    frame: Option<(String, u32, String)>,
    /// The frames come with the innermost first.
    innermost_first: bool,
    /// In the stack of that thread.
    main: bool,
    pytest: bool,
    /// In a worker of xdist, whose end is in the report.
    worker: bool,
    lines: u32,
    text: String,
}

impl Parser for PytestFatal {
    fn triggers(&self) -> &'static [&'static str] {
        &["Fatal Python error: ", "+ Timeout +"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.blocks[line.side()];
        let text = line.text.trim_end();
        if let Some(block) = waiting {
            if block.read(text) {
                return Verdict::Open;
            }
            out.extend(waiting.take().and_then(Block::end));
        } else if let Some(message) = text.strip_prefix("Fatal Python error: ") {
            let message = format!("Fatal Python error: {message}");
            *waiting = Some(Block { message, innermost_first: true, text: format!("{text}\n"), ..Block::default() });
            return Verdict::Open;
        } else if is_timeout(text) {
            *waiting = Some(Block { message: "Timeout".to_owned(), ..Block::default() });
            return Verdict::Open;
        }
        Verdict::Idle
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.blocks.iter_mut().filter_map(Option::take).filter_map(Block::end));
    }
}

impl Block {
    /// Reads the next line; false if it is not part of the block.
    fn read(&mut self, text: &str) -> bool {
        self.lines += 1;
        if self.lines > BLOCK_LINES || is_timeout(text) || text.starts_with("Extension modules: ") {
            return false;
        }
        push_line(&mut self.text, text);
        if self.innermost_first {
            if text.ends_with("(most recent call first):") {
                self.main = text.starts_with("Current thread ");
            } else if !text.is_empty() && !text.starts_with(' ') {
                return false;
            }
        } else if text.starts_with("~~~") {
            self.main = text.contains(" Stack of MainThread ");
        }
        if let Some((file, line, function)) = frame(text)
            && self.main
        {
            self.pytest |= file.contains("/_pytest/");
            self.worker |= file.contains("/xdist/");
            let is_first = self.frame.is_none() || !self.innermost_first;
            if is_first && !is_library(file) {
                self.frame = Some((file.to_owned(), line, function.to_owned()));
            }
        }
        true
    }

    fn end(self) -> Option<Diagnostic> {
        let (file, line, function) = self.frame.filter(|_| self.pytest && !self.worker)?;
        // Where the project lies may differ from run to run.
        let name = file.rsplit(['/', '\\']).next().unwrap_or(&file);
        let code = format!("{name}::{function}");
        let line = line_number(line);
        let raw = raw(&self.text);
        Some(Diagnostic { file: Some(file), line, raw, ..failed_test("pytest", code, one_line(&self.message)) })
    }
}

/// `+++++ Timeout +++++`, above and below the stacks.
fn is_timeout(text: &str) -> bool {
    let Some((before, after)) = text.split_once("+ Timeout +") else { return false };
    after.bytes().all(|byte| byte == b'+') && before.ends_with("++++")
}

/// `  File "a.py", line 3 in test` of faulthandler, `  File "a.py", line 3, in test` of a traceback.
fn frame(text: &str) -> Option<(&str, u32, &str)> {
    let (file, rest) = text.strip_prefix("  File \"")?.split_once("\", line ")?;
    let (line, function) = rest.split_once(" in ")?;
    Some((file, number(line.trim_end_matches(','))?, function))
}
