//! osv-scanner: its JSON, of versions 1 and 2 (<https://google.github.io/osv-scanner/output/#json>), its table, and what it
//! could not check.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::osv_table::Table;
use super::scanner::{of_package, rated, scored, upgrade};
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{bounded, one_line, raw};
use crate::parsers::{Parser, Verdict};

/// What it says when it has nothing to look at, or nobody to ask.
const NOT_CHECKED: [&str; 4] =
    ["No package sources found", "osv.dev query failed", "scan failed: ", "could not load db for"];
/// Bytes of details that stand in for a missing summary.
const DETAILS: usize = 300;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct OsvScanner {
    tables: [Table; 2],
}

/// Groups of one package that are read; each record is kept with every one.
const GROUPS_LIMIT: usize = 1000;

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    results: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Outcome<'a> {
    source: Source,
    #[serde(borrow, default)]
    packages: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(default)]
    path: String,
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Affected {
    package: Package,
    #[serde(default)]
    vulnerabilities: Option<Vec<Vulnerability>>,
    #[serde(default)]
    groups: Option<Vec<Group>>,
    #[serde(default)]
    license_violations: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    commit: Option<String>,
}

#[derive(Deserialize)]
struct Group {
    ids: Vec<String>,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    #[serde(default)]
    max_severity: Option<String>,
    #[serde(rename = "experimentalAnalysis", alias = "experimental_analysis", default)]
    analysis: Option<std::collections::HashMap<String, Analysis>>,
}

#[derive(Deserialize)]
struct Analysis {
    called: Option<bool>,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: String,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    details: Option<String>,
    #[serde(default)]
    affected: Option<Vec<Range>>,
    #[serde(default)]
    database_specific: Option<DatabaseSpecific>,
}

#[derive(Deserialize)]
struct DatabaseSpecific {
    #[serde(default)]
    severity: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    package: Option<Package>,
    #[serde(default)]
    ranges: Option<Vec<Events>>,
}

#[derive(Deserialize)]
struct Events {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    events: Option<Vec<Event>>,
}

#[derive(Deserialize)]
struct Event {
    fixed: Option<String>,
}

impl Parser for OsvScanner {
    fn triggers(&self) -> &'static [&'static str] {
        &["│ OSV URL", "No package sources found", "osv.dev query failed", "could not load db for"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        if NOT_CHECKED.iter().any(|words| line.text.starts_with(words)) {
            out.push(Diagnostic {
                raw: raw(line.text),
                ..Diagnostic::new(
                    "osv-scanner",
                    Kind::Cve,
                    Severity::Warn,
                    "not_checked",
                    format!("osv-scanner did not check: {}", one_line(line.text)),
                )
            });
            return Verdict::Idle;
        }
        self.tables[line.side()].line(line.text, out)
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"packages\":"]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(report) = serde_json::from_str::<Report<'_>>(text) else { return };
        for result in report.results.into_iter().flatten() {
            let Ok(outcome) = serde_json::from_str::<Outcome<'_>>(result.get()) else { continue };
            let is_file = !matches!(outcome.source.kind.as_str(), "docker" | "git" | "os" | "artifact");
            let file = Some(outcome.source.path).filter(|path| is_file && !path.is_empty());
            for record in outcome.packages.into_iter().flatten() {
                if let Ok(affected) = serde_json::from_str::<Affected>(record.get()) {
                    affected.tell(file.as_deref(), record, out);
                }
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for table in &mut self.tables {
            table.end(out);
        }
    }
}

impl Affected {
    fn tell(self, file: Option<&str>, record: &RawValue, out: &mut Vec<Diagnostic>) {
        let vulnerabilities = self.vulnerabilities.unwrap_or_default();
        // What several databases call one thing is one group.
        let groups = self.groups.filter(|groups| !groups.is_empty()).unwrap_or_else(|| {
            vulnerabilities
                .iter()
                .map(|one| Group { ids: vec![one.id.clone()], aliases: None, max_severity: None, analysis: None })
                .collect()
        });
        let version = if self.package.version.is_empty() {
            self.package.commit.as_deref().unwrap_or("")
        } else {
            &self.package.version
        };
        for group in groups.into_iter().take(GROUPS_LIMIT) {
            let Some(id) = group.ids.first() else { continue };
            let members = || vulnerabilities.iter().filter(|one| group.ids.contains(&one.id));
            let title = members().find_map(Vulnerability::title).unwrap_or_default();
            let uncalled = group.analysis.as_ref().is_some_and(|analysis| {
                !analysis.is_empty() && analysis.values().all(|analysis| analysis.called == Some(false))
            });
            let score = group.max_severity.as_deref().and_then(scored);
            let word = members().find_map(|one| one.database_specific.as_ref()?.severity.as_ref()?.as_str());
            let severity =
                if uncalled { Severity::Info } else { score.unwrap_or_else(|| rated(word.unwrap_or_default())) };
            let mut fixed: Vec<&str> = members().flat_map(|one| one.fixed(&self.package.name)).collect();
            fixed.dedup();
            let mut aliases: Vec<String> = group.ids.iter().skip(1).cloned().collect();
            aliases.extend(group.aliases.iter().flatten().cloned());
            aliases.extend(members().flat_map(|one| one.aliases.iter().flatten().cloned()));
            aliases.sort();
            aliases.dedup();
            aliases.retain(|alias| alias != id);
            out.push(Diagnostic {
                file: file.map(str::to_owned),
                suggested_fix: upgrade(&self.package.name, fixed),
                aliases,
                raw: Some(record.to_owned()),
                ..Diagnostic::new(
                    "osv-scanner",
                    Kind::Cve,
                    severity,
                    id.clone(),
                    of_package(&self.package.name, version, &title),
                )
            });
        }
        for license in self.license_violations.into_iter().flatten() {
            let message =
                format!("{}: the license {license} is not allowed", of_package(&self.package.name, version, ""));
            out.push(Diagnostic {
                file: file.map(str::to_owned),
                ..Diagnostic::new("osv-scanner", Kind::Lint, Severity::Warn, license, one_line(&message))
            });
        }
    }
}

impl Vulnerability {
    fn title(&self) -> Option<String> {
        let text = [&self.summary, &self.details].into_iter().flatten().find(|text| !text.is_empty())?;
        Some(one_line(bounded(text, DETAILS)))
    }

    /// The versions of a package that have the fix; not the commits.
    fn fixed<'a>(&'a self, package: &'a str) -> impl Iterator<Item = &'a str> {
        let of_package = move |range: &&Range| range.package.as_ref().is_none_or(|named| named.name == package);
        let ranges = self.affected.iter().flatten().filter(of_package).flat_map(|range| range.ranges.iter().flatten());
        let events = ranges.filter(|range| range.kind != "GIT").flat_map(|range| range.events.iter().flatten());
        events.filter_map(|event| event.fixed.as_deref())
    }
}
