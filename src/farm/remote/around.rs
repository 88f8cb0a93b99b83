//! Where the user stands, in a server's words: it knows projects, and nothing of this machine's folders.

use super::RemoteFarm;
use crate::error::Result;
use crate::farm::{Around, Farm as _};
use crate::model::ProjectName;

impl RemoteFarm {
    /// The project that is meant; none: all.
    pub(super) async fn project_around(&self, around: &Around) -> Result<Option<ProjectName>> {
        match around {
            Around::Everywhere => Ok(None),
            Around::Project(name) => Ok(Some(name.clone())),
            Around::Folder(folder) => Ok(self.project_of(folder).await?.map(|project| project.name)),
        }
    }
}
