//! `crafting job …`.

mod attached;
mod cancel;
mod list;
mod log;
mod outcome;
mod retry;
mod run;
mod show;
mod stop;
mod watch;

use super::args::{Global, JobCommand};
use super::ui::Ui;
use super::{around, on_farm};
use crate::error::{Error, Result};
use crate::farm::{Farm, JobSelector, Scope};
use crate::model::Job;

/// Runs one of them.
pub fn run(ui: &Ui, global: &Global, command: JobCommand) -> Result<u8> {
    let workers = match &command {
        JobCommand::Run(args) => args.workers.map(usize::from),
        _ => None,
    };
    let settings = global.settings()?.with_workers(workers);
    if workers.is_some()
        && let Some(server) = &settings.server.value
    {
        return Err(Error::invalid(format!("how many jobs run at once is the business of {server}"))
            .hint("leave out --workers; there it is an argument of `crafting serve`"));
    }
    on_farm(ui, settings, async |farm| match command {
        JobCommand::Run(args) => run::run(ui, farm, args).await,
        JobCommand::List(args) => list::run(ui, farm, args).await,
        JobCommand::Show(args) => show::run(ui, farm, args).await,
        JobCommand::Log(args) => log::run(ui, farm, args).await,
        JobCommand::Watch(args) => watch::run(ui, farm, args).await,
        JobCommand::Cancel(args) => cancel::run(ui, farm, args).await,
        JobCommand::Retry(args) => retry::run(ui, farm, args).await,
    })
}

/// The job that a person means who stands here.
async fn named(farm: &dyn Farm, selector: JobSelector) -> Result<Job> {
    farm.job(&selector.around(around(None)?)).await
}

fn scope(job: &Job, batch: bool) -> Scope {
    if batch { Scope::Batch(job.batch_id.clone()) } else { Scope::Job(job.id.clone()) }
}
