//! The exit status that jobs come to.

use super::super::values::FailOn;
use crate::error::Code;
use crate::model::{FindingCounts, Job, JobStatus};

/// Exit status of a reached time limit, as of timeout(1).
const TIMED_OUT: u8 = 124;

/// The last try of every job, in order: a job that was tried again counts no more. Every further try names the first.
pub fn last_tries(jobs: &[Job]) -> Vec<Job> {
    let first = |job: &Job| job.retry_of.clone().unwrap_or_else(|| job.id.clone());
    let superseded = |number: usize, job: &Job| jobs[number + 1..].iter().any(|later| first(later) == first(job));
    jobs.iter().enumerate().filter(|(number, job)| !superseded(*number, job)).map(|(_, job)| job.clone()).collect()
}

/// 130 interrupted; 3 the farm could not run a job; 1 a job failed, or a finding is as bad as `fail_on`;
/// 124 a time limit was reached; 130 a job was cancelled; 0.
pub fn exit_status(last_tries: &[Job], counts: &FindingCounts, fail_on: Option<FailOn>, interrupted: bool) -> u8 {
    let any = |status| last_tries.iter().any(|job| job.status == status);
    if interrupted {
        Code::Interrupted.exit_status()
    } else if last_tries.iter().any(|job| job.error.is_some()) {
        Code::Io.exit_status()
    } else if any(JobStatus::Failed) || fail_on.is_some_and(|bound| bound.met(counts)) {
        1
    } else if any(JobStatus::TimedOut) {
        TIMED_OUT
    } else if any(JobStatus::Cancelled) {
        Code::Interrupted.exit_status()
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::ui::report::samples::{findings, job};
    use super::*;

    fn status(states: &[JobStatus]) -> u8 {
        let jobs: Vec<Job> = states.iter().map(|state| job("aaaaaaaaaaaa", ".", "test", *state)).collect();
        exit_status(&jobs, &FindingCounts::default(), None, false)
    }

    #[test]
    fn the_worst_thing_decides() {
        use JobStatus::{Cancelled, Failed, Passed, TimedOut};
        assert_eq!(status(&[Passed, Passed]), 0);
        assert_eq!(status(&[Passed, Failed, TimedOut, Cancelled]), 1);
        assert_eq!(status(&[Passed, TimedOut, Cancelled]), 124);
        assert_eq!(status(&[Passed, Cancelled]), 130);
        let mut broken = job("aaaaaaaaaaaa", ".", "test", Failed);
        broken.error = Some("the disk is full".to_owned());
        assert_eq!(exit_status(&[broken], &FindingCounts::default(), None, false), 3);
        let passed = [job("aaaaaaaaaaaa", ".", "test", Passed)];
        assert_eq!(exit_status(&passed, &FindingCounts::default(), None, true), 130);
    }

    #[test]
    fn findings_count_from_the_bound_on() {
        let passed = [job("aaaaaaaaaaaa", ".", "lint", JobStatus::Passed)];
        let warnings = FindingCounts::of(&findings().split_off(1), 0);
        let status = |bound: &str| exit_status(&passed, &warnings, Some(bound.parse().unwrap()), false);
        assert_eq!([status("info"), status("warn"), status("error"), status("new:info")], [1, 1, 0, 0]);
    }

    #[test]
    fn a_job_that_was_tried_again_counts_no_more() {
        let first = job("aaaaaaaaaaaa", ".", "test", JobStatus::Failed);
        let mut second = job("bbbbbbbbbbbb", ".", "test", JobStatus::Passed);
        second.status = JobStatus::Failed;
        second.retry_of = Some(first.id.clone());
        let mut third = job("cccccccccccc", ".", "test", JobStatus::Passed);
        third.retry_of = Some(first.id.clone());
        let last = last_tries(&[first, second, third]);
        assert_eq!(last.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["cccccccccccc"]);
        assert_eq!(exit_status(&last, &FindingCounts::default(), None, false), 0);
    }
}
