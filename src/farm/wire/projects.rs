//! `/projects`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::farm::{NewProject, ProjectChange, ProjectSource, ProjectText, Registered, Removed};
use crate::model::{GitUrl, Project, ProjectFile, ProjectName, RefName, SubPath};

/// The most of a name that answers call a `crafting.toml` by.
const NAME_LIMIT: usize = 1000;

/// What `GET /projects` takes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProjectsQuery {
    /// Only those of this repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_url: Option<GitUrl>,
    /// Only those of this folder in their repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<SubPath>,
}

/// The answer of `GET /projects`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProjectsAnswer {
    /// Always true.
    pub ok: bool,
    /// By name.
    pub projects: Vec<Project>,
}

/// The answer of `GET /projects/{name}`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProjectAnswer {
    /// Always true.
    pub ok: bool,
    /// The project.
    pub project: Project,
}

/// The body of `POST /projects`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddProject {
    /// Where the repository is: https, http, ssh or git.
    pub git_url: GitUrl,
    /// The project's root in it; else the repository's top.
    #[serde(default = "SubPath::root", skip_serializing_if = "SubPath::is_root")]
    pub root: SubPath,
    /// Its name; else one after the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ProjectName>,
    /// The branch that jobs run when they name no ref.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_branch: Option<RefName>,
    /// A `crafting.toml` to use instead of the repository's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_file: Option<String>,
    /// What answers and errors call that `crafting.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_file_name: Option<String>,
}

impl From<AddProject> for NewProject {
    fn from(body: AddProject) -> Self {
        Self {
            source: ProjectSource::Url { url: body.git_url, root: body.root },
            name: body.name,
            default_branch: body.default_branch,
            file: written(body.project_file, body.project_file_name),
        }
    }
}

/// The body of `PUT /projects/{name}`. What it does not name stays; the repository's `crafting.toml` is read again.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateProject {
    /// The repository's new address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_url: Option<GitUrl>,
    /// The branch that jobs run when they name no ref.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_branch: Option<RefName>,
    /// A `crafting.toml` to use instead of the repository's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_file: Option<String>,
    /// What answers and errors call that `crafting.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_file_name: Option<String>,
}

impl From<UpdateProject> for ProjectChange {
    fn from(body: UpdateProject) -> Self {
        Self {
            url: body.git_url,
            default_branch: body.default_branch,
            file: written(body.project_file, body.project_file_name),
        }
    }
}

impl From<ProjectChange> for UpdateProject {
    fn from(change: ProjectChange) -> Self {
        let (project_file, project_file_name) = change.file.map(|file| (file.text, file.origin)).unzip();
        Self { git_url: change.url, default_branch: change.default_branch, project_file, project_file_name }
    }
}

fn written(text: Option<String>, name: Option<String>) -> Option<ProjectText> {
    let name = name.unwrap_or_else(|| ProjectFile::NAME.to_owned());
    let origin = name.chars().filter(|c| !c.is_control()).take(NAME_LIMIT).collect();
    text.map(|text| ProjectText { text, origin })
}

/// The answer of `POST /projects` and `PUT /projects/{name}`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RegisteredAnswer {
    /// Always true.
    pub ok: bool,
    /// The project, and where it was read.
    #[serde(flatten)]
    pub registered: Registered,
}

/// The answer of `DELETE /projects/{name}`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RemovedAnswer {
    /// Always true.
    pub ok: bool,
    /// What went.
    #[serde(flatten)]
    pub removed: Removed,
}
