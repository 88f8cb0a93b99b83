//! The table of findings.

use rusqlite::{Row, Transaction, named_params};
use serde_json::value::RawValue;

use super::{jobs, parsed, unreadable};
use crate::error::Result;
use crate::model::{Finding, FindingFilter, Fingerprint, Job, JobId, Kind, Severity, Timestamp};

/// Adds findings of one job; one that the job has already, by fingerprint, is left out. How many were added.
pub fn insert(tx: &Transaction<'_>, job: &JobId, findings: &[Finding]) -> Result<u64> {
    let seq = jobs::seq(tx, job)?;
    let mut statement = tx.prepare_cached(
        "INSERT INTO findings (job, fingerprint, kind, severity, file, line, col, end_line, code, message, \
         suggested_fix, first_seen_job, is_new, tool, raw_json, context_hash, created_at) VALUES (:job, :fingerprint, \
         :kind, :severity, :file, :line, :col, :end_line, :code, :message, :suggested_fix, :first_seen_job, :is_new, \
         :tool, :raw_json, :context_hash, :created_at) ON CONFLICT (job, fingerprint) DO NOTHING",
    )?;
    let mut added = 0;
    for finding in findings {
        let count = statement.execute(named_params! {
            ":job": seq,
            ":fingerprint": finding.fingerprint.to_bits().cast_signed(),
            ":kind": finding.kind.as_str(),
            ":severity": rank(finding.severity),
            ":file": finding.file,
            ":line": finding.line,
            ":col": finding.column,
            ":end_line": finding.end_line,
            ":code": finding.code,
            ":message": finding.message,
            ":suggested_fix": finding.suggested_fix,
            ":first_seen_job": finding.first_seen_job.as_ref().map(JobId::as_str),
            ":is_new": finding.is_new,
            ":tool": finding.tool,
            ":raw_json": finding.raw_json.as_ref().map(|raw| raw.get()),
            ":context_hash": finding.context_hash.map(u64::cast_signed),
            ":created_at": finding.created_at.as_millis(),
        })?;
        added += count as u64;
    }
    Ok(added)
}

/// Writes what comparing with the baseline said about findings that are there already.
pub fn judge(tx: &Transaction<'_>, findings: &[Finding]) -> Result<()> {
    let mut statement =
        tx.prepare_cached("UPDATE findings SET is_new = ?2, first_seen_job = ?3, context_hash = ?4 WHERE id = ?1")?;
    for finding in findings {
        let first_seen = finding.first_seen_job.as_ref().map(JobId::as_str);
        statement.execute((finding.id, finding.is_new, first_seen, finding.context_hash.map(u64::cast_signed)))?;
    }
    Ok(())
}

/// The findings of one job, the worst first, then by file and line, that `filter` lets through. Its jobs, project and
/// path are not looked at: jobs are the caller's to choose, and SQL knows no such globs.
pub fn of_job(tx: &Transaction<'_>, job: &Job, filter: &FindingFilter) -> Result<Vec<Finding>> {
    let seq = jobs::seq(tx, &job.id)?;
    let mut statement = tx.prepare_cached(
        "SELECT * FROM findings WHERE job = ?1 AND (?2 IS NULL OR kind = ?2) AND severity >= ?3 AND is_new >= ?4 \
         ORDER BY severity DESC, file, line, col, id",
    )?;
    let values = (seq, filter.kind.map(Kind::as_str), filter.severity.map_or(0, rank), filter.new);
    parsed(statement.query_map(values, |row| Ok(read(row, job)))?)
}

/// The findings of one job as far as they are compared: without what was said about them, which may be much.
pub fn places_of_job(tx: &Transaction<'_>, job: &Job) -> Result<Vec<Finding>> {
    let seq = jobs::seq(tx, &job.id)?;
    let mut statement = tx.prepare_cached(
        "SELECT id, fingerprint, kind, severity, file, line, col, end_line, code, '' AS message, NULL AS suggested_fix, \
         first_seen_job, is_new, tool, NULL AS raw_json, context_hash, created_at FROM findings WHERE job = ?1 \
         ORDER BY severity DESC, file, line, col, id",
    )?;
    parsed(statement.query_map([seq], |row| Ok(read(row, job)))?)
}

/// How many findings the jobs of a project have.
pub fn count_of_project(tx: &Transaction<'_>, project: &crate::model::ProjectName) -> Result<u64> {
    let sql = "SELECT count(*) FROM findings JOIN jobs ON jobs.seq = findings.job WHERE jobs.project = ?1";
    Ok(tx.query_row(sql, [project.as_str()], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Warn => 1,
        Severity::Error => 2,
    }
}

fn read(row: &Row<'_>, job: &Job) -> Result<Finding> {
    let kind: Kind = row.get::<_, String>("kind")?.parse().map_err(|error| unreadable("a finding", error))?;
    let severity = match row.get::<_, i64>("severity")? {
        0 => Severity::Info,
        1 => Severity::Warn,
        2 => Severity::Error,
        other => return Err(unreadable("a finding", format!("{other} is not a severity"))),
    };
    let raw: Option<String> = row.get("raw_json")?;
    let first_seen: Option<String> = row.get("first_seen_job")?;
    Ok(Finding {
        id: row.get("id")?,
        job_id: Some(job.id.clone()),
        project: Some(job.project.clone()),
        subproject: Some(job.subproject.clone()),
        recipe: Some(job.recipe.clone()),
        kind,
        severity,
        file: row.get("file")?,
        line: row.get("line")?,
        column: row.get("col")?,
        end_line: row.get("end_line")?,
        code: row.get("code")?,
        message: row.get("message")?,
        suggested_fix: row.get("suggested_fix")?,
        fingerprint: Fingerprint::from_bits(row.get::<_, i64>("fingerprint")?.cast_unsigned()),
        first_seen_job: first_seen.map(|id| id.parse()).transpose()?,
        is_new: row.get("is_new")?,
        tool: row.get("tool")?,
        raw_json: raw
            .map(RawValue::from_string)
            .transpose()
            .map_err(|error| unreadable("a finding's record", error))?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        context_hash: row.get::<_, Option<i64>>("context_hash")?.map(i64::cast_unsigned),
    })
}
