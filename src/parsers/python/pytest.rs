//! pytest's terminal report, with any `--tb`, `-q`, `-v`, `-r…`, with xdist and subtests
//! (<https://docs.pytest.org/en/stable/how-to/output.html>).
//!
//! The report says a failure up to three times: as it happens (`-v`), in the section with the traceback (which has
//! the place and the message, but not the node id), and in the short summary (which has the id). They are joined at
//! the end of the session, or of the log if it was cut short.

use std::collections::{HashMap, HashSet, VecDeque};

use super::pytest_text::{
    heading, is_captured, is_library, is_totals, node_and_message, node_of, outcome, same_file, section, title_of,
    traceback_place, verbose,
};
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, is_python, line_number, number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Failures remembered of one session.
const FAILURES_LIMIT: usize = 100_000;
/// How many places of `--tb=line` may be passed over: those of failures that are told elsewhere.
const LOOKAHEAD: usize = 100;
/// Places of one traceback that are remembered.
const PLACES_LIMIT: usize = 200;

/// Before the name of a doctest in its heading.
const DOCTEST: &str = "[doctest] ";

/// Reads one report at a time, on the stream that it began on.
#[derive(Default)]
pub(in crate::parsers) struct Pytest {
    part: Part,
    /// The stream of the report, while `part` is one of it.
    side: usize,
    width: usize,
    /// Inside what a test printed.
    captured: bool,
    /// The lines are the last entry's.
    in_entry: bool,
    /// Inside the report of another pytest that a test printed.
    nested: bool,
    entries: Vec<Entry>,
    /// The places of `--tb=line`, in the order of the failures.
    lines: Vec<LineEntry>,
    summary: Vec<Summary>,
    verbose: Vec<(String, bool)>,
    /// Lines of a short summary whose title was cut off.
    loose: Vec<String>,
    /// What the sessions before told.
    done: HashSet<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    None,
    /// `FAILURES` or `ERRORS`.
    Tracebacks,
    Summary,
}

/// One failure in the section of tracebacks.
#[derive(Default)]
struct Entry {
    title: String,
    places: Vec<(String, u32)>,
    /// Where the exception itself says it is: a syntax error's place.
    said: Option<(String, u32)>,
    /// The last exception's first line.
    message: String,
    /// The line before was one of an exception's.
    in_exception: bool,
    first_line: String,
    text: String,
}

struct LineEntry {
    file: String,
    line: u32,
    message: String,
}

struct Summary {
    is_error: bool,
    subtest: Option<String>,
    rest: String,
}

impl Parser for Pytest {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "FAILED",
            "ERROR",
            "= FAILURES =",
            "= short test summary info =",
            "SUBFAIL",
            "ImportError while loading conftest '",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text;
        if self.part == Part::None {
            self.side = line.side();
        } else if self.side != line.side() {
            return Verdict::Idle;
        }
        match self.part {
            Part::Tracebacks => self.traceback_line(text, out),
            Part::Summary => self.summary_line(text, out),
            Part::None => {
                if let Some((title, width)) = section(text) {
                    self.enter(title, width)
                } else if let Some(file) = text.strip_prefix("ImportError while loading conftest '") {
                    self.part = Part::Tracebacks;
                    self.begin(file.trim_end_matches(['.', '\'']));
                    Verdict::Own
                } else {
                    if let Some((node, is_error)) = verbose(text)
                        && self.verbose.len() < FAILURES_LIMIT
                    {
                        self.verbose.push((node.to_owned(), is_error));
                    } else if let Some(rest) = loose(text)
                        && self.loose.len() < FAILURES_LIMIT
                    {
                        self.loose.push(rest);
                    }
                    Verdict::Idle
                }
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        self.end(out);
    }
}

impl Pytest {
    fn enter(&mut self, title: &str, width: usize) -> Verdict {
        self.captured = false;
        self.in_entry = false;
        self.part = match title {
            "FAILURES" | "ERRORS" => {
                self.width = width;
                Part::Tracebacks
            }
            "short test summary info" => Part::Summary,
            // Warnings, passed tests' output, slowest durations: not ours, and followed by the summary.
            _ => Part::None,
        };
        if self.part == Part::None { Verdict::Idle } else { Verdict::Own }
    }

    fn begin(&mut self, title: &str) {
        self.in_entry = true;
        if self.entries.len() < FAILURES_LIMIT {
            self.entries.push(Entry { title: title.to_owned(), ..Entry::default() });
        }
    }

