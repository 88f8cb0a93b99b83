//! Findings: structured rows out of a log.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::named::by_name;
use super::{JobId, ProjectName, RecipeName, SubPath, Timestamp};
use crate::error::{Error, Result};

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A known vulnerability or an advisory.
    Cve,
    /// One failed test.
    TestFail,
    /// A diagnostic of a linter, compiler or type checker.
    Lint,
    /// The recipe failed and nothing else says why.
    RecipeFail,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Cve, Self::TestFail, Self::Lint, Self::RecipeFail];

    /// The name in JSON, SQL and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cve => "cve",
            Self::TestFail => "test_fail",
            Self::Lint => "lint",
            Self::RecipeFail => "recipe_fail",
        }
    }
}

by_name!(Kind, "a kind of finding");

/// How bad a finding is; the order is from harmless to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth mending.
    Warn,
    /// Breaks something.
    Error,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warn, Self::Info];

    /// The name in JSON, SQL and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

by_name!(Severity, "a severity");

/// 16 hex digits that name the same finding in every run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

impl Fingerprint {
    /// From the first eight bytes of a digest.
    pub fn from_digest(bytes: [u8; 8]) -> Self {
        Self::from_bits(u64::from_be_bytes(bytes))
    }

    /// From the 64 bits that the digits spell.
    pub fn from_bits(bits: u64) -> Self {
        Self(format!("{bits:016x}"))
    }

    /// The 64 bits that the digits spell.
    pub fn to_bits(&self) -> u64 {
        u64::from_str_radix(&self.0, 16).expect("a fingerprint is 16 hex digits by construction")
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let lower = text.to_ascii_lowercase();
        if lower.len() == 16 && lower.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self(lower));
        }
        Err(Error::invalid(format!("{text:?} is not a fingerprint")).hint("a fingerprint has 16 hex digits"))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a parser read out of a log: a finding that does not know its job yet.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The tool that printed it, as on its command line: `clippy`, `pytest`.
    pub tool: Cow<'static, str>,
    /// What it is about.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// The file, spelled as the tool printed it.
    pub file: Option<String>,
    /// 1-based.
    pub line: Option<u32>,
    /// 1-based.
    pub column: Option<u32>,
    /// 1-based, inclusive.
    pub end_line: Option<u32>,
    /// The rule, the advisory, or the test's full name.
    pub code: String,
    /// One line without colours.
    pub message: String,
    /// Machine-applicable text where the tool gives one.
    pub suggested_fix: Option<String>,
    /// Other names of the same advisory: what one database calls RUSTSEC-2020-0071 is CVE-2020-26235 in another.
    pub aliases: Vec<String>,
    /// The tool's own record as JSON, or the text it printed as a JSON string.
    pub raw: Option<Box<RawValue>>,
}

impl Diagnostic {
    /// With what every diagnostic has, and nothing else.
    pub fn new(
        tool: impl Into<Cow<'static, str>>,
        kind: Kind,
        severity: Severity,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            tool: tool.into(),
            kind,
            severity,
            file: None,
            line: None,
            column: None,
            end_line: None,
            code: code.into(),
            message: message.into(),
            suggested_fix: None,
            aliases: Vec::new(),
            raw: None,
        }
    }
}

/// One structured row out of a job's log. The wire type of every door.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// Its row's number; null where nothing was stored.
    pub id: Option<i64>,
    /// The job that it was found in; null where there was none.
    pub job_id: Option<JobId>,
    /// The project of that job.
    pub project: Option<ProjectName>,
    /// The subproject of that job.
    pub subproject: Option<SubPath>,
    /// The recipe of that job.
    pub recipe: Option<RecipeName>,
    /// What it is about.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// Relative to the project's root; null where there is none inside it.
    pub file: Option<String>,
    /// 1-based.
    pub line: Option<u32>,
    /// 1-based.
    pub column: Option<u32>,
    /// 1-based, inclusive.
    pub end_line: Option<u32>,
    /// The rule, the advisory, or the test's full name.
    pub code: String,
    /// One line without colours.
    pub message: String,
    /// Machine-applicable text where the tool gives one.
    pub suggested_fix: Option<String>,
    /// Its public name.
    pub fingerprint: Fingerprint,
    /// The job that had it first.
    pub first_seen_job: Option<JobId>,
    /// Whether the baseline job did not have it.
    pub is_new: bool,
    /// The tool that printed it.
    pub tool: String,
    /// The tool's own record.
    pub raw_json: Option<Box<RawValue>>,
    /// When it was read.
    pub created_at: Timestamp,
    /// Hash of file, code, the source line's trimmed text and its ordinal among equals; matches a finding
    /// across edits where no diff can be had. Not part of any door's answer.
    #[serde(skip)]
    pub context_hash: Option<u64>,
}

/// How many findings there are, over the whole of what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingCounts {
    /// All.
    pub total: u64,
    /// By kind.
    pub by_kind: BTreeMap<Kind, u64>,
    /// By severity.
    pub by_severity: BTreeMap<Severity, u64>,
    /// Not in the baseline.
    pub new: u64,
    /// In the baseline, and gone.
    pub fixed: u64,
}

impl FindingCounts {
    /// Counts `findings`; `fixed` is not to be seen in them.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>, fixed: u64) -> Self {
        let mut counts = Self { fixed, ..Self::default() };
        for finding in findings {
            counts.total += 1;
            *counts.by_kind.entry(finding.kind).or_default() += 1;
            *counts.by_severity.entry(finding.severity).or_default() += 1;
            counts.new += u64::from(finding.is_new);
        }
        counts
    }
}

/// Which findings to read.
#[derive(Clone, Debug, Default)]
pub struct FindingFilter {
    /// Of these jobs. Empty: of the newest finished job of every subproject and recipe.
    pub jobs: Vec<JobId>,
    /// Of this project.
    pub project: Option<ProjectName>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// At least so bad.
    pub severity: Option<Severity>,
    /// In files that match this glob.
    pub path: Option<String>,
    /// Only those that the baseline did not have.
    pub new: bool,
}
