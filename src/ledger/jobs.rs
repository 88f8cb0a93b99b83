//! The table of jobs, which is also the queue.

use std::time::Duration;

use rusqlite::{OptionalExtension, Row, ToSql, Transaction, named_params, params_from_iter};

use super::{parsed, unreadable};
use crate::error::{Code, Error, Result};
use crate::model::{BatchId, CommitId, Job, JobFilter, JobId, JobStatus, ProjectName, RunnerId, Scope, Timestamp};

/// In the order in which [`read`] takes them.
const COLUMNS: &str = "id, batch_id, project, subproject, recipe, status, git_ref, sha, dirty, exit_code, queued_at, \
                       started_at, finished_at, findings_count, findings_new, findings_fixed, log_bytes, log_lines, \
                       runtime, recipe_snapshot, token, error, retry_of";

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
         recipe_snapshot, token, retry_of, not_before, bound_to) VALUES (:id, :batch_id, :project, :subproject, \
         :recipe, :status, :git_ref, :sha, :dirty, :queued_at, :runtime, :recipe_snapshot, :token, :retry_of, \
         :not_before, :bound_to)",
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

/// The one job whose id begins with `prefix` (lower-case letters and digits).
pub fn get_by_prefix(tx: &Transaction<'_>, prefix: &str) -> Result<Job> {
    // '~' sorts behind every character of an id, so that the range is one walk of the index.
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id >= ?1 AND id < ?1 || '~' ORDER BY id LIMIT 2");
    let mut found = query(tx, &sql, &[&prefix])?;
    match (found.pop(), found.pop()) {
        (None, _) => Err(missing(prefix)),
        (Some(job), None) => Ok(job),
        (Some(second), Some(first)) => {
            Err(Error::invalid(format!("several jobs begin with {prefix}, such as {} and {}", first.id, second.id))
                .hint("give more of the id"))
        }
    }
}

fn missing(id: &str) -> Error {
    Error::not_found(format!("there is no job {id}")).hint("`crafting job list` shows the newest ones")
}

/// The newest job, of a project or of all; with `failed`, the newest that failed or timed out.
pub fn last(tx: &Transaction<'_>, project: Option<&ProjectName>, failed: bool) -> Result<Option<Job>> {
    let status = if failed { "AND status IN ('failed', 'timed_out')" } else { "" };
    let found = match project {
        Some(project) => {
            let sql = format!("SELECT {COLUMNS} FROM jobs WHERE project = ?1 {status} ORDER BY seq DESC LIMIT 1");
            query(tx, &sql, &[&project.as_str()])?
        }
        None => {
            let sql = format!("SELECT {COLUMNS} FROM jobs WHERE TRUE {status} ORDER BY seq DESC LIMIT 1");
            query(tx, &sql, &[])?
        }
    };
    Ok(found.into_iter().next())
}

/// Jobs, newest first.
pub fn list(tx: &Transaction<'_>, filter: &JobFilter) -> Result<Vec<Job>> {
    let before = filter.before.as_ref().map(|before| seq(tx, before)).transpose()?;
    let (sql, values) = list_statement(filter, before);
    let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
    query(tx, &sql, &values)
}

fn list_statement(filter: &JobFilter, before: Option<i64>) -> (String, Vec<Box<dyn ToSql>>) {
    let mut sql = format!("SELECT {COLUMNS} FROM jobs WHERE TRUE");
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
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
    and(" ORDER BY seq DESC LIMIT ?", Some(Box::new(filter.limit.clamp(1, 500))));
    (sql, values)
}

/// The jobs of a scope with their tries again, in the order of queueing.
pub fn in_scope(tx: &Transaction<'_>, scope: &Scope) -> Result<Vec<Job>> {
    in_scope_if(tx, scope, &|_, _| true)
}

/// Like [`in_scope`], only those that are `wanted` in their present state: what is not is not read any further, which
/// makes a difference to somebody who looks at a large batch again and again.
pub fn in_scope_if(
    tx: &Transaction<'_>,
    scope: &Scope,
    wanted: &dyn Fn(&JobId, JobStatus) -> bool,
) -> Result<Vec<Job>> {
    match scope {
        Scope::Batch(batch) => {
            let sql = format!("SELECT {COLUMNS} FROM jobs WHERE batch_id = ?1 ORDER BY seq");
            let mut statement = tx.prepare_cached(&sql)?;
            let (mut rows, mut jobs, mut any) = (statement.query([batch.as_str()])?, Vec::new(), false);
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
            let first = get(tx, id)?;
            let sql = format!("SELECT {COLUMNS} FROM jobs WHERE batch_id = ?1 AND retry_of = ?2 ORDER BY seq");
            let mut tries = query(tx, &sql, &[&first.batch_id.as_str(), &id.as_str()])?;
            tries.insert(0, first);
            tries.retain(|job| wanted(&job.id, job.status));
            Ok(tries)
        }
    }
}

