//! Where the user stands, as far as the server is told: folders are this machine's.

use std::path::Path;

use super::RemoteFarm;
use crate::error::{Code, Error, Result};
use crate::farm::Around;
use crate::farm::wire::ProjectsAnswer;
use crate::model::{Project, ProjectName};
use crate::workspace::Checkout;

impl RemoteFarm {
    /// The project that a folder on this machine belongs to, if the server has it: the one registered first if there
    /// are several.
    pub(super) async fn project_in(&self, folder: &Path) -> Result<Option<Project>> {
        let folder = folder.to_owned();
        let here = tokio::task::spawn_blocking(move || Checkout::discover(&folder)).await;
        let here = here.map_err(|error| Error::new(Code::Interrupted, format!("the work was dropped: {error}")))?;
        let Ok(here) = here else { return Ok(None) };
        let answer: ProjectsAnswer = self.server.get(&["projects"], &()).await?;
        let of_here = |project: &Project| project.git_url == *here.url() && project.root == *here.root();
        Ok(answer
            .projects
            .into_iter()
            .filter(of_here)
            .min_by(|a, b| (a.created_at, a.name.as_str()).cmp(&(b.created_at, b.name.as_str()))))
    }

    /// The project that is meant; none: all.
    pub(super) async fn project_around(&self, around: &Around) -> Result<Option<ProjectName>> {
        match around {
            Around::Everywhere => Ok(None),
            Around::Project(name) => Ok(Some(name.clone())),
            Around::Folder(folder) => Ok(self.project_in(folder).await?.map(|project| project.name)),
        }
    }
}
