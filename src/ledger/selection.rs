//! Reading findings: which, in what order, how many, a page or all of them one after the other.
//!
//! A job may have hundreds of thousands, each with a record of some kilobytes. So counting and sorting are SQLite's,
//! sorting moves numbers of rows only, and the records are read if somebody wants them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, Row, Transaction};
use serde_json::value::RawValue;

use super::{jobs, unreadable};
use crate::error::Result;
use crate::model::{
    Finding, FindingCounts, FindingFilter, FindingGroup, Fingerprint, GroupBy, IgnoreSource, Ignored, Job, JobId, Kind,
    Severity, Sighting, Timestamp, path_glob,
};

/// Findings with what says that they are ignored.
const TABLES: &str =
    "findings f LEFT JOIN ignored i ON i.finding = f.id LEFT JOIN suppressions s ON s.id = i.suppression";
/// The place of a finding's kind in [`Kind::ALL`].
const KIND: &str = "CASE f.kind WHEN 'cve' THEN 0 WHEN 'test_fail' THEN 1 WHEN 'lint' THEN 2 ELSE 3 END";
/// How many rows of others may lie between those that are wanted, for each of them.
const MUCH: i64 = 4;
/// The worst group first.
const WORST_GROUP_FIRST: &str = "g.errors DESC, g.warns DESC, g.infos DESC, g.key";

/// Makes the functions that the statements here use.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("path_matches", 2, flags, |context: &Context<'_>| {
        // Compiled once a statement: the pattern is the same for every row.
        let glob = context.get_or_create_aux(0, |pattern| {
            path_glob(pattern.as_str()?).map_err(|error| Box::new(error) as Box<dyn std::error::Error + Send + Sync>)
        })?;
        Ok(context.get_raw(1).as_str_or_null().ok().flatten().is_some_and(|file| glob.is_match(file)))
    })
}

/// The worst first: by severity, by kind in the order of the model, then by place.
fn worst_first() -> String {
    format!("f.severity DESC, {KIND}, f.file, f.line, f.col, f.id")
}

/// The findings of some jobs, named so that they are walked in the order in which they were written. The index of jobs
/// has them by fingerprint, and to fetch many rows of a large table in that order costs twenty times as much.
fn of_jobs(tx: &Transaction<'_>, seqs: &str) -> Result<String> {
    let sql = format!("SELECT min(id), max(id), count(*) FROM findings WHERE job IN ({seqs})");
    let (first, last, number): (Option<i64>, Option<i64>, i64) =
        tx.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(match first.zip(last) {
        Some((first, last)) if last - first <= number.saturating_mul(MUCH) => {
            format!("f.id BETWEEN {first} AND {last} AND +f.job IN ({seqs})")
        }
        Some(_) => format!("f.id IN (SELECT id FROM findings WHERE job IN ({seqs}))"),
        None => "FALSE".to_owned(),
    })
}

/// Which of the jobs' findings are new.
#[derive(Clone, Debug, Default)]
pub enum Newness {
    /// As their own jobs found when they were compared with their baselines.
    #[default]
    AsJudged,
    /// Those that a job since then had first; nothing else is read.
    Since(Timestamp),
    /// Those with these row numbers; nothing else is read.
    Only(Vec<i64>),
}

/// Findings of some jobs, to be counted or read.
pub struct Selection<'a> {
    jobs: BTreeMap<i64, &'a Job>,
    seqs: String,
    /// What of the jobs' findings is wanted at all; `?1` is the pattern for paths, `?2` the row numbers.
    condition: String,
    /// Whether a finding is ignored now.
    ignored: String,
    /// What of it is shown.
    shown: String,
    path: Option<&'a str>,
    only: Option<String>,
    /// Whether all that is read counts as new.
    all_new: bool,
    shows_ignored: bool,
    now: Timestamp,
}

