//! The file beside a log that knows where its lines are.
//!
//! A header of 16 bytes, then 8 bytes for each line, all little-endian:
//!
//! | header | |
//! |---|---|
//! | 4 bytes | `crix` |
//! | 4 bytes | the version of this format, 1 |
//! | 8 bytes | when the log was begun, milliseconds since the epoch |
//!
//! | record | |
//! |---|---|
//! | 36 bits | where the line ends: the offset behind its last byte |
//! | 2 bits | its stream: 0 stdout, 1 stderr, 2 crafting |
//! | 26 bits | when its end was read, in hundredths of a second since the log was begun, at most seven days |
//!
//! Records are written after the bytes that they are about. What a crash left without a record is a line still open.

use crate::model::{Stream, Timestamp};

pub(super) const HEADER_BYTES: u64 = 16;
pub(super) const RECORD_BYTES: u64 = 8;

/// The longest log that a record can point into.
pub const MAX_BYTES: u64 = (1 << 36) - 1;

const MAGIC: &[u8; 4] = b"crix";
const VERSION: u32 = 1;
const TIME_MAX: u64 = (1 << 26) - 1;

pub(super) fn header(begun: Timestamp) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(MAGIC);
    bytes[4..8].copy_from_slice(&VERSION.to_le_bytes());
    bytes[8..].copy_from_slice(&begun.as_millis().to_le_bytes());
    bytes
}

/// When the log was begun; `None` if this is no such header.
pub(super) fn read_header(bytes: &[u8; 16]) -> Option<Timestamp> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    let (version, time) = rest.split_first_chunk::<4>()?;
    if magic != MAGIC || u32::from_le_bytes(*version) != VERSION {
        return None;
    }
    Some(Timestamp::from_millis(i64::from_le_bytes(*time.first_chunk::<8>()?)))
}

/// One line's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) end: u64,
    pub(super) stream: Stream,
    /// Hundredths of a second since the log was begun.
    pub(super) time: u64,
}

impl Record {
    pub(super) fn to_bytes(self) -> [u8; 8] {
        let stream = match self.stream {
            Stream::Stdout => 0,
            Stream::Stderr => 1,
            Stream::Crafting => 2,
        };
        (self.end.min(MAX_BYTES) | stream << 36 | self.time.min(TIME_MAX) << 38).to_le_bytes()
    }

    pub(super) fn from_bytes(bytes: [u8; 8]) -> Self {
        let bits = u64::from_le_bytes(bytes);
        let stream = match bits >> 36 & 3 {
            0 => Stream::Stdout,
            1 => Stream::Stderr,
            _ => Stream::Crafting,
        };
        Self { end: bits & MAX_BYTES, stream, time: bits >> 38 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_its_three_parts() {
        for stream in [Stream::Stdout, Stream::Stderr, Stream::Crafting] {
            for end in [0, 1, 1 << 30, MAX_BYTES] {
                for time in [0, 7, TIME_MAX] {
                    let record = Record { end, stream, time };
                    assert_eq!(Record::from_bytes(record.to_bytes()), record);
                }
            }
        }
        let late = Record { end: 5, stream: Stream::Stdout, time: u64::MAX };
        assert_eq!(Record::from_bytes(late.to_bytes()), Record { time: TIME_MAX, ..late });
        let begun = Timestamp::from_millis(1_777_470_000_123);
        assert_eq!(read_header(&header(begun)), Some(begun));
        assert_eq!(read_header(&[0; 16]), None);
    }
}
