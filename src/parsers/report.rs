//! A report in a file of its own: the same formats as in a log, recognised by what they begin with.

use std::io::{ErrorKind, Read, Result};

use super::reports::xml_report::Report;
use super::{Feed, Hint};
use crate::model::{Diagnostic, Stream};

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was read.
    Read,
    /// It ends before its end; what stood before it was read.
    CutShort,
    /// It is in no format that is known.
    Unknown,
}

/// Reads a report to its end in bounded memory. What is found is appended to `out`.
pub fn read_report(mut file: impl Read, out: &mut Vec<Diagnostic>) -> Result<Outcome> {
    let mut buffer = vec![0; CHUNK];
    let length = fill(&mut file, &mut buffer)?;
    let start = &buffer[..length];
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    match text.first() {
        Some(b'<') => xml(file, text.to_vec(), buffer, out),
        Some(_) => other(file, text.to_vec(), buffer, out),
        // A linter that has nothing to say.
        None => Ok(Outcome::Read),
    }
}

fn xml(mut file: impl Read, start: Vec<u8>, mut buffer: Vec<u8>, out: &mut Vec<Diagnostic>) -> Result<Outcome> {
    let mut report = Report::default();
    let mut bytes = start;
    loop {
        // A character may be parted by the end of a chunk.
        let whole = match std::str::from_utf8(&bytes) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => bytes.len(),
        };
        if report.push(&String::from_utf8_lossy(&bytes[..whole]), out).is_some() {
            return Ok(if report.is_known() { Outcome::Read } else { Outcome::Unknown });
        }
        bytes.drain(..whole);
        let length = fill(&mut file, &mut buffer)?;
        if length == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..length]);
    }
    report.finish(out);
    Ok(if report.is_known() { Outcome::CutShort } else { Outcome::Unknown })
}

fn other(mut file: impl Read, start: Vec<u8>, mut buffer: Vec<u8>, out: &mut Vec<Diagnostic>) -> Result<Outcome> {
    let before = out.len();
    let is_json = matches!(start.first(), Some(b'{' | b'['));
    let mut feed = Feed::new(Hint::default());
    feed.push(Stream::Stdout, &start, out);
    loop {
        let length = fill(&mut file, &mut buffer)?;
        if length == 0 {
            break;
        }
        feed.push(Stream::Stdout, &buffer[..length], out);
    }
    feed.finish(None, out);
    Ok(if out.len() > before || is_json { Outcome::Read } else { Outcome::Unknown })
}

fn fill(file: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
