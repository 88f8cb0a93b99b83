//! The Test Anything Protocol, versions 12 to 14 (<https://testanything.org/tap-version-14-specification.html>): what
//! `node --test`, tape, tap, ava, bats, mocha, vitest and others print, with subtests by indentation and the YAML or the
//! comments below a failed test.

use crate::model::Diagnostic;
use crate::parsers::javascript::js_stack::{Frame, bare_frame, frame, is_script, message, own};
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, number, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Subtests inside one another.
const DEPTH_LIMIT: usize = 64;
/// Lines below a failed test.
const BLOCK_LINES: u32 = 2000;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct Tap {
    sides: [Side; 2],
}

#[derive(Default)]
struct Side {
    /// A version, a plan or another result was seen: it is this protocol.
    certain: bool,
    /// The subtests that have begun.
    parents: Vec<Subtest>,
    point: Option<Point>,
}

/// A test with tests in it.
#[derive(Default)]
struct Subtest {
    name: String,
    /// Something failed in it.
    failed: bool,
    /// Its own line was printed before its tests.
    is_first: bool,
    /// That line says that it failed.
    not_ok: bool,
}

/// A failed test.
#[derive(Default)]
struct Point {
    name: String,
    full_name: String,
    indent: usize,
    is_parent: bool,
    place: Option<Frame>,
    /// Where the test begins; the failure may be elsewhere.
    begins: Option<Frame>,
    message: String,
    failure_type: Option<String>,
    is_lint: bool,
    /// What the last key of the YAML was, and its indentation.
    key: Option<(usize, Key)>,
    yaml: bool,
    had_yaml: bool,
    text: String,
    lines: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Message,
    Error,
    Stack,
    Other,
}

impl Parser for Tap {
    fn triggers(&self) -> &'static [&'static str] {
        &["not ok ", "TAP version 1", "# Subtest: ", "Bail out!"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = &mut self.sides[line.side()];
        let text = line.text.trim_end();
        let body = text.trim_start();
        let depth = ((text.len() - body.len()) / 4).min(DEPTH_LIMIT);
        if body.starts_with("TAP version 1") {
            side.end(out);
            *side = Side { certain: true, ..Side::default() };
            return Verdict::Idle;
        }
        let result = result(body);
        if let Some(point) = &mut side.point
            && result.is_none()
            && point.read(text, body)
        {
            return Verdict::Own;
        }
        if result.is_some() || is_plan(body) {
            side.certain |= side.point.is_some();
        }
        side.end(out);
        let Some((is_ok, name)) = result else {
            if let Some(name) = body.strip_prefix("# Subtest: ") {
                side.open(depth, Subtest { name: unescape(name), ..Subtest::default() }, out);
            } else if let Some(reason) = body.strip_prefix("Bail out!").filter(|_| side.certain) {
                out.push(failed_test("tap", "Bail out!", crate::parsers::text::one_line(reason)));
            }
            return Verdict::Idle;
        };
        if body.ends_with('{') {
            if let Some(name) = name {
                side.open(depth, Subtest { name, is_first: true, not_ok: !is_ok, failed: false }, out);
            }
            return Verdict::Idle;
        }
        let is_parent = side.parents.get(depth).is_some_and(|parent| parent.failed && !parent.is_first);
        side.close(depth, out);
        let Some(name) = name.filter(|_| !is_ok) else { return Verdict::Idle };
        let before = line.previous();
        let before = before.trim();
        side.certain |= is_plan(before) || self::result(before).is_some();
        let full_name = side.full_name(&name);
        side.parents.iter_mut().for_each(|parent| parent.failed = true);
        let indent = text.len() - body.len();
        side.point = Some(Point { full_name, name, indent, is_parent, text: format!("{text}\n"), ..Point::default() });
        Verdict::Open
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in &mut self.sides {
            side.end(out);
            side.close(0, out);
        }
    }
}

impl Side {
    fn open(&mut self, depth: usize, subtest: Subtest, out: &mut Vec<Diagnostic>) {
        self.close(depth, out);
        self.parents.resize_with(depth, Subtest::default);
        self.parents.push(subtest);
    }

