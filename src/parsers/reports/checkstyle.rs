//! Checkstyle XML (<https://checkstyle.org/reportformats.html>), as many linters write it: a `file` holds the `error`s
//! in it, and `source` names the rule, often with the linter before it.

use std::borrow::Cow;

use super::exported;
use super::xml::{Attributes, Sink};
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::text::{nameless, one_line, raw};

/// How a source begins that names its linter.
const PREFIXES: [(&str, &str); 11] = [
    ("eslint.rules.", "eslint"),
    ("stylelint.rules.", "stylelint"),
    ("swiftlint.rules.", "swiftlint"),
    ("ShellCheck.", "shellcheck"),
    ("detekt.", "detekt"),
    ("jshint.", "jshint"),
    ("failure.tslint.", "tslint"),
    ("flake8.", "flake8"),
    ("PHP-CS-Fixer.", "php-cs-fixer"),
    ("sqlfluff.", "sqlfluff"),
    ("com.puppycrawl.tools.checkstyle.", "checkstyle"),
];

/// The linter of a source that names none.
const UNKNOWN: &str = "checkstyle";

/// Reads one document.
#[derive(Default)]
pub(in crate::parsers) struct Checkstyle {
    file: Option<String>,
    /// The linter, once some source has named it.
    tool: Option<&'static str>,
    /// The text of an `exception`: why a file could not be checked.
    exception: Option<String>,
    found: Vec<Diagnostic>,
}

impl Checkstyle {
    /// What was found since the last time.
    pub fn take(&mut self, out: &mut Vec<Diagnostic>) {
        out.append(&mut self.found);
    }

    /// Whether text would be part of something.
    pub fn is_reading(&self) -> bool {
        self.exception.is_some()
    }
}

impl Sink for Checkstyle {
    fn start(&mut self, name: &str, attributes: &Attributes<'_>) {
        match name {
            "file" => self.file = attributes.get("name"),
            "error" => {
                if let Some(mut found) = error(self.file.clone(), attributes) {
                    // What cannot be parsed breaks no rule that would name the linter.
                    match (&found.tool, self.tool) {
                        (Cow::Borrowed(tool), _) if *tool != UNKNOWN => self.tool = Some(tool),
                        (_, Some(tool)) => found.tool = tool.into(),
                        (_, None) if found.message.starts_with("Parsing error: ") => found.tool = "eslint".into(),
                        (_, None) => {}
                    }
                    self.found.push(found);
                }
            }
            "exception" => self.exception = Some(String::new()),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if name == "file" {
            self.file = None;
        } else if name == "exception"
            && let Some(text) = self.exception.take()
        {
            let message = one_line(text.trim().lines().next().unwrap_or_default());
            let found = Diagnostic::new("checkstyle", Kind::Lint, Severity::Error, "exception", message);
            self.found.push(Diagnostic { file: self.file.clone(), raw: raw(&text), ..found });
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(exception) = &mut self.exception {
            crate::parsers::text::push_line(exception, text);
        }
    }
}

fn error(file: Option<String>, attributes: &Attributes<'_>) -> Option<Diagnostic> {
    let severity = attributes.get("severity").unwrap_or_default().to_ascii_lowercase();
    let source = attributes.get("source").unwrap_or_default();
    let message = attributes.get("message").unwrap_or_default();
    let (tool, rule) = rule(source.trim(), &message);
    let (tool, rule) = match exported::source(&rule).filter(|_| tool == UNKNOWN) {
        Some((tool, rule)) => (Cow::Owned(tool.to_owned()), rule.to_owned()),
        None => (Cow::Borrowed(tool), rule),
    };
    let kind = exported::kind(&tool, &rule);
    let severity = match severity.as_str() {
        // What the tool was told to say nothing about.
        "ignore" => return None,
        "warning" | "warn" => Severity::Warn,
        "info" | "information" | "note" | "style" | "hint" => Severity::Info,
        _ => Severity::Error,
    };
    // Some repeat the rule behind the message.
    let message = message.trim();
    let plain = message.strip_suffix(&format!("({rule})")).unwrap_or(message);
    let plain = plain.strip_prefix(&format!("{rule} ")).filter(|_| tool == "flake8").unwrap_or(plain);
    let rule = match rule.is_empty() {
        false => rule,
        true if tool == "rustfmt" => "unformatted".to_owned(),
        true => nameless(message),
    };
    Some(Diagnostic {
        file: file.filter(|file| !matches!(file.as_str(), "" | ".")),
        line: attributes.number("line"),
        column: attributes.number("column"),
        raw: raw(message),
        ..Diagnostic::new(tool, kind, severity, rule, one_line(plain))
    })
}

/// Who complains, and the rule's name as that tool prints it elsewhere.
fn rule(source: &str, message: &str) -> (&'static str, String) {
    if source.is_empty() {
        return (if message.starts_with("Should be `") { "rustfmt" } else { UNKNOWN }, String::new());
    }
    for (prefix, tool) in PREFIXES {
        if let Some(rule) = source.strip_prefix(prefix) {
            if tool != "checkstyle" {
                return (tool, rule.to_owned());
            }
            // checkstyle itself prints `[LineLength]` for `…checks.sizes.LineLengthCheck`; rubocop borrows the prefix.
            if rule.contains('/') {
                return ("rubocop", rule.to_owned());
            }
            let name = rule.rsplit('.').next().unwrap_or(rule);
            return (tool, name.strip_suffix("Check").unwrap_or(name).to_owned());
        }
    }
    // flake8 names the plugin that it ran, and the rule in the message.
    let code = message.split(' ').next().unwrap_or_default();
    let letters = code.bytes().take_while(u8::is_ascii_uppercase).count();
    if (1..=4).contains(&letters)
        && (3..=4).contains(&(code.len() - letters))
        && crate::parsers::text::number(&code[letters..]).is_some()
        && source.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_' | b'.'))
    {
        return ("flake8", code.to_owned());
    }
    if source.starts_with("lint/") || source.starts_with("assist/") {
        return ("biome", source.to_owned());
    }
    let is = |start: &str| {
        source.strip_prefix(start).is_some_and(|rest| rest.len() == 4 && crate::parsers::text::number(rest).is_some())
    };
    let tool = if is("DL") || is("SC") {
        "hadolint"
    } else if source.starts_with("standard:") {
        "ktlint"
    } else {
        UNKNOWN
    };
    (tool, source.to_owned())
}
