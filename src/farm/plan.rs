//! From what was asked for to the jobs that it comes down to.

use std::collections::BTreeSet;
use std::time::Duration;

use super::PlannedJob;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::model::{Project, RecipeName, RecipeSnapshot, SubPath, Subproject, nearest};

/// What of a request concerns the choice of jobs.
pub(super) struct Choice<'a> {
    pub(super) recipes: &'a [RecipeName],
    pub(super) subprojects: &'a [SubPath],
    /// Where the user stands, relative to the project's root.
    pub(super) standing: Option<&'a SubPath>,
    pub(super) timeout: Option<Duration>,
    pub(super) fresh: bool,
    pub(super) keep_slot: bool,
}

/// The jobs of a request, by subproject and then in the order in which the recipes were named.
pub(super) fn jobs(project: &Project, choice: &Choice<'_>, settings: &Settings) -> Result<Vec<PlannedJob>> {
    let subprojects = subprojects(project, choice)?;
    let mut jobs = Vec::new();
    for subproject in &subprojects {
        for recipe in recipes(subproject, choice.recipes) {
            jobs.push(job(project, subproject, recipe, choice, settings));
        }
    }
    for wanted in choice.recipes {
        if !jobs.iter().any(|job| job.recipe == *wanted) {
            return Err(no_recipe(project, &subprojects, wanted));
        }
    }
    if jobs.is_empty() {
        return Err(Error::not_found(format!("the project {} has no recipe test or build", project.name))
            .hint("name a recipe, or add one to crafting.toml (`crafting init` writes one to begin with)"));
    }
    Ok(jobs)
}

fn subprojects<'a>(project: &'a Project, choice: &Choice<'_>) -> Result<Vec<&'a Subproject>> {
    if project.subprojects.is_empty() {
        return Err(Error::not_found(format!("the project {} has no subproject with recipes", project.name))
            .hint("name its recipes in a crafting.toml (one without any keeps crafting from detecting them); `crafting init` writes one"));
    }
    if choice.subprojects.is_empty() {
        let standing = choice.standing.and_then(|folder| innermost(project, folder));
        return Ok(match standing {
            Some(path) => project.subprojects.iter().filter(|subproject| subproject.path == *path).collect(),
            None => project.subprojects.iter().collect(),
        });
    }
    let mut chosen = Vec::new();
    for name in choice.subprojects.iter().collect::<BTreeSet<_>>() {
        let found = project.subprojects.iter().find(|subproject| subproject.name == *name);
        chosen.push(found.ok_or_else(|| {
            let names = project.subprojects.iter().map(|subproject| subproject.name.as_str());
            let hint = match nearest(name.as_str(), names.clone()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("it has {}", names.collect::<Vec<_>>().join(", ")),
            };
            Error::not_found(format!("the project {} has no subproject {name}", project.name)).hint(hint)
        })?);
    }
    Ok(chosen)
}

/// The deepest subproject's folder around `folder`, the project's root aside: who stands there means everything.
fn innermost<'a>(project: &'a Project, folder: &SubPath) -> Option<&'a SubPath> {
    let around = |path: &SubPath| {
        !path.is_root()
            && folder.as_str().strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    project
        .subprojects
        .iter()
        .map(|subproject| &subproject.path)
        .filter(|path| around(path))
        .max_by_key(|path| path.as_str().len())
}

/// Those of the named recipes that the subproject has; with none named, `test`, else `build`.
fn recipes<'a>(subproject: &'a Subproject, named: &'a [RecipeName]) -> Vec<&'a RecipeName> {
    let find = |name: &str| subproject.recipes.keys().find(|recipe| recipe.as_str() == name);
    if named.is_empty() {
        return find("test").or_else(|| find("build")).into_iter().collect();
    }
    let mut seen = BTreeSet::new();
    named.iter().filter(|name| seen.insert(*name) && subproject.recipes.contains_key(name)).collect()
}

fn no_recipe(project: &Project, subprojects: &[&Subproject], wanted: &RecipeName) -> Error {
    let known: BTreeSet<&str> =
        subprojects.iter().flat_map(|subproject| subproject.recipes.keys()).map(RecipeName::as_str).collect();
    let place = match subprojects {
        [one] if project.subprojects.len() > 1 => format!("the subproject {} of {}", one.name, project.name),
        _ => format!("the project {}", project.name),
    };
    let hint = match (nearest(wanted.as_str(), known.iter().copied()), known.is_empty()) {
        (Some(near), _) => format!("did you mean {near}?"),
        (None, false) => format!("it has {}", known.into_iter().collect::<Vec<_>>().join(", ")),
        (None, true) => "add it to crafting.toml".to_owned(),
    };
    Error::not_found(format!("{place} has no recipe {wanted}")).hint(hint)
}

/// A subproject's kept paths as patterns that count from the repository's top.
fn kept_paths(project: &Project, subproject: &Subproject) -> Vec<String> {
    let path = project.root.join(&subproject.path);
    let from_top = |pattern: String| match path.is_root() {
        true => pattern,
        false => format!("{}/{pattern}", globset::escape(path.as_str())),
    };
    subproject.kept_paths().into_iter().map(from_top).collect()
}

fn job(
    project: &Project,
    subproject: &Subproject,
    name: &RecipeName,
    choice: &Choice<'_>,
    settings: &Settings,
) -> PlannedJob {
    let recipe = &subproject.recipes[name];
    let path = project.root.join(&subproject.path);
    let (env, secrets) = subproject.given_to(recipe);
    let limit = choice.timeout.unwrap_or_else(|| settings.timeout(recipe.timeout_secs.or(project.timeout_secs)));
    // All of the project's: the slot may have served another subproject before, and will again.
    let keep = project.subprojects.iter().flat_map(|subproject| kept_paths(project, subproject)).collect();
    PlannedJob {
        subproject: subproject.name.clone(),
        recipe: name.clone(),
        recipe_snapshot: RecipeSnapshot {
            command: recipe.command.clone(),
            env,
            secrets,
            timeout_secs: limit.as_secs().max(1),
            path,
            root: project.root.clone(),
            language: subproject.language,
            keep,
            fresh: choice.fresh || subproject.fresh,
            submodules: project.submodules,
            retries: recipe.retries,
            backoff_secs: recipe.backoff_secs,
            keep_slot: choice.keep_slot,
            ignores: project.ignores.clone(),
        },
    }
}
