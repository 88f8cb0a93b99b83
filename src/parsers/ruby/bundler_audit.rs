//! bundler-audit: `bundle-audit check`, its text and `--format json`
//! (<https://github.com/rubysec/bundler-audit#synopsis>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Reads both streams, each with a block of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct BundlerAudit {
    blocks: [Option<Block>; 2],
}

/// The lines about one advisory.
#[derive(Default)]
struct Block {
    name: String,
    version: Option<String>,
    ids: Vec<String>,
    criticality: Option<String>,
    title: Option<String>,
    solution: Option<String>,
    text: String,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Found {
    UnpatchedGem { gem: Gem, advisory: Advisory },
    InsecureSource { source: String },
}

#[derive(Deserialize)]
struct Gem {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    title: Option<String>,
    cve: Option<String>,
    ghsa: Option<String>,
    osvdb: Option<serde_json::Value>,
    criticality: Option<String>,
    #[serde(default)]
    patched_versions: Vec<String>,
}

impl Parser for BundlerAudit {
    fn triggers(&self) -> &'static [&'static str] {
        &["Name: ", "Insecure Source URI found: "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.blocks[line.side()];
        if let Some(block) = waiting {
            if block.read(line.text) {
                return Verdict::Open;
            }
            out.extend(waiting.take().and_then(Block::end));
        }
        if let Some(name) = line.text.strip_prefix("Name: ") {
            let text = format!("{}\n", line.text);
            *waiting = Some(Block { name: name.trim().to_owned(), text, ..Block::default() });
            return Verdict::Open;
        }
        if let Some(source) = line.text.strip_prefix("Insecure Source URI found: ") {
            out.push(Diagnostic { raw: raw(line.text), ..insecure(source.trim()) });
        }
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"unpatched_gem\"", "\"insecure_source\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(document) = serde_json::from_str::<Document<'_>>(text) else { return };
        for one in document.results {
            let Ok(record) = serde_json::from_str::<Found>(one.get()) else { continue };
            let found = match record {
                Found::InsecureSource { source } => insecure(&source),
                Found::UnpatchedGem { gem, advisory } => {
                    let cve = advisory.cve.map(|id| prefixed("CVE-", &id));
                    let osvdb = advisory.osvdb.filter(|id| !id.is_null()).map(|id| format!("OSVDB-{id}"));
                    let ghsa = advisory.ghsa.map(|id| prefixed("GHSA-", &id));
                    let ids = [Some(advisory.id), cve, ghsa, osvdb].into_iter().flatten().collect();
                    let fixed = advisory.patched_versions;
                    let fix = (!fixed.is_empty()).then(|| format!("{} {}", gem.name, fixed.join(", ")));
                    let severity = severity(advisory.criticality.as_deref());
                    vulnerable((&gem.name, &gem.version), ids, severity, advisory.title.as_deref(), fix)
                }
            };
            out.push(Diagnostic { raw: RawValue::from_string(one.get().to_owned()).ok(), ..found });
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.blocks.iter_mut().filter_map(Option::take).filter_map(Block::end));
    }
}

impl Block {
    /// Reads the next line; false if it is not part of the block.
    fn read(&mut self, text: &str) -> bool {
        let (key, value) = text.split_once(": ").unwrap_or((text, ""));
        let value = value.trim();
        match key {
            "Version" => self.version = Some(value.to_owned()),
            _ if self.version.is_none() => return false,
            "Advisory" | "CVE" | "GHSA" => self.ids.push(value.to_owned()),
            "Criticality" => self.criticality = Some(value.to_owned()),
            "Title" => self.title = Some(value.to_owned()),
            "Solution" => self.solution = Some(value.to_owned()),
            "URL" => {}
            // `--verbose` prints the description, which has lines of its own.
            _ => return self.solution.is_none() && self.text.lines().count() < 400 && !self.ids.is_empty(),
        }
        push_line(&mut self.text, text);
        true
    }

    fn end(self) -> Option<Diagnostic> {
        let version = self.version.filter(|_| !self.ids.is_empty())?;
        let fix = self.solution.as_deref().and_then(|it| it.strip_prefix("upgrade to "));
        let fix = fix.map(|fix| format!("{} {}", self.name, fix.replace('\'', "")));
        let severity = severity(self.criticality.as_deref());
        let found = vulnerable((&self.name, &version), self.ids, severity, self.title.as_deref(), fix);
        Some(Diagnostic { raw: raw(&self.text), ..found })
    }
}

fn prefixed(prefix: &str, id: &str) -> String {
    if id.starts_with(prefix) { id.to_owned() } else { format!("{prefix}{id}") }
}

fn severity(criticality: Option<&str>) -> Severity {
    match criticality.map(str::to_ascii_lowercase).as_deref() {
        Some("medium") => Severity::Warn,
        Some("low" | "none") => Severity::Info,
        _ => Severity::Error,
    }
}

fn vulnerable(
    (name, version): (&str, &str),
    ids: Vec<String>,
    severity: Severity,
    title: Option<&str>,
    suggested_fix: Option<String>,
) -> Diagnostic {
    let mut ids = ids.into_iter();
    let code = ids.next().unwrap_or_default();
    let mut aliases: Vec<String> = ids.filter(|id| *id != code).collect();
    aliases.dedup();
    let title = title.unwrap_or(&code);
    let message = one_line(&format!("{name} {version}: {title}"));
    Diagnostic { aliases, suggested_fix, ..Diagnostic::new("bundler-audit", Kind::Cve, severity, code, message) }
}

fn insecure(source: &str) -> Diagnostic {
    let message = format!("insecure source {source}: gems from there may be tampered with");
    Diagnostic::new("bundler-audit", Kind::Cve, Severity::Warn, "insecure_source", one_line(&message))
}