/// Whether a queued job of a scope is bound to nobody, so that somebody has to come and take it.
pub fn waits_for_anybody(tx: &Transaction<'_>, scope: &Scope) -> Result<bool> {
    let (filter, id) = match scope {
        Scope::Batch(batch) => ("batch_id = ?1", batch.as_str()),
        Scope::Job(job) => {
            ("batch_id = (SELECT batch_id FROM jobs WHERE id = ?1) AND (id = ?1 OR retry_of = ?1)", job.as_str())
        }
    };
    let sql = format!("SELECT EXISTS (SELECT 1 FROM jobs WHERE {filter} AND status = 'queued' AND bound_to IS NULL)");
    Ok(tx.prepare_cached(&sql)?.query_row([id], |row| row.get(0))?)
}

/// The newest finished job of every subproject and recipe, of a project or of all.
pub fn newest_finished(tx: &Transaction<'_>, project: Option<&ProjectName>) -> Result<Vec<JobId>> {
    // SQLite takes the bare column of a max() query from the row that has the maximum.
    let sql = "SELECT id, max(seq) FROM jobs WHERE (?1 IS NULL OR project = ?1) AND status IN ('passed', 'failed', \
               'timed_out') GROUP BY project, subproject, recipe ORDER BY project, subproject, recipe";
    let mut statement = tx.prepare_cached(sql)?;
    let rows = statement.query_map([project.map(ProjectName::as_str)], |row| row.get::<_, String>(0))?;
    rows.map(|row| row?.parse()).collect()
}

