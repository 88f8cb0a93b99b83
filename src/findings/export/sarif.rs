//! SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), with what GitHub code scanning
//! looks at (<https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>).
//!
//! All findings are one run of crafting, and the tools that found them are its extensions: so an alert is closed when
//! its tool finds nothing any more, which a run per tool could not say.

use std::collections::HashMap;
use std::io::{Result, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::{end_line, message_and_fix, place};
use crate::model::{
    Finding, Fingerprint, IgnoreSource, Ignored, JobId, Kind, ProjectName, RecipeName, Severity, SubPath,
};

/// The folder that every path is relative to.
const BASE: &str = "%SRCROOT%";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    original_uri_base_ids: HashMap<&'static str, Base>,
    column_kind: &'static str,
    results: Vec<Outcome<'a>>,
}

#[derive(Serialize)]
struct Base {
    description: Text<&'static str>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Component<'a>,
    extensions: Vec<Component<'a>>,
}

#[derive(Serialize)]
struct Component<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    id: &'a str,
    short_description: Text<&'a str>,
    full_description: Text<&'a str>,
    help: Text<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Tags>,
}

#[derive(Serialize)]
struct Tags {
    tags: [&'static str; 1],
}

#[derive(Serialize)]
struct Text<T> {
    text: T,
}

/// A `result` object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    rule_id: &'a str,
    rule: RuleReference<'a>,
    level: &'static str,
    message: Text<String>,
    locations: [Location; 1],
    partial_fingerprints: PartialFingerprints<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
    suppressions: Vec<Suppression<'a>>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleReference<'a> {
    id: &'a str,
    index: usize,
    tool_component: ComponentReference,
}

#[derive(Serialize)]
struct ComponentReference {
    index: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartialFingerprints<'a> {
    /// What GitHub keeps an alert by: it holds while the line moves.
    primary_location_line_hash: String,
    #[serde(rename = "craftingFingerprint/v1")]
    crafting: &'a Fingerprint,
}

#[derive(Serialize)]
struct Suppression<'a> {
    kind: &'static str,
    status: &'static str,
    justification: &'a str,
}

#[derive(Serialize)]
struct Properties<'a> {
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a ProjectName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subproject: Option<&'a SubPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe: Option<&'a RecipeName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<&'a JobId>,
}

pub(super) fn write(findings: &[Finding], out: &mut dyn Write) -> Result<()> {
    let mut rules = Rules::default();
    let results = findings.iter().map(|finding| outcome(finding, rules.reference(finding))).collect();
    let driver = Component { name: "crafting", version: Some(env!("CARGO_PKG_VERSION")), rules: Vec::new() };
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool { driver, extensions: rules.tools },
            original_uri_base_ids: HashMap::from([(BASE, Base { description: Text { text: "The project's root." } })]),
            column_kind: "unicodeCodePoints",
            results,
        }],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

/// The rules of every tool, in the order in which they come up.
#[derive(Default)]
struct Rules<'a> {
    tools: Vec<Component<'a>>,
    tool_index: HashMap<&'a str, usize>,
    rule_index: HashMap<(usize, &'a str), usize>,
}

impl<'a> Rules<'a> {
    fn reference(&mut self, finding: &'a Finding) -> RuleReference<'a> {
        let tool = *self.tool_index.entry(&finding.tool).or_insert_with(|| {
            self.tools.push(Component { name: &finding.tool, version: None, rules: Vec::new() });
            self.tools.len() - 1
        });
        let rules = &mut self.tools[tool].rules;
        let index = *self.rule_index.entry((tool, &finding.code)).or_insert_with(|| {
            rules.push(rule(finding));
            rules.len() - 1
        });
        RuleReference { id: &finding.code, index, tool_component: ComponentReference { index: tool } }
    }
}

fn rule(finding: &Finding) -> Rule<'_> {
    let tag = match finding.kind {
        Kind::Cve => Some("security"),
        Kind::TestFail => Some("test"),
        Kind::Lint | Kind::RecipeFail => None,
    };
    Rule {
        id: &finding.code,
        short_description: Text { text: &finding.code },
        // A log says no more of a rule than what it complains of.
        full_description: Text { text: &finding.message },
        help: Text { text: format!("{} of {}", finding.code, finding.tool) },
        properties: tag.map(|tag| Tags { tags: [tag] }),
    }
}

fn outcome<'a>(finding: &'a Finding, rule: RuleReference<'a>) -> Outcome<'a> {
    let line_hash = match finding.context_hash {
        Some(hash) => format!("{hash:016x}:1"),
        None => format!("{}:1", finding.fingerprint),
    };
    Outcome {
        rule_id: &finding.code,
        rule,
        level: match finding.severity {
            Severity::Error => "error",
            Severity::Warn => "warning",
            Severity::Info => "note",
        },
        message: Text { text: message_and_fix(finding) },
        locations: [Location {
            physical_location: PhysicalLocation {
                // GitHub refuses results without a place.
                artifact_location: ArtifactLocation { uri: uri(place(finding)), uri_base_id: BASE },
                region: finding.line.map(|start_line| Region {
                    start_line,
                    start_column: finding.column,
                    end_line: end_line(finding),
                }),
            },
        }],
        partial_fingerprints: PartialFingerprints {
            primary_location_line_hash: line_hash,
            crafting: &finding.fingerprint,
        },
        // A log from elsewhere has no baseline.
        baseline_state: finding.job_id.as_ref().map(|_| if finding.is_new { "new" } else { "unchanged" }),
        suppressions: finding.ignored.iter().map(suppression).collect(),
        properties: Properties {
            kind: finding.kind,
            project: finding.project.as_ref(),
            subproject: finding.subproject.as_ref(),
            recipe: finding.recipe.as_ref(),
            job_id: finding.job_id.as_ref(),
        },
    }
}

fn suppression(ignored: &Ignored) -> Suppression<'_> {
    let kind = match ignored.source {
        IgnoreSource::Ledger => "external",
        IgnoreSource::ProjectFile => "inSource",
    };
    Suppression { kind, status: "accepted", justification: &ignored.reason }
}

/// All that a path in a reference (RFC 3986) may not hold as it is: everything but unreserved characters and slashes.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A path as a relative reference.
fn uri(path: &str) -> String {
    utf8_percent_encode(path, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("src/a b/ü#1.rs"), "src/a%20b/%C3%BC%231.rs");
        assert_eq!(uri("c:d"), "c%3Ad");
    }
}
