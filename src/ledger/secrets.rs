//! The table of secrets. What is in it is sealed; this room cannot open it.

use rusqlite::{OptionalExtension, Transaction, named_params};

use super::{parsed, unreadable};
use crate::error::{Error, Result};
use crate::model::{ProjectName, Secret, SecretName, Timestamp, nearest};

/// Keeps a sealed value under its name, in place of the one before.
pub fn set(tx: &Transaction<'_>, secret: &Secret, sealed: &[u8]) -> Result<()> {
    let sql = "INSERT INTO secrets (project, name, sealed, updated_at) VALUES (:project, :name, :sealed, :updated_at) \
               ON CONFLICT (project, name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at";
    tx.execute(
        sql,
        named_params! {
            ":project": secret.project.as_str(),
            ":name": secret.name.as_str(),
            ":sealed": sealed,
            ":updated_at": secret.updated_at.as_millis(),
        },
    )?;
    Ok(())
}

/// The secrets of a project, by name.
pub fn list(tx: &Transaction<'_>, project: &ProjectName) -> Result<Vec<Secret>> {
    let mut statement = tx.prepare_cached("SELECT name, updated_at FROM secrets WHERE project = ?1 ORDER BY name")?;
    parsed(statement.query_map([project.as_str()], |row| {
        let (name, updated_at) = (row.get::<_, String>(0)?, Timestamp::from_millis(row.get(1)?));
        let name = name.parse().map_err(|error: Error| unreadable("a secret", error));
        Ok(name.map(|name| Secret { project: project.clone(), name, updated_at }))
    })?)
}

/// What is sealed under a name, if anything is.
pub fn sealed(tx: &Transaction<'_>, project: &ProjectName, name: &SecretName) -> Result<Option<Vec<u8>>> {
    let mut statement = tx.prepare_cached("SELECT sealed FROM secrets WHERE project = ?1 AND name = ?2")?;
    Ok(statement.query_row([project.as_str(), name.as_str()], |row| row.get(0)).optional()?)
}

/// Whether anything is sealed at all.
pub fn any(tx: &Transaction<'_>) -> Result<bool> {
    Ok(tx.query_row("SELECT EXISTS (SELECT 1 FROM secrets)", [], |row| row.get(0))?)
}

/// Removes a secret, as it was.
pub fn remove(tx: &Transaction<'_>, project: &ProjectName, name: &SecretName) -> Result<Secret> {
    let sql = "DELETE FROM secrets WHERE project = ?1 AND name = ?2 RETURNING updated_at";
    let gone: Option<i64> = tx.query_row(sql, [project.as_str(), name.as_str()], |row| row.get(0)).optional()?;
    if let Some(updated_at) = gone {
        let updated_at = Timestamp::from_millis(updated_at);
        return Ok(Secret { project: project.clone(), name: name.clone(), updated_at });
    }
    let known = list(tx, project)?;
    let hint = match nearest(name.as_str(), known.iter().map(|secret| secret.name.as_str())) {
        Some(near) => format!("did you mean {near}?"),
        None => "`crafting secret list` shows every secret".to_owned(),
    };
    Err(Error::not_found(format!("the project {project} has no secret {name}")).hint(hint))
}
