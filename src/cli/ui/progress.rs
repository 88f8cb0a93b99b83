//! A run while it goes on, on stderr: a line per running job on a terminal, a line per change of state elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Ui;
use super::colour::{Paint, Tone};
use super::echo::NoEcho;
use super::text;
use crate::error::Result;
use crate::farm::{Event, FollowLogs};
use crate::model::{Job, JobId, JobStatus, Timestamp};

/// Redraws a second, at most.
const REDRAWS: u8 = 10;
/// Time between two pictures of a spinner.
pub(super) const TICK: Duration = Duration::from_millis(120);

/// Shows events as they come.
pub struct Progress<'a> {
    ui: &'a Ui,
    follow: bool,
    live: Option<Live>,
    jobs: BTreeMap<JobId, Job>,
    order: Vec<JobId>,
    label_width: usize,
    /// Whose line was printed without its end: one that is longer than an event, or the last one of a log.
    open: Option<JobId>,
}

/// What is drawn on a terminal: the running jobs, and how many wait.
struct Live {
    all: MultiProgress,
    bars: BTreeMap<JobId, ProgressBar>,
    waiting: ProgressBar,
    _no_echo: Option<NoEcho>,
}

impl<'a> Progress<'a> {
    /// With `follow`, logs are printed as they grow, and nothing is drawn.
    pub fn new(ui: &'a Ui, follow: bool, jobs: &[Job]) -> Self {
        let live = (ui.live && !follow).then(|| {
            let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(REDRAWS));
            let waiting = all.add(ProgressBar::no_length().with_style(style("  {msg}")));
            Live { all, bars: BTreeMap::new(), waiting, _no_echo: NoEcho::begin() }
        });
        let label_width = jobs.iter().map(|job| console::measure_text_width(&text::label(job))).max().unwrap_or(0);
        Self { ui, follow, live, jobs: BTreeMap::new(), order: Vec::new(), label_width, open: None }
    }

    /// Shows the jobs as they were when they were queued: what they became since then comes with the events.
    pub fn begin(&mut self, jobs: &[Job]) {
        jobs.iter().for_each(|job| self.state(job.clone()));
    }

    /// What this display needs to be told.
    pub fn wants(&self) -> FollowLogs {
        match (self.follow, &self.live) {
            (true, _) => FollowLogs::Lines,
            (false, Some(_)) => FollowLogs::Progress,
            (false, None) => FollowLogs::None,
        }
    }

    /// Shows what happened.
    pub fn event(&mut self, event: Event) -> Result<()> {
        match event {
            Event::State(job) => {
                self.end_line()?;
                self.state(*job);
            }
            Event::Progress { job, last_line, findings } => {
                if let Some(bar) = self.live.as_ref().and_then(|live| live.bars.get(&job)) {
                    bar.set_message(message(&last_line, findings, self.ui.err));
                }
            }
            Event::Log { job, bytes } => return self.log(&job, &bytes),
            Event::Interrupted(told) => {
                self.say(&format!("{} {told}", self.ui.err.paint(Tone::Warn, "warning:")));
            }
        }
        Ok(())
    }

    /// Says something between the lines that are drawn.
    pub fn say(&self, line: &str) {
        match &self.live {
            Some(live) => live.all.suspend(|| self.ui.err_line(line)),
            None => self.ui.err_line(line),
        }
    }

    /// The jobs as they were last heard of, in the order in which they were first.
    pub fn finish(mut self) -> Vec<Job> {
        if let Some(live) = &self.live {
            let _ = live.all.clear();
        }
        self.order.iter().filter_map(|id| self.jobs.remove(id)).collect()
    }

    fn state(&mut self, job: Job) {
        let known = self.jobs.insert(job.id.clone(), job.clone());
        if known.is_none() {
            self.order.push(job.id.clone());
        }
        if known.as_ref().is_some_and(|known| known.status == job.status) {
            return;
        }
        // A short job may be over before anybody hears of it. Its lines are the same as those of a long one.
        let missed = job.status.is_final() && job.started_at.is_some();
        if missed && known.is_some_and(|known| known.status == JobStatus::Queued) {
            self.show(&Job { status: JobStatus::Running, ..job.clone() });
        }
        self.show(&job);
    }

    fn show(&mut self, job: &Job) {
        if let Some(live) = &mut self.live {
            live.state(job, self.label_width, self.ui.err);
            let queued = self.jobs.values().filter(|job| job.status == JobStatus::Queued).count();
            live.waiting.set_message(if queued > 0 { format!("{queued} queued") } else { String::new() });
        } else if !self.ui.quiet {
            self.ui.err_line(&line(job, self.label_width, self.ui.err));
        }
    }

    /// Lines of several jobs say whose they are.
    fn log(&mut self, job: &JobId, bytes: &[u8]) -> Result<()> {
        let goes_on = self.open.as_ref() == Some(job);
        if !goes_on {
            self.end_line()?;
        }
        let mut text = Vec::with_capacity(bytes.len() + 64);
        match self.jobs.get(job).filter(|_| self.jobs.len() > 1) {
            Some(job) => {
                let label = format!("{} │ ", text::pad(&text::label(job), self.label_width));
                let label = self.ui.out.paint(Tone::Dim, &label);
                for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
                    if number > 0 || !goes_on {
                        text.extend_from_slice(label.as_bytes());
                    }
                    text.extend_from_slice(line);
                }
            }
            None => text.extend_from_slice(bytes),
        }
        self.open = text.last().is_some_and(|byte| *byte != b'\n').then(|| job.clone());
        self.print(&text)
    }

    /// What comes next is no part of the line that was printed last.
    fn end_line(&mut self) -> Result<()> {
        match self.open.take() {
            Some(_) => self.print(b"\n"),
            None => Ok(()),
        }
    }

    /// stdout belongs to the JSON answer, if one was asked for.
    fn print(&self, text: &[u8]) -> Result<()> {
        if self.ui.is_json() {
            self.ui.err_bytes(text);
            return Ok(());
        }
        self.ui.write(text)
    }
}

