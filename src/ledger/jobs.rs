//! The table of jobs. What makes it the queue is in `queue.rs`.

use rusqlite::{OptionalExtension, Row, ToSql, Transaction, named_params, params_from_iter};

use super::{Within, events, parsed, unreadable};
use crate::error::{Code, Error, Result};
use crate::model::{CommitId, Job, JobFilter, JobId, JobStatus, ProjectName, RunnerId, Scope, Timestamp};

/// In the order in which [`read`] takes them.
pub(super) const COLUMNS: &str = "id, batch_id, project, subproject, recipe, status, git_ref, sha, dirty, exit_code, queued_at, \
                       started_at, finished_at, findings_count, findings_new, findings_fixed, log_bytes, log_lines, \
                       runtime, recipe_snapshot, token, error, retry_of";

/// The most jobs of one list: 500, and one that tells whether there are more.
const PAGE: u32 = 501;

/// How a job ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// A final state.
    pub status: JobStatus,
    /// The recipe's exit status; null if it never started.
    pub exit_code: Option<i32>,
    /// Why the farm could not run it, if so.
    pub error: Option<String>,
    /// Bytes in its log.
    pub log_bytes: u64,
    /// Lines in its log.
    pub log_lines: u64,
    /// How many findings it has.
    pub findings_count: u64,
    /// How many of them are new.
    pub findings_new: u64,
    /// How many of the baseline's are gone.
    pub findings_fixed: u64,
}

impl Outcome {
    /// The end of a job that has nothing to show.
    pub fn bare(status: JobStatus, exit_code: Option<i32>) -> Self {
        Self {
            status,
            exit_code,
            error: None,
            log_bytes: 0,
            log_lines: 0,
            findings_count: 0,
            findings_new: 0,
            findings_fixed: 0,
        }
    }
}

/// Queues a job. With `bound_to` no other runner may take it; before `not_before` none may.
pub fn insert(
    tx: &Transaction<'_>,
    job: &Job,
    bound_to: Option<&RunnerId>,
    not_before: Option<Timestamp>,
) -> Result<()> {
    let snapshot = serde_json::to_string(&job.recipe_snapshot).map_err(|error| unreadable("a recipe", error))?;
    tx.prepare_cached(
        "INSERT INTO jobs (id, batch_id, project, subproject, recipe, status, git_ref, sha, dirty, queued_at, runtime, \
         recipe_snapshot, token, retry_of, not_before, bound_to, owner) VALUES (:id, :batch_id, :project, :subproject, \
         :recipe, :status, :git_ref, :sha, :dirty, :queued_at, :runtime, :recipe_snapshot, :token, :retry_of, \
         :not_before, :bound_to, (SELECT owner FROM projects WHERE name = :project))",
    )?
    .execute(named_params! {
        ":id": job.id.as_str(),
        ":batch_id": job.batch_id.as_str(),
        ":project": job.project.as_str(),
        ":subproject": job.subproject.as_str(),
        ":recipe": job.recipe.as_str(),
        ":status": job.status.as_str(),
        ":git_ref": job.git_ref.as_str(),
        ":sha": job.sha.as_ref().map(|sha| sha.as_str()),
        ":dirty": job.dirty,
        ":queued_at": job.queued_at.as_millis(),
        ":runtime": job.runtime,
        ":recipe_snapshot": snapshot,
        ":token": job.token,
        ":retry_of": job.retry_of.as_ref().map(JobId::as_str),
        ":not_before": not_before.map(Timestamp::as_millis),
        ":bound_to": bound_to.map(RunnerId::as_str),
    })?;
    Ok(())
}

/// One job.
pub fn get(tx: &Transaction<'_>, id: &JobId) -> Result<Job> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1");
    match tx.prepare_cached(&sql)?.query_row([id.as_str()], |row| Ok(read(row))).optional()? {
        Some(job) => job,
        None => Err(missing(id.as_str())),
    }
}

/// One job, if it lies `within`; else it is not there.
pub fn get_within(tx: &Transaction<'_>, within: Within<'_>, id: &JobId) -> Result<Job> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE {} AND id = ?2", within.of_jobs());
    query(tx, &sql, &[&within.value(), &id.as_str()])?.pop().ok_or_else(|| missing(id.as_str()))
}

