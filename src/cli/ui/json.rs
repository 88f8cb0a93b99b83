//! Answers for programs.

use serde::Serialize;

use crate::error::{Code, Error, Result};
use crate::farm::Findings;
use crate::model::{BatchId, Finding, Job};

/// One document and a line break.
pub fn document(answer: &impl Serialize, indented: bool) -> Result<String> {
    let text = if indented { serde_json::to_string_pretty(answer) } else { serde_json::to_string(answer) };
    text.map(|text| text + "\n")
        .map_err(|error| Error::new(Code::Io, format!("the answer cannot be written as JSON: {error}")))
}

/// Some jobs: `{"jobs":[…]}`.
#[derive(Serialize)]
pub struct JobsAnswer<'a> {
    /// Their rows, each with its fields in the order of the model.
    pub jobs: &'a [Job],
}

/// What a run comes to: `{"batch_id", "jobs":[{…job row…,"findings":[…]}]}`.
#[derive(Serialize)]
pub struct RunAnswer<'a> {
    batch_id: Option<&'a BatchId>,
    jobs: Vec<JobAnswer<'a>>,
}

#[derive(Serialize)]
struct JobAnswer<'a> {
    #[serde(flatten)]
    job: &'a Job,
    findings: Vec<&'a Finding>,
}

impl<'a> RunAnswer<'a> {
    /// Every job, tries again included, each with its own findings.
    pub fn new(jobs: &'a [Job], findings: &'a Findings) -> Self {
        let of =
            |job: &Job| findings.findings.iter().filter(|finding| finding.job_id.as_ref() == Some(&job.id)).collect();
        Self {
            batch_id: jobs.first().map(|job| &job.batch_id),
            jobs: jobs.iter().map(|job| JobAnswer { job, findings: of(job) }).collect(),
        }
    }
}
