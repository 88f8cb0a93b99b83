//! `/events`.

use crate::farm::Farm as _;
use crate::farm::wire::{AuditAnswer, AuditQuery, Problem};
use crate::http::auth::AskedByAdmin;
use crate::http::extract::{Json, Query};
use crate::http::problem::Refusal;

/// The audit trail, newest first: who did what to which object, when. It is never cut.
#[utoipa::path(get, path = "/events", tag = "admin", params(AuditQuery), responses(
    (status = 200, description = "The newest first", body = AuditAnswer),
    (status = 403, description = "Only an administrator sees it", body = Problem,
        content_type = "application/problem+json"),
    (status = 422, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    AskedByAdmin(farm): AskedByAdmin,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditAnswer>, Refusal> {
    Ok(Json(AuditAnswer { ok: true, events: farm.events(&query.try_into()?).await? }))
}
