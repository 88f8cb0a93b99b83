//! What a listener reads who is behind, or wants only a part.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::PIECE;
use super::feed::Shared;
use super::piece::{self, Piece};
use crate::error::{Code, Result};
use crate::farm::{LogPart, LogStart};
use crate::ledger::selection;
use crate::model::{Finding, Job, JobId, Stream};
use crate::runner::Rooms;
use crate::runner::log::LogReader;

/// Findings that are read at a time.
const FINDINGS: usize = 32;
/// Bytes of the stream that is not wanted that are passed over at a time.
const PASSED_OVER: u64 = 16 << 20;

/// A part of a log, as far as it is known.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    start: LogStart,
    lines: Option<u64>,
    stream: Option<Stream>,
    /// Where it ends, once that line is there.
    stop: Option<u64>,
    /// The log's length when there was nothing of it to tell.
    waits_at: Option<(u64, bool)>,
}

impl Reading {
    pub(super) fn new(part: LogPart) -> Self {
        Self { start: part.start, lines: part.lines, stream: part.stream, stop: None, waits_at: None }
    }

    /// How many lines from the end it begins, if so; then it begins where its position says.
    pub(super) fn take_tail(&mut self) -> Option<u64> {
        let LogStart::Tail(lines) = self.start else { return None };
        self.start = LogStart::Line(1);
        Some(lines)
    }

    /// Whether to read there again.
    pub(super) fn wants(&self, offset: u64, edge: u64, complete: bool) -> bool {
        !self.is_told(offset) && self.waits_at != Some((edge, complete))
    }

    pub(super) fn is_told(&self, offset: u64) -> bool {
        self.stop.is_some_and(|stop| offset >= stop)
    }
}

/// What was read.
pub(super) struct Read {
    /// What is to be told.
    pub(super) pieces: Vec<Piece>,
    /// Where to go on if that is nothing.
    pub(super) offset: u64,
    pub(super) part: Option<Reading>,
}

/// Where a log's last lines begin.
pub(super) fn tail(rooms: &Rooms, job: &JobId, lines: u64) -> Result<u64> {
    match LogReader::open(&rooms.logs(), job) {
        Ok(mut reader) => reader.tail(lines),
        Err(error) if error.code() == Code::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Findings behind a row.
pub(super) fn findings(rooms: &Rooms, job: &Job, row: i64) -> Result<Vec<Arc<Shared<Finding>>>> {
    let found = rooms.ledger.read(|tx| selection::after(tx, job, row, FINDINGS))?;
    Ok(found.into_iter().map(Shared::new).collect())
}

/// Reads what is wanted within `range`, about a piece of it. `is_end`: the log ends there for good.
pub(super) fn log(
    rooms: &Rooms,
    job: &JobId,
    range: Range<u64>,
    is_end: bool,
    mut part: Option<Reading>,
) -> Result<Read> {
    let mut reader = match LogReader::open(&rooms.logs(), job) {
        Ok(reader) => reader,
        // It was removed meanwhile.
        Err(error) if error.code() == Code::NotFound => {
            return Ok(Read { pieces: Vec::new(), offset: range.end, part });
        }
        Err(error) => return Err(error),
    };
    let (mut offset, mut end, mut stream) = (range.start, range.end, None);
    if let Some(part) = &mut part {
        stream = part.stream;
        if let LogStart::Line(line) = part.start {
            match reader.known_start(line)? {
                Some(start) => offset = offset.max(start),
                None => offset = end,
            }
            if let Some(lines) = part.lines {
                part.stop = reader.known_start(line.saturating_add(lines))?;
            }
        }
        end = end.min(part.stop.unwrap_or(end));
        if matches!(part.start, LogStart::Line(line) if reader.known_start(line)?.is_none()) {
            part.waits_at = Some((range.end, is_end));
            let offset = if is_end { range.end } else { range.start };
            return Ok(Read { pieces: Vec::new(), offset, part: Some(part.clone()) });
        }
    }
    let far = offset.saturating_add(PASSED_OVER);
    let mut pieces = Vec::new();
    while pieces.is_empty() && offset < end.min(far) {
        let room = usize::try_from(end - offset).map_or(PIECE, |room| room.min(PIECE));
        let mut bytes = vec![0; room];
        let (wanted, count, whole) = match stream {
            None => {
                let count = reader.read_at(offset, &mut bytes)?;
                // Before the end there is another piece, which begins where this one ends.
                (true, count, offset + count as u64 >= end && (part.is_none() || is_end || end < range.end))
            }
            Some(wanted) => match reader.run_at(offset, &mut bytes)? {
                Some((stream, count)) => (stream == wanted, count, count < room || offset + count as u64 >= end),
                None => break,
            },
        };
        if count == 0 {
            break;
        }
        bytes.truncate(count);
        if !wanted {
            offset += count as u64;
            continue;
        }
        pieces = piece::cut(offset, &Bytes::from(bytes), whole);
        if pieces.is_empty() {
            break;
        }
    }
    if let Some(last) = pieces.last_mut() {
        last.more = last.bytes.last() != Some(&b'\n') && !(is_end && last.end() >= range.end) && stream.is_none();
    } else if offset < end.min(far) {
        // There is only the beginning of a line; of a log that is over, nothing that could be read.
        match &mut part {
            Some(part) if !is_end => part.waits_at = Some((range.end, is_end)),
            _ => offset = range.end,
        }
    }
    Ok(Read { pieces, offset, part })
}
