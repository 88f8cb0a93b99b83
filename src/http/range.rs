//! `Range: bytes=`, as RFC 9110 has it.

use std::ops::Range;

/// What a request wants of so many bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of them: there is no range, or one that need not be understood (another unit, several at once).
    All,
    /// These, at least one.
    Some(Range<u64>),
    /// Only such as there are not.
    Nothing,
}

/// Reads the header's value.
pub(super) fn wanted(header: Option<&str>, length: u64) -> Wanted {
    let Some(range) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else { return Wanted::All };
    let Some((first, last)) = range.split_once('-') else { return Wanted::All };
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            // More digits than fit are beyond every end.
            Some(Some(digits.parse::<u64>().unwrap_or(u64::MAX)))
        }
        _ => None,
    };
    let (Some(first), Some(last)) = (number(first), number(last)) else { return Wanted::All };
    let range = match (first, last) {
        (Some(first), Some(last)) if last < first => return Wanted::All,
        (Some(first), last) => first..last.map_or(length, |last| last.saturating_add(1).min(length)),
        (None, Some(count)) => length.saturating_sub(count)..length,
        (None, None) => return Wanted::All,
    };
    if range.is_empty() { Wanted::Nothing } else { Wanted::Some(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let some = |range| Wanted::Some(range);
        for (header, length, meant) in [
            (None, 10, Wanted::All),
            (Some("bytes=0-"), 10, some(0..10)),
            (Some("bytes=3-5"), 10, some(3..6)),
            (Some("bytes=3-99"), 10, some(3..10)),
            (Some("bytes=-3"), 10, some(7..10)),
            (Some("bytes=-99"), 10, some(0..10)),
            (Some("bytes=9-9"), 10, some(9..10)),
            (Some("bytes=10-"), 10, Wanted::Nothing),
            (Some("bytes=-0"), 10, Wanted::Nothing),
            (Some("bytes=0-"), 0, Wanted::Nothing),
            (Some("bytes=0-18446744073709551616"), 10, some(0..10)),
            (Some("bytes=5-3"), 10, Wanted::All),
            (Some("bytes=0-1,3-4"), 10, Wanted::All),
            (Some("bytes=-"), 10, Wanted::All),
            (Some("bytes=x-"), 10, Wanted::All),
            (Some("lines=0-1"), 10, Wanted::All),
        ] {
            assert_eq!(wanted(header, length), meant, "{header:?} of {length}");
        }
    }
}
