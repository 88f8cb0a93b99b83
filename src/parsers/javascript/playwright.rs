//! Playwright Test: the failures that its list, line and dot reporters print
//! (<https://playwright.dev/docs/test-reporters>).

use super::js_stack::{Frame, frame, is_script, message};
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, number, place, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Failures that are held until the end says which tests passed at last.
const LIMIT: usize = 10_000;

/// Reads both streams; it prints to one of them alone.
#[derive(Default)]
pub(in crate::parsers) struct Playwright {
    block: Option<Block>,
    failed: Vec<(String, Diagnostic)>,
    /// Tests are listed that failed first, then passed.
    in_flaky: bool,
}

struct Block {
    /// Place and title, as the summary repeats them.
    key: String,
    name: String,
    test: Frame,
    place: Option<Frame>,
    message: String,
    past_message: bool,
    text: String,
}

impl Parser for Playwright {
    fn triggers(&self) -> &'static [&'static str] {
        &[" › ", " flaky"]
    }

    fn line(&mut self, line: &Line<'_>, _out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text.trim_end();
        if let Some(block) = head(text) {
            self.end();
            self.block = Some(block);
            return Verdict::Own;
        }
        if let Some(block) = &mut self.block {
            if text.is_empty() || text.starts_with("    ") {
                block.read(text);
                return Verdict::Own;
            }
            self.end();
        }
        if let Some(count) = text.strip_prefix("  ").and_then(|text| text.strip_suffix(" flaky")) {
            self.in_flaky = number(count).is_some() && !self.failed.is_empty();
        } else if self.in_flaky && text.starts_with("    ") {
            let key = text.trim_matches(['─', ' ']);
            self.failed.retain(|(failed, _)| failed != key);
        } else {
            self.in_flaky = false;
        }
        if self.in_flaky { Verdict::Open } else { Verdict::Idle }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        self.end();
        out.extend(self.failed.drain(..).map(|(_, found)| found));
    }
}

impl Playwright {
    fn end(&mut self) {
        let Some(block) = self.block.take() else { return };
        if self.failed.len() >= LIMIT {
            return;
        }
        let mut found = failed_test("playwright", block.name, message(&block.message));
        block.place.unwrap_or(block.test).locate(&mut found);
        found.raw = raw(&block.text);
        self.failed.push((block.key, found));
    }
}

/// `  1) [chromium] › tests/a.spec.ts:4:3 › suite › title ────`.
fn head(text: &str) -> Option<Block> {
    let (at, rest) = text.strip_prefix("  ")?.split_once(") ")?;
    number(at)?;
    let key = rest.trim_end_matches(['─', ' ']);
    let (project, rest) = match key.strip_prefix('[').and_then(|rest| rest.split_once("] › ")) {
        Some((project, rest)) => (Some(project), rest),
        None => (None, key),
    };
    let (at, title) = rest.split_once(" › ")?;
    let (file, line, column) = place(at)?;
    is_script(file).then(|| Block {
        key: key.to_owned(),
        name: project.map_or_else(|| title.to_owned(), |project| format!("[{project}] › {title}")),
        test: Frame { file: file.to_owned(), line, column },
        place: None,
        message: String::new(),
        past_message: false,
        text: format!("{text}\n"),
    })
}

impl Block {
    fn read(&mut self, text: &str) {
        push_line(&mut self.text, text);
        let body = text.trim();
        // A retry's failure is not another one.
        if body.starts_with("Retry #") || body.starts_with("Error Context: ") {
            self.past_message = true;
        }
        self.place = self.place.take().or_else(|| frame(body));
        if !self.past_message && self.message.len() < 4096 {
            self.message.push_str(body);
            self.message.push('\n');
        }
    }
}