/// The one job whose id begins with `prefix` (lower-case letters and digits), of those that lie `within`.
pub fn get_by_prefix(tx: &Transaction<'_>, within: Within<'_>, prefix: &str) -> Result<Job> {
    let mut found = query(tx, &prefix_statement(within), &[&within.value(), &prefix])?;
    match (found.pop(), found.pop()) {
        (None, _) => Err(missing(prefix)),
        (Some(job), None) => Ok(job),
        (Some(second), Some(first)) => {
            Err(Error::invalid(format!("several jobs begin with {prefix}, such as {} and {}", first.id, second.id))
                .hint("give more of the id"))
        }
    }
}

fn prefix_statement(within: Within<'_>) -> String {
    // '~' sorts behind every character of an id, so that the range is one walk of the index.
    let within = within.of_jobs();
    format!("SELECT {COLUMNS} FROM jobs WHERE {within} AND id >= ?2 AND id < ?2 || '~' ORDER BY id LIMIT 2")
}

fn missing(id: &str) -> Error {
    Error::not_found(format!("there is no job {id}")).hint("`crafting job list` shows the newest ones")
}

/// The newest job within; with `failed`, the newest that failed or timed out.
pub fn last(tx: &Transaction<'_>, within: Within<'_>, failed: bool) -> Result<Option<Job>> {
    Ok(query(tx, &last_statement(within, failed), &[&within.value()])?.pop())
}

fn last_statement(within: Within<'_>, failed: bool) -> String {
    let status = if failed { "AND status IN ('failed', 'timed_out')" } else { "" };
    format!("SELECT {COLUMNS} FROM jobs WHERE {} {status} ORDER BY seq DESC LIMIT 1", within.of_jobs())
}

/// Jobs within, newest first.
pub fn list(tx: &Transaction<'_>, within: Within<'_>, filter: &JobFilter) -> Result<Vec<Job>> {
    let before = filter.before.as_ref().map(|before| seq_within(tx, within, before)).transpose()?;
    let (sql, values) = list_statement(within, filter, before);
    let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
    query(tx, &sql, &values)
}

fn list_statement(within: Within<'_>, filter: &JobFilter, before: Option<i64>) -> (String, Vec<Box<dyn ToSql>>) {
    // One project's jobs are fewer than its owner's: the plus keeps the owner's index out of it.
    let all = if filter.project.is_some() { format!("+{}", within.of_jobs()) } else { within.of_jobs().to_owned() };
    let mut sql = format!("SELECT {COLUMNS} FROM jobs WHERE {all}");
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(within.value().map(str::to_owned))];
    let mut and = |condition: &str, value: Option<Box<dyn ToSql>>| {
        if let Some(value) = value {
            sql.push_str(condition);
            values.push(value);
        }
    };
    and(" AND project = ?", filter.project.as_ref().map(|project| Box::new(project.to_string()) as _));
    and(" AND status = ?", filter.status.map(|status| Box::new(status.as_str()) as _));
    and(" AND recipe = ?", filter.recipe.as_ref().map(|recipe| Box::new(recipe.to_string()) as _));
    and(" AND seq < ?", before.map(|before| Box::new(before) as _));
    and(" ORDER BY seq DESC LIMIT ?", Some(Box::new(filter.limit.clamp(1, PAGE))));
    (sql, values)
}

/// The jobs of a scope with their tries again, in the order of queueing. One that does not lie `within` is not there.
pub fn in_scope(tx: &Transaction<'_>, within: Within<'_>, scope: &Scope) -> Result<Vec<Job>> {
    in_scope_if(tx, within, scope, &|_, _| true)
}

