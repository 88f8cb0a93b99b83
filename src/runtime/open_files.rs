//! How many files a process may have open. A server raises its own limit; a recipe gets the one that crafting was
//! started with: programs that close every descriptor that they might have, or that use select(2), mind a high one.

use std::io;
use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The soft limit before this process raised it. A limit is the process's as a whole, and so is this.
static BEFORE: OnceLock<u64> = OnceLock::new();

/// Raises this process's limit as far as it may, and says what it is now. Recipes do not get more by it.
pub fn raise_open_files() -> u64 {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1024, 1024));
    let before = *BEFORE.get_or_init(|| soft);
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft.max(before),
    }
}

/// The limit to give back to a recipe, if this process has raised its own.
pub(super) fn before() -> Option<u64> {
    BEFORE.get().copied()
}

/// Sets the soft limit of this process, and so of what it starts.
pub(super) fn put_back(soft: u64) -> io::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, soft.min(hard), hard)?)
}