impl<'a> Selection<'a> {
    /// What `filter` lets through of the findings of `jobs`; its own jobs and project are not looked at.
    pub fn new(
        tx: &Transaction<'_>,
        jobs: &'a [Job],
        filter: &'a FindingFilter,
        newness: &Newness,
        now: Timestamp,
    ) -> Result<Self> {
        if let Some(pattern) = &filter.path {
            path_glob(pattern)?;
        }
        let jobs = jobs.iter().map(|job| Ok((jobs::seq(tx, &job.id)?, job))).collect::<Result<BTreeMap<_, _>>>()?;
        let seqs = jobs.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut condition = "(?1 IS NULL OR path_matches(?1, f.file)) \
                             AND (?2 IS NULL OR f.id IN (SELECT value FROM json_each(?2)))"
            .to_owned();
        let mut and = |text: &str| condition.push_str(&format!(" AND {text}"));
        if let Some(kind) = filter.kind {
            and(&format!("f.kind = '{kind}'"));
        }
        if let Some(least) = filter.severity {
            and(&format!("f.severity >= {}", rank(least)));
        }
        let mut only = None;
        match newness {
            Newness::AsJudged if filter.new => and("f.is_new"),
            Newness::AsJudged => {}
            Newness::Since(time) => and(&format!(
                "f.first_seen_job IN (SELECT id FROM jobs WHERE coalesce(started_at, queued_at) >= {})",
                time.as_millis()
            )),
            Newness::Only(rows) => only = Some(format!("{rows:?}")),
        }
        let ignored = super::suppressions::ignored_at(now);
        let shown = if filter.ignored { "TRUE".to_owned() } else { format!("NOT {ignored}") };
        Ok(Self {
            jobs,
            seqs,
            condition,
            ignored,
            shown,
            path: filter.path.as_deref(),
            only,
            all_new: !matches!(newness, Newness::AsJudged),
            shows_ignored: filter.ignored,
            now,
        })
    }

    fn values(&self) -> (Option<&str>, Option<&str>) {
        (self.path, self.only.as_deref())
    }

    fn condition(&self, tx: &Transaction<'_>) -> Result<String> {
        Ok(format!("{} AND {}", of_jobs(tx, &self.seqs)?, self.condition))
    }

    /// How many there are, beside so many that are gone.
    pub fn count(&self, tx: &Transaction<'_>, fixed: u64) -> Result<FindingCounts> {
        let (condition, ignored) = (self.condition(tx)?, &self.ignored);
        // One number to group by: texts are slow to compare.
        let sql = format!(
            "SELECT f.severity * 16 + {KIND} * 4 + f.is_new * 2 + {ignored}, count(*) FROM {TABLES} \
             WHERE {condition} GROUP BY 1"
        );
        let mut counts = FindingCounts::with_fixed(fixed);
        let mut statement = tx.prepare(&sql)?;
        let mut rows = statement.query(self.values())?;
        while let Some(row) = rows.next()? {
            let packed: i64 = row.get(0)?;
            let severity = severity(packed >> 4)?;
            let kind = Kind::ALL[usize::try_from(packed >> 2 & 3).unwrap_or_default()];
            let new = self.all_new || packed & 2 != 0;
            let number = row.get::<_, i64>(1)?.cast_unsigned();
            counts.add((kind, severity, new), packed & 1 != 0, self.shows_ignored, number);
        }
        Ok(counts)
    }

