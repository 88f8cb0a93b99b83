//! Random identifiers, short enough to type a prefix of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, Result};

/// Crockford's base 32 alphabet: no letter that reads like a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 12 characters of 5 bits: 60 random bits.
const LENGTH: usize = 12;

pub(super) fn random() -> Result<String> {
    let mut bytes = [0_u8; LENGTH];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(crate::error::Code::Io, format!("the system gave no random bytes: {error}")))?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

fn check(what: &str, text: &str) -> Result<String> {
    if text.len() == LENGTH && text.bytes().all(|byte| ALPHABET.contains(&byte)) {
        return Ok(text.to_owned());
    }
    Err(Error::invalid(format!("{text:?} is not a {what} id")))
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// A new random one.
            pub fn random() -> Result<Self> {
                random().map(Self)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                check($what, text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(text: String) -> Result<Self> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

random_id!(
    /// Names one job.
    JobId,
    "job"
);
random_id!(
    /// Names the jobs that one request started together.
    BatchId,
    "batch"
);
random_id!(
    /// Names one runner: a process that takes queued jobs, for as long as it lives.
    RunnerId,
    "runner"
);

impl JobId {
    /// The environment variable that marks every process of a job with the job's id.
    pub const VARIABLE: &str = "CRAFTING_JOB_ID";
}
