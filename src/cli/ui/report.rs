//! The end of a run: what failed, what was found, and one line that sums it up.

use std::collections::BTreeMap;

use super::colour::{Paint, Tone};
use super::finding_table;
use super::table::Look;
use super::text;
use crate::farm::Findings;
use crate::model::{FindingCounts, Job, JobId, JobStatus, Kind};

/// Findings that a run's own table shows.
pub const REPORTED: u64 = 50;
/// Jobs that the hint at the end names one by one.
const NAMED: usize = 3;
/// Columns of a log's line that the report shows.
const LINE: usize = 400;
/// Digits of an id that are enough to name it to a person.
const PREFIX: usize = 6;

/// What is told at the end of a run.
#[derive(Debug)]
pub struct Report<'a> {
    /// The last try of every job, in the order of the batch.
    pub jobs: &'a [Job],
    /// What they found.
    pub findings: &'a Findings,
    /// The last lines of the jobs whose findings do not tell why they failed.
    pub tails: &'a BTreeMap<JobId, Vec<String>>,
    /// Where the whole logs are.
    pub log_paths: &'a BTreeMap<JobId, String>,
}

/// Whether a job's log has to tell why it failed, because none of its findings does.
pub fn needs_log(job: &Job, found: &FindingCounts) -> bool {
    matches!(job.status, JobStatus::Failed | JobStatus::TimedOut)
        && found.by_kind.keys().all(|kind| *kind == Kind::RecipeFail)
}

