//! Jobs that this terminal waits for: shown as they go, reported at the end.

use std::collections::BTreeMap;

use tokio::sync::mpsc::Receiver;

use super::super::project::registration;
use super::super::ui::colour::Tone;
use super::super::ui::progress::Progress;
use super::super::ui::report::{REPORTED, Report, needs_log};
use super::super::ui::{Ui, job_table, text};
use super::super::values::FailOn;
use super::outcome::{exit_status, last_tries};
use super::stop::Stop;
use crate::error::{Code, Error, Result};
use crate::farm::{Farm, FindingQuery, Findings, LogPart, LogStart, Scope, Started};
use crate::model::{Job, JobId, JobStatus, Timestamp};

/// Lines of a failed job's log that the report shows.
const TAIL: u64 = 10;
/// Bytes of those lines; what comes before them is left out.
const TAIL_BYTES: usize = 64 << 10;

/// What Ctrl-C means to the jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInterrupt {
    /// They were started here, and end.
    Cancel,
    /// They go on without this terminal.
    Leave,
}

/// How to wait for jobs.
#[derive(Clone, Copy, Debug)]
pub struct Attachment {
    /// Whether logs are printed as they grow.
    pub follow: bool,
    /// From which findings on the exit status is 1.
    pub fail_on: Option<FailOn>,
    /// What Ctrl-C means.
    pub on_interrupt: OnInterrupt,
}

/// A terminal, the farm, and how often the user has asked for the end.
pub struct Attached<'a> {
    ui: &'a Ui,
    farm: &'a dyn Farm,
    stop: Stop,
    asked: u32,
}

/// How watching ended.
enum Watched {
    /// With all jobs final; not all could be written to stdout if there is an error.
    Ended(Option<Error>),
    /// By Ctrl-C.
    Left,
}

impl<'a> Attached<'a> {
    /// From now on Ctrl-C is told instead of deadly.
    pub fn new(ui: &'a Ui, farm: &'a dyn Farm) -> Result<Self> {
        Ok(Self { ui, farm, stop: Stop::listen()?, asked: 0 })
    }

    /// Starts a batch and waits for it; without an attachment it is left to the background. Returns the exit status.
    pub async fn start(
        mut self,
        starting: impl Future<Output = Result<Started>>,
        attachment: Option<Attachment>,
    ) -> Result<u8> {
        let started = self.until_started(starting).await?;
        if let Some(registered) = &started.registered {
            self.ui.note(&registration(registered));
        }
        started.notes.iter().for_each(|note| self.ui.note(note));
        let scope = Scope::Batch(started.batch.batch_id.clone());
        if self.asked > 0 {
            self.farm.cancel(&scope, false).await?;
        }
        match attachment {
            Some(attachment) => self.show(&scope, &started.batch.jobs, attachment, true).await,
            None => detached(self.ui, self.farm, &started.batch.jobs),
        }
    }

    /// A snapshot or a fetch is not torn apart by the first Ctrl-C; the batch is cancelled right after it.
    async fn until_started(&mut self, starting: impl Future<Output = Result<Started>>) -> Result<Started> {
        let mut starting = std::pin::pin!(starting);
        loop {
            tokio::select! {
                started = &mut starting => return started,
                () = self.stop.asked() => {
                    self.asked += 1;
                    if self.asked > 1 {
                        let hint = match self.farm.server() {
                            Some(server) => format!("{server} may have them all the same: see `crafting job list`"),
                            None => "nothing runs".to_owned(),
                        };
                        return Err(Error::new(Code::Interrupted, "interrupted before the jobs were queued").hint(hint));
                    }
                    self.ui.warn("interrupted: the jobs are cancelled as soon as they are queued; once more leaves at once");
                }
            }
        }
    }

    /// Shows jobs until all are final, then reports; returns the exit status. If that cannot go on, jobs that were
    /// started here end too.
    pub async fn wait(self, scope: &Scope, known: &[Job], attachment: Attachment) -> Result<u8> {
        self.show(scope, known, attachment, false).await
    }

    async fn show(mut self, scope: &Scope, known: &[Job], attachment: Attachment, just_queued: bool) -> Result<u8> {
        let mut progress = Progress::new(self.ui, attachment.follow, known);
        if just_queued {
            progress.begin(known);
        }
        let watched = self.watch(scope, &mut progress, attachment.on_interrupt).await;
        let jobs = progress.finish();
        match watched {
            Ok(Watched::Ended(trouble)) => {
                let reporting = report(self.ui, self.farm, &jobs, attachment.fail_on, self.asked > 0);
                // Very many findings take a while to read. Who has ended the jobs already wants to see how they ended.
                let status = tokio::select! {
                    biased;
                    status = reporting => status?,
                    () = self.stop.asked(), if self.asked == 0 => return Ok(Code::Interrupted.exit_status()),
                };
                trouble.map_or(Ok(status), Err)
            }
            Ok(Watched::Left) => {
                if let Some(job) = jobs.iter().find(|job| !job.status.is_final()) {
                    self.ui.note(&format!("the job {} goes on; `crafting job cancel {0}` ends it", job.id));
                }
                Ok(Code::Interrupted.exit_status())
            }
            Err(error) => {
                if attachment.on_interrupt == OnInterrupt::Cancel {
                    // The first error tells more than one of the clean-up would, but the jobs must not go on unseen.
                    let ended = self.farm.cancel(scope, true).await.is_ok();
                    if !ended && let Some((server, job)) = self.farm.server().zip(known.first()) {
                        self.ui.warn(&format!(
                            "the jobs may go on on {server}; `crafting job watch {} --batch` goes on to show them",
                            job.id
                        ));
                    }
                }
                Err(error)
            }
        }
    }

