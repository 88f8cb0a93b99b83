//! `/suppressions`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::query::List;
use crate::farm::{Around, Suppress};
use crate::model::{FingerprintPrefix, ProjectName, Suppression, Timestamp};

/// Findings that one request may name.
const FINDINGS_MAX: usize = 1000;

/// The body of `POST /suppressions`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IgnoreRequest {
    /// Fingerprints, or their first four digits or more. All of them are ignored, or none if one cannot be found.
    #[serde(deserialize_with = "one_or_more")]
    #[schema(min_items = 1, max_items = 1000)]
    pub findings: Vec<FingerprintPrefix>,
    /// Why.
    pub reason: String,
    /// When they count again; null or absent: never.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Of this project; null or absent: of the one that has them.
    #[serde(default)]
    pub project: Option<ProjectName>,
}

/// A list that asks for something, and not for more than one answer should do.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<FingerprintPrefix>, D::Error> {
    let findings = Vec::deserialize(deserializer)?;
    match findings.len() {
        0 => Err(D::Error::custom("no finding is named")),
        1..=FINDINGS_MAX => Ok(findings),
        many => Err(D::Error::custom(format!("{many} findings are too many; {FINDINGS_MAX} are taken"))),
    }
}

impl From<IgnoreRequest> for Suppress {
    fn from(request: IgnoreRequest) -> Self {
        let IgnoreRequest { findings, reason, until, project } = request;
        Self { findings, around: project.map_or(Around::Everywhere, Around::Project), reason, until }
    }
}

/// The query of `GET /suppressions`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SuppressionsParams {
    /// Of this project; without it, of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub project: Option<ProjectName>,
}

/// The query of `DELETE /suppressions`.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UnignoreParams {
    /// Fingerprints, or their first four digits or more, with commas between them. All of them count again, or none if
    /// one is not ignored.
    #[param(value_type = String, example = "8f2c41d0aa17bc55")]
    pub finding: List<FingerprintPrefix>,
    /// Of this project; without it, of the one that has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub project: Option<ProjectName>,
}

/// Suppressions: those that there are, that were made, or that were taken back.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SuppressionsAnswer {
    /// Always true.
    pub ok: bool,
    /// One by one.
    pub suppressions: Vec<Suppression>,
}

impl From<Vec<Suppression>> for SuppressionsAnswer {
    fn from(suppressions: Vec<Suppression>) -> Self {
        Self { ok: true, suppressions }
    }
}
