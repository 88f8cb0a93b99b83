//! `crafting findings`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::args::{FindingsArgs, Format};
use super::job::named;
use super::ui::{Ui, finding_table, json};
use super::values::FailOn;
use super::{here, on_farm};
use crate::config::Settings;
use crate::error::{Error, IoContext, Result};
use crate::farm::{CapturedLog, Farm, FindingFilter, Findings, read_captured};
use crate::findings::export::export;

/// Reads findings out of the ledger, or out of a captured log.
pub fn run(ui: &Ui, args: FindingsArgs) -> Result<u8> {
    let mut filter = FindingFilter {
        jobs: Vec::new(),
        project: args.project,
        kind: args.kind,
        severity: args.severity,
        path: args.path,
        new: args.new,
    };
    if let Some(from) = &args.from {
        let log = CapturedLog { language: args.language, recipe: args.recipe, exit_code: args.exit_code };
        let findings = read_captured(open(from)?, log, &filter)?;
        return answer(ui, &findings, args.details, args.fail_on);
    }
    on_farm(ui, Settings::load()?, async |farm| {
        for job in args.jobs {
            filter.jobs.push(named(farm, job).await?.id);
        }
        if filter.jobs.is_empty() && filter.project.is_none() {
            filter.project = farm.project_of(&here()?).await?.map(|project| project.name);
        }
        let findings = farm.findings(&filter).await?;
        answer(ui, &findings, args.details, args.fail_on)
    })
}

fn open(from: &Path) -> Result<Box<dyn Read>> {
    if from == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let no_log = |why: String| Error::invalid(why).hint("--from takes a file with a captured log, or - for stdin");
    if from.is_dir() {
        return Err(no_log(format!("{} is a folder", from.display())));
    }
    let file = File::open(from).on("read", from).map_err(|error| no_log(error.to_string()))?;
    Ok(Box::new(file))
}

fn answer(ui: &Ui, findings: &Findings, details: bool, fail_on: Option<FailOn>) -> Result<u8> {
    match ui.format {
        Format::Json => ui.json(findings)?,
        Format::Jsonl => {
            for finding in &findings.findings {
                ui.print(&json::document(finding, false)?)?;
            }
        }
        Format::Export(format) => ui.stream(|out| export(format, &findings.findings, out))?,
        Format::Auto | Format::Table => {
            let text = match details {
                true => finding_table::details(&findings.findings, ui.look()),
                false => finding_table::table(&findings.findings, ui.look()),
            };
            let gap = if text.is_empty() { "" } else { "\n" };
            ui.print(&format!("{text}{gap}{}\n", finding_table::counts(&findings.counts)))?;
        }
    }
    Ok(u8::from(fail_on.is_some_and(|bound| bound.met(&findings.findings))))
}
