//! Requests to the server, and what its refusals mean.

use std::sync::Once;
use std::time::Duration;

use bytes::BytesMut;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Code, Error, Result, plain};
use crate::farm::wire::Problem;
use crate::model::{Bearer, ServerUrl};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A way to one server.
#[derive(Clone)]
pub(super) struct Transport {
    client: Client,
    server: ServerUrl,
    bearer: Option<Bearer>,
}

impl Transport {
    pub(super) fn new(server: ServerUrl, bearer: Option<Bearer>) -> Result<Self> {
        static PROVIDER: Once = Once::new();
        // One that is installed already will do.
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let client = Client::builder()
            .user_agent(concat!("crafting/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirect to another host would carry the bearer there.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::new(Code::ServerUnreachable, format!("cannot set up HTTP: {error}")))?;
        Ok(Self { client, server, bearer })
    }

    /// Where it leads.
    pub(super) fn url(&self) -> &ServerUrl {
        &self.server
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &impl Serialize) -> Result<T> {
        self.answer(self.request(Method::GET, path).query(query)).await
    }

    pub(super) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let request = self.client.request(method, self.server.join(path));
        match &self.bearer {
            Some(bearer) => request.bearer_auth(bearer.expose()),
            None => request,
        }
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        let response = self.send(request).await?;
        let bytes = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&bytes).map_err(|error| self.foreign(&error.to_string()))
    }

    /// Sends a request that does no more when it comes twice, and sends it again if the connection broke on the way.
    pub(super) async fn answer_to_repeatable<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        let again = request.try_clone();
        match (self.answer(request).await, again) {
            (Err(error), Some(again)) if error.code() == Code::ServerUnreachable => self.answer(again).await,
            (answer, _) => answer,
        }
    }

    /// Sends a request; an answer that refuses it is an error as the server meant it.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => Err(problem.into()),
            Err(_) => Err(self.foreign(&format!("it answered {status}"))),
        }
    }

    pub(super) fn unreachable(&self, error: &reqwest::Error) -> Error {
        // The innermost cause says what happened; the outer ones repeat the address.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Error::new(Code::ServerUnreachable, format!("cannot reach {}: {}", self.server, plain(cause)))
            .hint("check --server or CRAFTING_URL, and that `crafting serve` runs there")
    }

    pub(super) fn foreign(&self, why: &str) -> Error {
        Error::new(Code::ServerUnreachable, format!("{} does not answer as crafting does: {why}", self.server))
            .hint("check --server or CRAFTING_URL, and what stands between; the server may be of another version")
    }
}

/// An answer that comes a line at a time.
pub(super) struct Lines {
    server: Transport,
    response: Response,
    bytes: BytesMut,
    longest: usize,
}

impl Lines {
    /// Of this answer, none of whose lines has more than `longest` bytes.
    pub(super) fn new(server: Transport, response: Response, longest: usize) -> Self {
        Self { server, response, bytes: BytesMut::new(), longest }
    }

    /// The next line, with its end; none: that was the last one.
    pub(super) async fn next(&mut self) -> Result<Option<BytesMut>> {
        let mut searched = 0;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.bytes[searched..]) {
                return Ok(Some(self.bytes.split_to(searched + at + 1)));
            }
            searched = self.bytes.len();
            if searched > self.longest {
                return Err(self.server.foreign("a line of its answer is too long"));
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.bytes.extend_from_slice(&chunk),
                Ok(None) if self.bytes.is_empty() => return Ok(None),
                Ok(None) => return Err(self.broken()),
                Err(error) => return Err(self.server.unreachable(&error)),
            }
        }
    }

    /// A line as what it is meant to be.
    pub(super) fn read<T: DeserializeOwned>(&self, line: &[u8]) -> Result<T> {
        serde_json::from_slice(line).map_err(|error| self.server.foreign(&error.to_string()))
    }

    /// The answer ended before its end.
    pub(super) fn broken(&self) -> Error {
        Error::new(Code::ServerUnreachable, format!("the answer of {} broke off", self.server.server))
            .hint("try again; the server may have been stopped meanwhile")
    }
}
