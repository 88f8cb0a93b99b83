//! Tests of C and C++: CTest's list of failures (<https://cmake.org/cmake/help/latest/manual/ctest.1.html>), and what
//! GoogleTest, Catch2 and doctest print, alone or below CTest. A test of CTest whose program tells its own failures is
//! not counted again.

use std::collections::HashSet;

use super::catch2::Catch2;
use super::googletest::GoogleTest;
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, number, raw};
use crate::parsers::{Parser, Verdict};

/// Tests remembered.
const TESTS_LIMIT: usize = 100_000;

/// Reads each stream.
#[derive(Default)]
pub(in crate::parsers) struct CTest {
    google: [GoogleTest; 2],
    catch: [Catch2; 2],
    /// The test that runs, or whose output is printed.
    current: u32,
    /// Tests whose programs told of failures.
    explained: HashSet<u32>,
    in_list: bool,
}

impl Parser for CTest {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "[ RUN      ]",
            ": Failure",
            "): error: ",
            "[  FAILED  ]",
            "-------------------------------------------------------------------------------",
            "TEST SUITE: ",
            "TEST CASE:  ",
            "    Start ",
            " Test #",
            "The following tests FAILED:",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = line.side();
        if self.in_list {
            if let Some((id, found)) = listed(line.text) {
                if !self.explained.contains(&id) {
                    out.push(found);
                }
                return Verdict::Own;
            }
            self.in_list = false;
        }
        if line.text.trim_end() == "The following tests FAILED:" {
            self.in_list = true;
            return Verdict::Own;
        }
        let begun = begun(line.text);
        if begun.is_some() || line.text.contains("% tests passed, ") {
            // A program that crashed has no last line.
            let before = out.len();
            self.google[side].finish(out);
            self.catch[side].finish(out);
            self.explain(self.current, out.len() > before);
            self.current = begun.unwrap_or(self.current);
        }
        // With `-V` CTest writes the test's number before each line.
        let (id, text) = match line.text.split_once(": ") {
            Some((id, text)) if number(id).is_some() => (number(id).unwrap_or(self.current), text),
            _ => (self.current, line.text),
        };
        let before = out.len();
        let verdict = match self.google[side].read(text, out) {
            Verdict::Idle => self.catch[side].read(text, out),
            verdict => verdict,
        };
        self.explain(id, out.len() > before);
        verdict
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in 0..self.google.len() {
            self.google[side].finish(out);
            self.catch[side].finish(out);
        }
    }
}

impl CTest {
    fn explain(&mut self, id: u32, has_told: bool) {
        if has_told && self.explained.len() < TESTS_LIMIT {
            self.explained.insert(id);
        }
    }
}

/// `    Start 2: name`, `2/5 Test #2: name ....***Failed    0.01 sec`.
fn begun(text: &str) -> Option<u32> {
    let rest = text.trim_start().strip_prefix("Start ").or_else(|| text.split_once(" Test #").map(|(_, rest)| rest))?;
    number(rest.trim_start().split(':').next()?)
}

/// `  2 - name (Failed)`.
fn listed(text: &str) -> Option<(u32, Diagnostic)> {
    let (id, rest) = text.trim().split_once(" - ")?;
    // Labels may stand behind.
    let (name, reason) = rest.rsplit_once(" (")?;
    let reason = reason.split(')').next()?;
    let message = match reason {
        "Failed" => String::new(),
        reason => reason.to_lowercase(),
    };
    Some((number(id)?, Diagnostic { raw: raw(text), ..failed_test("ctest", name.trim(), message) }))
}
