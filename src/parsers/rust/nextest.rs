//! `cargo nextest run`: its lines of progress and the outputs of failed tests, in the form of today (`FAIL [   0.004s]
//! (1/3) crate test`, `stdout ───`) and in that of the first releases (`--- STDOUT: crate test ---`), and
//! `--message-format libtest-json` (<https://nexte.st/docs/reporting/>, <https://nexte.st/docs/machine-readable/libtest-json/>).

use std::collections::{HashMap, HashSet};

use super::rust_output::{Event, Output};
use super::rust_panic::Panic;
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, line_number, one_line, raw};
use crate::parsers::{Parser, Verdict};

/// Failed tests that are held, and panics outside of any test's output.
const HELD_LIMIT: usize = 10_000;

/// All of nextest's own lines are on the standard error; with `--no-capture` the tests' output is on both streams.
#[derive(Default)]
pub(in crate::parsers) struct Nextest {
    /// The stream that nextest reports on, while it runs.
    running: Option<usize>,
    /// The test whose line came last, with what was printed of it.
    current: Option<Failure>,
    section: Section,
    /// Failed, but no output was seen, or another attempt may yet pass.
    held: Vec<Failure>,
    /// Passed at a later attempt.
    passed: HashSet<String>,
    told: HashSet<String>,
    panic: [Option<Panic>; 2],
    /// The last panic of each thread whose output was not captured.
    panics: HashMap<String, Panic>,
    /// A run was seen, and none of libtest's own since.
    seen: bool,
    /// Between `running 1 test` and its result, per stream: libtest speaks of the test that nextest reports.
    inside: [bool; 2],
}

/// Where the lines of a test's output stand.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Section {
    #[default]
    None,
    /// Behind `--- STDOUT: … ---`, at the margin.
    Margin,
    /// Behind `  stdout ───`, indented.
    Indented,
}

struct Failure {
    /// `crate::binary test`.
    name: String,
    status: String,
    output: Output,
}

/// How a line of progress says a test went.
enum Status {
    Failed,
    /// An attempt failed; others may follow.
    Attempt,
    Passed,
    /// Not over yet.
    Running,
}

impl Parser for Nextest {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "Nextest run",
            " tests across ",
            "    Starting ",
            "FAIL [",
            " tests run: ",
            "running 1 test",
            "' panicked at ",
            ") panicked at ",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let (side, text) = (line.side(), line.text);
        if self.running.is_none_or(|running| running == side)
            && let Some((status, name)) = progress(text)
        {
            self.running = Some(side);
            self.seen = true;
            self.inside = [false; 2];
            self.keep_panic(side);
            self.close(out);
            self.went(status, name);
            return Verdict::Own;
        }
        if self.running.is_none() && (is_start(text) || is_summary(text)) {
            self.running = Some(side);
            self.seen = true;
            return Verdict::Open;
        }
        if text.starts_with("     Running ") || text.starts_with("   Doc-tests ") {
            self.seen = false;
            self.inside = [false; 2];
        }
        if !self.seen {
            return Verdict::Idle;
        }
        if self.running == Some(side) {
            if let Some(name) = margin_header(text) {
                if self.current.as_ref().is_some_and(|current| current.name != name) {
                    self.close(out);
                }
                self.section = Section::Margin;
                return Verdict::Own;
            }
            if self.current.is_some() && is_indented_header(text) {
                self.section = Section::Indented;
                return Verdict::Own;
            }
            if self.in_section(text) {
                return Verdict::Own;
            }
            if text.trim_start().starts_with("Summary [") {
                self.close(out);
            } else if text.starts_with("error: ") {
                self.end(out);
                return Verdict::Idle;
            }
        }
        if let Some(panic) = &mut self.panic[side] {
            if panic.read(text) {
                return Verdict::Own;
            }
            self.keep_panic(side);
        }
        self.panic[side] = Panic::begin(text).filter(|_| self.running.is_some() || self.inside[side]);
        if text == "running 1 test" {
            self.inside[side] = true;
        } else if text.starts_with("test result: ") && text.contains(" filtered out") && self.inside[side] {
            self.inside[side] = false;
            return Verdict::Own;
        }
        let listening = self.running == Some(side);
        if self.inside[side] || self.panic[side].is_some() {
            return Verdict::Own;
        }
        if listening { Verdict::Open } else { Verdict::Idle }
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"type\":\"test\",\"event\":\"failed\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Some(event) = Event::failed(text) else { return };
        // Only nextest's names hold the binary and the test; those of libtest are read elsewhere.
        let Some((binary, test)) = event.name.split_once('$') else { return };
        let binary = match binary.split_once("::") {
            Some((package, target)) if package.replace('-', "_") == target => package,
            _ => binary,
        };
        // An attempt has its number behind the name.
        let test =
            test.rsplit_once('#').filter(|(_, number)| number.parse::<u32>().is_ok()).map_or(test, |(test, _)| test);
        let output = Output::of(test).with(event.stdout.as_deref().unwrap_or_default());
        let status = event.message.or(event.reason).unwrap_or_default();
        self.tell(Failure { name: format!("{binary} {test}"), status, output }, out);
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        self.end(out);
    }
}

