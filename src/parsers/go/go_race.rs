//! What the race detector prints before a test fails of it (<https://go.dev/doc/articles/race_detector#Report_Format>).

use super::go_panic::{is_own, library, test_function};
use crate::parsers::text::{number, push_line};

/// Places that are remembered of one report.
const FRAMES_LIMIT: usize = 1000;
/// The line above and below a report.
const RULE: &str = "==================";

/// One report, line by line.
#[derive(Default)]
pub(in crate::parsers) struct Race {
    pub text: String,
    functions: Vec<String>,
    frames: Vec<(String, u32)>,
}

impl Race {
    /// Whether a report begins with this line.
    pub fn begins(text: &str) -> bool {
        text.trim_start().starts_with("WARNING: DATA RACE")
    }

    /// A line of it; false behind its end.
    pub fn read(&mut self, text: &str) -> bool {
        let body = text.trim_start();
        if body == RULE || body.starts_with("--- ") || body.starts_with("=== ") || body.starts_with("FAIL") {
            return false;
        }
        push_line(&mut self.text, text);
        if self.frames.len() < FRAMES_LIMIT {
            let place = body.split_once(" +0x").map_or(body, |(place, _)| place);
            match place.rsplit_once(':').and_then(|(file, line)| Some((file, number(line)?))) {
                Some((file, line)) if file.ends_with(".go") => self.frames.push((file.to_owned(), line)),
                _ => self.functions.extend(test_function(body)),
            }
        }
        true
    }

    /// Whether a test with this name is in one of the stacks.
    pub fn is_in(&self, test: &str) -> bool {
        let root = test.split('/').next().unwrap_or(test);
        self.functions.iter().any(|function| function == root)
    }

    /// The first access in the project's own files.
    pub fn place(&self) -> Option<(&str, u32)> {
        let library = library(self.frames.iter().map(|(file, _)| file.as_str()));
        self.frames.iter().find(|(file, _)| is_own(file, library)).map(|(file, line)| (file.as_str(), *line))
    }
}
