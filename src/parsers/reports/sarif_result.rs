//! One result of a SARIF run: where it is, how bad it is, what it says.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::exported;
use super::sarif_rules::{Reference, Rule, Tool};
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::security::advisory;
use crate::parsers::text::{bounded, line_number, nameless, one_line};

/// `originalUriBaseIds`.
pub(in crate::parsers) type Bases = HashMap<String, Option<ArtifactLocation>>;

/// Bytes of a message that arguments are put into.
const MESSAGE_LIMIT: usize = 64 << 10;
/// Bytes of a mark such as `{12}`.
const MARK_LIMIT: usize = 6;
/// Bases that lead to bases.
const BASES_DEPTH: usize = 8;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::parsers) struct Result_ {
    rule_id: Option<String>,
    rule_index: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    rule: Option<Reference>,
    kind: Option<String>,
    level: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    message: Option<Message>,
    #[serde(default, deserialize_with = "lenient")]
    locations: Option<Vec<Location>>,
    #[serde(default, deserialize_with = "lenient")]
    suppressions: Option<Vec<Suppression>>,
    #[serde(default, deserialize_with = "lenient")]
    suppression_states: Option<Vec<String>>,
    baseline_state: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    fixes: Option<Vec<Fix>>,
    #[serde(default, deserialize_with = "lenient")]
    properties: Option<serde_json::Value>,
}

#[derive(Clone, Default, Deserialize)]
struct Message {
    text: Option<String>,
    markdown: Option<String>,
    #[serde(alias = "messageId")]
    id: Option<String>,
    arguments: Option<Vec<serde_json::Value>>,
}

#[derive(Deserialize)]
struct Location {
    #[serde(rename = "physicalLocation")]
    physical: Option<Physical>,
}

#[derive(Deserialize)]
struct Physical {
    #[serde(rename = "artifactLocation", alias = "fileLocation")]
    artifact: Option<ArtifactLocation>,
    #[serde(default, deserialize_with = "lenient")]
    region: Option<Region>,
}

#[derive(Clone, Deserialize)]
pub(in crate::parsers) struct ArtifactLocation {
    uri: Option<String>,
    #[serde(rename = "uriBaseId")]
    base: Option<String>,
    index: Option<i64>,
}

