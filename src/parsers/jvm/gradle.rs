//! Gradle: failed tests, and what went wrong where no compiler or test says it
//! (<https://docs.gradle.org/current/userguide/java_testing.html#test_reporting>).

use super::stack::Failure;
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Reasons of tasks that others tell more about.
const TOLD: &[&str] = &[
    "Compilation failed",
    "Compilation error",
    "There were failing tests",
    "finished with non-zero exit value",
    "violations were found",
    "issues were found",
    "Lint found",
    "Kotlin could not",
    "exceeded the maximum",
];
/// Lines of what went wrong.
const REASON_LINES: usize = 40;

/// Reads both streams, each with a finding of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Gradle {
    parts: [Part; 2],
    /// `Build file 'build.gradle' line: 5`, which stands above what went wrong.
    place: Option<(String, u32)>,
}

#[derive(Default)]
enum Part {
    #[default]
    None,
    Test(Failure),
    /// Below `* Where:`.
    Where,
    /// Below `* What went wrong:`.
    Reason(String),
}

impl Parser for Gradle {
    fn triggers(&self) -> &'static [&'static str] {
        &[" FAILED", "* Where:", "* What went wrong:"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = line.side();
        let text = line.text;
        match std::mem::take(&mut self.parts[side]) {
            Part::None => {}
            Part::Test(mut failure) => {
                if text.starts_with("    ") && !text.trim().is_empty() {
                    failure.read(text);
                    self.parts[side] = Part::Test(failure);
                    return Verdict::Own;
                }
                out.push(failure.end("gradle"));
            }
            Part::Where => self.place = place(text),
            Part::Reason(mut reason) => {
                if !text.starts_with("* ") && reason.lines().count() < REASON_LINES {
                    push_line(&mut reason, text);
                    self.parts[side] = Part::Reason(reason);
                    return Verdict::Open;
                }
                out.extend(self.went_wrong(&reason));
            }
        }
        if let Some((name, class)) = test(text) {
            self.parts[side] = Part::Test(Failure::new(name, &class, text));
            return Verdict::Own;
        }
        match text {
            "* Where:" => self.parts[side] = Part::Where,
            "* What went wrong:" => self.parts[side] = Part::Reason(String::new()),
            _ => return Verdict::Idle,
        }
        Verdict::Open
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for part in std::mem::take(&mut self.parts) {
            match part {
                Part::Test(failure) => out.push(failure.end("gradle")),
                Part::Reason(reason) => out.extend(self.went_wrong(&reason)),
                Part::None | Part::Where => {}
            }
        }
    }
}

impl Gradle {
    fn went_wrong(&mut self, reason: &str) -> Option<Diagnostic> {
        let place = self.place.take();
        let mut lines = reason.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next()?;
        let told = lines.find(|line| line.starts_with("> "));
        if TOLD.iter().any(|words| reason.contains(words)) {
            return None;
        }
        let message = told.map_or(first.to_owned(), |told| format!("{first} {}", &told[2..]));
        let task = first.split_once("Execution failed for task '").and_then(|(_, rest)| rest.split_once('\''));
        let code = task.map_or_else(
            || if place.is_some() { "build_script".to_owned() } else { "build_failed".to_owned() },
            |(task, _)| task.to_owned(),
        );
        Some(Diagnostic {
            file: place.as_ref().map(|(file, _)| file.clone()),
            line: place.map(|(_, line)| line),
            raw: raw(reason),
            ..Diagnostic::new("gradle", Kind::Lint, Severity::Error, code, one_line(&message))
        })
    }
}

/// `com.example.CalcTest > adds() FAILED`: the test's full name, and its class.
fn test(text: &str) -> Option<(String, String)> {
    let name = text.strip_suffix(" FAILED")?;
    if name.starts_with(['>', ' ', '[', ':']) {
        return None;
    }
    let parts: Vec<&str> = name.split(" > ").skip_while(|part| part.starts_with("Gradle ")).collect();
    let [class, _, ..] = parts.as_slice() else { return None };
    let simple = class.rsplit('.').next().unwrap_or(class);
    if !class.contains('.') && !simple.starts_with(char::is_uppercase) {
        return None;
    }
    Some((parts.join(" > "), (*class).to_owned()))
}

/// `Build file '/x/build.gradle' line: 5`, `Script '…' line: 3`.
fn place(text: &str) -> Option<(String, u32)> {
    let (_, rest) = text.split_once(" '")?;
    let (file, rest) = rest.split_once('\'')?;
    Some((file.to_owned(), number(rest.trim().strip_prefix("line: ")?)?))
}
