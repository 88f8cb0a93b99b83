//! The table of requests that may come twice, and what they came to the first time.

use rusqlite::{OptionalExtension, Transaction, named_params};

use super::unreadable;
use crate::error::Result;
use crate::model::{BatchId, Caller, IdempotencyKey, ProjectName, Timestamp};

/// A request as it is recognised: who asked, under which key, for what.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who asked: a key is theirs alone.
    pub caller: &'a Caller,
    /// Under which key.
    pub key: &'a IdempotencyKey,
    /// SHA-256 of what was asked for.
    pub digest: &'a [u8; 32],
}

/// What a request came to.
#[derive(Clone, Debug)]
pub struct Came {
    /// Whether it was for the same thing.
    pub same: bool,
    /// The jobs that it queued.
    pub batch: BatchId,
    /// What the asker was told besides.
    pub notes: Vec<String>,
}

fn name(caller: &Caller) -> &str {
    caller.token.as_ref().map_or("", |name| name.as_str())
}

/// What a request under this key came to, if there was one at `since` or later.
pub fn find(tx: &Transaction<'_>, asked: &Asked<'_>, since: Timestamp) -> Result<Option<Came>> {
    let sql = "SELECT digest, batch_id, notes FROM requests WHERE caller = ?1 AND key = ?2 AND at >= ?3";
    let row = tx
        .prepare_cached(sql)?
        .query_row((name(asked.caller), asked.key.as_str(), since.as_millis()), |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })
        .optional()?;
    let Some((digest, batch, notes)) = row else { return Ok(None) };
    Ok(Some(Came {
        same: digest == asked.digest,
        batch: batch.parse().map_err(|error| unreadable("a request", error))?,
        notes: serde_json::from_str(&notes).map_err(|error| unreadable("a request", error))?,
    }))
}

/// Notes what a request came to, and forgets those from before `since`.
pub fn keep(
    tx: &Transaction<'_>,
    asked: &Asked<'_>,
    (project, batch, notes): (&ProjectName, &BatchId, &[String]),
    now: Timestamp,
    since: Timestamp,
) -> Result<()> {
    let notes = serde_json::to_string(notes).map_err(|error| unreadable("a request", error))?;
    tx.prepare_cached("DELETE FROM requests WHERE at < ?1")?.execute([since.as_millis()])?;
    tx.prepare_cached(
        "INSERT INTO requests (caller, key, digest, project, batch_id, notes, at) \
         VALUES (:caller, :key, :digest, :project, :batch, :notes, :at)",
    )?
    .execute(named_params! {
        ":caller": name(asked.caller),
        ":key": asked.key.as_str(),
        ":digest": asked.digest,
        ":project": project.as_str(),
        ":batch": batch.as_str(),
        ":notes": notes,
        ":at": now.as_millis(),
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::jobs::samples::ledger;
    use super::*;

    #[test]
    fn a_key_is_its_callers_alone_and_for_a_time() {
        let (_folder, ledger) = ledger();
        let (one, key) = (Caller::terminal(), IdempotencyKey::random().unwrap());
        let other = Caller { token: Some("other".parse().unwrap()), ..Caller::terminal() };
        let asked = Asked { caller: &one, key: &key, digest: &[1; 32] };
        let (batch, now) = (BatchId::random().unwrap(), Timestamp::now());
        let project = "a".parse().unwrap();
        let store =
            |at, since| ledger.write(|tx| keep(tx, &asked, (&project, &batch, &["note".to_owned()]), at, since));
        store(now, now).unwrap();
        let look = |asked: &Asked<'_>, since| ledger.read(|tx| find(tx, asked, since)).unwrap();
        let came = look(&asked, now).unwrap();
        assert_eq!((came.same, came.batch, came.notes), (true, batch.clone(), vec!["note".to_owned()]));
        assert!(!look(&Asked { digest: &[2; 32], ..asked }, now).unwrap().same);
        assert!(look(&Asked { caller: &other, ..asked }, now).is_none());
        let later = now.after(Duration::from_secs(1));
        assert!(look(&asked, later).is_none());
        // What is forgotten makes room for the same key.
        store(later, later).unwrap();
        assert!(look(&asked, later).unwrap().same);
    }
}
