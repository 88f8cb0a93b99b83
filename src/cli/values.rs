//! Arguments that are more than a word: lengths of time, ranges of lines, thresholds.

use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::error::{Error, Result};
use crate::farm::LONGEST_TIMEOUT;
use crate::model::{FindingCounts, Kind, Severity, Timestamp, span};

/// Characters that a reason may have.
const REASON_LIMIT: usize = 1000;

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
    let seconds = Duration::from_secs(span(text).ok_or_else(refuse)?.as_secs());
    if (Duration::from_secs(1)..=LONGEST_TIMEOUT).contains(&seconds) { Ok(seconds) } else { Err(refuse()) }
}

/// From which findings on a command exits with 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailOn {
    /// Only those of this kind.
    pub kind: Option<Kind>,
    /// At least so bad.
    pub severity: Severity,
    /// Only those that the baseline did not have.
    pub new: bool,
}

impl FailOn {
    /// Whether one of the findings is bad enough; ignored ones never are.
    pub fn met(self, counts: &FindingCounts) -> bool {
        counts.any(|kind, severity, new| {
            severity >= self.severity && (new || !self.new) && self.kind.is_none_or(|wanted| kind == wanted)
        })
    }
}

impl FromStr for FailOn {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let any = Self { kind: None, severity: Severity::Info, new: false };
        let (new, what) = match text.strip_prefix("new") {
            Some("") => return Ok(Self { new: true, ..any }),
            Some(rest) if rest.starts_with(':') => (true, &rest[1..]),
            _ => (false, text),
        };
        if what == "cve" {
            return Ok(Self { kind: Some(Kind::Cve), new, ..any });
        }
        let severity = what.parse().map_err(|_| {
            Error::invalid(format!("{text:?} is nothing to fail on"))
                .hint("use error, warn, info, cve, new, new:error, new:warn, new:info or new:cve")
        })?;
        Ok(Self { severity, new, ..any })
    }
}

/// When a suppression ends: a date or a length of time from now, in the future.
pub fn until(text: &str) -> Result<Timestamp> {
    later(text, "--until")
}

/// When a token ends.
pub fn expiry(text: &str) -> Result<Timestamp> {
    later(text, "--expires")
}

fn later(text: &str, flag: &str) -> Result<Timestamp> {
    let now = Timestamp::now();
    let until = Timestamp::of_date(text).or_else(|| Some(now.after(span(text)?))).ok_or_else(|| {
        Error::invalid(format!("{text:?} is neither a date nor a length of time"))
            .hint("give a day such as 2027-01-31, or a length of time from now such as 30d or 6w")
    })?;
    if until <= now {
        return Err(Error::invalid(format!("{text:?} is not in the future")).hint(format!("leave out {flag} for ever")));
    }
    Ok(until)
}

/// Why a finding is ignored: something must be said.
pub fn reason(text: &str) -> Result<String> {
    let reason = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match reason.chars().count() {
        1..=REASON_LIMIT => Ok(reason),
        0 => Err(Error::invalid("the reason is empty").hint("say why the finding can be ignored: others will ask")),
        _ => Err(Error::invalid(format!("the reason is longer than {REASON_LIMIT} characters"))
            .hint("say it in a sentence, and link to the rest")),
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
    fn thresholds_may_be_of_a_kind_and_count_new_ones_only() {
        let of = |kind, severity, new| FailOn { kind, severity, new };
        for (text, expected) in [
            ("warn", of(None, Severity::Warn, false)),
            ("cve", of(Some(Kind::Cve), Severity::Info, false)),
            ("new", of(None, Severity::Info, true)),
            ("new:error", of(None, Severity::Error, true)),
            ("new:cve", of(Some(Kind::Cve), Severity::Info, true)),
        ] {
            assert_eq!(text.parse::<FailOn>().unwrap(), expected, "{text}");
        }
        for bad in ["", "new:", "new:new", "newwarn", "lint", "cve:error", "Error"] {
            assert!(bad.parse::<FailOn>().unwrap_err().hint_text().is_some_and(|hint| hint.contains("new:cve")));
        }
    }

    #[test]
    fn suppressions_end_in_the_future_and_have_a_reason() {
        assert!(until("30d").is_ok() && until("2999-12-31").is_ok() && until("2999-12-31T12:00").is_ok());
        for bad in ["", "0d", "2020-01-01", "tomorrow", "-1d", "30 days"] {
            assert!(until(bad).unwrap_err().hint_text().is_some(), "{bad}");
        }
        assert_eq!(reason(" not\n ours ").unwrap(), "not ours");
        assert!(reason(" \t").is_err() && reason(&"x".repeat(1001)).is_err());
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
