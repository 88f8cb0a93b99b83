//! `cargo audit`: `--json`, and the blocks of attributes that it prints for people, in today's order and in that of the
//! releases before 0.13 (<https://github.com/rustsec/rustsec/tree/main/cargo-audit>; the report's fields are those of
//! <https://docs.rs/rustsec/latest/rustsec/report/struct.Report.html>).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::security::cvss;
use crate::parsers::text::{one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// What cargo audit says where it could not look, by how the sentence begins, and what was not checked then.
const NOT_CHECKED: &[(&str, &str)] = &[
    ("error: couldn't fetch advisory database: ", "no advisory was looked up"),
    ("error: error loading advisory database: ", "no advisory was looked up"),
    ("error: not found: Couldn't load ", "no advisory was looked up"),
    ("error: Couldn't load ", "no advisory was looked up"),
    ("error: parse error: ", "no advisory was looked up"),
    ("error: I/O operation failed: non-zero exit status running `cargo ", "no advisory was looked up"),
    ("error: couldn't check if the package is yanked: ", "whether a package was yanked is not known"),
    ("warning: couldn't check if the package is yanked: ", "whether a package was yanked is not known"),
    ("error: couldn't update crates.io index: ", "whether packages were yanked is not known"),
    ("warning: couldn't update crates.io index: ", "whether packages were yanked is not known"),
    ("error: couldn't open crates.io index: ", "whether packages were yanked is not known"),
    ("warning: couldn't open crates.io index: ", "whether packages were yanked is not known"),
];

/// The lock file is named on one stream, the advisories stand on the other.
#[derive(Default)]
pub(in crate::parsers) struct CargoAudit {
    blocks: [Option<Block>; 2],
    /// The lock file that is being looked through.
    lockfile: Option<String>,
    /// Found before the lock file's name was seen.
    held: Vec<Diagnostic>,
}

/// The attributes of one advisory as far as they were printed.
#[derive(Default)]
struct Block {
    package: String,
    version: String,
    warning: String,
    title: String,
    id: String,
    url: String,
    severity: String,
    solution: String,
    text: String,
}

#[derive(Deserialize)]
struct Report<'a> {
    lockfile: Option<Counted>,
    #[serde(borrow)]
    vulnerabilities: Option<Vulnerabilities<'a>>,
    /// A list by kind; a plain list in the first releases.
    #[serde(borrow)]
    warnings: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(rename = "dependency-count")]
    _dependencies: Option<f64>,
}

#[derive(Deserialize)]
struct Vulnerabilities<'a> {
    #[serde(borrow, default)]
    list: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Record<'a> {
    /// The kind of a warning; in the first releases it holds the advisory.
    #[serde(borrow)]
    kind: Option<&'a RawValue>,
    package: Package,
    advisory: Option<Advisory>,
    versions: Option<Versions>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    title: Option<String>,
    cvss: Option<String>,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    informational: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
struct Versions {
    patched: Option<Vec<String>>,
}

/// What the first releases put into a warning's kind.
#[derive(Deserialize)]
struct OldKind {
    advisory: Advisory,
    versions: Option<Versions>,
}

impl Parser for CargoAudit {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "Crate:   ",
            "RUSTSEC-20",
            " for vulnerabilities (",
            "couldn't fetch advisory database: ",
            "error loading advisory database: ",
            "Couldn't load ",
            "crates.io index: ",
            "couldn't check if the package is yanked: ",
            "non-zero exit status running `cargo ",
            "No dependency information found! Is this ",
            " was not built with 'cargo auditable', ",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = line.side();
        if let Some(block) = &mut self.blocks[side] {
            if block.read(line.text) {
                return Verdict::Open;
            }
            self.end(side, out);
        }
        let text = line.text.trim_start();
        if let Some(name) = text.strip_prefix("Scanning ").and_then(|rest| rest.split_once(" for vulnerabilities (")) {
            self.lockfile = Some(name.0.to_owned());
            for found in self.held.drain(..) {
                out.push(Diagnostic { file: self.lockfile.clone(), ..found });
            }
        } else if line.text.starts_with("Crate:  ") || is_first_id(line.text) {
            let mut block = Block::default();
            block.read(line.text);
            self.blocks[side] = Some(block);
            return Verdict::Open;
        } else {
            out.extend(not_checked(line.text));
        }
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"dependency-count\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(Report { lockfile: Some(_), vulnerabilities, warnings }) = serde_json::from_str(text) else { return };
        let list = vulnerabilities.map(|vulnerabilities| vulnerabilities.list).unwrap_or_default();
        out.extend(list.into_iter().filter_map(|record| vulnerability(record, "")));
        let Some(warnings) = warnings.map(RawValue::get) else { return };
        if let Ok(kinds) = serde_json::from_str::<BTreeMap<String, Vec<&RawValue>>>(warnings) {
            for (kind, list) in kinds {
                out.extend(list.into_iter().filter_map(|record| vulnerability(record, &kind)));
            }
        } else if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(warnings) {
            out.extend(list.into_iter().filter_map(|record| vulnerability(record, "yanked")));
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in 0..self.blocks.len() {
            self.end(side, out);
        }
        out.append(&mut self.held);
    }
}

impl CargoAudit {
    fn end(&mut self, side: usize, out: &mut Vec<Diagnostic>) {
        let Some(found) = self.blocks[side].take().and_then(Block::found) else { return };
        match &self.lockfile {
            Some(file) => out.push(Diagnostic { file: Some(file.clone()), ..found }),
            None => self.held.push(found),
        }
    }
}

