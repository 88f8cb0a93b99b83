//! `crafting serve`.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

use super::args::{LogFormat, ServeArgs};
use super::on_local_farm;
use super::ui::Ui;
use crate::config::Settings;
use crate::error::Result;
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
                explain(ui, address, &data);
            }
        };
        serve(farm.clone(), &options, listening).await.map(|()| 0)
    })
}

/// What somebody at a terminal wants to know next.
fn explain(ui: &Ui, address: SocketAddr, data: &Path) {
    let bearer = data.join("admin-bearer.txt");
    ui.note(&format!("the administrator's bearer is in {}", bearer.display()));
    ui.note(&format!("what it answers: http://{address}/docs; Ctrl-C ends it"));
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
