//! `crafting serve`.

use std::io::IsTerminal as _;
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

use super::args::{LogFormat, ServeArgs};
use super::on_local_farm;
use super::ui::Ui;
use crate::config::Settings;
use crate::error::Result;
use crate::farm::{FirstAdmin, LocalFarm};
use crate::http::{ServeOptions, serve};

/// Serves until it is asked to end.
pub fn run(ui: &Ui, verbose: u8, args: &ServeArgs) -> Result<u8> {
    let terminal = std::io::stderr().is_terminal();
    log(verbose, args.log_format, terminal);
    let settings = Settings::load()?.with_workers(args.workers.map(usize::from)).with_serving(args.bind, args.drain);
    let options = ServeOptions { bind: settings.bind.value, drain: Duration::from_secs(settings.drain_secs.value) };
    on_local_farm(ui, settings, async |farm| {
        let data = farm.settings().data_dir.value.clone();
        let listening = |address| {
            // Said with --quiet too: with port 0 nobody else knows it.
            ui.err_line(&format!("listening on http://{address}"));
            if terminal {
                ui.note(&format!("the administrator's bearer is in {}", data.join("admin-bearer.txt").display()));
                ui.note(&format!("what it answers stands at http://{address}/docs; Ctrl-C ends it"));
            }
        };
        first_admin(ui, farm).await?;
        serve(farm.clone(), &options, listening).await.map(|()| 0)
    })
}

/// The server's log, on stderr.
fn log(verbose: u8, format: LogFormat, terminal: bool) {
    let level = match verbose {
        0 => LevelFilter::INFO,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false);
    match format {
        LogFormat::Json => log.json().flatten_event(true).init(),
        LogFormat::Auto if !terminal => log.json().flatten_event(true).init(),
        LogFormat::Auto | LogFormat::Text => log.with_target(false).init(),
    }
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
