//! One thing that a Go test said, `file.go:12: message` and the lines below it, and what of it is worth telling
//! (<https://pkg.go.dev/testing#T.Log>; testify's form: <https://pkg.go.dev/github.com/stretchr/testify/assert#Fail>).

use super::go_panic::is_own;
use crate::parsers::text::{bounded, number, one_line, place};

/// Bytes of a message before it is made one line.
const MESSAGE_LIMIT: usize = 4 << 10;

/// Words that say that something is not as it should be. What a test only logs hardly has them.
const SURELY: [&str; 7] = ["Error Trace:", "want ", "want:", "expected", "Expected", "should ", " != "];
/// Words that may say so.
const PERHAPS: [&str; 20] = [
    "want", "xpect", "got", "ail", "rror", "err:", "mismatch", "should", "wrong", "nvalid", "!=", "not ", "issing",
    "annot", "can't", "bad", "broke", "no such", "refused", "exceeded",
];

/// `file.go:12: message`.
#[derive(Clone)]
pub(in crate::parsers) struct Said {
    file: String,
    line: u32,
    message: String,
    pub indent: usize,
}

impl Said {
    pub fn read(text: &str) -> Option<Self> {
        let (before, rest) = text.split_once(".go:")?;
        let (line, message) = rest.split_once(':')?;
        let line = number(line)?;
        let message = message.strip_prefix(' ').or(message.is_empty().then_some(message))?;
        // What a test printed without a line break stands before it.
        // Go 1.9 and before indent with a tab.
        let tab = before.rsplit_once('\t');
        let tab = tab.filter(|(front, file)| front.trim_matches(' ').is_empty() && !file.contains(char::is_whitespace));
        let (front, file) = tab.or(before.rsplit_once("    "))?;
        if file.is_empty() || file.starts_with(' ') || file.contains('\t') {
            return None;
        }
        let indent = if front.trim().is_empty() { front.len() + 4 } else { 4 };
        Some(Self { file: format!("{file}.go"), line, message: bounded(message, MESSAGE_LIMIT).to_owned(), indent })
    }

    /// The head of what testify says where nothing stands above it: its old releases overwrite their own place, which
    /// the testing package prints there.
    pub fn trace(text: &str) -> Option<Self> {
        let text = text.trim_start();
        let (file, line, _) = place(text.strip_prefix("Error Trace:")?.trim())?;
        Some(Self { file: file.to_owned(), line, message: bounded(text, MESSAGE_LIMIT).to_owned(), indent: 4 })
    }

    /// A line below it.
    pub fn add(&mut self, text: &str) {
        if self.message.len() < MESSAGE_LIMIT {
            self.message.push('\n');
            self.message.push_str(bounded(text, MESSAGE_LIMIT));
        }
    }

    /// Nothing below it is part of it any more.
    pub fn end(&mut self) {
        self.indent = usize::MAX;
    }

    /// Which of the two is rather why the test failed: the later one, for a fatal error is the last, whatever was logged
    /// before; but not if the earlier one speaks of a failure for sure and the later one does not, or as surely.
    pub fn likelier<'a>(earlier: &'a Option<Self>, later: &'a Option<Self>) -> Option<&'a Self> {
        match (earlier, later) {
            (Some(earlier), Some(later))
                if later.is_of_race() || earlier.is_sure() && (later.is_sure() || !later.is_possible()) =>
            {
                Some(earlier)
            }
            (earlier, later) => later.as_ref().or(earlier.as_ref()),
        }
    }

    fn is_sure(&self) -> bool {
        SURELY.iter().any(|word| self.message.contains(word))
    }

    fn is_possible(&self) -> bool {
        PERHAPS.iter().any(|word| self.message.contains(word))
    }

    /// Whether it is the testing package that says it, of a race: its own file is no place.
    pub fn is_of_race(&self) -> bool {
        self.file == "testing.go" && self.message.starts_with("race detected")
    }

    /// The place; what testify names as the caller's where that is another file than the test's own.
    pub fn place(&self) -> (&str, u32) {
        let trace = self.message.split_once("Error Trace:").and_then(|(_, trace)| trace.split("Error:").next());
        let mut callers = trace.unwrap_or_default().split_whitespace().filter_map(place);
        let caller = callers.find(|(file, ..)| file.contains('/') && is_own(file, None));
        let caller = caller.filter(|_| !self.file.ends_with("_test.go")).map(|(file, line, _)| (file, line));
        caller.unwrap_or((&self.file, self.line))
    }

    /// What it says, on one line.
    pub fn summary(&self) -> String {
        let Some(error) = self.part("Error:") else {
            let stack = self
                .message
                .find("\n        goroutine ")
                .or(self.message.find("\ngoroutine "))
                .unwrap_or(self.message.len());
            return one_line(&self.message[..stack]);
        };
        let error = one_line(error.split("Diff:").next().unwrap_or_default());
        match self.part("Messages:").map(|more| one_line(&more)).filter(|more| !more.is_empty()) {
            Some(more) => format!("{error} ({more})"),
            None => error,
        }
    }

    /// The lines that testify prints behind a label.
    fn part(&self, label: &str) -> Option<String> {
        const LABELS: [&str; 4] = ["Error Trace:", "Error:", "Test:", "Messages:"];
        if !self.message.contains("Error Trace:") {
            return None;
        }
        let mut part: Option<String> = None;
        for line in self.message.lines() {
            let body = line.trim_start();
            match (LABELS.iter().find(|label| body.starts_with(**label)), &mut part) {
                (Some(found), None) if *found == label => part = Some(body[label.len()..].to_owned()),
                (Some(_), Some(_)) => break,
                (None, Some(part)) => {
                    part.push('\n');
                    part.push_str(body);
                }
                _ => {}
            }
        }
        part
    }
}
