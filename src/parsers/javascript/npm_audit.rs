//! `npm audit --json` of npm 6 (also of pnpm and `yarn audit`) and of npm 7 and later, `yarn npm audit --json`, and what
//! npm, yarn and pnpm say when they could not audit or install (<https://docs.npmjs.com/cli/commands/npm-audit>). The
//! reports for people are read in `npm_audit_text`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::security::scanner::rated;
use crate::parsers::text::{one_line, raw};
use crate::parsers::{Parser, Verdict};

/// Errors of npm that say why nothing was installed. What a script did is not among them.
const INSTALL: &[&str] = &["ERESOLVE", "ETARGET", "E404", "EUSAGE", "EJSONPARSE", "EINTEGRITY", "EBADENGINE"];

/// Knows what was said of an audit that could not be done: it is said several times.
#[derive(Default)]
pub(in crate::parsers) struct NpmAudit {
    reason: Option<String>,
    unchecked: bool,
    /// The code of npm's own failure, whose first line comes next.
    code: Option<String>,
}

/// npm 7 and later.
#[derive(Deserialize)]
struct Report<'a> {
    #[serde(rename = "auditReportVersion")]
    _version: f64,
    #[serde(borrow)]
    vulnerabilities: BTreeMap<String, &'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vulnerable<'a> {
    #[serde(borrow, default)]
    via: Vec<&'a RawValue>,
    fix_available: Option<Fix>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Fix {
    Any(bool),
    One { name: String, version: String },
}

/// What is wrong with a package itself; where its dependencies are at fault, npm names them alone.
#[derive(Deserialize)]
struct Via {
    source: Option<f64>,
    name: String,
    title: Option<String>,
    url: Option<String>,
    severity: Option<String>,
    range: Option<String>,
}

/// npm 6 and pnpm.
#[derive(Deserialize)]
struct Old<'a> {
    #[serde(borrow)]
    advisories: BTreeMap<String, &'a RawValue>,
}

/// A line of `yarn audit --json`.
#[derive(Deserialize)]
struct YarnLine<'a> {
    #[serde(borrow)]
    data: YarnData<'a>,
}

#[derive(Deserialize)]
struct YarnData<'a> {
    #[serde(borrow)]
    advisory: &'a RawValue,
}

#[derive(Deserialize)]
struct Advisory {
    id: Option<f64>,
    module_name: String,
    title: String,
    severity: Option<String>,
    url: Option<String>,
    github_advisory_id: Option<String>,
    #[serde(default)]
    cves: Option<Vec<String>>,
    patched_versions: Option<String>,
    #[serde(default)]
    findings: Option<Vec<Installed>>,
}

#[derive(Deserialize)]
struct Installed {
    version: Option<String>,
}

/// A line of `yarn npm audit --json`.
#[derive(Deserialize)]
struct Berry {
    value: String,
    children: BerryAdvisory,
}

#[derive(Deserialize)]
struct BerryAdvisory {
    #[serde(rename = "Issue")]
    issue: String,
    #[serde(rename = "URL")]
    url: Option<String>,
    #[serde(rename = "Severity")]
    severity: Option<String>,
    #[serde(rename = "Tree Versions", default)]
    versions: Vec<String>,
}

/// What npm and yarn print in place of a report.
#[derive(Deserialize)]
struct Failure {
    error: Option<Reason>,
    message: Option<String>,
    uri: Option<String>,
    data: Option<String>,
}

#[derive(Deserialize)]
struct Reason {
    code: Option<String>,
    summary: Option<String>,
    message: Option<String>,
}

