//! `crafting serve`.

use super::args::ServeArgs;
use super::on_local_farm;
use super::ui::Ui;
use crate::config::Settings;
use crate::error::Result;
use crate::http::{ServeOptions, serve};

/// Serves until it is asked to end.
pub fn run(ui: &Ui, args: &ServeArgs) -> Result<u8> {
    let options = ServeOptions { bind: args.bind };
    let workers = args.workers.map(usize::from);
    on_local_farm(ui, Settings::load()?.with_workers(workers), async |farm| {
        // Said with --quiet too: with port 0 nobody else knows it.
        let ready = |address| ui.err_line(&format!("listening on http://{address}"));
        serve(farm.clone(), &options, ready).await.map(|()| 0)
    })
}
