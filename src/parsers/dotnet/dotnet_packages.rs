//! `dotnet list package --vulnerable`, as a table and with `--format json`
//! (<https://learn.microsoft.com/dotnet/core/tools/dotnet-package-list>).

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::msbuild::advisory;
use crate::model::{Diagnostic, Kind};
use crate::parsers::line::Line;
use crate::parsers::security::scanner::rated;
use crate::parsers::text::raw;
use crate::parsers::{Parser, Verdict};

/// Reads both streams, each with the package that the next rows may go on about.
#[derive(Default)]
pub(in crate::parsers) struct DotnetPackages {
    packages: [Option<(String, String)>; 2],
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    projects: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Project {
    path: String,
    #[serde(default)]
    frameworks: Vec<Framework>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Framework {
    #[serde(default)]
    top_level_packages: Vec<Package>,
    #[serde(default)]
    transitive_packages: Vec<Package>,
}

#[derive(Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    id: String,
    resolved_version: String,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize, serde::Serialize)]
struct Vulnerability {
    severity: String,
    #[serde(rename = "advisoryurl")]
    url: String,
}

impl Parser for DotnetPackages {
    fn triggers(&self) -> &'static [&'static str] {
        &["https://github.com/advisories/GHSA-"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let package = &mut self.packages[line.side()];
        let words: Vec<&str> = line.text.split_whitespace().collect();
        let (level, url) = match words.as_slice() {
            [">", name, .., version, level, url] if is_level(level) && is_address(url) => {
                *package = Some(((*name).to_owned(), (*version).to_owned()));
                (level, url)
            }
            [level, url] if is_level(level) && is_address(url) => (level, url),
            _ => {
                *package = None;
                return Verdict::Idle;
            }
        };
        let Some((name, version)) = package else { return Verdict::Idle };
        out.push(Diagnostic { raw: raw(line.text.trim()), ..found((name, version), level, url) });
        Verdict::Open
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"advisoryurl\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(document) = serde_json::from_str::<Document<'_>>(text) else { return };
        for project in document.projects {
            let Ok(Project { path, frameworks }) = serde_json::from_str(project.get()) else { continue };
            let packages = frameworks.into_iter().flat_map(|it| [it.top_level_packages, it.transitive_packages]);
            for package in packages.flatten() {
                for Vulnerability { severity, url } in &package.vulnerabilities {
                    let found = found((&package.id, &package.resolved_version), severity, url);
                    out.push(Diagnostic { file: Some(path.clone()), raw: to_raw_value(&package).ok(), ..found });
                }
            }
        }
    }
}

fn is_level(word: &str) -> bool {
    ["Low", "Moderate", "High", "Critical"].contains(&word)
}

fn is_address(word: &str) -> bool {
    word.starts_with("https://")
}

fn found((name, version): (&str, &str), level: &str, url: &str) -> Diagnostic {
    let code = advisory(url, url);
    let message = format!("{name} {version}: known {} severity vulnerability, {url}", level.to_lowercase());
    Diagnostic::new("dotnet list package", Kind::Cve, rated(level), code, message)
}
