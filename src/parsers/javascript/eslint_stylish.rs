//! What ESLint prints by default (<https://eslint.org/docs/latest/use/formatters/#stylish>): the file's name, and
//! below it a row for each problem; also as `next lint` and `next build` print it.

use super::eslint::{found, is_rule};
use super::js_stack::is_script;
use crate::model::{Diagnostic, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict, text};

/// Lines that a message may have.
const MESSAGE_LINES: u32 = 60;

/// Reads both streams, each with a file of its own.
#[derive(Default)]
pub(in crate::parsers) struct Stylish {
    sides: [Side; 2],
}

#[derive(Default)]
struct Side {
    file: Option<String>,
    /// A problem whose rule may stand at the end of a later line.
    problem: Option<Problem>,
}

struct Problem {
    at: (Option<u32>, Option<u32>),
    severity: Severity,
    message: String,
    rule: Option<String>,
    text: String,
    lines: u32,
}

impl Parser for Stylish {
    fn triggers(&self) -> &'static [&'static str] {
        &["  error  ", "  warning  ", "  Error: ", "  Warning: "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = &mut self.sides[line.side()];
        let text = without_level(line.text).trim_end();
        if let Some(problem) = row(text) {
            side.end(out);
            if side.file.is_none() {
                let previous = line.previous();
                let previous = without_level(&previous);
                side.file = header(previous).or_else(|| relative(previous)).map(str::to_owned);
            }
            if side.file.is_none() {
                return Verdict::Idle;
            }
            side.problem = Some(problem);
            return Verdict::Open;
        }
        if side.file.is_none() {
            return Verdict::Idle;
        }
        let done = side.problem.as_ref().is_none_or(|problem| problem.rule.is_some());
        if let Some(problem) = &mut side.problem
            && problem.rule.is_none()
            && problem.lines < MESSAGE_LINES
            && !text.starts_with('✖')
            && header(text).or_else(|| relative(text)).is_none()
        {
            problem.lines += 1;
            push_line(&mut problem.text, line.text);
            if let Some((_, rule)) = split_rule(text) {
                problem.rule = Some(rule.to_owned());
            }
            return Verdict::Open;
        }
        side.end(out);
        if let Some(file) = header(text).or_else(|| relative(text)) {
            side.file = Some(file.to_owned());
            return Verdict::Open;
        }
        // Between two files stands an empty line.
        if matches!(text, "" | "[INFO]" | "[ERROR]") && done {
            return Verdict::Open;
        }
        side.file = None;
        Verdict::Idle
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in &mut self.sides {
            side.end(out);
        }
    }
}

impl Side {
    fn end(&mut self, out: &mut Vec<Diagnostic>) {
        let (Some(problem), Some(file)) = (self.problem.take(), &self.file) else { return };
        let mut found = found(file, problem.at, problem.severity, &problem.message, problem.rule.as_deref());
        found.raw = raw(&problem.text);
        out.push(found);
    }
}

/// `  1:8   error    message   rule`, `1:8  Error: message  rule`.
fn row(text: &str) -> Option<Problem> {
    // GitHub shows the lines that it annotates so.
    let text = ["Error: ", "Warning: "].iter().find_map(|level| text.strip_prefix(level)).unwrap_or(text);
    let (at, rest) = text.trim_start().split_once("  ")?;
    let (line, column) = at.split_once(':')?;
    let (line, column) = (number(line)?, number(column)?);
    let rest = rest.trim_start();
    let ours = [
        ("error  ", Severity::Error, true),
        ("warning  ", Severity::Warn, true),
        ("Error: ", Severity::Error, false),
        ("Warning: ", Severity::Warn, false),
    ];
    let (message, severity) = ours.into_iter().find_map(|(word, severity, indented)| {
        // `next lint` prints its rows at the margin.
        let message = rest.strip_prefix(word).filter(|_| text.starts_with(' ') == indented)?;
        Some((message.trim(), severity))
    })?;
    let (message, rule) =
        split_rule(message).map_or((message, None), |(message, rule)| (message, Some(rule.to_owned())));
    (!message.is_empty()).then(|| Problem {
        at: (text::line_number(line), text::line_number(column)),
        severity,
        message: one_line(message),
        rule,
        text: format!("{text}\n"),
        lines: 0,
    })
}

/// The rule stands in the last column.
fn split_rule(text: &str) -> Option<(&str, &str)> {
    let (message, rule) = text.rsplit_once("  ")?;
    (is_rule(rule) && !message.trim().is_empty()).then_some((message.trim_end(), rule))
}

/// Without the level that Maven prints before the lines of the tools that it runs.
fn without_level(text: &str) -> &str {
    ["[INFO] ", "[ERROR] ", "[WARNING] "].iter().find_map(|level| text.strip_prefix(level)).unwrap_or(text)
}

/// A relative path alone on its line, as releases before 1 and some runners print it.
fn relative(text: &str) -> Option<&str> {
    let text = text.trim_end();
    (is_script(text) && !text.contains(' ') && !text.contains(": ") && text::place(text).is_none()).then_some(text)
}

/// A path alone on its line: absolute, or `./` as Next.js prints it.
fn header(text: &str) -> Option<&str> {
    let text = text.trim_end();
    let rooted = text.starts_with(['/', '\\'])
        || text.starts_with("./")
        || text == "<text>"
        || matches!(text.as_bytes(), [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    (rooted && text.len() > 3 && !text.starts_with("//") && text::place(text).is_none() && !text.ends_with(':'))
        .then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_headers() {
        assert!(row("  1:8  error  'x' is not defined  no-undef").is_some_and(|row| row.rule.is_some()));
        assert!(row("1:8  Warning: x  no-undef").is_some());
        for other in ["1:8  error  x  no-undef", "  1:8 error x", "  x  error  y", "  1:8  error  "] {
            assert!(row(other).is_none(), "{other}");
        }
        assert_eq!(header("/home/ci/a b.js"), Some("/home/ci/a b.js"));
        assert_eq!(header("C:\\x\\a.js"), Some("C:\\x\\a.js"));
        for other in ["/a/b.tsx:1:5", "src", "// comment", "", "./"] {
            assert_eq!(header(other), None, "{other}");
        }
    }
}
