//! A name for each request, in its answer and in the log.

use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The name of one request, made here or by who asks, and short and plain enough to stand in the log as it is.
#[derive(Clone, Debug)]
pub(super) struct RequestId(String);

impl RequestId {
    /// The longest that is taken from outside.
    const LONGEST: usize = 64;

    /// The name that who asks has for the request, a proxy perhaps, if it is one.
    fn given(headers: &HeaderMap) -> Option<Self> {
        let id = headers.get(HEADER)?.to_str().ok()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        ((1..=Self::LONGEST).contains(&id.len()) && id.bytes().all(plain)).then(|| Self(id.to_owned()))
    }

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
    let id = RequestId::given(request.headers()).unwrap_or_else(RequestId::next);
    let header = HeaderValue::from_str(&id.0).ok();
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    response.headers_mut().extend(header.map(|header| (HEADER, header)));
    response
}
