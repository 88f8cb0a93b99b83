//! Which path leads where.

use axum::Router;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::routes::projects;
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
        .with_state(app)
        .split_for_parts();
    router
}
