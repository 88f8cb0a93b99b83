//! CMake's errors and warnings (<https://cmake.org/cmake/help/latest/command/message.html>).

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Lines of a message.
const LINES: usize = 100;

/// Reads both streams, each with a message of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Cmake {
    blocks: [Option<Block>; 2],
}

struct Block {
    found: Diagnostic,
    message: String,
    text: String,
    lines: usize,
}

impl Parser for Cmake {
    fn triggers(&self) -> &'static [&'static str] {
        &["CMake Error", "CMake Warning", "CMake Deprecation Warning"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.blocks[line.side()];
        if let Some(block) = waiting {
            if block.read(line.text) {
                return Verdict::Own;
            }
            out.extend(waiting.take().map(Block::end));
        }
        let Some((found, message)) = head(line.text) else { return Verdict::Idle };
        *waiting = Some(Block { found, message: message.to_owned(), text: format!("{}\n", line.text), lines: 0 });
        Verdict::Own
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.blocks.iter_mut().filter_map(Option::take).map(Block::end));
    }
}

impl Block {
    /// Reads the next line; false if it is not part of the message, which is indented.
    fn read(&mut self, text: &str) -> bool {
        self.lines += 1;
        let is_more = text.is_empty() || text.starts_with("  ");
        if !is_more || self.lines > LINES || text.starts_with("  [") {
            return false;
        }
        push_line(&mut self.text, text);
        // The first paragraph says it.
        let is_over = self.text.trim_end().contains("\n\n") && !self.message.is_empty();
        if !text.starts_with("Call Stack") && !is_over {
            push_line(&mut self.message, text);
        }
        true
    }

    fn end(self) -> Diagnostic {
        let first = self.message.trim().split("\n\n").next().unwrap_or_default();
        Diagnostic { message: one_line(first), raw: raw(&self.text), ..self.found }
    }
}

/// `CMake Error at CMakeLists.txt:3 (message):`, `CMake Warning (dev) in CMakeLists.txt:`, `CMake Error: message`.
fn head(text: &str) -> Option<(Diagnostic, &str)> {
    let starts = [
        ("CMake Error", Severity::Error),
        ("CMake Deprecation Warning", Severity::Warn),
        ("CMake Deprecation Error", Severity::Error),
        ("CMake Warning", Severity::Warn),
    ];
    let (rest, severity) = starts.iter().find_map(|(start, severity)| Some((text.strip_prefix(start)?, *severity)))?;
    // `(dev)`, `(author)`, `(policy)`.
    let (group, rest) = match rest.strip_prefix(" (").and_then(|rest| rest.split_once(')')) {
        Some((group, rest)) => (Some(group), rest),
        None => (None, rest),
    };
    let found = |code: &str| Diagnostic::new("cmake", Kind::Lint, severity, code.to_owned(), "");
    // The message may begin on the next line.
    if let Some(message) = rest.strip_prefix(":").filter(|message| message.is_empty() || message.starts_with(' ')) {
        return Some((found(group.unwrap_or("cmake")), message.trim_start()));
    }
    let place = rest.strip_prefix(" at ").or(rest.strip_prefix(" in "))?.trim_end().strip_suffix(':')?;
    let (place, command) = match place.strip_suffix(')').and_then(|place| place.rsplit_once(" (")) {
        Some((place, command)) => (place, Some(command)),
        None => (place, None),
    };
    let (file, line) = match place.rsplit_once(':').and_then(|(file, line)| Some((file, number(line)?))) {
        Some((file, line)) => (file, line_number(line)),
        None => (place, None),
    };
    let found = found(command.or(group).unwrap_or("syntax"));
    Some((Diagnostic { file: Some(file.to_owned()), line, ..found }, ""))
}
