//! `/admin/tokens`.

use crate::farm::Farm as _;
use crate::farm::wire::{MintAnswer, MintRequest, Problem, TokenAnswer, TokensAnswer};
use crate::http::auth::AskedByAdmin;
use crate::http::extract::{Json, Path};
use crate::http::problem::{BodyRefusals, Refusal, Refusals};
use crate::model::TokenName;

/// Every token, but no bearer.
#[utoipa::path(get, path = "/admin/tokens", tag = "admin",
    responses((status = 200, body = TokensAnswer), Refusals))]
pub(crate) async fn list(AskedByAdmin(farm): AskedByAdmin) -> Result<Json<TokensAnswer>, Refusal> {
    Ok(Json(TokensAnswer { ok: true, tokens: farm.tokens().await? }))
}

/// Mints a token. Its bearer is in this answer and nowhere else.
///
/// A name that is active is a conflict. The new bearer of a name that was revoked or has expired owns what that
/// name owned.
#[utoipa::path(post, path = "/admin/tokens", tag = "admin", request_body = MintRequest,
    responses((status = 200, body = MintAnswer), Refusals, BodyRefusals,
        (status = 409, description = "There is an active token of that name.", body = Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn mint(
    AskedByAdmin(farm): AskedByAdmin,
    Json(request): Json<MintRequest>,
) -> Result<Json<MintAnswer>, Refusal> {
    Ok(Json(farm.mint_token(request.into()).await?.into()))
}

/// Revokes a token, at once. What it owns stays, for the next token of its name.
#[utoipa::path(delete, path = "/admin/tokens/{name}", tag = "admin", params(("name" = TokenName, Path)),
    responses((status = 200, body = TokenAnswer), Refusals,
        (status = 404, description = "There is no such token.", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "It is the last administrator's.", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "That cannot be a token's name.", body = Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn revoke(
    AskedByAdmin(farm): AskedByAdmin,
    Path(name): Path<TokenName>,
) -> Result<Json<TokenAnswer>, Refusal> {
    Ok(Json(TokenAnswer { ok: true, token: farm.revoke_token(&name).await? }))
}
