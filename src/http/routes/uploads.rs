//! `/checkouts`, `/projects/{name}/known`, `/projects/{name}/packs`: what a developer's checkout brings along.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt;

use crate::error::Error;
use crate::farm::wire::{CheckoutAnswer, CheckoutForm, KnownAnswer, KnownForm, PackAnswer, PackQuery, Problem};
use crate::http::auth::Asked;
use crate::http::extract::{Json, Path, Query};
use crate::http::problem::Refusal;
use crate::model::ProjectName;

/// What a pack is on the wire.
const PACK: &str = "application/x-git-pack";

/// Registers the project of a checkout on the sender's machine, or brings it up to date with what the checkout says of
/// it now. The same request again changes nothing. The repository is not fetched.
#[utoipa::path(put, path = "/checkouts", tag = "uploads", request_body = CheckoutForm,
    responses(
        (status = 200, body = CheckoutAnswer),
        (status = 409, description = "It is registered already, or the name is taken", body = Problem,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn register(
    Asked(farm): Asked,
    Json(form): Json<CheckoutForm>,
) -> Result<Json<CheckoutAnswer>, Refusal> {
    Ok(Json(CheckoutAnswer { ok: true, registered: farm.register_checkout(form).await? }))
}

/// Which commits need not be sent: the project's repository has them, or this token has sent them before.
#[utoipa::path(post, path = "/projects/{name}/known", tag = "uploads", params(("name" = ProjectName, Path)),
    request_body = KnownForm, responses((status = 200, body = KnownAnswer)))]
pub(crate) async fn known(
    Asked(farm): Asked,
    Path(name): Path<ProjectName>,
    Json(form): Json<KnownForm>,
) -> Result<Json<KnownAnswer>, Refusal> {
    Ok(Json(KnownAnswer { ok: true, known: farm.known_commits(&name, form.commits.into()).await? }))
}

/// Takes in a pack that brings a commit with all that the server does not have of it. Nobody but this token can name
/// that commit afterwards. A pack may be larger than other requests; the server says with 413 what is too large for it.
#[utoipa::path(post, path = "/projects/{name}/packs", tag = "uploads",
    params(("name" = ProjectName, Path), PackQuery),
    request_body(content = Vec<u8>, content_type = "application/x-git-pack"),
    responses((status = 200, body = PackAnswer)))]
pub(crate) async fn receive(
    Asked(farm): Asked,
    Path(name): Path<ProjectName>,
    Query(query): Query<PackQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<PackAnswer>, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim() != PACK {
        let error = Error::invalid("the body is not said to be a pack").hint(format!("send Content-Type: {PACK}"));
        return Err(Refusal::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error));
    }
    let pieces = body.into_data_stream().map(Result::ok);
    let received_bytes = farm.receive_pack(&name, &query.commit, pieces).await?;
    Ok(Json(PackAnswer { ok: true, commit: query.commit, received_bytes }))
}
