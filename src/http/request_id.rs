//! A name for each request, in its answer and in the log.

use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The name of one request. Nobody outside chooses it, so it can stand in the log as it is.
#[derive(Clone, Debug)]
pub(super) struct RequestId(String);

impl RequestId {
    /// One that this process has not given yet, and no other one either: its first half is random.
    fn next() -> Self {
        static PROCESS: LazyLock<u32> = LazyLock::new(|| {
            let mut bytes = [0_u8; 4];
            // Without randomness the ids of two processes look alike; that is all.
            let _ = getrandom::fill(&mut bytes);
            u32::from_ne_bytes(bytes)
        });
        static COUNT: AtomicU64 = AtomicU64::new(1);
        Self(format!("{:08x}-{}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed)))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Names the request, and tells the name in the answer.
pub(super) async fn name(mut request: Request, next: Next) -> Response {
    let id = RequestId::next();
    let header = HeaderValue::from_str(&id.0).ok();
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    response.headers_mut().extend(header.map(|header| (HEADER, header)));
    response
}