    /// Ends the subtests that are as deep.
    fn close(&mut self, depth: usize, out: &mut Vec<Diagnostic>) {
        while self.parents.len() > depth {
            let Some(parent) = self.parents.pop() else { break };
            if parent.not_ok && !parent.failed && self.certain {
                self.parents.iter_mut().for_each(|parent| parent.failed = true);
                let point = Point { full_name: self.full_name(&parent.name), name: parent.name, ..Point::default() };
                out.push(point.end());
            }
        }
    }

    fn full_name(&self, name: &str) -> String {
        let mut names: Vec<&str> = self.parents.iter().map(|parent| parent.name.as_str()).collect();
        // Some runners make a test of each file.
        names.retain(|name| !(name.is_empty() || is_script(name) && name.contains('/')));
        names.push(name);
        names.join(" > ")
    }

    fn end(&mut self, out: &mut Vec<Diagnostic>) {
        if let Some(point) = self.point.take()
            && self.certain
            && !point.is_lint
            && !point.is_parent()
        {
            out.push(point.end());
        }
    }
}

impl Point {
    /// Reads what stands below the result; false if it does not belong to it.
    fn read(&mut self, text: &str, body: &str) -> bool {
        let indent = text.len() - body.len();
        self.lines += 1;
        if self.lines > BLOCK_LINES || is_plan(body) {
            return false;
        }
        if self.yaml {
            push_line(&mut self.text, text);
            if body == "..." {
                self.yaml = false;
            } else {
                self.entry(indent, body);
            }
            return true;
        }
        if body == "---" {
            (self.yaml, self.had_yaml) = (true, true);
            push_line(&mut self.text, text);
            return true;
        }
        if let Some(comment) = body.strip_prefix('#') {
            let comment = comment.trim();
            let is_ours = !comment.starts_with("Subtest: ") && indent == self.indent && !self.had_yaml;
            if is_ours {
                push_line(&mut self.text, text);
                self.comment(comment);
            }
            return is_ours;
        }
        // Mocha prints no YAML.
        let is_ours = indent > self.indent && !self.had_yaml && body != "}";
        if is_ours {
            push_line(&mut self.text, text);
            self.stack(body);
            if self.message.len() < 4096 && !body.starts_with("at ") {
                self.message.push_str(body);
                self.message.push('\n');
            }
        }
        is_ours
    }

    /// `error: 'text'`, `stack: |-`, and the lines of the last one.
    fn entry(&mut self, indent: usize, body: &str) {
        if let Some((at, key)) = self.key
            && (indent > at || body.is_empty())
        {
            match key {
                Key::Message if self.message.len() < 4096 => {
                    self.message.push_str(body);
                    self.message.push('\n');
                }
                Key::Stack => self.stack(body),
                Key::Error if body.starts_with("message:") => {
                    self.pair(body);
                }
                // ESLint's formatter of this name lists what it found, not tests.
                _ => self.is_lint |= body.starts_with("ruleId:"),
            }
            return;
        }
        self.key = Some((indent, self.pair(body)));
    }

    fn pair(&mut self, body: &str) -> Key {
        let Some((key, value)) = body.split_once(':') else { return Key::Other };
        let value = unquote(value.trim());
        let is_block = value.starts_with(['|', '>']) && value.len() <= 2;
        match key.trim_matches('"') {
            // Vitest's is a mapping.
            "error" if value.is_empty() => return Key::Error,
            "error" | "message" => {
                if !is_block && self.message.is_empty() {
                    self.message = value;
                }
                return if is_block && self.message.is_empty() { Key::Message } else { Key::Other };
            }
            "stack" => {
                if !is_block {
                    self.stack(&value);
                }
                return Key::Stack;
            }
            "at" => self.stack(&value),
            "location" => self.begins = own(&value),
            "failureType" => self.failure_type = Some(value),
            _ => {}
        }
        Key::Other
    }

    fn stack(&mut self, text: &str) {
        if self.place.is_none() {
            self.place = frame(text).or_else(|| bare_frame(text.trim_start_matches("- ")));
        }
    }

