//! Arguments that are more than a word: lengths of time, ranges of lines, thresholds.

use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::error::{Error, Result};
use crate::model::{Finding, Severity};

/// The longest time limit, in seconds: thirty days, as in the configuration.
const LONGEST_SECS: u64 = 30 * 86_400;

/// A parser that offers the names of `all` in help, completions and errors.
pub fn choice<T, const N: usize>(all: [T; N], name: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.map(name)).map(move |text| {
        all.into_iter().find(|value| name(*value) == text).expect("clap accepts no other than the names given to it")
    })
}

/// A length of time as people write it: `90` (seconds), `90s`, `10m`, `1h30m`, `2d`.
pub fn duration(text: &str) -> Result<Duration> {
    let refuse = || {
        Error::invalid(format!("{text:?} is not a length of time"))
            .hint("give seconds, or a number with s, m, h or d: 90, 90s, 10m, 1h30m (at most 30d)")
    };
    let mut seconds = 0_u64;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| refuse())?;
        let mut chars = tail.chars();
        let unit = match chars.next() {
            Some('s') => 1,
            None if seconds == 0 => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            _ => return Err(refuse()),
        };
        seconds = number.checked_mul(unit).and_then(|part| seconds.checked_add(part)).ok_or_else(refuse)?;
        rest = chars.as_str();
    }
    if (1..=LONGEST_SECS).contains(&seconds) { Ok(Duration::from_secs(seconds)) } else { Err(refuse()) }
}

/// From which findings on a command exits with 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailOn {
    /// At least so bad.
    pub severity: Severity,
    /// Only those that the baseline did not have.
    pub new: bool,
}

impl FailOn {
    /// Whether one of the findings is bad enough.
    pub fn met<'a>(self, findings: impl IntoIterator<Item = &'a Finding>) -> bool {
        findings.into_iter().any(|finding| finding.severity >= self.severity && (finding.is_new || !self.new))
    }
}

impl FromStr for FailOn {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let (new, severity) = match text.strip_prefix("new:") {
            Some(severity) => (true, severity),
            None => (false, text),
        };
        let severity = severity.parse().map_err(|_| {
            Error::invalid(format!("{text:?} is not a severity"))
                .hint("use error, warn or info, or new:error and so on")
        })?;
        Ok(Self { severity, new })
    }
}

/// Lines of a log, the first being 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRange {
    /// The first line.
    pub first: u64,
    /// How many; none: to the end.
    pub count: Option<u64>,
}

impl FromStr for LineRange {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            Error::invalid(format!("{text:?} is not a range of lines"))
                .hint("give the first and the last line, the first of all being 1: 10:20, 10:, :20 or 10")
        };
        let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0).ok_or_else(refuse);
        let Some((first, last)) = text.split_once(':') else {
            return Ok(Self { first: number(text)?, count: Some(1) });
        };
        let start = if first.is_empty() { 1 } else { number(first)? };
        let count = match last {
            "" if first.is_empty() => return Err(refuse()),
            "" => None,
            last => Some(number(last)?.checked_sub(start).ok_or_else(refuse)?.saturating_add(1)),
        };
        Ok(Self { first: start, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_as_people_write_it() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("10m", 600), ("1h", 3600), ("1h30m", 5400), ("2d", 172_800)] {
            assert_eq!(duration(text).unwrap().as_secs(), seconds, "{text}");
        }
        for bad in ["", "0", "0s", "m", "1x", "-1", "1.5h", "31d", "1h30", "99999999999999999999", "1 h", "９"] {
            let error = duration(bad).unwrap_err();
            assert!(error.hint_text().is_some(), "{bad:?}");
        }
    }

    #[test]
    fn thresholds_may_count_new_ones_only() {
        assert_eq!("warn".parse::<FailOn>().unwrap(), FailOn { severity: Severity::Warn, new: false });
        assert_eq!("new:error".parse::<FailOn>().unwrap(), FailOn { severity: Severity::Error, new: true });
        assert!("new".parse::<FailOn>().is_err());
    }

    #[test]
    fn line_ranges_have_open_ends() {
        let range = |text: &str| text.parse::<LineRange>().map(|range| (range.first, range.count)).ok();
        assert_eq!(range("10:20"), Some((10, Some(11))));
        assert_eq!(range("10:"), Some((10, None)));
        assert_eq!(range(":20"), Some((1, Some(20))));
        assert_eq!(range("7"), Some((7, Some(1))));
        assert_eq!(range("1:18446744073709551615"), Some((1, Some(u64::MAX))));
        for bad in ["", ":", "0:3", "5:4", "a:b", "1:2:3", "-1"] {
            assert_eq!(range(bad), None, "{bad:?}");
        }
    }
}