    fn traceback_line(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        if self.captured && section(text).is_some_and(|(title, _)| title == "test session starts") {
            self.nested = true;
        }
        if self.nested {
            self.nested = !is_totals(text);
        } else if let Some((title, width)) = section(text)
            && (width == self.width || (is_totals(text) && (width > self.width || !self.captured)))
        {
            if is_totals(text) {
                self.end(out);
                return Verdict::Idle;
            }
            return self.enter(title, width);
        } else if let Some(title) = heading(text, self.width) {
            self.captured = false;
            self.begin(title);
            return Verdict::Own;
        } else if !self.captured && is_totals(text) {
            self.end(out);
            return Verdict::Idle;
        }
        self.captured |= is_captured(text);
        if self.in_entry {
            if let Some(entry) = self.entries.last_mut() {
                entry.read(text, self.captured);
            }
        } else if let Some((file, line, message)) = traceback_place(text)
            // What was captured stands above the place, so it has no end of its own.
            && (!self.captured || (file.starts_with('/') && is_python(file)))
            && !text.starts_with(['E', ' '])
            && !message.starts_with("in ")
            && self.lines.len() < FAILURES_LIMIT
        {
            self.lines.push(LineEntry { file: file.to_owned(), line, message: message.to_owned() });
        }
        Verdict::Own
    }

    fn summary_line(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        if let Some(outcome) = outcome(text) {
            if self.summary.len() < FAILURES_LIMIT {
                let super::pytest_text::Outcome { is_error, subtest, rest } = outcome;
                self.summary.push(Summary { is_error, subtest, rest });
            }
            return Verdict::Own;
        }
        if is_totals(text) {
            self.end(out);
            return Verdict::Idle;
        }
        if let Some((title, width)) = section(text) {
            if title == "test session starts" {
                self.end(out);
            }
            return self.enter(title, width);
        }
        // Messages go on over several lines where CI is set.
        Verdict::Open
    }

