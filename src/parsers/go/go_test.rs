//! `go test` as people read it, with and without `-v` (<https://pkg.go.dev/cmd/go#hdr-Test_packages>). Results stand
//! before what the test said, or behind it with `-v`; the package is named at its end.

use std::collections::HashSet;

use super::go_package::{Package, indent, said_at};
use super::go_said::Said;
use super::go_summary::Summary;
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, number};
use crate::parsers::{Parser, Verdict};

/// Tests with `-v` whose names are remembered.
const NAMES_LIMIT: usize = 100_000;
/// Packages that are remembered to the end.
const PACKAGES_LIMIT: usize = 10_000;

/// What was read of the package that is printed now, per stream.
#[derive(Default)]
pub(in crate::parsers) struct GoTest {
    runs: [Run; 2],
    /// Whether a compiler said something, on either stream.
    has_reason: bool,
}

#[derive(Default)]
struct Run {
    package: Package,
    /// The tests that began, with `-v`.
    began: HashSet<String>,
    current: Current,
    in_panic: bool,
    /// Whether the test that spoke last may go on.
    is_speaking: bool,
    /// What is told of whole packages, unless a summary tells it better.
    packages: Vec<Diagnostic>,
    /// Packages that could not be built.
    unbuilt: Vec<String>,
    /// Whether tests were told with their package's name.
    has_told: bool,
    summary: Option<Summary>,
}

/// Whose lines follow.
#[derive(Default)]
enum Current {
    #[default]
    Nobody,
    /// With `-v`, the test that was named last.
    Running(String),
    /// The results that the last one lies in, each with its indentation, and whether it is a failure.
    Results(Vec<(usize, String, bool)>),
}

impl Parser for GoTest {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "--- FAIL: ",
            "--- PASS: ",
            "--- SKIP: ",
            "=== RUN   ",
            "=== CONT  ",
            "=== NAME  ",
            "FAIL\t",
            "ok  \t",
            "panic: ",
            "fatal error: ",
            "WARNING: DATA RACE",
            "=== FAIL: ",
            ".go:№",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        self.has_reason |= is_compilers(line.text);
        self.runs[line.side()].line(line, out)
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for run in &mut self.runs {
            std::mem::take(&mut run.package).tell(None, None, out);
            if let Some(summary) = &mut run.summary {
                summary.end(out);
                run.unbuilt.append(&mut summary.unbuilt);
            }
            out.append(&mut run.packages);
            // The compiler said why; if not, its words went elsewhere.
            let unbuilt = std::mem::take(&mut run.unbuilt).into_iter().filter(|_| !self.has_reason);
            out.extend(unbuilt.map(|name| failed_test("go test", name, "the package could not be built".to_owned())));
        }
    }
}

