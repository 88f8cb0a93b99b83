//! A job's log whose bytes are masked before they enter it.

use std::time::{Duration, Instant};

use super::Masks;
use super::stream::Masker;
use crate::error::Result;
use crate::model::Stream;
use crate::runner::log::{LogStats, LogWatch, LogWriter};

/// After this long without output what a stream holds back is shown, if it is little.
const QUIET: Duration = Duration::from_millis(200);

/// The one way into a job's log.
pub(in crate::runner) struct MaskedLog {
    log: LogWriter,
    masking: Option<Masking>,
}

struct Masking {
    masks: Masks,
    /// Standard output and error, and since when each holds something back that may be shown.
    streams: [(Masker, Option<Instant>); 2],
    /// Kept for the next piece.
    out: Vec<u8>,
}

impl MaskedLog {
    /// Of a job that has no secrets so far.
    pub(in crate::runner) fn new(log: LogWriter) -> Self {
        Self { log, masking: None }
    }

    /// From here on these are masked.
    pub(in crate::runner) fn mask(&mut self, masks: Option<Masks>) {
        self.masking = masks.map(|masks| {
            let stream = || (Masker::new(masks.clone()), None);
            Masking { streams: [stream(), stream()], out: Vec::new(), masks }
        });
    }

    /// For a reader in this process that wants to know of new lines.
    pub(in crate::runner) fn watch(&self) -> LogWatch {
        self.log.watch()
    }

    /// Adds what one stream wrote; see [`LogWriter::write`].
    pub(in crate::runner) fn write(&mut self, stream: Stream, bytes: &[u8]) -> Result<()> {
        let Some(masking) = &mut self.masking else { return self.log.write(stream, bytes) };
        let (masker, waits) = &mut masking.streams[usize::from(stream == Stream::Stderr)];
        masking.out.clear();
        masker.push(bytes, &mut masking.out);
        *waits = masker.may_release().then(Instant::now);
        write_some(&mut self.log, stream, &masking.out)
    }

    /// How long to wait for output until [`MaskedLog::release`] has something to show; none: for ever.
    pub(in crate::runner) fn patience(&self) -> Option<Duration> {
        let since = self.masking.as_ref()?.streams.iter().filter_map(|(_, waits)| *waits).min()?;
        Some(QUIET.saturating_sub(since.elapsed()))
    }

    /// Shows what a quiet stream held back.
    pub(in crate::runner) fn release(&mut self) -> Result<()> {
        self.let_out(|masker, waits, out| {
            if waits.is_some_and(|since| since.elapsed() >= QUIET) {
                *waits = None;
                masker.release(out);
            }
        })
    }

    /// The streams are over: what they held back is decided.
    pub(in crate::runner) fn end_streams(&mut self) -> Result<()> {
        self.let_out(|masker, waits, out| {
            *waits = None;
            masker.end(out);
        })
    }

    fn let_out(&mut self, work: impl Fn(&mut Masker, &mut Option<Instant>, &mut Vec<u8>)) -> Result<()> {
        let Some(masking) = &mut self.masking else { return Ok(()) };
        for ((masker, waits), stream) in masking.streams.iter_mut().zip([Stream::Stdout, Stream::Stderr]) {
            masking.out.clear();
            work(masker, waits, &mut masking.out);
            write_some(&mut self.log, stream, &masking.out)?;
        }
        Ok(())
    }

    /// Adds one line of crafting's own; see [`LogWriter::note`].
    pub(in crate::runner) fn note(&mut self, text: &str) -> Result<()> {
        match &self.masking {
            Some(masking) => self.log.note(&masking.masks.text(text)),
            None => self.log.note(text),
        }
    }

    /// Ends the log; see [`LogWriter::finish`].
    pub(in crate::runner) fn finish(self) -> Result<LogStats> {
        self.log.finish()
    }
}

fn write_some(log: &mut LogWriter, stream: Stream, bytes: &[u8]) -> Result<()> {
    if bytes.is_empty() { Ok(()) } else { log.write(stream, bytes) }
}
