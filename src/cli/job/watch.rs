//! `crafting job watch`.

use super::super::args::WatchArgs;
use super::super::ui::Ui;
use super::attached::{Attached, Attachment, OnInterrupt};
use super::{named, scope};
use crate::error::Result;
use crate::farm::Farm;

/// Watches jobs that somebody else started.
pub async fn run(ui: &Ui, farm: &dyn Farm, args: WatchArgs) -> Result<u8> {
    let attached = Attached::new(ui, farm)?;
    let job = named(farm, args.which.job).await?;
    let attachment = Attachment { follow: args.follow, fail_on: args.fail_on, on_interrupt: OnInterrupt::Leave };
    attached.wait(&scope(&job, args.batch), std::slice::from_ref(&job), attachment).await
}
