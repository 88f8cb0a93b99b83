//! Who asks: tokens, and what they may.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::named::by_name;
use super::{Timestamp, TokenName};
use crate::error::{Code, Error, Result};

/// What a token may do with what it sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenScope {
    /// Look.
    Read,
    /// Look and change.
    #[default]
    Write,
}

impl TokenScope {
    /// Every scope.
    pub const ALL: [Self; 2] = [Self::Read, Self::Write];

    /// The name in JSON, SQL and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

by_name!(TokenScope, "a scope");

/// A range of addresses: `10.0.0.0/8`, `::1/128`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "10.0.0.0/8")]
pub struct Cidr(IpNet);

impl Cidr {
    /// Whether an address is in it. An IPv4 address that came in IPv6's clothes is taken out of them first.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Cidr {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        net.map(|net| Self(net.trunc())).map_err(|_| {
            Error::invalid(format!("{text:?} is not a range of addresses"))
                .hint("write it as 10.0.0.0/8, 192.168.1.7 or fd00::/8")
        })
    }
}

impl TryFrom<String> for Cidr {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> String {
        cidr.to_string()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

/// What a caller shows to be let in: `ct_` and 32 random bytes in base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct Bearer(String);

impl Bearer {
    const PREFIX: &str = "ct_";
    const BYTES: usize = 32;

    /// A new random one.
    pub fn random() -> Result<Self> {
        let mut bytes = [0_u8; Self::BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::new(Code::Io, format!("the system gave no random bytes: {error}")))?;
        Ok(Self(format!("{}{}", Self::PREFIX, URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// The bearer itself, for the one place that needs it: the request's header, or the terminal that it is shown on.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the ledger keeps of it.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl FromStr for Bearer {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let bytes = text.strip_prefix(Self::PREFIX).and_then(|rest| URL_SAFE_NO_PAD.decode(rest).ok());
        match bytes {
            Some(bytes) if bytes.len() == Self::BYTES => Ok(Self(text.to_owned())),
            // The text is not repeated: it may be a bearer with a typo.
            _ => Err(Error::invalid("that is not a bearer").hint("a bearer begins with ct_ and has 46 characters")),
        }
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(…)")
    }
}

/// A bearer's row: everything about it but the bearer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Its name, which owns projects: a new bearer under the same name has them too.
    pub name: TokenName,
    /// Whether it sees everything and may mint others.
    pub is_admin: bool,
    /// What it may do.
    pub scope: TokenScope,
    /// From where it may be used; empty: from wherever the server answers at all.
    pub ip_cidrs: Vec<Cidr>,
    /// When it was minted.
    pub created_at: Timestamp,
    /// When it stops; null: never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// How exactly a token's last use is known: a write for each request would be too many.
pub const USE_GRAIN: Duration = Duration::from_secs(60);

impl Token {
    /// Whether a use at that time has to be noted.
    pub fn is_use_news(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|last| now.since(last) >= USE_GRAIN)
    }

    /// Whether its bearer is good at that time.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Who asks a farm for something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The token's name; none: somebody at this machine's terminal.
    pub token: Option<TokenName>,
    /// Whether they see what others own.
    pub is_admin: bool,
    /// Where they are, if not at this machine's terminal.
    pub address: Option<IpAddr>,
}

impl Caller {
    /// Somebody at this machine's terminal, whose files all of it are.
    pub fn terminal() -> Self {
        Self { token: None, is_admin: true, address: None }
    }

    /// The only owner whose things they see; none: they see everything.
    pub fn only_sees(&self) -> Option<&TokenName> {
        self.token.as_ref().filter(|_| !self.is_admin)
    }

    /// Whether they see what belongs to `owner`.
    pub fn sees(&self, owner: Option<&TokenName>) -> bool {
        self.only_sees().is_none_or(|own| owner == Some(own))
    }
}
