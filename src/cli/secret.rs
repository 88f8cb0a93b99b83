//! `crafting secret …`.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;

use serde_json::json;

use super::args::{Global, SecretCommand, SetSecretArgs};
use super::on_farm;
use super::project::named_or_here;
use super::ui::table::Table;
use super::ui::{Ui, text};
use crate::error::{Code, Error, IoContext, Result};
use crate::farm::Farm;
use crate::model::{Project, SecretName, SecretValue, Timestamp};

/// Bytes that are read of a value: more than one may have, with its newline.
const READ_LIMIT: u64 = 1 << 20;

/// Runs one of them.
pub fn run(ui: &Ui, global: &Global, command: SecretCommand) -> Result<u8> {
    on_farm(ui, global.settings()?, async |farm| {
        match command {
            SecretCommand::Set(args) => set(ui, farm, args).await?,
            SecretCommand::List(args) => list(ui, farm, &named_or_here(farm, args.project).await?).await?,
            SecretCommand::Remove(args) => {
                let project = named_or_here(farm, args.project).await?;
                let secret = farm.remove_secret(&project.name, &args.name).await?;
                match ui.is_json() {
                    true => ui.json(&json!({ "secret": secret }))?,
                    false => ui.print(&format!("removed {} of {}\n", secret.name, secret.project))?,
                }
            }
        }
        Ok(0)
    })
}

async fn set(ui: &Ui, farm: &dyn Farm, args: SetSecretArgs) -> Result<()> {
    let name: SecretName = args.name.parse()?;
    if let Some(first) = args.value.first() {
        // Nobody can tell a value that begins with a hyphen from a flag that is not known.
        let flag = match first.to_string_lossy().starts_with('-') {
            true => "; flags stand before the name or apart from what they are given, such as `-p app`",
            false => "",
        };
        return Err(Error::invalid(
            "a secret's value is not given as an argument, which everybody on this machine can read",
        )
        .hint(format!("`crafting secret set {}` asks for it, and reads it from stdin or --from FILE{flag}", name)));
    }
    // First, so that nobody types a value for a project that is not there.
    let project = named_or_here(farm, args.project).await?;
    let value = read(&name, args.from.as_deref())?;
    let secret = farm.set_secret(&project.name, &name, value).await?;
    match ui.is_json() {
        true => ui.json(&json!({ "secret": secret }))?,
        false => ui.print(&format!("set {} of {}\n", secret.name, secret.project))?,
    }
    if !declares(&project, &name) {
        ui.note(&format!(
            "no recipe of {} declares it yet: add secrets = [\"{}\"] to one in crafting.toml",
            project.name, name
        ));
    }
    Ok(())
}

fn declares(project: &Project, name: &SecretName) -> bool {
    project.subprojects.iter().any(|subproject| {
        subproject.secrets.contains(name) || subproject.recipes.values().any(|recipe| recipe.secrets.contains(name))
    })
}

fn read(name: &SecretName, from: Option<&Path>) -> Result<SecretValue> {
    let mut bytes = Vec::new();
    let read = |source: &mut dyn Read, path: &Path, bytes: &mut Vec<u8>| {
        source.take(READ_LIMIT).read_to_end(bytes).on("read", path).map(|_| ())
    };
    match from {
        None if std::io::stdin().is_terminal() => bytes = ask(name)?.into_bytes(),
        Some(path) if path != Path::new("-") => read(&mut File::open(path).on("read", path)?, path, &mut bytes)?,
        _ => read(&mut std::io::stdin().lock(), Path::new("stdin"), &mut bytes)?,
    }
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    SecretValue::from_bytes(bytes)
}

/// Asks on the terminal, without showing what is typed.
fn ask(name: &SecretName) -> Result<String> {
    rpassword::prompt_password(format!("Value of {name}: ")).map_err(|error| {
        Error::new(Code::Io, format!("the value cannot be asked for: {error}"))
            .hint("give it on stdin, or with --from FILE")
    })
}

async fn list(ui: &Ui, farm: &dyn Farm, project: &Project) -> Result<()> {
    let secrets = farm.secrets(&project.name).await?;
    if ui.is_json() {
        return ui.json(&json!({ "secrets": secrets }));
    }
    if secrets.is_empty() {
        ui.note(&format!("{} has no secrets; `crafting secret set` sets one", project.name));
        return Ok(());
    }
    let now = Timestamp::now();
    let mut table = Table::new(["secret", "set", "given to"]);
    for secret in &secrets {
        let set = format!("{} ago", text::age(now.since(secret.updated_at)));
        table.row([secret.name.as_str().into(), set.into(), given_to(project, &secret.name).into()]);
    }
    ui.print(&table.render(ui.look()))
}

/// `clients/web test, docs publish`: the recipes that declare it.
fn given_to(project: &Project, name: &SecretName) -> String {
    let mut recipes = Vec::new();
    for subproject in &project.subprojects {
        for (recipe, declared) in &subproject.recipes {
            if subproject.secrets.contains(name) || declared.secrets.contains(name) {
                recipes.push(match subproject.name.is_root() {
                    true => recipe.to_string(),
                    false => format!("{} {recipe}", subproject.name),
                });
            }
        }
    }
    recipes.join(", ")
}
