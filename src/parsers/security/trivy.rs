//! trivy: its JSON, of schema 2 and of the releases before 0.20
//! (<https://trivy.dev/latest/docs/configuration/reporting/#json>), and what it could not check.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::scanner::{of_package, rated, upgrade};
use super::trivy_table::Table;
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{bounded, line_number, one_line, raw};
use crate::parsers::{Parser, Verdict};

/// Names that stand where a file would, for packages that were found one by one.
const NO_FILES: [&str; 8] = ["Node.js", "Python", "Java", "Ruby", "PHP", "Conda", "Kubernetes", "OS Packages"];
/// Bytes of a description that stand in for a missing title.
const DESCRIPTION: usize = 300;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct Trivy {
    tables: [Table; 2],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report<'a> {
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(borrow, default)]
    results: Option<Vec<&'a RawValue>>,
    /// Before schema 2 a result stood alone.
    #[serde(default)]
    target: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome<'a> {
    #[serde(default)]
    target: String,
    #[serde(default)]
    class: Option<String>,
    #[serde(default)]
    packages: Option<Vec<Package>>,
    #[serde(borrow, default)]
    vulnerabilities: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    misconfigurations: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    secrets: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    licenses: Option<Vec<&'a RawValue>>,
}

/// A package, with where the lock file names it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Package {
    #[serde(rename = "ID", default)]
    id: String,
    #[serde(default)]
    locations: Option<Vec<Cause>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vulnerability {
    #[serde(rename = "PkgID", default)]
    package: Option<String>,
    #[serde(rename = "VulnerabilityID")]
    id: String,
    pkg_name: String,
    #[serde(default)]
    pkg_path: Option<String>,
    #[serde(default)]
    installed_version: Option<String>,
    #[serde(default)]
    fixed_version: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(rename = "VendorIDs", default)]
    vendor_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Misconfiguration {
    #[serde(rename = "ID")]
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    cause_metadata: Option<Cause>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cause {
    #[serde(default)]
    start_line: u32,
    #[serde(default)]
    end_line: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Secret {
    #[serde(rename = "RuleID")]
    rule: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    start_line: u32,
    #[serde(default)]
    end_line: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct License {
    name: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    pkg_name: String,
    #[serde(default)]
    file_path: String,
}

impl Parser for Trivy {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "\tFATAL\t",
            "VULNERABILITY ID",
            "=====",
            "Installed Version",
            " (npm)",
            " (pip)",
            " (gomod)",
            " (cargo)",
            " (yarn)",
            " (pnpm)",
            " (pipenv)",
            " (poetry)",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        if let Some((_, reason)) = line.text.split_once("\tFATAL\t")
            && ["init error", "scan error", "vulnerability DB", "trivy"].iter().any(|word| reason.contains(word))
        {
            let reason = one_line(reason.trim_start_matches("Fatal error"));
            out.push(Diagnostic {
                raw: raw(line.text),
                ..Diagnostic::new(
                    "trivy",
                    Kind::Cve,
                    Severity::Warn,
                    "not_checked",
                    format!("trivy did not check: {reason}"),
                )
            });
            return Verdict::Idle;
        }
        self.tables[line.side()].line(line, out)
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"VulnerabilityID\"", "\"Misconfigurations\"", "\"Secrets\"", "\"Licenses\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(report) = serde_json::from_str::<Report<'_>>(text) else { return };
        let is_image = matches!(report.artifact_type.as_deref(), Some("container_image" | "vm" | "aws_account"));
        if report.target.is_some() {
            if let Ok(outcome) = serde_json::from_str::<Outcome<'_>>(text) {
                outcome.tell(is_image, out);
            }
            return;
        }
        for result in report.results.into_iter().flatten() {
            if let Ok(outcome) = serde_json::from_str::<Outcome<'_>>(result.get()) {
                outcome.tell(is_image, out);
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for table in &mut self.tables {
            table.end(out);
        }
    }
}

impl Outcome<'_> {
    fn tell(self, is_image: bool, out: &mut Vec<Diagnostic>) {
        // Of an image's files none is the project's, and a system's packages come from no file.
        let is_file = !is_image && !is_no_file(&self.target) && self.class.as_deref() != Some("os-pkgs");
        let target = Some(self.target.clone()).filter(|_| is_file);
        let first = |package: &Package| Some((package.id.clone(), package.locations.as_ref()?.first()?.start_line));
        let lines: HashMap<String, u32> = self.packages.iter().flatten().filter_map(first).collect();
        for record in self.vulnerabilities.into_iter().flatten() {
            let Ok(one) = serde_json::from_str::<Vulnerability>(record.get()) else { continue };
            let path = one.pkg_path.clone().filter(|path| !is_image && !path.is_empty());
            let file = target.clone().or(path);
            let line = one.package.as_ref().filter(|_| target.is_some()).and_then(|package| lines.get(package));
            let line = line.copied().and_then(line_number);
            out.push(Diagnostic { file, line, raw: Some(record.to_owned()), ..one.diagnostic() });
        }
        let target = Some(self.target).filter(|target| !is_image && !target.is_empty());
        for record in self.misconfigurations.into_iter().flatten() {
            let Ok(one) = serde_json::from_str::<Misconfiguration>(record.get()) else { continue };
            if one.status == "PASS" || one.status == "EXCEPTION" {
                continue;
            }
            let message = if one.message.is_empty() { &one.title } else { &one.message };
            let lines = one.cause_metadata.map_or((0, 0), |cause| (cause.start_line, cause.end_line));
            out.push(Diagnostic {
                file: target.clone(),
                line: line_number(lines.0),
                end_line: line_number(lines.1),
                raw: Some(record.to_owned()),
                ..Diagnostic::new("trivy", Kind::Lint, rated(&one.severity), one.id, one_line(message))
            });
        }
        for record in self.secrets.into_iter().flatten() {
            let Ok(one) = serde_json::from_str::<Secret>(record.get()) else { continue };
            out.push(Diagnostic {
                file: target.clone(),
                line: line_number(one.start_line),
                end_line: line_number(one.end_line),
                raw: Some(record.to_owned()),
                ..Diagnostic::new("trivy", Kind::Lint, Severity::Error, one.rule, one_line(&one.title))
            });
        }
        for record in self.licenses.into_iter().flatten() {
            let Ok(one) = serde_json::from_str::<License>(record.get()) else { continue };
            let file = Some(one.file_path).filter(|file| !is_image && !file.is_empty());
            let who = if one.pkg_name.is_empty() { "the file" } else { &one.pkg_name };
            let message = format!("{who} has the license {} ({})", one.name, one.category);
            out.push(Diagnostic {
                file: file.or_else(|| target.clone().filter(|target| !is_no_file(target))),
                raw: Some(record.to_owned()),
                ..Diagnostic::new("trivy", Kind::Lint, rated(&one.severity), one.name, one_line(&message))
            });
        }
    }
}

impl Vulnerability {
    fn diagnostic(self) -> Diagnostic {
        let title = match self.title.as_deref().filter(|title| !title.is_empty()) {
            Some(title) => one_line(title),
            None => one_line(bounded(self.description.as_deref().unwrap_or_default(), DESCRIPTION)),
        };
        let fixed = self.fixed_version.unwrap_or_default();
        let message = of_package(&self.pkg_name, &self.installed_version.unwrap_or_default(), &title);
        Diagnostic {
            suggested_fix: upgrade(&self.pkg_name, fixed.split(',')),
            aliases: self.vendor_ids.unwrap_or_default(),
            ..Diagnostic::new("trivy", Kind::Cve, rated(self.severity.as_deref().unwrap_or_default()), self.id, message)
        }
    }
}

/// Whether a target is a heading, and no file.
pub(in crate::parsers) fn is_no_file(target: &str) -> bool {
    target.is_empty() || NO_FILES.contains(&target) || target.contains(" (") || target.starts_with("Loose File")
}
