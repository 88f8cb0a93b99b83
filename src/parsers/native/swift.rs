//! Swift: failed tests of XCTest and Swift Testing, as `swift test` and xcodebuild print them
//! (<https://developer.apple.com/documentation/testing>), and the rules of SwiftLint, SwiftFormat and swift-format
//! (<https://realm.github.io/SwiftLint/reporters.html>). The compiler's diagnostics have the GNU form.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, line_number, number, one_line, place, raw};
use crate::parsers::{Parser, Verdict};

/// Names remembered of what was told.
const NAMES_LIMIT: usize = 100_000;

/// Remembers failed tests: each may have several failures.
#[derive(Default)]
pub(in crate::parsers) struct Swift {
    told: HashSet<String>,
    /// Tests that failed, in the lines that say no more.
    ended: Vec<String>,
}

#[derive(Deserialize)]
struct Violation {
    file: Option<String>,
    line: Option<u32>,
    character: Option<u32>,
    reason: String,
    rule_id: String,
    severity: String,
}

impl Parser for Swift {
    fn triggers(&self) -> &'static [&'static str] {
        &[".swift:", " recorded an issue ", "Test Case '", "<unknown>:0: error: ", "<EXPR>:0: error: "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text;
        if let Some((name, found)) = xctest(text).or_else(|| swift_testing(text)) {
            if self.told.len() < NAMES_LIMIT && self.told.insert(name) {
                out.push(Diagnostic { raw: raw(text), ..found });
            }
            return Verdict::Own;
        }
        if let Some(found) = rule(text) {
            out.push(Diagnostic { raw: raw(text), ..found });
            return Verdict::Own;
        }
        let ended = text.strip_prefix("Test Case '").and_then(|rest| rest.split_once("' failed ("));
        if let Some((name, _)) = ended.filter(|_| self.ended.len() < NAMES_LIMIT) {
            self.ended.push(plain(name));
        }
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"rule_id\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(violation) = serde_json::from_str::<Violation>(text) else { return };
        let severity = match violation.severity.as_str() {
            "Error" | "error" => Severity::Error,
            "Warning" | "warning" => Severity::Warn,
            _ => return,
        };
        let found = Diagnostic::new("swiftlint", Kind::Lint, severity, violation.rule_id, one_line(&violation.reason));
        out.push(Diagnostic {
            file: violation.file,
            line: violation.line.and_then(line_number),
            column: violation.character.and_then(line_number),
            raw: RawValue::from_string(text.to_owned()).ok(),
            ..found
        });
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for name in std::mem::take(&mut self.ended) {
            if self.told.insert(name.clone()) {
                out.push(failed_test("swift test", name, String::new()));
            }
        }
    }
}

/// `/a.swift:42: error: -[Mod.Class test] : message`, on Linux `error: Class.test : message`.
fn xctest(text: &str) -> Option<(String, Diagnostic)> {
    let (at, rest) = text.split_once(": error: ")?;
    let (name, message) = rest.split_once(" : ")?;
    let is_test = match name.strip_prefix("-[") {
        Some(rest) => rest.ends_with(']'),
        None => name.split_once('.').is_some_and(|(class, test)| is_name(class) && is_name(test)),
    };
    let (file, line, _) = place(at).filter(|(file, _, column)| is_test && column.is_none() && !file.contains(": "))?;
    let name = plain(name);
    let found = failed_test("swift test", name.clone(), one_line(message.trim_end_matches([' ', '-'])));
    // `<unknown>:0` where the test threw.
    let file = file.ends_with(".swift").then(|| file.to_owned());
    Some((name, Diagnostic { line: file.as_ref().and_then(|_| line_number(line)), file, ..found }))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// `-[Mod.Class test]` as `Mod.Class.test`.
fn plain(name: &str) -> String {
    let name = name.strip_prefix("-[").and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.replacen(' ', ".", 1)
}

/// `✘ Test foo() recorded an issue at A.swift:3:4: message`, `… with 1 argument a → 2 at A.swift:3:4: message`.
fn swift_testing(text: &str) -> Option<(String, Diagnostic)> {
    let (head, rest) = text.split_once(" recorded an issue ")?;
    let (_, name) = head.split_once("Test ")?;
    let (_, rest) =
        rest.rsplit_once("at ").filter(|(_, at)| at.contains(".swift:")).or_else(|| rest.split_once("at "))?;
    let end = rest.find(".swift:")? + ".swift".len();
    let mut parts = rest[end + 1..].splitn(3, ':');
    let (line, column) = (number(parts.next()?)?, number(parts.next()?)?);
    let found = failed_test("swift test", name, one_line(parts.next().unwrap_or_default()));
    let (line, column) = (line_number(line), line_number(column));
    let file = Some(rest[..end].to_owned());
    Some((format!("{name} {}", &rest[..end]), Diagnostic { file, line, column, ..found }))
}

/// `/a.swift:3:4: warning: Line Length Violation: message (line_length)` of SwiftLint, `warning: (indent) message` of
/// SwiftFormat, `warning: [LineLength] message` of swift-format.
fn rule(text: &str) -> Option<Diagnostic> {
    let (at, severity, message) = [(": error: ", Severity::Error), (": warning: ", Severity::Warn)]
        .into_iter()
        .find_map(|(word, severity)| text.split_once(word).map(|(at, message)| (at, severity, message)))?;
    let (file, line, column) = place(at).filter(|(file, ..)| file.ends_with(".swift"))?;
    let is_rule = |name: &str| !name.is_empty() && !name.contains(' ');
    let (tool, code, message) = if let Some((head, name)) = message.trim_end().rsplit_once(" (")
        && let Some(name) = name.strip_suffix(')').filter(|name| is_rule(name) && head.contains("Violation: "))
    {
        ("swiftlint", name, head)
    } else if let Some((name, rest)) = message.strip_prefix('(').and_then(|rest| rest.split_once(") ")) {
        ("swiftformat", name, rest)
    } else {
        let (name, rest) = message.strip_prefix('[')?.split_once("] ")?;
        ("swift-format", name, rest)
    };
    is_rule(code).then(|| Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        column: column.and_then(line_number),
        ..Diagnostic::new(tool, Kind::Lint, severity, code.to_owned(), one_line(message))
    })
}
