//! Tokens: who may ask this farm over HTTP.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::visible::View;
use super::{LocalFarm, Minted, NewToken};
use crate::error::{Code, Error, IoContext as _, Result};
use crate::ledger::events::{self, Act};
use crate::ledger::{Transaction, tokens};
use crate::model::{Action, Bearer, Caller, Timestamp, Token, TokenName, TokenScope};
use crate::runner::Rooms;

/// Where the first administrator's bearer is left, in the data directory.
const FIRST_BEARER: &str = "admin-bearer.txt";
/// The same until the ledger knows its token.
const UNFINISHED: &str = "admin-bearer.txt.new";

/// What [`LocalFarm::first_admin`] found or did.
#[derive(Debug, PartialEq, Eq)]
pub enum FirstAdmin {
    /// There is an administrator's token; nothing was done.
    There,
    /// The first one was minted into this file.
    Minted(PathBuf),
    /// This file has a bearer that is not, or no longer, an administrator's; nothing was done.
    Stale {
        /// The file.
        path: PathBuf,
        /// Whether somebody else is an administrator.
        others: bool,
    },
}

impl LocalFarm {
    /// Mints the token `admin` into `admin-bearer.txt` in the data directory, unless there is an administrator's token
    /// or such a file. Whoever reads that file can mint the others.
    pub async fn first_admin(&self) -> Result<FirstAdmin> {
        self.blocking(first_admin).await
    }

    /// Differs after every change of the ledger, by whatever process.
    pub fn ledger_mark(&self) -> Result<u64> {
        self.rooms.ledger.mark()
    }

    /// The token whose bearer has this digest, active or not.
    pub async fn token(&self, digest: [u8; 32]) -> Result<Option<Token>> {
        self.blocking(move |rooms| rooms.ledger.read(|tx| tokens::find(tx, &digest))).await
    }

    /// Notes that a token is used now.
    pub async fn token_used(&self, digest: [u8; 32]) -> Result<()> {
        self.blocking(move |rooms| rooms.ledger.write(|tx| tokens::used(tx, &digest, Timestamp::now()))).await
    }
}

pub(super) fn mint(view: &View, new: NewToken) -> Result<Minted> {
    let now = Timestamp::now();
    if new.expires_at.is_some_and(|expires| expires <= now) {
        return Err(Error::invalid("the token would be expired from the beginning")
            .hint("give an end in the future, or none for a token that stays"));
    }
    let minted = fresh(new, now)?;
    view.write(|seen| {
        tokens::mint(seen.tx, &minted.token, &minted.bearer.digest())?;
        let act = Act::new(Action::TokenMint, minted.token.name.as_str());
        seen.record(if minted.token.is_admin { act.told("an administrator") } else { act })
    })?;
    Ok(minted)
}

/// Revokes a token. The last administrator's goes only from this machine's terminal, which can mint another.
pub(super) fn revoke(tx: &Transaction<'_>, name: &TokenName, from_terminal: bool) -> Result<Token> {
    let now = Timestamp::now();
    let token = tokens::get(tx, name)?;
    if !from_terminal && token.is_admin && token.is_active(now) && !tokens::any_admin(tx, Some(name), now)? {
        return Err(Error::new(Code::Conflict, format!("{name} is the last administrator's token"))
            .hint("mint another one first, or revoke it on the server's own terminal"));
    }
    tokens::revoke(tx, name, now)
}

fn fresh(new: NewToken, now: Timestamp) -> Result<Minted> {
    let NewToken { name, is_admin, scope, ip_cidrs, expires_at } = new;
    let token =
        Token { name, is_admin, scope, ip_cidrs, created_at: now, expires_at, revoked_at: None, last_used_at: None };
    Ok(Minted { token, bearer: Bearer::random()? })
}

fn first_admin(rooms: &Rooms) -> Result<FirstAdmin> {
    let data = &rooms.settings.data_dir.value;
    let (path, unfinished) = (data.join(FIRST_BEARER), data.join(UNFINISHED));
    // The ledger's lock keeps out another server that starts on the same data.
    let outcome = rooms.ledger.write(|tx| {
        let now = Timestamp::now();
        // Of a start that was killed half-way: the ledger decides whether it counts.
        if let Some(bearer) = held(&unfinished)?
            && is_admins(tx, &bearer, now)?
        {
            return Ok(FirstAdmin::Minted(path.clone()));
        }
        let others = tokens::any_admin(tx, None, now)?;
        match (path.try_exists().on("look for", &path)?, others) {
            (true, others) => match held(&path)? {
                Some(bearer) if is_admins(tx, &bearer, now)? => Ok(FirstAdmin::There),
                _ => Ok(FirstAdmin::Stale { path: path.clone(), others }),
            },
            (false, true) => Ok(FirstAdmin::There),
            (false, false) => {
                let new = NewToken {
                    name: "admin".parse()?,
                    is_admin: true,
                    scope: TokenScope::Write,
                    ip_cidrs: Vec::new(),
                    expires_at: None,
                };
                let minted = fresh(new, now)?;
                write_secretly(&unfinished, &format!("{}\n", minted.bearer.expose()))?;
                tokens::mint(tx, &minted.token, &minted.bearer.digest())?;
                let act = Act::new(Action::TokenMint, minted.token.name.as_str()).told("the first administrator");
                events::record(tx, &Caller::terminal(), act)?;
                Ok(FirstAdmin::Minted(path.clone()))
            }
        }
    })?;
    // Only now does the ledger know the bearer for good.
    if matches!(outcome, FirstAdmin::Minted(_)) {
        match fs::rename(&unfinished, &path) {
            // Another server that starts has done it.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            other => other.on("rename", &unfinished)?,
        }
        File::open(data).and_then(|folder| folder.sync_all()).on("write", data)?;
    }
    Ok(outcome)
}

fn is_admins(tx: &Transaction<'_>, bearer: &Bearer, now: Timestamp) -> Result<bool> {
    Ok(tokens::find(tx, &bearer.digest())?.is_some_and(|token| token.is_admin && token.is_active(now)))
}

/// The bearer in a file, if both are there.
fn held(path: &Path) -> Result<Option<Bearer>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => Ok(None),
        Err(error) => Err(error).on("read", path),
    }
}

/// Writes a new file that nobody else may read, for good.
fn write_secretly(path: &Path, text: &str) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).on("remove", path),
        _ => {}
    }
    let write = || {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().on("write", path)
}
