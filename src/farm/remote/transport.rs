//! Requests to the server, and what its refusals mean.

use std::sync::Once;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Code, Error, Result};
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
        Error::new(Code::ServerUnreachable, format!("cannot reach {}: {cause}", self.server))
            .hint("check --server or CRAFTING_URL, and that `crafting serve` runs there")
    }

    pub(super) fn foreign(&self, why: &str) -> Error {
        Error::new(Code::ServerUnreachable, format!("{} does not answer as crafting does: {why}", self.server))
            .hint("check --server or CRAFTING_URL, and what stands between; the server may be of another version")
    }
}
