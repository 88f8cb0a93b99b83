//! Who asks: from a request's bearer and address to a [`Caller`], and so to the farm as that caller sees it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::problem::Refusal;
use super::router::App;
use crate::farm::LocalFarm;
use crate::model::Caller;

/// The farm as the caller of this request sees it. A route that takes it is for callers with a bearer.
pub(super) struct Asked(pub(super) LocalFarm);

impl FromRequestParts<App> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(_parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        Ok(Self(app.farm.as_caller(Caller::terminal())))
    }
}
