//! A diagnostic becomes a finding: it learns its job, its place in the project, and its name.

use serde_json::value::RawValue;

use super::fingerprint;
use super::foreign::as_printed;
use super::paths::PathMap;
use crate::model::{Diagnostic, Finding, Job, Timestamp};

/// The finding that a diagnostic of this job is. It counts as new until [`super::novelty::judge`] knows better.
pub fn finding(diagnostic: Diagnostic, job: &Job, paths: &PathMap, now: Timestamp) -> Finding {
    let file = diagnostic.file.as_deref().and_then(|printed| paths.map(printed));
    let mut finding = bare(diagnostic, file, now);
    finding.job_id = Some(job.id.clone());
    finding.project = Some(job.project.clone());
    finding.subproject = Some(job.subproject.clone());
    finding.recipe = Some(job.recipe.clone());
    finding.first_seen_job = Some(job.id.clone());
    finding
}

/// The finding that a diagnostic of a log from elsewhere is: no job, and its path as printed,
/// as far as the words alone tell what of it is the project's.
pub fn finding_without_job(diagnostic: Diagnostic, now: Timestamp) -> Finding {
    let file = diagnostic.file.as_deref().map(as_printed);
    bare(diagnostic, file, now)
}

fn bare(diagnostic: Diagnostic, file: Option<String>, now: Timestamp) -> Finding {
    let Diagnostic {
        tool,
        kind,
        severity,
        file: _,
        line,
        column,
        end_line,
        code,
        message,
        suggested_fix,
        raw,
        aliases: _,
    } = diagnostic;
    let (file, code, message) = (file.map(plain), plain(code), plain(message));
    // A line says nothing without its file, and a column nothing without its line.
    let line = line.filter(|line| file.is_some() && *line > 0);
    Finding {
        id: None,
        job_id: None,
        project: None,
        subproject: None,
        recipe: None,
        kind,
        severity,
        line,
        column: column.filter(|column| line.is_some() && *column > 0),
        end_line: end_line.filter(|end| line.is_some_and(|line| *end >= line)),
        fingerprint: fingerprint(kind, file.as_deref(), line, &code),
        file,
        code,
        message,
        suggested_fix,
        first_seen_job: None,
        is_new: true,
        tool: tool.into_owned(),
        raw_json: raw.map(on_one_line),
        ignored: None,
        created_at: now,
        context_hash: None,
        folder: None,
    }
}

/// One line that no terminal obeys. The log's lines are clean, but JSON and XML have a way to write every character.
fn plain(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let seen = console::strip_ansi_codes(&text);
    let line = seen.replace(['\n', '\r', '\t'], " ");
    line.replace(char::is_control, "")
}

/// A record without the white space between its parts: a finding is one line of JSON Lines, and half as large.
fn on_one_line(record: Box<RawValue>) -> Box<RawValue> {
    if !record.get().contains('\n') {
        return record;
    }
    let mut line = String::with_capacity(record.get().len());
    let mut rest = record.get();
    // Between strings, which hold no raw line breaks and may hold anything else.
    while let Some(begin) = rest.find('"') {
        line.extend(rest[..begin].split_ascii_whitespace());
        let mut end = begin + 1;
        while let Some(length) = memchr::memchr2(b'"', b'\\', &rest.as_bytes()[end..]) {
            end += length + 1;
            if rest.as_bytes()[end - 1] == b'"' {
                break;
            }
            end += 1;
        }
        line.push_str(&rest[begin..end]);
        rest = &rest[end..];
    }
    line.extend(rest.split_ascii_whitespace());
    RawValue::from_string(line).unwrap_or(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Severity};

    #[test]
    fn what_is_told_is_one_line_without_control_characters_at_a_place_that_can_be() {
        let hostile = "\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7}\n::error::x\u{9b}\0y";
        let found = Diagnostic {
            file: Some("a\u{1b}[2J.py".to_owned()),
            line: Some(3),
            column: Some(0),
            end_line: Some(2),
            ..Diagnostic::new("t", Kind::Lint, Severity::Warn, hostile, hostile)
        };
        let finding = finding_without_job(found, Timestamp::now());
        assert_eq!((&*finding.code, &*finding.message), ("red ::error::xy", "red ::error::xy"));
        assert_eq!(finding.file.as_deref(), Some("a.py"));
        assert_eq!((finding.line, finding.column, finding.end_line), (Some(3), None, None));
    }

    #[test]
    fn a_record_is_one_line_with_the_same_meaning() {
        for record in [
            "{\n  \"a\": \"x  \\\"\\\\ y\",\r\n  \"b\": [ 1, -2.5e3,\ttrue ],\n  \"\": \"\"\n}",
            "[\n\n]",
            "\n\"a\\nb\"\n",
        ] {
            let value: serde_json::Value = serde_json::from_str(record).unwrap();
            let line = on_one_line(RawValue::from_string(record.to_owned()).unwrap());
            assert_eq!(serde_json::from_str::<serde_json::Value>(line.get()).unwrap(), value);
            assert!(!line.get().contains(['\n', '\t', '\r']) && !line.get().contains(": "), "{line}");
        }
    }
}
