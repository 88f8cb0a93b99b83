//! Findings, for people.

use super::colour::Tone;
use super::table::{Cell, Look, Table, facts};
use super::text;
use crate::model::{Finding, FindingCounts, FindingGroup, GroupBy, IgnoreSource, Ignored, Kind};

/// Columns before the findings of a group.
const INDENT: usize = 2;

/// Findings, one a row, in their order.
pub fn table(findings: &[Finding], look: Look) -> String {
    let first = findings.first().and_then(|finding| finding.project.as_ref());
    let many = findings.iter().any(|finding| finding.project.as_ref() != first);
    let mut table = Table::new(["project", "severity", "", "place", "code", "message"]);
    for finding in findings {
        let project = finding.project.as_ref().filter(|_| many).map(ToString::to_string);
        table.row([
            project.unwrap_or_default().into(),
            severity(finding),
            mark(finding),
            place(finding).into(),
            Cell::toned(&finding.code, Tone::Dim),
            message(finding).into(),
        ]);
    }
    table.render(look)
}

/// Findings below the heading of their group, which are in the same order. A group whose findings are cut off has none.
pub fn groups(findings: &[Finding], groups: &[FindingGroup], group_by: GroupBy, look: Look) -> String {
    let inner = Look { width: look.width.map(|width| width.saturating_sub(INDENT)), ..look };
    let mut text = String::new();
    let mut rest = findings;
    for group in groups {
        let length = usize::try_from(group.total()).unwrap_or(usize::MAX).min(rest.len());
        let (own, after) = rest.split_at(length);
        rest = after;
        if own.is_empty() {
            break;
        }
        let mut table = Table::headless();
        for finding in own {
            let (place, code) = match group_by {
                GroupBy::File => (line(finding), Cell::toned(&finding.code, Tone::Dim)),
                GroupBy::Code => (place(finding), "".into()),
            };
            table.row([severity(finding), mark(finding), place.into(), code, message(finding).into()]);
        }
        let key = group.key.as_deref().map_or_else(|| "(no file)".to_owned(), text::clean);
        let gap = if text.is_empty() { "" } else { "\n" };
        text.push_str(&format!("{gap}{}  {}\n", look.paint.paint(Tone::Strong, &key), heading(group)));
        for line in table.render(inner).lines() {
            text.push_str(&format!("{:INDENT$}{line}\n", ""));
        }
    }
    text
}

/// `2 errors, 1 warning (1 new)`.
fn heading(group: &FindingGroup) -> String {
    let counts = [(group.errors, "error"), (group.warns, "warning"), (group.infos, "info")];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    // What is only worth knowing is not counted in the plural.
    let counts = counts.map(|(number, one)| match one {
        "info" => format!("{number} info"),
        one => text::count(number, one),
    });
    let new = if group.new > 0 { format!(" ({} new)", group.new) } else { String::new() };
    counts.collect::<Vec<_>>().join(", ") + &new
}

fn severity(finding: &Finding) -> Cell {
    Cell::toned(finding.severity.as_str(), text::severity_tone(finding.severity))
}

fn mark(finding: &Finding) -> Cell {
    match (&finding.ignored, finding.is_new) {
        (Some(_), _) => Cell::toned("ignored", Tone::Dim),
        (None, true) => Cell::toned("NEW", Tone::Strong),
        (None, false) => "".into(),
    }
}

/// What to go to is the better half of an advisory.
fn message(finding: &Finding) -> String {
    match &finding.suggested_fix {
        Some(fix) if finding.kind == Kind::Cve => format!("{} → {fix}", finding.message),
        _ => finding.message.clone(),
    }
}

/// Where in its file, or where it is from if it has none.
fn line(finding: &Finding) -> String {
    match (&finding.file, finding.line) {
        (Some(_), line) => line.map(|line| line.to_string()).unwrap_or_default(),
        (None, _) => place(finding),
    }
}

/// `src/lib.rs:3`; the subproject where the finding has no file.
fn place(finding: &Finding) -> String {
    match (&finding.file, finding.line, &finding.subproject) {
        (Some(file), Some(line), _) => format!("{file}:{line}"),
        (Some(file), None, _) => file.clone(),
        (None, _, Some(subproject)) if !subproject.is_root() => subproject.to_string(),
        (None, ..) => String::new(),
    }
}

