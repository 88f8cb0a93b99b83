//! One job's life: a commit, a slot, a recipe, a log, findings, an end.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::given::{self, Given};
use super::judging::{Judged, judge};
use super::log::{LogStats, LogWriter};
use super::masking::MaskedLog;
use super::reading::Reading;
use super::{Rooms, environment, reports};
use crate::error::{Code, Error, IoContext, Result};
use crate::findings::paths::PathMap;
use crate::ledger::jobs::{self, Outcome};
use crate::ledger::queue;
use crate::ledger::{self, Within};
use crate::model::{Job, JobId, JobStatus, RunnerId, Timestamp};
use crate::runtime::{Cause, Control, Ending, GRACE, Launch, Read};
use crate::workspace::{LeaseRequest, Release, Slot};

/// What the log of a cancelled job says.
const CANCELLED: &str = "ended: the job was cancelled";

/// What others ask of a running job.
#[derive(Default)]
pub(super) struct Orders(Mutex<State>);

#[derive(Default)]
struct State {
    /// Whether its end was asked for, and if so, whether at once.
    cancelled: Option<bool>,
    /// Set while its commit and its tree are fetched.
    preparing: Option<JobId>,
    /// The recipe, once there is one.
    control: Option<Control>,
}

impl Orders {
    /// Asks for the job's end. Blocks for a moment. A recipe is not told twice the same.
    pub(super) fn cancel(&self, force: bool) {
        let mut state = self.state();
        let more = state.cancelled.is_none_or(|before| force && !before);
        if more {
            state.cancelled = Some(force);
        }
        // One git may have ended since the last time and another one begun.
        if more || state.preparing.is_some() {
            state.apply();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn preparing(&self, job: &JobId) {
        self.state().preparing = Some(job.clone());
    }

    /// From here on nothing of the job is ended but through [`Orders::attach`]; whether its end was asked for.
    fn prepared(&self) -> bool {
        let mut state = self.state();
        state.preparing = None;
        state.cancelled.is_some()
    }

    fn attach(&self, control: Control) {
        let mut state = self.state();
        state.control = Some(control);
        state.apply();
    }
}

impl State {
    fn apply(&self) {
        match (&self.control, self.cancelled, &self.preparing) {
            (Some(control), Some(true), _) => control.kill(),
            (Some(control), Some(false), _) => control.terminate(),
            // A git that waits for a network would wait on. Neither slot nor mirror minds its death.
            (None, Some(_), Some(job)) => {
                crate::runtime::kill_marked(job);
            }
            _ => {}
        }
    }
}

/// Runs a claimed job to its end and keeps that end. `binding` is the runner that a try again is bound to.
///
/// What goes wrong on the way is the job's own: it fails with the reason in its row and its log. An error is left only
/// if that could not be kept.
pub(super) fn run(rooms: &Rooms, mut job: Job, binding: Option<&RunnerId>, orders: &Orders) -> Result<()> {
    let outcome = match LogWriter::create(&rooms.logs(), &job.id, rooms.settings.log_limit_bytes.value) {
        Ok(log) => with_log(rooms, &mut job, orders, MaskedLog::new(log)),
        Err(error) => farm_failure(&error, LogStats::default()),
    };
    let again = outcome.error.is_none() && matches!(outcome.status, JobStatus::Failed | JobStatus::TimedOut);
    rooms.ledger.write(|tx| {
        let now = Timestamp::now();
        jobs::finish(tx, &job.id, &outcome, now)?;
        let first = job.retry_of.as_ref().unwrap_or(&job.id);
        // In one transaction with the end, so that nobody sees the batch at rest in between.
        if again && queue::tries_again(tx, first, &job.batch_id)? < job.recipe_snapshot.retries {
            let next = job.queued_again(job.batch_id.clone(), now)?;
            let backoff = Duration::from_secs(job.recipe_snapshot.backoff_secs);
            jobs::insert(tx, &next, binding, Some(now.after(backoff)))?;
            ledger::events::job_queued(tx, &next, None)?;
        }
        Ok(())
    })?;
    rooms.tally.add(outcome.status);
    Ok(())
}

fn farm_failure(error: &Error, stats: LogStats) -> Outcome {
    let mut text = error.to_string();
    if let Some(hint) = error.hint_text() {
        text = format!("{text} ({hint})");
    }
    Outcome {
        error: Some(text),
        log_bytes: stats.bytes,
        log_lines: stats.lines,
        ..Outcome::bare(JobStatus::Failed, None)
    }
}

fn with_log(rooms: &Rooms, job: &mut Job, orders: &Orders, mut log: MaskedLog) -> Outcome {
    orders.preparing(&job.id);
    let prepared = prepare(rooms, job, &mut log);
    let cancelled = orders.prepared();
    let slot = match prepared {
        Ok(slot) if !cancelled => slot,
        Ok(slot) => {
            let _ = slot.release(Release::Clean);
            return cancel(log);
        }
        Err(error) if cancelled || error.code() == Code::Interrupted => return cancel(log),
        Err(error) => return fail(log, &error),
    };
    let given = match Given::open(rooms, job) {
        Ok(given) => given,
        Err(error) => {
            let _ = slot.release(Release::Clean);
            return fail(log, &error);
        }
    };
    log.mask(given.masks.clone());
    let (mut outcome, release) = in_slot(rooms, job, &slot, (orders, &given), log);
    if let (Some(masks), Some(error)) = (&given.masks, &mut outcome.error) {
        *error = masks.text(error);
    }
    if let Err(error) = slot.release(release) {
        // The recipe ran and its end stands; the slot is laid anew next time.
        tracing::warn!(job = %job.id, "{error}");
    }
    if let Err(error) = rooms.remove_temporary(&job.id) {
        tracing::warn!(job = %job.id, "{error}");
    }
    outcome
}

fn ended(status: JobStatus, exit_code: Option<i32>, stats: LogStats) -> Outcome {
    Outcome { log_bytes: stats.bytes, log_lines: stats.lines, ..Outcome::bare(status, exit_code) }
}

/// Ends a job whose recipe was never begun.
fn cancel(mut log: MaskedLog) -> Outcome {
    let _ = log.note(CANCELLED);
    ended(JobStatus::Cancelled, None, log.finish().unwrap_or_default())
}

/// Ends a job that the farm could not run, with the reason in its log.
fn fail(mut log: MaskedLog, error: &Error) -> Outcome {
    note_error(&mut log, error);
    let stats = log.finish().unwrap_or_default();
    farm_failure(error, stats)
}

/// The log may be what is broken: then the row has the reason alone.
fn note_error(log: &mut MaskedLog, error: &Error) {
    let _ = log.note(&format!("error: {error}"));
    if let Some(hint) = error.hint_text() {
        let _ = log.note(&format!("hint: {hint}"));
    }
}

/// Resolves the commit and leases a slot with its tree.
fn prepare(rooms: &Rooms, job: &mut Job, log: &mut MaskedLog) -> Result<Slot> {
    // Before anything that takes long.
    given::check(rooms, job)?;
    let project = rooms.ledger.read(|tx| ledger::projects::get(tx, Within::Everything, &job.project))?;
    let mirror = rooms.workspace.mirror(&project.name, &project.git_url).for_job(&job.id);
    let sha = match &job.sha {
        Some(sha) => sha.clone(),
        None => {
            let resolved = mirror.resolve(&job.git_ref)?;
            for note in &resolved.notes {
                log.note(note)?;
            }
            rooms.ledger.write(|tx| jobs::resolved(tx, &job.id, &resolved.sha))?;
            job.sha = Some(resolved.sha.clone());
            resolved.sha
        }
    };
    let request = LeaseRequest {
        subproject: &job.subproject,
        recipe: &job.recipe,
        job: &job.id,
        sha: &sha,
        keep: &job.recipe_snapshot.keep,
        fresh: job.recipe_snapshot.fresh,
        submodules: job.recipe_snapshot.submodules,
    };
    let slot = rooms.workspace.lease(&mirror, &request, &mut |stranded| {
        crate::runtime::kill_marked(stranded);
    })?;
    for note in slot.notes() {
        log.note(note)?;
    }
    Ok(slot)
}

/// Runs the recipe in its slot and reads what it printed.
fn in_slot(
    rooms: &Rooms,
    job: &Job,
    slot: &Slot,
    (orders, given): (&Orders, &Given),
    mut log: MaskedLog,
) -> (Outcome, Release) {
    let snapshot = &job.recipe_snapshot;
    let aliases = vec![slot.link().to_owned()];
    let paths = PathMap::new(slot.path(), &snapshot.root, &snapshot.path, aliases);
    let watch = log.watch();
    let (ending, stats, reading, reported) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| Reading::new(rooms, job, paths, given.masks.clone()).follow(&watch));
        let ending = execute(rooms, job, slot, (orders, given), &mut log);
        match &ending {
            Ok(ending) => note_ending(&mut log, job, slot, ending),
            Err(error) => note_error(&mut log, error),
        }
        let reports = reports::read(&rooms.reports(&job.id), given.masks.as_ref());
        for note in &reports.notes {
            say(&mut log, job, note);
        }
        let stats = log.finish();
        let reading = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (ending, stats, reading, reports.found)
    });
    let stats = match stats {
        Ok(stats) => stats,
        Err(error) => return (farm_failure(&error, LogStats::default()), Release::Spoiled),
    };
    let ending = match ending {
        Ok(ending) => ending,
        Err(error) => return (farm_failure(&error, stats), Release::Spoiled),
    };
    let status = match ending.cause {
        Cause::Exited if ending.exit_code == 0 => JobStatus::Passed,
        Cause::Exited => JobStatus::Failed,
        Cause::TimedOut => JobStatus::TimedOut,
        Cause::Terminated => JobStatus::Cancelled,
    };
    // Whatever was in the middle of a write when it was ended left its build outputs half-made.
    let release = match ending.cause {
        _ if snapshot.keep_slot => Release::Keep,
        Cause::Exited if ending.exit_code < 128 => Release::Clean,
        _ => Release::Spoiled,
    };
    let exit_code = (status != JobStatus::Cancelled).then_some(ending.exit_code);
    let judged = reading.and_then(|reading| {
        reading.finish(exit_code, reported)?;
        judge(rooms, job, slot, (status, ending.exit_code))
    });
    let mut outcome = ended(status, Some(ending.exit_code), stats);
    match judged {
        Ok(Judged { count, new, fixed }) => {
            (outcome.findings_count, outcome.findings_new, outcome.findings_fixed) = (count, new, fixed);
        }
        Err(error) => outcome.error = Some(format!("its findings could not be kept: {error}")),
    }
    (outcome, release)
}

