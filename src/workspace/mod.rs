//! Everything git: mirrors, snapshots of working trees, and the slots that jobs run in.
//!
//! ```text
//! <workspace>/<project>/.cache/          the mirror: a bare clone
//!                       .cache.lock      held to clone, to fetch, to collect garbage
//!                       .slots.lock      held while a slot is chosen
//!                       slot-<n>/        a worktree, warm from job to job
//!                       slot-<n>.index   what was laid in it; a recipe cannot reach it by accident
//!                       slot-<n>.lock    held by its job; says what the slot was last used for
//!                       <job id>         a link to its slot while a job lives
//!                       .trash/          moved away, being deleted
//!                       .uploads/        commits that developers brought along, by token
//! <workspace>/.outbox/<checkout>/        what a checkout sends to a server
//! ```
//!
//! Everything here blocks: call it from threads that may.

mod checkout;
mod diff;
mod folders;
mod gc;
mod git;
mod gitdir;
mod history;
mod keep;
mod lay;
mod lock;
mod mirror;
mod outbox;
mod receive;
mod record;
mod refs;
mod slot;
mod snapshot;
mod stale;
mod submodule;
mod sweep;
mod trash;
mod tree;
mod uploads;

use std::fs;
use std::path::{Path, PathBuf};

pub use checkout::Checkout;
pub use diff::movement;
pub use gc::{GcOptions, GcReport};
pub use history::History;
pub use mirror::{Mirror, Resolved, moved};
pub use outbox::{Outbox, Parcel};
pub use receive::Incoming;
pub use slot::{LeaseRequest, Release, Slot};
pub use snapshot::Snapshot;
pub use trash::remove_tree;
pub use tree::{CheckoutTree, CommitTree};
pub use uploads::Uploads;

use crate::error::{Error, IoContext, Result};
use crate::model::{GitUrl, ProjectName};

/// The folder that holds every project's mirror and slots.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    redirects: bool,
}

impl Workspace {
    /// Makes the folder if it is missing. An [`crate::error::Code::Io`] error if nothing can be written there.
    pub fn open(root: PathBuf) -> Result<Self> {
        fs::create_dir_all(&root).on("create the workspace", &root).map_err(|error| {
            error.advise("give it space and permissions, or choose another folder with CRAFTING_WORKSPACE_DIR")
        })?;
        let root = root.canonicalize().on("enter", &root)?;
        if nix::unistd::access(&root, nix::unistd::AccessFlags::W_OK).is_err() {
            return Err(Error::new(crate::error::Code::Io, format!("cannot write in {}", root.display()))
                .hint("check its permissions, or choose another folder with CRAFTING_WORKSPACE_DIR"));
        }
        Ok(Self { root, redirects: true })
    }

    /// Whether a repository may be fetched from where its address leads to over HTTP. Not where only some hosts may be
    /// fetched from: one of them must not be able to name another.
    pub fn follow_redirects(self, redirects: bool) -> Self {
        Self { redirects, ..self }
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A project's mirror, which is cloned when it is first used.
    pub fn mirror(&self, project: &ProjectName, url: &GitUrl) -> Mirror {
        Mirror::new(project.clone(), url.clone(), &self.project(project)).follow_redirects(self.redirects)
    }

    fn project(&self, project: &ProjectName) -> PathBuf {
        self.root.join(project.as_str())
    }
}
