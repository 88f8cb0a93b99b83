//! Findings, of one job and across jobs.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::query::{Flag, FlagText, List, as_text};
use crate::error::Result;
use crate::farm::{Around, EachFinding, FindingQuery, Findings, JobSelector, Since};
use crate::findings::export::ExportFormat;
use crate::model::{
    CommitId, Finding, FindingCounts, FindingFilter, FindingGroup, FindingSort, GroupBy, Kind, ProjectName, Severity,
};

/// The media type of findings that come one a line.
pub const NDJSON: &str = "application/x-ndjson";
/// Findings on a page, unless told otherwise.
const PAGE: u64 = 200;
/// Findings on a page at most.
pub const PAGE_MAX: u64 = 1000;

/// The query of `GET /findings` and `GET /jobs/{id}/findings`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FindingsParams {
    /// Of this project: of the newest finished job of each of its subprojects and recipes. Without it, of all projects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub project: Option<ProjectName>,
    /// Of these jobs, with commas between them: beginnings of ids, `@last`, `@last-failed`.
    #[serde(default, skip_serializing_if = "List::is_empty")]
    #[param(value_type = Option<String>, example = "@last")]
    pub job: List<JobSelector>,
    /// Of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// At least so bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Only those that are new.
    #[serde(default, skip_serializing_if = "Flag::is_off")]
    #[param(value_type = Option<FlagText>)]
    pub new: Flag,
    /// Only what is new since then: a job, a ref or a time, as for `crafting findings --since`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "as_text")]
    #[param(value_type = Option<String>, example = "7d")]
    pub since: Option<Since>,
    /// The commit that `since` names in the asker's own checkout, if it is a ref that the server does not know. The
    /// server has to have the commit: by a job, or uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub since_commit: Option<CommitId>,
    /// In files that match this glob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Put together, the worst group first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<GroupBy>,
    /// Ignored ones too.
    #[serde(default, skip_serializing_if = "Flag::is_off")]
    #[param(value_type = Option<FlagText>)]
    pub ignored: Flag,
    /// At most so many: 200 unless told otherwise, and no more than 1000. Not for other formats than JSON; one a line
    /// there is no limit unless one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(maximum = 9_007_199_254_740_991_u64)]
    pub limit: Option<u64>,
    /// Whether `raw_json` is filled, most of what a finding weighs; else it is null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<FlagText>)]
    pub records: Option<Flag>,
    /// Whether files are named from the repository's top, and not from the project's root.
    #[serde(default, skip_serializing_if = "Flag::is_off")]
    #[param(value_type = Option<FlagText>)]
    pub from_top: Flag,
    /// JSON unless told otherwise; the others are for other programs, and name files from the repository's top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<FindingsFormat>,
}

/// A format of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingsFormat {
    /// Rows with counts.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
    /// One diagnostic of reviewdog's a line.
    Rdjsonl,
    /// Workflow commands of GitHub's.
    Github,
    /// A code quality report of GitLab's.
    Gitlab,
    /// Checkstyle XML.
    Checkstyle,
    /// A table for a comment.
    Markdown,
}

impl FindingsFormat {
    /// What another program takes; none: JSON.
    pub fn export(self) -> Option<ExportFormat> {
        Some(match self {
            Self::Json => return None,
            Self::Sarif => ExportFormat::Sarif,
            Self::Junit => ExportFormat::Junit,
            Self::Rdjsonl => ExportFormat::Rdjsonl,
            Self::Github => ExportFormat::Github,
            Self::Gitlab => ExportFormat::Gitlab,
            Self::Checkstyle => ExportFormat::Checkstyle,
            Self::Markdown => ExportFormat::Markdown,
        })
    }
}

impl FindingsParams {
    /// What a client asks for who stands in that project, or nowhere.
    pub fn asking(query: &FindingQuery, project: Option<ProjectName>) -> Self {
        let FindingQuery { jobs, around: _, since, since_commit, filter, group_by, limit, records, from_top } =
            query.clone();
        Self {
            project,
            job: List(jobs),
            kind: filter.kind,
            severity: filter.severity,
            new: Flag(filter.new),
            since,
            since_commit,
            path: filter.path,
            group_by,
            ignored: Flag(filter.ignored),
            limit,
            records: Some(Flag(records)),
            from_top: Flag(from_top),
            format: None,
        }
    }

    /// The same for the farm, without a limit unless one was given.
    pub fn query(self) -> FindingQuery {
        FindingQuery {
            jobs: self.job.0,
            around: self.project.map_or(Around::Everywhere, Around::Project),
            since: self.since,
            since_commit: self.since_commit,
            filter: FindingFilter {
                kind: self.kind,
                severity: self.severity,
                path: self.path,
                new: self.new.0,
                ignored: self.ignored.0,
            },
            group_by: self.group_by,
            limit: self.limit,
            records: self.records.is_none_or(|records| records.0),
            from_top: self.from_top.0,
        }
    }

    /// The same for a page.
    pub fn page(self) -> FindingQuery {
        let limit = Some(self.limit.unwrap_or(PAGE).min(PAGE_MAX));
        FindingQuery { limit, ..self.query() }
    }
}

/// A page of findings, and how many there are.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FindingsAnswer {
    /// Always true.
    pub ok: bool,
    /// The worst first.
    pub findings: Vec<Finding>,
    /// How many there are, beyond the page too.
    pub counts: FindingCounts,
    /// How many count, by all that they are counted by together.
    pub sorts: Vec<FindingSort>,
    /// What stands together, the worst first, if that was asked for.
    pub groups: Vec<FindingGroup>,
    /// What there is to know of the answer, one sentence each.
    pub notes: Vec<String>,
}

impl From<Findings> for FindingsAnswer {
    fn from(found: Findings) -> Self {
        let Findings { findings, counts, groups, notes } = found;
        Self { ok: true, findings, sorts: counts.sorts(), counts, groups, notes }
    }
}

impl From<FindingsAnswer> for Findings {
    fn from(answer: FindingsAnswer) -> Self {
        let FindingsAnswer { ok: _, findings, counts, sorts, groups, notes } = answer;
        Self { findings, counts: counts.with_sorts(sorts), groups, notes }
    }
}

/// The first line of findings that come one a line.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FindingsHead {
    /// Always true.
    pub ok: bool,
    /// How many there are, beyond the limit too.
    pub counts: FindingCounts,
    /// How many count, by all that they are counted by together.
    pub sorts: Vec<FindingSort>,
    /// What there is to know of the answer, one sentence each.
    pub notes: Vec<String>,
}

impl FindingsHead {
    /// Of these.
    pub fn of(found: &EachFinding) -> Self {
        Self { ok: true, counts: found.counts.clone(), sorts: found.counts.sorts(), notes: found.notes.clone() }
    }
}

/// The last line of findings that come one a line; without it the answer broke off. A problem may stand there instead.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FindingsEnd {
    /// Always true.
    pub ok: bool,
    /// How many lines with findings came before.
    pub findings: u64,
}

/// A value as one line.
pub fn line(value: &impl Serialize, out: &mut Vec<u8>) -> Result<()> {
    serde_json::to_writer(&mut *out, value).map_err(|error| {
        crate::error::Error::new(crate::error::Code::Io, format!("the answer cannot be written as JSON: {error}"))
    })?;
    out.push(b'\n');
    Ok(())
}
