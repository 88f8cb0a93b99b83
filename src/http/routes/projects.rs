//! `/projects`.

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use crate::farm::Farm as _;
use crate::farm::wire::{
    AddProject, Problem, ProjectAnswer, ProjectsAnswer, ProjectsQuery, RegisteredAnswer, RemovedAnswer, UpdateProject,
};
use crate::http::auth::Asked;
use crate::http::extract::{Json, Path, Query};
use crate::http::problem::Refusal;
use crate::model::ProjectName;

/// The projects that the caller owns; an administrator's answer has all.
#[utoipa::path(get, path = "/projects", tag = "projects", params(ProjectsQuery), responses(
    (status = 200, description = "By name", body = ProjectsAnswer),
    (status = 422, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    Asked(farm): Asked,
    Query(query): Query<ProjectsQuery>,
) -> Result<Json<ProjectsAnswer>, Refusal> {
    let projects = match query.git_url {
        Some(git_url) => farm.projects_at(git_url, query.root).await?,
        None => {
            let mut all = farm.projects().await?;
            all.retain(|project| query.root.as_ref().is_none_or(|root| project.root == *root));
            all
        }
    };
    Ok(Json(ProjectsAnswer { ok: true, projects }))
}

/// Registers a project, which is the caller's from then on. The server fetches its repository.
///
/// A name that is taken is a conflict, whoever has it; without one, the project is named after its repository, with a
/// number where that is taken.
#[utoipa::path(post, path = "/projects", tag = "projects", request_body = AddProject, responses(
    (status = 201, description = "It is registered", body = RegisteredAnswer,
        headers(("Location" = String, description = "The project's path"))),
    (status = 400, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is no such repository or branch", body = Problem,
        content_type = "application/problem+json"),
    (status = 409, description = "The name is taken, or the repository is registered already", body = Problem,
        content_type = "application/problem+json"),
    (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "The body is not said to be JSON", body = Problem,
        content_type = "application/problem+json"),
    (status = 422, description = "The body makes no sense, or the repository cannot be fetched", body = Problem,
        content_type = "application/problem+json"),
))]
pub(crate) async fn add(Asked(farm): Asked, Json(body): Json<AddProject>) -> Result<impl IntoResponse, Refusal> {
    let registered = farm.add_project(body.into()).await?;
    let place = format!("/projects/{}", registered.project.name);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(RegisteredAnswer { ok: true, registered })))
}

/// One project.
#[utoipa::path(get, path = "/projects/{name}", tag = "projects", params(("name" = ProjectName, Path)), responses(
    (status = 200, description = "The project", body = ProjectAnswer),
    (status = 404, description = "There is no such project", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "That is no project's name", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn show(Asked(farm): Asked, Path(name): Path<ProjectName>) -> Result<Json<ProjectAnswer>, Refusal> {
    Ok(Json(ProjectAnswer { ok: true, project: farm.project(&name).await? }))
}

/// Reads a project's `crafting.toml` again, or detects again, and changes what the body names.
#[utoipa::path(put, path = "/projects/{name}", tag = "projects", params(("name" = ProjectName, Path)),
    request_body = UpdateProject, responses(
    (status = 200, description = "The project as it is now", body = RegisteredAnswer),
    (status = 400, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is no such project, repository or branch", body = Problem,
        content_type = "application/problem+json"),
    (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "The body is not said to be JSON", body = Problem,
        content_type = "application/problem+json"),
    (status = 422, description = "The body makes no sense, or the repository cannot be fetched", body = Problem,
        content_type = "application/problem+json"),
))]
pub(crate) async fn update(
    Asked(farm): Asked,
    Path(name): Path<ProjectName>,
    Json(body): Json<UpdateProject>,
) -> Result<Json<RegisteredAnswer>, Refusal> {
    let registered = farm.update_project(&name, body.into()).await?;
    Ok(Json(RegisteredAnswer { ok: true, registered }))
}

/// Removes a project with its jobs, findings, logs, mirror and slots.
#[utoipa::path(delete, path = "/projects/{name}", tag = "projects", params(("name" = ProjectName, Path)), responses(
    (status = 200, description = "What went", body = RemovedAnswer),
    (status = 404, description = "There is no such project", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "A job of it is running", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "That is no project's name", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn remove(Asked(farm): Asked, Path(name): Path<ProjectName>) -> Result<Json<RemovedAnswer>, Refusal> {
    Ok(Json(RemovedAnswer { ok: true, removed: farm.remove_project(&name).await? }))
}