/// From the recipe's start to its end and the last byte of its output.
fn execute(
    rooms: &Rooms,
    job: &Job,
    slot: &Slot,
    (orders, given): (&Orders, &Given),
    log: &mut MaskedLog,
) -> Result<Ending> {
    let snapshot = &job.recipe_snapshot;
    let caches = rooms.settings.caches_dir.value.as_deref();
    let (temporary, reports) = (rooms.temporary(&job.id), rooms.reports(&job.id));
    for folder in [&temporary, &reports] {
        DirBuilder::new().mode(0o700).create(folder).on("create the job's temporary folder", folder)?;
    }
    let cwd = slot.folder(&snapshot.path)?;
    let folders = environment::Folders { temporary: &temporary, reports: &reports, cwd: &cwd, caches };
    let mut env = environment::of(job, &folders, &|name| std::env::var_os(name));
    given.add_to(&mut env);
    let launch = Launch {
        job: job.id.clone(),
        command: snapshot.command.clone(),
        env,
        cwd,
        timeout: Duration::from_secs(snapshot.timeout_secs),
        grace: GRACE,
    };
    let mut running = rooms.runtime.start(launch)?;
    orders.attach(running.process.control());
    let mut buffer = vec![0_u8; 256 * 1024];
    let captured = loop {
        let written = match running.output.read_within(&mut buffer, log.patience()) {
            Ok(Read::Bytes(stream, length)) => log.write(stream, &buffer[..length]).and_then(|()| log.release()),
            Ok(Read::Nothing) => log.release(),
            Ok(Read::End) => break log.end_streams(),
            Err(error) => break Err(Error::io("read the output of", slot.path(), &error)),
        };
        if written.is_err() {
            break written;
        }
    };
    if captured.is_err() {
        // Without a log the job is worth nothing, and a full pipe would hold the recipe for ever.
        running.process.control().kill();
    }
    let ending = running.process.wait();
    captured.and(ending)
}

fn say(log: &mut MaskedLog, job: &Job, text: &str) {
    if let Err(error) = log.note(text) {
        tracing::warn!(job = %job.id, "{error}");
    }
}

/// What the log should say that the recipe did not.
fn note_ending(log: &mut MaskedLog, job: &Job, slot: &Slot, ending: &Ending) {
    let mut say = |text: String| say(log, job, &text);
    match ending.cause {
        Cause::Exited => {}
        Cause::TimedOut => say(format!("ended: the time limit of {} s was up", job.recipe_snapshot.timeout_secs)),
        Cause::Terminated => say(CANCELLED.to_owned()),
    }
    let (gone, alive): (Vec<_>, Vec<_>) = ending.leftovers.iter().partition(|process| process.ended);
    for (processes, what) in [(gone, "ended, as it outlived the recipe"), (alive, "could not be ended")] {
        for process in processes {
            say(format!("{what}: {} (process {})", process.name, process.pid));
        }
    }
    if job.recipe_snapshot.keep_slot {
        say(format!("the tree is kept in {}", slot.path().display()));
    }
}
