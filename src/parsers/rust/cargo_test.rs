//! `cargo test`: the output of libtest (<https://doc.rust-lang.org/rustc/tests/index.html>), for people and with
//! `--format json`, and of rustdoc's tests, with the panics of the standard library.

use std::collections::{HashMap, HashSet};

use super::rust_output::{Event, Output};
use super::rust_panic::Panic;
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, line_number, one_line, raw};
use crate::parsers::{Parser, Verdict};

/// What libtest adds to a test's name when it says how the test went.
const SUFFIXES: [&str; 4] = [" - should panic", " - compile fail", " - compile", " - ignore"];
/// Panics remembered for tests whose output was not captured.
const PANICS_LIMIT: usize = 10_000;

/// Results come on the standard output; which target runs, and what is not captured, on the standard error.
#[derive(Default)]
pub(in crate::parsers) struct CargoTest {
    /// Failed, and not told yet.
    failed: Vec<String>,
    section: Section,
    /// The stream that the section is on.
    section_side: usize,
    /// The targets that cargo has announced, as it names them.
    announced: Vec<String>,
    /// How many targets have begun.
    targets: u32,
    /// A panic in the making, per stream, outside of a section.
    panic: [Option<Panic>; 2],
    /// The panics of each thread whose output was not captured.
    panics: HashMap<String, Vec<Panic>>,
    panics_kept: usize,
    /// The test whose line has begun and not ended.
    running: Option<String>,
    /// The target that cargo says failed.
    broken: Option<String>,
    /// What was told, and of which target.
    told: HashMap<(String, Option<String>, Option<u32>), u32>,
    /// The names of this target that were told.
    done: HashSet<String>,
}

#[derive(Default)]
enum Section {
    #[default]
    None,
    /// Between `successes:` and the next list.
    Successes,
    /// Behind `failures:`: the outputs, and then once more the list of names.
    Failures,
    /// In one failed test's output.
    Output(Box<Output>),
}

impl Parser for CargoTest {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "... FAILED",
            "--- FAILED",
            "failures:",
            "successes:",
            "     Running ",
            "   Doc-tests ",
            "' panicked at ",
            ") panicked at ",
            " has overflowed its stack",
            "process didn't exit successfully: `",
            "error: test failed, to rerun pass ",
            "running ",
            "test result: ",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text;
        let side = line.side();
        if matches!(self.section, Section::None) {
            self.section_side = side;
        } else if self.section_side != side {
            return self.other_stream(side, text, out);
        }
        match std::mem::take(&mut self.section) {
            Section::Output(output) => return self.in_output(output, text, out),
            section => self.section = section,
        }
        if self.in_panic(side, text) {
            return Verdict::Open;
        }
        if let Some(name) = section_name(text)
            && matches!(self.section, Section::Failures | Section::Successes)
        {
            if matches!(self.section, Section::Successes) {
                return Verdict::Open;
            }
            self.section = Section::Output(Box::new(Output::of(name)));
            return Verdict::Own;
        }
        self.result_line(text, out)
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"event\": \"failed\"", "\"event\":\"failed\"", "\"event\": \"started\", \"test_count\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        match Event::failed(text) {
            // Nextest's names hold the binary as well.
            Some(event) if !event.name.contains('$') => {
                let name = bare_name(&event.name);
                let mut output = Output::of(name).with(event.stdout.as_deref().unwrap_or_default());
                if let Some(note) = event.message.or(event.reason) {
                    output = output.with(&format!("note: {note}"));
                }
                self.tell_output(output, out);
            }
            None if text.contains("\"suite\"") => self.begin_target(out),
            _ => {}
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in 0..self.panic.len() {
            self.keep_panic(side);
        }
        if let Section::Output(output) = std::mem::take(&mut self.section) {
            self.tell_output(*output, out);
        }
        self.tell_rest(out);
        if let Some(target) = self.broken.take().filter(|_| self.told.is_empty()) {
            // A harness that is not libtest says in its own way which test failed, or not at all.
            let panic = self.uncaptured("main");
            let place = panic.as_ref().and_then(Panic::place).cloned();
            self.tell(&target, &panic.map(|panic| panic.message).unwrap_or_default(), place, "", out);
        }
    }
}

impl CargoTest {
    /// A line beside the section that is being read on the other stream.
    fn other_stream(&mut self, side: usize, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        if self.in_panic(side, text) {
            return Verdict::Open;
        }
        self.progress(text, out);
        Verdict::Idle
    }

    /// Whether the line is part of a panic that no section holds.
    fn in_panic(&mut self, side: usize, text: &str) -> bool {
        if let Some(panic) = &mut self.panic[side] {
            if panic.read(text) {
                return true;
            }
            self.keep_panic(side);
        }
        self.panic[side] = Panic::begin(text);
        self.panic[side].is_some()
    }