/// What `job` is compared with: the newest job before it that ran to its end, of the same project, subproject and
/// recipe, on the same ref, else on `default_branch`. Tries of one batch are not compared with each other.
pub fn baseline(tx: &Transaction<'_>, job: &Job, default_branch: Option<&str>) -> Result<Option<Job>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM jobs WHERE project = ?1 AND subproject = ?2 AND recipe = ?3 AND git_ref = ?4 \
         AND seq < (SELECT seq FROM jobs WHERE id = ?5) AND status IN ('passed', 'failed') AND error IS NULL \
         AND exit_code >= 0 AND batch_id <> ?6 ORDER BY seq DESC LIMIT 1"
    );
    for git_ref in [Some(job.git_ref.as_str()), default_branch].into_iter().flatten() {
        let values: [&dyn ToSql; 6] = [
            &job.project.as_str(),
            &job.subproject.as_str(),
            &job.recipe.as_str(),
            &git_ref,
            &job.id.as_str(),
            &job.batch_id.as_str(),
        ];
        if let Some(found) = query(tx, &sql, &values)?.pop() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Gives the next queued job to `runner` and makes it running. First in, first out; between projects, the one with
/// the fewest running jobs comes first, then the one that waited longest for its turn. With `bound`, only jobs that
/// are bound to `runner` count, else only those that are bound to nobody.
pub fn claim(tx: &Transaction<'_>, runner: &RunnerId, bound: bool, now: Timestamp) -> Result<Option<Job>> {
    let bound_to = bound.then(|| runner.as_str());
    let next: Option<i64> = tx
        .prepare_cached(
            "SELECT seq FROM (SELECT last_claim_at, (SELECT count(*) FROM jobs WHERE status = 'running' \
             AND project = name) AS running, (SELECT seq FROM jobs WHERE status = 'queued' AND project = name \
             AND bound_to IS ?1 AND (not_before IS NULL OR not_before <= ?2) ORDER BY seq LIMIT 1) AS seq \
             FROM projects) WHERE seq IS NOT NULL ORDER BY running, last_claim_at, seq LIMIT 1",
        )?
        .query_row((bound_to, now.as_millis()), |row| row.get(0))
        .optional()?;
    let Some(seq) = next else { return Ok(None) };
    tx.prepare_cached(
        "UPDATE jobs SET status = 'running', started_at = ?2, runner = ?3 WHERE seq = ?1 AND status = 'queued'",
    )?
    .execute((seq, now.as_millis(), runner.as_str()))?;
    tx.prepare_cached("UPDATE projects SET last_claim_at = ?2 WHERE name = (SELECT project FROM jobs WHERE seq = ?1)")?
        .execute((seq, now.as_millis()))?;
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE seq = ?1");
    query(tx, &sql, &[&seq]).map(|mut jobs| jobs.pop())
}

/// Whether [`claim`] would find a job: a look that takes no write lock.
pub fn any_claimable(tx: &Transaction<'_>, runner: &RunnerId, bound: bool, now: Timestamp) -> Result<bool> {
    let bound_to = bound.then(|| runner.as_str());
    let sql = "SELECT EXISTS (SELECT 1 FROM projects, jobs WHERE project = name AND status = 'queued' AND bound_to IS \
               ?1 AND (not_before IS NULL OR not_before <= ?2))";
    Ok(tx.prepare_cached(sql)?.query_row((bound_to, now.as_millis()), |row| row.get(0))?)
}

/// How long until the first try again may start that `runner` could claim, if there is one that waits.
pub fn next_try(tx: &Transaction<'_>, runner: &RunnerId, bound: bool, now: Timestamp) -> Result<Option<Duration>> {
    let bound_to = bound.then(|| runner.as_str());
    let millis: Option<i64> = tx
        .prepare_cached(
            "SELECT min(not_before) FROM jobs WHERE status = 'queued' AND bound_to IS ?1 AND not_before > ?2",
        )?
        .query_row((bound_to, now.as_millis()), |row| row.get(0))?;
    Ok(millis.map(|millis| Timestamp::from_millis(millis).since(now)))
}

/// Whether a job waits that no runner in a terminal has for itself.
pub fn any_unbound(tx: &Transaction<'_>) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM jobs WHERE status = 'queued' AND bound_to IS NULL)";
    Ok(tx.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
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
    Ok(())
}

/// Ends the queued jobs of a scope, and asks the runners of its running ones for their end.
pub fn request_cancel(tx: &Transaction<'_>, scope: &Scope, force: bool, now: Timestamp) -> Result<()> {
    for job in in_scope(tx, scope)? {
        match job.status {
            JobStatus::Queued => finish(tx, &job.id, &Outcome::bare(JobStatus::Cancelled, None), now)?,
            JobStatus::Running => {
                let level = if force { 2 } else { 1 };
                tx.prepare_cached("UPDATE jobs SET cancel_requested = max(cancel_requested, ?2) WHERE id = ?1")?
                    .execute((job.id.as_str(), level))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The running jobs of `runner` whose end was asked for, and whether at once.
pub fn cancel_requests(tx: &Transaction<'_>, runner: &RunnerId) -> Result<Vec<(JobId, bool)>> {
    let mut statement = tx.prepare_cached(
        "SELECT id, cancel_requested > 1 FROM jobs WHERE status = 'running' AND runner = ?1 AND cancel_requested > 0",
    )?;
    let rows = statement.query_map([runner.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?;
    rows.map(|row| {
        let (id, force) = row?;
        Ok((id.parse()?, force))
    })
    .collect()
}

/// How many tries again a job's batch has already made of it.
pub fn tries_again(tx: &Transaction<'_>, first: &JobId, batch: &BatchId) -> Result<u32> {
    let sql = "SELECT count(*) FROM jobs WHERE batch_id = ?1 AND retry_of = ?2";
    Ok(tx.prepare_cached(sql)?.query_row((batch.as_str(), first.as_str()), |row| row.get(0))?)
}

/// Every runner that some unfinished job names as its own.
pub fn runners_in_use(tx: &Transaction<'_>) -> Result<Vec<RunnerId>> {
    let mut statement = tx.prepare_cached(
        "SELECT runner FROM jobs WHERE status = 'running' AND runner IS NOT NULL \
         UNION SELECT bound_to FROM jobs WHERE status = 'queued' AND bound_to IS NOT NULL",
    )?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|row| row?.parse()).collect()
}

/// The jobs that `runner` runs.
pub fn running_of(tx: &Transaction<'_>, runner: &RunnerId) -> Result<Vec<Job>> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE status = 'running' AND runner = ?1 ORDER BY seq");
    query(tx, &sql, &[&runner.as_str()])
}

/// Gives the queued jobs that were bound to `runner` to whoever comes. How many there were.
pub fn unbind(tx: &Transaction<'_>, runner: &RunnerId) -> Result<usize> {
    let sql = "UPDATE jobs SET bound_to = NULL WHERE status = 'queued' AND bound_to = ?1";
    Ok(tx.prepare_cached(sql)?.execute([runner.as_str()])?)
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

fn query(tx: &Transaction<'_>, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<Job>> {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ledger::{Ledger, projects};
    use crate::model::{Language, Project, RecipeSnapshot, SubPath};

    fn ledger() -> (tempfile::TempDir, Ledger) {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path()).unwrap();
        for name in ["a", "b"] {
            let project = Project {
                name: name.parse().unwrap(),
                git_url: "/r".parse().unwrap(),
                root: SubPath::root(),
                default_branch: None,
                timeout_secs: None,
                submodules: false,
                subprojects: Vec::new(),
                created_at: Timestamp::now(),
                updated_at: Timestamp::now(),
            };
            ledger.write(|tx| projects::insert(tx, &project)).unwrap();
        }
        (folder, ledger)
    }

    fn job(project: &str) -> Job {
        let snapshot = RecipeSnapshot {
            command: "true".to_owned(),
            env: BTreeMap::new(),
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
        };
        let what = (project.parse().unwrap(), SubPath::root(), "test".parse().unwrap());
        let at = ("main".parse().unwrap(), None, false);
        Job::queued(BatchId::random().unwrap(), what, at, snapshot, "host", Timestamp::now()).unwrap()
    }

    fn queue(ledger: &Ledger, project: &str, bound_to: Option<&RunnerId>, not_before: Option<Timestamp>) -> JobId {
        let job = job(project);
        ledger.write(|tx| insert(tx, &job, bound_to, not_before)).unwrap();
        job.id
    }

    #[test]
    fn projects_take_turns_and_each_is_first_in_first_out() {
        let (_folder, ledger) = ledger();
        let runner = RunnerId::random().unwrap();
        let a: Vec<JobId> = (0..3).map(|_| queue(&ledger, "a", None, None)).collect();
        let b = queue(&ledger, "b", None, None);
        let now = Timestamp::now();
        let claim_at = |millis| {
            let now = now.after(Duration::from_millis(millis));
            ledger.write(|tx| claim(tx, &runner, false, now)).unwrap().map(|job| job.id)
        };
        let end = |id: &JobId| {
            let outcome = Outcome::bare(JobStatus::Passed, Some(0));
            ledger.write(|tx| finish(tx, id, &outcome, Timestamp::now())).unwrap();
        };
        // One worker: the other project's turn comes before the second job of the first.
        assert_eq!(claim_at(0).as_ref(), Some(&a[0]));
        end(&a[0]);
        assert_eq!(claim_at(1), Some(b.clone()));
        // Two workers: the project with fewer running jobs comes first.
        assert_eq!(claim_at(2).as_ref(), Some(&a[1]));
        end(&b);
        let later = queue(&ledger, "b", None, None);
        assert_eq!(claim_at(3), Some(later));
        assert_eq!(claim_at(4).as_ref(), Some(&a[2]));
        assert_eq!(claim_at(5), None);
    }

    #[test]
    fn a_bound_job_and_a_waiting_one_are_not_for_everybody() {
        let (_folder, ledger) = ledger();
        let [mine, other] = [(); 2].map(|()| RunnerId::random().unwrap());
        let id = queue(&ledger, "a", Some(&mine), None);
        let now = Timestamp::now();
        let take = |runner: &RunnerId, bound, now| ledger.write(|tx| claim(tx, runner, bound, now)).unwrap();
        assert!(take(&other, true, now).is_none() && take(&other, false, now).is_none());
        assert_eq!(take(&mine, true, now).map(|job| job.id), Some(id));
        let due = now.after(Duration::from_secs(5));
        let id = queue(&ledger, "a", None, Some(due));
        assert!(take(&other, false, now).is_none());
        let wait = ledger.read(|tx| next_try(tx, &other, false, now)).unwrap();
        assert_eq!(wait, Some(Duration::from_secs(5)));
        assert_eq!(take(&other, false, due).map(|job| job.id), Some(id));
    }

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

    #[test]
    fn every_list_walks_an_index() {
        let (_folder, ledger) = ledger();
        let some = |wanted: bool| wanted.then_some(());
        for mask in 0..16_u8 {
            let filter = JobFilter {
                project: some(mask & 1 > 0).map(|()| "a".parse().unwrap()),
                status: some(mask & 2 > 0).map(|()| JobStatus::Failed),
                recipe: some(mask & 4 > 0).map(|()| "test".parse().unwrap()),
                ..JobFilter::default()
            };
            let (sql, values) = list_statement(&filter, some(mask & 8 > 0).map(|()| 7));
            let plan: Vec<String> = ledger
                .read(|tx| {
                    let mut statement = tx.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                    let values = params_from_iter(values.iter().map(AsRef::as_ref));
                    Ok(statement.query_map(values, |row| row.get(3))?.collect::<rusqlite::Result<_>>()?)
                })
                .unwrap();
            // Without any condition the newest rows are the end of the table itself.
            let narrow = plan.iter().all(|step| step.starts_with("SEARCH") || mask == 0 && step == "SCAN jobs");
            assert!(narrow, "{sql}: {plan:?}");
        }
    }
}