#[derive(Deserialize)]
struct Artifact {
    location: Option<ArtifactLocation>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Region {
    start_line: Option<f64>,
    start_column: Option<f64>,
    end_line: Option<f64>,
    end_column: Option<f64>,
}

#[derive(Deserialize)]
struct Suppression {
    #[serde(alias = "state")]
    status: Option<String>,
}

#[derive(Deserialize)]
struct Fix {
    #[serde(rename = "artifactChanges", alias = "fileChanges")]
    changes: Option<Vec<Change>>,
    description: Option<Message>,
}

#[derive(Deserialize)]
struct Change {
    replacements: Option<Vec<Replacement>>,
}

#[derive(Deserialize)]
struct Replacement {
    #[serde(rename = "insertedContent")]
    inserted: Option<Message>,
}

/// What the tool says of itself.
#[derive(Deserialize)]
pub(in crate::parsers) struct Notification {
    level: Option<String>,
    message: Option<Message>,
    descriptor: Option<Reference>,
    locations: Option<Vec<Location>>,
}

/// A part of a result that cannot be read is left out, not the result.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

/// A result whose rule is not looked up yet.
pub(in crate::parsers) struct Held {
    reference: Reference,
    level: Option<String>,
    is_fail: bool,
    message: Message,
    found: Diagnostic,
}

impl Result_ {
    /// What of it is kept; nothing if it is no finding.
    pub fn held(self, raw: &RawValue, artifacts: &[&RawValue], bases: &Bases) -> Option<Held> {
        let kind = self.kind.as_deref().unwrap_or("fail");
        let accepted = |one: &Suppression| !matches!(one.status.as_deref(), Some("underReview" | "rejected"));
        let is_suppressed = self.suppressions.iter().flatten().any(accepted)
            || self.suppression_states.as_ref().is_some_and(|states| !states.is_empty());
        if matches!(kind, "pass" | "notApplicable")
            || matches!(self.level.as_deref(), Some("pass" | "notApplicable"))
            || is_suppressed
            || self.baseline_state.as_deref() == Some("absent")
        {
            return None;
        }
        let mut reference = self.rule.unwrap_or_default();
        reference.id = self.rule_id.or(reference.id).filter(|id| !id.is_empty());
        reference.index = self.rule_index.or(reference.index);
        let place = self.locations.into_iter().flatten().find_map(|location| location.physical);
        let mut found = Diagnostic::new("sarif", Kind::Lint, Severity::Warn, String::new(), String::new());
        if let Some(place) = place {
            place.fill(&mut found, artifacts, bases);
        }
        found.suggested_fix = self.fixes.into_iter().flatten().next().and_then(Fix::text);
        found.raw = Some(raw.to_owned());
        if let Some(aliases) = self.properties.as_ref().and_then(|properties| properties.get("aliases")) {
            let aliases = aliases.as_array().into_iter().flatten().filter_map(|alias| alias.as_str());
            found.aliases = aliases.filter(|alias| advisory::is_id(alias)).map(str::to_owned).collect();
        }
        Some(Held {
            reference,
            level: self.level,
            is_fail: kind == "fail",
            message: self.message.unwrap_or_default(),
            found,
        })
    }
}

impl Held {
    /// The finding that it is in this tool's words.
    pub fn tell(self, tool: &Tool) -> Option<Diagnostic> {
        let Self { reference, level, is_fail, message, mut found } = self;
        let unknown = Rule::default();
        let rule = tool.rule(&reference).unwrap_or(&unknown);
        let text = message.read(rule);
        let level = level.as_deref().or(rule.level.as_deref().filter(|_| is_fail));
        let severity = match level {
            Some("error") => Severity::Error,
            Some("note" | "none") => Severity::Info,
            Some(_) => Severity::Warn,
            None if is_fail => Severity::Warn,
            None => Severity::Info,
        };
        found.tool = tool.name_for(&reference).to_owned().into();
        if tool.is_export() {
            return Some(exported(found, &text, reference.id.unwrap_or_default(), severity));
        }
        let id = reference.id.or_else(|| Some(rule.id.clone()).filter(|id| !id.is_empty()));
        found.severity = severity;
        // trivy says of a misconfiguration what it is among other lines.
        let said =
            text.lines().find_map(|line| line.strip_prefix("Message: ")).filter(|_| text.contains("\nSeverity: "));
        found.message = one_line(said.unwrap_or(if text.is_empty() { &rule.title } else { &text }));
        match id.as_deref().and_then(advisory::leading_id) {
            Some(advisory) => {
                found.kind = Kind::Cve;
                found.code = advisory.to_owned();
                found.severity = match rule.security_severity {
                    Some(score) if score >= 7.0 => Severity::Error,
                    Some(score) if score >= 4.0 => Severity::Warn,
                    Some(score) if score > 0.0 => Severity::Info,
                    _ => found.severity,
                };
                found.aliases.extend(rule.aliases.iter().filter(|id| advisory::is_id(id)).cloned());
                found.aliases.retain(|alias| *alias != found.code);
                advisory::fill(&mut found, &text, &rule.title, &rule.fixed);
            }
            None => found.code = id.unwrap_or_else(|| unnamed(tool.name(), &found.message)),
        }
        if found.message.is_empty() {
            found.message.clone_from(&found.code);
        }
        Some(found)
    }
}

/// A finding of an export: it is as it was.
fn exported(found: Diagnostic, text: &str, code: String, severity: Severity) -> Diagnostic {
    let (message, fix) = exported::without_fix(text);
    Diagnostic {
        kind: exported::kind(&found.tool, &code),
        severity,
        message: one_line(message),
        suggested_fix: fix.map(str::to_owned),
        file: found.file.filter(|file| file != "."),
        code,
        ..found
    }
}

/// A name where the tool gives none.
fn unnamed(tool: &str, message: &str) -> String {
    if tool == "ruff" { "invalid-syntax".to_owned() } else { nameless(message) }
}

impl Physical {
    fn fill(self, found: &mut Diagnostic, artifacts: &[&RawValue], bases: &Bases) {
        found.file = self.artifact.and_then(|artifact| artifact.path(artifacts, bases));
        let region = self.region.unwrap_or_default();
        found.line = region.start_line.and_then(whole);
        found.column = region.start_column.and_then(whole).filter(|_| found.line.is_some());
        let end = region.end_line.and_then(whole).filter(|end| found.line.is_some_and(|line| *end >= line));
        // An end before the first column of a line is at the line before.
        let at_start = region.end_column.and_then(whole) == Some(1) && end > found.line;
        found.end_line = end.map(|end| end - u32::from(at_start));
    }
}

/// A number from 1 on, as JSON may write it.
fn whole(number: f64) -> Option<u32> {
    (number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&number))
        .then_some(number as u32)
        .and_then(line_number)
}

