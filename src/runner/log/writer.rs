//! Writing a log.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::index::{HEADER_BYTES, RECORD_BYTES, Record, header};
use super::reader::LogReader;
use super::watch::LogWatch;
use super::{LogStats, index_path, path};
use crate::error::{Error, IoContext, Result};
use crate::model::{JobId, Stream, Timestamp};

/// How much of the newest output is kept beyond the limit.
const TAIL_BYTES: usize = 1 << 20;
/// And of how many lines: a record in memory takes more than a short line.
const TAIL_LINES: usize = 1 << 17;

/// The log of a running job. What is written is in the file when the call returns: a killed crafting loses nothing of
/// it, up to the limit.
pub struct LogWriter {
    path: PathBuf,
    log: File,
    index: File,
    begun: Instant,
    /// Bytes in the file.
    length: u64,
    lines: u64,
    /// Whose line is not finished.
    open: Option<Stream>,
    /// Records that are not written yet.
    records: Vec<u8>,
    limit: u64,
    beyond: Option<Beyond>,
    watch: LogWatch,
}

impl LogWriter {
    /// Begins the log of `job`. Beyond `limit` bytes only the newest 1 MiB is kept, and added at the end.
    pub fn create(folder: &Path, job: &JobId, limit: u64) -> Result<Self> {
        let (log_path, index_path) = (path(folder, job), index_path(folder, job));
        // The index first: who waits for the log and opens it at once finds a sound one beside it.
        let mut index = File::create_new(&index_path).on("create the index", &index_path)?;
        let log = index
            .write_all(&header(Timestamp::now()))
            .on("write", &index_path)
            .and_then(|()| File::create_new(&log_path).on("create the log", &log_path));
        if log.is_err() {
            // Retention goes by logs, and would never find it.
            let _ = std::fs::remove_file(&index_path);
        }
        let log = log?;
        Ok(Self {
            path: log_path,
            log,
            index,
            begun: Instant::now(),
            length: 0,
            lines: 0,
            open: None,
            records: Vec::new(),
            limit,
            beyond: None,
            watch: LogWatch::new(),
        })
    }

    /// For a reader in this process that wants to know of new lines.
    pub fn watch(&self) -> LogWatch {
        self.watch.clone()
    }

    /// Adds what one stream wrote.
    ///
    /// After an error the log is sound and ends with the last byte that could be written.
    pub fn write(&mut self, stream: Stream, bytes: &[u8]) -> Result<()> {
        let time = self.time();
        if let Some(beyond) = &mut self.beyond {
            beyond.push(stream, bytes, time);
            return Ok(());
        }
        let room = usize::try_from(self.limit - self.length).unwrap_or(usize::MAX);
        let (head, rest) = bytes.split_at(bytes.len().min(room));
        self.append(stream, head, time)?;
        if !rest.is_empty() {
            let mut beyond = Beyond::default();
            beyond.push(stream, rest, time);
            self.beyond = Some(beyond);
        }
        self.watch.advance(self.length);
        Ok(())
    }

    /// Adds one line of crafting's own, with `[crafting] ` before it.
    pub fn note(&mut self, text: &str) -> Result<()> {
        let line = format!("[crafting] {}\n", text.replace(['\n', '\r'], " "));
        let open = self.beyond.as_ref().map_or(self.open, |beyond| beyond.open);
        if open.is_some() {
            self.write(Stream::Crafting, b"\n")?;
        }
        self.write(Stream::Crafting, line.as_bytes())
    }

    /// Ends the log. What was kept beyond the limit is added now.
    pub fn finish(mut self) -> Result<LogStats> {
        let outcome = self.end();
        self.watch.finish(self.length);
        outcome.map(|()| LogStats { bytes: self.length, lines: self.lines })
    }

    fn end(&mut self) -> Result<()> {
        if let Some(beyond) = self.beyond.take() {
            let (bytes, lines) = beyond.left_out();
            let limit = self.limit;
            if bytes > 0 {
                self.limit = u64::MAX;
                let left_out = "left out here: the log reached its limit";
                self.note(&format!("{bytes} bytes in {lines} lines {left_out} of {limit} bytes"))?;
            }
            for (stream, bytes, time) in beyond.pieces() {
                self.append(stream, bytes, time)?;
            }
        }
        if let Some(stream) = self.open.take() {
            let time = self.time();
            self.record(stream, self.length, time);
        }
        self.write_records()
    }

    fn time(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis() / 10).unwrap_or(u64::MAX)
    }

    fn append(&mut self, stream: Stream, bytes: &[u8], time: u64) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let before = self.length;
        let written = self.write_bytes(bytes);
        let there = usize::try_from(self.length - before).unwrap_or(bytes.len());
        if there > 0 {
            if let Some(other) = self.open.filter(|open| *open != stream) {
                self.record(other, before, time);
            }
            for newline in memchr::memchr_iter(b'\n', &bytes[..there]) {
                self.record(stream, before + newline as u64 + 1, time);
            }
            self.open = (bytes[there - 1] != b'\n').then_some(stream);
        }
        let indexed = self.write_records();
        written.and(indexed)
    }

    /// Like `write_all`, but what was written before an error counts.
    fn write_bytes(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            match self.log.write(bytes) {
                Ok(count) => {
                    self.length += count as u64;
                    bytes = &bytes[count..];
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("write the log", &self.path, &error)),
            }
        }
        Ok(())
    }

    fn record(&mut self, stream: Stream, end: u64, time: u64) {
        self.records.extend_from_slice(&Record { end, stream, time }.to_bytes());
        self.lines += 1;
    }

    fn write_records(&mut self) -> Result<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        // At its place rather than at the end: after an error in the middle of a record the next try mends it.
        let place = HEADER_BYTES + self.lines * RECORD_BYTES - self.records.len() as u64;
        self.index.write_all_at(&self.records, place).on("write the index of", &self.path)?;
        self.records.clear();
        Ok(())
    }
}

