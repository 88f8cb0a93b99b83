//! Names of advisories, and what the reports of audit tools say about them in their messages.

use super::text::one_line;
use crate::model::Diagnostic;

/// How the databases' ids begin.
const DATABASES: [&str; 9] = ["CVE-", "GHSA-", "RUSTSEC-", "PYSEC-", "GO-", "OSV-", "SNYK-", "MAL-", "TEMP-"];

/// Whether the text is the id of an advisory and nothing else.
pub(super) fn is_id(text: &str) -> bool {
    leading_id(text) == Some(text)
}

/// The id that a rule's name begins with: some add the package, as in `CVE-2021-1234-urllib3`.
pub(super) fn leading_id(text: &str) -> Option<&str> {
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

/// Makes message, fix and aliases out of what trivy, grype, osv-scanner and others say in the message.
pub(super) fn fill(found: &mut Diagnostic, text: &str, title: &str) {
    let line = |name: &str| {
        let value = text.lines().find_map(|line| line.trim().strip_prefix(name))?.trim();
        (!value.is_empty()).then_some(value)
    };
    let (mut package, mut version) = (line("Package: "), line("Installed Version: "));
    if package.is_none()
        && let Some((name, number)) = osv_package(text).or_else(|| grype_package(text))
    {
        (package, version) = (Some(name), Some(number));
    }
    if let (Some(package), Some(version)) = (package, version) {
        let said = if title.is_empty() || title == found.code { one_line(text) } else { title.to_owned() };
        found.message = format!("{package} {version}: {said}");
        if let Some(fixed) = line("Fixed Version: ")
            && found.suggested_fix.is_none()
        {
            let fixed: Vec<String> = fixed.split(',').map(|fixed| format!("{package} >= {}", fixed.trim())).collect();
            found.suggested_fix = Some(fixed.join(" or "));
        }
    }
    for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|word| is_id(word)) {
        if text.contains("also known as") && word != found.code && !found.aliases.iter().any(|alias| alias == word) {
            found.aliases.push(word.to_owned());
        }
    }
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
