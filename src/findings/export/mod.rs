//! Findings in the forms that other programs take: a file per format.

mod checkstyle;
mod github;
mod gitlab;
mod junit;
mod markdown;
mod rdjsonl;
mod sarif;
mod xml;

use std::collections::HashSet;
use std::io::{Result, Write};

use crate::model::{Finding, by_name};

/// A format that findings are handed on in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// SARIF 2.1.0, as GitHub code scanning takes it.
    Sarif,
    /// JUnit XML: a failed test case per finding.
    Junit,
    /// One diagnostic of reviewdog's a line.
    Rdjsonl,
    /// Workflow commands that GitHub shows as annotations.
    Github,
    /// A code quality report of GitLab's.
    Gitlab,
    /// Checkstyle XML.
    Checkstyle,
    /// A table for a comment or a job's summary.
    Markdown,
}

impl ExportFormat {
    /// Every format.
    pub const ALL: [Self; 7] =
        [Self::Sarif, Self::Junit, Self::Rdjsonl, Self::Github, Self::Gitlab, Self::Checkstyle, Self::Markdown];

    /// The name on the command line and in queries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::Rdjsonl => "rdjsonl",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Checkstyle => "checkstyle",
            Self::Markdown => "markdown",
        }
    }
}

by_name!(ExportFormat, "a format for findings");

/// Writes findings, in their order where the format has one. No findings make a valid document too. Ignored ones are
/// marked as such where the format has a word for it (SARIF, JUnit, Markdown), and left out elsewhere.
pub fn export(format: ExportFormat, findings: &[Finding], out: &mut dyn Write) -> Result<()> {
    match format {
        ExportFormat::Sarif => sarif::write(findings, out),
        ExportFormat::Junit => junit::write(findings, out),
        ExportFormat::Rdjsonl => rdjsonl::write(findings, out),
        ExportFormat::Github => github::write(findings, out),
        ExportFormat::Gitlab => gitlab::write(findings, out),
        ExportFormat::Checkstyle => checkstyle::write(findings, out),
        ExportFormat::Markdown => markdown::write(findings, out),
    }
}

/// The file; for a finding without one, the folder of its subproject. For formats that insist on a place.
fn place(finding: &Finding) -> &str {
    match (&finding.file, &finding.folder) {
        (Some(file), _) => file,
        (None, Some(folder)) => folder.as_str(),
        (None, None) => ".",
    }
}

/// What counts, each once, for formats that have no word for what is ignored: two recipes may tell of the same place,
/// as `go vet` and `go test` do.
fn counting_once(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    let mut told = HashSet::new();
    findings
        .iter()
        .filter(|finding| finding.ignored.is_none())
        // Without a file, the recipe is all that tells two failures apart.
        .filter(move |finding| {
            let recipe = finding.file.is_none().then_some((&finding.subproject, &finding.recipe));
            told.insert((&finding.project, &finding.fingerprint, recipe))
        })
}

/// `src/lib.rs:3`, as far as it is known.
fn place_and_line(finding: &Finding) -> String {
    match finding.line {
        Some(line) => format!("{}:{line}", place(finding)),
        None => place(finding).to_owned(),
    }
}

/// The last line, where it lies behind the first.
fn end_line(finding: &Finding) -> Option<u32> {
    finding.end_line.filter(|end| finding.line.is_some_and(|start| *end > start))
}

/// The message, and below it what would mend it.
fn message_and_fix(finding: &Finding) -> String {
    match &finding.suggested_fix {
        Some(fix) if !fix.trim().is_empty() => format!("{}\n\nSuggested fix:\n{fix}", finding.message),
        _ => finding.message.clone(),
    }
}
