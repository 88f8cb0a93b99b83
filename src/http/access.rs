//! What the log and the metrics say of each request: one line, when its answer is over.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::metrics::Open;
use super::request_id::RequestId;
use super::router::App;
use crate::model::TokenName;

/// What stands for the route of a request that leads nowhere.
const NO_ROUTE: &str = "-";
/// The routes whose answers may go on as long as a job does.
const FOLLOWED: [&str; 3] = ["/batches/{id}/events", "/jobs/{id}/events", "/jobs/{id}/log"];

/// Where authentication leaves the caller's name for the log. It travels with the request.
#[derive(Clone, Debug, Default)]
pub(super) struct Signed(Arc<OnceLock<TokenName>>);

impl Signed {
    /// Says who asks.
    pub(super) fn is(&self, token: &TokenName) {
        let _ = self.0.set(token.clone());
    }
}

/// Counts the request, and says in the log how it went. The path itself stays out of it: ids and queries are nobody's
/// business who reads the log of a server for many.
pub(super) async fn record(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let asker = Signed::default();
    request.extensions_mut().insert(asker.clone());
    let extensions = request.extensions();
    let line = Line {
        began,
        asker,
        method: request.method().clone(),
        route: extensions.get::<MatchedPath>().cloned(),
        address: extensions.get::<ConnectInfo<std::net::SocketAddr>>().map(|ConnectInfo(peer)| peer.ip()),
        id: extensions.get::<RequestId>().cloned(),
        status: StatusCode::OK,
        bytes: 0,
        whole: false,
    };
    let follows = FOLLOWED.contains(&line.route())
        && (line.route().ends_with("/events") || request.uri().query().is_some_and(|query| query.contains("follow")));
    let open = app.metrics.open(follows);
    let response = next.run(request).await;
    app.metrics.answered(&line.method, line.route(), response.status(), began.elapsed());
    let line = Line { status: response.status(), ..line };
    response.map(|body| Body::new(Recorded { whole: body.is_end_stream(), body, line: Some(line), _open: open }))
}

/// What is known of a request.
struct Line {
    began: Instant,
    asker: Signed,
    method: Method,
    route: Option<MatchedPath>,
    address: Option<std::net::IpAddr>,
    id: Option<RequestId>,
    status: StatusCode,
    bytes: u64,
    /// Whether the answer was sent to its end.
    whole: bool,
}

impl Line {
    fn route(&self) -> &str {
        self.route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str)
    }

    fn write(&self) {
        tracing::info!(
            request_id = self.id.as_ref().map(tracing::field::display),
            method = %self.method,
            route = self.route(),
            status = self.status.as_u16(),
            ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            bytes = self.bytes,
            token = self.asker.0.get().map(tracing::field::display),
            address = self.address.map(tracing::field::display),
            cut_off = (!self.whole).then_some(true),
            "request"
        );
    }
}

/// An answer's body; the line is written when it is dropped.
struct Recorded {
    body: Body,
    line: Option<Line>,
    whole: bool,
    _open: Open,
}

impl HttpBody for Recorded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                if let Some(line) = &mut self.line {
                    line.bytes += bytes;
                }
                self.whole = self.body.is_end_stream();
            }
            Poll::Ready(None) => self.whole = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            Line { whole: self.whole, ..line }.write();
        }
    }
}
