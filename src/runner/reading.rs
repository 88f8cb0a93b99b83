//! A job's log read while it grows: parsers see each byte once, and what they find goes to the ledger at once.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::Rooms;
use super::log::{LogReader, LogWatch};
use super::masking::Masks;
use super::reports::ToldTests;
use crate::error::Result;
use crate::findings;
use crate::findings::paths::PathMap;
use crate::ledger;
use crate::model::{Diagnostic, Job, Stream, Timestamp};
use crate::parsers::{Feed, Hint};

/// Bytes that the parsers get at a time.
const CHUNK: usize = 256 * 1024;

/// Findings that go to the ledger together, and bytes of their records; a log may be read faster than it is written.
const TOGETHER: usize = 1000;
const TOGETHER_BYTES: usize = 1 << 20;

/// How long a transaction goes on while there is more to write; others wait for it.
const TRANSACTION: Duration = Duration::from_millis(200);
/// So many of these wait for the ledger while the log is read on.
const WAITING: usize = 1;

/// The parsers' place in a log.
pub(super) struct Reading<'a> {
    rooms: &'a Rooms,
    job: &'a Job,
    feed: Feed,
    keeper: Keeper<'a>,
}

/// Brings what is found to the ledger.
struct Keeper<'a> {
    rooms: &'a Rooms,
    job: &'a Job,
    paths: PathMap,
    tests: ToldTests,
    masks: Option<Masks>,
    count: u64,
}

impl<'a> Reading<'a> {
    pub(super) fn new(rooms: &'a Rooms, job: &'a Job, paths: PathMap, masks: Option<Masks>) -> Self {
        let hint = Hint { language: Some(job.recipe_snapshot.language), recipe: Some(job.recipe.clone()) };
        let keeper = Keeper { rooms, job, paths, tests: ToldTests::default(), masks, count: 0 };
        Self { rooms, job, feed: Feed::new(hint), keeper }
    }

    /// Reads on as the log grows, until it is finished. Nothing waits for this.
    pub(super) fn follow(mut self, watch: &LogWatch) -> Result<Self> {
        let Self { rooms, job, feed, keeper } = &mut self;
        let reader = LogReader::open(&rooms.logs(), &job.id)?;
        let (found, waiting) = sync_channel(WAITING);
        // What is found is written while the log is read on.
        std::thread::scope(|scope| {
            let keeping = scope.spawn(move || {
                while let Ok(first) = waiting.recv() {
                    keeper.keep(first, &waiting)?;
                }
                Ok(())
            });
            let read = read(reader, watch, feed, &found);
            drop(found);
            let kept = keeping.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            kept.and(read)
        })?;
        Ok(self)
    }

    /// The recipe has ended: what the parsers still held back is found now, and of what the reports say that which the
    /// log did not.
    pub(super) fn finish(self, exit_code: Option<i32>, reported: Vec<Diagnostic>) -> Result<()> {
        let Self { feed, mut keeper, .. } = self;
        let mut found = Vec::new();
        // Reports explain a failure as well as the log does.
        feed.finish(exit_code.filter(|_| reported.is_empty()), &mut found);
        let (_, nothing) = sync_channel(0);
        keeper.keep(found, &nothing)?;
        let others = std::mem::take(&mut keeper.tests).others(reported);
        keeper.keep(others, &nothing)
    }
}

/// Reads a log to its end, or until nobody takes any more what is found in it.
fn read(mut reader: LogReader, watch: &LogWatch, feed: &mut Feed, keeper: &SyncSender<Vec<Diagnostic>>) -> Result<()> {
    let mut buffer = vec![0_u8; CHUNK];
    let mut found = Vec::new();
    let mut offset = 0;
    while watch.wait_past(offset).is_some() {
        let (begun, finished) = (offset, watch.is_finished());
        reader.refresh()?;
        while offset < reader.len() {
            let Some((stream, length)) = reader.run_at(offset, &mut buffer)? else { break };
            if stream != Stream::Crafting {
                feed.push(stream, &buffer[..length], &mut found);
            }
            offset += length as u64;
            if (found.len() >= TOGETHER || record_bytes(&found) >= TOGETHER_BYTES)
                && keeper.send(std::mem::take(&mut found)).is_err()
            {
                return Ok(());
            }
        }
        if !found.is_empty() && keeper.send(std::mem::take(&mut found)).is_err() {
            return Ok(());
        }
        // On a full disk the log may end with bytes that its index does not have.
        if finished && offset == begun {
            break;
        }
    }
    Ok(())
}

fn record_bytes(found: &[Diagnostic]) -> usize {
    found.iter().filter_map(|one| Some(one.raw.as_ref()?.get().len())).sum()
}

impl Keeper<'_> {
    /// Writes what was found, and in the same transaction what is waiting: the ledger's index is written anew wherever
    /// one of them falls into it, the less often the better.
    fn keep(&mut self, mut found: Vec<Diagnostic>, waiting: &Receiver<Vec<Diagnostic>>) -> Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        let Self { rooms, job, paths, tests, masks, count } = self;
        *count += rooms.ledger.write(|tx| {
            let mut added = 0;
            loop {
                if let Some(masks) = masks {
                    found.iter_mut().for_each(|one| masks.diagnostic(one));
                }
                tests.add(&found);
                let now = Timestamp::now();
                let rows: Vec<_> =
                    found.drain(..).map(|diagnostic| findings::finding(diagnostic, job, paths, now)).collect();
                added += ledger::findings::insert(tx, &job.id, &rows)?;
                if begun.elapsed() >= TRANSACTION {
                    break;
                }
                let Ok(more) = waiting.try_recv() else { break };
                found = more;
            }
            ledger::jobs::found(tx, &job.id, *count + added)?;
            Ok(added)
        })?;
        Ok(())
    }
}
