//! `crafting job cancel`.

use super::super::args::CancelArgs;
use super::super::ui::json::JobsAnswer;
use super::super::ui::{Ui, job_table};
use super::{named, scope};
use crate::error::Result;
use crate::farm::Farm;
use crate::model::Timestamp;

/// Asks for the end of jobs.
pub async fn run(ui: &Ui, farm: &dyn Farm, args: CancelArgs) -> Result<u8> {
    let job = named(farm, args.which.job).await?;
    let jobs = farm.cancel(&scope(&job, args.batch), args.force).await?;
    if ui.is_json() {
        ui.json(&JobsAnswer { jobs: &jobs })?;
        return Ok(0);
    }
    ui.print(&job_table::list(&jobs, Timestamp::now(), ui.look()))?;
    if !args.batch && job.status.is_final() {
        ui.note("it had ended already");
    }
    if jobs.iter().any(|job| !job.status.is_final()) {
        ui.note("asked to end; `crafting job watch` waits for it, --force ends at once");
    }
    Ok(0)
}
