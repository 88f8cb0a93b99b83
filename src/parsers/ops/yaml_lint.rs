//! Linters of YAML: yamllint's formats standard and parsable
//! (<https://yamllint.readthedocs.io/en/stable/quickstart.html>), ansible-lint's `-p`
//! (<https://docs.ansible.com/projects/lint/usage/#output-formats>), and actionlint
//! (<https://github.com/rhysd/actionlint/blob/main/docs/usage.md>).

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, raw};
use crate::parsers::{Parser, Verdict};

/// Rules of ansible-lint whose names are one plain word.
const PLAIN_RULES: &[&str] = &["complexity", "fqcn", "galaxy", "jinja", "latest", "sanity", "schema", "yaml"];

/// Reads both streams, each with the file whose problems are listed below it.
#[derive(Default)]
pub(in crate::parsers) struct YamlLint {
    files: [Option<String>; 2],
}

impl Parser for YamlLint {
    fn triggers(&self) -> &'static [&'static str] {
        &[".yml:", ".yaml:", "  error    ", "  warning  "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let file = &mut self.files[line.side()];
        let text = line.text;
        let before = line.previous();
        if let Some((severity, at, rest)) = row(text) {
            // The file's name stands above its first row.
            if row(&before).is_none() {
                *file = is_yaml(before.trim()).then(|| before.trim().to_owned());
            }
            let Some(file) = file else { return Verdict::Idle };
            out.push(Diagnostic { raw: raw(text), ..yamllint((file, at.0, at.1), severity, rest) });
            return Verdict::Own;
        }
        let found = parsable(text).or_else(|| actionlint(text)).or_else(|| ansible(text));
        let found = found.or_else(|| {
            // By default ansible-lint has the place on the line below, with the task behind it.
            let at = text.split(' ').next().filter(|at| place(at).is_some_and(|(file, ..)| is_yaml(file)))?;
            ansible(&format!("{at}: {before}")).filter(|_| before.split_once(": ").is_some())
        });
        match found {
            Some(found) => {
                out.push(Diagnostic { raw: raw(text), ..found });
                Verdict::Own
            }
            None => Verdict::Idle,
        }
    }
}

fn is_yaml(file: &str) -> bool {
    file.ends_with(".yml") || file.ends_with(".yaml")
}

/// `  3:81      error    line too long (90 > 80 characters)  (line-length)`.
fn row(text: &str) -> Option<(Severity, (u32, u32), &str)> {
    let (at, rest) = text.strip_prefix("  ")?.split_once(' ')?;
    let (line, column) = at.split_once(':')?;
    let at = (number(line)?, number(column)?);
    let rest = rest.trim_start();
    let error = rest.strip_prefix("error ").map(|rest| (Severity::Error, at, rest.trim_start()));
    error.or_else(|| rest.strip_prefix("warning ").map(|rest| (Severity::Warn, at, rest.trim_start())))
}

/// `a.yml:3:81: [error] message (rule)`.
fn parsable(text: &str) -> Option<Diagnostic> {
    let (at, severity, message) = [(": [error] ", Severity::Error), (": [warning] ", Severity::Warn)]
        .into_iter()
        .find_map(|(word, severity)| text.split_once(word).map(|(at, message)| (at, severity, message)))?;
    let (file, line, column) = place(at).filter(|(file, ..)| is_yaml(file))?;
    Some(yamllint((file, line, column?), severity, message))
}

fn yamllint((file, line, column): (&str, u32, u32), severity: Severity, message: &str) -> Diagnostic {
    let split = message.trim_end().strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    let (message, code) = match split {
        Some((message, "syntax")) => (message, "syntax"),
        Some((message, rule)) if !rule.contains(' ') => (message, rule),
        _ => (message, if message.starts_with("syntax error") { "syntax" } else { "yamllint" }),
    };
    Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        column: line_number(column),
        ..Diagnostic::new("yamllint", Kind::Lint, severity, code.to_owned(), one_line(message))
    }
}

/// `.github/workflows/a.yml:3:4: message [rule]`.
fn actionlint(text: &str) -> Option<Diagnostic> {
    let (message, rule) = text.strip_suffix(']')?.rsplit_once(" [")?;
    let is_rule = !rule.is_empty() && rule.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let (at, message) = message.split_once(": ")?;
    let (file, line, column) = place(at).filter(|(file, ..)| is_yaml(file) && is_rule)?;
    let is_other = ["error", "warning", "note", "["].iter().any(|start| message.starts_with(start));
    let column = line_number(column?);
    (!is_other).then(|| Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        column,
        ..Diagnostic::new("actionlint", Kind::Lint, Severity::Error, rule.to_owned(), one_line(message))
    })
}

/// `playbook.yml:3: name[play]: All plays should be named.`, with `(warning)` behind what fails nothing.
fn ansible(text: &str) -> Option<Diagnostic> {
    let (at, rest) = text.split_once(": ")?;
    let (file, line, column) = place(at).filter(|(file, ..)| is_yaml(file))?;
    // Until release 5 the rule was `[E301]` or `[EANSIBLE0002]`, in release 5 a name without a colon.
    if let Some((rule, message)) = old_rule(rest) {
        let (message, severity) = match message.trim_end().strip_suffix("(warning)") {
            Some(message) => (message, Severity::Warn),
            None => (message, Severity::Error),
        };
        return Some(Diagnostic {
            file: Some(file.to_owned()),
            line: line_number(line),
            ..Diagnostic::new("ansible-lint", Kind::Lint, severity, rule.to_owned(), one_line(message))
        });
    }
    let (rule, message) = rest.split_once(": ")?;
    let (name, detail) =
        rule.trim_end_matches("[/]").strip_suffix(']').and_then(|rule| rule.split_once('[')).unwrap_or((rule, ""));
    // One release put the markup of its colours in.
    let rule = rule.trim_end_matches("[/]");
    let is_part = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_".contains(&byte));
    let is_known = !detail.is_empty() || name.contains('-') || PLAIN_RULES.contains(&name);
    let is_rule = is_known
        && !file.contains("://")
        && is_part(name)
        && !detail.contains(' ')
        && !["error", "warning", "note"].contains(&name);
    let (message, severity) = match message.trim_end().strip_suffix("(warning)") {
        Some(message) => (message, Severity::Warn),
        None => (message, Severity::Error),
    };
    is_rule.then(|| Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        column: column.and_then(line_number),
        ..Diagnostic::new("ansible-lint", Kind::Lint, severity, rule.to_owned(), one_line(message))
    })
}

/// `[E301] message`, `package-latest Message`.
fn old_rule(text: &str) -> Option<(&str, &str)> {
    if let Some((rule, message)) = text.strip_prefix("[E").and_then(|_| text[1..].split_once("] ")) {
        let digits = rule[1..].trim_start_matches("ANSIBLE");
        return (digits.len() < 5 && number(digits).is_some()).then_some((rule, message));
    }
    let (rule, message) = text.split_once(' ')?;
    let is_rule = rule.contains('-')
        && !rule.starts_with('-')
        && !rule.ends_with('-')
        && rule.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    (is_rule && message.starts_with(|c: char| c.is_ascii_uppercase())).then_some((rule, message))
}
