//! GitLab's code quality report (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>). A
//! fingerprint may stand there once only, so a finding that several recipes have is told once.

use std::collections::HashSet;
use std::io::{Result, Write};

use serde::Serialize;

use super::super::fingerprint::fingerprint;
use super::{counting_once, place};
use crate::model::{Finding, Fingerprint, Kind, Severity};

#[derive(Serialize)]
struct Issue<'a> {
    description: &'a str,
    check_name: &'a str,
    fingerprint: Fingerprint,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<u32>,
}

pub(super) fn write(findings: &[Finding], out: &mut dyn Write) -> Result<()> {
    let mut told = HashSet::new();
    for finding in counting_once(findings) {
        let fingerprint = name(finding);
        if told.insert(fingerprint.clone()) {
            out.write_all(if told.len() == 1 { b"[\n" } else { b",\n" })?;
            serde_json::to_writer(&mut *out, &issue(finding, fingerprint))?;
        }
    }
    out.write_all(if told.is_empty() { b"[]\n" } else { b"\n]\n" })
}

/// The fingerprint with the path as it is told here; what has no path is told apart by its recipe.
fn name(finding: &Finding) -> Fingerprint {
    let place = match (&finding.file, &finding.recipe) {
        (Some(file), _) => file.clone(),
        (None, Some(recipe)) => format!("{} {recipe}", place(finding)),
        (None, None) => return finding.fingerprint.clone(),
    };
    fingerprint(finding.kind, Some(&place), finding.line, &finding.code)
}

fn issue(finding: &Finding, fingerprint: Fingerprint) -> Issue<'_> {
    Issue {
        description: &finding.message,
        check_name: &finding.code,
        fingerprint,
        severity: match (finding.severity, finding.kind) {
            (Severity::Error, Kind::Cve) => "critical",
            (Severity::Error, _) => "major",
            (Severity::Warn, _) => "minor",
            (Severity::Info, _) => "info",
        },
        location: Location {
            path: place(finding),
            // GitLab has no place without a line.
            lines: Lines { begin: finding.line.unwrap_or(1), end: super::end_line(finding) },
        },
    }
}
