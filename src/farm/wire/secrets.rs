//! `/projects/{name}/secrets`.

use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::model::{Secret, SecretValue};

/// The answer of `GET /projects/{name}/secrets`: no value is in any answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SecretsAnswer {
    /// Always true.
    pub ok: bool,
    /// By name.
    pub secrets: Vec<Secret>,
}

/// The answer of `PUT` and `DELETE /projects/{name}/secrets/{secret}`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SecretAnswer {
    /// Always true.
    pub ok: bool,
    /// The secret as it is now, or as it was.
    pub secret: Secret,
}

/// The body of `PUT /projects/{name}/secrets/{secret}`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSecret {
    /// The value.
    #[serde(serialize_with = "expose")]
    pub value: SecretValue,
}

/// On its way to the server.
fn expose<S: Serializer>(value: &SecretValue, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.expose())
}
