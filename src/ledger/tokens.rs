//! The table of tokens: who may ask, by the digest of their bearer.

use rusqlite::{OptionalExtension, Row, Transaction, named_params};
use subtle::ConstantTimeEq;

use super::{parsed, unreadable};
use crate::error::{Code, Error, Result};
use crate::model::{Timestamp, Token, TokenName, USE_GRAIN, nearest};

const COLUMNS: &str = "name, is_admin, scope, ip_cidrs, created_at, expires_at, revoked_at, last_used_at";

/// Adds a token, or gives a name whose token is over a new one. A name that is active is a conflict.
pub fn mint(tx: &Transaction<'_>, token: &Token, digest: &[u8; 32]) -> Result<()> {
    if let Some(old) = named(tx, &token.name)?
        && old.is_active(token.created_at)
    {
        return Err(Error::new(Code::Conflict, format!("there is an active token {} already", token.name))
            .hint(format!("choose another name, or revoke that one first: `crafting token revoke {}`", token.name)));
    }
    let cidrs = serde_json::to_string(&token.ip_cidrs).map_err(|error| unreadable("addresses", error))?;
    let sql = "INSERT OR REPLACE INTO tokens (name, digest, is_admin, scope, ip_cidrs, created_at, expires_at, \
               revoked_at, last_used_at) VALUES (:name, :digest, :is_admin, :scope, :ip_cidrs, :created_at, \
               :expires_at, NULL, NULL)";
    tx.execute(
        sql,
        named_params! {
            ":name": token.name.as_str(),
            ":digest": digest,
            ":is_admin": token.is_admin,
            ":scope": token.scope.as_str(),
            ":ip_cidrs": cidrs,
            ":created_at": token.created_at.as_millis(),
            ":expires_at": token.expires_at.map(Timestamp::as_millis),
        },
    )?;
    Ok(())
}

/// Every token, by name; those that are over too.
pub fn list(tx: &Transaction<'_>) -> Result<Vec<Token>> {
    let sql = format!("SELECT {COLUMNS} FROM tokens ORDER BY name");
    let mut statement = tx.prepare_cached(&sql)?;
    parsed(statement.query_map([], |row| Ok(read(row)))?)
}

/// The token of that name, or an error that offers the nearest one.
pub fn get(tx: &Transaction<'_>, name: &TokenName) -> Result<Token> {
    match named(tx, name)? {
        Some(token) => Ok(token),
        None => {
            let names: Vec<String> =
                tx.prepare("SELECT name FROM tokens")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let hint = match nearest(name.as_str(), names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => "`crafting token list` shows every token".to_owned(),
            };
            Err(Error::not_found(format!("there is no token {name}")).hint(hint))
        }
    }
}

/// The token whose bearer has this digest, active or not.
pub fn find(tx: &Transaction<'_>, digest: &[u8; 32]) -> Result<Option<Token>> {
    let sql = format!("SELECT {COLUMNS}, digest FROM tokens WHERE digest = ?1");
    let row = tx
        .prepare_cached(&sql)?
        .query_row([digest], |row| Ok((row.get::<_, [u8; 32]>("digest")?, read(row))))
        .optional()?;
    match row {
        // The index has found it; this makes nothing of how fast it did.
        Some((kept, token)) if bool::from(kept.ct_eq(digest)) => token.map(Some),
        _ => Ok(None),
    }
}

/// Ends a token. One that was revoked before stays as it is.
pub fn revoke(tx: &Transaction<'_>, name: &TokenName, now: Timestamp) -> Result<Token> {
    let sql = "UPDATE tokens SET revoked_at = ?2 WHERE name = ?1 AND revoked_at IS NULL";
    tx.execute(sql, (name.as_str(), now.as_millis()))?;
    get(tx, name)
}

/// Whether there is an active administrator's token, other than the one of that name.
pub fn any_admin(tx: &Transaction<'_>, but: Option<&TokenName>, now: Timestamp) -> Result<bool> {
    let admins = list(tx)?;
    Ok(admins.iter().any(|token| token.is_admin && token.is_active(now) && Some(&token.name) != but))
}

/// Notes that a token is used, unless that was noted a moment ago.
pub fn used(tx: &Transaction<'_>, digest: &[u8; 32], now: Timestamp) -> Result<()> {
    let sql = "UPDATE tokens SET last_used_at = ?2 WHERE digest = ?1 AND coalesce(last_used_at <= ?3, TRUE)";
    tx.prepare_cached(sql)?.execute((digest, now.as_millis(), now.before(USE_GRAIN).as_millis()))?;
    Ok(())
}

fn named(tx: &Transaction<'_>, name: &TokenName) -> Result<Option<Token>> {
    let sql = format!("SELECT {COLUMNS} FROM tokens WHERE name = ?1");
    tx.prepare_cached(&sql)?.query_row([name.as_str()], |row| Ok(read(row))).optional()?.transpose()
}

fn read(row: &Row<'_>) -> Result<Token> {
    let bad = |error: Error| unreadable("a token", error);
    let time = |column: &str| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis));
    Ok(Token {
        name: row.get::<_, String>("name")?.parse().map_err(bad)?,
        is_admin: row.get("is_admin")?,
        scope: row.get::<_, String>("scope")?.parse().map_err(bad)?,
        ip_cidrs: serde_json::from_str(&row.get::<_, String>("ip_cidrs")?)
            .map_err(|error| unreadable("a token's addresses", error))?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        expires_at: time("expires_at")?,
        revoked_at: time("revoked_at")?,
        last_used_at: time("last_used_at")?,
    })
}