impl Report<'_> {
    /// The jobs that did not pass: how they ended, their last lines, where the whole log is.
    pub fn failures(&self, paint: Paint) -> String {
        let mut text = String::new();
        for job in self.jobs.iter().filter(|job| matches!(job.status, JobStatus::Failed | JobStatus::TimedOut)) {
            let head = format!("{} {}", text::label(job), text::outcome(job));
            text.push_str(&format!("\n{}\n", paint.paint(Tone::Bad, &head)));
            if let Some(error) = &job.error {
                text.push_str(&format!("  {}\n", text::clean(error)));
            }
            for line in self.tails.get(&job.id).into_iter().flatten() {
                text.push_str(&format!(
                    "  {} {}\n",
                    paint.paint(Tone::Dim, "│"),
                    console::truncate_str(&text::clean(line), LINE, "…")
                ));
            }
            let path = self.log_paths.get(&job.id).map(|path| format!(" ({path})")).unwrap_or_default();
            text.push_str(&paint.paint(Tone::Dim, &format!("  the whole log: crafting job log {}{path}", job.id)));
            text.push('\n');
        }
        text
    }

    /// The findings and the summary.
    pub fn answer(&self, look: Look) -> String {
        let mut text = String::new();
        if !self.findings.findings.is_empty() {
            let shown = &self.findings.findings;
            text.push_str(&finding_table::table(shown, look));
            let more = self.findings.counts.total.saturating_sub(u64::try_from(shown.len()).unwrap_or(u64::MAX));
            if more > 0 {
                text.push_str(&format!("… and {more} more: {}\n", self.see()));
            }
            text.push('\n');
        }
        text.push_str(&self.summary(look));
        text.push('\n');
        text
    }

    /// `2 passed, 1 failed · 3 findings (1 new) · 4.2s · crafting findings aaaaaa`
    fn summary(&self, look: Look) -> String {
        let states = JobStatus::ALL.into_iter().filter_map(|status| {
            let number = self.jobs.iter().filter(|job| job.status == status).count();
            (number > 0).then(|| look.paint.paint(text::status_tone(status), &format!("{number} {status}")))
        });
        let mut parts = vec![states.collect::<Vec<_>>().join(", "), finding_table::counts(&self.findings.counts)];
        let first = self.jobs.iter().map(|job| job.queued_at).min();
        let last = self.jobs.iter().filter_map(|job| job.finished_at).max();
        if let (Some(first), Some(last)) = (first, last) {
            parts.push(text::duration(last.since(first)));
        }
        let mut line = parts.join(" · ");
        if self.findings.counts.total > 0 {
            let see = self.see();
            let whole = console::measure_text_width(&line) + see.len() + 3;
            line.push_str(if look.width.is_some_and(|width| whole > width) { "\n" } else { " · " });
            line.push_str(&see);
        }
        line
    }

    /// The command that shows these findings again, from any folder.
    fn see(&self) -> String {
        let mut command = "crafting findings".to_owned();
        match self.jobs {
            jobs if jobs.len() <= NAMED => {
                jobs.iter().for_each(|job| command.push_str(&format!(" {:.PREFIX$}", job.id)));
            }
            jobs => command.push_str(&jobs.first().map(|job| format!(" -p {}", job.project)).unwrap_or_default()),
        }
        command
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use crate::model::{Finding, Job, JobStatus, Kind, Language, RecipeSnapshot, Severity, SubPath, Timestamp};

    /// A job that began two seconds after it was queued and took 4.2 s.
    pub fn job(id: &str, subproject: &str, recipe: &str, status: JobStatus) -> Job {
        let time = |millis: i64| Timestamp::from_millis(1_777_470_000_000 + millis);
        let ended = status.is_final();
        Job {
            id: id.parse().unwrap(),
            batch_id: "zzzzzzzzzzzz".parse().unwrap(),
            project: "hello".parse().unwrap(),
            subproject: subproject.parse().unwrap(),
            recipe: recipe.parse().unwrap(),
            status,
            git_ref: "main".parse().unwrap(),
            sha: Some("0123456789abcdef0123456789abcdef01234567".parse().unwrap()),
            dirty: true,
            exit_code: match status {
                JobStatus::Passed => Some(0),
                JobStatus::Failed => Some(101),
                _ => None,
            },
            queued_at: time(0),
            started_at: Some(time(2000)),
            finished_at: ended.then(|| time(6200)),
            duration_ms: ended.then_some(4200),
            findings_count: i64::from(status == JobStatus::Failed) * 2,
            findings_new: i64::from(status == JobStatus::Failed),
            findings_fixed: 0,
            log_bytes: 4096,
            log_lines: 120,
            runtime: "host".to_owned(),
            recipe_snapshot: RecipeSnapshot {
                command: "cargo test".to_owned(),
                env: [("RUST_LOG".to_owned(), "debug".to_owned())].into(),
                secrets: std::collections::BTreeSet::new(),
                timeout_secs: 3600,
                path: subproject.parse().unwrap(),
                root: SubPath::root(),
                language: Language::Rust,
                keep: vec!["target".to_owned()],
                fresh: false,
                submodules: false,
                retries: 0,
                backoff_secs: 0,
                keep_slot: false,
                ignores: Vec::new(),
            },
            token: None,
            error: None,
            retry_of: None,
        }
    }

    /// One of a kind.
    pub fn finding(
        job: &str,
        kind: Kind,
        severity: Severity,
        place: Option<(&str, u32)>,
        code: &str,
        message: &str,
    ) -> Finding {
        Finding {
            id: Some(1),
            job_id: Some(job.parse().unwrap()),
            project: Some("hello".parse().unwrap()),
            subproject: Some("rust".parse().unwrap()),
            recipe: Some("test".parse().unwrap()),
            kind,
            severity,
            file: place.map(|(file, _)| file.to_owned()),
            line: place.map(|(_, line)| line),
            column: place.map(|_| 5),
            end_line: None,
            code: code.to_owned(),
            message: message.to_owned(),
            suggested_fix: (kind == Kind::Lint).then(|| "let total = prices.len();".to_owned()),
            fingerprint: "0123456789abcdef".parse().unwrap(),
            first_seen_job: Some(job.parse().unwrap()),
            is_new: severity == Severity::Error,
            tool: "clippy".to_owned(),
            ignored: None,
            raw_json: None,
            created_at: Timestamp::from_millis(1_777_470_006_000),
            context_hash: None,
            folder: None,
        }
    }

    /// Four of them: wide characters, control characters, a long code, no place.
    pub fn findings() -> Vec<Finding> {
        let id = "bbbbbbbbbbbb";
        vec![
            finding(
                id,
                Kind::TestFail,
                Severity::Error,
                Some(("rust/src/lib.rs", 42)),
                "tests::prices::are_rounded_up",
                "assertion `left == right` failed: left: 3, right: 4",
            ),
            finding(
                id,
                Kind::Lint,
                Severity::Warn,
                Some(("rust/src/プライス.rs", 7)),
                "clippy::needless_return",
                "unneeded `return` statement; この行は広い文字でできています",
            ),
            finding(
                id,
                Kind::Lint,
                Severity::Warn,
                Some(("py/a.py", 1)),
                "F401",
                "`os` imported \x1b[31mbut\x1b[0m unused\x07",
            ),
            finding(id, Kind::RecipeFail, Severity::Info, None, "exit_2", "the recipe audit exited with 2"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{finding, findings, job};
    use super::*;
    use crate::model::Severity;

    fn look(width: Option<usize>) -> Look {
        Look { width, paint: Paint(false), lines: width.is_some() }
    }

    fn of(findings: Vec<crate::model::Finding>) -> Findings {
        let counts = FindingCounts::of(&findings, 1);
        Findings { findings, counts, ..Findings::default() }
    }

    #[test]
    fn a_report_reads_from_the_failures_to_the_summary() {
        let mut stuck = job("cccccccccccc", "shell", "audit", JobStatus::Failed);
        stuck.error = Some("the folder shell is not in this commit".to_owned());
        let jobs = [
            job("aaaaaaaaaaaa", ".", "test", JobStatus::Passed),
            job("bbbbbbbbbbbb", "rust", "test", JobStatus::Failed),
            stuck,
        ];
        let tails = BTreeMap::from([(jobs[2].id.clone(), vec!["\x1b[1mlast\x1b[0m words".to_owned()])]);
        let log_paths = BTreeMap::from([(jobs[1].id.clone(), "/data/logs/bbbbbbbbbbbb.log".to_owned())]);
        let findings = of(findings());
        let report = Report { jobs: &jobs, findings: &findings, tails: &tails, log_paths: &log_paths };
        insta::assert_snapshot!("report_failures", report.failures(Paint(false)));
        for width in [40, 80, 160] {
            insta::assert_snapshot!(format!("report_{width}"), report.answer(look(Some(width))));
        }
        insta::assert_snapshot!("report_piped", report.answer(look(None)));
    }

    #[test]
    fn many_findings_are_capped() {
        let one = || finding("aaaaaaaaaaaa", Kind::Lint, Severity::Warn, Some(("a.rs", 1)), "x", "y");
        let mut findings = of((0..60).map(|_| one()).collect());
        findings.findings.truncate(50);
        let jobs = [job("aaaaaaaaaaaa", ".", "lint", JobStatus::Passed)];
        let nothing = (BTreeMap::new(), BTreeMap::new());
        let report = Report { jobs: &jobs, findings: &findings, tails: &nothing.0, log_paths: &nothing.1 };
        let text = report.answer(look(None));
        let end: Vec<_> = text.lines().skip(51).collect();
        assert_eq!(
            end,
            [
                "… and 10 more: crafting findings aaaaaa",
                "",
                "1 passed · 60 findings, 1 fixed · 6.2s · crafting findings aaaaaa"
            ]
        );
    }

    #[test]
    fn the_log_is_shown_where_no_finding_tells_why() {
        let failed = job("bbbbbbbbbbbb", "rust", "test", JobStatus::Failed);
        assert!(!needs_log(&failed, &of(findings()).counts));
        assert!(needs_log(&failed, &of(findings().split_off(3)).counts));
        assert!(needs_log(&job("dddddddddddd", "rust", "test", JobStatus::TimedOut), &FindingCounts::default()));
        assert!(!needs_log(&job("dddddddddddd", "rust", "test", JobStatus::Passed), &FindingCounts::default()));
    }
}
