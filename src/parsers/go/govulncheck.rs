//! govulncheck: the messages of `-format json` (<https://pkg.go.dev/golang.org/x/vuln/internal/govulncheck#Message>), one
//! object after the other, and the documents of its first releases. What it could not check is told, too.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::govulncheck_text::Text;
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{bounded, line_number, one_line, raw};
use crate::parsers::{Parser, Verdict};

/// Advisories and findings that are remembered.
const LIMIT: usize = 100_000;
/// Bytes of an advisory's details that stand in for a missing summary.
const DETAILS: usize = 300;

/// Messages come at module, package and symbol level for the same advisory: the closest is told, at the end.
#[derive(Default)]
pub(in crate::parsers) struct Govulncheck {
    advisories: HashMap<String, Advisory>,
    found: BTreeMap<(String, String), Found>,
    texts: [Text; 2],
}

#[derive(Deserialize)]
struct Message<'a> {
    osv: Option<Advisory>,
    #[serde(borrow)]
    finding: Option<&'a RawValue>,
    #[serde(borrow)]
    vulnerability: Option<&'a RawValue>,
    #[serde(borrow, rename = "Vulns", default)]
    vulns: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    details: Option<String>,
}

#[derive(Deserialize)]
struct Finding {
    osv: String,
    fixed_version: Option<String>,
    /// From the vulnerable symbol to the project's own code.
    trace: Vec<Frame>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Frame {
    module: String,
    version: String,
    package: String,
    function: String,
    position: Option<Position>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all(deserialize = "lowercase"))]
struct Position {
    #[serde(alias = "Filename")]
    filename: String,
    #[serde(alias = "Line")]
    line: u32,
    #[serde(alias = "Column")]
    column: u32,
}

/// Of the first releases.
#[derive(Deserialize)]
struct Vuln {
    #[serde(alias = "OSV")]
    osv: Advisory,
    #[serde(alias = "Modules", default)]
    modules: Option<Vec<Module>>,
    #[serde(rename = "ModPath", default)]
    module: String,
    #[serde(rename = "CallSink", default)]
    called: i64,
}

#[derive(Deserialize)]
struct Module {
    #[serde(alias = "Path")]
    path: String,
    #[serde(alias = "FoundVersion", default)]
    found_version: String,
    #[serde(alias = "FixedVersion", default)]
    fixed_version: String,
    #[serde(alias = "Packages", default)]
    packages: Option<Vec<Package>>,
}

#[derive(Deserialize)]
struct Package {
    #[serde(alias = "CallStacks", alias = "callstacks", default)]
    call_stacks: Option<Vec<CallStack>>,
}

#[derive(Deserialize)]
struct CallStack {
    #[serde(alias = "Frames", default)]
    frames: Option<Vec<StackFrame>>,
}

#[derive(Deserialize)]
struct StackFrame {
    #[serde(alias = "Position", default)]
    position: Option<Position>,
}

/// How close a vulnerability is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::parsers) enum Level {
    /// Required or imported only.
    Present,
    /// The project's own code calls it.
    Called,
}

/// The closest that was said of an advisory in one module.
struct Found {
    level: Level,
    version: String,
    fixed: Option<String>,
    at: Option<Position>,
    raw: Option<Box<RawValue>>,
}