impl Parser for NpmAudit {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "npm ERR! audit ",
            "npm error audit ",
            "npm WARN audit ",
            "npm warn audit ",
            "npm ERR! code E",
            "npm error code E",
            "/npm/v1/security/audits",
            "ERR_PNPM_AUDIT_",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text.trim();
        let npm = ["npm ERR! ", "npm error "].iter().find_map(|word| text.strip_prefix(word));
        if let Some(code) = self.code.take()
            && let Some(message) = npm
        {
            let message = message.strip_prefix(&code).unwrap_or(message);
            if !message.starts_with("audit ") {
                out.push(Diagnostic {
                    raw: raw(text),
                    ..Diagnostic::new("npm", Kind::Lint, Severity::Error, code, one_line(message))
                });
                return Verdict::Idle;
            }
        }
        if let Some(reason) = text.strip_prefix("npm WARN audit ").or_else(|| text.strip_prefix("npm warn audit ")) {
            self.reason = Some(one_line(reason));
        } else if let Some(message) = npm.and_then(|text| text.strip_prefix("audit ")) {
            let reason = match self.reason.take() {
                Some(reason) if message.starts_with("endpoint ") => format!("{message}: {reason}"),
                _ => message.to_owned(),
            };
            self.not_checked("npm audit", &reason, text, out);
        } else if let Some(code) = npm.and_then(|text| text.strip_prefix("code ")) {
            if INSTALL.contains(&code) {
                self.code = Some(code.to_owned());
                return Verdict::Open;
            }
        } else if let Some(reason) = text.strip_prefix("error Error: ").filter(|text| text.contains("/security/audits"))
        {
            self.not_checked("yarn audit", reason, text, out);
        } else if text.starts_with("ERR_PNPM_AUDIT_")
            && let Some((_, reason)) = text.split_once(char::is_whitespace)
        {
            self.not_checked("pnpm audit", reason.trim(), text, out);
        }
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &[
            "\"auditReportVersion\"",
            "\"module_name\"",
            "\"Tree Versions\"",
            "ENOAUDIT",
            "EAUDITNOLOCK",
            "ENOLOCK",
            "/npm/v1/security/",
            "ERR_PNPM_AUDIT_",
        ]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        if let Ok(report) = serde_json::from_str::<Report<'_>>(text) {
            for record in report.vulnerabilities.values() {
                if let Ok(package) = serde_json::from_str::<Vulnerable<'_>>(record.get()) {
                    package.tell(out);
                }
            }
        } else if let Ok(report) = serde_json::from_str::<Old<'_>>(text) {
            report.advisories.values().for_each(|record| advisory("npm audit", record, out));
        } else if let Ok(line) = serde_json::from_str::<YarnLine<'_>>(text) {
            advisory("yarn audit", line.data.advisory, out);
        } else if let Ok(line) = serde_json::from_str::<Berry>(text) {
            line.tell(text, out);
        } else if let Ok(failure) = serde_json::from_str::<Failure>(text)
            && let Some((tool, reason)) = failure.reason()
        {
            self.not_checked(tool, &reason, text, out);
        }
    }
}

impl NpmAudit {
    fn not_checked(&mut self, tool: &'static str, reason: &str, text: &str, out: &mut Vec<Diagnostic>) {
        if std::mem::replace(&mut self.unchecked, true) {
            return;
        }
        out.push(Diagnostic {
            raw: RawValue::from_string(text.to_owned()).ok().or_else(|| raw(text)),
            ..Diagnostic::new(
                tool,
                Kind::Cve,
                Severity::Warn,
                "not_checked",
                one_line(&format!("the dependencies were not checked: {reason}")),
            )
        });
    }
}

impl Failure {
    fn reason(self) -> Option<(&'static str, String)> {
        if let Some(error) = self.error
            && let Some(code) = error.code
        {
            let tool = match code.as_str() {
                "ENOAUDIT" | "EAUDITNOLOCK" | "ENOLOCK" => "npm audit",
                code if code.starts_with("ERR_PNPM_AUDIT_") => "pnpm audit",
                _ => return None,
            };
            return Some((tool, error.summary.or(error.message).unwrap_or(code)));
        }
        if self.uri.is_some_and(|uri| uri.contains("/npm/v1/security/")) {
            return Some(("npm audit", self.message?));
        }
        let reason = self.data.filter(|data| data.contains("/npm/v1/security/audits"))?;
        Some(("yarn audit", reason.lines().next().unwrap_or_default().to_owned()))
    }
}

