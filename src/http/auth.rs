//! Who asks: from a request's bearer and address to a [`Caller`], and so to the farm as that caller sees it.
//!
//! [`admit`] stands before every route. It refuses in an order that tells a stranger nothing: first by the address,
//! then for want of a bearer, and only a known caller learns what it may not do.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::access::Signed;
use super::address;
use super::known::{Known, Recognised};
use super::limits::{Bucket, Limits, Verdict};
use super::problem::Refusal;
use super::router::{App, FOR_EVERYBODY};
use crate::config::Settings;
use crate::error::{Code, Error};
use crate::farm::LocalFarm;
use crate::model::{Bearer, Caller, Cidr, Timestamp, TokenScope};

/// The farm as the caller of this request sees it. A route that takes it is for callers with a bearer.
pub(crate) struct Asked(pub(crate) LocalFarm);

/// The same, where the caller is an administrator. It comes first among a route's arguments, so that nobody else
/// learns what is wrong with the others.
pub(crate) struct AskedByAdmin(pub(crate) LocalFarm);

/// What [`admit`] goes by.
pub(super) struct Door {
    /// Who is answered at all.
    lan: Vec<Cidr>,
    proxies: Vec<Cidr>,
    known: Known,
    limits: Limits,
}

impl Door {
    pub(super) fn new(farm: LocalFarm) -> Self {
        let Settings { lan_cidrs, trusted_proxies, .. } = farm.settings();
        Self {
            lan: lan_cidrs.value.clone(),
            proxies: trusted_proxies.value.clone(),
            limits: Limits::new(farm.settings()),
            known: Known::new(farm),
        }
    }

    /// Who asks; none: the route is for everybody. `verdict` is how their bucket stands, if it came to that.
    async fn caller(&self, request: &Parts, verdict: &mut Verdict) -> Result<Option<Caller>, Refusal> {
        let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let peer = peer.ok_or_else(|| Error::new(Code::Io, "the connection's other end was not noted"))?;
        let address = address::of_caller(peer, &request.headers, &self.proxies)?;
        if !self.lan.iter().any(|range| range.contains(address)) {
            return Err(Error::new(Code::Forbidden, format!("{address} is not let in"))
                .hint("the server's setting CRAFTING_LAN_CIDRS says who is")
                .into());
        }
        if is_for_everybody(request) {
            *verdict = self.limits.ask(Bucket::Address(address));
            verdict.enforce()?;
            return Ok(None);
        }
        let token = match bearer(&request.headers) {
            Some(bearer) => self.known.recognise(&bearer).await?,
            None => None,
        };
        let now = Timestamp::now();
        let Some(recognised) = token.filter(|recognised| recognised.token.is_active(now)) else {
            *verdict = self.limits.fail(address);
            verdict.enforce()?;
            return Err(stranger());
        };
        let Recognised { token, digest, .. } = recognised.as_ref();
        *verdict = self.limits.ask(Bucket::Token(*digest));
        verdict.enforce()?;
        if !token.ip_cidrs.is_empty() && !token.ip_cidrs.iter().any(|range| range.contains(address)) {
            return Err(Error::new(Code::Forbidden, format!("this token may not be used from {address}"))
                .hint("an administrator can mint one that may: `crafting token mint NAME --cidr …`")
                .into());
        }
        let looks = matches!(request.method, Method::GET | Method::HEAD);
        if token.scope == TokenScope::Read && !looks {
            return Err(Error::new(Code::Forbidden, "this token may only look")
                .hint("use one whose scope is write")
                .into());
        }
        self.known.note_use(&recognised, now);
        Ok(Some(Caller { token: Some(token.name.clone()), is_admin: token.is_admin, address: Some(address) }))
    }
}

/// Lets a request through to its route, or not.
pub(super) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut verdict = Verdict::default();
    let mut response = match app.door.caller(&parts, &mut verdict).await {
        Ok(None) => next.run(Request::from_parts(parts, body)).await,
        Ok(Some(caller)) => {
            if let (Some(asker), Some(token)) = (parts.extensions.get::<Signed>(), &caller.token) {
                asker.is(token);
            }
            parts.extensions.insert(Arc::new(caller));
            let mut response = next.run(Request::from_parts(parts, body)).await;
            // What one caller sees is not for a cache that others ask.
            response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            response
        }
        Err(refusal) => refusal.into_response(),
    };
    verdict.tell(response.headers_mut());
    response
}

impl FromRequestParts<App> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        // A route that was let through without a caller has no business with the farm's.
        let caller = parts.extensions.get::<Arc<Caller>>().ok_or_else(stranger)?;
        Ok(Self(app.farm.as_caller(Caller::clone(caller))))
    }
}

impl FromRequestParts<App> for AskedByAdmin {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let Asked(farm) = Asked::from_request_parts(parts, app).await?;
        farm.wants_administrator()?;
        Ok(Self(farm))
    }
}

/// The bearer that a request shows: one, well-formed, in the one header for it.
fn bearer(headers: &HeaderMap) -> Option<Bearer> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") { rest.trim().parse().ok() } else { None }
}

/// Whether the route is one of those that need no bearer; what leads nowhere needs one.
fn is_for_everybody(request: &Parts) -> bool {
    let path = request.extensions.get::<MatchedPath>();
    path.is_some_and(|path| FOR_EVERYBODY.contains(&path.as_str()))
}

/// One answer, whatever is wrong with the bearer.
fn stranger() -> Refusal {
    Refusal::from(
        Error::new(Code::Unauthorized, "there is no valid bearer with the request")
            .hint("show one by --token or CRAFTING_TOKEN; an administrator mints it: `crafting token mint NAME`"),
    )
    .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
