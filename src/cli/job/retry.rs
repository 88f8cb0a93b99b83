//! `crafting job retry`.

use super::super::args::RetryArgs;
use super::super::ui::Ui;
use super::attached::{Attached, Attachment, OnInterrupt};
use super::named;
use crate::error::Result;
use crate::farm::Farm;

/// Runs a finished job again.
pub async fn run(ui: &Ui, farm: &dyn Farm, args: RetryArgs) -> Result<u8> {
    let job = named(farm, args.which.job).await?;
    let attachment = (!args.detach).then_some(Attachment {
        follow: args.follow,
        fail_on: args.fail_on,
        on_interrupt: OnInterrupt::Cancel,
    });
    Attached::new(ui, farm)?.start(farm.retry(&job.id, args.detach), attachment).await
}