    /// Joins what was said about each failure, and tells it.
    fn end(&mut self, out: &mut Vec<Diagnostic>) {
        let Self { entries, lines, summary, verbose, loose, done, .. } = std::mem::take(self);
        let mut titles: HashMap<String, VecDeque<Entry>> = HashMap::new();
        let mut order = Vec::new();
        let mut subtests: HashMap<String, VecDeque<String>> = HashMap::new();
        for entry in entries {
            let key = entry.key();
            if let Some(at) = key.find(" [").or_else(|| key.find(" (")) {
                subtests.entry(key[..at].to_owned()).or_default().push_back(key[at + 1..].to_owned());
            }
            order.push(key.clone());
            titles.entry(key).or_default().push_back(entry);
        }
        if summary.is_empty() && verbose.is_empty() {
            // Places without names, all there is of `--tb=line` where no summary follows.
            out.extend(lines.iter().map(LineEntry::diagnostic));
        }
        let known: HashSet<&str> = verbose.iter().map(|(node, _)| node.as_str()).collect();
        let mut told = HashSet::new();
        let mut lines = lines.as_slice();
        for Summary { is_error, subtest, rest } in summary {
            let (node, message) = node_and_message(&rest, |node| {
                known.contains(node)
                    || (subtest.is_none() && node.contains("::") && titles.contains_key(&title_of(node)))
            });
            // Before 0.12 of the plugin, its summary did not say which subtest.
            let subtest = match subtest {
                Some(none) if none.is_empty() => subtests.get_mut(&title_of(node)).and_then(VecDeque::pop_front),
                other => other,
            };
            let key = match &subtest {
                Some(subtest) => format!("{} {subtest}", title_of(node)),
                None => title_of(node),
            };
            let file = file_of(node).unwrap_or_default();
            let entry = titles.get_mut(&key).and_then(|queue| take(queue, file, is_error));
            told.insert(node.to_owned());
            if is_parent(message) || entry.as_ref().is_some_and(|entry| is_parent(&entry.first_line)) {
                // A test whose subtests failed, each of which is told.
                continue;
            }
            let code = match subtest {
                Some(subtest) => format!("{node} {subtest}"),
                None => node.to_owned(),
            };
            let (line, message) = match &entry {
                Some(entry) => (entry.line_in(file), message),
                None => take_line(&mut lines, file, message).unwrap_or((None, message)),
            };
            out.push(diagnostic(code, line, message, entry.as_ref()));
        }
        // A report that has no summary, or was cut before it.
        for key in order {
            let Some(entry) = titles.get_mut(&key).and_then(VecDeque::pop_front) else { continue };
            if !entry.is_complete() || is_parent(&entry.first_line) {
                continue;
            }
            let node = verbose
                .iter()
                .map(|(node, _)| node)
                .find(|node| title_of(node) == key)
                .cloned()
                .or_else(|| {
                    // A fixture may stand elsewhere, and an absolute path is not the same in every run.
                    let file = entry.first_own_file()?;
                    Some(match same_file(file, &key) {
                        true => file.to_owned(),
                        false if file.ends_with("conftest.py") => return None,
                        false if file.starts_with('/') => node_of(file.rsplit('/').next()?, &key),
                        false => node_of(file, &key),
                    })
                })
                .unwrap_or_else(|| key.clone());
            let place = entry.first_own_file().and_then(|file| Some((file.to_owned(), entry.line_in(file)?)));
            told.insert(node.clone());
            let line =
                place.as_ref().map(|(_, line)| *line).or_else(|| entry.line_in(file_of(&node).unwrap_or_default()));
            let found = diagnostic(node, line, "", Some(&entry));
            let file = place.map(|(file, _)| file).or_else(|| found.file.clone());
            out.push(Diagnostic { file, ..found });
        }
        for (node, _) in verbose {
            if told.insert(node.clone()) {
                out.push(diagnostic(node, None, "", None));
            }
        }
        for rest in loose {
            let (node, message) = node_and_message(&rest, |_| false);
            if !done.contains(node) && told.insert(node.to_owned()) {
                out.push(diagnostic(node.to_owned(), None, message, None));
            }
        }
        self.done = done;
        self.done.extend(told.into_iter().take(FAILURES_LIMIT));
    }
}

/// `FAILED tests/a.py::test - message` where no summary was begun: what it says of a test of a file.
fn loose(text: &str) -> Option<String> {
    let outcome = outcome(text).filter(|outcome| outcome.subtest.is_none())?;
    let (file, name) = outcome.rest.split_once("::")?;
    let is_node =
        file.ends_with(".py") && !file.contains(char::is_whitespace) && !name.starts_with(char::is_whitespace);
    is_node.then_some(outcome.rest)
}

fn is_parent(message: &str) -> bool {
    message.starts_with("contains ") && message.contains(" failed subtest")
}

/// The next entry of a title; of several the one of this file and kind, where that can be told.
fn take(queue: &mut VecDeque<Entry>, file: &str, is_error: bool) -> Option<Entry> {
    let fits = |entry: &Entry| {
        entry.title.starts_with("ERROR ") == is_error && entry.first_own_file().is_none_or(|own| same_file(own, file))
    };
    let index = queue
        .iter()
        .position(fits)
        .or_else(|| queue.iter().position(|entry| entry.title.starts_with("ERROR ") == is_error))?;
    queue.remove(index)
}

/// The file of a node id, which is the file alone where that could not be collected.
fn file_of(node: &str) -> Option<&str> {
    match node.split_once("::") {
        Some((file, _)) => (file.contains('.') && !file.contains('[')).then_some(file),
        None => (node.contains('/') || is_python(node)).then_some(node),
    }
}

/// The next place of `--tb=line` whose message is the summary's, which may be cut, and the whole of that message.
fn take_line<'a>(lines: &mut &'a [LineEntry], file: &str, message: &str) -> Option<(Option<u32>, &'a str)> {
    let start = message.strip_suffix("...").unwrap_or(message);
    let ahead = lines.iter().take(LOOKAHEAD);
    let index = ahead.take_while(|_| !start.is_empty()).position(|entry| entry.message.starts_with(start))?;
    let entry = &lines[index];
    *lines = &lines[index + 1..];
    Some((same_file(&entry.file, file).then_some(entry.line), &entry.message))
}

impl LineEntry {
    fn diagnostic(&self) -> Diagnostic {
        let file = (!is_library(&self.file)).then(|| self.file.clone());
        // Where the project lies may differ from run to run.
        let code = format!("{}:{}", self.file.rsplit('/').next().unwrap_or(&self.file), self.line);
        let line = file.is_some().then_some(self.line).and_then(line_number);
        Diagnostic { file, line, ..failed_test("pytest", code, one_line(&self.message)) }
    }
}

