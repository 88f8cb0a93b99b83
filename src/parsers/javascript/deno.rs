//! Deno: what `deno test` prints of failed tests and steps, and what it, `deno check` and `deno run` print of type
//! errors (<https://docs.deno.com/runtime/fundamentals/testing/>).

use super::js_stack::{Frame, frame, own};
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Lines of an error that are read.
const BLOCK_LINES: u32 = 500;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct Deno {
    blocks: [Option<Block>; 2],
}

struct Block {
    /// The test's name, or the type error.
    what: What,
    test: Option<Frame>,
    place: Option<Frame>,
    message: String,
    text: String,
    lines: u32,
}

enum What {
    Test(String),
    Type(Diagnostic),
}

impl Parser for Deno {
    fn triggers(&self) -> &'static [&'static str] {
        &[" => ./", " [ERROR]: "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.blocks[line.side()];
        let text = line.text.trim_end();
        if let Some(block) = head(text) {
            end(waiting, out);
            *waiting = Some(block);
            return Verdict::Open;
        }
        if let Some(block) = waiting
            && block.read(text)
        {
            return Verdict::Own;
        }
        end(waiting, out);
        Verdict::Idle
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for block in &mut self.blocks {
            end(block, out);
        }
    }
}

/// `name => ./a_test.ts:4:6`, `TS2322 [ERROR]: message`.
fn head(text: &str) -> Option<Block> {
    let (what, test) = match text.rsplit_once(" => ") {
        Some((name, at)) if at.starts_with("./") => (What::Test(name.to_owned()), Some(own(at)?)),
        _ => {
            let (code, message) = text.split_once(" [ERROR]: ")?;
            number(code.strip_prefix("TS")?)?;
            (What::Type(Diagnostic::new("deno", Kind::Lint, Severity::Error, code, one_line(message))), None)
        }
    };
    Some(Block { what, test, place: None, message: String::new(), text: format!("{text}\n"), lines: 0 })
}

impl Block {
    /// Reads the next line; false if it does not belong to it.
    fn read(&mut self, text: &str) -> bool {
        self.lines += 1;
        let is_test = matches!(self.what, What::Test(_));
        // In the list at the end no error follows.
        let message = text.strip_prefix("error: ");
        if (is_test && self.lines == 1 && message.is_none()) || text.is_empty() || self.lines > BLOCK_LINES {
            return false;
        }
        if self.lines == 1 {
            self.message = one_line(message.unwrap_or_default());
        }
        push_line(&mut self.text, text);
        self.place = self.place.take().or_else(|| frame(text));
        true
    }
}

fn end(block: &mut Option<Block>, out: &mut Vec<Diagnostic>) {
    let Some(block) = block.take() else { return };
    let mut found = match block.what {
        What::Test(_) if block.message.is_empty() => return,
        What::Test(name) => failed_test("deno test", name, block.message),
        What::Type(found) => found,
    };
    if let Some(place) = block.place.or(block.test) {
        place.locate(&mut found);
    }
    found.raw = raw(&block.text);
    out.push(found);
}
