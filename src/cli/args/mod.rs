//! The arguments, as clap reads them: names, flags and their help, nothing else.

mod events;
mod findings;
mod format;
mod job;
mod project;
mod secret;
mod token;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use events::EventsArgs;
pub use findings::{FindingsArgs, FindingsCommand};
pub use format::Format;
pub use job::{CancelArgs, JobCommand, ListArgs, LogArgs, RetryArgs, RunArgs, ShowArgs, WatchArgs};
pub use project::{AddArgs, ProjectCommand, RemoveArgs, ShowProjectArgs, UpdateArgs};
pub use secret::{SecretCommand, SetSecretArgs};
pub use token::{MintArgs, TokenCommand};

use crate::config::Settings;
use crate::error::{Error, Result};
use crate::model::ServerUrl;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "crafting",
    version,
    about = "A build farm in one binary: runs a repository's recipes in a clean checkout and turns what the tools print into findings",
    max_term_width = 100,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Examples:
  crafting job run test lint       run two recipes on the files as they are now
  crafting findings                what the newest jobs of this project found
  crafting job log @last-failed    the log of the newest job that failed"
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// `crafting gc`.
#[derive(Debug, Args)]
pub struct GcArgs {
    /// Slots too that were used within the last day, and with them their warm builds
    #[arg(long)]
    pub all: bool,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Run as if started in this folder
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// Ask the farm that answers there instead of this machine's; else CRAFTING_URL
    #[arg(long, value_name = "URL", global = true)]
    pub server: Option<ServerUrl>,
    /// Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN
    #[arg(long, value_name = "TOKEN|@FILE", global = true)]
    pub token: Option<String>,
    /// Form of the answer on stdout; auto: a table, drawn with lines on a terminal
    #[arg(
        long,
        value_enum,
        default_value_t,
        global = true,
        hide_possible_values = true,
        value_name = "auto|table|json"
    )]
    pub format: Format,
    /// When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE
    #[arg(
        long,
        value_enum,
        default_value_t,
        global = true,
        hide_possible_values = true,
        value_name = "auto|always|never"
    )]
    pub color: ColorWhen,
    /// Say nothing on stderr but warnings and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Tell on stderr what happens inside; twice for every detail
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

impl Global {
    /// For commands that are about this machine's own files: they are not sent to the server that `--server` names.
    pub fn for_this_machine(&self, command: &str) -> Result<()> {
        match self.server {
            Some(_) => Err(Error::invalid(format!("`crafting {command}` is about this machine, not about a server"))
                .hint("leave out --server, or run it on the server's machine")),
            None => Ok(()),
        }
    }

    /// The settings, with what these flags say of the farm that is meant.
    pub fn settings(&self) -> Result<Settings> {
        Settings::load()?.with_server(self.server.clone(), self.token.as_deref())
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at a checkout and write its crafting.toml
    Init(InitArgs),
    /// Register projects, look at them, remove them
    #[command(
        subcommand,
        after_help = "Examples:
  crafting project add .
  crafting project list"
    )]
    Project(ProjectCommand),
    /// Run jobs and look at them
    #[command(
        subcommand,
        after_help = "Examples:
  crafting job run test
  crafting job list --status failed
  crafting job log @last"
    )]
    Job(JobCommand),
    /// Read findings, of jobs or of a captured log, and ignore some
    Findings(FindingsArgs),
    /// Keep values that recipes get and nobody sees
    #[command(
        subcommand,
        after_help = "Examples:
  crafting secret set NPM_TOKEN
  crafting secret list"
    )]
    Secret(SecretCommand),
    /// Show the audit trail: who did what to which object, when
    Events(EventsArgs),
    /// Remove logs, slots and mirrors that are no longer needed
    #[command(after_help = "Examples:
  crafting gc
  crafting gc --all --format json")]
    Gc(GcArgs),
    /// Run jobs for many, and answer over HTTP
    Serve(ServeArgs),
    /// Mint, list and revoke the tokens that a server takes
    #[command(
        subcommand,
        after_help = "Examples:
  crafting token mint alice > alice.token
  crafting token list"
    )]
    Token(TokenCommand),
    /// Look after the ledger, the database of projects, jobs and findings
    #[command(
        subcommand,
        after_help = "Examples:
  crafting ledger check
  crafting ledger backup ledger-copy.db"
    )]
    Ledger(LedgerCommand),
    /// Show the configuration
    #[command(
        subcommand,
        after_help = "Examples:
  crafting config show
  CRAFTING_WORKERS=4 crafting config show"
    )]
    Config(ConfigCommand),
    /// Print a shell's completion script
    Completions(CompletionsArgs),
    /// Write the manual, one page per command
    Man(ManArgs),
}

/// `crafting serve`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting serve
  crafting serve --bind 0.0.0.0:8810 --workers 4
  crafting serve --log-format json --drain 600 2>>serve.log")]
pub struct ServeArgs {
    /// Where to listen; else CRAFTING_BIND, else 127.0.0.1:8810
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub bind: Option<std::net::SocketAddr>,
    /// Jobs that run at once; else half the cores
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// When asked to end, give running jobs so long; else CRAFTING_DRAIN_SECS, else 30
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub drain: Option<u64>,
    /// Form of the log on stderr; auto: text on a terminal, else JSON, an object per line
    #[arg(long, value_name = "auto|text|json", value_enum, hide_possible_values = true, default_value_t)]
    pub log_format: LogFormat,
}

/// How the server's log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `crafting init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting init
  crafting init ../other --force")]
pub struct InitArgs {
    /// A folder in the checkout
    #[arg(default_value = ".", hide_default_value = true)]
    pub path: PathBuf,
    /// Write over a crafting.toml that is there
    #[arg(long)]
    pub force: bool,
}

/// `crafting ledger …`.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Check that the ledger is sound; exit status 3 if it is not
    #[command(after_help = "Examples:
  crafting ledger check
  crafting ledger check --format json")]
    Check,
    /// Copy the ledger to a file while it is in use
    #[command(after_help = "Examples:
  crafting ledger backup ledger-copy.db
  crafting ledger backup /backups/")]
    Backup(BackupArgs),
}

/// `crafting ledger backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The copy: a new file, or a folder to put one in
    #[arg(value_name = "FILE|DIR")]
    pub to: PathBuf,
}

/// `crafting config …`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every effective value and where it came from
    #[command(after_help = "Examples:
  crafting config show
  crafting config show --format json")]
    Show,
}

/// `crafting completions`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting completions bash > ~/.local/share/bash-completion/completions/crafting
  crafting completions zsh > ~/.zfunc/_crafting
  crafting completions fish > ~/.config/fish/completions/crafting.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `crafting man`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting man ~/.local/share/man/man1
  crafting man ./man && man ./man/crafting-job-run.1")]
pub struct ManArgs {
    /// The folder to write into; made if it is not there
    #[arg(value_name = "DIR")]
    pub to: PathBuf,
}
