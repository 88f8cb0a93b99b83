//! What is counted, for Prometheus. Text as <https://prometheus.io/docs/specs/om/open_metrics_spec/> has it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::router::App;
use crate::farm::{Disk, GcReport};

/// The type of [`Metrics::text`].
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper ends of the buckets of durations, in seconds: from a look into memory to a wait for a git remote.
const BUCKETS: [f64; 12] = [0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// Everything that is counted. Clones count together.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    open: Gauge,
    followers: Gauge,
    jobs: Family<StatusLabels, Counter>,
    queued: Gauge,
    running: Gauge,
    workers: Gauge,
    uptime: Gauge,
    ledger_bytes: Gauge,
    log_bytes: Gauge,
    gc_runs: Counter,
    gc_removed: Family<KindLabels, Counter>,
    gc_freed_bytes: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: String,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("crafting");
        let metrics = Self {
            registry: Arc::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            open: Gauge::default(),
            followers: Gauge::default(),
            jobs: Family::default(),
            queued: Gauge::default(),
            running: Gauge::default(),
            workers: Gauge::default(),
            uptime: Gauge::default(),
            ledger_bytes: Gauge::default(),
            log_bytes: Gauge::default(),
            gc_runs: Counter::default(),
            gc_removed: Family::default(),
            gc_freed_bytes: Counter::default(),
        };
        let Self { requests, durations, open, followers, jobs, queued, running, workers, .. } = metrics.clone();
        let Self { uptime, ledger_bytes, log_bytes, gc_runs, gc_removed, gc_freed_bytes, .. } = metrics.clone();
        registry.register("build", "Which crafting this is", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        registry.register("http_requests", "Requests that were answered", requests);
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's header to its answer's",
            Unit::Seconds,
            durations,
        );
        registry.register("http_requests_open", "Answers that are not at their end yet", open);
        registry.register("followers", "Open streams of events and logs", followers);
        registry.register("jobs_ended", "Jobs that this process ended, by how", jobs);
        registry.register("jobs_queued", "Jobs that wait", queued);
        registry.register("jobs_running", "Jobs that run", running);
        registry.register("workers", "Jobs that this process runs at once", workers);
        registry.register_with_unit("uptime", "Time since the process began", Unit::Seconds, uptime);
        registry.register_with_unit("ledger_size", "The ledger on the disk", Unit::Bytes, ledger_bytes);
        registry.register_with_unit("logs_size", "All logs on the disk", Unit::Bytes, log_bytes);
        registry.register("gc_runs", "Times that what nobody needs was removed", gc_runs);
        registry.register("gc_removed", "What was removed, by kind", gc_removed);
        registry.register_with_unit("gc_freed", "Bytes that removing freed", Unit::Bytes, gc_freed_bytes);
        Self { registry: Arc::new(registry), ..metrics }
    }

    /// A request was answered after so long.
    pub(super) fn answered(&self, method: &Method, route: &str, status: StatusCode, after: Duration) {
        // A client may make up any number of methods.
        let known =
            [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
        let method = if known.contains(method) { method.as_str() } else { "other" }.to_owned();
        let route = route.to_owned();
        let labels = RequestLabels { method: method.clone(), route: route.clone(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&RouteLabels { method, route }).observe(after.as_secs_f64());
    }

    /// Counts an answer as open until what it gives is dropped; one to a follower as such, too.
    pub(super) fn open(&self, follower: bool) -> Open {
        let gauges = [Some(self.open.clone()), follower.then(|| self.followers.clone())];
        for gauge in gauges.iter().flatten() {
            gauge.inc();
        }
        Open(gauges)
    }

    /// What nobody needs was removed.
    pub(super) fn tidied(&self, report: &GcReport) {
        self.gc_runs.inc();
        for (kind, count) in [("slots", report.slots), ("logs", report.logs), ("mirrors", report.mirrors)] {
            self.gc_removed.get_or_create(&KindLabels { kind }).inc_by(count);
        }
        self.gc_freed_bytes.inc_by(report.freed_bytes);
    }

    /// The disk was looked at.
    pub(super) fn weighed(&self, disk: Disk) {
        self.ledger_bytes.set(disk.ledger_bytes.cast_signed());
        self.log_bytes.set(disk.log_bytes.cast_signed());
    }

    /// Everything, as text.
    pub(super) fn text(&self, app: &App) -> String {
        let load = *app.load.borrow();
        self.queued.set(load.queued.cast_signed());
        self.running.set(load.running.cast_signed());
        self.workers.set(i64::try_from(app.farm.settings().workers.value).unwrap_or(i64::MAX));
        self.uptime.set(app.started.elapsed().as_secs().cast_signed());
        for (status, ended) in app.farm.ended() {
            self.jobs.get_or_create(&StatusLabels { status: status.as_str() }).inner().store(ended, Relaxed);
        }
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// An answer that is not at its end.
pub(super) struct Open([Option<Gauge>; 2]);

impl Drop for Open {
    fn drop(&mut self) {
        for gauge in self.0.iter().flatten() {
            gauge.dec();
        }
    }
}
