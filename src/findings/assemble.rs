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
    // A line says nothing without its file.
    let placed = file.is_some();
    let line = line.filter(|_| placed);
    Finding {
        id: None,
        job_id: None,
        project: None,
        subproject: None,
        recipe: None,
        kind,
        severity,
        line,
        column: column.filter(|_| line.is_some()),
        end_line: end_line.filter(|_| line.is_some()),
        fingerprint: fingerprint(kind, file.as_deref(), line, &code),
        file,
        code,
        message,
        suggested_fix,
        first_seen_job: None,
        is_new: true,
        tool: tool.into_owned(),
        raw_json: raw.map(on_one_line),
        created_at: now,
        context_hash: None,
    }
}

/// The same JSON without the line breaks between its parts: a finding is one line of JSON lines.
fn on_one_line(raw: Box<RawValue>) -> Box<RawValue> {
    if !raw.get().contains(['\n', '\r']) {
        return raw;
    }
    // A string never goes on over a line break, so what is at the ends of lines is between the parts.
    let text: String = raw.get().lines().map(str::trim).collect();
    RawValue::from_string(text).unwrap_or(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_many_lines_becomes_one() {
        let raw = RawValue::from_string("{\n  \"a b\": [\r\n    1,\n\t2 ] }".to_owned()).unwrap();
        assert_eq!(on_one_line(raw).get(), "{\"a b\": [1,2 ] }");
    }
}