impl Block {
    /// Reads one attribute; false if the line is none.
    fn read(&mut self, line: &str) -> bool {
        let Some((name, value)) = line.split_once(':') else { return false };
        let value = value.trim();
        let place = match name {
            "Crate" => &mut self.package,
            "Version" => &mut self.version,
            "Warning" => &mut self.warning,
            "Title" | "Message" => &mut self.title,
            "ID" => &mut self.id,
            "URL" => &mut self.url,
            "Severity" => &mut self.severity,
            "Solution" => &mut self.solution,
            "Date" => {
                push_line(&mut self.text, line);
                return true;
            }
            _ => return false,
        };
        if !place.is_empty() {
            return false;
        }
        value.clone_into(place);
        push_line(&mut self.text, line);
        true
    }

    fn found(self) -> Option<Diagnostic> {
        let id = match self.id.as_str() {
            // The first releases name an informational advisory by its address alone.
            "" => self.url.rsplit('/').next().map(|page| page.trim_end_matches(".html")).unwrap_or_default(),
            id => id,
        };
        let yanked = id.is_empty() && (self.warning.contains("yanked") || self.title.contains("yanked"));
        if self.package.is_empty() || !(yanked || is_id(id)) || (self.version.is_empty() && self.title.is_empty()) {
            return None;
        }
        let informational = !self.warning.is_empty() || (self.id.is_empty() && self.solution.is_empty());
        let score = self.severity.split(' ').next().and_then(|score| score.parse().ok());
        let severity = match score {
            _ if informational => Severity::Warn,
            Some(score) => cvss::rating(score),
            None => Severity::Error,
        };
        let fix = self
            .solution
            .split_once("pgrade to")
            .map(|(_, versions)| versions.trim_start_matches([':', ' ']).to_owned());
        Some(Diagnostic {
            suggested_fix: fix.map(|versions| format!("{} {versions}", self.package)),
            raw: raw(&self.text),
            ..advisory(&self.package, &self.version, if yanked { "" } else { id }, &self.title, severity)
        })
    }
}

/// The first releases print the id before all else, behind blanks or a tab.
fn is_first_id(text: &str) -> bool {
    text.strip_prefix("ID:").is_some_and(|id| id.starts_with([' ', '\t']) && is_id(id.trim_start()))
}

fn is_id(text: &str) -> bool {
    ["RUSTSEC-", "CVE-", "GHSA-", "TALOS-"].iter().any(|start| text.starts_with(start))
}

/// A package that has an advisory, or none if it was yanked.
fn advisory(package: &str, version: &str, id: &str, title: &str, severity: Severity) -> Diagnostic {
    let code = if id.is_empty() { format!("yanked:{package}") } else { id.to_owned() };
    let title = if id.is_empty() { "this version has been yanked" } else { title };
    let version = if version.is_empty() { String::new() } else { format!(" {version}") };
    Diagnostic::new("cargo audit", Kind::Cve, severity, code, one_line(&format!("{package}{version}: {title}")))
}

/// `kind` is that of a warning, empty for a vulnerability.
fn vulnerability(record: &RawValue, kind: &str) -> Option<Diagnostic> {
    let parsed: Record<'_> = serde_json::from_str(record.get()).ok()?;
    let old = parsed.kind.and_then(|kind| {
        serde_json::from_str::<BTreeMap<String, OldKind>>(kind.get()).ok().and_then(|kinds| kinds.into_values().next())
    });
    let (known, versions) = match old {
        Some(old) => (Some(old.advisory), old.versions),
        None => (parsed.advisory, parsed.versions),
    };
    let Package { name, version } = parsed.package;
    let mut found = match &known {
        None if kind == "yanked" => advisory(&name, &version, "", "", Severity::Warn),
        None => return None,
        Some(known) => {
            let informational = !kind.is_empty() || known.informational.is_some();
            let rated = known.cvss.as_deref().and_then(cvss::severity).unwrap_or(Severity::Error);
            let severity = if informational { Severity::Warn } else { rated };
            advisory(&name, &version, &known.id, known.title.as_deref().unwrap_or_default(), severity)
        }
    };
    let patched = versions.and_then(|versions| versions.patched).unwrap_or_default();
    found.suggested_fix = (!patched.is_empty()).then(|| format!("{name} {}", patched.join(" OR ")));
    found.aliases = known.and_then(|known| known.aliases).unwrap_or_default();
    found.raw = Some(record.to_owned());
    Some(found)
}

fn not_checked(line: &str) -> Option<Diagnostic> {
    let (start, what) = match NOT_CHECKED.iter().find(|(start, _)| line.starts_with(start)) {
        Some((start, what)) => (*start, *what),
        None if line.starts_with("warning: ") && line.contains(" was not built with 'cargo auditable', ") => {
            ("warning: ", "the report is incomplete")
        }
        None => return None,
    };
    // What other tools may say as well is this tool's only if it goes on like this.
    let goes_on = match start {
        "error: parse error: " => line.contains("No dependency information found"),
        "error: Couldn't load " => line.contains(".lock"),
        _ => true,
    };
    if !goes_on {
        return None;
    }
    let said = line.split_once(": ").map_or(line, |(_, said)| said);
    let package = said.split_once("No such crate in crates.io index: ").map(|(_, package)| package);
    Some(Diagnostic {
        raw: raw(line),
        ..Diagnostic::new(
            "cargo audit",
            Kind::Cve,
            Severity::Warn,
            package.map_or_else(|| "not_checked".to_owned(), |package| format!("not_checked:{package}")),
            one_line(&format!("{what}: {said}")),
        )
    })
}
