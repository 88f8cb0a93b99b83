//! `/projects/{name}/secrets`.

use crate::farm::Farm as _;
use crate::farm::wire::{Problem, SecretAnswer, SecretsAnswer, SetSecret};
use crate::http::auth::Asked;
use crate::http::extract::{Json, Path};
use crate::http::problem::Refusal;
use crate::model::{ProjectName, SecretName};

/// The secrets of a project: their names, never their values.
#[utoipa::path(get, path = "/projects/{name}/secrets", tag = "secrets", params(("name" = ProjectName, Path)),
    responses(
        (status = 200, body = SecretsAnswer),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(Asked(farm): Asked, Path(name): Path<ProjectName>) -> Result<Json<SecretsAnswer>, Refusal> {
    Ok(Json(SecretsAnswer { ok: true, secrets: farm.secrets(&name).await? }))
}

/// Sets a secret, in place of the one of that name if there is one. Recipes that declare it get it from their next job on.
#[utoipa::path(put, path = "/projects/{name}/secrets/{secret}", tag = "secrets", request_body = SetSecret,
    params(("name" = ProjectName, Path), ("secret" = SecretName, Path)),
    responses(
        (status = 200, body = SecretAnswer),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn set(
    Asked(farm): Asked,
    Path((name, secret)): Path<(ProjectName, SecretName)>,
    Json(SetSecret { value }): Json<SetSecret>,
) -> Result<Json<SecretAnswer>, Refusal> {
    Ok(Json(SecretAnswer { ok: true, secret: farm.set_secret(&name, &secret, value).await? }))
}

/// Removes a secret. Jobs whose recipes declare it cannot be run any more.
#[utoipa::path(delete, path = "/projects/{name}/secrets/{secret}", tag = "secrets",
    params(("name" = ProjectName, Path), ("secret" = SecretName, Path)),
    responses(
        (status = 200, body = SecretAnswer),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn remove(
    Asked(farm): Asked,
    Path((name, secret)): Path<(ProjectName, SecretName)>,
) -> Result<Json<SecretAnswer>, Refusal> {
    Ok(Json(SecretAnswer { ok: true, secret: farm.remove_secret(&name, &secret).await? }))
}
