//! Python's unittest, as its text runner prints: a block per failure with a rule above it, and the lines of `-v`,
//! which are all there is of a run that was killed
//! (<https://docs.python.org/3/library/unittest.html#unittest.TextTestRunner>).

use std::collections::HashSet;

use super::pytest_text::{is_library, same_file, traceback_place};
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, line_number, number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Above each block.
const RULE: &str = "======================================================================";
/// Below its head.
const THIN_RULE: &str = "----------------------------------------------------------------------";
/// Failures remembered of one run.
const FAILURES_LIMIT: usize = 100_000;
/// Places of one traceback that are remembered.
const PLACES_LIMIT: usize = 200;
/// Lines of a test's description, between a block's head and the rule below it.
const DESCRIPTION_LIMIT: u8 = 4;
/// The message of a test that was expected to fail.
const UNEXPECTED: &str = "unexpected success";
/// What stands between two exceptions of which one led to the other.
const CHAINS: [&str; 2] = [
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
];

/// Reads a run on each stream.
#[derive(Default)]
pub(in crate::parsers) struct Unittest {
    runs: [Run; 2],
}

/// A run of the tests.
#[derive(Default)]
struct Run {
    part: Part,
    /// Failures out of the lines of `-v`, with what is to be said of each.
    verbose: Vec<(String, &'static str)>,
    told: HashSet<String>,
}

/// What the lines are. A test may print rules too, so a block is over only where the next one has begun.
#[derive(Default)]
enum Part {
    #[default]
    None,
    /// Below a rule, perhaps still in a block.
    Rule(Option<Block>),
    /// Below what may be the head of a block: the one before, this one, the lines that it may still have.
    Head(Option<Block>, Block, u8),
    Body(Block),
    /// In the list of unexpected successes; the lines of a description.
    Unexpected(u8),
}

/// A failure.
#[derive(Default)]
struct Block {
    test: String,
    part: BlockPart,
    had_traceback: bool,
    places: Vec<(String, u32)>,
    /// The first line of the last exception.
    message: String,
    text: String,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum BlockPart {
    /// Between tracebacks.
    #[default]
    Text,
    /// The line before was empty.
    Gap,
    /// One of [`CHAINS`] was the last text.
    Chain,
    /// In a traceback, whose exception is to come.
    Traceback,
    /// In what the test printed.
    Captured,
}

impl Parser for Unittest {
    fn triggers(&self) -> &'static [&'static str] {
        &[RULE, " ... FAIL", " ... ERROR", " ... unexpected success"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let run = &mut self.runs[line.side()];
        run.part = run.read(line, out);
        match run.part {
            Part::None => Verdict::Idle,
            Part::Rule(None) | Part::Head(None, ..) | Part::Unexpected(_) => Verdict::Open,
            Part::Rule(_) | Part::Head(..) | Part::Body(_) => Verdict::Own,
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for run in &mut self.runs {
            if let Part::Body(block) | Part::Rule(Some(block)) | Part::Head(Some(block), ..) =
                std::mem::take(&mut run.part)
            {
                run.tell(block, out);
            }
            run.end(out);
        }
    }
}

impl Run {
    fn read(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Part {
        let text = line.text;
        match std::mem::take(&mut self.part) {
            Part::None if text == RULE => Part::Rule(None),
            Part::None => {
                if let Some(failure) = verbose(line)
                    && self.verbose.len() < FAILURES_LIMIT
                {
                    self.verbose.push(failure);
                }
                Part::None
            }
            Part::Rule(before) => {
                if let Some(test) = text.strip_prefix("UNEXPECTED SUCCESS: ") {
                    if let Some(before) = before {
                        self.tell(before, out);
                    }
                    self.tell(unexpected(test), out);
                    return Part::Unexpected(DESCRIPTION_LIMIT);
                }
                match text.strip_prefix("FAIL: ").or(text.strip_prefix("ERROR: ")) {
                    Some(test) => {
                        let block = Block { test: named(test), text: format!("{text}\n"), ..Block::default() };
                        Part::Head(before, block, DESCRIPTION_LIMIT)
                    }
                    None if text == RULE => Part::Rule(go_back(before, RULE)),
                    None => body(go_back(go_back(before, RULE), text)),
                }
            }
            Part::Head(before, block, _) if text == THIN_RULE => {
                if let Some(before) = before {
                    self.tell(before, out);
                }
                Part::Body(block)
            }
            Part::Head(before, block, _) if text == RULE => Part::Rule(go_back(go_back(before, RULE), &block.text)),
            Part::Head(before, mut block, room) => {
                push_line(&mut block.text, text);
                match room.checked_sub(1) {
                    Some(room) => Part::Head(before, block, room),
                    None => body(go_back(go_back(before, RULE), &block.text)),
                }
            }
            Part::Body(block) if text == RULE => Part::Rule(Some(block)),
            Part::Body(block) if is_totals(line) => {
                self.tell(block, out);
                self.end(out);
                Part::None
            }
            Part::Body(mut block) => {
                block.read(text);
                Part::Body(block)
            }
            Part::Unexpected(_) if is_totals(line) => {
                self.end(out);
                Part::None
            }
            Part::Unexpected(room) => match (text.strip_prefix("UNEXPECTED SUCCESS: "), room.checked_sub(1)) {
                (Some(test), _) => {
                    self.tell(unexpected(test), out);
                    Part::Unexpected(DESCRIPTION_LIMIT)
                }
                (None, Some(room)) => Part::Unexpected(room),
                (None, None) => Part::None,
            },
        }
    }

    fn tell(&mut self, block: Block, out: &mut Vec<Diagnostic>) {
        if self.told.len() < FAILURES_LIMIT {
            // A test whose subtests failed is told by them.
            if let Some((parent, _)) = block.test.split_once(' ') {
                self.told.insert(parent.to_owned());
            }
            self.told.insert(block.test.clone());
        }
        out.push(block.end());
    }

    /// The end of the run: tells the failures that have no block.
    fn end(&mut self, out: &mut Vec<Diagnostic>) {
        let Self { verbose, told, .. } = std::mem::take(self);
        // Where not every name could be remembered, the blocks alone are certain.
        let is_complete = told.len() < FAILURES_LIMIT;
        for (test, message) in verbose {
            if is_complete && !told.contains(&test) {
                out.push(Block { test, message: message.to_owned(), ..Block::default() }.end());
            }
        }
    }
}

/// What looked like the head of the next block was none: the lines are the block's before it.
fn go_back(mut before: Option<Block>, lines: &str) -> Option<Block> {
    if let Some(block) = &mut before {
        lines.lines().for_each(|line| block.read(line));
    }
    before
}

fn body(block: Option<Block>) -> Part {
    block.map_or(Part::None, Part::Body)
}

impl Block {
    fn read(&mut self, line: &str) {
        push_line(&mut self.text, line);
        // The outermost exception group is drawn with a margin.
        let inner = line.strip_prefix("  | ").or(line.strip_prefix("  + ")).unwrap_or(line);
        self.part = match self.part {
            BlockPart::Captured => BlockPart::Captured,
            BlockPart::Gap if matches!(line, "Stdout:" | "Stderr:") => BlockPart::Captured,
            BlockPart::Traceback => {
                if self.place(inner) || inner.is_empty() || inner.starts_with(' ') {
                    BlockPart::Traceback
                } else {
                    self.message = one_line(inner);
                    BlockPart::Text
                }
            }
            // A message may quote a traceback.
            part if is_traceback(inner) && (part == BlockPart::Chain || !self.had_traceback) => {
                self.had_traceback = true;
                BlockPart::Traceback
            }
            _ if CHAINS.contains(&inner) => BlockPart::Chain,
            BlockPart::Chain if inner.trim().is_empty() => BlockPart::Chain,
            _ if line.is_empty() => BlockPart::Gap,
            _ => {
                if !self.place(inner) && self.message.is_empty() {
                    self.message = one_line(inner);
                }
                BlockPart::Text
            }
        };
    }

    /// Whether the line has a place: `File "a.py", line 1, in test`.
    fn place(&mut self, line: &str) -> bool {
        if !line.trim_start().starts_with("File \"") {
            return false;
        }
        let Some((file, number, _)) = traceback_place(line) else { return false };
        if self.places.len() == PLACES_LIMIT {
            self.places.remove(PLACES_LIMIT / 2);
        }
        self.places.push((file.to_owned(), number));
        true
    }

    /// The last place in the file of the test's module. Where no place is in it, as in a test that is inherited or a
    /// script, the first own file is the test's.
    fn test_place(&self) -> Option<(&str, u32)> {
        let id = self.test.split(' ').next().unwrap_or_default();
        let ends = id.match_indices('.').map(|(at, _)| at).chain([id.len()]);
        let modules: Vec<&str> = ends.map(|end| &id[..end]).collect();
        let last_in = |is_it: &dyn Fn(&str) -> bool| {
            self.places.iter().rev().find(|(file, _)| is_it(file)).map(|(file, line)| (file.as_str(), *line))
        };
        modules
            .iter()
            .rev()
            .take(PLACES_LIMIT)
            .map(|module| module.replace('.', "/"))
            .find_map(|path| {
                let (file, package) = (format!("{path}.py"), format!("{path}/__init__.py"));
                last_in(&|printed| same_file(printed, &file) || same_file(printed, &package))
            })
            .or_else(|| {
                let (first, _) = self.places.iter().find(|(file, _)| !is_library(file))?;
                last_in(&|printed| printed == first)
            })
    }

    fn end(self) -> Diagnostic {
        let place = self.test_place();
        let text = self.text.trim_end();
        Diagnostic {
            file: place.map(|(file, _)| file.to_owned()),
            line: place.and_then(|(_, line)| line_number(line)),
            raw: if text.is_empty() { None } else { raw(text.strip_suffix(THIN_RULE).unwrap_or(text)) },
            ..failed_test("unittest", self.test, self.message)
        }
    }
}

fn unexpected(test: &str) -> Block {
    Block { test: named(test), message: UNEXPECTED.to_owned(), ..Block::default() }
}

fn is_traceback(line: &str) -> bool {
    matches!(line, "Traceback (most recent call last):" | "Exception Group Traceback (most recent call last):")
}

/// `Ran 3 tests in 0.001s`, below a rule.
fn is_totals(line: &Line<'_>) -> bool {
    let count = line.text.strip_prefix("Ran ").and_then(|rest| rest.split_once(" test"));
    count.is_some_and(|(count, rest)| number(count).is_some() && rest.contains("in ")) && line.previous() == THIN_RULE
}

/// The test's name in a block's head. Other runners of the same format print other names, which are taken as they are.
fn named(text: &str) -> String {
    test_id(text).unwrap_or_else(|| one_line(text))
}

/// The full name in `test (pkg.module.Class)`, from 3.11 on `test (pkg.module.Class.test)`, with the description of a
/// subtest: `test (pkg.module.Class) [message] (i=1)`.
fn test_id(text: &str) -> Option<String> {
    let (name, rest) = text.trim().split_once(" (")?;
    let (owner, subtest) = rest.split_once(')')?;
    let is_name = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '(');
    if !is_name(name) || !is_name(owner) {
        return None;
    }
    let is_whole = owner.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    // What stands for a module that cannot be loaded has the module's name.
    let id = if owner.starts_with("unittest.loader.") {
        name.to_owned()
    } else if is_whole {
        owner.to_owned()
    } else {
        format!("{owner}.{name}")
    };
    let subtest = one_line(subtest);
    Some(if subtest.is_empty() { id } else { format!("{id} {subtest}") })
}

/// A failure in the lines of `-v`: `test (pkg.module.Class) ... FAIL`. The test is on the line before where it has a
/// description.
fn verbose(line: &Line<'_>) -> Option<(String, &'static str)> {
    let text = line.text.trim_end();
    let (before, message) = [(" ... FAIL", ""), (" ... ERROR", ""), (" ... unexpected success", UNEXPECTED)]
        .into_iter()
        .find_map(|(end, message)| Some((text.strip_suffix(end)?, message)))?;
    // Before 3.11 a test whose subtests failed does not end its line.
    let last = |text: &str| test_id(text.rsplit(" ... ").next().unwrap_or(text)).filter(|id| id.contains('.'));
    let test = last(before).or_else(|| last(&line.previous()))?;
    Some((test, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_have_one_name_in_every_version() {
        for (text, id) in [
            ("test_a (tests.a.T)", "tests.a.T.test_a"),
            ("test_a (tests.a.T.test_a)", "tests.a.T.test_a"),
            ("test_a (a.T.test_a) [x (y)] (i=1)", "a.T.test_a [x (y)] (i=1)"),
            ("setUpClass (tests.a.T)", "tests.a.T.setUpClass"),
            ("tests.a (unittest.loader._FailedTest)", "tests.a"),
            ("a (unittest.loader._FailedTest.a)", "a"),
            ("a.test_function", "a.test_function"),
        ] {
            assert_eq!(named(text), id);
        }
        assert_eq!(test_id("checking whether it works (yes or no)"), None);
    }
}
