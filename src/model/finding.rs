//! Findings: structured rows out of a log.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::named::by_name;
use super::{Ignored, JobId, ProjectName, RecipeName, SubPath, Timestamp};
use crate::error::{Error, Result};

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
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

/// The beginning of a fingerprint, as a person names a finding: at least four digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[0-9A-Fa-f]{4,16}$", example = "8f2c41d0aa17bc55")]
pub struct FingerprintPrefix(String);

impl FingerprintPrefix {
    /// The fewest digits that may name a finding.
    const LEAST: usize = 4;

    /// The first and the last fingerprint that begin so.
    pub fn range(&self) -> (Fingerprint, Fingerprint) {
        (Fingerprint(format!("{:0<16}", self.0)), Fingerprint(format!("{:f<16}", self.0)))
    }

    /// Whether this one begins so.
    pub fn names(&self, fingerprint: &Fingerprint) -> bool {
        fingerprint.0.starts_with(&self.0)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FingerprintPrefix {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let lower = text.to_ascii_lowercase();
        if (Self::LEAST..=16).contains(&lower.len()) && lower.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self(lower));
        }
        Err(Error::invalid(format!("{text:?} does not name a finding"))
            .hint("give a fingerprint, or its first four digits or more; `crafting findings --details` shows them"))
    }
}

impl TryFrom<String> for FingerprintPrefix {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<FingerprintPrefix> for String {
    fn from(prefix: FingerprintPrefix) -> String {
        prefix.0
    }
}

impl fmt::Display for FingerprintPrefix {
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
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
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
    /// Why nobody needs to see it, if so; null for every other one.
    pub ignored: Option<Ignored>,
    /// The tool's own record.
    #[schema(value_type = Option<serde_json::Value>)]
    pub raw_json: Option<Box<RawValue>>,
    /// When it was read.
    pub created_at: Timestamp,
    /// Hash of file, code, the source line's trimmed text and its ordinal among equals; matches a finding
    /// across edits where no diff can be had. Not part of any door's answer.
    #[serde(skip)]
    pub context_hash: Option<u64>,
    /// The folder of its subproject from the repository's top, where the paths are from there too: for formats that
    /// insist on a place. Only there where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<SubPath>,
}

/// How many findings there are, over the whole of what was asked for. Ignored ones count in `ignored` alone, unless
/// they were asked for too; they are never new.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    /// Ignored, by the ledger or by `crafting.toml`.
    pub ignored: u64,
    /// What is not ignored, by all of it together, for [`FindingCounts::any`].
    #[serde(skip)]
    told: BTreeMap<(Kind, Severity, bool), u64>,
}

impl FindingCounts {
    /// None yet; so many of the baseline's are gone, which is not to be seen in findings.
    pub fn with_fixed(fixed: u64) -> Self {
        Self { fixed, ..Self::default() }
    }

    /// Counts so many findings of a sort. `shown` says whether ignored ones were asked for.
    pub fn add(&mut self, (kind, severity, new): (Kind, Severity, bool), ignored: bool, shown: bool, number: u64) {
        if ignored {
            self.ignored += number;
        } else {
            *self.told.entry((kind, severity, new)).or_default() += number;
            self.new += if new { number } else { 0 };
        }
        if shown || !ignored {
            self.total += number;
            *self.by_kind.entry(kind).or_default() += number;
            *self.by_severity.entry(severity).or_default() += number;
        }
    }

    /// Counts `findings`, all of which are shown.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>, fixed: u64) -> Self {
        let mut counts = Self::with_fixed(fixed);
        for finding in findings {
            counts.add((finding.kind, finding.severity, finding.is_new), finding.ignored.is_some(), true, 1);
        }
        counts
    }

    /// How many are not ignored, by all that they are counted by together.
    pub fn sorts(&self) -> Vec<FindingSort> {
        let sort = |(&(kind, severity, new), &count): (&_, &_)| FindingSort { kind, severity, new, count };
        self.told.iter().map(sort).collect()
    }

    /// The same with what [`FindingCounts::sorts`] said.
    pub fn with_sorts(self, sorts: Vec<FindingSort>) -> Self {
        let told = sorts.into_iter().map(|sort| ((sort.kind, sort.severity, sort.new), sort.count)).collect();
        Self { told, ..self }
    }

    /// Whether there is one that is not ignored and of a sort that is `wanted`: its kind, its severity, whether it is
    /// new.
    pub fn any(&self, wanted: impl Fn(Kind, Severity, bool) -> bool) -> bool {
        self.told.keys().any(|(kind, severity, new)| wanted(*kind, *severity, *new))
    }
}

/// How many findings there are of one sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingSort {
    /// Their kind.
    pub kind: Kind,
    /// Their severity.
    pub severity: Severity,
    /// Whether they are new.
    pub new: bool,
    /// How many.
    pub count: u64,
}

/// Which findings to read.
#[derive(Clone, Debug, Default)]
pub struct FindingFilter {
    /// Of this kind.
    pub kind: Option<Kind>,
    /// At least so bad.
    pub severity: Option<Severity>,
    /// In files that match this glob.
    pub path: Option<String>,
    /// Only those that the baseline did not have.
    pub new: bool,
    /// Ignored ones too.
    pub ignored: bool,
}

/// What findings are put together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// Their file.
    File,
    /// Their code.
    Code,
}

impl GroupBy {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::File, Self::Code];

    /// The name in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Code => "code",
        }
    }

    /// What a finding has in common with others.
    pub fn key(self, finding: &Finding) -> Option<String> {
        match self {
            Self::File => finding.file.clone(),
            Self::Code => Some(finding.code.clone()),
        }
    }
}

/// Findings that have their file or their code in common, and how many they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingGroup {
    /// The file or the code; none: they have no file.
    pub key: Option<String>,
    /// Of severity error.
    pub errors: u64,
    /// Of severity warn.
    pub warns: u64,
    /// Of severity info.
    pub infos: u64,
    /// New, and not ignored.
    pub new: u64,
}

impl FindingGroup {
    /// One more.
    pub fn add(&mut self, finding: &Finding) {
        match finding.severity {
            Severity::Error => self.errors += 1,
            Severity::Warn => self.warns += 1,
            Severity::Info => self.infos += 1,
        }
        self.new += u64::from(finding.is_new && finding.ignored.is_none());
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.errors + self.warns + self.infos
    }
}
