//! Connections: how many, how long they may dawdle, and how they end.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt as _;

use crate::runtime::raise_open_files;

/// How long a connection may take for the header of its first or next request. Longer than the minute for which
/// proxies keep a connection that they may use again, so that they are not surprised.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);
/// How long a client may leave an answer unread, or be gone without a word.
const UNREAD_TIMEOUT: Duration = Duration::from_secs(300);
/// Lines of a request's header.
const HEADERS: usize = 100;
/// Bytes of a request's header.
const HEADER_BYTES: usize = 32 << 10;
/// Bytes of an answer that wait for a client who does not read: enough for speed, little enough for thousands of them.
const UNREAD_BYTES: usize = 128 << 10;
/// The most connections at once, where the system's limit allows for them.
const CONNECTIONS: u64 = 10_000;
/// Of the files that the system lets the process open, so many are not for connections.
const OTHER_FILES: u64 = 256;
/// Connections at once that are told that there are too many; beyond it they are just closed.
const REFUSALS: usize = 64;
/// How long to wait before connections are accepted again when the system had no room for one.
const NO_ROOM: Duration = Duration::from_millis(100);

/// The answer to a connection too many. Nothing was read of the request.
const TOO_MANY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n\
    Retry-After: 5\r\nConnection: close\r\nContent-Length: 178\r\n\r\n\
    {\"ok\":false,\"type\":\"/docs#unavailable\",\"title\":\"unavailable\",\"status\":503,\
    \"detail\":\"the server has too many open connections\",\"hint\":\"try again in a moment\",\"code\":\"unavailable\"}";

/// How many connections there may be at once. Raises the process's limit of open files as far as it may.
pub(super) fn most() -> usize {
    let connections = raise_open_files().saturating_sub(OTHER_FILES).clamp(16, CONNECTIONS);
    usize::try_from(connections).unwrap_or(usize::MAX)
}

/// Everybody who is connected.
pub(super) struct Connections {
    router: Router,
    places: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    graceful: GracefulShutdown,
    shutdown: watch::Receiver<bool>,
}

impl Connections {
    pub(super) fn new(router: Router, most: usize, shutdown: watch::Receiver<bool>) -> Self {
        Self {
            router,
            places: Arc::new(Semaphore::new(most)),
            refusals: Arc::new(Semaphore::new(REFUSALS)),
            graceful: GracefulShutdown::new(),
            shutdown,
        }
    }

    /// Accepts until the shutdown, then waits for the answers that are under way.
    pub(super) async fn accept(self, listener: TcpListener) {
        let mut shutdown = self.shutdown.clone();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.take(stream, peer),
                    Err(error) => wait_for_room(&error).await,
                },
                () = asked(&mut shutdown) => break,
            }
        }
        drop(listener);
        self.graceful.shutdown().await;
    }

    fn take(&self, stream: TcpStream, peer: SocketAddr) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            // Whoever comes while many are being told is not told.
            if let Ok(permit) = Arc::clone(&self.refusals).try_acquire_owned() {
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(Duration::from_secs(1), refuse(stream)).await;
                    drop(permit);
                });
            }
            return;
        };
        if let Err(error) = patient(&stream) {
            tracing::debug!(%peer, "the connection is gone already: {error}");
            return;
        }
        let with_peer = move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        };
        let service = TowerToHyperService::new(self.router.clone().map_request(with_peer));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_headers(HEADERS)
            .max_header_size(HEADER_BYTES)
            .max_buf_size(UNREAD_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, "the connection ended: {error}");
            }
            drop(place);
        });
    }
}

/// Small answers leave at once; a client that is gone or reads nothing is found out.
fn patient(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_user_timeout(stream, u32::try_from(UNREAD_TIMEOUT.as_millis()).unwrap_or(u32::MAX))?;
    Ok(())
}

/// Tells a client that there is no place for it. What it sends is read, or the kernel would drop the answer with it.
async fn refuse(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(TOO_MANY.as_bytes()).await?;
    stream.shutdown().await?;
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// Waits until the server is asked to end.
async fn asked(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|ends| *ends).await;
}

/// A connection that broke before it was accepted is nothing; want of files or memory passes.
async fn wait_for_room(error: &std::io::Error) {
    let gone = [ErrorKind::ConnectionAborted, ErrorKind::ConnectionReset, ErrorKind::ConnectionRefused];
    if !gone.contains(&error.kind()) {
        tracing::warn!("no connection can be accepted for a moment: {error}");
        tokio::time::sleep(NO_ROOM).await;
    }
}

#[cfg(test)]
mod tests {
    use super::TOO_MANY;
    use crate::farm::wire::Problem;

    #[test]
    fn the_answer_to_a_connection_too_many_is_one() {
        let (head, body) = TOO_MANY.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{}", body.len());
        let problem: Problem = serde_json::from_str(body).unwrap();
        assert_eq!((problem.status, problem.code.as_str()), (503, "unavailable"));
    }
}