/// Each finding in full.
pub fn details(findings: &[Finding], look: Look) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let one = |finding: &Finding| {
        let place = match finding.column.filter(|_| finding.line.is_some()) {
            Some(column) => format!("{}:{column}", place(finding)),
            None => place(finding),
        };
        let new = if finding.is_new { " (new)" } else { "" };
        let rows = [
            ("finding", format!("{}{new}", finding.fingerprint)),
            ("severity", format!("{} ({}, {})", finding.severity, finding.kind, finding.tool)),
            ("place", place),
            ("code", finding.code.clone()),
            ("message", finding.message.clone()),
            ("fix", text(&finding.suggested_fix)),
            ("ignored", finding.ignored.as_ref().map(ignored).unwrap_or_default()),
            ("job", finding.job_id.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("since job", finding.first_seen_job.as_ref().map(ToString::to_string).unwrap_or_default()),
        ];
        facts(&rows, look)
    };
    findings.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// `a test fixture (by the ledger, until 2027-01-31 00:00:00)`.
fn ignored(ignored: &Ignored) -> String {
    let by = match ignored.source {
        IgnoreSource::Ledger => "the ledger",
        IgnoreSource::ProjectFile => "crafting.toml",
    };
    let until = ignored.until.map(|until| format!(", until {}", text::until(until))).unwrap_or_default();
    format!("{} (by {by}{until})", ignored.reason)
}

/// `3 findings (1 new), 2 fixed, 1 ignored`.
pub fn counts(counts: &FindingCounts) -> String {
    let mut line = match counts.total {
        0 => "no findings".to_owned(),
        total => text::count(total, "finding"),
    };
    if counts.new > 0 {
        line.push_str(&format!(" ({} new)", counts.new));
    }
    if counts.fixed > 0 {
        line.push_str(&format!(", {} fixed", counts.fixed));
    }
    if counts.ignored > 0 {
        line.push_str(&format!(", {} ignored", counts.ignored));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::colour::Paint;
    use super::super::report::samples::{finding, findings};
    use super::*;
    use crate::model::Severity;

    #[test]
    fn findings_fit_wide_and_narrow() {
        let look = |width: Option<usize>| Look { width, paint: Paint(false), lines: width.is_some() };
        for width in [40, 80, 160] {
            insta::assert_snapshot!(format!("findings_{width}"), table(&findings(), look(Some(width))));
        }
        insta::assert_snapshot!("findings_piped", table(&findings(), look(None)));
        insta::assert_snapshot!("findings_details", details(&findings()[..2], look(Some(60))));
        insta::assert_snapshot!(
            "findings_colour",
            table(&findings(), Look { width: Some(80), paint: Paint(true), lines: true })
        );
    }

    /// An advisory with a fix, one without, what could not be checked, and what is ignored.
    fn audited() -> Vec<Finding> {
        let id = "bbbbbbbbbbbb";
        let cve = |severity, code: &str, message: &str| finding(id, Kind::Cve, severity, None, code, message);
        let mut all = vec![
            cve(Severity::Error, "PYSEC-2023-192", "urllib3 1.26.5: cookies leak over redirects"),
            cve(Severity::Error, "RUSTSEC-2020-0071", "time 0.1.44: potential segfault"),
            cve(Severity::Warn, "not_checked:torch", "torch 2.1.0+cu118 is not on PyPI and could not be audited"),
            finding(id, Kind::Lint, Severity::Warn, Some(("gen/a.py", 7)), "E501", "line too long (103 > 88)"),
        ];
        all[0].suggested_fix = Some("urllib3 >= 1.26.17".to_owned());
        all[3].ignored =
            Some(Ignored { reason: "generated code".to_owned(), until: None, source: IgnoreSource::ProjectFile });
        all
    }

    #[test]
    fn advisories_name_the_version_to_go_to_and_what_is_ignored_is_marked() {
        for width in [80, 200] {
            let look = Look { width: Some(width), paint: Paint(false), lines: true };
            insta::assert_snapshot!(format!("audited_{width}"), table(&audited(), look));
        }
        let look = Look { width: Some(80), paint: Paint(false), lines: true };
        insta::assert_snapshot!("audited_details", details(&audited(), look));
        let answer = crate::farm::Findings { findings: audited(), ..Default::default() };
        let answer = answer.arranged(Some(GroupBy::File), None);
        insta::assert_snapshot!("audited_groups", groups(&answer.findings, &answer.groups, GroupBy::File, look));
        insta::assert_snapshot!(counts(&FindingCounts::of(&audited(), 2)), @"4 findings (2 new), 2 fixed, 1 ignored");
    }

    #[test]
    fn nothing_is_wider_than_the_terminal() {
        for width in 20..180 {
            let look = Look { width: Some(width), paint: Paint(true), lines: true };
            for line in table(&findings(), look).lines().chain(details(&audited(), look).lines()) {
                assert!(console::measure_text_width(line) <= width, "{width}: {line:?}");
            }
        }
    }
}
