//! What a failed Rust test printed: its panics, what libtest notes about a test that should have panicked, and the error
//! that it returned.

use serde::Deserialize;

use super::rust_panic::{Panic, owned};
use crate::parsers::text::{place, push_line};

/// File, line and column.
pub(in crate::parsers) type Place = (String, u32, Option<u32>);

/// One failed test's output.
#[derive(Default)]
pub(in crate::parsers) struct Output {
    pub(in crate::parsers) name: String,
    pub(in crate::parsers) panics: Vec<Panic>,
    panic: Option<Panic>,
    note: Option<String>,
    /// Where a test that should have panicked is.
    note_place: Option<(String, u32, Option<u32>)>,
    error: Option<String>,
    pub(in crate::parsers) text: String,
    pub(in crate::parsers) blank: bool,
}

/// What libtest and nextest tell of one test in JSON, one record per line.
#[derive(Deserialize)]
pub(in crate::parsers) struct Event {
    #[serde(rename = "type")]
    kind: String,
    event: String,
    pub(in crate::parsers) name: String,
    pub(in crate::parsers) stdout: Option<String>,
    pub(in crate::parsers) message: Option<String>,
    pub(in crate::parsers) reason: Option<String>,
}

impl Event {
    /// The record of a failed test.
    pub(in crate::parsers) fn failed(text: &str) -> Option<Self> {
        serde_json::from_str::<Self>(text).ok().filter(|event| event.kind == "test" && event.event == "failed")
    }
}

impl Output {
    /// That of the test with this name.
    pub(in crate::parsers) fn of(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// With all that it printed.
    pub(in crate::parsers) fn with(mut self, text: &str) -> Self {
        for line in text.lines() {
            self.read(line);
        }
        self
    }

    /// Reads a line of it.
    pub(in crate::parsers) fn read(&mut self, line: &str) {
        push_line(&mut self.text, line);
        self.blank = line.is_empty();
        if let Some(panic) = &mut self.panic {
            if panic.read(line) {
                return;
            }
            self.panics.extend(self.panic.take());
        }
        if let Some(panic) = Panic::begin(line) {
            if self.panics.len() > 100 {
                self.panics.remove(0);
            }
            self.panic = Some(panic);
        } else if let Some(note) = line.strip_prefix("note: ") {
            if let Some(rest) = note.strip_prefix("test did not panic as expected") {
                self.note = Some("test did not panic as expected".to_owned());
                self.note_place = rest.strip_prefix(" at ").and_then(place).map(owned);
            } else if note.starts_with("panic did not contain expected string") {
                self.note = Some(note.to_owned());
            }
        } else if let Some(note) = &mut self.note {
            let body = line.trim();
            if body.starts_with("panic message: ") || body.starts_with("expected substring: ") {
                note.push_str("; ");
                note.push_str(body);
            }
        } else if self.error.is_none() && line.starts_with("thread '") && line.ends_with(" has overflowed its stack") {
            self.error = Some("the test has overflowed its stack".to_owned());
        } else if self.error.is_none() && line.starts_with("Error: ") {
            self.error = Some(line.to_owned());
        } else if self.error.is_none() && (line.starts_with("error: ") || line.starts_with("error[")) {
            // A doctest that does not compile.
            self.error = Some(line.to_owned());
        } else if let Some(at) = line.trim_start().strip_prefix("--> ").and_then(place)
            && self.note_place.is_none()
            && self.error.as_deref().is_some_and(|error| error.starts_with("error"))
        {
            self.note_place = Some(owned(at));
        }
    }

    /// The panic that failed the test: its own thread's, else the last one.
    pub(in crate::parsers) fn panic(&self) -> Option<&Panic> {
        let panics = || self.panics.iter().chain(&self.panic);
        panics().rfind(|panic| panic.thread == self.name).or_else(|| panics().next_back())
    }

    /// Why the test failed, and where.
    pub(in crate::parsers) fn reason(&self) -> (Option<String>, Option<Place>) {
        let panic = self.panic();
        let place = panic.and_then(Panic::place).or(self.note_place.as_ref()).cloned();
        let message = self.note.clone().or(panic.map(|panic| panic.message.clone())).or(self.error.clone());
        (message, place)
    }
}