/// Like [`in_scope`], only those that are `wanted` in their present state: what is not is not read any further, which
/// makes a difference to somebody who looks at a large batch again and again.
pub fn in_scope_if(
    tx: &Transaction<'_>,
    within: Within<'_>,
    scope: &Scope,
    wanted: &dyn Fn(&JobId, JobStatus) -> bool,
) -> Result<Vec<Job>> {
    match scope {
        Scope::Batch(batch) => {
            let mut statement = tx.prepare_cached(&batch_statement(within))?;
            let mut rows = statement.query((within.value(), batch.as_str()))?;
            let (mut jobs, mut any) = (Vec::new(), false);
            while let Some(row) = rows.next()? {
                any = true;
                if wanted(&required(row, ID)?, required(row, STATUS)?) {
                    jobs.push(read(row)?);
                }
            }
            if any {
                return Ok(jobs);
            }
            Err(Error::not_found(format!("there is no batch {batch}"))
                .hint("`crafting job list` shows the newest jobs"))
        }
        Scope::Job(id) => {
            let first = get_within(tx, within, id)?;
            let sql = format!("SELECT {COLUMNS} FROM jobs WHERE batch_id = ?1 AND retry_of = ?2 ORDER BY seq");
            let mut tries = query(tx, &sql, &[&first.batch_id.as_str(), &id.as_str()])?;
            tries.insert(0, first);
            tries.retain(|job| wanted(&job.id, job.status));
            Ok(tries)
        }
    }
}

fn batch_statement(within: Within<'_>) -> String {
    // A batch is smaller than what its owner has: the plus keeps the other indexes out of it.
    format!("SELECT {COLUMNS} FROM jobs WHERE +{} AND batch_id = ?2 ORDER BY seq", within.of_jobs())
}

/// The newest finished job of every subproject and recipe within.
pub fn newest_finished(tx: &Transaction<'_>, within: Within<'_>) -> Result<Vec<JobId>> {
    let mut statement = tx.prepare_cached(&newest_finished_statement(within))?;
    let rows = statement.query_map([within.value()], |row| row.get::<_, String>(0))?;
    rows.map(|row| row?.parse()).collect()
}

fn newest_finished_statement(within: Within<'_>) -> String {
    // From one place to the next by the index, and in each only as far back as its newest: however many jobs there are.
    format!(
        "WITH RECURSIVE place (seq, project, subproject, recipe) AS ( \
         SELECT seq, project, subproject, recipe FROM jobs WHERE seq IN (SELECT (SELECT seq FROM jobs \
         WHERE project = name ORDER BY subproject, recipe LIMIT 1) FROM projects WHERE {}) UNION ALL \
         SELECT j.seq, j.project, j.subproject, j.recipe FROM place CROSS JOIN jobs j ON j.seq = (SELECT seq FROM jobs \
         WHERE project = place.project AND (subproject, recipe) > (place.subproject, place.recipe) \
         ORDER BY subproject, recipe LIMIT 1)) \
         SELECT id FROM place CROSS JOIN jobs ON jobs.seq = (SELECT seq FROM jobs WHERE project = place.project \
         AND subproject = place.subproject AND recipe = place.recipe AND status IN ('passed', 'failed', 'timed_out') \
         ORDER BY seq DESC LIMIT 1) ORDER BY place.project, place.subproject, place.recipe",
        within.of_projects()
    )
}

/// That a job has seen all there was to see: its recipe ended by itself, not by a signal (128 and its number).
const WHOLE: &str = "status IN ('passed', 'failed') AND error IS NULL AND exit_code >= 0 \
                     AND exit_code NOT BETWEEN 129 AND 192";
/// That a job found something, or nothing, rather than failed before it could look.
const SEEING: &str = "(findings_count > 1 OR NOT EXISTS (SELECT 1 FROM findings WHERE findings.job = jobs.seq \
                      AND findings.kind = 'recipe_fail'))";

