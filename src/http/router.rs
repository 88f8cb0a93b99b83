//! Which path leads where.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use tokio::sync::watch;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::{Door, admit};
use super::extract::BODY_LIMIT;
use super::kept_answers::{KeptAnswers, give_again};
use super::metrics::Metrics;
use super::routes::{
    audit, description, events, findings, health, jobs, log, projects, secrets, suppressions, tokens, uploads,
};
use super::{access, openapi, problem, request_id};
use crate::error::Result;
use crate::farm::{Load, LocalFarm};

/// What every route works with.
#[derive(Clone)]
pub(crate) struct App {
    pub(super) farm: LocalFarm,
    pub(super) door: Arc<Door>,
    /// What there is to do.
    pub(super) load: watch::Receiver<Load>,
    pub(super) metrics: Metrics,
    /// True once the server was asked to end: streams that would go on for ever end with it.
    pub(super) shutdown: watch::Receiver<bool>,
    pub(super) started: Instant,
    pub(super) answers: Arc<KeptAnswers>,
}

impl App {
    pub(super) fn new(farm: LocalFarm, shutdown: watch::Receiver<bool>) -> Result<Self> {
        let (door, load) = (Arc::new(Door::new(farm.clone())), farm.load()?);
        Ok(Self {
            farm,
            door,
            load,
            metrics: Metrics::new(),
            shutdown,
            started: Instant::now(),
            answers: Arc::default(),
        })
    }
}

/// The routes that need no bearer. Every other one does, and so does whatever leads nowhere.
pub(super) const FOR_EVERYBODY: [&str; 5] = ["/", "/docs", "/healthz", "/metrics", "/openapi.json"];

/// Every route, with its description.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::Described::openapi())
        .routes(routes!(audit::list))
        .routes(routes!(findings::list))
        .routes(routes!(findings::of_job))
        .routes(routes!(health::healthz))
        .routes(routes!(health::metrics))
        .routes(routes!(jobs::run))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show, jobs::delete))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::retry))
        .routes(routes!(jobs::batch))
        .routes(routes!(jobs::cancel_batch))
        .routes(routes!(events::of_batch))
        .routes(routes!(events::of_job))
        .routes(routes!(log::of_job))
        .routes(routes!(projects::list, projects::add))
        .routes(routes!(projects::show, projects::update, projects::remove))
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::set, secrets::remove))
        .routes(routes!(suppressions::list, suppressions::ignore, suppressions::unignore))
        .routes(routes!(tokens::list, tokens::mint))
        .routes(routes!(tokens::revoke))
        .routes(routes!(uploads::register))
        .routes(routes!(uploads::known))
        .routes(routes!(uploads::receive))
}

pub(super) fn router(app: App) -> Router {
    let (router, document): (_, OpenApi) = routes().with_state(app.clone()).split_for_parts();
    router
        .merge(description::routes(&document))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(app.clone(), give_again))
        .layer(middleware::from_fn_with_state(app.clone(), admit))
        .layer(middleware::from_fn(problem::catch))
        .layer(middleware::from_fn(problem::tell_the_log))
        .layer(middleware::from_fn_with_state(app, access::record))
        .layer(middleware::from_fn(request_id::name))
}
