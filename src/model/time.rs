//! Points in time, as every door and the ledger write them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// Longer than anybody plans, and still far from what a calendar can hold.
const LONGEST_SECS: u64 = 100 * 366 * 86_400;

/// Milliseconds since the Unix epoch; in JSON, seconds with a fraction (`1777470000.123`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = f64, example = 1_777_470_000.123)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The system's clock. This is the library's only reading of it.
    pub fn now() -> Self {
        Self::of(SystemTime::now())
    }

    /// Of a time that the system gave, such as a file's.
    pub fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// A date or a date with a time of day, as people write it: `2026-11-01` (its first moment), `2026-11-01T10:00`.
    /// Local time, unless it ends with an offset or `Z`.
    pub fn of_date(text: &str) -> Option<Self> {
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Some(Self(instant.as_millisecond()));
        }
        let local = text.parse::<jiff::civil::DateTime>().ok()?;
        let zoned = local.to_zoned(jiff::tz::TimeZone::system()).ok()?;
        Some(Self(zoned.timestamp().as_millisecond()))
    }

    /// To the millisecond in UTC, `2026-04-29T13:40:00.123Z`, which [`Timestamp::of_date`] reads.
    pub fn to_rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map(|instant| format!("{instant:.3}")).unwrap_or_default()
    }

    /// The first moment of this point's day, local time.
    pub fn midnight(self) -> Self {
        let instant = jiff::Timestamp::from_millisecond(self.0).ok();
        let start = instant.and_then(|instant| instant.to_zoned(jiff::tz::TimeZone::system()).start_of_day().ok());
        start.map_or(self, |start| Self(start.timestamp().as_millisecond()))
    }

    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Time from `earlier` to this, zero if the clock was set back in between.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// This point moved on by `span`.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This point moved back by `span`.
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// A length of time as people write it: `90s`, `10m`, `1h30m`, `2d`, `6w`; a bare number is seconds.
pub fn span(text: &str) -> Option<Duration> {
    let mut seconds = 0_u64;
    let mut rest = text.trim();
    let mut any = false;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let mut chars = tail.chars();
        let unit = match chars.next() {
            Some('s') => 1,
            None if !any => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some('w') => 7 * 86_400,
            _ => return None,
        };
        any = true;
        seconds = number.checked_mul(unit).and_then(|part| seconds.checked_add(part))?;
        rest = chars.as_str();
    }
    (any && seconds <= LONGEST_SECS).then(|| Duration::from_secs(seconds))
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Milliseconds up to the year 287396 are exact in an f64 of seconds at three decimals.
        #[allow(clippy::cast_precision_loss)]
        serializer.serialize_f64(self.0 as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[allow(clippy::cast_possible_truncation)]
        f64::deserialize(deserializer).map(|seconds| Self((seconds * 1000.0).round() as i64))
    }
}

impl fmt::Display for Timestamp {
    /// Local time to the second, `2026-04-29 13:40:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => {
                let local = instant.to_zoned(jiff::tz::TimeZone::system());
                f.pad(&local.strftime("%Y-%m-%d %H:%M:%S").to_string())
            }
            Err(_) => f.pad("(no time)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_people_write_them() {
        let at = |text: &str| Timestamp::of_date(text).map(Timestamp::as_millis);
        assert_eq!(at("2026-04-29T13:40:00.123Z"), Some(1_777_470_000_123));
        assert_eq!(Timestamp::from_millis(1_777_470_000_120).to_rfc3339(), "2026-04-29T13:40:00.120Z");
        assert_eq!(at("2026-04-29T15:40+02:00"), Some(1_777_470_000_000));
        let day = Timestamp::of_date("2026-04-29").unwrap();
        assert_eq!(Timestamp::of_date("2026-04-29T10:30").unwrap().since(day), Duration::from_secs(37_800));
        assert_eq!(Timestamp::of_date("2026-04-29 10:30").unwrap().midnight(), day);
        for bad in ["", "2026", "2026-13-01", "2026-02-30", "29.4.2026", "tomorrow", "10:30", "99999-01-01"] {
            assert_eq!(at(bad), None, "{bad}");
        }
        let secs = |text: &str| span(text).map(|span| span.as_secs());
        assert_eq!([secs("6w"), secs("0"), secs("1h30m")], [Some(3_628_800), Some(0), Some(5400)]);
        assert_eq!([secs(""), secs("1h30"), secs("400000000000"), secs("x"), secs("1d x")], [None; 5]);
    }

    #[test]
    fn json_is_seconds_with_milliseconds() {
        let time = Timestamp::from_millis(1_777_470_000_123);
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(json, "1777470000.123");
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
    }
}
