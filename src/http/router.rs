//! Which path leads where.

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::BODY_LIMIT;
use super::routes::{projects, secrets};
use super::{problem, request_id};
use crate::farm::LocalFarm;

/// What every route works with.
#[derive(Clone)]
pub(super) struct App {
    pub(super) farm: LocalFarm,
}

pub(super) fn router(app: App) -> Router {
    let (router, _document) = OpenApiRouter::new()
        .routes(routes!(projects::list))
        .routes(routes!(projects::show))
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::set, secrets::remove))
        .with_state(app)
        .split_for_parts();
    router
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(problem::tell_the_log))
        .layer(middleware::from_fn(request_id::name))
}
