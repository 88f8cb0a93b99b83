//! Which path leads where.

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::BODY_LIMIT;
use super::routes::{events, projects, uploads};
use super::{problem, request_id};
use crate::farm::LocalFarm;

/// What every route works with.
#[derive(Clone)]
pub(super) struct App {
    pub(super) farm: LocalFarm,
}

pub(super) fn router(app: App) -> Router {
    let (router, _document) = OpenApiRouter::new()
        .routes(routes!(events::list))
        .routes(routes!(projects::list, projects::add))
        .routes(routes!(projects::show, projects::update, projects::remove))
        .routes(routes!(uploads::register))
        .routes(routes!(uploads::known))
        .routes(routes!(uploads::receive))
        .with_state(app)
        .split_for_parts();
    router
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(problem::tell_the_log))
        .layer(middleware::from_fn(request_id::name))
}
