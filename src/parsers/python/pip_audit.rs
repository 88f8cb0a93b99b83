//! pip-audit: `-f json` of 1.x (an array) and 2.x (an object), the columns that it prints by default, and `-f markdown`
//! (<https://github.com/pypa/pip-audit#usage>). What it skipped or could not reach is told too: it says `No known
//! vulnerabilities found` all the same.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{bounded, one_line, raw};
use crate::parsers::{Parser, Verdict};

const TOOL: &str = "pip-audit";
/// The code of what was not audited.
const NOT_CHECKED: &str = "not_checked";
/// Bytes of a description that the message keeps.
const DESCRIPTION_LIMIT: usize = 300;

/// Reads both streams, each with a table of its own.
#[derive(Default)]
pub(in crate::parsers) struct PipAudit {
    parts: [Part; 2],
    /// Why nothing was audited, and whether that is pip-audit's last word.
    error: Option<(Diagnostic, bool)>,
}

#[derive(Default)]
enum Part {
    #[default]
    None,
    /// Below the titles of a table.
    Titles(Vec<String>),
    /// Where columns start, in characters; nowhere in markdown.
    Rows(Vec<String>, Vec<usize>),
    /// In a traceback of pip-audit.
    Traceback,
}

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    dependencies: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Dependency<'a> {
    name: String,
    version: Option<String>,
    #[serde(borrow, default)]
    vulns: Vec<&'a RawValue>,
    skip_reason: Option<String>,
}

/// An element that has nothing else, hence is one of pip-audit's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skipped {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "skip_reason")]
    _reason: String,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: String,
    #[serde(default)]
    fix_versions: Vec<String>,
    #[serde(default)]
    aliases: Vec<String>,
    description: Option<String>,
}

impl Parser for PipAudit {
    fn triggers(&self) -> &'static [&'static str] {
        &["Fix Versions", "Skip Reason", "ERROR:pip_audit.", "/pip_audit/_"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = line.side();
        let text = line.text.trim_end();
        let part = match std::mem::take(&mut self.parts[side]) {
            Part::Titles(titles) => match columns(text, titles.len()) {
                Some(starts) => Part::Rows(titles, starts),
                None => self.begin(text),
            },
            Part::Rows(titles, starts) => match self.begin(text) {
                // The tables of 1.x have no line between them.
                Part::None => match row(&titles, &starts, text) {
                    Some(found) => {
                        out.push(found);
                        Part::Rows(titles, starts)
                    }
                    None => Part::None,
                },
                next => next,
            },
            Part::Traceback if text.is_empty() || text.starts_with(' ') => Part::Traceback,
            Part::Traceback => {
                // Where one exception led to another, the last one says what happened.
                if text.split_once(": ").is_some_and(|(name, _)| !name.contains(' ')) {
                    self.error = Some((not_checked(None, text, text), false));
                }
                self.begin(text)
            }
            Part::None => self.begin(text),
        };
        let verdict = if matches!(part, Part::None) { Verdict::Idle } else { Verdict::Open };
        self.parts[side] = part;
        verdict
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"fix_versions\"", "\"skip_reason\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        if let Ok(report) = serde_json::from_str::<Report<'_>>(text) {
            report.dependencies.into_iter().for_each(|one| dependency(one.get(), out));
        } else if !text.contains("\"skip_reason\"") || serde_json::from_str::<Skipped>(text).is_ok() {
            dependency(text, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.error.take().map(|(found, _)| found));
    }
}

impl PipAudit {
    /// What a line outside of tables begins.
    fn begin(&mut self, text: &str) -> Part {
        if let Some(rest) = text.strip_prefix("ERROR:pip_audit.") {
            let (module, message) = rest.split_once(':').unwrap_or(("", rest));
            let is_last = module == "_cli";
            if is_last || self.error.as_ref().is_none_or(|(_, is_last)| !is_last) {
                self.error = Some((not_checked(None, message, text), is_last));
            }
            return Part::None;
        }
        if text.starts_with("  File \"") && text.contains("/pip_audit/_") {
            return Part::Traceback;
        }
        let titles = titles(text);
        match titles.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["Name", "Version", "ID", "Fix Versions", ..] | ["Name", "Skip Reason"] => Part::Titles(titles),
            _ => Part::None,
        }
    }
}

/// The titles of a table, which are parted by `|` in markdown; the two-word ones hold one space.
fn titles(text: &str) -> Vec<String> {
    if text.contains(" | ") {
        return cells(text).map(str::to_owned).collect();
    }
    const KNOWN: [&str; 8] =
        ["Name", "Version", "ID", "Fix Versions", "Applied Fix", "Aliases", "Description", "Skip Reason"];
    let mut rest = text.trim();
    let mut found = Vec::new();
    while let Some(title) = KNOWN.iter().find(|title| rest.starts_with(**title)) {
        found.push((*title).to_owned());
        rest = rest[title.len()..].trim_start();
    }
    if rest.is_empty() { found } else { Vec::new() }
}

fn cells(text: &str) -> impl Iterator<Item = &str> {
    text.trim().trim_start_matches("| ").trim_end_matches(" |").split(" | ").map(str::trim)
}

