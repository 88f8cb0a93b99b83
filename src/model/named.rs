//! Enums whose variants have a name each, the same in JSON, SQL and on the command line.

/// Reads and shows an enum by its `ALL` and `as_str`; a wrong name is an error that offers the right ones.
macro_rules! by_name {
    ($type:ty, $what:literal) => {
        impl std::str::FromStr for $type {
            type Err = $crate::error::Error;
            fn from_str(text: &str) -> $crate::error::Result<Self> {
                Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| {
                    let names = Self::ALL.map(Self::as_str);
                    let hint = match $crate::model::nearest(text, names) {
                        Some(name) => format!("did you mean {name}?"),
                        None => format!("use one of {}", names.join(", ")),
                    };
                    $crate::error::Error::invalid(format!("{text:?} is not {}", $what)).hint(hint)
                })
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(crate) use by_name;
