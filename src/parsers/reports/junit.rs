//! JUnit XML (<https://github.com/testmoapp/junitxml>, <https://maven.apache.org/surefire/maven-surefire-plugin/xsd/surefire-test-report.xsd>):
//! nested suites, cases, and what failed in them. Who wrote it decides what a test is called (`junit_test.rs`), and
//! whether it is a linter's report in the clothes of one (`junit_lint.rs`).

use super::xml::{Attributes, Sink};
use super::{junit_lint, junit_test};
use crate::model::Diagnostic;
use crate::parsers::line::clean;
use crate::parsers::text::push_line;

/// Nested suites whose names are kept.
const SUITES_LIMIT: usize = 64;
/// Failures of one case that are kept: of a linter each is a finding.
const FAILURES_LIMIT: usize = 10_000;
/// Bytes of one line of text that are looked at.
const LINE_LIMIT: usize = 64 << 10;
/// Failed tests of one suite that are held back until it is known which are parents of others.
const HELD_LIMIT: usize = 100_000;

/// What is known of a suite.
#[derive(Default)]
pub(in crate::parsers) struct Suite {
    pub name: String,
    pub package: Option<String>,
    pub file: Option<String>,
}

/// A case that is being read.
#[derive(Default)]
pub(in crate::parsers) struct Case {
    pub name: String,
    pub classname: String,
    /// PHPUnit's own spelling of the class.
    pub class: Option<String>,
    pub file: Option<String>,
    pub line: Option<u32>,
    pub column: Option<u32>,
    pub status: Option<String>,
    pub result: Option<String>,
    /// The property `severity`.
    pub severity: Option<String>,
    pub failures: Vec<Failure>,
    /// The start of what the case printed.
    pub output: String,
}

/// A `failure` or an `error`.
#[derive(Default)]
pub(in crate::parsers) struct Failure {
    pub message: String,
    pub kind: String,
    pub text: String,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Nothing,
    Failure,
    Output,
}

/// Reads one document.
#[derive(Default)]
pub(in crate::parsers) struct Junit {
    suites: Vec<Suite>,
    case: Option<Case>,
    reading: Reading,
    /// A line of text that has not ended yet.
    line: String,
    /// Failed tests of Go, whose parents fail with them.
    held: Vec<Diagnostic>,
    found: Vec<Diagnostic>,
}

impl Junit {
    /// What was found since the last time.
    pub fn take(&mut self, out: &mut Vec<Diagnostic>) {
        out.append(&mut self.found);
    }

    /// Whether text would be part of a failure or of what a test printed.
    pub fn is_reading(&self) -> bool {
        self.reading != Reading::Nothing
    }

    /// The document ended, or will not go on.
    pub fn finish(&mut self) {
        self.end_line();
        self.end_case();
        self.tell_held();
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let Some(case) = &mut self.case else { return };
        let line = clean(line.as_bytes());
        let line = without_colours(&line);
        match self.reading {
            Reading::Failure => {
                if let Some(failure) = case.failures.last_mut() {
                    push_line(&mut failure.text, &line);
                }
            }
            Reading::Output => push_line(&mut case.output, &line),
            Reading::Nothing => {}
        }
    }

    fn end_case(&mut self) {
        self.reading = Reading::Nothing;
        let Some(case) = self.case.take() else { return };
        if case.failures.is_empty() || junit_lint::read(&case, &self.suites, &mut self.found) {
            return;
        }
        let found = junit_test::failed(&case, &self.suites);
        if found.tool == "go test" && self.held.len() < HELD_LIMIT {
            self.held.push(found);
        } else {
            self.found.push(found);
        }
    }

    fn tell_held(&mut self) {
        let held = std::mem::take(&mut self.held);
        // Sorted, a subtest stands right behind its parent or behind the parent's other subtests.
        let mut codes: Vec<String> = held.iter().map(|found| format!("{}/", found.code)).collect();
        codes.sort_unstable();
        self.found.extend(held.into_iter().filter(|found| {
            let own = format!("{}/", found.code);
            let next = codes.partition_point(|code| *code <= own);
            !codes.get(next).is_some_and(|code| code.starts_with(&own))
        }));
    }
}

/// XML cannot hold an escape character: writers drop it, and leave `[31m` of a colour.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('[') {
        let code = &rest[at + 1..];
        let length = code.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
        let is_colour = (1..=12).contains(&length) && code[length..].starts_with('m');
        plain.push_str(&rest[..at + usize::from(!is_colour)]);
        rest = if is_colour { &code[length + 1..] } else { code };
    }
    plain + rest
}

impl Sink for Junit {
    fn start(&mut self, name: &str, attributes: &Attributes<'_>) {
        let text = |name: &str| attributes.get(name).unwrap_or_default();
        match name {
            "testsuites" | "testsuite" if self.suites.len() < SUITES_LIMIT => self.suites.push(Suite {
                name: text("name"),
                package: attributes.get("package"),
                file: attributes.get("file").or_else(|| attributes.get("filepath")),
            }),
            "testcase" => {
                self.end_case();
                self.case = Some(Case {
                    name: text("name"),
                    classname: text("classname"),
                    class: attributes.get("class"),
                    file: attributes.get("file").filter(|file| !file.is_empty()),
                    line: attributes.number("line"),
                    column: attributes.number("column"),
                    status: attributes.get("status"),
                    result: attributes.get("result"),
                    ..Case::default()
                });
            }
            "failure" | "error" => {
                self.end_line();
                if let Some(case) = &mut self.case
                    && case.failures.len() < FAILURES_LIMIT
                {
                    case.failures.push(Failure {
                        message: text("message")
                            .lines()
                            .map(|line| without_colours(&clean(line.as_bytes())) + "\n")
                            .collect(),
                        kind: text("type"),
                        text: String::new(),
                    });
                    self.reading = Reading::Failure;
                }
            }
            "system-out" | "system-err" if self.case.is_some() => self.reading = Reading::Output,
            "property" if text("name") == "severity" => {
                if let Some(case) = &mut self.case {
                    case.severity = attributes.get("value");
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "testsuites" | "testsuite" => {
                self.suites.pop();
                self.tell_held();
            }
            "testcase" => self.end_case(),
            "failure" | "error" | "system-out" | "system-err" => {
                self.end_line();
                self.reading = Reading::Nothing;
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.reading == Reading::Nothing {
            return;
        }
        for part in text.split_inclusive('\n') {
            let room = LINE_LIMIT.saturating_sub(self.line.len());
            self.line.push_str(&part[..part.floor_char_boundary(room)]);
            if part.ends_with('\n') {
                self.end_line();
            }
        }
    }
}