impl Nextest {
    /// Takes up what a line of progress says.
    fn went(&mut self, status: Status, name: Named<'_>) {
        let test = name.name.split_once(' ').map_or(name.name, |(_, test)| test);
        let failure =
            || Failure { name: name.name.to_owned(), status: name.status.to_owned(), output: Output::of(test) };
        match status {
            Status::Passed => {
                if self.held.iter().any(|held| held.name == name.name) {
                    self.held.retain(|held| held.name != name.name);
                    self.passed.insert(name.name.to_owned());
                }
            }
            Status::Failed | Status::Attempt => self.current = Some(failure()),
            Status::Running => {}
        }
    }

    /// The output of the current test is complete.
    fn close(&mut self, out: &mut Vec<Diagnostic>) {
        self.section = Section::None;
        let Some(failure) = self.current.take() else { return };
        if self.told.contains(&failure.name) || self.passed.contains(&failure.name) {
            return;
        }
        let attempt = failure.status.starts_with("TRY ");
        if attempt || failure.output.text.is_empty() {
            // The list at the end repeats it, without its output.
            if let Some(held) = self.held.iter_mut().find(|held| held.name == failure.name) {
                if !failure.output.text.is_empty() {
                    *held = failure;
                } else if !attempt {
                    held.status = failure.status;
                }
            } else if self.held.len() < HELD_LIMIT {
                self.held.push(failure);
            }
            return;
        }
        self.held.retain(|held| held.name != failure.name);
        self.tell(failure, out);
    }

    /// The run is over, or the log is.
    fn end(&mut self, out: &mut Vec<Diagnostic>) {
        self.close(out);
        for side in 0..self.panic.len() {
            self.keep_panic(side);
        }
        for mut failure in std::mem::take(&mut self.held) {
            if failure.output.panic().is_none() {
                failure.output.panics.extend(self.panics.remove(&failure.output.name));
            }
            self.tell(failure, out);
        }
        self.running = None;
        self.inside = [false; 2];
    }

    fn keep_panic(&mut self, side: usize) {
        if let Some(panic) = self.panic[side].take()
            && self.panics.len() < HELD_LIMIT
        {
            self.panics.insert(panic.thread.clone(), panic);
        }
    }

    /// Whether the line is part of the current test's output.
    fn in_section(&mut self, text: &str) -> bool {
        let line = match self.section {
            Section::None => return false,
            Section::Margin => Some(text).filter(|text| !is_notice(text)),
            Section::Indented if text.is_empty() => Some(text),
            Section::Indented => text.strip_prefix("    "),
        };
        match line {
            Some(line) => {
                if let Some(current) = &mut self.current {
                    current.output.read(line);
                }
                true
            }
            None => {
                self.section = Section::None;
                false
            }
        }
    }

    fn tell(&mut self, failure: Failure, out: &mut Vec<Diagnostic>) {
        if !self.told.insert(failure.name.clone()) {
            return;
        }
        let (reason, place) = failure.output.reason();
        let message = reason.unwrap_or_else(|| outcome(&failure.status));
        let (file, line, column) = match place {
            Some((file, line, column)) => (Some(file), line_number(line), column.and_then(line_number)),
            None => (None, None, None),
        };
        let text = &failure.output.text;
        out.push(Diagnostic {
            file,
            line,
            column,
            raw: if text.is_empty() { None } else { raw(text) },
            ..failed_test("cargo nextest", failure.name, one_line(&message))
        });
    }
}

/// What there is to say of a test that printed no reason.
fn outcome(status: &str) -> String {
    let status = status.trim();
    let attempt = status.strip_prefix("TRY ").and_then(|rest| rest.split_once(' ')).map_or(status, |(_, rest)| rest);
    match attempt {
        "TIMEOUT" | "TMT" => "the test timed out".to_owned(),
        "LEAK-FAIL" | "LKFAIL" => "the test left handles open".to_owned(),
        "XFAIL" => "the test could not be started".to_owned(),
        "ABORT" | "ABRT" => "the test process was aborted".to_owned(),
        signal if signal.starts_with("SIG") => format!("the test process was ended by {signal}"),
        "FAIL" | "FAIL + LEAK" | "FL+LK" | "" => String::new(),
        other => other.to_owned(),
    }
}

