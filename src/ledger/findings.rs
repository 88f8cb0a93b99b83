//! The table of findings, as it is written. Reading it is in `selection.rs`.

use rusqlite::{Transaction, named_params};

use super::jobs;
use super::selection::rank;
use crate::error::Result;
use crate::model::{Finding, JobId, Sighting};

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

/// Writes what comparing with the baseline said about findings of one job that are there already.
pub fn judge(tx: &Transaction<'_>, job: &JobId, findings: &[Sighting]) -> Result<()> {
    let mut statement =
        tx.prepare_cached("UPDATE findings SET is_new = ?2, first_seen_job = ?3, context_hash = ?4 WHERE id = ?1")?;
    for finding in findings {
        let first_seen = finding.first_seen_job.as_ref().map(|job| job.as_str());
        // Of a first job, nothing was known but what was written with it.
        if finding.is_new && first_seen == Some(job.as_str()) && finding.context_hash.is_none() {
            continue;
        }
        statement.execute((finding.id, finding.is_new, first_seen, finding.context_hash.map(u64::cast_signed)))?;
    }
    Ok(())
}

/// How many findings the jobs of a project have.
pub fn count_of_project(tx: &Transaction<'_>, project: &crate::model::ProjectName) -> Result<u64> {
    let sql = "SELECT count(*) FROM findings JOIN jobs ON jobs.seq = findings.job WHERE jobs.project = ?1";
    Ok(tx.query_row(sql, [project.as_str()], |row| row.get::<_, i64>(0))?.cast_unsigned())
}
