//! Sending a part of a log to who asked for it, and going on with it while the job runs.

use tokio::sync::mpsc;

use super::follow::{CHUNK, LINES_EVERY, unwatched};
use super::{Event, LogPart, LogStart};
use crate::changes::Changes;
use crate::error::{Code, Error, Result};
use crate::runner::log::LogReader;

/// A part of a log on its way.
pub(super) struct Sending {
    reader: LogReader,
    part: LogPart,
    /// Up to where it was sent; a line that is not written yet has no place yet.
    place: Option<u64>,
    chunks: mpsc::Sender<Result<Vec<u8>>>,
}

/// The events of a running job, and the changes of its log.
pub(super) type Live = (mpsc::Receiver<Result<Event>>, Changes);

fn unread(error: tokio::task::JoinError) -> Error {
    Error::new(Code::Io, format!("reading the log failed: {error}"))
}

impl Sending {
    pub(super) fn new(reader: LogReader, part: LogPart, chunks: mpsc::Sender<Result<Vec<u8>>>) -> Self {
        Self { reader, part, place: None, chunks }
    }

    /// Sends what there is, and with `live` what comes until the job's events end.
    pub(super) async fn run(self, live: Option<Live>) {
        let chunks = self.chunks.clone();
        if let Err(error) = self.send(live).await {
            let _ = chunks.send(Err(error)).await;
        }
    }

    async fn send(mut self, mut live: Option<Live>) -> Result<()> {
        let chunks = self.chunks.clone();
        loop {
            if let Some((_, changes)) = &mut live {
                changes.borrow_and_update();
            }
            // Reading blocks, and so does a listener who is slow to take the chunks.
            let step = move || -> Result<(Self, bool)> {
                let done = self.step()?;
                Ok((self, done))
            };
            let done;
            (self, done) = tokio::task::spawn_blocking(step).await.map_err(unread)??;
            let Some((events, changes)) = live.as_mut().filter(|_| !done) else { return Ok(()) };
            tokio::select! {
                event = events.recv() => match event {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error),
                    // The job is over: what it wrote last is sent, then this ends.
                    None => live = None,
                },
                changed = changes.changed() => {
                    changed.map_err(|_| unwatched())?;
                    tokio::time::sleep(LINES_EVERY).await;
                }
                () = chunks.closed() => return Ok(()),
            }
        }
    }

    /// Sends what the log has by now. Whether that was all that was asked for, or nobody listens any more.
    fn step(&mut self) -> Result<bool> {
        self.reader.refresh()?;
        let end = match (self.part.start, self.part.lines) {
            (LogStart::Line(line), Some(lines)) => self.reader.known_start(line.saturating_add(lines))?,
            _ => None,
        };
        if self.place.is_none() {
            self.place = match self.part.start {
                LogStart::Line(line) => self.reader.known_start(line)?,
                LogStart::Tail(lines) => Some(self.reader.tail(lines)?),
            };
        }
        let stop = end.unwrap_or(self.reader.len());
        while let Some(offset) = self.place
            && offset < stop
        {
            let mut bytes = vec![0; usize::try_from(stop - offset).map_or(CHUNK, |rest| rest.min(CHUNK))];
            let (stream, length) = match self.part.stream {
                // Only one stream is wanted: pieces of one stream at a time.
                Some(_) => match self.reader.run_at(offset, &mut bytes)? {
                    Some((stream, length)) => (Some(stream), length),
                    None => break,
                },
                None => (None, self.reader.read_at(offset, &mut bytes)?),
            };
            if length == 0 {
                break;
            }
            self.place = Some(offset + length as u64);
            bytes.truncate(length);
            if stream == self.part.stream && self.chunks.blocking_send(Ok(bytes)).is_err() {
                return Ok(true);
            }
        }
        Ok(end.is_some() && self.place >= end)
    }
}
