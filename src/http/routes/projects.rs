//! `/projects`.

use crate::farm::Farm as _;
use crate::farm::wire::{ProjectAnswer, ProjectsAnswer};
use crate::http::auth::Asked;
use crate::http::extract::{Json, Path};
use crate::http::problem::Refusal;
use crate::model::ProjectName;

/// The projects that the caller owns; an administrator's answer has all.
#[utoipa::path(get, path = "/projects", tag = "projects", responses((status = 200, body = ProjectsAnswer)))]
pub(crate) async fn list(Asked(farm): Asked) -> Result<Json<ProjectsAnswer>, Refusal> {
    Ok(Json(ProjectsAnswer { ok: true, projects: farm.projects().await? }))
}

/// One project.
#[utoipa::path(get, path = "/projects/{name}", tag = "projects", params(("name" = ProjectName, Path)),
    responses((status = 200, body = ProjectAnswer)))]
pub(crate) async fn show(Asked(farm): Asked, Path(name): Path<ProjectName>) -> Result<Json<ProjectAnswer>, Refusal> {
    Ok(Json(ProjectAnswer { ok: true, project: farm.project(&name).await? }))
}
