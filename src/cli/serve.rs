//! `crafting serve`.

use super::args::ServeArgs;
use super::on_local_farm;
use super::ui::Ui;
use crate::config::Settings;
use crate::error::Result;
use crate::farm::{FirstAdmin, LocalFarm};
use crate::http::{ServeOptions, serve};

/// Serves until it is asked to end.
pub fn run(ui: &Ui, args: &ServeArgs) -> Result<u8> {
    let options = ServeOptions { bind: args.bind };
    let workers = args.workers.map(usize::from);
    on_local_farm(ui, Settings::load()?.with_workers(workers), async |farm| {
        // Said with --quiet too: with port 0 nobody else knows it.
        let ready = |address| ui.err_line(&format!("listening on http://{address}"));
        first_admin(ui, farm).await?;
        serve(farm.clone(), &options, ready).await.map(|()| 0)
    })
}

/// Sees to it that somebody can mint tokens, before the port opens.
async fn first_admin(ui: &Ui, farm: &LocalFarm) -> Result<()> {
    match farm.first_admin().await? {
        FirstAdmin::There => {}
        FirstAdmin::Minted(path) => ui.note(&format!("the administrator's bearer is in {}", path.display())),
        FirstAdmin::Stale { path, others: true } => ui.warn(&format!(
            "the bearer in {} is not an active administrator's: the ledger does not know it, or it was revoked",
            path.display()
        )),
        FirstAdmin::Stale { path, others: false } => ui.warn(&format!(
            "nobody can mint tokens over HTTP: the bearer in {} is not an active administrator's, and there is no \
             other one; remove that file and start again, or use `crafting token mint NAME --admin` here",
            path.display()
        )),
    }
    Ok(())
}
