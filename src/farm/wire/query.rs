//! Parameters of queries that are neither a text nor a number.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// Yes or no in a query: `1` or `true`, `0` or `false`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

/// How a [`Flag`] is written.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = Flag)]
pub enum FlagText {
    /// Yes.
    #[serde(rename = "1")]
    One,
    /// Yes.
    #[serde(rename = "true")]
    True,
    /// No.
    #[serde(rename = "0")]
    Zero,
    /// No.
    #[serde(rename = "false")]
    False,
}

impl Flag {
    /// Whether it is no, which is what a flag is that was not given.
    pub fn is_off(&self) -> bool {
        !self.0
    }
}

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (if self.0 { FlagText::One } else { FlagText::Zero }).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(matches!(FlagText::deserialize(deserializer)?, FlagText::One | FlagText::True)))
    }
}

/// Several values of one parameter, with commas between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> List<T> {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Display> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(",").serialize(serializer)
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let values = text.split(',').map(str::parse).collect::<Result<_, _>>();
        values.map(Self).map_err(serde::de::Error::custom)
    }
}

/// A value that is written as on the command line.
pub(crate) mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(serializer)
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
    }
}
