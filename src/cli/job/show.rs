//! `crafting job show`.

use serde_json::json;

use super::super::args::ShowArgs;
use super::super::ui::{Ui, job_table};
use super::named;
use crate::error::Result;
use crate::farm::Farm;
use crate::model::Timestamp;

/// All that is known of a job.
pub async fn run(ui: &Ui, farm: &dyn Farm, args: ShowArgs) -> Result<u8> {
    let job = named(farm, args.which.job).await?;
    if ui.is_json() {
        ui.json(&json!({ "job": job }))?;
    } else {
        let path = farm.log_path(&job.id);
        let kept = farm.kept_tree(&job);
        ui.print(&job_table::show(&job, path.as_deref(), kept.as_deref(), Timestamp::now(), ui.look()))?;
    }
    Ok(0)
}
