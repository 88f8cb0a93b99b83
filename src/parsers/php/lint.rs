//! PHP itself: what `php -l` cannot parse, and fatal errors
//! (<https://www.php.net/manual/en/features.commandline.options.php>), and what PHP CS Fixer would change
//! (<https://cs.symfony.com/doc/usage.html>).

use serde::Deserialize;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, raw};
use crate::parsers::{Parser, Verdict};

/// Keeps nothing: every line and every record stands for itself.
#[derive(Default)]
pub(in crate::parsers) struct Php;

#[derive(Deserialize)]
struct Document {
    files: Vec<File>,
    #[serde(rename = "memory")]
    _memory: serde::de::IgnoredAny,
}

#[derive(Deserialize)]
struct File {
    name: String,
    #[serde(rename = "appliedFixers", default)]
    fixers: Vec<String>,
}

impl Parser for Php {
    fn triggers(&self) -> &'static [&'static str] {
        &["Parse error: ", "Fatal error: ", "   1) "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        out.extend(error(line.text));
        match fixable(line.text) {
            Some(found) => {
                out.push(found);
                Verdict::Open
            }
            None => Verdict::Idle,
        }
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"appliedFixers\"", "\"time\":{\"total\":"]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(document) = serde_json::from_str::<Document>(text) else { return };
        let is_php = |file: &File| file.name.ends_with(".php") || !file.fixers.is_empty();
        out.extend(
            document.files.into_iter().filter(is_php).map(|file| unformatted(&file.name, &file.fixers.join(", "))),
        );
    }
}

/// `PHP Parse error:  syntax error, … in a.php on line 3`; `display_errors` prints it once more without `PHP`.
fn error(text: &str) -> Option<Diagnostic> {
    let text = text.strip_prefix("PHP ").unwrap_or(text);
    let (code, rest) = match text.split_once(": ")? {
        ("Parse error", rest) => ("syntax", rest.trim_start()),
        ("Fatal error", rest) => ("fatal", rest.trim_start()),
        _ => return None,
    };
    let (message, file, line) = if let Some((head, line)) = rest.rsplit_once(" on line ") {
        let (message, file) = head.rsplit_once(" in ")?;
        (message, file, line)
    } else {
        // `Uncaught Exception: message in a.php:2`, above its stack trace.
        let (head, line) = rest.strip_prefix("Uncaught ")?.rsplit_once(':')?;
        let (message, file) = head.rsplit_once(" in ")?;
        (message, file, line)
    };
    let code = if message.starts_with("ParseError: ") { "syntax" } else { code };
    Some(Diagnostic {
        file: Some(file.to_owned()),
        line: number(line.trim_end()).and_then(line_number),
        raw: raw(text),
        ..Diagnostic::new("php", Kind::Lint, Severity::Error, code, one_line(message))
    })
}

/// `   1) src/a.php (braces, indentation)`.
fn fixable(text: &str) -> Option<Diagnostic> {
    let (digits, rest) = text.strip_prefix("  ")?.trim_start().split_once(") ")?;
    number(digits)?;
    let (file, fixers) = match rest.trim_end().strip_suffix(')').and_then(|rest| rest.split_once(" (")) {
        Some((file, fixers)) => (file, fixers),
        None => (rest.trim_end(), ""),
    };
    (file.ends_with(".php") && !file.contains(": ")).then(|| Diagnostic { raw: raw(text), ..unformatted(file, fixers) })
}

fn unformatted(file: &str, fixers: &str) -> Diagnostic {
    let message = if fixers.is_empty() { String::new() } else { format!(": {fixers}") };
    let message = one_line(&format!("the file would be changed{message}"));
    let found = Diagnostic::new("php-cs-fixer", Kind::Lint, Severity::Warn, "unformatted", message);
    Diagnostic { file: Some(file.to_owned()), ..found }
}
