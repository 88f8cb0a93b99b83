//! `/suppressions`: findings that are ignored by the ledger.

use crate::farm::wire::Problem;
use crate::farm::wire::{IgnoreRequest, SuppressionsAnswer, SuppressionsParams, UnignoreParams};
use crate::farm::{Around, Farm as _};
use crate::http::auth::Asked;
use crate::http::extract::{Json, Query};
use crate::http::problem::Refusal;
use crate::model::ProjectName;

fn around(project: Option<ProjectName>) -> Around {
    project.map_or(Around::Everywhere, Around::Project)
}

/// What is ignored by the ledger, not by a `crafting.toml`.
#[utoipa::path(get, path = "/suppressions", tag = "findings", params(SuppressionsParams), responses(
    (status = 200, body = SuppressionsAnswer),
    (status = 404, description = "no such project", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    Asked(farm): Asked,
    Query(params): Query<SuppressionsParams>,
) -> Result<Json<SuppressionsAnswer>, Refusal> {
    Ok(Json(farm.suppressions(&around(params.project)).await?.into()))
}

/// Ignores findings from now on, wherever their lines go.
#[utoipa::path(post, path = "/suppressions", tag = "findings", request_body = IgnoreRequest, responses(
    (status = 200, description = "what is ignored now", body = SuppressionsAnswer),
    (status = 404, description = "no such finding", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn ignore(
    Asked(farm): Asked,
    Json(request): Json<IgnoreRequest>,
) -> Result<Json<SuppressionsAnswer>, Refusal> {
    Ok(Json(farm.ignore(&request.into()).await?.into()))
}

/// Lets ignored findings count again.
#[utoipa::path(delete, path = "/suppressions", tag = "findings", params(UnignoreParams), responses(
    (status = 200, description = "what counts again", body = SuppressionsAnswer),
    (status = 404, description = "no such suppression", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn unignore(
    Asked(farm): Asked,
    Query(params): Query<UnignoreParams>,
) -> Result<Json<SuppressionsAnswer>, Refusal> {
    Ok(Json(farm.unignore(&params.finding.0, &around(params.project)).await?.into()))
}
