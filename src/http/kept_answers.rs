//! Answers that are given again for as long as the ledger has not changed: many ask for the same list again and again.
//!
//! An answer is kept only if its route says that the ledger alone decides it ([`OfLedger`]), for one caller and one
//! question. Whatever is written, by whichever process, gives the ledger another mark and makes all of them void.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::router::App;
use crate::model::Caller;

/// Bytes that all of them may have together; then they begin anew.
const ALL_BYTES: usize = 4 << 20;
/// Bytes that one may have; longer ones take so long to send that making them counts for little.
const MOST_BYTES: usize = 256 << 10;

/// Says of an answer that nothing but the ledger decides it. A route puts it around what it answers.
pub(crate) struct OfLedger<T>(pub(crate) T);

impl<T: IntoResponse> IntoResponse for OfLedger<T> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.extensions_mut().insert(Reusable);
        response
    }
}

#[derive(Clone, Copy)]
struct Reusable;

/// Who asked what.
type Question = (Arc<Caller>, String);

/// What is kept.
#[derive(Default)]
pub(super) struct KeptAnswers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// The ledger's, when they were made.
    mark: u64,
    bytes: usize,
    answers: HashMap<Question, (HeaderValue, Bytes)>,
}

impl KeptAnswers {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, question: &Question, mark: u64) -> Option<(HeaderValue, Bytes)> {
        let kept = self.kept();
        if kept.mark == mark { kept.answers.get(question).cloned() } else { None }
    }

    /// Keeps an answer that was made after the ledger had this mark.
    fn keep(&self, question: Question, mark: u64, answer: (HeaderValue, Bytes)) {
        let mut kept = self.kept();
        if kept.mark != mark || kept.bytes + answer.1.len() > ALL_BYTES {
            *kept = Kept { mark, ..Kept::default() };
        }
        kept.bytes += answer.1.len();
        kept.answers.insert(question, answer);
    }
}

/// Gives an answer again, or has it made and keeps it.
pub(super) async fn give_again(State(app): State<App>, request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Arc<Caller>>().map(Arc::clone);
    let (Some(caller), &Method::GET) = (caller, request.method()) else { return next.run(request).await };
    let Some(asked) = request.uri().path_and_query().map(ToString::to_string) else { return next.run(request).await };
    // First the mark, then the rows: what is written in between makes the next caller ask again.
    let Ok(mark) = app.farm.ledger_mark() else { return next.run(request).await };
    let question = (caller, asked);
    if let Some((kind, bytes)) = app.answers.find(&question, mark) {
        return ([(header::CONTENT_TYPE, kind)], bytes).into_response();
    }
    let response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE).cloned();
    let (Some(_), Some(kind), StatusCode::OK) = (response.extensions().get::<Reusable>(), kind, response.status())
    else {
        return response;
    };
    let (parts, body) = response.into_parts();
    // Made of one piece by the route: this takes nothing apart and waits for nobody.
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => {
            if bytes.len() <= MOST_BYTES {
                app.answers.keep(question, mark, (kind, bytes.clone()));
            }
            Response::from_parts(parts, Body::from(bytes))
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
