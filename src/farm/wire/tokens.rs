//! `/admin/tokens`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Result;
use crate::farm::{Minted, NewToken};
use crate::model::{Cidr, Timestamp, Token, TokenName, TokenScope};

/// The body of `POST /admin/tokens`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MintRequest {
    /// Its name, which owns projects.
    pub name: TokenName,
    /// Whether it sees everything and may mint others.
    #[serde(default)]
    pub is_admin: bool,
    /// What it may do.
    #[serde(default)]
    pub scope: TokenScope,
    /// From where it may be used; empty: from wherever the server answers at all.
    #[serde(default)]
    pub ip_cidrs: Vec<Cidr>,
    /// When it stops; without: never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

impl From<NewToken> for MintRequest {
    fn from(new: NewToken) -> Self {
        let NewToken { name, is_admin, scope, ip_cidrs, expires_at } = new;
        Self { name, is_admin, scope, ip_cidrs, expires_at }
    }
}

impl From<MintRequest> for NewToken {
    fn from(request: MintRequest) -> Self {
        let MintRequest { name, is_admin, scope, ip_cidrs, expires_at } = request;
        Self { name, is_admin, scope, ip_cidrs, expires_at }
    }
}

/// The answer of `POST /admin/tokens`. It cannot be shown by `{:?}`: it holds the bearer.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct MintAnswer {
    /// Always true.
    pub ok: bool,
    /// The token.
    pub token: Token,
    /// Its bearer. Nobody can ask for it again.
    #[schema(example = "ct_4b1dVnqYzFGmJk0sC8wPpXh2oT7uRaLe5iQxNy9ZcAw", pattern = "^ct_[A-Za-z0-9_-]{43}$")]
    pub bearer: String,
}

impl From<Minted> for MintAnswer {
    fn from(minted: Minted) -> Self {
        Self { ok: true, token: minted.token, bearer: minted.bearer.expose().to_owned() }
    }
}

impl TryFrom<MintAnswer> for Minted {
    type Error = crate::error::Error;
    fn try_from(answer: MintAnswer) -> Result<Self> {
        Ok(Self { token: answer.token, bearer: answer.bearer.parse()? })
    }
}

/// The answer of `GET /admin/tokens`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokensAnswer {
    /// Always true.
    pub ok: bool,
    /// By name; those that are over too.
    pub tokens: Vec<Token>,
}

/// The answer of `DELETE /admin/tokens/{name}`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenAnswer {
    /// Always true.
    pub ok: bool,
    /// The token as it is now.
    pub token: Token,
}
