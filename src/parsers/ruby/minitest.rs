//! Minitest, also as `rails test` prints it: blocks below `1) Failure:` or `Error:`, and the lines of `-v`, which are
//! all there is of a run that was killed (<https://docs.seattlerb.org/minitest/>).

use std::collections::HashSet;

use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, is_full, line_number, number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Failures remembered of one run.
const NAMES_LIMIT: usize = 100_000;

/// Reads both streams, each with a failure of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Minitest {
    blocks: [Option<Failure>; 2],
    told: HashSet<String>,
    verbose: Vec<String>,
}

struct Failure {
    name: String,
    place: Option<(String, u32)>,
    message: String,
    text: String,
}

impl Parser for Minitest {
    fn triggers(&self) -> &'static [&'static str] {
        &["#test_"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.blocks[line.side()];
        if let Some(failure) = waiting {
            if failure.read(line.text) {
                return if is_full(&failure.text) { Verdict::Open } else { Verdict::Own };
            }
            out.extend(waiting.take().map(Failure::end));
        }
        if let Some(failure) = head(line) {
            if self.told.len() < NAMES_LIMIT {
                self.told.insert(failure.name.clone());
            }
            *waiting = Some(failure);
            return Verdict::Own;
        }
        if let Some(name) = verbose(line.text)
            && self.verbose.len() < NAMES_LIMIT
        {
            self.verbose.push(name.to_owned());
        }
        Verdict::Idle
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.blocks.iter_mut().filter_map(Option::take).map(Failure::end));
        for name in std::mem::take(&mut self.verbose) {
            if !self.told.contains(&name) {
                out.push(failed_test("minitest", name, String::new()));
            }
        }
    }
}

impl Failure {
    /// Reads the next line; false if it is not part of the block.
    fn read(&mut self, text: &str) -> bool {
        let is_end =
            ["rails test ", "bin/rails test ", "bin/test ", "Finished in "].iter().any(|it| text.starts_with(it))
                || kind(text).is_some()
                || text.split_once(" runs, ").is_some_and(|(runs, _)| number(runs).is_some());
        if is_end || (text.is_empty() && self.place.is_some() && self.text.contains("\n    ")) {
            return false;
        }
        push_line(&mut self.text, text);
        if let Some((file, line)) = text.strip_prefix("    ").and_then(frame) {
            self.place.get_or_insert((file.to_owned(), line));
        } else if self.message.len() < 400 && !text.starts_with("    ") && !text.starts_with("--- ") {
            self.message.push(' ');
            self.message.push_str(text);
        }
        true
    }

    fn end(self) -> Diagnostic {
        Diagnostic {
            file: self.place.as_ref().map(|(file, _)| file.clone()),
            line: self.place.as_ref().and_then(|(_, line)| line_number(*line)),
            raw: raw(&self.text),
            ..failed_test("minitest", self.name, one_line(&self.message))
        }
    }
}

/// `CalcTest#test_add [test/a_test.rb:4]:` below `1) Failure:`, `CalcTest#test_err:` below `Error:`.
fn head(line: &Line<'_>) -> Option<Failure> {
    let text = line.text.trim_end().strip_suffix(':')?;
    let place = text.strip_suffix(']').and_then(|text| text.rsplit_once(" ["));
    let is_failure = kind(&line.previous())?;
    let (name, place) = match place {
        Some((name, at)) => {
            let (file, line) = at.rsplit_once(':')?;
            (name, Some((file.to_owned(), number(line)?)))
        }
        None => (text, None),
    };
    (is_failure && name.contains("#test_")).then(|| Failure {
        name: name.to_owned(),
        place,
        message: String::new(),
        text: format!("{}\n", line.text),
    })
}

/// Whether the heading of a block is that of a failure.
fn kind(text: &str) -> Option<bool> {
    let text = text.trim();
    let name = match text.split_once(") ") {
        Some((digits, name)) if number(digits).is_some() => name,
        _ => text,
    };
    match name {
        "Failure:" | "Error:" => Some(true),
        "Skipped:" => Some(false),
        _ => None,
    }
}

/// `CalcTest#test_err = 0.00 s = E`.
fn verbose(text: &str) -> Option<&str> {
    let (name, result) = text.trim_end().rsplit_once(" s = ")?;
    let (name, seconds) = name.rsplit_once(" = ")?;
    (matches!(result, "F" | "E") && seconds.parse::<f64>().is_ok() && name.contains("#test_")).then_some(name)
}

/// ``test/a_test.rb:10:in `helper'``, if it is the project's own.
fn frame(text: &str) -> Option<(&str, u32)> {
    let (file, line) = text.split_once(":in ")?.0.rsplit_once(':')?;
    let is_library = ["/gems/", "rubygems", "/lib/ruby/", "/usr/", "<internal"].iter().any(|part| file.contains(part));
    number(line).filter(|_| !is_library).map(|line| (file, line))
}
