//! Looking the ledger over, and copying it while it is in use.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::{Ledger, explain};
use crate::error::{Code, Error, IoContext, Result};

/// Pages copied in one go; writers get in between two.
const BACKUP_PAGES: i32 = 1024;

impl Ledger {
    /// What is wrong, one sentence each; empty if the ledger is sound.
    pub fn check(&self) -> Result<Vec<String>> {
        self.read(|tx| {
            let mut faults: Vec<String> = Vec::new();
            let mut statement = tx.prepare("PRAGMA integrity_check")?;
            for row in statement.query_map([], |row| row.get::<_, String>(0))? {
                let text = row?;
                if text != "ok" {
                    faults.push(text);
                }
            }
            let mut statement = tx.prepare("PRAGMA foreign_key_check")?;
            let broken = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(2)?)))?;
            for row in broken {
                let (table, parent) = row?;
                faults.push(format!("a row of {table} refers to a row of {parent} that is not there"));
            }
            Ok(faults)
        })
    }

    /// Writes a consistent copy to `target` while the ledger is in use. An existing file is a conflict: a backup
    /// must not overwrite an older one by mistake.
    pub fn backup(&self, target: &Path) -> Result<()> {
        if target.exists() {
            return Err(Error::new(Code::Conflict, format!("{} exists already", target.display()))
                .hint("give a new file name, such as one with today's date"));
        }
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // Written beside and renamed, so that the target is either a whole copy or not there.
        let beside = tempfile::Builder::new()
            .prefix(".ledger-backup-")
            .tempfile_in(folder)
            .on("write the backup into", folder)?;
        self.read(|source| {
            let mut copy = Connection::open(beside.path()).map_err(|error| explain(beside.path(), error))?;
            let backup = Backup::new(source, &mut copy)?;
            backup.run_to_completion(BACKUP_PAGES, Duration::ZERO, None)?;
            Ok(())
        })?;
        beside.as_file().sync_all().on("write", target)?;
        beside.persist_noclobber(target).map_err(|error| error.error).on("write", target)?;
        Ok(())
    }
}