impl Vulnerable<'_> {
    fn tell(self, out: &mut Vec<Diagnostic>) {
        let fix = self.fix_available.and_then(|fix| match fix {
            Fix::Any(true) => Some("npm audit fix".to_owned()),
            Fix::Any(false) => None,
            Fix::One { name, version } => Some(format!("npm install {name}@{version}")),
        });
        for record in self.via {
            let Ok(via) = serde_json::from_str::<Via>(record.get()) else { continue };
            let url = via.url.as_deref().unwrap_or_default();
            let code = code(url).or_else(|| Some(via.source?.to_string())).unwrap_or_else(|| "advisory".to_owned());
            let mut found = found(
                "npm audit",
                code,
                via.severity.as_deref(),
                &via.name,
                via.range.as_deref().unwrap_or_default(),
                via.title.as_deref().unwrap_or(url),
            );
            found.suggested_fix = fix.clone();
            found.raw = RawValue::from_string(record.get().to_owned()).ok();
            out.push(found);
        }
    }
}

impl Berry {
    fn tell(self, text: &str, out: &mut Vec<Diagnostic>) {
        let Self { value, children } = self;
        let Some(code) = children.url.as_deref().and_then(code) else { return };
        let versions = installed(&children.versions);
        let mut found = found("yarn npm audit", code, children.severity.as_deref(), &value, &versions, &children.issue);
        found.raw = RawValue::from_string(text.to_owned()).ok();
        out.push(found);
    }
}

/// Versions that are told of one package.
const VERSIONS_LIMIT: usize = 8;

/// The versions of a package that are installed, as a message names them.
fn installed(versions: &[String]) -> String {
    let mut versions = versions.to_vec();
    versions.dedup();
    versions.truncate(VERSIONS_LIMIT);
    versions.join(", ")
}

fn advisory(tool: &'static str, record: &RawValue, out: &mut Vec<Diagnostic>) {
    let Ok(advisory) = serde_json::from_str::<Advisory>(record.get()) else { return };
    let id = advisory.github_advisory_id.filter(|id| !id.is_empty());
    let of_url = advisory.url.as_deref().and_then(code);
    let number = advisory.id.map(|id| id.to_string());
    let Some(code) = id.clone().or_else(|| of_url.clone()).or(number) else { return };
    let mut aliases = advisory.cves.unwrap_or_default();
    aliases.extend(of_url.filter(|other| *other != code));
    let fix = advisory.patched_versions.filter(|range| range != "<0.0.0" && !range.is_empty());
    let versions: Vec<String> =
        advisory.findings.unwrap_or_default().into_iter().filter_map(|found| found.version).collect();
    let severity = advisory.severity.as_deref();
    let mut found = found(tool, code, severity, &advisory.module_name, &installed(&versions), &advisory.title);
    found.suggested_fix = fix.as_deref().map(|range| format!("{} {range}", advisory.module_name));
    found.aliases = aliases;
    found.raw = RawValue::from_string(record.get().to_owned()).ok();
    out.push(found);
}

/// The advisory's id in its address.
pub(in crate::parsers) fn code(url: &str) -> Option<String> {
    let id = url.trim_end_matches('/').rsplit('/').next()?;
    let is_id = id.starts_with("GHSA-") || (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
    is_id.then(|| id.to_owned())
}

pub(in crate::parsers) fn found(
    tool: &'static str,
    code: String,
    severity: Option<&str>,
    package: &str,
    version: &str,
    title: &str,
) -> Diagnostic {
    let severity = rated(severity.unwrap_or_default());
    let gap = if version.is_empty() { "" } else { " " };
    Diagnostic::new(tool, Kind::Cve, severity, code, one_line(&format!("{package}{gap}{version}: {title}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        assert_eq!(code("https://github.com/advisories/GHSA-a-b-c").as_deref(), Some("GHSA-a-b-c"));
        assert_eq!(code("https://npmjs.com/advisories/1179").as_deref(), Some("1179"));
        assert_eq!(code("https://example.com/x"), None);
    }
}