/// A line of progress, taken apart.
struct Named<'a> {
    status: &'a str,
    name: &'a str,
}

/// `        FAIL [   0.004s] (1/3) crate test`: the status is aligned to the right in twelve columns.
fn progress(line: &str) -> Option<(Status, Named<'_>)> {
    let (status, rest) = line.split_once(" [")?;
    let (time, rest) = rest.split_once("] ")?;
    // A test that begins has no time yet.
    let begins = time.trim().is_empty();
    let padded = status.len() >= 12 && time.len() >= 9;
    if !padded || !(begins || time.ends_with('s')) {
        return None;
    }
    let status = status.trim_start();
    let kind = went(status)?;
    let time = time.trim_start().trim_end_matches('s');
    if begins || time.starts_with('>') {
        return Some((Status::Running, Named { status, name: "" }));
    }
    time.parse::<f64>().ok()?;
    let mut name = rest.trim();
    // The number of the test, or a line in its place, and that of the stress run.
    while let Some(end) = match name.as_bytes().first() {
        Some(b'(') => name.find(')'),
        Some(b'[') => name.find(']'),
        _ => None,
    } {
        if name[..end].bytes().any(|byte| byte.is_ascii_alphabetic()) {
            break;
        }
        name = name[end + 1..].trim_start();
    }
    name.contains(' ').then_some((kind, Named { status, name }))
}

fn went(status: &str) -> Option<Status> {
    let word =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if let Some((number, rest)) = status.strip_prefix("TRY ").and_then(|rest| rest.split_once(' ')) {
        number.parse::<u32>().ok()?;
        return Some(match rest {
            "PASS" | "LEAK" | "TMPASS" => Status::Passed,
            "SLOW" | "TRMNTG" => Status::Running,
            _ => Status::Attempt,
        });
    }
    if let Some(count) = status.strip_prefix("FLAKY ") {
        return count.contains('/').then_some(Status::Passed);
    }
    match status {
        "PASS" | "LEAK" | "TIMEOUT-PASS" | "SLOW" | "SLOW + LEAK" | "SLOW+TMPASS" => Some(Status::Passed),
        "FAIL" | "FAIL + LEAK" | "XFAIL" | "LEAK-FAIL" | "TIMEOUT" | "ABORT" | "SETUP FAIL" | "SETUP TIMEOUT" => {
            Some(Status::Failed)
        }
        "START" | "TERMINATING" | "RETRY" => Some(Status::Running),
        status if status.starts_with("SIG") && word(status) => Some(Status::Failed),
        status if status.starts_with("FLKY-FL ") || status.starts_with("FLAKY-FAIL ") => Some(Status::Failed),
        _ => None,
    }
}

/// `    Starting 3 tests across 2 binaries`, ` Nextest run ID … with nextest profile: default`.
fn is_start(line: &str) -> bool {
    let line = line.trim_start();
    (line.starts_with("Nextest run ID ") && line.contains("profile"))
        || line.strip_prefix("Starting ").is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains(" across ") && rest.contains(" binar")
        })
}

/// `     Summary [   0.004s] 3 tests run: …`: all there is of a log without its beginning.
fn is_summary(line: &str) -> bool {
    let rest = line.trim_start().strip_prefix("Summary [").and_then(|rest| rest.split_once("s] "));
    rest.is_some_and(|(_, rest)| rest.contains(" tests run: ") && rest.contains(" passed"))
}

/// `--- STDERR:              crate test ---`, also `--- TRY 1 STDERR:        crate test ---`.
fn margin_header(line: &str) -> Option<&str> {
    let (kind, name) = line.strip_prefix("--- ")?.strip_suffix(" ---")?.split_once(": ")?;
    (kind.ends_with("STDOUT") || kind.ends_with("STDERR")).then(|| name.trim())
}

/// `  stderr ───`, also with the attempt's number before it.
fn is_indented_header(line: &str) -> bool {
    let Some(name) = line.strip_suffix("───").map(|line| line.trim_end_matches('─').trim_end()) else {
        return false;
    };
    let name = name.strip_prefix("  ").unwrap_or_default();
    !name.starts_with(' ')
        && ["stdout", "stderr", "output", "execution failure", "STDOUT", "STDERR"].iter().any(|end| name.ends_with(end))
}

/// What nextest says between tests.
fn is_notice(line: &str) -> bool {
    let text = line.trim_start();
    let rule = |mark: char| text.len() >= 10 && text.chars().all(|c| c == mark);
    text.starts_with("Summary [")
        || (line.starts_with("  ") && (text.starts_with("Canceling due to ") || text.starts_with("Cancelling due to ")))
        || rule('-')
        || rule('─')
        || line.starts_with("error: test run failed")
}