/// The newest output of a log that is full.
#[derive(Default)]
struct Beyond {
    bytes: Vec<u8>,
    /// Each line's stream and time, and where it ends, counted from the first byte beyond the limit.
    lines: VecDeque<(Stream, u64, u64)>,
    /// Bytes before those that are kept, and lines.
    dropped: (u64, u64),
    open: Option<Stream>,
}

impl Beyond {
    fn push(&mut self, stream: Stream, bytes: &[u8], time: u64) {
        if self.open.is_some_and(|open| open != stream) {
            self.open = None;
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.bytes.extend_from_slice(piece);
            let end = self.dropped.0 + self.bytes.len() as u64;
            match (self.open, self.lines.back_mut()) {
                (Some(_), Some(line)) => (line.1, line.2) = (time, end),
                _ => self.lines.push_back((stream, time, end)),
            }
            self.open = (!piece.ends_with(b"\n")).then_some(stream);
            // Dropped in large steps, so that a byte is moved once at most.
            if self.bytes.len() > 2 * TAIL_BYTES || self.lines.len() > 2 * TAIL_LINES {
                self.drop_oldest();
            }
        }
    }

    /// Leaves whole lines of at most `TAIL_BYTES` together; a longer one loses its beginning.
    fn drop_oldest(&mut self) {
        let end = self.dropped.0 + self.bytes.len() as u64;
        let mut from = self.dropped.0;
        while self.lines.len() > TAIL_LINES || end - from > TAIL_BYTES as u64 {
            match self.lines.front() {
                Some(&(.., line_end)) if self.lines.len() > 1 => {
                    from = line_end;
                    self.lines.pop_front();
                    self.dropped.1 += 1;
                }
                _ => {
                    from = end - TAIL_BYTES as u64;
                    break;
                }
            }
        }
        let count = usize::try_from(from - self.dropped.0).unwrap_or(self.bytes.len());
        self.bytes.drain(..count);
        self.dropped.0 = from;
    }

    fn left_out(&self) -> (u64, u64) {
        self.dropped
    }

    fn pieces(&self) -> impl Iterator<Item = (Stream, &[u8], u64)> {
        let mut start = 0;
        self.lines.iter().map(move |&(stream, time, end)| {
            let end = usize::try_from(end - self.dropped.0).unwrap_or(self.bytes.len());
            let piece = &self.bytes[start..end];
            start = end;
            (stream, piece, time)
        })
    }
}

/// Adds a whole line to a log that nobody writes any more, beginning it if it is not there; a log that ends with this
/// line already keeps it once. What a crash left without index is indexed on the way.
pub fn append_line(folder: &Path, job: &JobId, line: &str) -> Result<LogStats> {
    let (log_path, index_path) = (path(folder, job), index_path(folder, job));
    let open = |path: &Path| File::options().create(true).append(true).read(true).open(path).on("open", path);
    let (mut log, mut index) = (open(&log_path)?, open(&index_path)?);
    let length = index.metadata().on("read", &index_path)?.len();
    if length < HEADER_BYTES {
        index.set_len(0).on("write", &index_path)?;
        index.write_all(&header(Timestamp::now())).on("write", &index_path)?;
    } else {
        // Half a record, if the crash came in its middle, goes.
        index.set_len(length - (length - HEADER_BYTES) % RECORD_BYTES).on("write", &index_path)?;
    }
    let mut reader = LogReader::open(folder, job)?;
    reader.refresh()?;
    let time = reader.age();
    let mut ends = Vec::new();
    let mut offset = reader.indexed();
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut finished = true;
    loop {
        let count = reader.read_at(offset, &mut buffer)?;
        if count == 0 {
            break;
        }
        ends.extend(
            memchr::memchr_iter(b'\n', &buffer[..count]).map(|newline| (offset + newline as u64 + 1, Stream::Stdout)),
        );
        finished = buffer[count - 1] == b'\n';
        offset += count as u64;
    }
    let mut text = String::new();
    if !finished {
        ends.push((offset, Stream::Stdout));
        text.push('\n');
        ends.push((offset + 1, Stream::Crafting));
    }
    let whole = format!("{line}\n");
    if ends_with_line(&reader, &whole)? {
        // Written by one that was killed before it had written the index.
        if let Some((_, stream)) = ends.last_mut() {
            *stream = Stream::Crafting;
        }
    } else {
        text.push_str(&whole);
        ends.push((offset + text.len() as u64, Stream::Crafting));
    }
    log.write_all(text.as_bytes()).on("write", &log_path)?;
    let end = offset + text.len() as u64;
    let records: Vec<u8> = ends.iter().flat_map(|&(end, stream)| Record { end, stream, time }.to_bytes()).collect();
    index.write_all(&records).on("write", &index_path)?;
    Ok(LogStats { bytes: end, lines: reader.records() + ends.len() as u64 })
}

fn ends_with_line(reader: &LogReader, line: &str) -> Result<bool> {
    // One byte more: what is before the line must be the end of another.
    let start = reader.len().saturating_sub(line.len() as u64 + 1);
    let mut bytes = vec![0; line.len() + 1];
    let count = reader.read_at(start, &mut bytes)?;
    let found = bytes[..count].strip_suffix(line.as_bytes());
    Ok(found.is_some_and(|before| before.is_empty() || before == b"\n"))
}