    fn result_line(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        if let Some(name) = failed_name(text) {
            if !self.failed.iter().any(|failed| failed == name) {
                self.failed.push(name.to_owned());
            }
            return self.listening();
        }
        match text {
            "failures:" => {
                self.section = Section::Failures;
                return Verdict::Open;
            }
            "successes:" => {
                self.section = Section::Successes;
                return Verdict::Open;
            }
            _ => {}
        }
        if matches!(self.section, Section::Failures) {
            if text.is_empty() {
                return Verdict::Open;
            }
            if let Some(name) = text.strip_prefix("    ").filter(|name| !name.starts_with(' ')) {
                // The list of names: what was not told with an output has none.
                if !self.done.contains(name) && !self.failed.iter().any(|failed| failed == name) {
                    self.failed.push(name.to_owned());
                }
                return Verdict::Open;
            }
        }
        if text.starts_with("test result: ") {
            self.tell_rest(out);
            self.section = Section::None;
        } else if is_start(text) {
            self.begin_target(out);
        } else {
            self.progress(text, out);
        }
        self.listening()
    }

    fn begin_target(&mut self, out: &mut Vec<Diagnostic>) {
        self.tell_rest(out);
        self.section = Section::None;
        self.done.clear();
        self.targets += 1;
    }

    /// What cargo and the runtime say about the process that runs the tests.
    fn progress(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        if let Some(target) = text.strip_prefix("     Running ").or(text.strip_prefix("   Doc-tests ")) {
            let name = target.split_once(" (").map_or(target, |(name, _)| name);
            let name = name.strip_prefix("unittests ").unwrap_or(name);
            // Older versions named the binary alone, whose hash is another one for each version of the compiler.
            let name = if name.contains("/deps/") || name.contains("\\deps\\") { target_of(name) } else { name };
            self.announced.push(name.to_owned());
        } else if let Some(name) =
            text.strip_prefix("thread '").and_then(|rest| rest.split_once('\'')).map(|(name, _)| name)
            && text.ends_with(" has overflowed its stack")
        {
            self.running = Some(name.to_owned());
        } else if let Some((_, end)) = text.split_once("process didn't exit successfully: `")
            && let Some((command, signal)) = end.rsplit_once(" (signal: ")
            && is_test_binary(command)
        {
            self.crash(command, signal.trim_end_matches(')'), out);
        } else if let Some(flags) = text.strip_prefix("error: test failed, to rerun pass ") {
            let flags = || flags.trim_matches(['`', '\'']).to_owned();
            self.broken.get_or_insert(self.announced.last().cloned().unwrap_or_else(flags));
        }
    }

    fn listening(&self) -> Verdict {
        match self.section {
            Section::None => Verdict::Idle,
            _ => Verdict::Open,
        }
    }

    fn keep_panic(&mut self, side: usize) {
        if let Some(panic) = self.panic[side].take()
            && self.panics_kept < PANICS_LIMIT
        {
            self.panics_kept += 1;
            self.panics.entry(panic.thread.clone()).or_default().push(panic);
        }
    }

    fn in_output(&mut self, mut output: Box<Output>, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        let next = section_name(text);
        // Nothing else ends an output: a test may well print what another run of libtest said.
        if next.is_none() && !(text == "failures:" && output.blank) {
            output.read(text);
            self.section = Section::Output(output);
            return Verdict::Own;
        }
        self.tell_output(*output, out);
        if let Some(name) = next {
            self.section = Section::Output(Box::new(Output::of(name)));
            return Verdict::Own;
        }
        self.section = Section::Failures;
        self.result_line(text, out)
    }

    fn tell_output(&mut self, mut output: Output, out: &mut Vec<Diagnostic>) {
        if output.panic().is_none() {
            // Without capture the panic went to the other stream.
            output.panics.extend(self.uncaptured(&output.name));
        }
        let (message, place) = output.reason();
        let message = message
            .or_else(|| output.text.lines().find(|line| !line.trim().is_empty()).map(str::to_owned))
            .unwrap_or_default();
        self.tell(&output.name, &message, place, &output.text, out);
    }

    /// Tells the failed tests that no output was printed of.
    fn tell_rest(&mut self, out: &mut Vec<Diagnostic>) {
        for side in 0..self.panic.len() {
            self.keep_panic(side);
        }
        for name in std::mem::take(&mut self.failed) {
            let panic = self.uncaptured(&name);
            let place = panic.as_ref().and_then(Panic::place).cloned();
            let message = panic.map(|panic| panic.message).unwrap_or_default();
            self.tell(&name, &message, place, "", out);
        }
    }

    /// The first panic of a thread that no test was told with.
    fn uncaptured(&mut self, name: &str) -> Option<Panic> {
        let panics = self.panics.get_mut(name).filter(|panics| !panics.is_empty())?;
        Some(panics.remove(0))
    }

    /// The target whose tests are being told. The two streams are read apart: the announcements may be ahead.
    fn target(&self) -> String {
        let index = (self.targets as usize).min(self.announced.len());
        match index.checked_sub(1).and_then(|index| self.announced.get(index)) {
            Some(target) => target.clone(),
            None => format!("target {}", self.targets),
        }
    }

