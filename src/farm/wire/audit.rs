//! `/events`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::{Error, Result};
use crate::model::{AuditEvent, EventFilter, ObjectKind, ProjectName, TokenName};

/// What `GET /events` takes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Of this project and its jobs, findings and secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectName>,
    /// Done to this kind of object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_kind: Option<ObjectKind>,
    /// Done to this one: a name, a job's id, a finding's fingerprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Done by the token of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<TokenName>,
    /// At most so many; else 50.
    #[param(minimum = 1, maximum = 500)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only events before the one with this id: the last id of a page is the cursor to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
}

impl TryFrom<AuditQuery> for EventFilter {
    type Error = Error;
    fn try_from(query: AuditQuery) -> Result<Self> {
        let AuditQuery { project, object_kind, object, actor, limit, before } = query;
        let limit = limit.unwrap_or(Self::default().limit);
        if !(1..=500).contains(&limit) {
            return Err(Error::invalid(format!("limit is {limit}")).hint("give a number from 1 to 500"));
        }
        Ok(Self { project, object_kind, object, actor, limit, before })
    }
}

impl From<&EventFilter> for AuditQuery {
    fn from(filter: &EventFilter) -> Self {
        let EventFilter { project, object_kind, object, actor, limit, before } = filter.clone();
        Self { project, object_kind, object, actor, limit: Some(limit), before }
    }
}

/// The answer of `GET /events`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditAnswer {
    /// Always true.
    pub ok: bool,
    /// The newest first.
    pub events: Vec<AuditEvent>,
}
