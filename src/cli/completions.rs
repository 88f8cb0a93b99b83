//! `crafting completions`.

use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs};
use super::ui::Ui;
use crate::error::Result;

/// Prints the script for a shell.
pub fn run(ui: &Ui, args: &CompletionsArgs) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "crafting", &mut script);
    ui.write(&script)?;
    Ok(0)
}
