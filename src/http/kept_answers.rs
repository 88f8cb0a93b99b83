//! Answers that are given again for as long as the ledger has not changed: many ask for the same list again and again.
//!
//! An answer is kept only if its route says that the ledger alone decides it ([`OfLedger`]), for one caller and one
//! question. Whatever is written anywhere makes all of them void: by this process at once, by another one on the same
//! data directory as soon as the kernel tells of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::error::Result;
use crate::farm::LocalFarm;
use crate::model::Caller;

/// Bytes that all of them may have together; then they begin anew.
const ALL_BYTES: usize = 4 << 20;
/// Bytes that one may have; longer ones take so long to send that making them counts for little.
const MOST_BYTES: usize = 256 << 10;

/// Says of an answer that nothing but the ledger decides it. A route puts it around what it answers.
pub(super) struct OfLedger<T>(pub(super) T);

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
type Question = (Caller, String);

/// What is kept.
#[derive(Clone)]
pub(super) struct KeptAnswers {
    farm: LocalFarm,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    /// The state of the ledger that they are of.
    state: u64,
    bytes: usize,
    answers: HashMap<Question, (HeaderValue, Bytes)>,
}

impl KeptAnswers {
    pub(super) fn new(farm: LocalFarm) -> Result<Self> {
        farm.watch_state()?;
        Ok(Self { farm, kept: Arc::default() })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, question: &Question) -> Option<(HeaderValue, Bytes)> {
        let kept = self.kept();
        if kept.state == self.farm.state() { kept.answers.get(question).cloned() } else { None }
    }

    /// Keeps an answer that was made when the ledger was in `state`, or later.
    fn keep(&self, question: Question, state: u64, answer: (HeaderValue, Bytes)) {
        let mut kept = self.kept();
        if kept.state != state || kept.bytes + answer.1.len() > ALL_BYTES {
            // One of an older state than those that are kept is of no use to anybody.
            if state < kept.state {
                return;
            }
            *kept = Kept { state, ..Kept::default() };
        }
        kept.bytes += answer.1.len();
        kept.answers.insert(question, answer);
    }
}

/// Gives an answer again, or has it made and keeps it.
pub(super) async fn give_again(State(answers): State<KeptAnswers>, request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>().cloned();
    let (Some(caller), &Method::GET) = (caller, request.method()) else { return next.run(request).await };
    let question = request.uri().path_and_query().map(|asked| (caller, asked.to_string()));
    let Some(question) = question else { return next.run(request).await };
    if let Some((kind, bytes)) = answers.find(&question) {
        return ([(header::CONTENT_TYPE, kind)], bytes).into_response();
    }
    let state = answers.farm.state();
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
                answers.keep(question, state, (kind, bytes.clone()));
            }
            Response::from_parts(parts, Body::from(bytes))
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
