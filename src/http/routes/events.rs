//! `/jobs/{id}/events` and `/batches/{id}/events`.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use tokio::time::{Instant, sleep_until};

use crate::error::{Error, Result};
use crate::farm::live::{Follow, Follower, Happening, Position, Told};
use crate::farm::wire::{EndEvent, EventsQuery, LogEvent, Problem, ProgressEvent, event};
use crate::farm::{Farm as _, JobSelector};
use crate::http::auth::Asked;
use crate::http::extract::{Path, Query};
use crate::http::problem::Refusal;
use crate::http::router::App;
use crate::model::{BatchId, Scope};

/// Something is written at least so often, so that both ends notice when the other is gone.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What a browser waits before it comes back.
const RETRY: &[u8] = b"retry: 1000\n\n";

/// What happens to a job and its tries again, as it happens.
///
/// Server-sent events: `state` (data: a job row), `log` (bytes of its log), `progress`, `finding` (a finding row, as
/// soon as it is in the ledger), `end`. The id of each is all that it takes to go on: sent back as `Last-Event-ID`,
/// also to a server that was started anew, nothing is missed and no line comes twice. Behind `end` there is nothing:
/// to come back then is answered with 204. A stream that ends without `end` was cut.
#[utoipa::path(get, path = "/jobs/{id}/events", tag = "jobs",
    params(("id" = String, Path, description = "The beginning of the job's id, @last or @last-failed"), EventsQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that came")),
    responses(
        (status = 200, description = "The events", body = String, content_type = "text/event-stream"),
        (status = 204, description = "All was told, as Last-Event-ID says"),
        (status = 404, description = "There is no such job", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn of_job(
    State(app): State<App>,
    Asked(farm): Asked,
    Path(selector): Path<String>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let selector: JobSelector = selector.parse()?;
    let from = position(&headers)?;
    let job = farm.job(&selector).await?;
    let part = query.part()?;
    let follow =
        Follow { scope: Scope::Job(job.id), logs: query.logs.into(), part, findings: query.has_findings(), from };
    answer(&app, &farm, follow).await
}

/// What happens to a batch and all tries again, as it happens.
///
/// As of a single job; every event says whose it is.
#[utoipa::path(get, path = "/batches/{id}/events", tag = "jobs",
    params(("id" = BatchId, Path), EventsQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that came")),
    responses(
        (status = 200, description = "The events", body = String, content_type = "text/event-stream"),
        (status = 204, description = "All was told, as Last-Event-ID says"),
        (status = 404, description = "There is no such batch", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn of_batch(
    State(app): State<App>,
    Asked(farm): Asked,
    Path(batch): Path<BatchId>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if query.part()?.is_some() {
        return Err(Error::invalid("tail, from, lines and stream are for a single job's log").into());
    }
    let follow = Follow {
        scope: Scope::Batch(batch),
        logs: query.logs.into(),
        part: None,
        findings: query.has_findings(),
        from: position(&headers)?,
    };
    answer(&app, &farm, follow).await
}

fn position(headers: &HeaderMap) -> Result<Position, Refusal> {
    match headers.get("last-event-id").map(HeaderValue::to_str) {
        None => Ok(Position::default()),
        Some(Ok("")) => Ok(Position::default()),
        Some(Ok(id)) => Ok(id.parse().map_err(|error: Error| bad_id(error))?),
        Some(Err(_)) => Err(bad_id(Error::invalid("that is no id of an event"))),
    }
}

fn bad_id(error: Error) -> Refusal {
    let message = error.to_string();
    Refusal::from(error).field("Last-Event-ID", message)
}

async fn answer(app: &App, farm: &crate::farm::LocalFarm, follow: Follow) -> Result<Response, Refusal> {
    let is_ended = follow.from.is_ended();
    let follower = farm.follower(follow).await?;
    if is_ended {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A proxy that keeps events until it has many of them is of no use.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(events(app, follower))).into_response())
}

/// Each event is made when the connection has room for it: whoever reads slowly holds one, and no thread. When the
/// server is asked to end, the stream does too, without `end`.
fn events(app: &App, follower: Follower) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
    let begun = futures_util::stream::iter([Ok(Bytes::from_static(RETRY))]);
    let state = Some((follower, app.shutdown.clone()));
    begun.chain(futures_util::stream::unfold(state, async |state| {
        let (mut follower, mut shutdown) = state?;
        let heartbeat = Instant::now() + HEARTBEAT;
        let event = tokio::select! {
            told = follower.next() => match told? {
                Ok(told) => written(&told),
                // Nothing comes behind it.
                Err(error) => return Some((Ok(problem(error)), None)),
            },
            () = sleep_until(heartbeat) => Bytes::from_static(b":\n\n"),
            _ = shutdown.wait_for(|ends| *ends) => return None,
        };
        Some((Ok(event), Some((follower, shutdown))))
    }))
}

fn written(told: &Told) -> Bytes {
    let id = told.position.to_string();
    let (name, data) = match &told.what {
        Happening::State(job) => (event::STATE, job.written(json)),
        Happening::Log { job, piece } => (event::LOG, piece.written(|piece| json(&LogEvent::of(job.clone(), piece)))),
        Happening::Finding(finding) => (event::FINDING, finding.written(json)),
        Happening::Progress { job, last_line, findings } => {
            let data = ProgressEvent { job_id: job.clone(), last_line: last_line.to_string(), findings: *findings };
            (event::PROGRESS, json(&data))
        }
        Happening::End => (event::END, json(&EndEvent { ok: true })),
    };
    framed(name, Some(&id), &data)
}

fn problem(error: Error) -> Bytes {
    framed(event::PROBLEM, None, &json(Refusal::from(error).problem()))
}

fn framed(name: &str, id: Option<&str>, data: &[u8]) -> Bytes {
    let mut event = BytesMut::with_capacity(data.len() + 128);
    event.put_slice(b"event: ");
    event.put_slice(name.as_bytes());
    if let Some(id) = id {
        event.put_slice(b"\nid: ");
        event.put_slice(id.as_bytes());
    }
    event.put_slice(b"\ndata: ");
    event.put_slice(data);
    event.put_slice(b"\n\n");
    event.freeze()
}

/// JSON has no line ends of its own, so that it is one line of an event.
fn json(value: &impl serde::Serialize) -> Bytes {
    serde_json::to_vec(value).expect("rows and events have no maps with keys that are no text").into()
}
