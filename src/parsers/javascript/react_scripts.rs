//! What Create React App prints of ESLint's problems (<https://create-react-app.dev/docs/setting-up-your-editor/>): the
//! file's name, and below it `  Line 3:5:  message  rule` for each problem.

use super::eslint::{found, is_rule};
use super::js_stack::is_script;
use crate::model::{Diagnostic, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, raw};
use crate::parsers::{Parser, Verdict};

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct ReactScripts {
    files: [Option<String>; 2],
    /// The build failed for what is listed, and not because warnings count as errors.
    failed: bool,
    lenient: bool,
}

impl Parser for ReactScripts {
    fn triggers(&self) -> &'static [&'static str] {
        &["  Line ", "Failed to compile.", "Treating warnings as errors because"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let file = &mut self.files[line.side()];
        let text = line.text.trim_end();
        if text.trim_start() == "Failed to compile." {
            (self.failed, self.lenient) = (!self.lenient, false);
        } else if text.starts_with("Treating warnings as errors because") {
            self.lenient = true;
        } else if let Some((at, message)) = row(text) {
            if file.is_none() {
                *file = header(&line.previous()).map(str::to_owned);
            }
            let Some(file) = file else { return Verdict::Idle };
            let split = message.rsplit_once("  ").filter(|(_, rule)| is_rule(rule));
            let (message, rule) = split.map_or((message, None), |(message, rule)| (message.trim(), Some(rule)));
            let is_error = self.failed || message.starts_with("Parsing error: ");
            let severity = if is_error { Severity::Error } else { Severity::Warn };
            out.push(Diagnostic { raw: raw(text), ..found(file, at, severity, &one_line(message), rule) });
            return Verdict::Own;
        } else if let Some(next) = header(text) {
            *file = Some(next.to_owned());
            return Verdict::Open;
        } else if file.is_some() && text.is_empty() {
            return Verdict::Open;
        } else {
            *file = None;
        }
        Verdict::Idle
    }
}

/// Line and column.
type Place = (Option<u32>, Option<u32>);

/// `  Line 3:5:  message  rule`; before release 3 without the column.
fn row(text: &str) -> Option<(Place, &str)> {
    let (at, message) = text.strip_prefix("  Line ")?.split_once(":  ")?;
    let (line, column) = match at.split_once(':') {
        Some((line, column)) => (number(line)?, Some(number(column)?)),
        None => (number(at)?, None),
    };
    Some(((line_number(line), column.and_then(line_number)), message.trim()))
}

/// A path alone on its line.
fn header(text: &str) -> Option<&str> {
    let text = text.trim_end();
    (is_script(text) && !text.starts_with(' ') && !text.contains(": ") && text.contains(['/', '\\'])).then_some(text)
}
