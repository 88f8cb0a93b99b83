//! What tells a repeated request from a second one.

use std::fmt;
use std::str::FromStr;

use super::id::random;
use crate::error::{Error, Result};

/// The longest key that is taken.
const LONGEST: usize = 200;

/// The value of an `Idempotency-Key` header: whoever lost the answer sends the request again with the same key, and gets
/// that answer instead of having everything done twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// A new one that nobody has used.
    pub fn random() -> Result<Self> {
        Ok(Self(random()? + &random()?))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        if (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::invalid("that is not an idempotency key")
            .hint(format!("give 1 to {LONGEST} visible ASCII characters without spaces, such as a UUID")))
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_and_visible() {
        let long = "k".repeat(LONGEST + 1);
        for bad in ["", " ", "a b", "a\n", "é", &long] {
            assert!(bad.parse::<IdempotencyKey>().is_err(), "{bad:?}");
        }
        assert!(long[1..].parse::<IdempotencyKey>().is_ok());
        let key = IdempotencyKey::random().unwrap();
        assert_eq!(key.as_str().parse::<IdempotencyKey>().unwrap(), key);
    }
}
