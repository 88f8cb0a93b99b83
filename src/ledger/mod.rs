//! The SQLite database: opened, migrated, written by one connection and read by several.
//!
//! Every statement of the program is in this folder, one file per table, with typed rows in and out. This room knows
//! nothing of git, processes or files other than its own.

mod check;
pub mod events;
pub mod findings;
pub mod jobs;
pub mod projects;
pub mod queue;
pub mod requests;
pub mod secrets;
pub mod selection;
pub mod suppressions;
pub mod tokens;
mod within;

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
pub use rusqlite::Transaction;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

pub use self::within::Within;
use crate::changes::Place;
use crate::error::{Code, Error, IoContext, Result};

mod embedded {
    refinery::embed_migrations!("src/ledger/migrations");
}

/// The ledger's file name in the data directory.
pub const FILE: &str = "ledger.db";

/// Written to after every commit, so that others are told of it: eight bytes that were never there before. The database's own files will not do: a reader that
/// the kernel wakes for a write to them may look a moment before what was written counts as committed.
const CHANGED: &str = "ledger.changed";

/// How long a statement waits for another process's transaction. Those take milliseconds; this is for a machine
/// that is stuck.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of a page in a new ledger. A finding with its tool's record is some KiB; in pages of SQLite's usual 4 KiB each
/// would take two or three, and a write for each.
const PAGE_BYTES: u32 = 8 << 10;
/// KiB of pages that the writer keeps in memory: the findings' index grows everywhere at once.
const WRITER_CACHE: i32 = 8 << 10;
/// Pages of the write-ahead log that are brought to their places together: the 4 MB that SQLite has by itself.
const CHECKPOINT_PAGES: u32 = 500;

/// An open ledger. Cheap to share behind an `Arc`; every call blocks.
pub struct Ledger {
    path: PathBuf,
    changed: File,
    /// What is written to that file next: this process's own numbers.
    next_mark: AtomicU64,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Ledger {
    /// Opens the ledger in `data_dir`, making both if need be, and migrates it to this version's schema.
    ///
    /// A ledger of a newer schema is refused ([`Code::LedgerTooNew`]).
    pub fn open(data_dir: &Path) -> Result<Self> {
        // Logs, sealed secrets and the digests of bearers are nobody else's business.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
        made.on("create the data directory", data_dir).map_err(elsewhere)?;
        let path = data_dir.join(FILE);
        let mut writer = connect(&path)?;
        let latest = embedded::migrations::runner().get_migrations().iter().map(|m| m.version()).max().unwrap_or(0);
        // Migrating takes a lock and some reads; nearly always there is nothing to do.
        if schema_version(&writer).map_err(|error| explain(&path, error))? != Some(latest) {
            migrate(&mut writer, &path, latest)?;
        }
        // Negative, or it would be a number of pages.
        writer.pragma_update(None, "cache_size", -WRITER_CACHE).map_err(|error| explain(&path, error))?;
        let changed = data_dir.join(CHANGED);
        let changed = File::options()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&changed)
            .on("open", &changed)
            .map_err(elsewhere)?;
        let mut first_mark = [0; 8];
        getrandom::fill(&mut first_mark)
            .map_err(|error| Error::new(Code::Io, format!("the system gave no random bytes: {error}")))?;
        let next_mark = AtomicU64::new(u64::from_ne_bytes(first_mark));
        Ok(Self { path, changed, next_mark, writer: Mutex::new(writer), readers: Mutex::new(Vec::new()) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Told of every change that any process writes.
    pub fn changes(&self) -> Place {
        Place::file(&self.path.with_file_name(CHANGED))
    }

    /// Differs after every change that any process writes: as soon as [`Ledger::write`] has returned there, whatever was
    /// read before this call gave another mark may be outdated. Reads eight bytes that the kernel holds in memory.
    pub fn mark(&self) -> Result<u64> {
        let mut mark = [0; 8];
        // A ledger that nobody has written to yet has none.
        self.changed.read_at(&mut mark, 0).on("read", &self.path.with_file_name(CHANGED))?;
        Ok(u64::from_ne_bytes(mark))
    }

    /// Runs `work` as one transaction that holds the write lock from its beginning, so that it cannot fail half-way
    /// on a lock. An error rolls everything back.
    pub fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = lock(&self.writer);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| explain(&self.path, error))?;
        let answer = work(&transaction).map_err(|error| self.placed(error))?;
        transaction.commit().map_err(|error| explain(&self.path, error))?;
        let mark = self.next_mark.fetch_add(1, Ordering::Relaxed);
        // At the beginning each time: the file stays as long as it is, and so needs no space on a full disk.
        if let Err(error) = self.changed.write_all_at(&mark.to_ne_bytes(), 0) {
            tracing::warn!("others are not told of a change in the ledger: {error}");
        }
        Ok(answer)
    }

    /// Runs `work` on one consistent state of the ledger.
    pub fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let spare = lock(&self.readers).pop();
        let mut connection = match spare {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let transaction = connection.transaction().map_err(|error| explain(&self.path, error))?;
        let answer = work(&transaction).map_err(|error| self.placed(error));
        drop(transaction);
        lock(&self.readers).push(connection);
        answer
    }

    /// Statements inside a transaction do not know the file; their errors get it here.
    fn placed(&self, error: Error) -> Error {
        match error.code() {
            Code::LedgerFailed => error.context(format!("the ledger {}", self.path.display())),
            _ => error,
        }
    }
}

/// A data directory that cannot be used can be another one.
fn elsewhere(error: Error) -> Error {
    error.advise("give it space and permissions, or choose another folder with CRAFTING_DATA_DIR")
}

/// A poisoned lock means that another thread panicked; its transaction was rolled back, the connection is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Otherwise the last of several short-lived processes would copy and delete the log at its exit, and the
        // next one would make it again.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
        debug_assert_eq!(mode, "wal");
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.set_prepared_statement_cache_capacity(64);
        selection::register(&connection)?;
        Ok(connection)
    };
    open().map_err(|error| explain(path, error))
}

