//! Errors as answers: `application/problem+json`, and nothing in them that is the server's own business.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use utoipa::IntoResponses;
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};

use super::request_id::RequestId;
use crate::error::{Code, Error};
use crate::farm::wire::{FieldError, Problem};

const PROBLEM_JSON: &str = "application/problem+json";

/// An error of the library on its way out. Routes return it by `?`.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Told>);

/// Behind a pointer: every result on the way has room for it, and hardly any holds one.
#[derive(Debug)]
struct Told {
    problem: Problem,
    headers: HeaderMap,
    /// What happened inside, for the log alone.
    cause: Option<Cause>,
}

/// Travels with an answer that says nothing of the cause to the place where it gets its request's id.
#[derive(Clone, Debug)]
struct Cause(String);

impl Refusal {
    fn new(problem: Problem, cause: Option<Cause>) -> Self {
        Self(Box::new(Told { problem, headers: HeaderMap::new(), cause }))
    }

    /// A refusal whose status is not that of the error's code.
    pub(super) fn with_status(status: StatusCode, error: &Error) -> Self {
        let mut problem = Problem::from(error);
        problem.status = status.as_u16();
        Self::new(problem, None)
    }

    /// What is told of it.
    pub(super) fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// A part of the request that makes no sense beside another.
    pub(super) fn of_field(error: FieldError) -> Self {
        let FieldError { field, message } = error;
        Self::from(Error::invalid(format!("the body cannot be understood: {field}: {message}"))).field(field, message)
    }

    /// Says which part of the request is meant.
    pub(super) fn field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.0.problem.errors.push(FieldError { field: field.into(), message: message.into() });
        self
    }

    /// Answers with this header too.
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let problem = Problem::from(&error);
        if problem.status != StatusCode::INTERNAL_SERVER_ERROR.as_u16() {
            return Self::new(problem, None);
        }
        // Paths and the database's words are for whoever reads the server's log.
        let told = Error::new(error.code(), "something went wrong in the server");
        let cause = error.hint_text().map_or_else(|| error.to_string(), |hint| format!("{error} ({hint})"));
        Self::new(Problem::from(&told), Some(Cause(cause)))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Told { problem, headers, cause } = *self.0;
        let mut response = rendered(&problem);
        response.headers_mut().extend(headers);
        if let Some(cause) = cause {
            // The problem goes along: `tell_the_log` adds the request's id to it.
            response.extensions_mut().insert((cause, problem));
        }
        response
    }
}

fn rendered(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(problem)).into_response();
    let json = HeaderValue::from_static(PROBLEM_JSON);
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// Writes the cause of a fault into the log, and under which id it stands there into the answer.
pub(super) async fn tell_the_log(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    if let Some((Cause(cause), mut problem)) = response.extensions_mut().remove::<(Cause, Problem)>()
        && let Some(id) = id
    {
        tracing::error!(request_id = %id, "{cause}");
        problem.hint = Some(format!("the server's log says more about the request {id}"));
        let told = rendered(&problem).into_body();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = told;
    }
    response
}

/// A fault of ours in one request is that request's own failure.
pub(super) async fn catch(request: Request, next: Next) -> Response {
    let answer = std::panic::AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        Refusal::from(Error::new(Code::Fault, "crafting failed while it answered; the panic is told above"))
            .into_response()
    })
}

/// The answers that every route behind the door may give, for the descriptions of routes.
pub(crate) struct Refusals;

/// The further ones of routes that take a body.
pub(crate) struct BodyRefusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        described([
            (400, "The request is broken."),
            (401, "There is no valid bearer with the request."),
            (403, "The caller may not do this, or not from there."),
            (429, "Too many requests; the header Retry-After says when to ask again."),
            (500, "Something went wrong in the server, whose log says more."),
            (503, "The server is going down."),
        ])
    }
}

impl IntoResponses for BodyRefusals {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        described([
            (408, "The body did not arrive in time."),
            (413, "The body is too large."),
            (415, "The body is not said to be JSON."),
            (422, "The body cannot be understood; `errors` says which part."),
        ])
    }
}

fn described<const N: usize>(answers: [(u16, &str); N]) -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    let answer = |(status, description): (u16, &str)| {
        let response = ResponseBuilder::new().description(description).content(PROBLEM_JSON, problem.clone()).build();
        (status.to_string(), RefOr::T(response))
    };
    answers.into_iter().map(answer).collect()
}

/// There is no such path.
pub(super) async fn no_such_route(uri: Uri) -> Refusal {
    Error::not_found(format!("there is nothing at {}", uri.path())).hint("/openapi.json lists every path").into()
}

/// There is such a path, but not for this method; the router adds `Allow`.
pub(super) async fn no_such_method(method: Method, uri: Uri) -> Refusal {
    let error = Error::invalid(format!("{} does not take {method}", uri.path()))
        .hint("the header Allow names the methods that it takes");
    Refusal::with_status(StatusCode::METHOD_NOT_ALLOWED, &error)
}