    /// The process of the target died; no test can say so.
    fn crash(&mut self, command: &str, signal: &str, out: &mut Vec<Diagnostic>) {
        self.tell_rest(out);
        let message = format!("the test process was ended by signal {signal}");
        let announced = || self.announced.last().cloned().unwrap_or_else(|| target_of(command).to_owned());
        let name = self.running.take().unwrap_or_else(announced);
        self.tell(&name, &message, None, "", out);
    }

    fn tell(
        &mut self,
        name: &str,
        message: &str,
        place: Option<(String, u32, Option<u32>)>,
        text: &str,
        out: &mut Vec<Diagnostic>,
    ) {
        self.failed.retain(|failed| failed != name);
        if !self.done.insert(name.to_owned()) {
            return;
        }
        let (file, line, column) = match place {
            Some((file, line, column)) => (Some(file), line_number(line), column.and_then(line_number)),
            None => (None, None, None),
        };
        let mut code = name.to_owned();
        let first = *self.told.entry((code.clone(), file.clone(), line)).or_insert(self.targets);
        if first != self.targets {
            // The same name at the same place in another target would be the same finding.
            code = format!("{name} ({})", self.target());
        }
        let message = one_line(message);
        out.push(Diagnostic {
            file,
            line,
            column,
            raw: if text.is_empty() { None } else { raw(text) },
            ..failed_test("cargo test", code, message)
        });
    }
}

/// `---- name stdout ----`.
fn section_name(line: &str) -> Option<&str> {
    let name = line.strip_prefix("---- ")?;
    name.strip_suffix(" stdout ----").or(name.strip_suffix(" stderr ----"))
}

/// Cargo says the same of a compiler and of a program that it was to run.
fn is_test_binary(command: &str) -> bool {
    // The path of the program may hold spaces.
    ["/deps/", "\\deps\\"].iter().any(|folder| command.contains(folder)) && !command.contains("--crate-name ")
}

/// The target that `/src/target/debug/deps/name-0123456789abcdef --flag` was built of.
fn target_of(command: &str) -> &str {
    let program = command.rsplit_once("deps/").or(command.rsplit_once("deps\\")).map_or(command, |(_, name)| name);
    let program = program.split([' ', '`']).next().unwrap_or(program).trim_end_matches(".exe");
    let is_hash = |hash: &str| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    program.rsplit_once('-').filter(|(_, hash)| is_hash(hash)).map_or(program, |(name, _)| name)
}

/// `running 3 tests`.
fn is_start(line: &str) -> bool {
    line.strip_prefix("running ")
        .and_then(|rest| rest.strip_suffix(" tests").or(rest.strip_suffix(" test")))
        .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The name in `test name ... FAILED`, or in the terse `name --- FAILED`.
fn failed_name(line: &str) -> Option<&str> {
    let name = match line.strip_suffix(" --- FAILED") {
        Some(name) => name.trim_start_matches(['.', 'i', 'F']).trim_start(),
        None => {
            let line = line.strip_suffix(" ... FAILED").or_else(|| {
                // With --report-time the time stands behind it.
                let (line, time) = line.rsplit_once(" ... FAILED <")?;
                time.ends_with("s>").then_some(line)
            })?;
            // What an uncaptured test printed without a line break stands before it.
            line.strip_prefix("test ").or_else(|| line.split_once("test ").map(|(_, name)| name))?
        }
    };
    Some(bare_name(name)).filter(|name| !name.is_empty())
}

fn bare_name(name: &str) -> &str {
    SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_panic() {
        let new = Panic::begin("thread 'a::b' (12) panicked at src/lib.rs:1:2:").unwrap();
        assert_eq!(new.place, Some(("src/lib.rs".to_owned(), 1, Some(2))));
        let mut old = Panic::begin("thread 'a' panicked at 'it's, here', and").unwrap();
        assert!(!old.complete && old.read("more', src/lib.rs:3:4"));
        assert_eq!(
            (old.message.as_str(), old.place),
            ("it's, here', and more", Some(("src/lib.rs".to_owned(), 3, Some(4))))
        );
        assert!(Panic::begin("thread 'x' is fine").is_none());
    }

    #[test]
    fn names_are_without_what_libtest_adds() {
        for (line, name) in [
            ("test tests::a ... FAILED", "tests::a"),
            ("test src/lib.rs - doc2 (line 13) - compile fail ... FAILED", "src/lib.rs - doc2 (line 13)"),
            ("test a - should panic ... FAILED", "a"),
            ("..i..tests::a --- FAILED", "tests::a"),
            ("test a ... FAILED <0.123s>", "a"),
        ] {
            assert_eq!(failed_name(line), Some(name), "{line}");
        }
        assert_eq!(failed_name("build ... FAILED"), None);
    }
}
