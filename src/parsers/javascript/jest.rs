//! Jest: what it prints of failed tests, in the form that all its reporters share since release 15, and `--json`
//! (<https://jestjs.io/docs/cli#--json>). Vitest's `--reporter=json` has the same form
//! (<https://vitest.dev/guide/reporters.html#json-reporter>).

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::js_stack::{self, Frame, frame, is_script, own};
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::{Line, clean};
use crate::parsers::text::{failed_test, number, one_line, place, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// The title of a file that could not be loaded.
const SUITE: &str = "Test suite failed to run";
/// Files whose names are remembered because they could not be loaded.
const SUITES_LIMIT: usize = 10_000;

/// Reads both streams, each with a file of its own.
#[derive(Default)]
pub(in crate::parsers) struct Jest {
    sides: [Section; 2],
    /// What was told as text of files that could not be loaded: the JSON says it again.
    broken: HashSet<String>,
}

/// What is printed below `FAIL path`.
#[derive(Default)]
struct Section {
    file: Option<String>,
    block: Option<Block>,
    /// The failures are printed once more.
    summary: bool,
}

/// A failed test.
#[derive(Default)]
struct Block {
    title: String,
    place: Option<Frame>,
    /// The line that the excerpt marks.
    marked: Option<u32>,
    /// What stands before the excerpt and the stack.
    message: String,
    past_message: bool,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    num_total_test_suites: f64,
    /// Vitest has none.
    num_runtime_error_test_suites: Option<f64>,
    #[serde(borrow, default)]
    test_results: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    name: String,
    status: Option<String>,
    message: Option<String>,
    #[serde(borrow, default)]
    assertion_results: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assertion {
    #[serde(default)]
    ancestor_titles: Vec<String>,
    title: String,
    status: String,
    #[serde(default)]
    failure_messages: Option<Vec<String>>,
}

impl Parser for Jest {
    fn triggers(&self) -> &'static [&'static str] {
        &["FAIL ", "Summary of all failing tests", "Test Suites: ", " coverage threshold for "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let section = &mut self.sides[line.side()];
        let text = line.text;
        let told = out.len();
        let verdict = section.line(text, out);
        for found in &out[told..] {
            if self.broken.len() < SUITES_LIMIT && is_script(&found.code) {
                self.broken.insert(found.code.clone());
            }
        }
        if verdict == Verdict::Idle && text.starts_with("Jest: ") {
            out.extend(threshold(text));
        }
        verdict
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"numTotalTestSuites\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(report) = serde_json::from_str::<Report<'_>>(text) else { return };
        if report.num_total_test_suites < 0.0 {
            return;
        }
        let is_jest = report.num_runtime_error_test_suites.is_some();
        for record in report.test_results {
            if let Ok(file) = serde_json::from_str::<File<'_>>(record.get()) {
                file.tell(is_jest, &self.broken, out);
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for section in &mut self.sides {
            section.end(out);
        }
    }
}

impl Section {
    fn line(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        if let Some(file) = header(text) {
            self.end(out);
            self.file = (!self.summary).then(|| file.to_owned());
            return if self.file.is_some() { Verdict::Own } else { Verdict::Idle };
        }
        if text.starts_with("Summary of all failing tests") || text.starts_with("Test Suites: ") {
            self.end(out);
            self.file = None;
            self.summary = text.starts_with("Summary ");
            return Verdict::Idle;
        }
        if self.file.is_none() {
            return Verdict::Idle;
        }
        if let Some(title) = text.strip_prefix("  ● ").filter(|title| !title.starts_with(' ')) {
            self.end(out);
            if title != "Console" {
                self.block = Some(Block { title: title.trim_end().to_owned(), ..Block::default() });
                self.block.as_mut().into_iter().for_each(|block| push_line(&mut block.text, text));
            }
            return Verdict::Own;
        }
        if let Some(block) = &mut self.block
            && (text.is_empty() || text.starts_with("    "))
        {
            block.read(text);
            return Verdict::Own;
        }
        if !text.is_empty() && !text.starts_with(' ') {
            self.end(out);
            self.file = None;
            return Verdict::Idle;
        }
        Verdict::Own
    }

    fn end(&mut self, out: &mut Vec<Diagnostic>) {
        if let (Some(block), Some(file)) = (self.block.take(), &self.file) {
            out.push(block.end(file));
        }
    }
}

impl Block {
    fn read(&mut self, text: &str) {
        push_line(&mut self.text, text);
        let body = text.trim();
        if let Some(excerpt) = body.strip_prefix("> ").and_then(|rest| rest.split_once(" |")) {
            self.marked = self.marked.or(number(excerpt.0.trim()));
        }
        // `12 |`, `> 12 |`, `|   ^`.
        let is_excerpt = body.trim_start_matches(|c: char| c == '>' || c == ' ' || c.is_ascii_digit()).starts_with('|')
            && body.starts_with(|c: char| c == '>' || c == '|' || c.is_ascii_digit());
        if is_excerpt || body.starts_with("at ") {
            self.past_message = true;
        } else if !self.past_message {
            self.message.push_str(crate::parsers::text::bounded(body, 4 << 10));
            self.message.push('\n');
            self.past_message = self.message.len() > 8 << 10;
        }
        if self.place.is_none() {
            self.place = frame(body).or_else(|| syntax(body)).or_else(|| typescript(body)).or_else(|| alone(body));
        }
    }

    fn end(self, file: &str) -> Diagnostic {
        let code = if self.title == SUITE { file.to_owned() } else { self.title };
        let mut found = failed_test("jest", code, message(&self.message));
        match self.place {
            Some(place) => place.locate(&mut found),
            None => {
                found.file = Some(file.to_owned());
                found.line = self.marked;
            }
        }
        found.raw = raw(&self.text);
        found
    }
}

impl File<'_> {
    fn tell(self, is_jest: bool, broken: &HashSet<String>, out: &mut Vec<Diagnostic>) {
        let tool = if is_jest { "jest" } else { "vitest" };
        let message = clean_text(self.message.as_deref().unwrap_or_default());
        let failed: Vec<(Assertion, &RawValue)> = self
            .assertion_results
            .iter()
            .filter_map(|record| Some((serde_json::from_str::<Assertion>(record.get()).ok()?, *record)))
            .filter(|(assertion, _)| assertion.status == "failed")
            .collect();
        if is_jest {
            // The text that is printed as well, so that both say the same.
            let mut section = Section { file: Some(self.name.clone()), ..Section::default() };
            let mut printed = Vec::new();
            message.lines().for_each(|line| {
                section.line(line, &mut printed);
            });
            section.end(&mut printed);
            let is_suite = failed.is_empty() && printed.len() == 1;
            if is_suite && broken.iter().any(|file| ends_with_path(&self.name, file)) {
                return;
            }
            if is_suite || (!failed.is_empty() && printed.len() == failed.len()) {
                out.extend(printed.into_iter().map(|found| match is_suite {
                    true => Diagnostic { code: base_name(&self.name).to_owned(), ..found },
                    false => found,
                }));
                return;
            }
        }
        if failed.is_empty() && self.status.as_deref() == Some("failed") {
            let mut found = failed_test(tool, base_name(&self.name), js_stack::message(&message));
            match message.lines().find_map(|line| frame(line).or_else(|| syntax(line.trim()))) {
                Some(place) => place.locate(&mut found),
                None => found.file = Some(self.name),
            }
            found.raw = raw(&message);
            out.push(found);
            return;
        }
        let gap = if is_jest { " › " } else { " > " };
        for (assertion, record) in failed {
            let text = clean_text(&assertion.failure_messages.unwrap_or_default().join("\n"));
            let mut name = assertion.ancestor_titles.join(gap);
            if !name.is_empty() {
                name.push_str(gap);
            }
            name.push_str(&assertion.title);
            let mut found = failed_test(tool, one_line(&name), js_stack::message(&text));
            match text.lines().find_map(frame) {
                Some(place) => place.locate(&mut found),
                None => found.file = Some(self.name.clone()),
            }
            found.raw = RawValue::from_string(record.get().to_owned()).ok();
            out.push(found);
        }
    }
}

fn clean_text(text: &str) -> String {
    text.lines().map(|line| clean(line.as_bytes()).into_owned()).collect::<Vec<_>>().join("\n")
}

/// Neither the checkout's folder nor the machine's is part of a name that stays the same.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn ends_with_path(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', '\\']))
}

/// `FAIL src/a.test.js (5.1 s)`, `FAIL project src/a.test.js`; in colours with a space on both sides of the word.
fn header(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(' ').unwrap_or(text).strip_prefix("FAIL ")?.trim();
    let rest = rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")).map_or(rest, |(path, _)| path.trim_end());
    let path = match rest.split_once(' ') {
        Some((project, path)) if !project.contains(['/', '\\', '.']) => path.trim_start(),
        _ => rest,
    };
    let is_path = is_script(path) && !path.contains(['>', '|', '"', '\'']) && !path.contains(": ");
    is_path.then_some(path)
}

/// The first line; of an assertion also what was expected, and what came.
fn message(text: &str) -> String {
    let mut message = js_stack::message(text);
    if message.starts_with("expect(") {
        for line in text
            .lines()
            .filter(|line| ["Expected", "Received", "Snapshot: "].iter().any(|start| line.starts_with(start)))
        {
            if message.len() < 1000 {
                message.push_str("; ");
                message.push_str(&one_line(line));
            }
        }
    }
    message
}

/// `SyntaxError: /a/b.js: Unexpected token (2:18)`.
fn syntax(text: &str) -> Option<Frame> {
    let (_, rest) = text.split_once("SyntaxError: ")?;
    let (file, rest) = rest.split_once(": ")?;
    let (line, column) = rest.strip_suffix(')')?.rsplit_once('(')?.1.split_once(':')?;
    let (line, column) = (number(line)?, number(column)?);
    // Babel counts columns from 0.
    is_script(file).then(|| Frame { file: file.to_owned(), line, column: column.checked_add(1) })
}

/// `src/a.ts:3:7 - error TS2322: …`, of ts-jest.
fn typescript(text: &str) -> Option<Frame> {
    own(text.split_once(" - error TS")?.0)
}

/// A place alone on its line.
fn alone(text: &str) -> Option<Frame> {
    place(text).filter(|(file, _, _)| file.starts_with('/') && is_script(file))?;
    own(text)
}

/// `Jest: "global" coverage threshold for lines (90%) not met: 75%`.
fn threshold(text: &str) -> Option<Diagnostic> {
    let (scope, rest) = text.strip_prefix("Jest: ")?.split_once(" coverage threshold for ")?;
    let what = rest.split_once(" (")?.0;
    rest.contains(" not met").then(|| Diagnostic {
        raw: raw(text),
        ..Diagnostic::new(
            "jest",
            Kind::Lint,
            Severity::Error,
            format!("coverage-threshold:{}:{what}", scope.trim_matches('"')),
            one_line(text.trim_start_matches("Jest: ")),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        assert_eq!(header("FAIL src/a.test.js"), Some("src/a.test.js"));
        assert_eq!(header("FAIL src/a b.test.tsx (5.123 s)"), Some("src/a b.test.tsx"));
        assert_eq!(header("FAIL unit src/a.test.js"), Some("src/a.test.js"));
        assert_eq!(header(" FAIL  src/a.test.js"), Some("src/a.test.js"));
        for other in ["FAIL: test_x (a.js)", "PASS src/a.test.js", "FAIL\tpkg", "FAIL  a.js > x", "FAIL [1s] x"] {
            assert_eq!(header(other), None, "{other}");
        }
    }
}
