//! Which path leads where.

use std::time::Instant;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use tokio::sync::watch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::BODY_LIMIT;
use super::metrics::Metrics;
use super::routes::{health, projects};
use super::{access, problem, request_id};
use crate::error::Result;
use crate::farm::{Load, LocalFarm};

/// What every route works with.
#[derive(Clone)]
pub(crate) struct App {
    pub(super) farm: LocalFarm,
    /// What there is to do.
    pub(super) load: watch::Receiver<Load>,
    pub(super) metrics: Metrics,
    /// True once the server was asked to end: streams that would go on for ever end with it.
    pub(super) shutdown: watch::Receiver<bool>,
    pub(super) started: Instant,
}

impl App {
    pub(super) fn new(farm: LocalFarm, shutdown: watch::Receiver<bool>) -> Result<Self> {
        let load = farm.load()?;
        Ok(Self { farm, load, metrics: Metrics::new(), shutdown, started: Instant::now() })
    }
}

pub(super) fn router(app: App) -> Router {
    let (router, _document) = OpenApiRouter::new()
        .routes(routes!(health::healthz))
        .routes(routes!(health::metrics))
        .routes(routes!(projects::list))
        .routes(routes!(projects::show))
        .with_state(app.clone())
        .split_for_parts();
    router
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(problem::catch))
        .layer(middleware::from_fn(problem::tell_the_log))
        .layer(middleware::from_fn_with_state(app, access::record))
        .layer(middleware::from_fn(request_id::name))
}
