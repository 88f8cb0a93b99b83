//! Where the user stands, in a server's words: it knows projects, and nothing of this machine's folders.

use std::path::Path;

use super::RemoteFarm;
use crate::error::{Code, Error, Result};
use crate::farm::wire::ProjectsAnswer;
use crate::farm::{Around, Farm as _};
use crate::model::{Project, ProjectName};
use crate::workspace::Checkout;

impl RemoteFarm {
    /// The project that a folder on this machine belongs to, if the server has it: the one registered first if there
    /// are several.
    pub(super) async fn project_in(&self, folder: &Path) -> Result<Option<Project>> {
        let folder = folder.to_owned();
        let look = move || {
            let here = Checkout::discover(&folder).ok()?;
            Some((here.place().ok()?, here))
        };
        let here = tokio::task::spawn_blocking(look).await;
        let here = here.map_err(|error| Error::new(Code::Interrupted, format!("the work was dropped: {error}")))?;
        let Some((place, here)) = here else { return Ok(None) };
        let answer: ProjectsAnswer = self.server.get(&["projects"], &()).await?;
        let of_here = |project: &Project| project.git_url == place && project.root == *here.root();
        let of_here = answer.projects.into_iter().filter(of_here);
        Ok(of_here.min_by(|a, b| (a.created_at, a.name.as_str()).cmp(&(b.created_at, b.name.as_str()))))
    }

    /// The project that is meant; none: all.
    pub(super) async fn project_around(&self, around: &Around) -> Result<Option<ProjectName>> {
        match around {
            Around::Everywhere => Ok(None),
            Around::Project(name) => Ok(Some(name.clone())),
            Around::Folder(folder) => Ok(self.project_of(folder).await?.map(|project| project.name)),
        }
    }
}
