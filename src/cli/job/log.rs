//! `crafting job log`.

use super::super::args::LogArgs;
use super::super::ui::Ui;
use super::named;
use super::stop::Stop;
use crate::error::{Code, Result};
use crate::farm::{Farm, LogPart, LogStart};

/// Prints a log as it is, and with --follow goes on until the job ends.
pub async fn run(ui: &Ui, farm: &dyn Farm, args: LogArgs) -> Result<u8> {
    let mut stop = Stop::listen()?;
    let job = named(farm, args.which.job).await?;
    let (start, lines) = match (args.tail, args.lines) {
        (Some(tail), _) => (LogStart::Tail(tail), None),
        (None, Some(range)) => (LogStart::Line(range.first), range.count),
        (None, None) => (LogStart::Line(1), None),
    };
    let part = LogPart { start, lines, stream: args.stream, follow: args.follow };
    let left = || {
        if args.follow && !job.status.is_final() {
            ui.note(&format!("the job {} goes on; `crafting job cancel {0}` ends it", job.id));
        }
        Ok(Code::Interrupted.exit_status())
    };
    let mut chunks = tokio::select! {
        chunks = ui.waiting("waiting for the job to begin", farm.log(&job.id, part)) => chunks?,
        () = stop.asked() => return left(),
    };
    loop {
        tokio::select! {
            chunk = chunks.recv() => match chunk {
                Some(chunk) => ui.write(&chunk?)?,
                None => return Ok(0),
            },
            () = stop.asked() => return left(),
        }
        if ui.is_closed() {
            return Ok(0);
        }
    }
}
