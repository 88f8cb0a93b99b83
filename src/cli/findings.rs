//! `crafting findings`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::args::{FindingsArgs, Format, Global};
use super::ui::{Ui, finding_table};
use super::{around, on_farm, suppress};
use crate::error::{Code, Error, IoContext, Result};
use crate::farm::{CapturedLog, EachFinding, FindingFilter, FindingQuery, Findings, JobSelector, read_captured};
use crate::findings::export::export;
use crate::model::{FindingCounts, GroupBy, nearest};

/// Findings that a table has, unless told otherwise.
const ROWS: u64 = 200;
/// What `crafting findings` does beside reading them.
const COMMANDS: [&str; 3] = ["ignore", "ignored", "unignore"];

/// Reads findings out of the ledger, or out of a captured log; or changes what is ignored.
pub fn run(ui: &Ui, global: &Global, mut args: FindingsArgs) -> Result<u8> {
    if let Some(command) = args.command.take() {
        let project = args.project.take();
        if args != FindingsArgs::default() {
            return Err(Error::invalid("`crafting findings` reads findings, or ignores some: not both at once")
                .hint("give a command's own arguments behind it; --help lists them"));
        }
        return on_farm(ui, global.settings()?, async |farm| suppress::run(ui, farm, command, project).await);
    }
    let format = match ui.format {
        Format::Export(format) => Some(format),
        _ => None,
    };
    let for_people = !ui.is_json() && format.is_none();
    let limit = match (args.limit, for_people) {
        (Some(0), _) | (None, false) => None,
        (None, true) => Some(ROWS),
        (limit, _) => limit,
    };
    let filter = FindingFilter {
        kind: args.kind,
        severity: args.severity,
        path: args.path.take(),
        new: args.new,
        ignored: args.ignored,
    };
    // What programs read stays a flat list.
    let group_by = args.group_by.filter(|_| for_people);
    let fail_on = args.fail_on;
    let failed = |counts: &FindingCounts| u8::from(fail_on.is_some_and(|bound| bound.met(counts)));
    if let Some(from) = &args.from {
        let log = CapturedLog {
            language: args.language,
            recipe: args.recipe,
            exit_code: args.exit_code,
            records: ui.is_json(),
        };
        let found = read_captured(open(from)?, log, &filter)?.arranged(group_by, limit);
        match (ui.is_json(), format) {
            (true, _) => {
                let mut rows = ui.rows(&found.counts);
                rows.write(&found.findings)?;
                rows.end()?;
            }
            (false, Some(format)) => ui.stream(|out| export(format, &found.findings, out))?,
            (false, None) => show(ui, &found, group_by, args.details)?,
        }
        return Ok(failed(&found.counts));
    }
    let query = FindingQuery {
        jobs: args.jobs,
        around: around(args.project)?,
        since: args.since,
        since_commit: None,
        filter,
        group_by,
        limit,
        records: ui.is_json(),
        from_top: format.is_some(),
    };
    on_farm(ui, global.settings()?, async |farm| {
        if ui.is_json() {
            let EachFinding { counts, notes, mut findings } =
                farm.each_finding(&query).await.map_err(|error| meant(error, &query.jobs))?;
            notes.iter().for_each(|note| ui.note(note));
            let mut rows = ui.rows(&counts);
            while let Some(piece) = findings.recv().await {
                rows.write(&piece?)?;
                if ui.is_closed() {
                    break;
                }
            }
            rows.end()?;
            return Ok(failed(&counts));
        }
        let found = farm.findings(&query).await.map_err(|error| meant(error, &query.jobs))?;
        found.notes.iter().for_each(|note| ui.note(note));
        match format {
            Some(format) => ui.stream(|out| export(format, &found.findings, out))?,
            None => show(ui, &found, group_by, args.details)?,
        }
        Ok(failed(&found.counts))
    })
}

/// Somebody who mistyped a command has named a job that is not there.
fn meant(error: Error, jobs: &[JobSelector]) -> Error {
    let typed = jobs.iter().find_map(|job| match job {
        JobSelector::Prefix(text) if error.code() == Code::NotFound => nearest(text, COMMANDS),
        _ => None,
    });
    match typed {
        Some(command) => error.advise(format!("did you mean `crafting findings {command}`?")),
        None => error,
    }
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

fn show(ui: &Ui, found: &Findings, group_by: Option<GroupBy>, details: bool) -> Result<()> {
    let mut text = match (details, group_by) {
        (true, _) => finding_table::details(&found.findings, ui.look()),
        (false, None) => finding_table::table(&found.findings, ui.look()),
        (false, Some(group_by)) => finding_table::groups(&found.findings, &found.groups, group_by, ui.look()),
    };
    let shown = u64::try_from(found.findings.len()).unwrap_or(u64::MAX);
    match found.counts.total.saturating_sub(shown) {
        0 => {}
        more => {
            let some_new = (1..found.counts.total).contains(&found.counts.new);
            let new = if some_new { "--new shows the new ones, " } else { "" };
            text.push_str(&format!("… and {more} more: {new}--limit 0 shows all\n"));
        }
    }
    let gap = if text.is_empty() { "" } else { "\n" };
    ui.print(&format!("{text}{gap}{}\n", finding_table::counts(&found.counts)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JobId;

    #[test]
    fn no_command_can_be_the_beginning_of_a_job() {
        for command in COMMANDS {
            // Filled up to the length of an id with what every id may have.
            assert!(format!("{command:0<12}").parse::<JobId>().is_err(), "{command}");
        }
    }
}
