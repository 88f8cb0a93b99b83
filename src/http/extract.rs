//! The parts of a request as typed values; what does not fit is refused as everything is, with the field's name.

use std::time::Duration;

use axum::extract::path::ErrorKind;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

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
        let body = <axum::Json<T> as FromRequest<S>>::from_request(request, state);
        in_time(body).await?.map(|axum::Json(value)| Self(value)).map_err(bad_body)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Refusal> {
        let body = <axum::Json<T> as OptionalFromRequest<S>>::from_request(request, state);
        in_time(body).await?.map(|body| body.map(|axum::Json(value)| Self(value))).map_err(bad_body)
    }
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
            Err(PathRejection::FailedToDeserializePathParams(error)) => Err(bad_path(error.into_kind())),
            Err(other) => Err(Error::new(Code::Io, other.body_text()).into()),
        }
    }
}

async fn in_time<T>(body: impl Future<Output = T>) -> Result<T, Refusal> {
    tokio::time::timeout(BODY_TIMEOUT, body).await.map_err(|_| {
        let error = Error::invalid(format!("the body did not arrive in {} seconds", BODY_TIMEOUT.as_secs()));
        Refusal::with_status(StatusCode::REQUEST_TIMEOUT, &error)
    })
}

fn bad_body(rejection: JsonRejection) -> Refusal {
    match rejection {
        JsonRejection::JsonDataError(error) => bad_field("the body", &error),
        JsonRejection::JsonSyntaxError(error) => {
            let error = Error::invalid(format!("the body is not JSON: {}", innermost(&error)));
            Refusal::with_status(StatusCode::BAD_REQUEST, &error)
        }
        JsonRejection::MissingJsonContentType(_) => {
            let error = Error::invalid("the body is not said to be JSON").hint("send Content-Type: application/json");
            Refusal::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error)
        }
        JsonRejection::BytesRejection(rejection) => broken_body(&rejection),
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

fn bad_path(kind: ErrorKind) -> Refusal {
    let (field, message) = match kind {
        ErrorKind::ParseErrorAtKey { key, value, .. } => (Some(key), format!("{value:?} makes no sense here")),
        ErrorKind::DeserializeError { key, message, .. } => (Some(key), message),
        ErrorKind::InvalidUtf8InPathParam { key } => (Some(key), "it is not UTF-8".to_owned()),
        other => (None, other.to_string()),
    };
    let refusal = Refusal::from(Error::invalid(format!("the path cannot be understood: {message}")));
    match field {
        Some(field) => refusal.field(field, message),
        None => refusal.field("path", message),
    }
}

/// A value that its field does not take. serde's own words are `field.part: message`.
fn bad_field(whole: &str, error: &(impl std::error::Error + 'static)) -> Refusal {
    let message = innermost(error);
    let placed = error.source().map(ToString::to_string).unwrap_or_default();
    let path = placed.strip_suffix(&message).map_or("", |path| path.trim_end_matches(": "));
    // Where in the text is of no use to somebody whose program wrote it.
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    // A field that is unknown or missing is named by the message alone, or by both.
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split('`').next());
    let field = match (path, named) {
        ("" | ".", named) => named.unwrap_or_default().to_owned(),
        (path, Some(name)) if path != name && !path.ends_with(&format!(".{name}")) => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    };
    let refusal = match field.as_str() {
        "" => Error::invalid(format!("{whole} cannot be understood: {message}")),
        field => Error::invalid(format!("{whole} cannot be understood: {field}: {message}")),
    };
    Refusal::from(refusal).field(field, message)
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
