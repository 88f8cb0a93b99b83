//! ruff's formats for other programs: `--output-format github`, `azure`, `gitlab` and `pylint`, the last of which is
//! flake8's `--format=pylint` too (<https://docs.astral.sh/ruff/settings/#output-format>).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ruff::{SYNTAX, found};
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{is_python, number, raw};
use crate::parsers::{Parser, Verdict};

/// Every finding has a line of its own.
#[derive(Default)]
pub(in crate::parsers) struct RuffCi;

/// An issue of GitLab's code quality report.
#[derive(Deserialize)]
struct Issue {
    /// Since 0.5; before, the description alone had the rule.
    check_name: Option<String>,
    description: String,
    fingerprint: String,
    location: Location,
}

#[derive(Deserialize)]
struct Location {
    path: String,
    /// Since 0.5 or so.
    positions: Option<Positions>,
    lines: Option<Lines>,
}

#[derive(Deserialize)]
struct Positions {
    begin: Position,
    end: Position,
}

#[derive(Deserialize)]
struct Position {
    line: u32,
    column: u32,
}

#[derive(Deserialize)]
struct Lines {
    begin: u32,
    end: u32,
}

impl Parser for RuffCi {
    fn triggers(&self) -> &'static [&'static str] {
        &["title=Ruff", "title=ruff", "##vso[task.logissue ", ".py:№", ".pyi:№"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text;
        let found = match text.as_bytes() {
            [b':', b':', ..] => github(text),
            [b'#', ..] => azure(text),
            _ => pylint(text),
        };
        out.extend(found.map(|found| Diagnostic { raw: raw(text), ..found }));
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"fingerprint\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(issue) = serde_json::from_str::<Issue>(text) else { return };
        if issue.fingerprint.is_empty() || !is_python(&issue.location.path) {
            return;
        }
        let split = |text: &str| {
            let (code, message) = text.split_once(": ").or_else(|| text.split_once(") ").map(|(a, b)| (&a[1..], b)))?;
            Some((code.to_owned(), message.to_owned()))
        };
        let described = split(&issue.description).filter(|(code, _)| named(code).is_some());
        let (code, message) = match (issue.check_name, described) {
            (Some(name), Some((code, message))) if name == code => (code, message),
            (Some(name), _) => (name, issue.description),
            (None, Some(described)) => described,
            (None, None) => return,
        };
        let Some(code) = named(&code) else { return };
        let ((line, column), end_line) = match (issue.location.positions, issue.location.lines) {
            (Some(at), _) => ((at.begin.line, at.begin.column), at.end.line),
            (None, Some(at)) => ((at.begin, 0), at.end),
            (None, None) => return,
        };
        out.push(Diagnostic {
            end_line: (end_line > 0).then_some(end_line),
            raw: RawValue::from_string(text.to_owned()).ok(),
            ..found(&issue.location.path, line, column, code, &message)
        });
    }
}

/// The rule by this name, none within for a syntax error; nothing if ruff has no such name.
fn named(code: &str) -> Option<Option<&str>> {
    if [SYNTAX, "syntax-error", "SyntaxError"].contains(&code) {
        return Some(None);
    }
    let letters = code.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = &code[letters..];
    let is_rule = (1..=8).contains(&letters)
        && (2..=5).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_rule.then_some(Some(code))
}

/// `::error title=Ruff (F401),file=a.py,line=1,col=8,endLine=1,endColumn=10::a.py:1:8: F401 message`.
fn github(text: &str) -> Option<Diagnostic> {
    let (properties, message) = text[2..].split_once("::")?;
    let (_, properties) = properties.split_once(' ')?;
    let rest = properties.strip_prefix("title=")?;
    let rest = rest.strip_prefix("Ruff").or(rest.strip_prefix("ruff"))?;
    let (code, properties) = rest.split_once(",file=")?;
    let code = code.trim().trim_start_matches('(').trim_end_matches(')');
    let code = if code.is_empty() { None } else { named(code)? };
    let property = |name: &str| {
        let (_, rest) = properties.split_once(name)?;
        number(&rest[..rest.bytes().take_while(u8::is_ascii_digit).count()])
    };
    let (file, _) = properties.split_once(",line=")?;
    // The place and the rule are said again.
    let message = message.split("%0A").next().unwrap_or(message);
    let said = message.split_once(": ").map_or(message, |(_, said)| said);
    let said = ["invalid-syntax:", "SyntaxError:", code.unwrap_or_default()]
        .iter()
        .find_map(|start| said.strip_prefix(start))
        .unwrap_or(said)
        .trim();
    Some(Diagnostic {
        end_line: property(",endLine=").filter(|line| *line > 0),
        ..found(file, property(",line=")?, property(",col=").unwrap_or(0), code, said)
    })
}

/// `##vso[task.logissue type=error;sourcepath=a.py;linenumber=1;columnnumber=8;code=F401;]message`.
fn azure(text: &str) -> Option<Diagnostic> {
    let (properties, message) = text.strip_prefix("##vso[task.logissue ")?.split_once(";]")?;
    let property = |name: &str| properties.split(';').find_map(|property| property.strip_prefix(name));
    let code = property("code=").filter(|code| !code.is_empty()).map_or(Some(None), named)?;
    let file = property("sourcepath=").filter(|file| is_python(file))?;
    let count = |name: &str| property(name).and_then(number).unwrap_or(0);
    Some(found(file, count("linenumber="), count("columnnumber="), code, message.trim_start_matches("SyntaxError: ")))
}

/// `a.py:1: [F401] message`.
fn pylint(text: &str) -> Option<Diagnostic> {
    let (at, rest) = text.split_once(": [")?;
    let (code, message) = rest.split_once("] ")?;
    let (file, line) = at.rsplit_once(':')?;
    if file.starts_with(char::is_whitespace) || !is_python(file) {
        return None;
    }
    let code = named(code)?;
    let line = number(line)?;
    let found = found(file, line, 0, code, message);
    let quotes_old = message.contains('`') || message.starts_with(|c: char| c.is_ascii_uppercase());
    let is_flake8 = text.starts_with("./") || (!quotes_old && code.is_some());
    Some(if is_flake8 { Diagnostic { tool: "flake8".into(), ..found } } else { found })
}