/// Where the columns start by the rule below the titles: nowhere by markdown's.
fn columns(rule: &str, count: usize) -> Option<Vec<usize>> {
    if rule.contains('|') {
        let is_rule =
            cells(rule).all(|cell| cell.len() >= 3 && cell.trim_matches(':').bytes().all(|byte| byte == b'-'));
        return (is_rule && cells(rule).count() == count).then(Vec::new);
    }
    let mut starts = Vec::new();
    let mut at = 0;
    for dashes in rule.split(' ') {
        if dashes.is_empty() || !dashes.bytes().all(|byte| byte == b'-') {
            return None;
        }
        starts.push(at);
        at += dashes.len() + 1;
    }
    (starts.len() == count).then_some(starts)
}

fn row(titles: &[String], starts: &[usize], text: &str) -> Option<Diagnostic> {
    let cells: Vec<String> = match starts {
        [] if text.contains(" | ") => cells(text).map(unlinked).collect(),
        [] => return None,
        starts => placed(starts, text)?,
    };
    let cell = |title: &str| {
        let index = titles.iter().position(|name| name == title)?;
        cells.get(index).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
    };
    let is_word = |text: &&str| !text.contains(char::is_whitespace);
    let name = cell("Name").filter(is_word)?;
    if let Some(reason) = cell("Skip Reason") {
        return Some(not_checked(Some(name), reason, text));
    }
    let list = |title: &str| {
        let words = cell(title).unwrap_or_default().split(',').map(str::trim);
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let vulnerability = Vulnerability {
        id: cell("ID").filter(is_word)?.to_owned(),
        fix_versions: list("Fix Versions"),
        aliases: list("Aliases"),
        description: cell("Description").map(str::to_owned),
    };
    let mut found = vulnerable(name, cell("Version").filter(is_word)?, vulnerability);
    found.raw = raw(text);
    Some(found)
}

/// The cells of a line by where columns start; none if a word lies over a start.
fn placed(starts: &[usize], text: &str) -> Option<Vec<String>> {
    let chars: Vec<char> = text.chars().collect();
    let mut cells = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        if *start > 0 && chars.get(start - 1).is_some_and(|before| *before != ' ') {
            return None;
        }
        let end = starts.get(index + 1).map_or(chars.len(), |next| (*next).min(chars.len()));
        cells.push(chars.get(*start..end).unwrap_or_default().iter().collect());
    }
    Some(cells)
}

/// `[text](address)` as the text alone, also where several stand in one cell.
fn unlinked(cell: &str) -> String {
    let mut text = String::new();
    let mut rest = cell;
    while let Some((before, link)) = rest.split_once('[') {
        let Some((name, after)) = link.split_once("](") else { break };
        let Some((_, after)) = after.split_once(')') else { break };
        text.push_str(before);
        text.push_str(name);
        rest = after;
    }
    text + rest
}

fn dependency(text: &str, out: &mut Vec<Diagnostic>) {
    let Ok(Dependency { name, version, vulns, skip_reason }) = serde_json::from_str::<Dependency<'_>>(text) else {
        return;
    };
    // What `--fix` left alone has a version.
    if let (Some(reason), None) = (skip_reason, &version) {
        let raw = RawValue::from_string(text.to_owned()).ok();
        out.push(Diagnostic { raw, ..not_checked(Some(&name), &reason, "") });
        return;
    }
    let Some(version) = version else { return };
    for one in vulns {
        let Ok(vulnerability) = serde_json::from_str::<Vulnerability>(one.get()) else { continue };
        let raw = RawValue::from_string(one.get().to_owned()).ok();
        out.push(Diagnostic { raw, ..vulnerable(&name, &version, vulnerability) });
    }
}

fn vulnerable(name: &str, version: &str, vulnerability: Vulnerability) -> Diagnostic {
    let Vulnerability { id, fix_versions, aliases, description } = vulnerability;
    let about = match description.as_deref().map(one_line) {
        Some(text) if text.len() > DESCRIPTION_LIMIT => format!("{}…", bounded(&text, DESCRIPTION_LIMIT).trim_end()),
        Some(text) if !text.is_empty() => text,
        _ => format!("known vulnerability {id}"),
    };
    Diagnostic {
        suggested_fix: match &fix_versions[..] {
            [] => None,
            [one] => Some(format!("{name} >= {one}")),
            several => Some(format!("{name} {}", several.join(" or "))),
        },
        aliases,
        ..Diagnostic::new(TOOL, Kind::Cve, Severity::Error, id, format!("{name} {version}: {about}"))
    }
}

fn not_checked(package: Option<&str>, reason: &str, text: &str) -> Diagnostic {
    let (code, message) = match package {
        Some(package) => (format!("{NOT_CHECKED}:{package}"), format!("{package} was not audited: {reason}")),
        None => (NOT_CHECKED.to_owned(), format!("not audited: {reason}")),
    };
    Diagnostic { raw: raw(text), ..Diagnostic::new(TOOL, Kind::Cve, Severity::Warn, code, one_line(&message)) }
}
