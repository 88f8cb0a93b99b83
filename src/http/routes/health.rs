//! `/healthz` and `/metrics`: for whoever looks after the server. Neither asks the ledger.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::farm::wire::{Health, RunnerHealth};
use crate::http::extract::Json;
use crate::http::metrics;
use crate::http::router::App;

/// Whether the server lives, and what it has to do.
///
/// `ready` is false once the server was asked to end: send it nothing new.
#[utoipa::path(get, path = "/healthz", tag = "server", security(()),
    responses((status = 200, description = "It lives.", body = Health),
        (status = 503, description = "It lives, but was asked to end.", body = Health)))]
pub(crate) async fn healthz(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let load = *app.load.borrow();
    let ready = !*app.shutdown.borrow();
    let health = Health {
        ok: ready,
        ready,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        runner: RunnerHealth {
            workers: app.farm.settings().workers.value as u64,
            queued: load.queued,
            running: load.running,
            uptime_secs: app.started.elapsed().as_secs(),
        },
    };
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(health))
}

/// What the server has done, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "server", security(()),
    responses((status = 200, description = "OpenMetrics text.", body = String,
        content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8")))]
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], app.metrics.text(&app)).into_response()
}
