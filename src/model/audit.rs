//! The audit trail: who did what to which object, when.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::named::by_name;
use super::{ProjectName, Timestamp, TokenName};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs)] // The names say it.
pub enum Action {
    #[serde(rename = "project.add")]
    ProjectAdd,
    #[serde(rename = "project.update")]
    ProjectUpdate,
    #[serde(rename = "project.remove")]
    ProjectRemove,
    #[serde(rename = "job.run")]
    JobRun,
    #[serde(rename = "job.cancel")]
    JobCancel,
    #[serde(rename = "job.retry")]
    JobRetry,
    #[serde(rename = "token.mint")]
    TokenMint,
    #[serde(rename = "token.revoke")]
    TokenRevoke,
    #[serde(rename = "secret.set")]
    SecretSet,
    #[serde(rename = "secret.remove")]
    SecretRemove,
    #[serde(rename = "finding.ignore")]
    FindingIgnore,
    #[serde(rename = "finding.unignore")]
    FindingUnignore,
    #[serde(rename = "farm.gc")]
    FarmGc,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 13] = [
        Self::ProjectAdd,
        Self::ProjectUpdate,
        Self::ProjectRemove,
        Self::JobRun,
        Self::JobCancel,
        Self::JobRetry,
        Self::TokenMint,
        Self::TokenRevoke,
        Self::SecretSet,
        Self::SecretRemove,
        Self::FindingIgnore,
        Self::FindingUnignore,
        Self::FarmGc,
    ];

    /// The name in JSON and SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProjectAdd => "project.add",
            Self::ProjectUpdate => "project.update",
            Self::ProjectRemove => "project.remove",
            Self::JobRun => "job.run",
            Self::JobCancel => "job.cancel",
            Self::JobRetry => "job.retry",
            Self::TokenMint => "token.mint",
            Self::TokenRevoke => "token.revoke",
            Self::SecretSet => "secret.set",
            Self::SecretRemove => "secret.remove",
            Self::FindingIgnore => "finding.ignore",
            Self::FindingUnignore => "finding.unignore",
            Self::FarmGc => "farm.gc",
        }
    }

    /// What it is done to.
    pub fn object_kind(self) -> ObjectKind {
        match self {
            Self::ProjectAdd | Self::ProjectUpdate | Self::ProjectRemove => ObjectKind::Project,
            Self::JobRun | Self::JobCancel | Self::JobRetry => ObjectKind::Job,
            Self::TokenMint | Self::TokenRevoke => ObjectKind::Token,
            Self::SecretSet | Self::SecretRemove => ObjectKind::Secret,
            Self::FindingIgnore | Self::FindingUnignore => ObjectKind::Finding,
            Self::FarmGc => ObjectKind::Farm,
        }
    }
}

by_name!(Action, "an action");

/// What something is done to, and so how it is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// By its name.
    Project,
    /// By its id.
    Job,
    /// By its name.
    Token,
    /// By its name.
    Secret,
    /// By its fingerprint.
    Finding,
    /// The whole of it.
    Farm,
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Project, Self::Job, Self::Token, Self::Secret, Self::Finding, Self::Farm];

    /// The name in JSON, SQL and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Job => "job",
            Self::Token => "token",
            Self::Secret => "secret",
            Self::Finding => "finding",
            Self::Farm => "farm",
        }
    }
}

by_name!(ObjectKind, "a kind of object");

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It was done at once.
    Done,
    /// It takes a while, and has begun.
    Started,
    /// It came to its end.
    Completed,
    /// It could not be done.
    Failed,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 4] = [Self::Done, Self::Started, Self::Completed, Self::Failed];

    /// The name in JSON and SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

by_name!(Phase, "a phase");

/// One row of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEvent {
    /// Its number: the later, the higher. The cursor of the list.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// The name of the token that asked; null: this machine's terminal, or the farm itself.
    pub actor: Option<TokenName>,
    /// From where, if not from this machine's terminal.
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// What was done.
    pub action: Action,
    /// How far it is.
    pub phase: Phase,
    /// What it was done to.
    pub object_kind: ObjectKind,
    /// Which one.
    pub object: String,
    /// Of which project, if of one.
    pub project: Option<ProjectName>,
    /// What else there is to say; never a secret.
    pub detail: Option<String>,
}

/// Which events a list shows.
#[derive(Clone, Debug)]
pub struct EventFilter {
    /// Of this project and its jobs, findings and secrets.
    pub project: Option<ProjectName>,
    /// Done to this kind of object.
    pub object_kind: Option<ObjectKind>,
    /// Done to this one.
    pub object: Option<String>,
    /// Done by this token.
    pub actor: Option<TokenName>,
    /// At most so many, 1…500.
    pub limit: u32,
    /// Only events before this one: the cursor to the next page.
    pub before: Option<i64>,
}

impl Default for EventFilter {
    fn default() -> Self {
        Self { project: None, object_kind: None, object: None, actor: None, limit: 50, before: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_begins_with_what_it_is_done_to_and_is_called_the_same_everywhere() {
        for action in Action::ALL {
            let (kind, _) = action.as_str().split_once('.').unwrap();
            assert_eq!(kind, action.object_kind().as_str());
            assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
            assert_eq!(action.as_str().parse::<Action>().unwrap(), action);
        }
    }
}