    /// The numbers of the rows that are shown, the worst first; with `group_by` the worst group first, and the worst
    /// first in it. At most `limit`.
    pub fn rows(&self, tx: &Transaction<'_>, group_by: Option<GroupBy>, limit: Option<u64>) -> Result<Vec<i64>> {
        let (condition, shown, worst_first) = (self.condition(tx)?, &self.shown, worst_first());
        let limit = limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let sql = match group_by {
            None => {
                format!("SELECT f.id FROM {TABLES} WHERE {condition} AND {shown} ORDER BY {worst_first} LIMIT {limit}")
            }
            Some(group_by) => {
                let key = key(group_by);
                format!(
                    "WITH g AS MATERIALIZED ({}) SELECT f.id FROM {TABLES} JOIN jobs j ON j.seq = f.job JOIN g ON g.key = {key} \
                     WHERE {condition} AND {shown} ORDER BY {WORST_GROUP_FIRST}, {worst_first} LIMIT {limit}",
                    self.grouped(tx, group_by)?
                )
            }
        };
        let mut statement = tx.prepare(&sql)?;
        let rows = statement.query_map(self.values(), |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The groups that what is shown falls into, the worst first.
    pub fn groups(&self, tx: &Transaction<'_>, group_by: GroupBy, limit: Option<u64>) -> Result<Vec<FindingGroup>> {
        let limit = limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let sql = format!(
            "SELECT g.name, g.errors, g.warns, g.infos, g.new FROM ({}) g ORDER BY {WORST_GROUP_FIRST} LIMIT {limit}",
            self.grouped(tx, group_by)?
        );
        let mut statement = tx.prepare(&sql)?;
        let rows = statement.query_map(self.values(), |row| {
            let number = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(FindingGroup {
                key: row.get(0)?,
                errors: number(1)?,
                warns: number(2)?,
                infos: number(3)?,
                new: number(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn grouped(&self, tx: &Transaction<'_>, group_by: GroupBy) -> Result<String> {
        let Self { shown, ignored, .. } = self;
        let condition = self.condition(tx)?;
        let name = match group_by {
            GroupBy::File => "f.file",
            GroupBy::Code => "f.code",
        };
        let new = if self.all_new { "TRUE" } else { "f.is_new" };
        Ok(format!(
            "SELECT {} AS key, {name} AS name, sum(f.severity = 2) AS errors, sum(f.severity = 1) AS warns, \
             sum(f.severity = 0) AS infos, sum({new} AND NOT {ignored}) AS new FROM {TABLES} \
             JOIN jobs j ON j.seq = f.job WHERE {condition} AND {shown} GROUP BY 1",
            key(group_by)
        ))
    }

    /// The findings of these rows, in that order; without the tools' own records unless `records` are wanted.
    pub fn read(&self, tx: &Transaction<'_>, rows: &[i64], records: bool) -> Result<Vec<Finding>> {
        let record = if records { "f.raw_json" } else { "NULL" };
        let ledger = super::suppressions::holds_at(self.now);
        let rule = super::suppressions::rule_holds_at(self.now);
        let sql = format!(
            "SELECT f.id, f.job, f.kind, f.severity, f.file, f.line, f.col, f.end_line, f.code, f.message, \
             f.suggested_fix, f.fingerprint, f.first_seen_job, f.is_new, f.tool, f.created_at, {ledger}, s.reason, \
             s.until, {rule}, i.rule_reason, i.rule_until, {record}, f.context_hash FROM {TABLES} WHERE f.id = ?1"
        );
        let mut statement = tx.prepare_cached(&sql)?;
        let one = |id: &i64| -> Result<Option<Finding>> {
            let mut found = statement.query([id])?;
            found.next()?.map(|row| self.finding(row)).transpose()
        };
        // One that is gone meanwhile went with its job.
        rows.iter().map(one).filter_map(Result::transpose).collect()
    }

    fn finding(&self, row: &Row<'_>) -> Result<Finding> {
        let job = self.jobs.get(&row.get(1)?).ok_or_else(|| unreadable("a finding", "it is of another job"))?;
        let first_seen: Option<String> = row.get(12)?;
        let raw: Option<String> = row.get(22)?;
        let until = |column: usize| row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_millis));
        let ignored = match (row.get(16)?, row.get(19)?) {
            (true, _) => Some(Ignored { reason: row.get(17)?, until: until(18)?, source: IgnoreSource::Ledger }),
            (_, true) => Some(Ignored { reason: row.get(20)?, until: until(21)?, source: IgnoreSource::ProjectFile }),
            _ => None,
        };
        Ok(Finding {
            id: row.get(0)?,
            job_id: Some(job.id.clone()),
            project: Some(job.project.clone()),
            subproject: Some(job.subproject.clone()),
            recipe: Some(job.recipe.clone()),
            kind: kind(row, 2)?,
            severity: severity(row.get(3)?)?,
            file: row.get(4)?,
            line: row.get(5)?,
            column: row.get(6)?,
            end_line: row.get(7)?,
            code: row.get(8)?,
            message: row.get(9)?,
            suggested_fix: row.get(10)?,
            fingerprint: Fingerprint::from_bits(row.get::<_, i64>(11)?.cast_unsigned()),
            first_seen_job: first_seen.map(|id| id.parse::<JobId>()).transpose()?,
            is_new: self.all_new || row.get(13)?,
            tool: row.get(14)?,
            ignored,
            raw_json: raw
                .map(RawValue::from_string)
                .transpose()
                .map_err(|error| unreadable("a finding's record", error))?,
            created_at: Timestamp::from_millis(row.get(15)?),
            context_hash: row.get::<_, Option<i64>>(23)?.map(i64::cast_unsigned),
            folder: None,
        })
    }
}

/// The row of a job's newest finding; 0 if it has none.
pub fn last_row(tx: &Transaction<'_>, job: &JobId) -> Result<i64> {
    let sql = "SELECT coalesce(max(id), 0) FROM findings WHERE job = ?1";
    Ok(tx.prepare_cached(sql)?.query_row([jobs::seq(tx, job)?], |row| row.get(0))?)
}

/// A job's findings behind a row, in the order in which they were found, with the tools' own records; at most `limit`.
pub fn after(tx: &Transaction<'_>, job: &Job, row: i64, limit: usize) -> Result<Vec<Finding>> {
    let filter = FindingFilter { ignored: true, ..FindingFilter::default() };
    let selection = Selection::new(tx, std::slice::from_ref(job), &filter, &Newness::AsJudged, Timestamp::now())?;
    // The job's index has the rows' numbers too, so that those of others are not walked.
    let sql = "SELECT id FROM findings INDEXED BY findings_by_job WHERE job = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let mut statement = tx.prepare_cached(sql)?;
    let rows = statement
        .query_map((jobs::seq(tx, &job.id)?, row, i64::try_from(limit).unwrap_or(i64::MAX)), |row| {
            row.get::<_, i64>(0)
        })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    selection.read(tx, &rows, true)
}

/// What findings of one group have in common; files of different projects are different files.
fn key(group_by: GroupBy) -> &'static str {
    match group_by {
        GroupBy::File => "j.project || '/' || coalesce(f.file, '')",
        GroupBy::Code => "f.code",
    }
}

/// A job's findings as far as comparing goes, in the order in which they were found.
pub fn sightings(tx: &Transaction<'_>, job: &Job, now: Timestamp) -> Result<Vec<Sighting>> {
    let sql = format!(
        "SELECT f.id, f.kind, f.file, f.line, f.col, f.code, f.fingerprint, f.context_hash, f.first_seen_job, f.is_new, \
         i.suppression, {} FROM {TABLES} WHERE {} ORDER BY f.id",
        super::suppressions::ignored_at(now),
        of_jobs(tx, &jobs::seq(tx, &job.id)?.to_string())?
    );
    let (mut texts, mut firsts): (HashSet<Arc<str>>, HashMap<String, Arc<JobId>>) = Default::default();
    // The same few files and codes again and again.
    let mut shared = |text: &str| match texts.get(text) {
        Some(known) => Arc::clone(known),
        None => {
            let new: Arc<str> = text.into();
            texts.insert(Arc::clone(&new));
            new
        }
    };
    let mut statement = tx.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let first_seen_job = match row.get::<_, Option<String>>(8)? {
            None => None,
            Some(id) => Some(match firsts.get(&id) {
                Some(known) => Arc::clone(known),
                None => {
                    let parsed = Arc::new(id.parse()?);
                    firsts.insert(id, Arc::clone(&parsed));
                    parsed
                }
            }),
        };
        let text =
            |column: usize| row.get_ref(column)?.as_str_or_null().map_err(|error| unreadable("a finding", error));
        found.push(Sighting {
            id: row.get(0)?,
            kind: kind(row, 1)?,
            file: text(2)?.map(&mut shared),
            line: row.get(3)?,
            column: row.get(4)?,
            code: shared(text(5)?.unwrap_or_default()),
            fingerprint: row.get::<_, i64>(6)?.cast_unsigned(),
            context_hash: row.get::<_, Option<i64>>(7)?.map(i64::cast_unsigned),
            first_seen_job,
            is_new: row.get(9)?,
            suppression: row.get(10)?,
            ignored: row.get(11)?,
        });
    }
    Ok(found)
}

/// The order of severities in SQL.
pub(super) fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Warn => 1,
        Severity::Error => 2,
    }
}

pub(super) fn kind(row: &Row<'_>, column: usize) -> Result<Kind> {
    let text = row.get_ref(column)?.as_str().map_err(|error| unreadable("a finding", error))?;
    text.parse().map_err(|error| unreadable("a finding", error))
}

fn severity(rank: i64) -> Result<Severity> {
    match rank {
        0 => Ok(Severity::Info),
        1 => Ok(Severity::Warn),
        2 => Ok(Severity::Error),
        other => Err(unreadable("a finding", format!("{other} is not a severity"))),
    }
}