impl ArtifactLocation {
    /// The path as the tool knew it: a relative one stays relative to the checkout, whose place on another machine
    /// says nothing here.
    fn path(mut self, artifacts: &[&RawValue], bases: &Bases) -> Option<String> {
        if self.uri.is_none()
            && let Some(raw) = self.index.and_then(|index| artifacts.get(usize::try_from(index).ok()?))
            && let Ok(artifact) = serde_json::from_str::<Artifact>(raw.get())
        {
            self = artifact.location?;
        }
        let mut uri = self.uri.filter(|uri| !uri.is_empty())?;
        let mut base = self.base;
        for _ in 0..BASES_DEPTH {
            if is_absolute(&uri) {
                break;
            }
            let Some(Some(next)) = base.take().and_then(|base| bases.get(&base)) else { break };
            match next.uri.as_deref() {
                Some("file:///") => uri = format!("file:///{uri}"),
                Some(folder) if !is_absolute(folder) && !folder.is_empty() => {
                    uri = format!("{}/{uri}", folder.trim_end_matches('/'));
                }
                _ => {}
            }
            base = next.base.clone();
        }
        let path = percent_decode_str(&uri).decode_utf8_lossy().into_owned();
        let path = path.strip_prefix("file://").map_or(path.as_str(), |rest| {
            // `file://host/path`, `file:///path`, `file:///C:/path`
            let rest = rest.strip_prefix("localhost").unwrap_or(rest);
            match rest.strip_prefix('/') {
                Some(drive) if drive.as_bytes().get(1) == Some(&b':') => drive,
                _ => rest,
            }
        });
        let path = path.strip_prefix("file:").unwrap_or(path);
        (!path.contains("://") && !path.is_empty()).then(|| path.to_owned())
    }
}

fn is_absolute(uri: &str) -> bool {
    uri.starts_with('/')
        || uri.split_once(':').is_some_and(|(scheme, _)| scheme.len() > 1 && !scheme.contains(['/', '.']))
}

impl Message {
    /// Its own text, or the rule's with the arguments in it.
    fn read(self, rule: &Rule) -> String {
        let text = self.text.or(self.markdown).filter(|text| !text.trim().is_empty());
        let text = text.or_else(|| rule.messages.get(self.id.as_deref()?).cloned()).unwrap_or_default();
        with_arguments(&without_links(&text), &self.arguments.unwrap_or_default())
    }
}

/// The text with each `{0}` replaced by its argument: in one go, since arguments may hold such marks themselves.
fn with_arguments(text: &str, arguments: &[serde_json::Value]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(MARK_LIMIT).position(|byte| byte == b'}');
        let mark = end.map(|end| &rest[..=end]);
        let argument = mark.and_then(|mark| arguments.get(mark[1..mark.len() - 1].parse::<usize>().ok()?));
        match (mark, argument) {
            (Some(mark), Some(argument)) if filled.len() < MESSAGE_LIMIT => {
                let argument = argument.as_str().map_or_else(|| argument.to_string(), str::to_owned);
                filled.push_str(bounded(&argument, MESSAGE_LIMIT));
                rest = &rest[mark.len()..];
            }
            _ => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled + rest
}

/// `[text](3)` refers to another location of the result; the text says it all.
fn without_links(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.find("](") {
        let target = &rest[end + 2..];
        let digits = target.bytes().take_while(u8::is_ascii_digit).count();
        let start = rest[..end].rfind('[').filter(|_| digits > 0 && target[digits..].starts_with(')'));
        match start {
            Some(start) => {
                plain.push_str(&rest[..start]);
                plain.push_str(&rest[start + 1..end]);
                rest = &target[digits + 1..];
            }
            None => {
                plain.push_str(&rest[..end + 2]);
                rest = target;
            }
        }
    }
    plain + rest
}

impl Fix {
    fn text(self) -> Option<String> {
        let changes = self.changes.into_iter().flatten();
        let mut replacements = changes.flat_map(|change| change.replacements.into_iter().flatten());
        let text = replacements.find_map(|replacement| replacement.inserted?.text);
        let text = text.filter(|text| !text.trim().is_empty());
        text.or_else(|| Some(one_line(&self.description?.text?)).filter(|text| !text.is_empty()))
    }
}

impl Notification {
    /// A finding, if it is an error.
    pub fn tell(self, tool: &str, bases: &Bases) -> Option<Diagnostic> {
        if self.level.as_deref() != Some("error") {
            return None;
        }
        let message = one_line(&self.message.unwrap_or_default().read(&Rule::default()));
        let id = self.descriptor.and_then(|descriptor| descriptor.id).filter(|id| !id.is_empty());
        let is_syntax = message.starts_with("Parsing error") || message.to_lowercase().contains("syntax error");
        let code = match id {
            _ if is_syntax => "syntax".to_owned(),
            Some(id) => id,
            None => "tool_execution".to_owned(),
        };
        let mut found = Diagnostic::new(tool.to_owned(), Kind::Lint, Severity::Error, code, message);
        if let Some(place) = self.locations.into_iter().flatten().find_map(|location| location.physical) {
            place.fill(&mut found, &[], bases);
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_put_in_once_and_cannot_blow_up() {
        let values = |texts: &[&str]| texts.iter().map(|text| (*text).into()).collect::<Vec<serde_json::Value>>();
        let arguments = values(&["a", "{0}{0}"]);
        for (text, filled) in [("{0} and {1}", "a and {0}{0}"), ("{2} {x} {", "{2} {x} {"), ("{{0}}", "{a}")] {
            assert_eq!(with_arguments(text, &arguments), filled);
        }
        let long = "x".repeat(1 << 20);
        assert!(with_arguments(&"{0}".repeat(100_000), &values(&[&long])).len() < 1 << 20);
    }
}
