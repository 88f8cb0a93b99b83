//! Names of advisories, and what the reports of audit tools say about them in their messages.

use crate::model::{Diagnostic, Severity};
use crate::parsers::text::{bounded, one_line};

/// How the databases' ids begin.
const DATABASES: [&str; 9] = ["CVE-", "GHSA-", "RUSTSEC-", "PYSEC-", "GO-", "OSV-", "SNYK-", "MAL-", "TEMP-"];

/// Whether the text is the id of an advisory and nothing else.
pub(in crate::parsers) fn is_id(text: &str) -> bool {
    leading_id(text) == Some(text)
}

/// The id that a rule's name begins with: some add the package, as in `CVE-2021-1234-urllib3`.
pub(in crate::parsers) fn leading_id(text: &str) -> Option<&str> {
    let database = DATABASES.iter().find(|database| text.starts_with(**database))?;
    let rest = &text[database.len()..];
    let parts = match *database {
        // Snyk's and those of single distributions have the package inside.
        "SNYK-" | "MAL-" | "TEMP-" => return rest.bytes().any(|byte| byte.is_ascii_digit()).then_some(text),
        "GHSA-" => 3,
        _ => 2,
    };
    let mut length = 0;
    for (index, part) in rest.split('-').enumerate() {
        if index == parts {
            break;
        }
        let is_part = match *database {
            "GHSA-" => part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            _ => !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()),
        };
        if !is_part {
            return None;
        }
        length += part.len() + usize::from(index > 0);
        if index + 1 == parts {
            return Some(&text[..database.len() + length]);
        }
    }
    None
}

/// Bytes of a rule's help that are looked at.
const HELP_LIMIT: usize = 256 << 10;

/// What of a rule's help says which version mends it: a line of grype, or the table of osv-scanner.
pub(in crate::parsers) fn fixed_versions(help: &str) -> Vec<String> {
    let mut fixed = Vec::new();
    for line in bounded(help, HELP_LIMIT).lines() {
        if let Some(versions) = line.strip_prefix("Fix Version: ") {
            fixed.extend(versions.split(',').map(|version| version.trim().to_owned()));
        } else if let Some(row) = line.strip_prefix("| ")
            && let [id, _package, version, ""] = row.split('|').map(str::trim).collect::<Vec<_>>()[..]
            && is_id(id)
        {
            fixed.push(version.to_owned());
        }
    }
    fixed.retain(|version| version.bytes().any(|byte| byte.is_ascii_digit()));
    fixed.dedup();
    fixed.truncate(20);
    fixed
}

/// Makes message, fix, severity and aliases out of what trivy, grype, osv-scanner and others say in the message.
/// `title` is the advisory's, `fixed` the versions that [`fixed_versions`] found.
pub(in crate::parsers) fn fill(found: &mut Diagnostic, text: &str, title: &str, fixed: &[String]) {
    let line = |name: &str| {
        let value = text.lines().find_map(|line| line.trim().strip_prefix(name))?.trim();
        (!value.is_empty()).then_some(value)
    };
    let pair = line("Package: ").zip(line("Installed Version: "));
    let pair = pair.or_else(|| osv_package(text)).or_else(|| grype_package(text));
    let title = [format!("[{}] ", found.code), format!("{}: ", found.code)]
        .iter()
        .find_map(|start| title.strip_prefix(start.as_str()))
        .unwrap_or(title);
    let said = if title.is_empty() || title == found.code { one_line(text) } else { title.to_owned() };
    if let Some((package, version)) = pair {
        found.message = format!("{package} {version}: {said}");
        let listed: Vec<&str> = line("Fixed Version: ").into_iter().flat_map(|list| list.split(',')).collect();
        let versions = listed.into_iter().chain(fixed.iter().map(String::as_str));
        let versions: Vec<String> = versions.map(|version| format!("{package} >= {}", version.trim())).collect();
        if found.suggested_fix.is_none() && !versions.is_empty() {
            found.suggested_fix = Some(versions.join(" or "));
        }
    } else if let Some(package) = go_package(text) {
        found.message = format!("{package}: {said}");
    }
    if let Some(severity) = line("Severity: ").or_else(|| grype_severity(text)).and_then(severity) {
        found.severity = severity;
    }
    if text.contains("also known as") {
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|word| is_id(word)) {
            if word != found.code && !found.aliases.iter().any(|alias| alias == word) {
                found.aliases.push(word.to_owned());
            }
        }
    }
}

/// A severity as the databases name it.
pub(in crate::parsers) fn severity(name: &str) -> Option<Severity> {
    match name.to_ascii_lowercase().as_str() {
        "critical" | "high" | "unknown" => Some(Severity::Error),
        "medium" | "moderate" => Some(Severity::Warn),
        "low" | "negligible" => Some(Severity::Info),
        _ => None,
    }
}

/// `A high vulnerability in …`.
fn grype_severity(text: &str) -> Option<&str> {
    text.strip_prefix("A ")?.split_once(" vulnerability in ").map(|(severity, _)| severity)
}

/// `Your code calls vulnerable functions in 1 package (golang.org/x/text/language).`
fn go_package(text: &str) -> Option<&str> {
    let (_, rest) = text.strip_prefix("Your code ")?.split_once(" (")?;
    rest.split_once(')').map(|(package, _)| package)
}

/// `Package 'urllib3@1.26.5' is vulnerable to 'CVE-…'`.
fn osv_package(text: &str) -> Option<(&str, &str)> {
    let (package, _) = text.strip_prefix("Package '")?.split_once('\'')?;
    package.rsplit_once('@')
}

/// `A high vulnerability in python package: urllib3, version 1.26.5 was found at: /requirements.txt`.
fn grype_package(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once(" package: ")?;
    let (package, rest) = rest.split_once(", version ")?;
    Some((package, rest.split_once(' ')?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_what_looks_alike() {
        for (text, id) in [
            ("CVE-2021-12345", Some("CVE-2021-12345")),
            ("CVE-2021-1234-urllib3", Some("CVE-2021-1234")),
            ("GHSA-mh33-7rrq-662w-urllib3", Some("GHSA-mh33-7rrq-662w")),
            ("RUSTSEC-2020-0071", Some("RUSTSEC-2020-0071")),
            ("GO-2021-0113", Some("GO-2021-0113")),
            ("SNYK-PYTHON-URLLIB3-1533435", Some("SNYK-PYTHON-URLLIB3-1533435")),
            ("CVE-2021", None),
            ("CVE-x-1", None),
            ("GO-CRITIC-1", None),
            ("go-2021-1", None),
            ("", None),
        ] {
            assert_eq!(leading_id(text), id, "{text}");
        }
    }
}
