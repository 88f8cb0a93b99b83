//! `crafting job list`.

use super::super::args::ListArgs;
use super::super::ui::json::JobsAnswer;
use super::super::ui::{Ui, job_table};
use super::named;
use crate::error::Result;
use crate::farm::{Farm, JobFilter};
use crate::model::Timestamp;

/// Jobs, newest first.
pub async fn run(ui: &Ui, farm: &dyn Farm, args: ListArgs) -> Result<u8> {
    let before = match args.before {
        Some(selector) => Some(named(farm, selector).await?.id),
        None => None,
    };
    let filter =
        JobFilter { project: args.project, status: args.status, recipe: args.recipe, limit: args.limit, before };
    let jobs = farm.jobs(&filter).await?;
    if ui.is_json() {
        ui.json(&JobsAnswer { jobs: &jobs })?;
        return Ok(0);
    }
    ui.print(&job_table::list(&jobs, Timestamp::now(), ui.look()))?;
    match jobs.last() {
        None => ui.note("there are no such jobs; `crafting job run` makes some"),
        Some(last) if u32::try_from(jobs.len()).is_ok_and(|number| number == filter.limit) => {
            ui.note(&format!("older ones: crafting job list --before {}", last.id));
        }
        Some(_) => {}
    }
    Ok(0)
}
