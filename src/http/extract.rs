//! The parts of a request as typed values; what does not fit is refused as everything is, with the field's name.

use std::time::Duration;

use axum::extract::path::ErrorKind;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::problem::Refusal;
use crate::error::{Code, Error};

/// Bytes that a request's body may have, unless its route says otherwise.
pub(super) const BODY_LIMIT: usize = 1 << 20;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON body, of a request or an answer.
pub(crate) struct Json<T>(pub(crate) T);

/// What the query says, as a struct whose fields are its parameters.
pub(crate) struct Query<T>(pub(crate) T);

/// The variable parts of the path.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if !is_json(request.headers()) {
            let error = Error::invalid("the body is not said to be JSON").hint("send Content-Type: application/json");
            return Err(Refusal::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error));
        }
        let body = tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, state)).await;
        let body = body.map_err(|_| late_body())?.map_err(|rejection| broken_body(&rejection))?;
        // serde would take a list of a struct's values in their order, which nobody has described; and of another value
        // it would repeat what it is, which may be a secret. What is no JSON at all is told below.
        if body.trim_ascii_start().first() != Some(&b'{') && serde_json::from_slice::<IgnoredAny>(&body).is_ok() {
            return Err(Refusal::from(Error::invalid("the body is no JSON object")).field("", "not an object"));
        }
        axum::Json::from_bytes(&body).map(|axum::Json(value)| Self(value)).map_err(bad_body)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Refusal> {
        match request.headers().contains_key(header::CONTENT_TYPE) {
            true => <Self as FromRequest<S>>::from_request(request, state).await.map(Some),
            false => Ok(None),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(QueryRejection::FailedToDeserializeQueryString(error)) => Err(bad_field("the query", &error)),
            Err(other) => Err(Error::invalid(other.body_text()).into()),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => {
                let raw = RawPathParams::from_request_parts(parts, state).await.ok();
                let mut names = raw.iter().flatten().map(|(name, _)| name.to_owned());
                let only = names.next().filter(|_| names.next().is_none());
                Err(bad_path(error.into_kind(), only))
            }
            Err(other) => Err(Error::new(Code::Io, other.body_text()).into()),
        }
    }
}

fn late_body() -> Refusal {
    let error = Error::invalid(format!("the body did not arrive in {} seconds", BODY_TIMEOUT.as_secs()));
    Refusal::with_status(StatusCode::REQUEST_TIMEOUT, &error)
}

fn bad_body(rejection: JsonRejection) -> Refusal {
    match rejection {
        JsonRejection::JsonDataError(error) => bad_field("the body", &error),
        JsonRejection::JsonSyntaxError(error) => {
            let error = Error::invalid(format!("the body is not JSON: {}", innermost(&error)));
            Refusal::with_status(StatusCode::BAD_REQUEST, &error)
        }
        other => Error::invalid(other.body_text()).into(),
    }
}

/// A body that could not be read to its end: it is too large, or the connection broke.
pub(super) fn broken_body(rejection: &BytesRejection) -> Refusal {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::new(Code::TooLarge, format!("the body has more than {BODY_LIMIT} bytes")).into()
        }
        _ => Refusal::with_status(StatusCode::BAD_REQUEST, &Error::invalid("the body broke off")),
    }
}

fn bad_path(kind: ErrorKind, only: Option<String>) -> Refusal {
    let (field, message) = match kind {
        ErrorKind::ParseErrorAtKey { key, value, .. } => (Some(key), format!("{value:?} makes no sense here")),
        ErrorKind::DeserializeError { key, message, .. } => (Some(key), message),
        ErrorKind::InvalidUtf8InPathParam { key } => (Some(key), "it is not UTF-8".to_owned()),
        other => (only, other.to_string()),
    };
    Refusal::from(Error::invalid(format!("the path cannot be understood: {message}")))
        .field(field.unwrap_or_else(|| "path".to_owned()), message)
}

/// A value that its field does not take. serde's own words are `field.part: message`.
fn bad_field(whole: &str, error: &(dyn std::error::Error + 'static)) -> Refusal {
    let text = innermost(error);
    // Where in the text is of no use to somebody whose program wrote it.
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let is_path = |path: &str| !path.contains(|c: char| c.is_whitespace() || matches!(c, '`' | '"'));
    let (path, message) = text.split_once(": ").filter(|(path, _)| is_path(path)).unwrap_or(("", text));
    // A field that is missing or there twice is named by the message alone.
    let missing = ["missing field `", "duplicate field `"].iter().find_map(|start| message.strip_prefix(start));
    let missing = missing.and_then(|rest| rest.split('`').next());
    let field = match (path, missing) {
        ("", missing) => missing.unwrap_or_default().to_owned(),
        (path, Some(name)) if path != name && !path.ends_with(&format!(".{name}")) => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    };
    let colon = if field.is_empty() { "" } else { ": " };
    Refusal::from(Error::invalid(format!("{whole} cannot be understood: {field}{colon}{message}")))
        .field(field, message)
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
