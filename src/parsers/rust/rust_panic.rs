//! A panic as the standard library prints it: in its old form (`panicked at 'message', src/lib.rs:1:2`) and in its new one
//! (`panicked at src/lib.rs:1:2:`, the message below), with its backtrace (<https://doc.rust-lang.org/std/macro.panic.html>).

use super::cargo_json::is_foreign;
use crate::parsers::text::place;

/// One panic, from its first line to its last.
#[derive(Clone, Default)]
pub(in crate::parsers) struct Panic {
    pub(in crate::parsers) thread: String,
    pub(in crate::parsers) message: String,
    /// Whether `message` is complete.
    pub(in crate::parsers) complete: bool,
    /// The old form's message ends with a quote and the place.
    quoted: bool,
    pub(in crate::parsers) place: Option<(String, u32, Option<u32>)>,
    /// The first place of the backtrace that is the project's.
    frame: Option<(String, u32, Option<u32>)>,
    pub(in crate::parsers) lines: u32,
}

impl Panic {
    /// `thread 'name' (123) panicked at …`.
    pub(in crate::parsers) fn begin(line: &str) -> Option<Self> {
        let (thread, rest) = line.strip_prefix("thread '")?.split_once('\'')?;
        let rest = rest.trim_start();
        let rest = match rest.strip_prefix('(') {
            Some(number) => number.split_once(") ")?.1,
            None => rest,
        };
        let at = rest.strip_prefix("panicked at ")?;
        let mut panic = Self { thread: thread.to_owned(), ..Self::default() };
        match at.strip_prefix('\'') {
            Some(message) => {
                panic.quoted = true;
                panic.quoted_line(message);
            }
            None => panic.place = Some(owned(place(at.strip_suffix(':')?)?)),
        }
        Some(panic)
    }

    /// A line of a message in the old form, which ends with `', src/lib.rs:1:2`.
    fn quoted_line(&mut self, line: &str) {
        let (message, end) = match line.rsplit_once("', ") {
            Some((message, at)) => (message, place(at)),
            None => (line, None),
        };
        let message = if end.is_some() { message } else { line };
        self.add(message);
        if let Some(end) = end {
            self.place = Some(owned(end));
            self.complete = true;
        }
    }

    fn add(&mut self, line: &str) {
        let line = line.trim();
        let label = line.split_once(": ").map(|(label, _)| label);
        match label {
            // The two sides of a failed comparison belong to the sentence.
            Some("left" | "right") if !self.message.is_empty() => {
                // The old form has a comma of its own.
                self.message.push_str(if self.message.ends_with(',') { " " } else { ", " });
                self.message.push_str(line);
            }
            _ if self.message.is_empty() => self.message.push_str(line),
            _ if self.lines < 8 => {
                self.message.push(' ');
                self.message.push_str(line);
            }
            _ => {}
        }
        self.lines += 1;
    }

    /// A line behind the first; false if the panic has ended before it.
    pub(in crate::parsers) fn read(&mut self, line: &str) -> bool {
        let body = line.trim_start();
        if self.complete
            && let Some(at) = body.strip_prefix("at ").and_then(place)
        {
            let file = at.0.strip_prefix("./").unwrap_or(at.0);
            if !file.starts_with('/') && !is_foreign(file) && self.frame.is_none() {
                self.frame = Some(owned((file, at.1, at.2)));
            }
            return true;
        }
        if self.complete {
            return !line.is_empty() && (line.starts_with(' ') || line.starts_with("stack backtrace:"));
        }
        if line.starts_with("stack backtrace:") {
            self.complete = true;
        } else if self.quoted {
            self.quoted_line(line);
        } else if line.is_empty() || line.starts_with("note: ") || (line.starts_with("test ") && line.contains(" ... "))
        {
            self.complete = true;
            return false;
        } else {
            self.add(line);
        }
        self.lines < 200
    }

    /// Where it was in the project's own code, if that is told.
    pub(in crate::parsers) fn place(&self) -> Option<&(String, u32, Option<u32>)> {
        self.place.as_ref().filter(|place| !is_foreign(&place.0)).or(self.frame.as_ref())
    }
}

pub(in crate::parsers) fn owned((file, line, column): (&str, u32, Option<u32>)) -> (String, u32, Option<u32>) {
    (file.to_owned(), line, column)
}
