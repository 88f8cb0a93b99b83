//! `crafting project remove`.

use std::io::{BufRead, IsTerminal, Write};

use super::super::args::RemoveArgs;
use super::super::ui::{Ui, text};
use crate::error::{Code, Error, Result};
use crate::farm::Farm;
use crate::model::ProjectName;

/// Removes a project, after a question where somebody can answer it.
pub async fn run(ui: &Ui, farm: &dyn Farm, args: RemoveArgs) -> Result<u8> {
    if !args.yes {
        let project = farm.project(&args.name).await?;
        confirm(&project.name)?;
    }
    let removed = ui.waiting("removing the project", farm.remove_project(&args.name)).await?;
    if ui.is_json() {
        ui.json(&removed)?;
    } else {
        ui.print(&format!(
            "removed project {}: {}, {}, {} free again\n",
            removed.project,
            text::count(removed.jobs, "job"),
            text::count(removed.findings, "finding"),
            text::bytes(removed.freed_bytes)
        ))?;
    }
    Ok(0)
}

fn confirm(name: &ProjectName) -> Result<()> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(Error::invalid(format!(
            "removing the project {name} needs a yes, and there is no terminal to ask on"
        ))
        .hint("add --yes"));
    }
    let _ = write!(
        std::io::stderr().lock(),
        "Remove the project {name} with its jobs, findings, logs, mirror and slots? [y/N] "
    );
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).is_ok();
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" if read => Ok(()),
        _ => Err(Error::new(Code::Interrupted, "nothing was removed").hint("answer y, or add --yes")),
    }
}