/// The newest applied migration; `None` in a file without any.
fn schema_version(connection: &Connection) -> rusqlite::Result<Option<i32>> {
    let known: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'refinery_schema_history')",
        [],
        |row| row.get(0),
    )?;
    if !known {
        return Ok(None);
    }
    connection.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))
}

/// One process at a time, others wait: two that start together must not both create the tables.
fn migrate(connection: &mut Connection, path: &Path, latest: i32) -> Result<()> {
    let lock_path = path.with_extension("lock");
    let file = File::options().create(true).append(true).open(&lock_path).on("open", &lock_path)?;
    let _lock = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno.into()).on("lock", &lock_path)?;
    match schema_version(connection).map_err(|error| explain(path, error))? {
        Some(version) if version == latest => return Ok(()),
        Some(version) if version > latest => {
            return Err(Error::new(
                Code::LedgerTooNew,
                format!("the ledger {} has schema {version}, this crafting knows {latest} at most", path.display()),
            )
            .hint("install the newer crafting that wrote it, or set CRAFTING_DATA_DIR to another folder"));
        }
        _ => {}
    }
    embedded::migrations::runner().run(connection).map(|_| ()).map_err(|error| {
        // refinery's text wraps the database's own, which says what matters.
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        Error::new(Code::LedgerFailed, format!("cannot migrate the ledger {}: {cause}", path.display()))
            .hint("check the disk's free space and the folder's permissions; nothing was changed")
    })
}

/// A database error with the file it concerns.
fn explain(path: &Path, error: rusqlite::Error) -> Error {
    Error::from(error).context(format!("the ledger {}", path.display()))
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let (message, hint) = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => {
                ("the disk is full".to_owned(), "free some space, for example with `crafting gc --all`, and try again")
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => (
                "cannot be opened for writing".to_owned(),
                "check the folder's owner and permissions, or set CRAFTING_DATA_DIR to another folder",
            ),
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => (
                format!("is damaged or no ledger at all ({error})"),
                "move it away, or put a copy made by `crafting ledger backup` in its place",
            ),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                ("is held by another process for too long".to_owned(), "look for a crafting process that hangs")
            }
            _ => (error.to_string(), "check the disk; `crafting ledger check` looks the ledger over"),
        };
        Self::new(Code::LedgerFailed, message).hint(hint)
    }
}

/// A stored text that no longer parses: another program wrote into the ledger.
fn unreadable(what: &str, error: impl std::fmt::Display) -> Error {
    Error::new(Code::LedgerFailed, format!("holds {what} that cannot be read: {error}"))
        .hint("`crafting ledger check` looks the ledger over")
}

/// The rows of a query whose columns are parsed: the first error of either kind ends it.
fn parsed<T>(rows: impl Iterator<Item = rusqlite::Result<Result<T>>>) -> Result<Vec<T>> {
    rows.map(|row| row.map_err(Error::from).and_then(|parsed| parsed)).collect()
}
