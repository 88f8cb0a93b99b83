//! `/checkouts`, `/projects/{name}/known` and `/projects/{name}/packs`: what a developer's checkout brings along.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::Error;
use crate::farm::Registered;
use crate::model::{CommitId, GitUrl, ProjectName, RefName, SubPath};

/// The body of `PUT /checkouts`: a checkout on the sender's machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckoutForm {
    /// Where its repository is: its remote, or `checkout://HOST/absolute/path` where it has none that others can reach.
    pub git_url: GitUrl,
    /// The project's root inside the repository.
    pub root: SubPath,
    /// What to call a new project that does not name itself; a number is added where that is taken.
    pub suggested_name: ProjectName,
    /// The branch that the repository considers its main one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main_branch: Option<RefName>,
    /// The text of its `crafting.toml`, or of one that says what was detected there.
    pub text: String,
    /// Where that text was read; null: it was detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_file: Option<String>,
    /// What detection saw, one phrase per subproject.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// The project's name, whatever its `crafting.toml` says; one that is taken is a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ProjectName>,
    /// The branch that jobs run when they name no ref, whatever its `crafting.toml` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_branch: Option<RefName>,
    /// That a checkout which is registered already is a conflict.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_new: bool,
}

/// The answer of `PUT /checkouts`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CheckoutAnswer {
    /// Always true.
    pub ok: bool,
    /// The project, and what became of it.
    pub registered: Registered,
}

/// Some commits, few enough to look each of them up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Vec<CommitId>", into = "Vec<CommitId>")]
#[schema(value_type = Vec<CommitId>, max_items = 256)]
pub struct CommitList(Vec<CommitId>);

impl CommitList {
    /// The most of them.
    pub const MOST: usize = 256;
}

impl TryFrom<Vec<CommitId>> for CommitList {
    type Error = Error;
    fn try_from(commits: Vec<CommitId>) -> Result<Self, Error> {
        if commits.len() > Self::MOST {
            return Err(Error::invalid(format!("{} commits are too many; {} are taken", commits.len(), Self::MOST)));
        }
        Ok(Self(commits))
    }
}

impl From<CommitList> for Vec<CommitId> {
    fn from(list: CommitList) -> Self {
        list.0
    }
}

/// The body of `POST /projects/{name}/known`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownForm {
    /// Commits that the sender has.
    pub commits: CommitList,
}

/// The answer of `POST /projects/{name}/known`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KnownAnswer {
    /// Always true.
    pub ok: bool,
    /// Those of them that need not be sent.
    pub known: Vec<CommitId>,
}

/// The query of `POST /projects/{name}/packs`.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PackQuery {
    /// The commit that the pack brings.
    pub commit: CommitId,
}

/// The answer of `POST /projects/{name}/packs`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PackAnswer {
    /// Always true.
    pub ok: bool,
    /// The commit, which jobs of this token may run now.
    pub commit: CommitId,
    /// Bytes of the pack.
    pub received_bytes: u64,
}
