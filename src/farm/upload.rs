//! Commits that a caller brings along: the farm's side of a run of somebody's uncommitted work.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::wire::CheckoutForm;
use super::{LocalFarm, Registered, checkout};
use crate::error::{Code, Error, Result};
use crate::model::{CommitId, ProjectName};
use crate::workspace::Incoming;

/// So many bytes go to the disk at once.
const PIECE: usize = 1 << 20;
/// How long a sender may be silent.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a pack may take altogether.
const LONGEST: Duration = Duration::from_secs(3600);
/// Packs that are taken apart at once; others wait for their turn.
static TURNS: Semaphore = Semaphore::const_new(2);

impl LocalFarm {
    /// Registers the project of a checkout elsewhere, or brings it up to date with what its `crafting.toml` says now.
    pub async fn register_checkout(&self, form: CheckoutForm) -> Result<Registered> {
        self.seeing(move |view| checkout::register_form(view, form)).await
    }

    /// Those of these commits that the caller need not send: the project's repository has them, or the caller has sent
    /// them before.
    pub async fn known_commits(&self, project: &ProjectName, commits: Vec<CommitId>) -> Result<Vec<CommitId>> {
        let name = project.clone();
        self.seeing(move |view| {
            let project = view.read(|seen| seen.project(&name))?;
            let mirror = view.rooms().workspace.mirror(&project.name, &project.git_url);
            mirror.uploads(view.caller().token.as_ref()).known(&commits)
        })
        .await
    }

    /// Takes in a pack with a commit, for the caller alone; how many bytes it had. `None` in the stream is a connection
    /// that broke. What is not taken in leaves nothing behind.
    pub async fn receive_pack(
        &self,
        project: &ProjectName,
        commit: &CommitId,
        mut body: impl Stream<Item = Option<Bytes>> + Send + Unpin,
    ) -> Result<u64> {
        let name = project.clone();
        let mut incoming = self
            .seeing(move |view| {
                let project = view.read(|seen| seen.project(&name))?;
                let rooms = view.rooms();
                let mirror = rooms.workspace.mirror(&project.name, &project.git_url);
                mirror.uploads(view.caller().token.as_ref()).receive(rooms.settings.upload_limit_bytes.value)
            })
            .await?;
        let until = tokio::time::Instant::now() + LONGEST;
        let mut piece = Vec::new();
        loop {
            let next = timeout(SILENCE, body.next()).await;
            let Ok(next) = next
                .map_err(drop)
                .and_then(|next| if tokio::time::Instant::now() < until { Ok(next) } else { Err(()) })
            else {
                return Err(Error::invalid("the pack did not arrive in time").hint("see that the network is not stuck"));
            };
            let over = next.is_none();
            match next {
                Some(Some(bytes)) => piece.extend_from_slice(&bytes),
                Some(None) => return Err(Error::invalid("the pack broke off").hint("send it once more")),
                None => {}
            }
            if over || piece.len() >= PIECE {
                incoming = self.keep(incoming, std::mem::take(&mut piece)).await?;
            }
            if over {
                break;
            }
        }
        let received = incoming.received();
        let commit = commit.clone();
        let _turn = TURNS.acquire().await.map_err(|_| Error::new(Code::Unavailable, "the server goes down"))?;
        self.blocking(move |_| incoming.publish(&commit)).await?;
        Ok(received)
    }

    async fn keep(&self, mut incoming: Incoming, piece: Vec<u8>) -> Result<Incoming> {
        self.blocking(move |_| incoming.write(&piece).map(|()| incoming)).await
    }
}
