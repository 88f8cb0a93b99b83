//! Bringing a commit to a server: first which commits it knows, then a pack with what it lacks.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream;
use reqwest::{Body, Method, header};
use tokio::sync::watch;

use super::{RemoteFarm, blocking};
use crate::error::{Code, IoContext, Result};
use crate::farm::Uploading;
use crate::farm::wire::{CommitList, KnownAnswer, KnownForm, PackAnswer};
use crate::model::{CommitId, ProjectName};
use crate::workspace::{Outbox, Parcel};

/// So many bytes are read and sent at once.
const PIECE: usize = 256 << 10;

impl RemoteFarm {
    /// Sees that the server has a commit.
    pub(super) async fn upload(&self, project: &ProjectName, outbox: Outbox, sha: &CommitId) -> Result<()> {
        let outbox = Arc::new(outbox);
        let (ours, wanted) = (Arc::clone(&outbox), sha.clone());
        let offers = CommitList::try_from(blocking(move || ours.offers(&wanted)).await?)?;
        let path = ["projects", project.as_str(), "known"];
        let ask = self.server.request(Method::POST, &path).json(&KnownForm { commits: offers });
        let answer: KnownAnswer = self.server.answer(ask).await?;
        if !answer.known.contains(sha) {
            let sent = self.send_pack(project, &outbox, sha, answer.known.clone()).await;
            match sent {
                // It may have lost since what it knew of then: this time it gets everything.
                Err(error) if error.code() == Code::InvalidInput && !answer.known.is_empty() => {
                    self.send_pack(project, &outbox, sha, Vec::new()).await?;
                }
                other => other?,
            }
        }
        let sha = sha.clone();
        blocking(move || outbox.sent(&sha)).await
    }

    async fn send_pack(
        &self,
        project: &ProjectName,
        outbox: &Arc<Outbox>,
        sha: &CommitId,
        known: Vec<CommitId>,
    ) -> Result<()> {
        let (ours, wanted) = (Arc::clone(outbox), sha.clone());
        let parcel = blocking(move || ours.pack(&wanted, &known)).await?;
        let size = parcel.size();
        self.uploading.send_replace(Some(Uploading { sent: 0, total: size, begun: Instant::now() }));
        let path = ["projects", project.as_str(), "packs"];
        let post = self
            .server
            .request(Method::POST, &path)
            .query(&[("commit", sha.as_str())])
            .header(header::CONTENT_TYPE, "application/x-git-pack")
            .header(header::CONTENT_LENGTH, size)
            .body(body(&parcel, self.uploading.clone())?);
        let answer: Result<PackAnswer> = self.server.answer(post).await;
        self.uploading.send_replace(None);
        answer.map(drop)
    }
}

/// The pack, read as it is sent.
fn body(parcel: &Parcel, progress: watch::Sender<Option<Uploading>>) -> Result<Body> {
    let file = File::open(parcel.path()).on("read", parcel.path())?;
    let pieces = stream::try_unfold((file, 0_u64), move |(file, sent)| {
        let progress = progress.clone();
        async move {
            let read = tokio::task::spawn_blocking(move || {
                let mut file = file;
                let mut piece = vec![0; PIECE];
                file.read(&mut piece).map(|length| {
                    piece.truncate(length);
                    (file, piece)
                })
            });
            let (file, piece) = read.await.map_err(std::io::Error::other)??;
            if piece.is_empty() {
                return Ok::<_, std::io::Error>(None);
            }
            let sent = sent + piece.len() as u64;
            progress.send_modify(|state| {
                if let Some(uploading) = state {
                    uploading.sent = sent;
                }
            });
            Ok(Some((Bytes::from(piece), (file, sent))))
        }
    });
    Ok(Body::wrap_stream(pieces))
}
