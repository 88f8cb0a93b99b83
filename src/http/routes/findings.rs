//! `/findings` and `/jobs/{id}/findings`: a page as JSON, all of them one a line, or what another program takes.

use std::io::Error as Broken;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use crate::error::{Code, Error};
use crate::farm::wire::{FindingsAnswer, FindingsEnd, FindingsHead, FindingsParams, NDJSON, PAGE_MAX, Problem, line};
use crate::farm::{EachFinding, Farm, FindingQuery, JobSelector};
use crate::findings::export::{ExportFormat, export};
use crate::http::auth::Asked;
use crate::http::extract::{Json, Path, Query};
use crate::http::problem::Refusal;

/// Findings that a document for another program may have: it is made in memory.
const EXPORT_MAX: u64 = 50_000;

/// Findings across jobs: of the newest finished job of every subproject and recipe, or of the jobs that are named.
///
/// With `Accept: application/x-ndjson` they come one a line, however many there are: first a line with the counts, then
/// the findings, then a line that says how many came. Without such an end the answer broke off; a problem may stand in
/// its place.
#[utoipa::path(get, path = "/findings", tag = "findings", params(FindingsParams), responses(
    (status = 200, content(
        (FindingsAnswer = "application/json"),
        (FindingsHead = "application/x-ndjson"),
        (serde_json::Value = "application/sarif+json"),
        (String = "application/xml"),
        (String = "application/rdjsonl"),
        (String = "text/plain"),
        (String = "text/markdown"),
    )),
    (status = 404, description = "no such project, job or ref", body = Problem,
        content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    Asked(farm): Asked,
    headers: HeaderMap,
    Query(params): Query<FindingsParams>,
) -> Result<Response, Refusal> {
    answer(&farm, params, &headers).await
}

/// Findings of one job, and of those that `job` names besides. Otherwise as `GET /findings`.
#[utoipa::path(get, path = "/jobs/{id}/findings", tag = "findings", params(
    ("id" = JobSelector, Path),
    FindingsParams,
), responses(
    (status = 200, content(
        (FindingsAnswer = "application/json"),
        (FindingsHead = "application/x-ndjson"),
        (serde_json::Value = "application/sarif+json"),
        (String = "application/xml"),
        (String = "application/rdjsonl"),
        (String = "text/plain"),
        (String = "text/markdown"),
    )),
    (status = 404, description = "no such job, project or ref", body = Problem,
        content_type = "application/problem+json"),
))]
pub(crate) async fn of_job(
    Asked(farm): Asked,
    headers: HeaderMap,
    Path(which): Path<JobSelector>,
    Query(mut params): Query<FindingsParams>,
) -> Result<Response, Refusal> {
    params.job.0.insert(0, which);
    answer(&farm, params, &headers).await
}

async fn answer(farm: &dyn Farm, params: FindingsParams, headers: &HeaderMap) -> Result<Response, Refusal> {
    if let Some(format) = params.format.and_then(|format| format.export()) {
        return document(farm, params.query(), format).await;
    }
    if wants_lines(headers) {
        let found = farm.each_finding(&params.query()).await?;
        return Ok(([(header::CONTENT_TYPE, NDJSON)], lines(found)?).into_response());
    }
    if params.limit.is_some_and(|limit| limit > PAGE_MAX) {
        let message = format!("a page has at most {PAGE_MAX} findings");
        let error = Error::invalid(message.as_str()).hint(format!("Accept: {NDJSON} has all of them, one a line"));
        return Err(Refusal::from(error).field("limit", message));
    }
    let found = farm.findings(&params.page()).await?;
    Ok(Json(FindingsAnswer::from(found)).into_response())
}

/// Whether the client would rather have them one a line.
fn wants_lines(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';');
        parts.next().is_some_and(|media| media.trim().eq_ignore_ascii_case(NDJSON))
    })
}

async fn document(farm: &dyn Farm, query: FindingQuery, format: ExportFormat) -> Result<Response, Refusal> {
    let query = FindingQuery { group_by: None, records: false, from_top: true, limit: Some(EXPORT_MAX), ..query };
    let found = farm.findings(&query).await?;
    if found.counts.total > EXPORT_MAX {
        let message = format!("there are {} findings, and {format} has at most {EXPORT_MAX}", found.counts.total);
        return Err(Error::new(Code::InvalidInput, message)
            .hint(format!("narrow them down by kind, severity, path or new; Accept: {NDJSON} has all of them"))
            .into());
    }
    let written = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        export(format, &found.findings, &mut bytes).map(|()| bytes)
    });
    let bytes = match written.await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return Err(Error::new(Code::Io, format!("{format} cannot be written: {error}")).into()),
        Err(error) => return Err(Error::new(Code::Io, format!("{format} was not written: {error}")).into()),
    };
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(media_type(format)))], bytes).into_response())
}

fn media_type(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Sarif => "application/sarif+json",
        ExportFormat::Junit | ExportFormat::Checkstyle => "application/xml",
        ExportFormat::Rdjsonl => "application/rdjsonl",
        ExportFormat::Github => "text/plain; charset=utf-8",
        ExportFormat::Gitlab => "application/json",
        ExportFormat::Markdown => "text/markdown; charset=utf-8",
    }
}

/// The head, the findings as fast as they are taken, the end.
fn lines(found: EachFinding) -> Result<Body, Error> {
    let mut head = Vec::new();
    line(&FindingsHead::of(&found), &mut head)?;
    let rest = stream::unfold(Some((found.findings, 0_u64)), |state| async move {
        let (mut findings, mut count) = state?;
        let mut bytes = Vec::new();
        let written = match findings.recv().await {
            Some(Ok(piece)) => {
                count += piece.len() as u64;
                piece.iter().try_for_each(|finding| line(finding, &mut bytes))
            }
            Some(Err(error)) => Err(error),
            None => {
                let end = line(&FindingsEnd { ok: true, findings: count }, &mut bytes);
                return Some((end.map(|()| bytes).map_err(Broken::other), None));
            }
        };
        match written {
            Ok(()) => Some((Ok(bytes), Some((findings, count)))),
            Err(error) => {
                // The status is said already, so the problem comes as the last line.
                bytes.clear();
                tracing::error!("an answer broke off: {error}");
                let told = line(Refusal::from(error).problem(), &mut bytes);
                Some((told.map(|()| bytes).map_err(Broken::other), None))
            }
        }
    });
    let head = stream::once(async move { Ok(head) });
    let all = futures_util::StreamExt::chain(head, rest);
    Ok(Body::from_stream(futures_util::StreamExt::map(all, |bytes| bytes.map(Bytes::from))))
}