impl Parser for Govulncheck {
    fn triggers(&self) -> &'static [&'static str] {
        &["Vulnerability #", " Results ===", "=== Informational ===", "govulncheck: ", "creating client: "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let reason = ["govulncheck: ", "creating client: "].iter().find(|start| line.text.starts_with(**start));
        if let Some(start) = reason {
            out.push(not_checked(
                line.text,
                line.text.strip_prefix("govulncheck: ").filter(|_| start.starts_with('g')),
            ));
        }
        self.texts[line.side()].line(line.text, out)
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"finding\"", "\"osv\":", "\"OSV\":", "\"vulnerability\""]
    }

    fn json(&mut self, text: &str, _out: &mut Vec<Diagnostic>) {
        let Ok(message) = serde_json::from_str::<Message<'_>>(text) else { return };
        if let Some(advisory) = message.osv {
            self.advisory(advisory);
        }
        if let Some((finding, record)) =
            message.finding.and_then(|record| Some((serde_json::from_str::<Finding>(record.get()).ok()?, record)))
        {
            self.finding(finding, record);
        }
        for record in message.vulnerability.into_iter().chain(message.vulns.into_iter().flatten()) {
            if let Ok(vuln) = serde_json::from_str::<Vuln>(record.get()) {
                self.vuln(vuln, record);
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for text in &mut self.texts {
            text.end(out);
        }
        for ((id, module), found) in std::mem::take(&mut self.found) {
            let advisory = self.advisories.get(&id);
            let summary = advisory.map(Advisory::title).unwrap_or_default();
            let mut told = diagnostic(found.level, id, &module, &found.version, &summary, found.fixed.as_deref());
            told.aliases = advisory.and_then(|advisory| advisory.aliases.clone()).unwrap_or_default();
            if let Some(at) = found.at {
                told.file = Some(at.filename).filter(|file| !file.is_empty());
                told.line = line_number(at.line);
                told.column = line_number(at.column);
            }
            told.raw = found.raw;
            out.push(told);
        }
    }
}

impl Govulncheck {
    fn advisory(&mut self, advisory: Advisory) {
        if self.advisories.len() < LIMIT {
            self.advisories.insert(advisory.id.clone(), advisory);
        }
    }

    fn finding(&mut self, finding: Finding, record: &RawValue) {
        let Some(vulnerable) = finding.trace.first() else { return };
        let level = if vulnerable.function.is_empty() { Level::Present } else { Level::Called };
        // The project's own modules have no version.
        let own = |frame: &&Frame| frame.version.is_empty() && frame.module != "stdlib" && frame.position.is_some();
        let found = Found {
            level,
            version: vulnerable.version.clone(),
            fixed: finding.fixed_version.clone(),
            at: finding.trace.iter().find(own).and_then(|frame| frame.position.clone()),
            raw: to_raw_value(record).ok(),
        };
        let module = if vulnerable.module.is_empty() { &vulnerable.package } else { &vulnerable.module };
        let module = module.clone();
        self.closest(finding.osv, module, found);
    }

    fn vuln(&mut self, vuln: Vuln, record: &RawValue) {
        let id = vuln.osv.id.clone();
        self.advisory(vuln.osv);
        if !vuln.module.is_empty() {
            let level = if vuln.called == 0 { Level::Present } else { Level::Called };
            let raw = to_raw_value(record).ok();
            self.closest(id.clone(), vuln.module, Found { level, version: String::new(), fixed: None, at: None, raw });
        }
        for module in vuln.modules.into_iter().flatten() {
            let stacks = module.packages.into_iter().flatten().filter_map(|package| package.call_stacks).flatten();
            let frames: Vec<Vec<StackFrame>> = stacks.map(|stack| stack.frames.unwrap_or_default()).collect();
            let found = Found {
                level: if frames.is_empty() { Level::Present } else { Level::Called },
                version: module.found_version,
                fixed: Some(module.fixed_version).filter(|fixed| !fixed.is_empty()),
                at: frames.into_iter().flatten().find_map(|frame| frame.position),
                raw: to_raw_value(record).ok(),
            };
            self.closest(id.clone(), module.path, found);
        }
    }

    fn closest(&mut self, id: String, module: String, found: Found) {
        let is_known = self.found.get(&(id.clone(), module.clone())).map(|known| (known.level, known.at.is_some()));
        if is_known.is_none_or(|known| known < (found.level, found.at.is_some())) && self.found.len() < LIMIT {
            self.found.insert((id, module), found);
        }
    }
}

impl Advisory {
    fn title(&self) -> String {
        match self.summary.as_deref().filter(|summary| !summary.is_empty()) {
            Some(summary) => one_line(summary),
            None => one_line(bounded(self.details.as_deref().unwrap_or_default(), DETAILS)),
        }
    }
}

/// A vulnerability in a module, as every format tells it.
pub(in crate::parsers) fn diagnostic(
    level: Level,
    id: String,
    module: &str,
    version: &str,
    summary: &str,
    fixed: Option<&str>,
) -> Diagnostic {
    // The standard library's version is `go1.2.3` in text and `v1.2.3` in JSON.
    let number = |version: &str| match module {
        "stdlib" => version.trim_start_matches(['g', 'o', 'v']).to_owned(),
        _ => version.to_owned(),
    };
    let version = number(version);
    let mut message = module.to_owned();
    for (gap, part) in [(" ", version.as_str()), (": ", summary)] {
        if !part.is_empty() {
            message.push_str(gap);
            message.push_str(part);
        }
    }
    let severity = if level == Level::Called { Severity::Error } else { Severity::Info };
    let name = if module == "stdlib" { "go" } else { module };
    Diagnostic {
        suggested_fix: fixed.filter(|fixed| !fixed.is_empty()).map(|fixed| format!("{name} >= {}", number(fixed))),
        ..Diagnostic::new("govulncheck", Kind::Cve, severity, id, message)
    }
}

fn not_checked(text: &str, reason: Option<&str>) -> Diagnostic {
    let reason = reason.unwrap_or(text).trim_end().trim_end_matches(':');
    Diagnostic {
        raw: raw(text),
        ..Diagnostic::new(
            "govulncheck",
            Kind::Cve,
            Severity::Warn,
            "not_checked",
            format!("govulncheck did not check: {}", one_line(reason)),
        )
    }
}
