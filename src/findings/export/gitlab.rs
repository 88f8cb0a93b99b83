//! GitLab's code quality report (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>). A
//! fingerprint may stand there once only, so a finding that several recipes have is told once.

use std::collections::HashSet;
use std::io::{Result, Write};

use serde::Serialize;

use super::place;
use crate::model::{Finding, Kind, Severity};

#[derive(Serialize)]
struct Issue<'a> {
    description: &'a str,
    check_name: &'a str,
    fingerprint: &'a str,
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
    let mut separator = "[\n";
    for finding in findings.iter().filter(|finding| told.insert(&finding.fingerprint)) {
        out.write_all(separator.as_bytes())?;
        separator = ",\n";
        serde_json::to_writer(&mut *out, &issue(finding))?;
    }
    out.write_all(if told.is_empty() { b"[]\n" } else { b"\n]\n" })
}

fn issue(finding: &Finding) -> Issue<'_> {
    Issue {
        description: &finding.message,
        check_name: &finding.code,
        fingerprint: finding.fingerprint.as_str(),
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
