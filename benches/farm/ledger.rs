//! The ledger beside the same statements without it.

use std::path::Path;
use std::time::Duration;

use crafting::farm::{Farm, LocalFarm, NewProject, ProjectSource};
use crafting::ledger::{FILE, Ledger, findings, jobs};
use crafting::model::{
    BatchId, CommitId, Finding, Fingerprint, Job, JobId, Kind, Language, ProjectName, RecipeSnapshot, Severity,
    SubPath, Timestamp,
};
use rusqlite::{Connection, TransactionBehavior};

use super::Measured;
use super::measure::{by_turns, timed};
use super::sandbox::{Sandbox, Step};
use super::table::Row;

const FINDINGS: u32 = 50_000;
const UPDATES: u32 = 2_000;
const PEER: &str = "SQLite alone";

pub fn run() -> Measured {
    let sandbox = Sandbox::with_files(1, "[[subproject]]\npath = \".\"\ntest = \"true\"\n")?;
    let settings = sandbox.settings()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let farm = LocalFarm::open(settings.clone())?;
    let source = ProjectSource::Folder(sandbox.repository());
    let new = NewProject { source, name: None, default_branch: None, file: None };
    let project = runtime.block_on(farm.add_project(new))?.project.name;
    let ledger = Ledger::open(&settings.data_dir.value)?;
    let raw = connect(&settings.data_dir.value.join(FILE))?;

    let inserted = by_turns(
        5,
        || {
            let (job, rows) = found(&ledger, &project)?;
            timed(|| ledger.write(|tx| findings::insert(tx, &job.id, &rows).map(drop)).map_err(Into::into))
        },
        || {
            let (job, rows) = found(&ledger, &project)?;
            timed(|| insert(&raw, &job, &rows))
        },
    )?;
    let job = queue(&ledger, &project)?;
    let commit: CommitId = "0123456789abcdef0123456789abcdef01234567".parse()?;
    let updated = by_turns(
        5,
        || {
            timed(|| (0..UPDATES).try_for_each(|_| ledger.write(|tx| jobs::resolved(tx, &job.id, &commit))))
                .map_err(Into::into)
        },
        || timed(|| update(&raw, &job, &commit)),
    )?;
    let rate = |count: u32, time: Duration| f64::from(count) / time.as_secs_f64();
    let row = |name: &str, count: u32, times: (Duration, Duration)| {
        Row::rate(name, "rows", rate(count, times.0), (PEER, rate(count, times.1)), None)
    };
    Ok(vec![
        row("ledger: findings, one transaction", FINDINGS, inserted),
        row("ledger: job updates, a transaction each", UPDATES, updated),
    ])
}

/// A job of `true` in the queue.
pub fn queue(ledger: &Ledger, project: &ProjectName) -> Step<Job> {
    let recipe = RecipeSnapshot {
        command: "true".to_owned(),
        env: std::collections::BTreeMap::new(),
        secrets: std::collections::BTreeSet::new(),
        timeout_secs: 60,
        path: SubPath::root(),
        root: SubPath::root(),
        language: Language::Rust,
        keep: Vec::new(),
        fresh: false,
        submodules: false,
        retries: 0,
        backoff_secs: 0,
        keep_slot: false,
        ignores: Vec::new(),
    };
    let place = (project.clone(), SubPath::root(), "test".parse()?);
    let job = Job::queued(BatchId::random()?, place, ("main".parse()?, None, false), recipe, "host", Timestamp::now())?;
    ledger.write(|tx| jobs::insert(tx, &job, None, None))?;
    Ok(job)
}

/// A job and what it found.
fn found(ledger: &Ledger, project: &ProjectName) -> Step<(Job, Vec<Finding>)> {
    let job = queue(ledger, project)?;
    let rows = (0..FINDINGS).map(|number| finding(&job.id, number)).collect();
    Ok((job, rows))
}

fn finding(job: &JobId, number: u32) -> Finding {
    Finding {
        id: None,
        job_id: Some(job.clone()),
        project: None,
        subproject: None,
        recipe: None,
        kind: Kind::Lint,
        severity: Severity::Warn,
        file: Some(format!("src/module/part_{}.rs", number / 20)),
        line: Some(number % 1000),
        column: Some(9),
        end_line: Some(number % 1000 + 1),
        code: "clippy::needless_pass_by_value".to_owned(),
        message: format!("this argument is passed by value, but not consumed in the function body ({number})"),
        suggested_fix: None,
        // Spread as digests are.
        fingerprint: Fingerprint::from_bits(u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        first_seen_job: Some(job.clone()),
        is_new: true,
        tool: "clippy".to_owned(),
        ignored: None,
        raw_json: None,
        created_at: Timestamp::from_millis(1_700_000_000_000),
        context_hash: Some(u64::from(number)),
        folder: None,
    }
}

/// As the ledger opens it.
fn connect(path: &Path) -> Step<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "normal")?;
    Ok(connection)
}

fn insert(connection: &Connection, job: &Job, rows: &[Finding]) -> Step {
    let tx = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let seq: i64 = tx.query_row("SELECT seq FROM jobs WHERE id = ?1", [job.id.as_str()], |row| row.get(0))?;
    let mut statement = tx.prepare(
        "INSERT INTO findings (job, fingerprint, kind, severity, file, line, col, end_line, code, message, \
         first_seen_job, is_new, tool, context_hash, created_at) VALUES (?1, ?2, 'lint', 1, ?3, ?4, ?5, ?6, \
         ?7, ?8, ?9, 1, 'clippy', ?10, 1700000000000)",
    )?;
    for (number, row) in (0_i64..).zip(rows) {
        statement.execute((
            seq,
            number.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()),
            &row.file,
            row.line,
            row.column,
            row.end_line,
            &row.code,
            &row.message,
            job.id.as_str(),
            number,
        ))?;
    }
    drop(statement);
    Ok(tx.commit()?)
}

fn update(connection: &Connection, job: &Job, commit: &CommitId) -> Step {
    for _ in 0..UPDATES {
        let tx = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        tx.prepare_cached("UPDATE jobs SET sha = ?2 WHERE id = ?1")?.execute((job.id.as_str(), commit.as_str()))?;
        tx.commit()?;
    }
    Ok(())
}
