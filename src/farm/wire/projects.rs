//! `/projects`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Project;

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
