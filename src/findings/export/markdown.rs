//! A table in GitHub-flavoured Markdown (<https://github.github.com/gfm/>), for a comment or a job's summary.

use std::io::{Result, Write};

use super::{place, place_and_line};
use crate::model::{Finding, FindingCounts, Severity};

pub(super) fn write(findings: &[Finding], out: &mut dyn Write) -> Result<()> {
    let counts = FindingCounts::of(findings, 0);
    let mut heading = match (counts.total, counts.new) {
        (0, _) => return out.write_all(b"No findings.\n"),
        (1, 0) => "**1 finding**".to_owned(),
        (1, _) => "**1 finding**, new".to_owned(),
        (total, 0) => format!("**{total} findings**"),
        (total, new) => format!("**{total} findings**, {new} new"),
    };
    if counts.ignored > 0 {
        heading.push_str(&format!(", {} ignored", counts.ignored));
    }
    writeln!(out, "{heading}\n")?;
    out.write_all(b"| | where | code | what |\n|---|---|---|---|\n")?;
    for finding in findings {
        let severity = match finding.severity {
            Severity::Error => "\u{1f534} error",
            Severity::Warn => "\u{1f7e1} warn",
            Severity::Info => "\u{1f535} info",
        };
        let state = match &finding.ignored {
            Some(_) => " ignored",
            None if finding.is_new && counts.new < counts.total => " **new**",
            None => "",
        };
        let place = if place(finding) == "." { String::new() } else { code(&place_and_line(finding)) };
        let mut what = prose(&finding.message);
        if let Some(fix) = finding.suggested_fix.as_deref().filter(|fix| !fix.trim().is_empty() && !fix.contains('\n'))
        {
            what.push_str(&format!("<br>fix: {}", code(fix.trim())));
        }
        if let Some(ignored) = &finding.ignored {
            what.push_str(&format!("<br>ignored: {}", prose(&ignored.reason)));
        }
        writeln!(out, "| {severity}{state} | {place} | {} | {what} |", code(&finding.code))?;
    }
    Ok(())
}

/// A code span: as many backticks around as the text does not have, and no cell's end in it.
fn code(text: &str) -> String {
    let text = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let text = text.collect::<Vec<_>>().join(" ");
    if text.contains('|') {
        // A backslash before the bar would end a code span's cell all the same, if the text has one there.
        return format!("<code>{}</code>", prose(&text));
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    if text.is_empty() { text } else { format!("{fence}{gap}{text}{gap}{fence}") }
}

/// Text of a tool's that stays text: no markup, no links, nobody mentioned.
fn prose(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '@' => safe.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                safe.push('\\');
                safe.push(c);
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
