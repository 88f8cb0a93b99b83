//! How far somebody was told of some jobs: all that it takes to go on, on any server that has the ledger and the logs.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, Result};

/// More jobs than a batch has.
const MOST_JOBS: usize = 100_000;
/// The one form there is.
const VERSION: &str = "1";

/// How far a follow has come. As text it is an event's id:
///
/// `1.KNOWN.OVER.OPEN`, and `.end` behind the last event. `KNOWN` is the number of jobs that were told of, in the order
/// of queueing; `OVER` a bitmap in base64url of those whose end was told, the lowest bit of a byte first, without empty
/// bytes at its end; `OPEN`, separated by commas, `JOB:BYTES:FINDING` of each that was told to run: its number from 0,
/// up to where its log was told, and the row of its last finding, the latter two only where there is something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub(super) jobs: Vec<Place>,
    pub(super) ended: bool,
}

/// How far one job was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) phase: Phase,
    /// Up to here its log was told.
    pub(super) offset: u64,
    /// The row of the last finding that was told.
    pub(super) finding: i64,
}

/// The state that a job was told to be in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// None yet.
    #[default]
    New,
    Queued,
    Running,
    Over,
}

impl Position {
    /// Whether all was told there will ever be.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn place(&self, job: usize) -> Place {
        self.jobs.get(job).copied().unwrap_or_default()
    }

    pub(super) fn place_mut(&mut self, job: usize) -> &mut Place {
        if self.jobs.len() <= job {
            self.jobs.resize(job + 1, Place::default());
        }
        &mut self.jobs[job]
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut over = vec![0_u8; self.jobs.len().div_ceil(8)];
        for (number, _) in self.jobs.iter().enumerate().filter(|(_, place)| place.phase == Phase::Over) {
            over[number / 8] |= 1 << (number % 8);
        }
        over.truncate(over.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        write!(f, "{VERSION}.{}.{}.", self.jobs.len(), URL_SAFE_NO_PAD.encode(over))?;
        // One that is told from its end backwards, its log first, is open like one that runs.
        let is_open = |place: &Place| match place.phase {
            Phase::Running => true,
            Phase::New => place.offset > 0 || place.finding > 0,
            Phase::Queued | Phase::Over => false,
        };
        for (count, (number, place)) in self.jobs.iter().enumerate().filter(|(_, place)| is_open(place)).enumerate() {
            write!(f, "{}{number}", if count > 0 { "," } else { "" })?;
            match (place.offset, place.finding) {
                (0, 0) => {}
                (offset, 0) => write!(f, ":{offset}")?,
                (offset, finding) => write!(f, ":{offset}:{finding}")?,
            }
        }
        f.write_str(if self.ended { ".end" } else { "" })
    }
}

impl FromStr for Position {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        parse(text).ok_or_else(|| {
            Error::invalid("that is no id of an event").hint("send the last id as it came, or none to begin anew")
        })
    }
}

fn parse(text: &str) -> Option<Position> {
    let mut parts = text.split('.');
    let (version, known, over, open) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let ended = match (parts.next(), parts.next()) {
        (None, _) => false,
        (Some("end"), None) => true,
        _ => return None,
    };
    let known: usize = known.parse().ok().filter(|known| *known <= MOST_JOBS && version == VERSION)?;
    let queued = Place { phase: Phase::Queued, ..Place::default() };
    let mut position = Position { jobs: vec![queued; known], ended };
    for (byte, bits) in URL_SAFE_NO_PAD.decode(over).ok()?.into_iter().enumerate() {
        for bit in (0..8).filter(|bit| bits >> bit & 1 == 1) {
            position.jobs.get_mut(byte * 8 + bit)?.phase = Phase::Over;
        }
    }
    for entry in open.split(',').filter(|entry| !entry.is_empty()) {
        let mut numbers = entry.split(':');
        let place = position.jobs.get_mut(numbers.next()?.parse::<usize>().ok()?)?;
        let offset = numbers.next().map_or(Some(0), |offset| offset.parse().ok())?;
        let finding = numbers.next().map_or(Some(0), |finding| finding.parse().ok())?;
        if numbers.next().is_some() || place.phase != Phase::Queued || finding < 0 {
            return None;
        }
        *place = Place { phase: Phase::Running, offset, finding };
    }
    Some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let over = Place { phase: Phase::Over, ..Place::default() };
        let queued = Place { phase: Phase::Queued, ..Place::default() };
        let running = |offset, finding| Place { phase: Phase::Running, offset, finding };
        let some = vec![over, running(0, 0), over, queued, running(1 << 35, 0), queued, queued, queued, running(0, 7)];
        for (jobs, ended, text) in [
            (vec![], false, "1.0.."),
            (vec![running(5, 9)], false, "1.1..0:5:9"),
            (vec![over], true, "1.1.AQ..end"),
            (some, false, "1.9.BQ.1,4:34359738368,8:0:7"),
        ] {
            let position = Position { jobs, ended };
            assert_eq!(position.to_string(), text);
            assert_eq!(text.parse::<Position>().unwrap(), position);
        }
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in [
            "",
            "1",
            "2.0..",
            "1.1",
            "1.-1..",
            "1.99999999999..",
            "1.1.AQ.0",
            "1.1..1",
            "1.1..0:x",
            "1.1..0:1:2:3",
            "1.1.Ag.",
            "1.1..0:1:-2",
            "1.1..0.ende",
            "1.1..0.end.",
            "1.1..0,0",
            "é",
        ] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