    async fn watch(
        &mut self,
        scope: &Scope,
        progress: &mut Progress<'_>,
        on_interrupt: OnInterrupt,
    ) -> Result<Watched> {
        let mut events = self.farm.follow(scope, progress.wants()).await?;
        let mut trouble = None;
        loop {
            tokio::select! {
                event = events.recv() => {
                    let Some(event) = event else { return Ok(Watched::Ended(trouble)) };
                    if let Err(error) = progress.event(event?) {
                        trouble.get_or_insert(error);
                    }
                }
                () = self.stop.asked() => {
                    if on_interrupt == OnInterrupt::Leave {
                        return Ok(Watched::Left);
                    }
                    self.asked += 1;
                    let line = if self.asked == 1 {
                        "interrupted: ending the jobs; once more ends them at once"
                    } else {
                        "interrupted again: ending the jobs at once"
                    };
                    progress.say(&format!("{} {line}", self.ui.err.paint(Tone::Warn, "warning:")));
                    self.farm.cancel(scope, self.asked > 1).await?;
                }
            }
        }
    }
}

fn detached(ui: &Ui, farm: &dyn Farm, jobs: &[Job]) -> Result<u8> {
    if ui.is_json() {
        let mut answer = ui.run_answer(jobs)?;
        for job in jobs {
            answer.job(job)?.end()?;
        }
        answer.end()?;
    } else {
        ui.print(&job_table::list(jobs, Timestamp::now(), ui.look()))?;
        if let Some(job) = jobs.first() {
            let place = farm.server().map_or_else(|| "in the background".to_owned(), |server| format!("on {server}"));
            ui.note(&format!("they run {place}; see them with `crafting job watch {} --batch`", job.id));
        }
    }
    Ok(0)
}

async fn report(ui: &Ui, farm: &dyn Farm, jobs: &[Job], fail_on: Option<FailOn>, interrupted: bool) -> Result<u8> {
    let last = last_tries(jobs);
    if ui.is_json() {
        let mut answer = ui.run_answer(jobs)?;
        for job in jobs {
            let query = FindingQuery { records: true, ..FindingQuery::of_jobs([job]) };
            let mut findings = farm.each_finding(&query).await?.findings;
            let mut rows = answer.job(job)?;
            while let Some(piece) = findings.recv().await {
                rows.write(&piece?)?;
            }
            rows.end()?;
        }
        answer.end()?;
    }
    let limit = if ui.is_json() { 0 } else { REPORTED };
    let findings = match last.is_empty() {
        true => Findings::default(),
        false => farm.findings(&FindingQuery { limit: Some(limit), ..FindingQuery::of_jobs(&last) }).await?,
    };
    if !ui.is_json() {
        let mut tails = BTreeMap::new();
        for job in last.iter().filter(|job| matches!(job.status, JobStatus::Failed | JobStatus::TimedOut)) {
            let query = FindingQuery { limit: Some(0), ..FindingQuery::of_jobs([job]) };
            if needs_log(job, &farm.findings(&query).await?.counts) {
                tails.insert(job.id.clone(), tail(farm, &job.id).await?);
            }
        }
        let log_paths = last
            .iter()
            .filter_map(|job| Some((job.id.clone(), farm.log_path(&job.id)?.display().to_string())))
            .collect();
        let report = Report { jobs: &last, findings: &findings, tails: &tails, log_paths: &log_paths };
        let failures = report.failures(ui.err);
        if !ui.quiet && !failures.is_empty() {
            ui.err_bytes(failures.as_bytes());
            ui.err_line("");
        }
        ui.print(&report.answer(ui.look()))?;
    }
    for job in last.iter().filter(|job| job.recipe_snapshot.keep_slot) {
        if let Some(tree) = farm.kept_tree(job) {
            let label = text::label(job);
            ui.note(&format!("the tree of {label} is yours until you remove it: {}", tree.display()));
        }
    }
    Ok(exit_status(&last, &findings.counts, fail_on, interrupted))
}

/// The last lines of a job's log; none where there is no log, or none any more.
async fn tail(farm: &dyn Farm, job: &JobId) -> Result<Vec<String>> {
    let part = LogPart { start: LogStart::Tail(TAIL), lines: Some(TAIL), stream: None, follow: false };
    let mut chunks: Receiver<Result<Vec<u8>>> = match farm.log(job, part).await {
        Err(error) if error.code() == Code::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.recv().await {
        bytes.extend_from_slice(&chunk?);
        bytes.drain(..bytes.len().saturating_sub(TAIL_BYTES));
    }
    Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
}
