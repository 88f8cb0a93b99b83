//! Secrets: values that recipes get in their environment and nobody sees.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{ProjectName, SecretName, Timestamp};
use crate::error::{Error, Result};

/// Bytes of the shortest value: one that is shorter occurs in ordinary output all the time, so that masking it would
/// spoil every log, and tell the value by where it is masked.
const LEAST: usize = 4;
/// Bytes of the longest value. The system takes 128 KiB for a variable.
const MOST: usize = 64 << 10;

/// What the runner sets itself, and what decides how shells and programs start.
const TAKEN: [&str; 32] = [
    "BUN_INSTALL_CACHE_DIR",
    "CARGO_HOME",
    "CI",
    "ENV",
    "ESLINT_CODE_QUALITY_REPORT",
    "GOCACHE",
    "GOMODCACHE",
    "GOTESTSUM_JUNITFILE",
    "GRADLE_USER_HOME",
    "GTEST_OUTPUT",
    "HOME",
    "IFS",
    "JEST_JUNIT_OUTPUT_DIR",
    "JEST_JUNIT_UNIQUE_OUTPUT_NAME",
    "LANG",
    "LOGNAME",
    "MAVEN_USER_HOME",
    "MOCHA_FILE",
    "OLDPWD",
    "PATH",
    "PIP_CACHE_DIR",
    "PWD",
    "PYTEST_ADDOPTS",
    "ROBOT_OPTIONS",
    "SHELL",
    "SHLVL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "UV_CACHE_DIR",
    "_",
];

/// The check behind [`SecretName`].
pub(super) fn check_name(text: &str) -> Result<String> {
    let allowed = |c: char| c.is_ascii_uppercase() || c == '_';
    let good = text.len() <= 64 && text.starts_with(allowed) && text.chars().all(|c| allowed(c) || c.is_ascii_digit());
    if !good {
        // Who writes NAME=VALUE by mistake shall not find the value in an error.
        let shown = text.split('=').next().unwrap_or_default();
        return Err(Error::invalid(format!("{shown:?} is not a secret's name"))
            .hint("use capital letters, digits and '_', at most 64, not beginning with a digit, such as NPM_TOKEN"));
    }
    if TAKEN.contains(&text) || text.starts_with("CRAFTING_") || text.starts_with("LD_") {
        return Err(Error::invalid(format!("{text} cannot be a secret: the variable has a meaning of its own"))
            .hint("choose another name, and let the recipe's command put the value where it is wanted"));
    }
    Ok(text.to_owned())
}

/// The value of a secret. It is printed by nothing but [`SecretValue::expose`], and overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, min_length = 4, max_length = 65536, example = "s3cret-value")]
pub struct SecretValue(String);

impl SecretValue {
    /// Out of bytes as they are read or unsealed.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        // The error of the conversion would hold the bytes.
        let text = String::from_utf8(bytes).map_err(|_| {
            Error::invalid("the value is not text in UTF-8")
                .hint("encode it, for example with `base64`, and let the recipe decode it")
        })?;
        Self::checked(text)
    }

    fn checked(text: String) -> Result<Self> {
        // From here on it is overwritten, whether it is good or not.
        let value = Self(text);
        let length = value.0.len();
        if length < LEAST {
            return Err(Error::invalid(format!("the value has {length} bytes, and a secret has at least {LEAST}"))
                .hint("a shorter one would be masked all over every log, and so be told; use a longer one"));
        }
        if length > MOST {
            return Err(Error::invalid(format!("the value has more than {} KiB", MOST >> 10))
                .hint("keep the large thing elsewhere, encrypted, and make its key the secret"));
        }
        if value.0.contains('\0') {
            return Err(Error::invalid("the value holds a NUL, which no variable can")
                .hint("encode it, for example with `base64`, and let the recipe decode it"));
        }
        Ok(value)
    }

    /// The value itself, for the few places that need it: sealing, masking, the recipe's environment, the request.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretValue {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::checked(text.to_owned())
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}

impl Drop for SecretValue {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        // The compiler may not leave out a write to what somebody looks at.
        std::hint::black_box(&bytes);
    }
}

/// By hand: what serde says of a value of another type would repeat it.
impl<'de> Deserialize<'de> for SecretValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = SecretValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretValue, E> {
                SecretValue::checked(text.to_owned()).map_err(E::custom)
            }

            fn visit_string<E: serde::de::Error>(self, text: String) -> Result<SecretValue, E> {
                SecretValue::checked(text).map_err(E::custom)
            }

            fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<SecretValue, E> {
                Err(E::custom(NO_TEXT))
            }

            fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<SecretValue, E> {
                Err(E::custom(NO_TEXT))
            }

            fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<SecretValue, E> {
                Err(E::custom(NO_TEXT))
            }

            fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<SecretValue, E> {
                Err(E::custom(NO_TEXT))
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<SecretValue, E> {
                Err(E::custom(NO_TEXT))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<SecretValue, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Err(A::Error::custom(NO_TEXT))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<SecretValue, A::Error> {
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Err(A::Error::custom(NO_TEXT))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

const NO_TEXT: &str = "the value of a secret is a string";

/// A secret as everybody sees it: everything about it but its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Secret {
    /// Whose recipes may ask for it.
    pub project: ProjectName,
    /// The variable that they get it in.
    pub name: SecretName,
    /// When its value was last set.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_variables_without_a_meaning_of_their_own() {
        for good in ["NPM_TOKEN", "_X", "A", "A1_", &"A".repeat(64)] {
            assert_eq!(good.parse::<SecretName>().unwrap().as_str(), good);
        }
        for bad in
            ["", "a", "1A", "A-B", "A B", "Ä", "PATH", "HOME", "LD_PRELOAD", "CRAFTING_SHA", "CI", &"A".repeat(65)]
        {
            let error = bad.parse::<SecretName>().unwrap_err();
            assert!(error.hint_text().is_some(), "{bad}: {error}");
        }
        let error = "TOKEN=planted-value".parse::<SecretName>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted"), "{error:?}");
    }

    #[test]
    fn a_value_is_never_told() {
        let value: SecretValue = "planted-value".parse().unwrap();
        assert_eq!(format!("{value:?} {:?}", Some(&value)), "SecretValue(…) Some(SecretValue(…))");
        for body in [
            "\"abc\"",
            "112233445566",
            "-1122334455",
            "true",
            "1122334455.5",
            "[\"planted\"]",
            "{\"planted\":1}",
            "null",
        ] {
            let error = serde_json::from_str::<SecretValue>(body).unwrap_err().to_string();
            assert!(!error.contains("planted") && !error.contains("11223344"), "{error}");
        }
        assert!(SecretValue::from_bytes(b"planted\xff".to_vec()).is_err_and(|e| !format!("{e:?}").contains("planted")));
        assert!("planted\0".parse::<SecretValue>().is_err());
        assert!("x".repeat(MOST + 1).parse::<SecretValue>().is_err());
        assert!("x".repeat(MOST).parse::<SecretValue>().is_ok());
    }
}
