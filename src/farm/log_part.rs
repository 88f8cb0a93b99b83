//! Sending a part of a log to who asked for it, and going on with it while the job runs.
//!
//! Whoever is slow to take it holds a task and a chunk, and no thread: there is room for the next chunk before it is
//! read.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::live::{Hub, Standing};
use super::{LogPart, LogStart};
use crate::error::{Code, Error, Result};
use crate::model::{JobId, Stream};
use crate::runner::Rooms;
use crate::runner::log::LogReader;

/// The longest chunk.
const CHUNK: usize = 64 << 10;
/// Bytes of the stream that is not wanted that are passed over at a time.
const PASSED_OVER: u64 = 16 << 20;

/// A part of a log on its way.
pub(super) struct Sending {
    hub: Hub,
    place: Option<Place>,
    live: Option<watch::Receiver<Arc<Standing>>>,
    chunks: mpsc::Sender<Result<Vec<u8>>>,
}

/// Where it is being read.
struct Place {
    reader: LogReader,
    part: LogPart,
    /// Up to where it was read; a line that is not written yet has no place yet.
    offset: Option<u64>,
    /// Where it ends, if that is not for lines to say.
    stop: Option<u64>,
}

/// What there was to read.
enum Found {
    Chunk(Vec<u8>),
    /// Nothing that is wanted so far, but there is more.
    Passed,
    /// Nothing more by now.
    Nothing,
    /// Nothing more of the part, whatever the log comes to.
    Done,
}

impl Sending {
    /// Opens the log; with `live`, waits for that of a job that has not begun. [`Code::NotFound`] if it ends without.
    pub(super) async fn open(
        rooms: &Arc<Rooms>,
        hub: &Hub,
        job: &JobId,
        part: LogPart,
        mut live: Option<watch::Receiver<Arc<Standing>>>,
        chunks: mpsc::Sender<Result<Vec<u8>>>,
    ) -> Result<Self> {
        loop {
            let over = match &mut live {
                Some(standings) => now(standings)?.is_first_final(),
                None => true,
            };
            let (rooms, job) = (Arc::clone(rooms), job.clone());
            let reader = match hub.read(move || LogReader::open(&rooms.logs(), &job)).await {
                Err(error) if error.code() == Code::NotFound && !over => None,
                other => Some(other?),
            };
            if let Some(reader) = reader {
                return Ok(Self {
                    hub: hub.clone(),
                    place: Some(Place { reader, part, offset: None, stop: None }),
                    live,
                    chunks,
                });
            }
            if let Some(standings) = &mut live {
                let _ = standings.changed().await;
            }
        }
    }

    /// Only so many bytes from there on.
    pub(super) fn only(mut self, from: u64, count: u64) -> Self {
        if let Some(place) = &mut self.place {
            (place.offset, place.stop) = (Some(from), Some(from.saturating_add(count)));
        }
        self
    }

    /// Sends what there is, and with `live` what comes until the job ends.
    pub(super) async fn run(mut self) {
        if let Err(error) = self.send().await {
            let _ = self.chunks.send(Err(error)).await;
        }
    }

    async fn send(&mut self) -> Result<()> {
        loop {
            // Looked at before the log is: what a job wrote last is there when it is final.
            let over = match &mut self.live {
                Some(standings) => now(standings)?.is_first_final(),
                None => true,
            };
            let mut refresh = self.live.is_some();
            loop {
                let Ok(room) = self.chunks.reserve().await else { return Ok(()) };
                let Some(mut place) = self.place.take() else { return Ok(()) };
                let (place, found) = self.hub.read(move || place.read(refresh).map(|found| (place, found))).await?;
                refresh = false;
                self.place = Some(place);
                match found {
                    Found::Chunk(bytes) => room.send(Ok(bytes)),
                    Found::Passed => {}
                    Found::Nothing => break,
                    Found::Done => return Ok(()),
                }
            }
            let Some(standings) = self.live.as_mut().filter(|_| !over) else { return Ok(()) };
            tokio::select! {
                changed = standings.changed() => {
                    changed.map_err(|_| Error::new(Code::Interrupted, "nobody looks after the log any more"))?;
                }
                () = self.chunks.closed() => return Ok(()),
            }
        }
    }
}

fn now(standings: &mut watch::Receiver<Arc<Standing>>) -> Result<Arc<Standing>> {
    let standing = Arc::clone(&standings.borrow_and_update());
    match standing.problem() {
        Some(problem) => Err(problem),
        None => Ok(standing),
    }
}

impl Place {
    /// Reads on; with `refresh`, sees what was written since.
    fn read(&mut self, refresh: bool) -> Result<Found> {
        if refresh {
            self.reader.refresh()?;
        }
        let end = match (self.part.start, self.part.lines) {
            (LogStart::Line(line), Some(lines)) => self.reader.known_start(line.saturating_add(lines))?,
            _ => self.stop,
        };
        if self.offset.is_none() {
            self.offset = match self.part.start {
                LogStart::Line(line) => self.reader.known_start(line)?,
                LogStart::Tail(lines) => Some(self.reader.tail(lines)?),
            };
        }
        let stop = end.unwrap_or(self.reader.len());
        let Some(mut offset) = self.offset else { return Ok(Found::Nothing) };
        let far = offset.saturating_add(PASSED_OVER);
        while offset < stop && offset < far {
            let mut bytes = vec![0; usize::try_from(stop - offset).map_or(CHUNK, |rest| rest.min(CHUNK))];
            let (stream, length): (Option<Stream>, usize) = match self.part.stream {
                // Only one stream is wanted: pieces of one stream at a time.
                Some(_) => match self.reader.run_at(offset, &mut bytes)? {
                    Some((stream, length)) => (Some(stream), length),
                    None => return Ok(Found::Nothing),
                },
                None => (None, self.reader.read_at(offset, &mut bytes)?),
            };
            if length == 0 {
                return Ok(Found::Nothing);
            }
            offset += length as u64;
            self.offset = Some(offset);
            if stream == self.part.stream {
                bytes.truncate(length);
                return Ok(Found::Chunk(bytes));
            }
        }
        Ok(match (end, offset < stop) {
            (_, true) => Found::Passed,
            (Some(end), false) if offset >= end => Found::Done,
            (_, false) => Found::Nothing,
        })
    }
}
