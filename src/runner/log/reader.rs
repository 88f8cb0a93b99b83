//! Reading a log, finished or not.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::index::{HEADER_BYTES, RECORD_BYTES, Record, read_header};
use super::{index_path, path};
use crate::error::{Error, IoContext, Result};
use crate::model::{JobId, Stream, Timestamp};

/// Records that are read at a time.
const BLOCK: u64 = 4096;

/// A log opened for reading. It sees what was there at the last [`LogReader::refresh`].
pub struct LogReader {
    path: PathBuf,
    log: File,
    index: Option<File>,
    begun: Timestamp,
    length: u64,
    records: u64,
    indexed: u64,
    /// Some records that were read, and the number of the first.
    block: (u64, Vec<Record>),
    /// The number of the record that the last [`LogReader::run_at`] ended with.
    place: u64,
}

impl LogReader {
    /// Opens the log of `job`. A job that never began has none, and old ones go with the retention.
    pub fn open(folder: &Path, job: &JobId) -> Result<Self> {
        let path = path(folder, job);
        let log = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::not_found(format!("there is no log of the job {job}"))
                    .hint("it has not begun, or its log was removed: they are kept for `retention_days`"));
            }
            other => other.on("open the log", &path)?,
        };
        let mut index = File::open(index_path(folder, job)).ok();
        let mut header = [0; HEADER_BYTES as usize];
        let begun = match &mut index {
            Some(file) => file.read_exact(&mut header).ok().and_then(|()| read_header(&header)),
            None => None,
        };
        // Without a sound index the whole log is one open line.
        let index = index.filter(|_| begun.is_some());
        let mut reader = Self {
            path,
            log,
            index,
            begun: begun.unwrap_or_else(Timestamp::now),
            length: 0,
            records: 0,
            indexed: 0,
            block: (0, Vec::new()),
            place: 0,
        };
        reader.refresh()?;
        Ok(reader)
    }

    /// Sees what was written since.
    pub fn refresh(&mut self) -> Result<()> {
        // The index first: what it is about is in the log already.
        if let Some(index) = &self.index {
            let bytes = index.metadata().on("read the index of", &self.path)?.len();
            self.records = bytes.saturating_sub(HEADER_BYTES) / RECORD_BYTES;
        }
        self.length = self.log.metadata().on("read", &self.path)?.len();
        self.indexed = match self.records {
            0 => 0,
            records => self.record(records - 1)?.end.min(self.length),
        };
        Ok(())
    }

    /// Bytes.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Bytes that have a record.
    pub fn indexed(&self) -> u64 {
        self.indexed
    }

    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Hundredths of a second since it was begun.
    pub(super) fn age(&self) -> u64 {
        u64::try_from(Timestamp::now().since(self.begun).as_millis() / 10).unwrap_or(u64::MAX)
    }

    /// Lines, one that is not finished included.
    pub fn line_count(&self) -> u64 {
        self.records + u64::from(self.length > self.indexed)
    }

    /// Where a line begins, the first being 1; behind the last one, the end.
    pub fn line_start(&mut self, line: u64) -> Result<u64> {
        Ok(self.known_start(line)?.unwrap_or(self.length))
    }

    /// Where a line begins, the first being 1; `None` while the one before it is not finished.
    pub fn known_start(&mut self, line: u64) -> Result<Option<u64>> {
        match line {
            0 | 1 => Ok(Some(0)),
            line if line - 2 < self.records => Ok(Some(self.record(line - 2)?.end.min(self.length))),
            _ => Ok(None),
        }
    }

    /// Where the last `lines` lines begin.
    pub fn tail(&mut self, lines: u64) -> Result<u64> {
        match lines {
            0 => Ok(self.length),
            lines => self.line_start((self.line_count() + 1).saturating_sub(lines)),
        }
    }

    /// Fills `buffer` from `offset` on as far as the log goes. How many bytes.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let room =
            usize::try_from(self.length.saturating_sub(offset)).map_or(buffer.len(), |rest| rest.min(buffer.len()));
        let mut filled = 0;
        while filled < room {
            match self.log.read_at(&mut buffer[filled..room], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", &self.path, &error)),
            }
        }
        Ok(filled)
    }

    /// Fills `buffer` from `offset` on with bytes of one stream, as far as that stream goes and lines are finished:
    /// whose they are, and how many. `None` where no finished line is.
    pub fn run_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<Option<(Stream, usize)>> {
        if offset >= self.indexed || buffer.is_empty() {
            return Ok(None);
        }
        let first = self.record_at(offset)?;
        let stream = self.record(first)?.stream;
        let room = offset + buffer.len() as u64;
        let mut last = first;
        let mut end = self.record(first)?.end;
        while end < room && last + 1 < self.records {
            let next = self.record(last + 1)?;
            if next.stream != stream {
                break;
            }
            (last, end) = (last + 1, next.end);
        }
        self.place = last;
        let end = end.min(room).min(self.length);
        let length = usize::try_from(end.saturating_sub(offset)).unwrap_or(0);
        let filled = self.read_at(offset, &mut buffer[..length])?;
        Ok((filled > 0).then_some((stream, filled)))
    }

    /// The number of the record whose line holds `offset`, which must be indexed.
    fn record_at(&mut self, offset: u64) -> Result<u64> {
        // Reading on from where the last call ended is the usual case.
        for number in [self.place, self.place + 1] {
            if number < self.records {
                let start = if number == 0 { 0 } else { self.record(number - 1)?.end };
                if start <= offset && offset < self.record(number)?.end {
                    return Ok(number);
                }
            }
        }
        let (mut low, mut high) = (0, self.records - 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.record(middle)?.end > offset {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    fn record(&mut self, number: u64) -> Result<Record> {
        let (first, block) = &self.block;
        if let Some(record) = number.checked_sub(*first).and_then(|place| block.get(usize::try_from(place).ok()?)) {
            return Ok(*record);
        }
        let Some(index) = &self.index else {
            return Err(Error::not_found(format!("{} has no index", self.path.display())));
        };
        let first = number - number % BLOCK;
        let count = BLOCK.min(self.records.max(number + 1) - first);
        let mut bytes = vec![0; usize::try_from(count * RECORD_BYTES).unwrap_or(0)];
        index.read_exact_at(&mut bytes, HEADER_BYTES + first * RECORD_BYTES).on("read the index of", &self.path)?;
        let (records, _) = bytes.as_chunks::<8>();
        self.block = (first, records.iter().map(|bytes| Record::from_bytes(*bytes)).collect());
        let place = usize::try_from(number - first).unwrap_or(0);
        Ok(self.block.1[place])
    }

    /// The last line that is not empty, of at most `longest` characters, for showing: without colours, control
    /// characters, and what a carriage return has overwritten. `None` if there is none near the end.
    pub fn last_line(&self, longest: usize) -> Result<Option<String>> {
        let mut buffer = vec![0; 4096];
        let count = self.read_at(self.length.saturating_sub(4096), &mut buffer)?;
        let text = String::from_utf8_lossy(&buffer[..count]);
        let shown = text.split(['\n', '\r']).rev().map(printable).find(|line| !line.trim().is_empty());
        Ok(shown.map(|line| line.trim_end().chars().take(longest).collect()))
    }
}

/// A line without escape sequences (ECMA-48) and control characters; a tab is a space.
fn printable(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, characters.peek()) {
            ('\x1b', Some('[')) => {
                characters.next();
                // A control sequence ends with its first byte from @ to ~.
                while characters.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
            }
            ('\x1b', Some(']')) => while characters.next().is_some_and(|c| c != '\x07' && c != '\x1b') {},
            ('\x1b', _) => {
                characters.next();
            }
            ('\t', _) => plain.push(' '),
            (c, _) if c.is_control() => {}
            (c, _) => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::log::{LogStats, LogWriter, append_line};

    /// A generator good enough to mix sizes and streams, the same in every run.
    struct Mix(u64);

    impl Mix {
        fn next(&mut self, below: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % below
        }
    }

    fn all(reader: &LogReader) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(reader.len()).unwrap()];
        assert_eq!(reader.read_at(0, &mut bytes).unwrap(), bytes.len());
        bytes
    }

    #[test]
    fn every_byte_and_every_line_is_where_a_plain_reading_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut mix = Mix(7);
        for round in 0..60 {
            let job = JobId::random().unwrap();
            let mut log = LogWriter::create(folder.path(), &job, 1 << 30).unwrap();
            let mut model: Vec<(Stream, Vec<u8>)> = Vec::new();
            for _ in 0..mix.next(40) {
                let stream = if mix.next(2) == 0 { Stream::Stdout } else { Stream::Stderr };
                let bytes: Vec<u8> = (0..mix.next(30))
                    .map(|_| [b'\n', 0, 0xff, b'a', b'\r', 0x1b][usize::try_from(mix.next(6)).unwrap()])
                    .collect();
                log.write(stream, &bytes).unwrap();
                for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                    match model.last_mut() {
                        Some((last, line)) if *last == stream && !line.ends_with(b"\n") => line.extend(piece),
                        _ => model.push((stream, piece.to_vec())),
                    }
                }
            }
            let stats = log.finish().unwrap();
            let mut reader = LogReader::open(folder.path(), &job).unwrap();
            let whole: Vec<u8> = model.iter().flat_map(|(_, line)| line.clone()).collect();
            assert_eq!(all(&reader), whole, "round {round}");
            assert_eq!(stats, LogStats { bytes: whole.len() as u64, lines: model.len() as u64 });
            let mut offset = 0;
            for (number, (stream, line)) in (1..).zip(&model) {
                assert_eq!(reader.line_start(number).unwrap(), offset);
                let mut buffer = [0; 7];
                let (run, length) = reader.run_at(offset, &mut buffer).unwrap().unwrap();
                assert_eq!(run, *stream);
                assert_eq!(buffer[..length][..length.min(line.len())], line[..length.min(line.len())]);
                offset += line.len() as u64;
            }
            let last = model.len() as u64;
            assert_eq!(reader.line_start(last + 1).unwrap(), offset);
            assert_eq!(reader.tail(2).unwrap(), reader.line_start(last.saturating_sub(1)).unwrap());
            assert_eq!(reader.tail(0).unwrap(), offset);
        }
    }

    #[test]
    fn beyond_the_limit_the_head_and_the_newest_stay() {
        let folder = tempfile::tempdir().unwrap();
        let job = JobId::random().unwrap();
        let mut log = LogWriter::create(folder.path(), &job, 1000).unwrap();
        let lines: Vec<String> = (0..300_000).map(|number| format!("line {number}\n")).collect();
        for line in &lines {
            log.write(Stream::Stdout, line.as_bytes()).unwrap();
        }
        log.note("the end").unwrap();
        log.finish().unwrap();
        let mut reader = LogReader::open(folder.path(), &job).unwrap();
        let text = String::from_utf8(all(&reader)).unwrap();
        let whole = lines.concat();
        assert_eq!(text[..1000], whole[..1000]);
        let (note, tail) = text[1001..].split_once('\n').unwrap();
        assert!(
            note.starts_with("[crafting] ") && note.ends_with("left out here: the log reached its limit of 1000 bytes")
        );
        let tail = tail.strip_suffix("[crafting] the end\n").unwrap();
        assert!(whole.ends_with(tail) && tail.starts_with("line ") && tail.len() >= 1 << 20);
        let counted: Vec<u64> = note.split(' ').filter_map(|word| word.parse().ok()).collect();
        assert_eq!(counted[0], (whole.len() - 1000 - tail.len()) as u64);
        let lines = reader.line_count();
        assert_eq!(reader.line_start(lines).unwrap(), reader.len() - "[crafting] the end\n".len() as u64);
    }

    #[test]
    fn a_note_stands_on_a_line_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let job = JobId::random().unwrap();
        let mut log = LogWriter::create(folder.path(), &job, 1 << 20).unwrap();
        log.write(Stream::Stdout, b"half").unwrap();
        log.note("two\nlines").unwrap();
        let stats = log.finish().unwrap();
        let reader = LogReader::open(folder.path(), &job).unwrap();
        assert_eq!(all(&reader), b"half\n[crafting] two lines\n");
        assert_eq!(stats.lines, 3);
    }

    #[test]
    fn what_a_crash_cut_off_is_mended_by_the_next_line() {
        let folder = tempfile::tempdir().unwrap();
        let job = JobId::random().unwrap();
        let mut log = LogWriter::create(folder.path(), &job, 1 << 20).unwrap();
        log.write(Stream::Stderr, b"one\ntwo\nthr").unwrap();
        drop(log);
        // The last record is torn.
        let index = super::index_path(folder.path(), &job);
        let length = index.metadata().unwrap().len();
        File::options().write(true).open(&index).unwrap().set_len(length - 3).unwrap();
        let reader = LogReader::open(folder.path(), &job).unwrap();
        assert_eq!((reader.line_count(), reader.indexed()), (2, 4));
        let stats = append_line(folder.path(), &job, "the end").unwrap();
        let mut reader = LogReader::open(folder.path(), &job).unwrap();
        assert_eq!(all(&reader), b"one\ntwo\nthr\nthe end\n");
        assert_eq!((stats.lines, reader.line_count()), (5, 5));
        assert_eq!(reader.line_start(3).unwrap(), 8);
        assert_eq!(append_line(folder.path(), &job, "again").unwrap().lines, 6);
        // A log that never was is begun.
        let other = JobId::random().unwrap();
        assert_eq!(append_line(folder.path(), &other, "x").unwrap(), LogStats { bytes: 2, lines: 1 });
    }

    #[test]
    fn a_reader_in_the_same_process_sees_every_line_once() {
        let folder = tempfile::tempdir().unwrap();
        let job = JobId::random().unwrap();
        let mut log = LogWriter::create(folder.path(), &job, 1 << 30).unwrap();
        let watch = log.watch();
        let mut reader = LogReader::open(folder.path(), &job).unwrap();
        let seen = std::thread::spawn(move || {
            let (mut offset, mut seen, mut buffer) = (0, Vec::new(), vec![0; 1 << 16]);
            while watch.wait_past(offset).is_some() {
                reader.refresh().unwrap();
                while let Some((_, length)) = reader.run_at(offset, &mut buffer).unwrap() {
                    seen.extend_from_slice(&buffer[..length]);
                    offset += length as u64;
                }
            }
            seen
        });
        let mut written = Vec::new();
        for number in 0..50_000 {
            let line = format!("{number}\n");
            log.write(if number % 3 == 0 { Stream::Stdout } else { Stream::Stderr }, line.as_bytes()).unwrap();
            written.extend_from_slice(line.as_bytes());
        }
        log.write(Stream::Stdout, b"open").unwrap();
        written.extend_from_slice(b"open");
        log.finish().unwrap();
        assert_eq!(seen.join().unwrap(), written);
    }

    #[test]
    fn the_last_line_is_fit_to_be_shown() {
        let folder = tempfile::tempdir().unwrap();
        for (bytes, shown) in [
            (&b"a\n\x1b[32mok\x1b[0m b\n\n"[..], Some("ok b")),
            (b"10%\r20%\r", Some("20%")),
            (b"x\0y\xff\n", Some("xy\u{fffd}")),
            (b"\n\n", None),
            (b"", None),
        ] {
            let job = JobId::random().unwrap();
            let mut log = LogWriter::create(folder.path(), &job, 1 << 20).unwrap();
            log.write(Stream::Stdout, bytes).unwrap();
            let reader = LogReader::open(folder.path(), &job);
            assert_eq!(reader.unwrap().last_line(80).unwrap().as_deref(), shown);
        }
    }
}
