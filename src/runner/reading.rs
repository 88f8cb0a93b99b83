//! A job's log read while it grows: parsers see each byte once, and what they find goes to the ledger at once.

use super::Rooms;
use super::log::{LogReader, LogWatch};
use super::reports::ToldTests;
use crate::error::Result;
use crate::findings;
use crate::findings::paths::PathMap;
use crate::ledger;
use crate::model::{Diagnostic, Job, Stream, Timestamp};
use crate::parsers::{Feed, Hint};

/// Bytes that the parsers get at a time.
const CHUNK: usize = 256 * 1024;

/// Findings that are kept in memory before they go to the ledger; a log may be read faster than it is written.
const TOGETHER: usize = 1000;

/// The parsers' place in a log.
pub(super) struct Reading<'a> {
    rooms: &'a Rooms,
    job: &'a Job,
    paths: PathMap,
    feed: Feed,
    found: Vec<Diagnostic>,
    tests: ToldTests,
    count: u64,
}

impl<'a> Reading<'a> {
    pub(super) fn new(rooms: &'a Rooms, job: &'a Job, paths: PathMap) -> Self {
        let hint = Hint { language: Some(job.recipe_snapshot.language), recipe: Some(job.recipe.clone()) };
        Self { rooms, job, paths, feed: Feed::new(hint), found: Vec::new(), tests: ToldTests::default(), count: 0 }
    }

    /// Reads on as the log grows, until it is finished. Nothing waits for this.
    pub(super) fn follow(mut self, watch: &LogWatch) -> Result<Self> {
        let mut reader = LogReader::open(&self.rooms.logs(), &self.job.id)?;
        let mut buffer = vec![0_u8; CHUNK];
        let mut offset = 0;
        while watch.wait_past(offset).is_some() {
            let (begun, finished) = (offset, watch.is_finished());
            reader.refresh()?;
            while offset < reader.len() {
                let Some((stream, length)) = reader.run_at(offset, &mut buffer)? else { break };
                if stream != Stream::Crafting {
                    self.feed.push(stream, &buffer[..length], &mut self.found);
                }
                offset += length as u64;
                if self.found.len() >= TOGETHER {
                    self.keep()?;
                }
            }
            self.keep()?;
            // On a full disk the log may end with bytes that its index does not have.
            if finished && offset == begun {
                break;
            }
        }
        Ok(self)
    }

    /// The recipe has ended: what the parsers still held back is found now, and of what the reports say that which the
    /// log did not.
    pub(super) fn finish(mut self, exit_code: Option<i32>, reported: Vec<Diagnostic>) -> Result<()> {
        let feed = std::mem::replace(&mut self.feed, Feed::new(Hint { language: None, recipe: None }));
        // Reports explain a failure as well as the log does.
        feed.finish(exit_code.filter(|_| reported.is_empty()), &mut self.found);
        self.keep()?;
        self.found = std::mem::take(&mut self.tests).others(reported);
        self.keep()
    }

    fn keep(&mut self) -> Result<()> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.tests.add(&self.found);
        let now = Timestamp::now();
        let rows: Vec<_> =
            self.found.drain(..).map(|diagnostic| findings::finding(diagnostic, self.job, &self.paths, now)).collect();
        self.count += self.rooms.ledger.write(|tx| {
            let added = ledger::findings::insert(tx, &self.job.id, &rows)?;
            ledger::jobs::found(tx, &self.job.id, self.count + added)?;
            Ok(added)
        })?;
        Ok(())
    }
}