impl Live {
    fn state(&mut self, job: &Job, label_width: usize, paint: Paint) {
        if job.status == JobStatus::Running {
            let so_far = job.started_at.map(|started| Timestamp::now().since(started)).unwrap_or_default();
            let bar = ProgressBar::no_length()
                .with_style(style("{spinner} {prefix}  {elapsed}  {wide_msg}"))
                .with_prefix(text::pad(&text::label(job), label_width))
                .with_elapsed(so_far);
            let bar = self.all.insert_before(&self.waiting, bar);
            bar.enable_steady_tick(TICK);
            self.bars.insert(job.id.clone(), bar);
        } else if job.status.is_final() {
            if let Some(bar) = self.bars.remove(&job.id) {
                bar.finish_and_clear();
                self.all.remove(&bar);
            }
            let _ = self.all.println(line(job, label_width, paint));
        }
    }
}

/// Findings so far and the last line.
fn message(last_line: &str, findings: u64, paint: Paint) -> String {
    let last_line = paint.paint(Tone::Dim, &text::clean(last_line));
    match findings {
        0 => last_line,
        _ => format!("{}  {last_line}", paint.paint(Tone::Warn, &text::count(findings, "finding"))),
    }
}

/// A job that came into a state: `✗ rust test  failed (exit 101)  4.2s  2 findings (1 new)`.
fn line(job: &Job, label_width: usize, paint: Paint) -> String {
    let sign = match job.status {
        JobStatus::Queued => "·",
        JobStatus::Running => "▸",
        JobStatus::Passed => "✓",
        JobStatus::Failed | JobStatus::TimedOut => "✗",
        JobStatus::Cancelled => "-",
    };
    let tone = text::status_tone(job.status);
    let label = text::pad(&text::label(job), label_width);
    let mut parts = vec![format!("{} {label}", paint.paint(tone, sign)), paint.paint(tone, &text::outcome(job))];
    match job.status {
        JobStatus::Queued | JobStatus::Running => parts.push(paint.paint(Tone::Dim, job.id.as_str())),
        _ => parts.extend(text::job_duration(job).map(text::duration)),
    }
    parts.push(text::findings(job.findings_count, job.findings_new));
    parts.retain(|part| !part.is_empty());
    parts.join("  ")
}

pub(super) fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the templates here are well-formed");
    style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ").with_key(
        "elapsed",
        |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{:>6}", text::duration(state.elapsed()));
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::report::samples::job;
    use super::*;

    #[test]
    fn a_line_a_state() {
        let lines: Vec<String> = JobStatus::ALL
            .into_iter()
            .map(|status| line(&job("aaaaaaaaaaaa", "rust", "test", status), 12, Paint(false)))
            .collect();
        insta::assert_snapshot!("states", lines.join("\n"));
    }

    #[test]
    fn progress_is_one_line_without_control_characters() {
        assert_eq!(message("\x1b[2Jcompiling\r\n", 2, Paint(false)), "2 findings  compiling");
        assert_eq!(message("", 0, Paint(false)), "");
    }
}
