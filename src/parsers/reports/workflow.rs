//! GitHub's workflow commands, which many tools print for annotations: `::error file=a.py,line=1::message`
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).
//!
//! Some print them beside their own report. So they wait for the end of the log, where the feed leaves out those that
//! annotate a place which was told already.

use super::exported;
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, raw, slug};
use crate::parsers::{Parser, Verdict};

/// Annotations kept until the end.
const HELD_LIMIT: usize = 100_000;
/// Bytes of what may stand before a command: a time stamp, or a container's name.
const PREFIX_LIMIT: usize = 64;
/// What a command is called that does not say whose it is.
const NAMELESS: &str = "github";

/// Keeps annotations.
#[derive(Default)]
pub(in crate::parsers) struct Workflow {
    held: Vec<Diagnostic>,
}

impl Parser for Workflow {
    fn triggers(&self) -> &'static [&'static str] {
        &["::error ", "::error::", "::warning ", "::warning::", "::notice ", "::notice::"]
    }

    fn line(&mut self, line: &Line<'_>, _out: &mut Vec<Diagnostic>) -> Verdict {
        let Some(found) = command(line.text) else { return Verdict::Idle };
        if self.held.len() < HELD_LIMIT {
            self.held.push(found);
        }
        // The message may look like another tool's line, and is told here.
        Verdict::Mine
    }

    fn leftovers(&mut self, out: &mut Vec<Diagnostic>) {
        out.append(&mut self.held);
    }
}

fn command(text: &str) -> Option<Diagnostic> {
    let start = text.find("::")?;
    let before = text[..start].trim_end();
    if !before.is_empty() && !(before.len() < PREFIX_LIMIT && (before.ends_with('Z') || before.ends_with('|'))) {
        return None;
    }
    let rest = &text[start + 2..];
    let (severity, rest) =
        [("error", Severity::Error), ("warning", Severity::Warn), ("notice", Severity::Info)].into_iter().find_map(
            |(name, severity)| Some((severity, rest.strip_prefix(name).filter(|rest| rest.starts_with([' ', ':']))?)),
        )?;
    let (properties, message) = rest.split_once("::")?;
    let property = |name: &str| {
        let values = properties.trim().split(',').filter_map(|pair| pair.trim().split_once('='));
        values.filter(|(key, _)| *key == name).map(|(_, value)| value_of(value)).find(|value| !value.is_empty())
    };
    let message = message_of(message);
    let (file, title) = (property("file"), property("title"));
    let line = property("line").and_then(|line| number(line.trim())).and_then(line_number).filter(|_| file.is_some());
    let end = property("endLine").or_else(|| property("endline")).and_then(|line| number(line.trim()));
    let column = property("col").or_else(|| property("column")).or_else(|| property("startColumn"));
    let Named { kind, tool, code, message: said } = named(title.as_deref(), &message);
    // pylint counts columns from 0.
    let column = column.and_then(|column| number(column.trim())?.checked_add(u32::from(tool == "pylint")));
    Some(Diagnostic {
        column: column.and_then(line_number).filter(|_| line.is_some()),
        end_line: end.filter(|end| line.is_some_and(|line| *end >= line)),
        line,
        file,
        raw: raw(text),
        ..Diagnostic::new(tool, kind, severity, code, said)
    })
}

/// A property's value with its escapes resolved.
fn value_of(value: &str) -> String {
    message_of(&value.replace("%3A", ":").replace("%3a", ":").replace("%2C", ",").replace("%2c", ","))
}

fn message_of(text: &str) -> String {
    let text = text.replace("%0D", "\r").replace("%0d", "\r").replace("%0A", "\n").replace("%0a", "\n");
    text.replace("%25", "%")
}

/// Who says what, as well as it can be known.
struct Named {
    kind: Kind,
    tool: String,
    code: String,
    message: String,
}

