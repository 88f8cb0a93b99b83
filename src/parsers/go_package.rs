//! What `go test` tells of one package, whichever way it prints it: the tests that failed, what they said, and the
//! panic that ended them all (<https://pkg.go.dev/testing>).

use std::collections::HashMap;

use super::go_panic::Panic;
use super::text::{bounded, failed_test, line_number, number, one_line, push_line, raw};
use crate::model::Diagnostic;

/// Failed tests of a package that are remembered, and tests whose output is.
const TESTS_LIMIT: usize = 10_000;
/// Bytes of a message before it is made one line.
const MESSAGE_LIMIT: usize = 4 << 10;

/// One package's tests, from its first line to its last.
#[derive(Default)]
pub(super) struct Package {
    failed: Vec<String>,
    outputs: HashMap<String, Output>,
    panic: Option<Panic>,
}

/// What a test printed.
#[derive(Default)]
struct Output {
    text: String,
    /// The last thing said with a place: a fatal error is the last, whatever was logged before.
    said: Option<Said>,
    /// The same, where the tool says that it is an error and no mere log line.
    error: Option<Said>,
}

/// `file.go:12: message`.
#[derive(Clone)]
struct Said {
    file: String,
    line: u32,
    message: String,
    indent: usize,
}

impl Package {
    /// A test failed; its subtests' names begin with its own and a slash.
    pub fn failed(&mut self, test: &str) {
        if self.failed.len() < TESTS_LIMIT && !self.failed.iter().any(|failed| failed == test) {
            self.failed.push(test.to_owned());
        }
    }

    /// A test ended well: what it printed is of no interest.
    pub fn passed(&mut self, test: &str) {
        self.outputs.remove(test);
    }

    /// A line that a test printed. `is_error` if the tool says that it is one.
    pub fn output(&mut self, test: &str, text: &str, is_error: bool) {
        if !self.outputs.contains_key(test) {
            if self.outputs.len() >= TESTS_LIMIT {
                return;
            }
            self.outputs.insert(test.to_owned(), Output::default());
        }
        if let Some(output) = self.outputs.get_mut(test) {
            output.line(text, is_error);
        }
    }

    /// Takes a line if it begins a panic or is part of one. `test` is the one that the tool says it belongs to.
    pub fn panic_line(&mut self, test: Option<&str>, text: &str) -> bool {
        if let Some(panic) = &mut self.panic
            && panic.read(text)
        {
            return true;
        }
        if self.panic.as_ref().is_some_and(Panic::is_real) {
            return false;
        }
        self.panic = Panic::begin(test, text);
        self.panic.is_some()
    }

    /// Everything that failed. `name` is the package's, as far as it was said; `note` is what to say if the package
    /// failed and no test of it did.
    pub fn tell(mut self, name: Option<&str>, note: Option<&str>, out: &mut Vec<Diagnostic>) {
        let panic = self.panic.take().filter(Panic::is_real);
        let mut blamed = Vec::new();
        if let Some(panic) = &panic {
            blamed = panic.blamed(&self.failed);
            for test in &blamed {
                self.failed(test);
            }
        }
        for test in &self.failed {
            let below = |other: &String| other.strip_prefix(test.as_str()).is_some_and(|rest| rest.starts_with('/'));
            if self.failed.iter().any(below) {
                continue;
            }
            let code = name.map_or_else(|| test.clone(), |name| format!("{name}.{test}"));
            match &panic {
                Some(panic) if blamed.contains(test) => out.push(of_panic(code, panic, Some(test))),
                _ => out.push(of_output(code, test, self.outputs.get(test))),
            }
        }
        let Some(name) = name.filter(|_| self.failed.is_empty()) else { return };
        match (panic, note) {
            (Some(panic), _) => out.push(of_panic(name.to_owned(), &panic, None)),
            (None, Some(note)) => out.push(diagnostic(name.to_owned(), None, one_line(note), None)),
            (None, None) => {}
        }
    }
}

impl Output {
    fn line(&mut self, text: &str, is_error: bool) {
        push_line(&mut self.text, text);
        if let Some(said) = Said::read(text) {
            if is_error {
                self.error = Some(said.clone());
            }
            self.said = Some(said);
        } else if let Some(said) = &mut self.said
            && (text.trim().is_empty() || indent(text) > said.indent)
        {
            said.add(text);
            if let Some(error) = &mut self.error
                && (error.line, &error.file) == (said.line, &said.file)
            {
                error.add(text);
            }
        } else {
            self.said = self.said.take().map(|said| Said { indent: usize::MAX, ..said });
        }
    }
}

impl Said {
    fn read(text: &str) -> Option<Self> {
        let (before, rest) = text.split_once(".go:")?;
        let (line, message) = rest.split_once(':')?;
        let line = number(line)?;
        let message = message.strip_prefix(' ').or(message.is_empty().then_some(message))?;
        // What a test printed without a line break stands before it.
        let (front, file) = before.rsplit_once("    ")?;
        if file.is_empty() || file.starts_with(' ') {
            return None;
        }
        let indent = if front.trim().is_empty() { front.len() + 4 } else { 4 };
        Some(Self { file: format!("{file}.go"), line, message: bounded(message, MESSAGE_LIMIT).to_owned(), indent })
    }

    fn add(&mut self, text: &str) {
        if self.message.len() < MESSAGE_LIMIT {
            self.message.push('\n');
            self.message.push_str(bounded(text, MESSAGE_LIMIT));
        }
    }
}

/// Whether the line has the form `    file.go:12: message`, and how far it is indented.
pub(super) fn said_at(text: &str) -> Option<usize> {
    Said::read(text).map(|said| said.indent)
}

/// Spaces before a line's text.
pub(super) fn indent(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

fn of_output(code: String, test: &str, output: Option<&Output>) -> Diagnostic {
    let said = output.and_then(|output| output.error.as_ref().or(output.said.as_ref()));
    let mut message = said.map(|said| one_line(&said.message)).unwrap_or_default();
    // An example has no place; it prints what it got and what it wanted.
    if let Some(output) = output
        && message.is_empty()
        && test.starts_with("Example")
    {
        message = one_line(&output.text);
    }
    if message.is_empty() {
        message = format!("{test} failed");
    }
    let place = said.map(|said| (said.file.as_str(), said.line));
    diagnostic(code, place, message, output.map(|output| output.text.as_str()))
}

fn of_panic(code: String, panic: &Panic, test: Option<&str>) -> Diagnostic {
    diagnostic(code, panic.place(test), one_line(&panic.message), Some(&panic.text))
}

fn diagnostic(code: String, place: Option<(&str, u32)>, message: String, text: Option<&str>) -> Diagnostic {
    Diagnostic {
        file: place.map(|(file, _)| file.to_owned()),
        line: place.and_then(|(_, line)| line_number(line)),
        raw: text.filter(|text| !text.is_empty()).and_then(raw),
        ..failed_test("go test", code, message)
    }
}
