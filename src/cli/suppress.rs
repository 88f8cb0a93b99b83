//! `crafting findings ignore`, `ignored` and `unignore`.

use serde_json::json;

use super::args::FindingsCommand;
use super::around;
use super::ui::table::{Cell, Table};
use super::ui::{Ui, colour::Tone, text};
use crate::error::Result;
use crate::farm::{Farm, Suppress};
use crate::model::{ProjectName, Suppression, Timestamp};

/// Runs one of them; the project may have been named before the command.
pub async fn run(ui: &Ui, farm: &dyn Farm, command: FindingsCommand, project: Option<ProjectName>) -> Result<u8> {
    let around = |own: Option<ProjectName>| around(own.or(project));
    match command {
        FindingsCommand::Ignore(args) => {
            let wanted = Suppress {
                findings: args.findings,
                around: around(args.project)?,
                reason: args.reason,
                until: args.until,
            };
            let done = farm.ignore(&wanted).await?;
            answer(ui, "ignored", &done, |one| format!("ignored {}{}", what(one), until(one)))?;
        }
        FindingsCommand::Ignored(args) => list(ui, &farm.suppressions(&around(args.project)?).await?)?,
        FindingsCommand::Unignore(args) => {
            let done = farm.unignore(&args.findings, &around(args.project)?).await?;
            answer(ui, "unignored", &done, |one| format!("counts again: {}", what(one)))?;
        }
    }
    Ok(0)
}

fn answer(ui: &Ui, key: &str, done: &[Suppression], line: impl Fn(&Suppression) -> String) -> Result<()> {
    if ui.is_json() {
        return ui.json(&json!({ key: done }));
    }
    ui.print(&done.iter().map(|one| line(one) + "\n").collect::<String>())
}

/// `8f2c41d0aa17bc55 src/a.py:3 F401`.
fn what(suppression: &Suppression) -> String {
    let parts = [suppression.fingerprint.to_string(), place(suppression), text::clean(&suppression.code)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn until(suppression: &Suppression) -> String {
    suppression.until.map(|until| format!(" until {}", text::until(until))).unwrap_or_default()
}

fn place(suppression: &Suppression) -> String {
    match (&suppression.file, suppression.line, &suppression.subproject, &suppression.recipe) {
        (Some(file), Some(line), ..) => format!("{}:{line}", text::clean(file)),
        (Some(file), None, ..) => text::clean(file),
        (None, _, Some(subproject), Some(recipe)) if !subproject.is_root() => format!("{subproject} {recipe}"),
        (None, _, _, Some(recipe)) => recipe.to_string(),
        (None, ..) => String::new(),
    }
}

fn list(ui: &Ui, suppressions: &[Suppression]) -> Result<()> {
    if ui.is_json() {
        return ui.json(&json!({ "ignored": suppressions }));
    }
    if suppressions.is_empty() {
        ui.note("nothing is ignored by the ledger; [[ignore]] tables of crafting.toml stand in that file");
        return Ok(());
    }
    let now = Timestamp::now();
    let many = suppressions.iter().any(|one| one.project != suppressions[0].project);
    let mut table = Table::new(["finding", "project", "place", "code", "since", "until", "reason"]).optional(&[4]);
    for one in suppressions {
        let project = if many { one.project.to_string() } else { String::new() };
        let until = match one.until {
            Some(_) if one.is_over(now) => Cell::toned("over", Tone::Warn),
            Some(until) => text::until(until).into(),
            None => "".into(),
        };
        table.row([
            one.fingerprint.as_str().into(),
            project.into(),
            place(one).into(),
            Cell::toned(&one.code, Tone::Dim),
            format!("{} ago", text::age(now.since(one.created_at))).into(),
            until,
            (&one.reason).into(),
        ]);
    }
    ui.print(&table.render(ui.look()))
}
