//! What `go test` tells of one package, whichever way it prints it: the tests that failed, what they said, and the
//! panic that ended them all (<https://pkg.go.dev/testing>).

use std::collections::HashMap;

use super::go_panic::Panic;
use super::go_race::Race;
use super::go_said::Said;
use crate::model::Diagnostic;
use crate::parsers::text::{failed_test, line_number, one_line, push_line, raw};

/// Failed tests of a package that are remembered, and tests whose output is.
const TESTS_LIMIT: usize = 10_000;
/// Reports of the race detector that are kept of a package.
const RACES_LIMIT: usize = 100;

/// One package's tests, from its first line to its last.
#[derive(Default)]
pub(in crate::parsers) struct Package {
    failed: Vec<String>,
    outputs: HashMap<String, Output>,
    panic: Option<Panic>,
    races: Vec<Race>,
    in_race: bool,
}

/// What a test printed.
#[derive(Default)]
struct Output {
    text: String,
    /// What was said with a place and is most likely why the test failed.
    best: Option<Said>,
    /// The last thing that was said with a place.
    said: Option<Said>,
    /// The same, where the tool says that it is an error and no mere log line.
    error: Option<Said>,
}

impl Package {
    /// A test failed; its subtests' names begin with its own and a slash.
    pub fn failed(&mut self, test: &str) {
        if self.failed.len() < TESTS_LIMIT && !self.failed.iter().any(|failed| failed == test) {
            self.failed.push(test.to_owned());
        }
    }

    /// Whether nothing in it failed, as far as it was said.
    pub fn is_fine(&self) -> bool {
        self.failed.is_empty() && !self.panic.as_ref().is_some_and(Panic::is_real)
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

    /// Takes a line if it is part of what the race detector reports.
    pub fn race_line(&mut self, text: &str) -> bool {
        if Race::begins(text) && self.races.len() < RACES_LIMIT {
            self.races.push(Race::default());
            self.in_race = true;
        }
        self.in_race = self.in_race && self.races.last_mut().is_some_and(|race| race.read(text));
        self.in_race
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
            // A summary names packages relative to the module, the first one `.`.
            let code = match name.map(|name| name.strip_prefix("./").unwrap_or(name)) {
                None | Some(".") => test.clone(),
                Some(name) => format!("{name}.{test}"),
            };
            match &panic {
                Some(panic) if blamed.contains(test) => out.push(of_panic(code, panic, Some(test))),
                _ => out.push(self.of_output(name, code, test)),
            }
        }
        if !self.failed.is_empty() {
            return;
        }
        let Some(name) = name else {
            // The log was cut before the package's name.
            out.extend(panic.filter(Panic::is_of_tests).map(|panic| of_panic("panic".to_owned(), &panic, None)));
            return;
        };
        let name = name.strip_prefix("./").unwrap_or(name);
        match (panic, note) {
            (Some(panic), _) => out.push(of_panic(name.to_owned(), &panic, None)),
            (None, Some(note)) => {
                // A race beside all tests is the package's.
                let race = self.races.first();
                let text = race.map(|race| race.text.as_str());
                out.push(diagnostic(name.to_owned(), race.and_then(Race::place), one_line(note), text));
            }
            (None, None) => {}
        }
    }

    fn of_output(&self, name: Option<&str>, code: String, test: &str) -> Diagnostic {
        let output = self.outputs.get(test);
        let said = output.and_then(|output| output.error.as_ref().or(Said::likelier(&output.best, &output.said)));
        let mut message = said.map(Said::summary).unwrap_or_default();
        // An example has no place; it prints what it got and what it wanted.
        if let Some(output) = output
            && message.is_empty()
            && test.starts_with("Example")
        {
            message = one_line(&output.text);
        }
        if let Some(race) = self.races.iter().find(|race| race.is_in(test))
            && said.is_none_or(Said::is_of_race)
        {
            let message =
                if message.is_empty() { "race detected during execution of test".to_owned() } else { message };
            return diagnostic(code, race.place(), message, Some(&race.text));
        }
        let text = output.map(|output| output.text.as_str());
        match said.filter(|said| !said.is_of_race()).map(Said::place) {
            Some((file, line)) => diagnostic(code, Some((&in_package(name, file), line)), message, text),
            None => diagnostic(code, None, message, text),
        }
    }
}

impl Output {
    fn line(&mut self, text: &str, is_error: bool) {
        push_line(&mut self.text, text);
        let is_open = self.said.as_ref().is_some_and(|said| said.indent < usize::MAX);
        if let Some(said) = Said::read(text).or_else(|| Said::trace(text).filter(|_| !is_open)) {
            if is_error && self.error.is_none() {
                self.error = Some(said.clone());
            }
            let before = self.said.replace(said);
            self.best = Said::likelier(&self.best, &before).cloned();
        } else if let Some(said) = &mut self.said
            && (text.trim().is_empty() || indent(text) > said.indent)
        {
            said.add(text);
            if let Some(error) = &mut self.error
                && error.place() == said.place()
            {
                error.add(text);
            }
        } else if let Some(said) = &mut self.said {
            said.end();
        }
    }
}

/// A test's file, spelled with its package's name, as the testing package prints it bare. What has no dot in its first
/// part begins with the module's name alone. Any other file is a helper's, which is mostly of another package.
fn in_package(package: Option<&str>, file: &str) -> String {
    let Some(package) = package
        .filter(|name| *name != "command-line-arguments" && file.ends_with("_test.go") && !file.contains(['/', '\\']))
    else {
        return file.to_owned();
    };
    let folder = match package.split_once('/') {
        Some((first, _)) if first.contains('.') => package,
        Some((_, below)) => below,
        None => return file.to_owned(),
    };
    format!("{folder}/{file}")
}

/// Whether the line has the form `    file.go:12: message`, and how far it is indented.
pub(in crate::parsers) fn said_at(text: &str) -> Option<usize> {
    Said::read(text).map(|said| said.indent)
}

/// Spaces before a line's text; a tab is as wide as four.
pub(in crate::parsers) fn indent(text: &str) -> usize {
    text.chars()
        .map_while(|c| [(' ', 1), ('\t', 4)].iter().find(|(blank, _)| *blank == c))
        .map(|(_, width)| width)
        .sum()
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