impl Entry {
    fn read(&mut self, line: &str, captured: bool) {
        push_line(&mut self.text, line);
        if captured {
            return;
        }
        if self.first_line.is_empty() && !line.trim().is_empty() && !line.starts_with("[gw") {
            self.first_line = line.trim().to_owned();
        }
        if let Some(at) = line.strip_prefix("file ").and_then(|rest| rest.split_once(", line ")) {
            // Where a test is whose fixture is not there.
            self.places.extend(number(at.1).map(|line| (at.0.to_owned(), line)));
        }
        // The outermost exception group is drawn with a margin.
        let line = line.strip_prefix("  | ").unwrap_or(line);
        if let Some((file, number, rest)) = traceback_place(line) {
            if line.starts_with('E') {
                self.said = Some((file.to_owned(), number));
            } else {
                if self.places.len() == PLACES_LIMIT {
                    self.places.remove(PLACES_LIMIT / 2);
                }
                self.places.push((file.to_owned(), number));
            }
            // Native tracebacks and `--tb=line` have the message elsewhere.
            if self.message.is_empty() && rest.contains(": ") {
                self.message = rest.to_owned();
            }
        }
        if self.title.starts_with(DOCTEST) {
            self.read_doctest(line);
            return;
        }
        let exception = line.strip_prefix('E').filter(|rest| rest.starts_with(' ') || rest.is_empty());
        match exception {
            Some(text) => {
                let text = text.trim();
                // A syntax error shows the source before it names itself.
                if !self.in_exception || self.message.starts_with("File \"") || is_syntax_error(text) {
                    self.message = text.to_owned();
                }
                self.in_exception = true;
            }
            None => {
                self.in_exception = false;
                if is_native_exception(line) {
                    self.message = line.to_owned();
                }
            }
        }
    }

    /// What was expected and what came, or the exception.
    fn read_doctest(&mut self, line: &str) {
        if line.starts_with("UNEXPECTED EXCEPTION: ") {
            self.message = line.to_owned();
        } else if line.starts_with("Expected") || (self.in_exception && !line.is_empty()) {
            if !self.in_exception {
                self.message.clear();
            }
            self.in_exception = true;
            push_line(&mut self.message, line);
        } else {
            self.in_exception = false;
        }
    }

    /// The title without what pytest puts before it: the test, or the module that was collected.
    fn key(&self) -> String {
        // The heading of a crash under xdist is the file alone.
        if let Some((_, node)) = self.first_line.split_once(" crashed while running '") {
            return title_of(node.trim_end_matches('\''));
        }
        self.shown_key().to_owned()
    }

    fn shown_key(&self) -> &str {
        ["ERROR at setup of ", "ERROR at teardown of ", "ERROR at call of ", "ERROR collecting ", DOCTEST]
            .iter()
            .find_map(|start| self.title.strip_prefix(start))
            .unwrap_or(&self.title)
    }

    /// The last line of the traceback in `file`.
    fn line_in(&self, file: &str) -> Option<u32> {
        // A syntax error in the module itself is in no frame.
        let said = self.said.iter().filter(|_| self.shown_key() != self.title);
        said.chain(self.places.iter().rev()).find(|(printed, _)| same_file(printed, file)).map(|(_, line)| *line)
    }

    /// The last place in own code, for a failure that is not in the test's file: a fixture's, an inherited test's.
    fn own_place(&self) -> Option<(&str, u32)> {
        let mut places = self.places.iter().rev().map(|(file, line)| (file.as_str(), *line));
        places.find(|(file, _)| !is_library(file) && !file.starts_with("../"))
    }

    fn first_own_file(&self) -> Option<&str> {
        self.places.iter().map(|(file, _)| file.as_str()).find(|file| !is_library(file) && !file.starts_with("../"))
    }

    fn is_complete(&self) -> bool {
        !self.title.is_empty()
    }
}

fn is_syntax_error(text: &str) -> bool {
    ["SyntaxError: ", "IndentationError: ", "TabError: "].iter().any(|start| text.starts_with(start))
}

/// `ValueError: text` at the margin, the last line of a native traceback.
fn is_native_exception(line: &str) -> bool {
    let name = line.split_once(": ").map_or(line, |(name, _)| name);
    let last = name.rsplit('.').next().unwrap_or(name);
    last.starts_with(|c: char| c.is_ascii_uppercase())
        && (["Error", "Exception", "ExceptionGroup"].iter().any(|end| last.ends_with(end)) || last == "Failed")
        && name.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '_')
}

fn diagnostic(code: String, line: Option<u32>, summary: &str, entry: Option<&Entry>) -> Diagnostic {
    // The summary's message is cut to the terminal's width.
    let full = entry.map(|entry| if entry.message.is_empty() { &entry.first_line } else { &entry.message });
    let message = match full {
        Some(message) if !message.is_empty() => one_line(message),
        _ => one_line(summary),
    };
    let (file, line) = match (line, entry.and_then(Entry::own_place)) {
        (None, Some((file, line))) => (Some(file), Some(line)),
        _ => (file_of(&code), line),
    };
    Diagnostic {
        file: file.map(str::to_owned),
        line: line.and_then(line_number),
        raw: entry.and_then(|entry| raw(&entry.text)),
        ..failed_test("pytest", code, message)
    }
}