/// What `job` is compared with: the newest job before it that saw everything, of the same project, subproject and
/// recipe, on the same ref, else on `default_branch`. Tries of one batch are not compared with each other. Of no use,
/// unless `job` is `blind` itself, is one whose recipe failed without a finding; it is taken if there is no other.
pub fn baseline(tx: &Transaction<'_>, job: &Job, default_branch: Option<&str>, blind: bool) -> Result<Option<Job>> {
    let sql = |more: &str| {
        format!(
            "SELECT {COLUMNS} FROM jobs WHERE project = ?1 AND subproject = ?2 AND recipe = ?3 AND git_ref = ?4 \
             AND seq < (SELECT seq FROM jobs WHERE id = ?5) AND batch_id <> ?6 AND {WHOLE} {more} \
             ORDER BY seq DESC LIMIT 1"
        )
    };
    let refs = [Some(job.git_ref.as_str()), default_branch.filter(|branch| *branch != job.git_ref.as_str())];
    let (seeing, any) = (sql(&format!("AND {SEEING}")), sql(""));
    let refs = || refs.into_iter().flatten();
    let seeing = refs().map(|git_ref| (git_ref, seeing.as_str())).filter(|_| !blind);
    for (git_ref, sql) in seeing.chain(refs().map(|git_ref| (git_ref, any.as_str()))) {
        let values: [&dyn ToSql; 6] = [
            &job.project.as_str(),
            &job.subproject.as_str(),
            &job.recipe.as_str(),
            &git_ref,
            &job.id.as_str(),
            &job.batch_id.as_str(),
        ];
        if let Some(found) = query(tx, sql, &values)?.pop() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The jobs of the same project, subproject and recipe that saw everything, the newest first, with their commits and
/// whether those are snapshots.
pub fn commits(tx: &Transaction<'_>, job: &Job) -> Result<Vec<(JobId, CommitId, bool)>> {
    let sql = format!(
        "SELECT id, sha, dirty FROM jobs WHERE project = ?1 AND subproject = ?2 AND recipe = ?3 AND sha IS NOT NULL \
         AND {WHOLE} AND {SEEING} ORDER BY seq DESC"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let rows = statement.query_map((job.project.as_str(), job.subproject.as_str(), job.recipe.as_str()), |row| {
        Ok(required(row, 0).and_then(|id| Ok((id, required(row, 1)?, row.get(2)?))))
    })?;
    parsed(rows)
}

/// Notes the commit that a running job's ref was resolved to.
pub fn resolved(tx: &Transaction<'_>, id: &JobId, sha: &CommitId) -> Result<()> {
    tx.prepare_cached("UPDATE jobs SET sha = ?2 WHERE id = ?1")?.execute((id.as_str(), sha.as_str()))?;
    Ok(())
}

/// Notes how many findings a running job has so far.
pub fn found(tx: &Transaction<'_>, id: &JobId, count: u64) -> Result<()> {
    tx.prepare_cached("UPDATE jobs SET findings_count = ?2, findings_new = ?2 WHERE id = ?1 AND status = 'running'")?
        .execute((id.as_str(), count.cast_signed()))?;
    Ok(())
}

/// Ends a job. Refused ([`Code::Conflict`]) if it is not in a state that may end so.
pub fn finish(tx: &Transaction<'_>, id: &JobId, outcome: &Outcome, now: Timestamp) -> Result<()> {
    let from: Vec<String> =
        outcome.status.predecessors().iter().map(|status| format!("'{}'", status.as_str())).collect();
    let sql = format!(
        "UPDATE jobs SET status = :status, exit_code = :exit_code, error = :error, finished_at = :now, \
         findings_count = :findings_count, findings_new = :findings_new, findings_fixed = :findings_fixed, \
         log_bytes = :log_bytes, log_lines = :log_lines WHERE id = :id AND status IN ({})",
        from.join(", ")
    );
    let count = tx.prepare_cached(&sql)?.execute(named_params! {
        ":id": id.as_str(),
        ":status": outcome.status.as_str(),
        ":exit_code": outcome.exit_code,
        ":error": outcome.error,
        ":now": now.as_millis(),
        ":findings_count": outcome.findings_count.cast_signed(),
        ":findings_new": outcome.findings_new.cast_signed(),
        ":findings_fixed": outcome.findings_fixed.cast_signed(),
        ":log_bytes": outcome.log_bytes.cast_signed(),
        ":log_lines": outcome.log_lines.cast_signed(),
    })?;
    if count == 0 {
        let status = get(tx, id)?.status;
        return Err(Error::new(
            Code::Conflict,
            format!("the job {id} is {status} and cannot become {}", outcome.status),
        )
        .hint("look at it with `crafting job show`"));
    }
    // That the farm could not run it: a recipe that fails has been run to its end.
    let failed = outcome.error.is_some() || outcome.exit_code.is_some_and(|exit_code| exit_code < 0);
    events::job_ended(tx, id, outcome.status, failed)
}

/// Whether any job of a project runs.
pub fn any_running(tx: &Transaction<'_>, project: &ProjectName) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM jobs WHERE status = 'running' AND project = ?1)";
    Ok(tx.prepare_cached(sql)?.query_row([project.as_str()], |row| row.get(0))?)
}

/// The ids of all jobs of a project.
pub fn ids_of_project(tx: &Transaction<'_>, project: &ProjectName) -> Result<Vec<JobId>> {
    let mut statement = tx.prepare("SELECT id FROM jobs WHERE project = ?1 ORDER BY seq")?;
    let rows = statement.query_map([project.as_str()], |row| row.get::<_, String>(0))?;
    rows.map(|row| row?.parse()).collect()
}

/// Whether a job may still be asked for a commit: one that is not finished, or that ended at `since` or later.
pub fn is_commit_wanted(tx: &Transaction<'_>, project: &ProjectName, sha: &CommitId, since: Timestamp) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM jobs WHERE project = ?1 AND sha = ?2 \
               AND (status IN ('queued', 'running') OR finished_at >= ?3))";
    Ok(tx.prepare_cached(sql)?.query_row((project.as_str(), sha.as_str(), since.as_millis()), |row| row.get(0))?)
}

/// The place of a job in the order of queueing, which other tables refer to.
pub(super) fn seq(tx: &Transaction<'_>, id: &JobId) -> Result<i64> {
    let sql = "SELECT seq FROM jobs WHERE id = ?1";
    tx.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0)).optional()?.ok_or_else(|| missing(id.as_str()))
}

fn seq_within(tx: &Transaction<'_>, within: Within<'_>, id: &JobId) -> Result<i64> {
    let sql = format!("SELECT seq FROM jobs WHERE {} AND id = ?2", within.of_jobs());
    let mut statement = tx.prepare_cached(&sql)?;
    let found = statement.query_row((within.value(), id.as_str()), |row| row.get(0)).optional()?;
    found.ok_or_else(|| missing(id.as_str()))
}

pub(super) fn query(tx: &Transaction<'_>, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<Job>> {
    let mut statement = tx.prepare_cached(sql)?;
    parsed(statement.query_map(params_from_iter(values), |row| Ok(read(row)))?)
}

/// Where a row has its id, and where its status: the only ones that are looked at alone.
const ID: usize = 0;
const STATUS: usize = 5;

fn required<T: std::str::FromStr<Err = Error>>(row: &Row<'_>, column: usize) -> Result<T> {
    row.get_ref(column)?
        .as_str()
        .map_err(|error| unreadable("a job", error))?
        .parse()
        .map_err(|error| unreadable("a job", error))
}

fn optional<T: std::str::FromStr<Err = Error>>(row: &Row<'_>, column: usize) -> Result<Option<T>> {
    let text = row.get_ref(column)?.as_str_or_null().map_err(|error| unreadable("a job", error))?;
    text.map(|text| text.parse()).transpose().map_err(|error| unreadable("a job", error))
}

fn read(row: &Row<'_>) -> Result<Job> {
    // By place: to find a name, all names are compared, for each value of each row.
    let [
        id,
        batch_id,
        project,
        subproject,
        recipe,
        status,
        git_ref,
        sha,
        dirty,
        exit_code,
        queued_at,
        started_at,
        finished_at,
        findings_count,
        findings_new,
        findings_fixed,
        log_bytes,
        log_lines,
        runtime,
        recipe_snapshot,
        token,
        error,
        retry_of,
    ]: [usize; 23] = std::array::from_fn(|place| place);
    let time = |column: usize| row.get::<_, Option<i64>>(column).map(|millis| millis.map(Timestamp::from_millis));
    let (started_at, finished_at) = (time(started_at)?, time(finished_at)?);
    let duration = started_at.zip(finished_at).map(|(start, end)| end.since(start).as_millis());
    let recipe_snapshot = row.get_ref(recipe_snapshot)?.as_str().map_err(|error| unreadable("a recipe", error))?;
    Ok(Job {
        id: required(row, id)?,
        batch_id: required(row, batch_id)?,
        project: required(row, project)?,
        subproject: required(row, subproject)?,
        recipe: required(row, recipe)?,
        status: required(row, status)?,
        git_ref: required(row, git_ref)?,
        sha: optional(row, sha)?,
        dirty: row.get(dirty)?,
        exit_code: row.get(exit_code)?,
        queued_at: Timestamp::from_millis(row.get(queued_at)?),
        started_at,
        finished_at,
        duration_ms: duration.and_then(|millis| i64::try_from(millis).ok()),
        findings_count: row.get(findings_count)?,
        findings_new: row.get(findings_new)?,
        findings_fixed: row.get(findings_fixed)?,
        log_bytes: row.get(log_bytes)?,
        log_lines: row.get(log_lines)?,
        runtime: row.get(runtime)?,
        recipe_snapshot: serde_json::from_str(recipe_snapshot).map_err(|error| unreadable("a recipe", error))?,
        token: row.get(token)?,
        error: row.get(error)?,
        retry_of: optional(row, retry_of)?,
    })
}

/// A ledger with two projects, and jobs for them.
#[cfg(test)]
pub(crate) mod samples {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ledger::{Ledger, projects};
    use crate::model::{BatchId, Language, Project, RecipeSnapshot, SubPath};

    pub fn ledger() -> (tempfile::TempDir, Ledger) {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path()).unwrap();
        for name in ["a", "b"] {
            add(&ledger, name, None);
        }
        (folder, ledger)
    }

    /// A project that a token owns.
    pub fn owned(ledger: &Ledger, name: &str, owner: &str) {
        add(ledger, name, Some(owner));
    }

    fn add(ledger: &Ledger, name: &str, owner: Option<&str>) {
        let project = Project {
            name: name.parse().unwrap(),
            git_url: "/r".parse().unwrap(),
            owner: owner.map(|owner| owner.parse().unwrap()),
            root: SubPath::root(),
            default_branch: None,
            timeout_secs: None,
            submodules: false,
            subprojects: Vec::new(),
            ignores: Vec::new(),
            created_at: Timestamp::now(),
            updated_at: Timestamp::now(),
        };
        ledger.write(|tx| projects::insert(tx, &project)).unwrap();
    }

    /// Ends a job, from wherever it is.
    pub fn finish_as(ledger: &Ledger, id: &JobId, status: JobStatus) {
        let run = "UPDATE jobs SET status = 'running' WHERE id = ?1";
        ledger.write(|tx| Ok(tx.execute(run, [id.as_str()])?)).unwrap();
        let outcome = Outcome::bare(status, Some(1));
        ledger.write(|tx| finish(tx, id, &outcome, Timestamp::now())).unwrap();
    }

    /// A finding of that name.
    pub fn finding(ledger: &Ledger, job: &JobId, fingerprint: &str) {
        let row = serde_json::json!({
            "id": null, "job_id": null, "project": null, "subproject": null, "recipe": null, "kind": "lint",
            "severity": "warn", "file": "f", "line": 1, "column": null, "end_line": null, "code": "c", "message": "m",
            "suggested_fix": null, "fingerprint": fingerprint, "first_seen_job": null, "is_new": true, "tool": "t",
            "ignored": null, "raw_json": null, "created_at": 1.0,
        });
        let row = serde_json::from_value(row).unwrap();
        ledger.write(|tx| crate::ledger::findings::insert(tx, job, &[row])).unwrap();
    }

    /// A job of the recipe `test`, as it is queued.
    pub fn job(project: &str) -> Job {
        let snapshot = RecipeSnapshot {
            command: "true".to_owned(),
            env: BTreeMap::new(),
            secrets: std::collections::BTreeSet::new(),
            timeout_secs: 1,
            path: SubPath::root(),
            root: SubPath::root(),
            language: Language::Other,
            keep: Vec::new(),
            fresh: false,
            submodules: false,
            retries: 0,
            backoff_secs: 0,
            keep_slot: false,
            ignores: Vec::new(),
        };
        let what = (project.parse().unwrap(), SubPath::root(), "test".parse().unwrap());
        let at = ("main".parse().unwrap(), None, false);
        Job::queued(BatchId::random().unwrap(), what, at, snapshot, "host", Timestamp::now()).unwrap()
    }

    pub fn queue(ledger: &Ledger, project: &str, bound_to: Option<&RunnerId>, not_before: Option<Timestamp>) -> JobId {
        let job = job(project);
        ledger.write(|tx| insert(tx, &job, bound_to, not_before)).unwrap();
        job.id
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{ledger, queue};
    use super::*;

    #[test]
    fn a_final_job_stays_as_it_ended() {
        let (_folder, ledger) = ledger();
        let id = queue(&ledger, "a", None, None);
        let to = |status| {
            let outcome = Outcome::bare(status, None);
            ledger.write(|tx| finish(tx, &id, &outcome, Timestamp::now()))
        };
        assert_eq!(to(JobStatus::Passed).unwrap_err().code(), Code::Conflict);
        to(JobStatus::Cancelled).unwrap();
        let error = to(JobStatus::Failed).unwrap_err();
        assert_eq!(error.to_string(), format!("the job {id} is cancelled and cannot become failed"));
    }

    fn plan_of(ledger: &crate::ledger::Ledger, sql: &str, values: &[Box<dyn ToSql>]) -> Vec<String> {
        ledger
            .read(|tx| {
                let mut statement = tx.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let values = params_from_iter(values.iter().map(AsRef::as_ref));
                Ok(statement.query_map(values, |row| row.get(3))?.collect::<rusqlite::Result<_>>()?)
            })
            .unwrap()
    }

    #[test]
    fn every_list_walks_an_index() {
        let (_folder, ledger) = ledger();
        let some = |wanted: bool| wanted.then_some(());
        let owner = "ann".parse().unwrap();
        for within in [Within::Everything, Within::OwnedBy(&owner)] {
            for mask in 0..16_u8 {
                let filter = JobFilter {
                    project: some(mask & 1 > 0).map(|()| "a".parse().unwrap()),
                    status: some(mask & 2 > 0).map(|()| JobStatus::Failed),
                    recipe: some(mask & 4 > 0).map(|()| "test".parse().unwrap()),
                    ..JobFilter::default()
                };
                let (sql, values) = list_statement(within, &filter, some(mask & 8 > 0).map(|()| 7));
                let plan = plan_of(&ledger, &sql, &values);
                // Without any condition the newest rows are the end of the table itself.
                let bare = mask == 0 && within == Within::Everything;
                let narrow = plan.iter().all(|step| step.starts_with("SEARCH") || bare && step == "SCAN jobs");
                assert!(narrow, "{sql}: {plan:?}");
            }
        }
    }

    #[test]
    fn every_look_up_walks_an_index() {
        let (_folder, ledger) = ledger();
        let (owner, project) = ("ann".parse().unwrap(), "a".parse().unwrap());
        for within in [Within::Everything, Within::OwnedBy(&owner), Within::Project(&project)] {
            let value = || -> Box<dyn ToSql> { Box::new(within.value().map(str::to_owned)) };
            let text = |text: &str| -> Box<dyn ToSql> { Box::new(text.to_owned()) };
            let mut statements = vec![
                (batch_statement(within), vec![value(), text("b")]),
                (last_statement(within, false), vec![value()]),
            ];
            // Nobody says of which project a job is whose id they give.
            if within != Within::Project(&project) {
                statements.push((prefix_statement(within), vec![value(), text("a")]));
            }
            for (sql, values) in statements {
                let plan = plan_of(&ledger, &sql, &values);
                let newest_of_all = sql.contains("DESC") && within == Within::Everything;
                let narrow = |step: &String| step.starts_with("SEARCH") || newest_of_all && step == "SCAN jobs";
                assert!(plan.iter().all(narrow), "{sql}: {plan:?}");
            }
            let plan = plan_of(&ledger, &newest_finished_statement(within), &[value()]);
            assert!(!plan.iter().any(|step| step.contains("SCAN jobs") || step.contains("SCAN j ")), "{plan:?}");
        }
    }
}
