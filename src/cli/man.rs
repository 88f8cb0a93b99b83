//! `crafting man`.

use clap::CommandFactory;

use super::args::{Cli, ManArgs};
use super::ui::{Ui, text};
use crate::error::{IoContext, Result};

/// Writes the manual in the man(7) language, `crafting.1` and one page per command.
pub fn run(ui: &Ui, args: &ManArgs) -> Result<u8> {
    let directory = &args.to;
    std::fs::create_dir_all(directory).on("create the folder", directory)?;
    let mut command = Cli::command();
    command.build();
    let mut pages = 0;
    page(&command, &mut |name, text| {
        pages += 1;
        let path = directory.join(name);
        std::fs::write(&path, text).on("write", &path)
    })?;
    ui.note(&format!("{} in {}", text::count(pages, "page"), directory.display()));
    Ok(0)
}

fn page(command: &clap::Command, write: &mut dyn FnMut(String, &[u8]) -> Result<()>) -> Result<()> {
    let man = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = man.render(&mut text);
    write(man.get_filename(), &text)?;
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        page(inner, write)?;
    }
    Ok(())
}
