//! The table of jobs as a queue: whose turn it is, who has what, whose end was asked for.

use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction};

use super::Within;
use super::jobs::{COLUMNS, Outcome, finish, in_scope, query};
use crate::error::Result;
use crate::model::{BatchId, Job, JobId, JobStatus, RunnerId, Scope, Timestamp};

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

/// How many jobs are queued, and how many run. It walks their part of an index and nothing else.
pub fn load(tx: &Transaction<'_>) -> Result<(u64, u64)> {
    let mut statement = tx.prepare_cached("SELECT count(*) FROM jobs WHERE status = ?1")?;
    let mut count = |status: JobStatus| -> Result<u64> {
        Ok(statement.query_row([status.as_str()], |row| row.get::<_, i64>(0))?.cast_unsigned())
    };
    Ok((count(JobStatus::Queued)?, count(JobStatus::Running)?))
}

/// Ends the queued jobs of a scope that lies `within`, and asks the runners of its running ones for their end.
pub fn request_cancel(
    tx: &Transaction<'_>,
    within: Within<'_>,
    scope: &Scope,
    force: bool,
    now: Timestamp,
) -> Result<()> {
    for job in in_scope(tx, within, scope)? {
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

#[cfg(test)]
mod tests {
    use super::super::jobs::samples::{ledger, queue};
    use super::*;

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
}
