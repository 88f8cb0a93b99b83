//! Which path leads where.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::{Door, admit};
use super::extract::BODY_LIMIT;
use super::routes::{jobs, projects, secrets, tokens, uploads};
use super::{problem, request_id};
use crate::farm::LocalFarm;
use crate::farm::wire::Problem;

/// What every route works with.
#[derive(Clone)]
pub(super) struct App {
    pub(super) farm: LocalFarm,
    pub(super) door: Arc<Door>,
}

impl App {
    pub(super) fn new(farm: LocalFarm) -> Self {
        Self { door: Arc::new(Door::new(farm.clone())), farm }
    }
}

/// The routes that need no bearer. Every other one does, and so does whatever leads nowhere.
pub(super) const FOR_EVERYBODY: [&str; 4] = ["/docs", "/healthz", "/metrics", "/openapi.json"];

/// What the handlers' descriptions refer to beside their own types.
#[derive(OpenApi)]
#[openapi(components(schemas(Problem)))]
struct Described;

pub(super) fn router(app: App) -> Router {
    let (router, _document) = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(jobs::run))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show, jobs::delete))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::retry))
        .routes(routes!(jobs::batch))
        .routes(routes!(jobs::cancel_batch))
        .routes(routes!(projects::list))
        .routes(routes!(projects::show))
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::set, secrets::remove))
        .routes(routes!(tokens::list, tokens::mint))
        .routes(routes!(tokens::revoke))
        .routes(routes!(uploads::register))
        .routes(routes!(uploads::known))
        .routes(routes!(uploads::receive))
        .with_state(app.clone())
        .split_for_parts();
    router
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(app, admit))
        .layer(middleware::from_fn(problem::tell_the_log))
        .layer(middleware::from_fn(request_id::name))
}
