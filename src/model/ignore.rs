//! Findings that nobody needs to see: suppressions in the ledger, and rules in `crafting.toml`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::named::by_name;
use super::{Fingerprint, Kind, ProjectName, RecipeName, SubPath, Timestamp};

/// Why a finding is ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ignored {
    /// What was said when it was.
    pub reason: String,
    /// When it counts again; null: never.
    pub until: Option<Timestamp>,
    /// Who says so.
    pub source: IgnoreSource,
}

/// Where it is kept that a finding is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum IgnoreSource {
    /// A suppression, made by `crafting findings ignore`.
    #[serde(rename = "ledger")]
    Ledger,
    /// An `[[ignore]]` table of the project's file.
    #[serde(rename = "crafting.toml")]
    ProjectFile,
}

impl IgnoreSource {
    /// Every source.
    pub const ALL: [Self; 2] = [Self::Ledger, Self::ProjectFile];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::ProjectFile => "crafting.toml",
        }
    }
}

by_name!(IgnoreSource, "a source of ignored findings");

/// A finding that is ignored by the ledger. It follows the finding from job to job, wherever its line goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Suppression {
    /// Of this project.
    pub project: ProjectName,
    /// What the finding is called now.
    pub fingerprint: Fingerprint,
    /// What it was called when it was ignored.
    pub ignored_as: Fingerprint,
    /// Only of this subproject, where nothing else tells the finding apart: it has no file.
    pub subproject: Option<SubPath>,
    /// Only of this recipe, likewise.
    pub recipe: Option<RecipeName>,
    /// What the finding is about.
    pub kind: Kind,
    /// Where it is now; null where it has no file.
    pub file: Option<String>,
    /// 1-based.
    pub line: Option<u32>,
    /// The rule, the advisory, or the test's full name.
    pub code: String,
    /// What the tool said of it last.
    pub message: String,
    /// Why it is ignored.
    pub reason: String,
    /// When it counts again; null: never.
    pub until: Option<Timestamp>,
    /// Since when it is ignored.
    pub created_at: Timestamp,
}

impl Suppression {
    /// Whether its time is up.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// An `[[ignore]]` table of `crafting.toml`: findings with this code, in these files. One of both is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IgnoreRule {
    /// The code, or a glob such as `clippy::*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A glob for the file, relative to the project's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Why.
    pub reason: String,
    /// When they count again; null: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}
