//! `crafting project show`.

use std::time::Duration;

use serde_json::json;

use super::super::args::ShowProjectArgs;
use super::super::ui::table::{Look, Table, facts};
use super::super::ui::{Ui, text};
use super::named_or_here;
use crate::error::Result;
use crate::farm::Farm;
use crate::model::{IgnoreRule, Project};

/// Shows one project.
pub async fn run(ui: &Ui, farm: &dyn Farm, args: ShowProjectArgs) -> Result<u8> {
    let project = named_or_here(farm, args.name).await?;
    if ui.is_json() {
        ui.json(&json!({ "project": project }))?;
        return Ok(0);
    }
    let rows = [
        ("project", project.name.to_string()),
        ("where from", project.git_url.to_string()),
        ("root", if project.root.is_root() { String::new() } else { project.root.to_string() }),
        ("branch", project.default_branch.as_ref().map_or("the repository's own".to_owned(), ToString::to_string)),
        ("timeout", project.timeout_secs.map(Duration::from_secs).map(text::duration).unwrap_or_default()),
        ("submodules", if project.submodules { "yes".to_owned() } else { String::new() }),
        ("ignores", project.ignores.iter().map(ignored).collect::<Vec<_>>().join("\n")),
        ("registered", project.created_at.to_string()),
        ("changed", project.updated_at.to_string()),
    ];
    ui.print(&format!("{}\n{}", facts(&rows, ui.look()), recipes(&project, &[], ui.look())))?;
    Ok(0)
}

/// Every recipe of every subproject. `evidence` says of each subproject what it was recognised by.
pub fn recipes(project: &Project, evidence: &[String], look: Look) -> String {
    let mut table =
        Table::new(["subproject", "language", "recognised by", "recipe", "secrets", "command"]).optional(&[2, 4]);
    for (index, subproject) in project.subprojects.iter().enumerate() {
        let head = [
            subproject.name.as_str(),
            subproject.language.as_str(),
            evidence.get(index).map(String::as_str).unwrap_or_default(),
        ];
        if subproject.recipes.is_empty() {
            let [name, language, evidence] = head;
            table.row([name.into(), language.into(), evidence.into(), "(none)".into(), "".into(), "".into()]);
        }
        for (line, (name, recipe)) in subproject.recipes.iter().enumerate() {
            let (_, secrets) = subproject.given_to(recipe);
            let [subproject, language, evidence] = head.map(|text| if line == 0 { text } else { "" });
            table.row([
                subproject.into(),
                language.into(),
                evidence.into(),
                name.as_str().into(),
                text::list(&secrets).into(),
                recipe.command.trim().replace('\n', "; ").into(),
            ]);
        }
    }
    table.render(look)
}

/// `clippy::* in generated/**: generated code`.
fn ignored(rule: &IgnoreRule) -> String {
    let what = match (&rule.code, &rule.path) {
        (Some(code), Some(path)) => format!("{code} in {path}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => String::new(),
    };
    let kind = rule.kind.map(|kind| format!(" ({kind})")).unwrap_or_default();
    let until = rule.until.map(|until| format!(", until {}", text::until(until))).unwrap_or_default();
    format!("{what}{kind}: {}{until}", rule.reason)
}

#[cfg(test)]
mod tests {
    use super::super::super::ui::colour::Paint;
    use super::*;
    use crate::model::{ProjectFile, Timestamp};

    #[test]
    fn recipes_stand_below_their_subproject() {
        let text = "[[subproject]]\npath = 'rust'\nlanguage = 'rust'\ntest = 'cargo test'\nlint = 'cargo clippy'\n\
                    [[subproject]]\npath = 'docs'\n";
        let project = Project {
            name: "hello".parse().unwrap(),
            git_url: "/srv/hello".parse().unwrap(),
            owner: None,
            root: ".".parse().unwrap(),
            default_branch: None,
            timeout_secs: None,
            submodules: false,
            subprojects: ProjectFile::parse(text, "crafting.toml").unwrap().subprojects,
            ignores: Vec::new(),
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(0),
        };
        let look = Look { width: Some(60), paint: Paint(false), lines: true };
        insta::assert_snapshot!("recipes", recipes(&project, &["Cargo.toml".to_owned()], look));
    }
}
