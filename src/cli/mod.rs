//! The terminal door: arguments become domain types, the farm is asked once, the answer is rendered.

mod args;
mod completions;
mod config;
mod events;
mod findings;
mod gc;
mod init;
mod job;
mod ledger;
mod man;
mod project;
mod secret;
mod serve;
mod suppress;
mod token;
mod ui;
mod values;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use clap::Parser;
use clap::error::ErrorKind;
use tracing_subscriber::filter::LevelFilter;

use self::args::{Cli, Command};
use self::ui::Ui;
use self::ui::error::{Errors, install_panic_hook, of_clap};
use crate::config::Settings;
use crate::error::{Code, Error, IoContext, Result};
use crate::farm::{Around, BACKGROUND_COMMAND, Farm, LocalFarm, RemoteFarm, run_in_background};
use crate::model::ProjectName;

/// Threads of the asynchronous runtime: it waits, blocking work has threads of its own.
const RUNTIME_THREADS: usize = 2;
/// The exit status of a fault in crafting itself.
const FAULT: u8 = 3;

/// Runs one command line, the program's own name first; returns the exit status.
pub fn run(args: Vec<OsString>) -> u8 {
    install_panic_hook();
    let errors = Errors::new(&args);
    let work = || parse(&args, errors).unwrap_or_else(|error| errors.report(&error));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(FAULT)
}

fn parse(args: &[OsString], errors: Errors) -> Result<u8> {
    // A detached run starts it; no person does, so neither help nor completions name it.
    if let [_, command] = args
        && command == BACKGROUND_COMMAND
    {
        return runtime()?.block_on(run_in_background(Settings::load()?)).map(|()| 0);
    }
    let error = match Cli::try_parse_from(args) {
        Ok(cli) => return dispatch(cli),
        Err(error) => error,
    };
    let answer = of_clap(&error);
    let missing = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && !errors.is_json();
    if !missing {
        answer?;
    }
    // clap writes help in the colours that the terminal takes; a reader who has gone away has read enough.
    let _ = error.print();
    Ok(if missing { Code::InvalidInput.exit_status() } else { 0 })
}

fn dispatch(cli: Cli) -> Result<u8> {
    let Cli { global, command } = cli;
    if let Some(directory) = &global.directory {
        std::env::set_current_dir(directory)
            .on("go to", directory)
            .map_err(|error| Error::invalid(error.to_string()).hint("-C takes a folder that is there"))?;
    }
    if !global.format.is_general() && !matches!(command, Command::Findings(_)) {
        let format = global.format.as_str();
        return Err(Error::invalid(format!("only `crafting findings` answers as {format}")).hint("use --format json"));
    }
    // A server has a log of its own.
    if !matches!(command, Command::Serve(_)) {
        trace(global.verbose);
    }
    let ui = Ui::new(&global);
    match command {
        Command::Init(args) => init::run(&ui, &args),
        Command::Project(command) => project::run(&ui, &global, command),
        Command::Job(command) => job::run(&ui, &global, command),
        Command::Events(args) => events::run(&ui, &global, args),
        Command::Findings(args) => findings::run(&ui, &global, args),
        Command::Secret(command) => secret::run(&ui, &global, command),
        Command::Serve(args) => serve::run(&ui, global.verbose, &args),
        Command::Token(command) => token::run(&ui, &global, command),
        Command::Gc(args) => gc::run(&ui, &global, &args),
        Command::Ledger(command) => ledger::run(&ui, &global, command),
        Command::Config(command) => config::run(&ui, &global, &command),
        Command::Completions(args) => completions::run(&ui, &args),
        Command::Man(args) => man::run(&ui, &args),
    }
}

/// `-v` and `-vv`: what happens inside, on stderr.
fn trace(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false).init();
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
        .enable_all()
        .build()
        .map_err(|error| Error::new(Code::Io, format!("cannot start threads: {error}")).hint("see `ulimit -u`"))
}

/// Does the work on the farm that is meant: a server's where one is named, else this machine's.
fn on_farm(ui: &Ui, settings: Settings, work: impl AsyncFnOnce(&dyn Farm) -> Result<u8>) -> Result<u8> {
    let Some(server) = settings.server.value.clone() else {
        return on_local_farm(ui, settings, async |farm| work(farm).await);
    };
    let farm = RemoteFarm::new(server, settings.token.value.clone(), settings.workspace_dir.value.clone())?;
    let runtime = runtime()?;
    let answer = runtime.block_on(work(&farm));
    runtime.shutdown_background();
    answer
}

/// Opens this machine's farm, says what a crash had left, and does the work on it.
fn on_local_farm(ui: &Ui, settings: Settings, work: impl AsyncFnOnce(&LocalFarm) -> Result<u8>) -> Result<u8> {
    let runtime = runtime()?;
    let answer = runtime.block_on(async {
        let farm = LocalFarm::open(settings)?;
        for job in farm.recovered() {
            let label = ui::text::label(job);
            ui.warn(&format!(
                "the job {} ({} {label}) was stranded by a crash and is {} now",
                job.id, job.project, job.status
            ));
        }
        if let Some(error) = farm.unrecovered() {
            ui.warn(&error.to_string());
        }
        match farm.abandoned() {
            0 => {}
            1 => ui.warn("a queued job lost the `job run` that it was meant for; `crafting job watch` runs it"),
            many => ui.warn(&format!(
                "{many} queued jobs lost the `job run` that they were meant for; `crafting job watch` runs them"
            )),
        }
        let answer = work(&farm).await;
        farm.settle().await;
        answer
    });
    // A thread that still waits for a log nobody reads any more must not keep the program.
    runtime.shutdown_background();
    answer
}

/// The project that was named, else where the user stands.
fn around(project: Option<ProjectName>) -> Result<Around> {
    project.map_or_else(|| here().map(Around::Folder), |project| Ok(Around::Project(project)))
}

/// The folder that counts as "here".
fn here() -> Result<PathBuf> {
    std::env::current_dir().map_err(|error| {
        Error::new(Code::Io, format!("the current folder cannot be found: {error}"))
            .hint("it may have been removed; go to one that is there")
    })
}