impl Run {
    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text;
        if let Some(summary) = &mut self.summary {
            if summary.line(text, out) {
                return Verdict::Own;
            }
            self.unbuilt.append(&mut summary.unbuilt);
            self.summary = None;
        }
        if Summary::heading(text).is_some() {
            let mut summary = Summary::new(self.has_told);
            summary.line(text, out);
            // What was printed while the tests ran had no package's name.
            let packages = if self.has_told { std::mem::take(&mut self.packages) } else { Vec::new() };
            *self = Self { summary: Some(summary), packages, has_told: self.has_told, ..Self::default() };
            return Verdict::Own;
        }
        let test = match &self.current {
            Current::Running(test) => Some(test.as_str()),
            _ => None,
        };
        if (self.in_panic || text.starts_with("panic: ") || text.starts_with("fatal error: "))
            && self.package.panic_line(test, text)
        {
            self.in_panic = true;
            return Verdict::Own;
        }
        self.in_panic = false;
        if self.package.race_line(text) {
            return Verdict::Own;
        }
        if let Some(end) = text.strip_prefix("FAIL\t") {
            self.package_failed(end, &line.previous(), out);
            return Verdict::Idle;
        }
        if text.starts_with("ok  \t") {
            self.next_package();
            return Verdict::Idle;
        }
        if let Some(test) = ["=== RUN   ", "=== CONT  ", "=== NAME  "].iter().find_map(|mark| text.strip_prefix(mark)) {
            if self.began.len() < NAMES_LIMIT {
                self.began.insert(test.to_owned());
            }
            self.current = Current::Running(test.to_owned());
            self.is_speaking = false;
            return Verdict::Idle;
        }
        if let Some((indent, test, is_failure)) = result(text)
            && (self.began.is_empty() || self.began.contains(test))
        {
            return self.result(indent, test, is_failure);
        }
        self.said(text)
    }

    fn result(&mut self, indent: usize, test: &str, is_failure: bool) -> Verdict {
        if is_failure {
            self.package.failed(test);
        } else {
            self.package.passed(test);
        }
        let mut results = match std::mem::take(&mut self.current) {
            Current::Results(results) => results,
            _ => Vec::new(),
        };
        results.retain(|(outer, ..)| *outer < indent);
        results.push((indent, test.to_owned(), is_failure));
        self.current = Current::Results(results);
        // An example says what it got without a place.
        self.is_speaking = is_failure && test.starts_with("Example");
        if is_failure { Verdict::Own } else { Verdict::Open }
    }

    /// What [`said_at`] would say of the place that an old testify overwrote.
    fn trace_at(&self, text: &str) -> Option<usize> {
        let outer = match &self.current {
            Current::Results(results) => results.last().map_or(0, |(outer, ..)| *outer),
            _ => 0,
        };
        (!self.is_speaking && Said::trace(text).is_some()).then_some(outer + 4)
    }

    /// A line that a test may have said.
    fn said(&mut self, text: &str) -> Verdict {
        let at = said_at(text).or_else(|| self.trace_at(text));
        match &self.current {
            Current::Running(test) if at.is_some() || self.is_speaking && indent(text) > 4 => {
                self.package.output(test, text, false);
                self.is_speaking = true;
                Verdict::Own
            }
            Current::Results(results) => {
                let depth = at.unwrap_or_else(|| indent(text));
                let goes_on = self.is_speaking && !["FAIL", "PASS"].contains(&text);
                let owner = match at {
                    Some(depth) => results.iter().rfind(|(outer, ..)| outer + 4 == depth),
                    None => results.iter().rfind(|(outer, ..)| goes_on && *outer <= depth),
                };
                match owner {
                    Some((_, test, true)) => {
                        self.package.output(test, text, false);
                        self.is_speaking = true;
                        Verdict::Own
                    }
                    Some(_) => Verdict::Open,
                    None => {
                        self.is_speaking = false;
                        Verdict::Idle
                    }
                }
            }
            _ => {
                self.is_speaking = false;
                Verdict::Idle
            }
        }
    }

    /// `package\t0.1s`, or `package [build failed]`: then the compiler said why.
    fn package_failed(&mut self, end: &str, before: &str, out: &mut Vec<Diagnostic>) {
        let package = self.next_package();
        let Some((name, time)) = end.split_once('\t') else {
            // Tests of a package that was not built did not run; what is held is a package's that was cut short.
            package.tell(None, None, out);
            if let Some((name, _)) = end.split_once(" [").filter(|(_, why)| why.ends_with(" failed]"))
                && self.unbuilt.len() < PACKAGES_LIMIT
            {
                self.unbuilt.push(name.to_owned());
            }
            return;
        };
        if time.ends_with('s') && !name.contains(' ') {
            let note = if before == "FAIL" || before.is_empty() { "the package's tests failed" } else { before };
            let is_whole = package.is_fine();
            let told = if is_whole && self.packages.len() < PACKAGES_LIMIT { &mut self.packages } else { out };
            package.tell(Some(name), Some(note), told);
            self.has_told |= !is_whole;
        }
    }

    /// The package that ended; what follows is of another one.
    fn next_package(&mut self) -> Package {
        let next = Self {
            packages: std::mem::take(&mut self.packages),
            unbuilt: std::mem::take(&mut self.unbuilt),
            has_told: self.has_told,
            ..Self::default()
        };
        std::mem::replace(self, next).package
    }
}

/// Whether a line begins as the compiler's do, `file.go:12:`.
fn is_compilers(text: &str) -> bool {
    text.split_once(".go:").is_some_and(|(file, rest)| {
        !file.is_empty()
            && !file.contains(char::is_whitespace)
            && rest.split_once(':').is_some_and(|(line, _)| number(line).is_some())
    })
}

/// `--- FAIL: TestName (0.00s)`: its indentation, the test, and whether it failed.
fn result(text: &str) -> Option<(usize, &str, bool)> {
    let (at, is_failure) = match text.find("--- FAIL: ") {
        Some(at) => (at, true),
        None => (text.find("--- PASS: ").or_else(|| text.find("--- SKIP: "))?, false),
    };
    let rest = &text[at + "--- FAIL: ".len()..];
    // A benchmark has no time, but perhaps a number of processors behind its name.
    let test = match rest.rsplit_once(" (") {
        Some((test, time)) if time.ends_with("s)") => test,
        _ if rest.starts_with("Benchmark") => rest.trim_end(),
        _ => return None,
    };
    if test.is_empty() || test.contains(' ') {
        return None;
    }
    // What a test printed without a line break stands before it.
    let indent = if text[..at].trim().is_empty() { at } else { 0 };
    Some((indent, test, is_failure))
}
