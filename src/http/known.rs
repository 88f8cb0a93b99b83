//! Which bearers are known, without asking the ledger each time.
//!
//! What was read of the ledger counts for as long as nothing was written to it. The ledger's mark tells, which every
//! process changes after every commit: whoever has been told that a token is revoked can rely on it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Result;
use crate::farm::LocalFarm;
use crate::model::{Bearer, Timestamp, Token};

/// Tokens that are remembered at once.
const LIMIT: usize = 10_000;

/// A token that a bearer belongs to.
pub(super) struct Recognised {
    pub(super) token: Token,
    pub(super) digest: [u8; 32],
    /// Whether somebody is about to note its use.
    noting: AtomicBool,
}

/// What is known of tokens.
pub(super) struct Known {
    farm: LocalFarm,
    read: Mutex<Read>,
}

/// What was read of the ledger when it had this mark.
#[derive(Default)]
struct Read {
    mark: u64,
    tokens: HashMap<[u8; 32], Arc<Recognised>>,
}

impl Known {
    pub(super) fn new(farm: LocalFarm) -> Self {
        Self { farm, read: Mutex::default() }
    }

    /// The token that a bearer belongs to, active or not.
    pub(super) async fn recognise(&self, bearer: &Bearer) -> Result<Option<Arc<Recognised>>> {
        let digest = bearer.digest();
        // First the mark, then the rows: what is written in between makes the next caller read again.
        let mark = self.farm.ledger_mark()?;
        if let Some(known) = self.with(|read| (read.mark == mark).then(|| read.tokens.get(&digest).cloned())).flatten()
        {
            return Ok(Some(known));
        }
        let Some(token) = self.farm.token(digest).await? else { return Ok(None) };
        let recognised = Arc::new(Recognised { token, digest, noting: AtomicBool::new(false) });
        self.with(|read| {
            if read.mark != mark || read.tokens.len() >= LIMIT {
                *read = Read { mark, tokens: HashMap::new() };
            }
            read.tokens.insert(digest, Arc::clone(&recognised));
        });
        Ok(Some(recognised))
    }

    /// Notes that a token is used, at most once a minute, and lets nobody wait for it.
    pub(super) fn note_use(&self, recognised: &Recognised, now: Timestamp) {
        if !recognised.token.is_use_news(now) || recognised.noting.swap(true, Ordering::Relaxed) {
            return;
        }
        let (farm, digest) = (self.farm.clone(), recognised.digest);
        tokio::spawn(async move {
            if let Err(error) = farm.token_used(digest).await {
                tracing::warn!("a token's use is not noted: {error}");
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut Read) -> T) -> T {
        // A panic in here would leave what can be read again.
        work(&mut self.read.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
