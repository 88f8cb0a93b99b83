//! Findings, for people.

use super::colour::Tone;
use super::table::{Cell, Look, Table, facts};
use super::text;
use crate::model::{Finding, FindingCounts};

/// Findings, one a row, in their order.
pub fn table(findings: &[Finding], look: Look) -> String {
    let first = findings.first().and_then(|finding| finding.project.as_ref());
    let many = findings.iter().any(|finding| finding.project.as_ref() != first);
    let mut table = Table::new(["project", "severity", "", "place", "code", "message"]);
    for finding in findings {
        let project = finding.project.as_ref().filter(|_| many).map(ToString::to_string);
        table.row([
            project.unwrap_or_default().into(),
            Cell::toned(finding.severity.as_str(), text::severity_tone(finding.severity)),
            if finding.is_new { Cell::toned("NEW", Tone::Strong) } else { "".into() },
            place(finding).into(),
            Cell::toned(&finding.code, Tone::Dim),
            (&finding.message).into(),
        ]);
    }
    table.render(look)
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
            ("job", finding.job_id.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("since job", finding.first_seen_job.as_ref().map(ToString::to_string).unwrap_or_default()),
        ];
        facts(&rows, look)
    };
    findings.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// `3 findings (1 new), 2 fixed`.
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
    line
}

#[cfg(test)]
mod tests {
    use super::super::colour::Paint;
    use super::super::report::samples::findings;
    use super::*;

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

    #[test]
    fn nothing_is_wider_than_the_terminal() {
        for width in 20..180 {
            let look = Look { width: Some(width), paint: Paint(true), lines: true };
            for line in table(&findings(), look).lines().chain(details(&findings(), look).lines()) {
                assert!(console::measure_text_width(line) <= width, "{width}: {line:?}");
            }
        }
    }
}
