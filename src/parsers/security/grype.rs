//! grype's JSON (<https://github.com/anchore/grype#output-formats>).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::scanner::{of_package, rated, upgrade};
use crate::model::{Diagnostic, Kind};
use crate::parsers::Parser;
use crate::parsers::text::{bounded, one_line};

/// Bytes of a description that are the title.
const DESCRIPTION: usize = 300;

/// Keeps nothing: a match has all that is told of it.
#[derive(Default)]
pub(in crate::parsers) struct Grype;

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    matches: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    source: Option<Source>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Match {
    vulnerability: Vulnerability,
    #[serde(default)]
    related_vulnerabilities: Option<Vec<Related>>,
    artifact: Artifact,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: String,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    fix: Option<Fix>,
}

#[derive(Deserialize)]
struct Fix {
    #[serde(default)]
    versions: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Related {
    id: String,
}

#[derive(Deserialize)]
struct Artifact {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    locations: Option<Vec<Location>>,
}

#[derive(Deserialize)]
struct Location {
    #[serde(default)]
    path: String,
}

impl Parser for Grype {
    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"matchDetails\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(report) = serde_json::from_str::<Report<'_>>(text) else { return };
        // The files of an image are none of the project's; those of a folder begin at its top.
        let is_folder = report.source.is_some_and(|source| matches!(source.kind.as_str(), "directory" | "file"));
        for record in report.matches.into_iter().flatten() {
            let Ok(found) = serde_json::from_str::<Match>(record.get()) else { continue };
            let Match { vulnerability, related_vulnerabilities, artifact } = found;
            let path = artifact.locations.into_iter().flatten().next().map(|location| location.path);
            let file =
                path.map(|path| path.trim_start_matches('/').to_owned()).filter(|path| is_folder && !path.is_empty());
            let mut aliases: Vec<String> =
                related_vulnerabilities.into_iter().flatten().map(|related| related.id).collect();
            aliases.retain(|alias| *alias != vulnerability.id);
            let fixed = vulnerability.fix.and_then(|fix| fix.versions).unwrap_or_default();
            let title = one_line(bounded(vulnerability.description.as_deref().unwrap_or_default(), DESCRIPTION));
            out.push(Diagnostic {
                file,
                suggested_fix: upgrade(&artifact.name, fixed.iter().map(String::as_str)),
                aliases,
                raw: Some(record.to_owned()),
                ..Diagnostic::new(
                    "grype",
                    Kind::Cve,
                    rated(vulnerability.severity.as_deref().unwrap_or_default()),
                    vulnerability.id,
                    of_package(&artifact.name, &artifact.version, &title),
                )
            });
        }
    }
}