fn named(title: Option<&str>, message: &str) -> Named {
    let first = message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    // `a.py:1:8: F401 message` and `1:8 [rule] message` repeat the place.
    let said = match first.split_once(": ") {
        Some((at, rest)) if place(at).is_some() => rest,
        _ => first,
    };
    let said = match said.split_once(' ') {
        Some((at, rest)) if at.split_once(':').is_some_and(|(a, b)| number(a).is_some() && number(b).is_some()) => rest,
        _ => said,
    };
    let made = |tool: &str, code: &str, message: &str| Named {
        kind: Kind::Lint,
        tool: tool.to_owned(),
        code: code.to_owned(),
        message: one_line(if message.is_empty() { message_or(title, said) } else { message }),
    };
    // `Ruff (F401)`, `unused-import (W0611)`
    if let Some((name, code)) = title.and_then(|title| title.strip_suffix(')')?.rsplit_once(" (")) {
        // `F401 (ruff)` is how findings are exported.
        let is_tool = !name.eq_ignore_ascii_case("ruff")
            && !code.chars().any(char::is_uppercase)
            && (name.starts_with(char::is_lowercase)
                || name.chars().any(|c| c.is_ascii_digit() || " /:>-".contains(c)));
        if is_tool && (!name.contains(' ') || exported::kind(code, name) == Kind::TestFail) {
            return Named { kind: exported::kind(code, name), ..made(code, name, said) };
        }
        let tool = if is_pylint(code) { "pylint".to_owned() } else { name.to_lowercase() };
        if is_rule(code) && !tool.contains(' ') {
            let rest = said.strip_prefix(code).map_or(said, |rest| rest.trim_start_matches(':').trim_start());
            return made(&tool, code, rest);
        }
    }
    if let Some((tool, code)) = title.and_then(|title| title.split_once(':'))
        && is_rule(code)
        && is_rule(tool)
    {
        return made(&tool.to_lowercase(), code, said);
    }
    // `lint/suspicious/noDoubleEquals`, `name[missing]`, `C0114`
    if let Some(code) = title.filter(|title| is_rule(title)) {
        let tool = if code.starts_with("lint/") {
            "biome"
        } else if is_pylint(code) {
            "pylint"
        } else {
            NAMELESS
        };
        return made(tool, code, said);
    }
    if let Some(rest) = said.strip_prefix('[')
        && let Some((code, rest)) = rest.split_once("] ")
        && is_rule(code)
    {
        return made("yamllint", code, rest);
    }
    // `Style/StringLiterals: message`, `L001: message`
    if let Some((code, rest)) = said.split_once(": ")
        && is_rule(code)
        && (code.contains('/') || code.bytes().any(|byte| byte.is_ascii_digit()))
    {
        let is_cop = code
            .split_once('/')
            .is_some_and(|(department, _)| department.starts_with(|c: char| c.is_ascii_uppercase()));
        return made(if is_cop { "rubocop" } else { NAMELESS }, code, rest);
    }
    // `message (errcheck)`
    if let Some((rest, code)) = said.strip_suffix(')').and_then(|said| said.rsplit_once(" ("))
        && is_rule(code)
    {
        return made(NAMELESS, code, rest);
    }
    let code = title.map(slug).filter(|name| !name.is_empty()).unwrap_or_else(|| slug(said));
    let code = if code.is_empty() { "annotation" } else { &code };
    made(NAMELESS, code, &message.lines().take(8).collect::<Vec<_>>().join(" "))
}

fn message_or<'a>(title: Option<&'a str>, said: &'a str) -> &'a str {
    if said.is_empty() { title.unwrap_or_default() } else { said }
}

/// `C0114`; ruff, which has such codes too, names itself.
fn is_pylint(code: &str) -> bool {
    code.len() == 5 && code.starts_with(['C', 'R', 'W', 'E', 'F', 'I']) && number(&code[1..]).is_some()
}

/// One word, as rules' names are.
fn is_rule(text: &str) -> bool {
    (2..=80).contains(&text.len())
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.' | '@' | '[' | ']'))
        && text.chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_whose_they_are() {
        for (text, expected) in [
            (
                "::error title=Ruff (F401),file=/p/a.py,line=1,col=8,endLine=1,endColumn=10::a.py:1:8: F401 `os` unused",
                Some("ruff /p/a.py 1 F401 `os` unused"),
            ),
            ("::warning file=a%2Cb.go,line=3::Error return (errcheck)", Some("github a,b.go 3 errcheck Error return")),
            (
                "::error file=a.yml,line=1,col=1::1:1 [document-start] missing",
                Some("yamllint a.yml 1 document-start missing"),
            ),
            ("::error file=a.rb,line=2::Style/X: Prefer 100%25%0Amore", Some("rubocop a.rb 2 Style/X Prefer 100%")),
            ("::error::it failed", Some("github - 0 it_failed it failed")),
            ("2026-01-01T00:00:00.1Z ::error file=a,title=t-x::m", Some("github a 0 t-x m")),
            ("::error file=a.py,line=1,title=unused-import (W0611)::Unused", Some("pylint a.py 1 W0611 Unused")),
            ("::error file=a.js,title=no-var (eslint)::Unexpected var", Some("eslint a.js 0 no-var Unexpected var")),
            ("::error title=GHSA-1-2-3 (npm audit)::x 1: y", Some("npm audit - 0 GHSA-1-2-3 x 1: y")),
            ("std::error::Error", None),
            ("use std::error::Error; ::error::x", None),
            ("::errors::x", None),
            ("::error file=x", None),
            ("::group::x", None),
        ] {
            let found = command(text).map(|found| {
                let file = found.file.as_deref().unwrap_or("-");
                format!("{} {file} {} {} {}", found.tool, found.line.unwrap_or(0), found.code, found.message)
            });
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
