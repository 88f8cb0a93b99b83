//! `/jobs/{id}/log`.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;

use crate::error::{Code, Error, Result};
use crate::farm::wire::{LogQuery, Problem};
use crate::farm::{Farm as _, JobSelector, LogPart, LogStart};
use crate::http::auth::Asked;
use crate::http::extract::{Path, Query};
use crate::http::problem::Refusal;
use crate::http::range::{Wanted, wanted};
use crate::http::router::App;

/// What a recipe wrote is shown as text and never as anything else: it may be HTML, or no text at all.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// The log of a job: the bytes that its recipe wrote, as they are.
///
/// It need not be UTF-8, whatever the content type has to say. Of a whole log `Range` is honoured, and of one that is
/// over `If-Range` and `If-None-Match`. With `follow=1` the answer goes on until the job ends; one that is cut by the
/// server's end breaks off, rather than to look complete.
#[utoipa::path(get, path = "/jobs/{id}/log", tag = "jobs",
    params(("id" = String, Path, description = "The beginning of the job's id, @last or @last-failed"), LogQuery,
        ("Range" = Option<String>, Header, description = "bytes=FIRST-LAST, bytes=FIRST- or bytes=-COUNT"),
        ("If-Range" = Option<String>, Header, description = "An ETag: a range of this log, else all of it"),
        ("If-None-Match" = Option<String>, Header, description = "An ETag: nothing if it is this log's")),
    responses(
        (status = 200, description = "The log, or the part of it", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 206, description = "A range of it", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 304, description = "It is as If-None-Match says"),
        (status = 404, description = "There is no such job, or no log of it: not yet, never, or not any more", body = Problem,
            content_type = "application/problem+json"),
        (status = 416, description = "There are no such bytes"),
        (status = 422, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn of_job(
    State(app): State<App>,
    Asked(farm): Asked,
    method: Method,
    Path(selector): Path<String>,
    Query(query): Query<LogQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let selector: JobSelector = selector.parse()?;
    let part = query.part()?;
    let job = farm.job(&selector).await?;
    if part.is_some() || query.is_follow() {
        let all = LogPart { start: LogStart::Line(1), lines: None, stream: None, follow: query.is_follow() };
        if method == Method::HEAD {
            if !query.is_follow() {
                farm.log_facts(&job.id).await?;
            }
            return Ok(text(StatusCode::OK, "none", "no-store", Body::empty()));
        }
        let chunks = farm.log(&job.id, part.unwrap_or(all)).await?;
        let body = if query.is_follow() {
            Body::from_stream(growing(&app, chunks))
        } else {
            Body::from_stream(stream(chunks))
        };
        return Ok(text(StatusCode::OK, "none", "no-store", body));
    }
    let facts = farm.log_facts(&job.id).await?;
    let etag = facts.job.status.is_final().then(|| format!("\"{}-{}\"", facts.job.id, facts.bytes));
    if let Some(etag) = etag.as_deref().filter(|etag| is_named(&headers, header::IF_NONE_MATCH, etag)) {
        return Ok(([(header::ETAG, etag)], StatusCode::NOT_MODIFIED).into_response());
    }
    // A range of something else than the caller has the rest of is of no use to them.
    let is_same = !headers.contains_key(header::IF_RANGE)
        || etag.as_deref().is_some_and(|etag| headers.get(header::IF_RANGE).is_some_and(|tag| tag == etag));
    let range = headers.get(header::RANGE).filter(|_| is_same).and_then(|range| range.to_str().ok());
    let length = facts.bytes;
    // How long a log will be is not known before its end.
    let total = if etag.is_some() { length.to_string() } else { "*".to_owned() };
    let (status, range) = match wanted(range, length) {
        Wanted::All => (StatusCode::OK, 0..length),
        Wanted::Some(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => {
            let there = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, there).into_response());
        }
    };
    let count = range.end - range.start;
    let body = match method == Method::HEAD || count == 0 {
        true => Body::empty(),
        false => Body::from_stream(stream(farm.log_bytes(&facts.job.id, range.start, count).await?)),
    };
    let cache = if etag.is_some() { "private, no-cache" } else { "no-store" };
    let mut response = text(status, "bytes", cache, body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, count.into());
    if let Some(etag) = etag.and_then(|etag| HeaderValue::try_from(etag).ok()) {
        headers.insert(header::ETAG, etag);
    }
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(value) = HeaderValue::try_from(format!("bytes {}-{}/{total}", range.start, range.end - 1))
    {
        headers.insert(header::CONTENT_RANGE, value);
    }
    Ok(response)
}

fn text(status: StatusCode, ranges: &'static str, cache: &'static str, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, TEXT),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::ACCEPT_RANGES, HeaderValue::from_static(ranges)),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        // A proxy that keeps a growing log until it is complete is of no use.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (status, headers, body).into_response()
}

/// Whether a header that lists tags has this one.
fn is_named(headers: &HeaderMap, name: header::HeaderName, etag: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// A log that is complete at its end.
fn stream(chunks: mpsc::Receiver<Result<Vec<u8>>>) -> impl Stream<Item = Result<Bytes>> {
    futures_util::stream::unfold(chunks, async |mut chunks| {
        let chunk = chunks.recv().await?;
        Some((chunk.map(Bytes::from), chunks))
    })
}

/// A log that grows. When the server is asked to end it breaks off: it must not look complete.
fn growing(app: &App, chunks: mpsc::Receiver<Result<Vec<u8>>>) -> impl Stream<Item = Result<Bytes>> + use<> {
    let state = Some((chunks, app.shutdown.clone()));
    futures_util::stream::unfold(state, async |state| {
        let (mut chunks, mut shutdown) = state?;
        let chunk = tokio::select! {
            chunk = chunks.recv() => chunk?,
            _ = shutdown.wait_for(|ends| *ends) => {
                return Some((Err(Error::new(Code::Unavailable, "the server ends before the log does")), None));
            }
        };
        Some((chunk.map(Bytes::from), Some((chunks, shutdown))))
    })
}
