//! `composer audit`: its table, `--format=plain` and `--format=json`
//! (<https://getcomposer.org/doc/03-cli.md#audit>).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::security::scanner::rated;
use crate::parsers::text::{one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Reads both streams, each with an advisory of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct ComposerAudit {
    blocks: [Option<Advisory>; 2],
    /// In the table of abandoned packages.
    abandoned: [bool; 2],
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Advisory {
    package_name: String,
    advisory_id: Option<String>,
    cve: Option<String>,
    title: Option<String>,
    severity: Option<String>,
    link: Option<String>,
    affected_versions: Option<String>,
    #[serde(default)]
    sources: Vec<Source>,
    #[serde(skip)]
    text: String,
}

#[derive(Deserialize)]
struct Source {
    #[serde(rename = "remoteId")]
    id: String,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    advisories: &'a RawValue,
    #[serde(borrow)]
    abandoned: Option<&'a RawValue>,
}

impl Parser for ComposerAudit {
    fn triggers(&self) -> &'static [&'static str] {
        &["| Package ", "Package: ", " is abandoned.", "| Abandoned Package "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.blocks[line.side()];
        let field = field(line.text);
        if let Some(advisory) = waiting {
            if let Some((name, value)) = field
                && name != "Package"
            {
                advisory.read(name, value, line.text);
                return Verdict::Open;
            }
            out.extend(waiting.take().and_then(Advisory::end));
        }
        if let Some(("Package", name)) = field.filter(|(_, name)| name.contains('/') && !name.contains(' ')) {
            let text = format!("{}\n", line.text);
            *waiting = Some(Advisory { package_name: name.to_owned(), text, ..Advisory::default() });
            return Verdict::Open;
        }
        let in_table = &mut self.abandoned[line.side()];
        if line.text.starts_with("| Abandoned Package ") {
            *in_table = true;
            return Verdict::Open;
        }
        if *in_table {
            let row = line.text.strip_prefix("| ").and_then(|row| row.trim_end().strip_suffix('|'));
            if let Some((name, instead)) = row.and_then(|row| row.split_once(" | ")) {
                out.push(Diagnostic { raw: raw(line.text), ..abandoned(name.trim(), Some(instead.trim())) });
                return Verdict::Open;
            }
            *in_table = line.text.starts_with("+-");
            if *in_table {
                return Verdict::Open;
            }
        }
        if let Some((name, rest)) = line.text.split_once(" is abandoned.")
            && name.contains('/')
            && !name.contains(' ')
        {
            out.push(Diagnostic { raw: raw(line.text), ..abandoned(name, rest.trim().strip_prefix("Use ")) });
        }
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"affectedVersions\"", "\"abandoned\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(document) = serde_json::from_str::<Document<'_>>(text) else { return };
        // What is empty is an array.
        let packages: BTreeMap<String, &RawValue> = serde_json::from_str(document.advisories.get()).unwrap_or_default();
        for list in packages.values() {
            let advisories: Vec<&RawValue> = serde_json::from_str(list.get())
                .or_else(|_| serde_json::from_str(list.get()).map(|by: BTreeMap<String, _>| by.into_values().collect()))
                .unwrap_or_default();
            for one in advisories {
                let Ok(advisory) = serde_json::from_str::<Advisory>(one.get()) else { continue };
                let raw = RawValue::from_string(one.get().to_owned()).ok();
                out.extend(advisory.end().map(|found| Diagnostic { raw, ..found }));
            }
        }
        let packages: BTreeMap<String, Option<String>> =
            document.abandoned.and_then(|it| serde_json::from_str(it.get()).ok()).unwrap_or_default();
        out.extend(packages.iter().map(|(name, instead)| abandoned(name, instead.as_deref())));
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.blocks.iter_mut().filter_map(Option::take).filter_map(Advisory::end));
    }
}

impl Advisory {
    fn read(&mut self, name: &str, value: &str, line: &str) {
        let value = Some(value.to_owned()).filter(|value| !value.is_empty() && value != "NO CVE");
        match name {
            "Severity" => self.severity = value,
            "Advisory ID" => self.advisory_id = value,
            "CVE" => self.cve = value,
            "Title" => self.title = value,
            "URL" => self.link = value,
            "Affected versions" => self.affected_versions = value,
            _ => {}
        }
        push_line(&mut self.text, line);
    }

    fn end(self) -> Option<Diagnostic> {
        let severity = rated(self.severity.as_deref().unwrap_or_default());
        // Old releases name the advisory only by its page.
        let page = self.link.as_deref().and_then(|link| link.rsplit('/').next()).map(str::to_owned);
        let sources = self.sources.into_iter().map(|source| source.id);
        let sources = sources.filter(|id| id.starts_with("GHSA-") || id.starts_with("CVE-"));
        self.affected_versions.as_ref()?;
        let mut ids = self.cve.into_iter().chain(self.advisory_id).chain(sources).filter(|id| !id.is_empty());
        let code = ids.next().or(page)?;
        let mut aliases: Vec<String> = ids.filter(|id| *id != code).collect();
        aliases.dedup();
        let message = one_line(&format!("{}: {}", self.package_name, self.title.as_deref().unwrap_or(&code)));
        let raw = if self.text.is_empty() { None } else { raw(&self.text) };
        Some(Diagnostic { aliases, raw, ..Diagnostic::new("composer audit", Kind::Cve, severity, code, message) })
    }
}

/// `| Package | guzzlehttp/psr7 |`, `Package: guzzlehttp/psr7`.
fn field(text: &str) -> Option<(&str, &str)> {
    let (name, value) = match text.strip_prefix("| ") {
        Some(row) => row.trim_end().strip_suffix('|')?.split_once(" | ")?,
        None => text.split_once(": ")?,
    };
    let name = name.trim();
    let known = ["Package", "Severity", "Advisory ID", "CVE", "Title", "URL", "Affected versions", "Reported at"];
    known.contains(&name).then(|| (name, value.trim()))
}

fn abandoned(name: &str, instead: Option<&str>) -> Diagnostic {
    let instead = instead.map(|it| it.trim_end_matches(" instead.")).filter(|it| !it.is_empty() && *it != "none");
    let advice = instead.map_or("there is no replacement".to_owned(), |instead| format!("use {instead}"));
    let message = format!("{name} is abandoned: {advice}");
    Diagnostic {
        suggested_fix: instead.map(str::to_owned),
        ..Diagnostic::new("composer audit", Kind::Cve, Severity::Warn, format!("abandoned:{name}"), one_line(&message))
    }
}