    /// bats says `(in test file test/x.bats, line 5)`, Perl `Failed test at t/x.t line 5.`
    fn comment(&mut self, comment: &str) {
        let in_file = comment.split_once("in test file ").and_then(|(_, rest)| rest.split_once(", line "));
        let at = comment.strip_prefix("at ").and_then(|rest| rest.split_once(" line "));
        if let Some((file, line)) = in_file.or(at) {
            let line = line.trim_end_matches([')', '.']);
            if let (None, Some(line)) = (&self.place, number(line)) {
                self.place = Some(Frame { file: file.to_owned(), line, column: None });
                return;
            }
        }
        if self.message.len() < 4096 {
            self.message.push_str(comment);
            self.message.push('\n');
        }
    }

    /// Its failure is that of its subtests, which were told.
    fn is_parent(&self) -> bool {
        match self.failure_type.as_deref() {
            Some(kind) => kind == "subtestsFailed",
            None => self.is_parent,
        }
    }

    fn end(self) -> Diagnostic {
        let tool = if self.failure_type.is_some() { "node --test" } else { "tap" };
        // Vitest's flat names begin with the file.
        let (file, name) = match self.full_name.split_once(" > ") {
            Some((file, name)) if is_script(file) => (Some(file.to_owned()), name.to_owned()),
            _ => (None, self.full_name),
        };
        let mut found = failed_test(tool, name, message(&self.message));
        found.file = file;
        if let Some(place) = self.place.or(self.begins) {
            place.locate(&mut found);
        } else if is_script(&self.name) {
            found.file = Some(self.name);
        }
        if (found.line, found.column) == (Some(1), Some(1)) {
            // The file as a whole.
            (found.line, found.column) = (None, None);
        }
        found.raw = raw(&self.text);
        found
    }
}

/// Whether it is ok and, unless it is to be skipped or still to do, the name: of `not ok 1 - name # time=2ms`.
fn result(body: &str) -> Option<(bool, Option<String>)> {
    let (is_ok, rest) = match body.strip_prefix("not ok ") {
        Some(rest) => (false, rest),
        None => (true, body.strip_prefix("ok ")?),
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let after = &rest[digits..];
    if digits == 0 || digits > 9 || !(after.is_empty() || after.starts_with(' ')) {
        return None;
    }
    let name = after.trim_start();
    let name = name.strip_prefix("- ").unwrap_or(name).trim_start();
    let directive = name.match_indices(" #").map(|(at, _)| at).find(|at| !name[..*at].ends_with('\\'));
    let directive = if name.starts_with('#') { Some(0) } else { directive };
    let (name, directive) = match directive {
        Some(at) => (&name[..at], name[at..].trim_start_matches([' ', '#']).to_ascii_lowercase()),
        None => (name, String::new()),
    };
    let is_excused = directive.starts_with("todo") || directive.starts_with("skip");
    let name = match unescape(name.trim_end().trim_end_matches(" {").trim_end()) {
        name if name.is_empty() => format!("test {}", &rest[..digits]),
        name => name,
    };
    Some((is_ok, (!is_excused).then_some(name)))
}

/// `1..5`.
fn is_plan(body: &str) -> bool {
    let plan = body.split(" #").next().unwrap_or(body);
    plan.strip_prefix("1..").or(plan.strip_prefix("0..")).is_some_and(|count| number(count).is_some())
}

fn unescape(name: &str) -> String {
    name.replace("\\#", "#").replace("\\\\", "\\")
}

/// A scalar of YAML on one line, without its quotation marks.
fn unquote(value: &str) -> String {
    for (quote, escaped) in [('\'', "''"), ('"', "\\\"")] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote)) {
            return inner.replace(escaped, &quote.to_string()).replace("\\n", " ");
        }
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results() {
        let named = |name: &str| Some((false, Some(name.to_owned())));
        assert_eq!(result("not ok 1 - it # works \\# x"), named("it"));
        assert_eq!(result("not ok 1 a \\# b"), named("a # b"));
        assert_eq!(result("not ok 12"), named("test 12"));
        assert_eq!(result("not ok 1 - x # TODO later"), Some((false, None)));
        assert_eq!(result("not ok 1 # skip"), Some((false, None)));
        assert_eq!(result("not ok, really"), None);
        assert_eq!(result("not ok 1st"), None);
        assert!(is_plan("1..12") && is_plan("1..0 # skip all") && !is_plan("1.."));
    }
}
