//! A diagnostic becomes a finding: it learns its job, its place in the project, and its name.

use super::fingerprint;
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

/// The finding that a diagnostic of a log from elsewhere is: no job, and its path as printed.
pub fn finding_without_job(diagnostic: Diagnostic, now: Timestamp) -> Finding {
    let file = diagnostic.file.as_deref().map(|printed| printed.strip_prefix("./").unwrap_or(printed).to_owned());
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
        ignored: None,
        raw_json: raw,
        created_at: now,
        context_hash: None,
    }
}
