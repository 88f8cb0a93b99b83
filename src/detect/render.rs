//! The commented `crafting.toml` that `crafting init` writes.

use std::fmt::Write as _;

use toml::Value;

use super::Found;
use super::part::RECIPES;
use crate::model::{ProjectName, Recipe};

const HEAD: &str = "\
# What crafting runs in this project.
#
#   crafting job run              every subproject's test
#   crafting job run build lint   these recipes, wherever there is one
#
# A recipe is a shell command, run by /bin/sh in its subproject's folder, in a clean checkout.
# It passes if it exits with 0. Change what does not fit, and commit this file.

";

const PROJECT_KEYS: &str = "
# default_branch = \"main\"   # what a job runs when it names no ref
# timeout_secs = 1800       # ends a recipe that says nothing itself
# submodules = true         # check out git submodules too
";

const SUBPROJECT_KEYS: &str = "
# All that a subproject may say:
#
# [[subproject]]
# path = \"clients/web\"               # the folder; \".\" is the one of this file
# name = \"web\"                       # what it is called, if not by its path
# language = \"typescript\"            # LANGUAGES
# build = \"npm ci && npm run build\"
# test = { command = \"npm ci && npm test\", timeout_secs = 600, env = { TZ = \"UTC\" } }
# lint = \"npm ci && npm run lint\"
# audit = { command = \"npm audit\", retries = 2, backoff_secs = 30 }
# recipes = { e2e = \"npm run e2e\" }  # any further ones, by name
# env = { NODE_ENV = \"test\" }        # for each of its recipes
# secrets = [\"NPM_TOKEN\"]            # `crafting secret set` has the values; a recipe's table may say it too
# keep = [\"node_modules\"]            # untracked files that stay from job to job,
#                                    # in place of the language's own; [] keeps nothing
# fresh = true                       # begin every job with an empty tree
#
# Findings that nobody needs to see:
#
# [[ignore]]
# code = \"clippy::*\"                 # exactly, or as a glob; code, path or both
# path = \"generated/**\"              # relative to this file
# kind = \"lint\"                      # or cve, test_fail, recipe_fail
# reason = \"generated code\"          # must be there
# until = 2027-01-31                 # count again from that day on
";

/// The text of a `crafting.toml` with these subprojects. It reads back as the same ones.
pub fn render(name: &ProjectName, found: &[Found]) -> String {
    let mut text = HEAD.to_owned();
    entry(&mut text, "name", &Value::from(name.as_str()));
    text.push_str(PROJECT_KEYS);
    if found.is_empty() {
        text.push_str("\n# No language was recognised here: write down what there is to run.\n");
    }
    for Found { subproject, evidence } in found {
        // What a manifest is called is up to the repository: a line break in it must not end the comment.
        let evidence: String = evidence.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let _ = write!(text, "\n# {}\n[[subproject]]\n", evidence.trim());
        entry(&mut text, "path", &Value::from(subproject.path.as_str()));
        if subproject.name != subproject.path {
            entry(&mut text, "name", &Value::from(subproject.name.as_str()));
        }
        entry(&mut text, "language", &Value::from(subproject.language.as_str()));
        for recipe in RECIPES {
            if let Some((_, recipe_value)) = subproject.recipes.iter().find(|(name, _)| name.as_str() == recipe) {
                entry(&mut text, recipe, &value(recipe_value));
            }
        }
        let custom = subproject.recipes.iter().filter(|(name, _)| !RECIPES.contains(&name.as_str()));
        let custom: toml::Table = custom.map(|(name, recipe)| (name.to_string(), value(recipe))).collect();
        if !custom.is_empty() {
            entry(&mut text, "recipes", &Value::Table(custom));
        }
        if !subproject.secrets.is_empty() {
            let secrets = subproject.secrets.iter().map(|secret| Value::from(secret.as_str()));
            entry(&mut text, "secrets", &Value::Array(secrets.collect()));
        }
        if !subproject.env.is_empty() {
            let env = subproject.env.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str())));
            entry(&mut text, "env", &Value::Table(env.collect()));
        }
        if let Some(keep) = &subproject.keep {
            entry(&mut text, "keep", &Value::from(keep.clone()));
        }
        if subproject.fresh {
            entry(&mut text, "fresh", &Value::from(true));
        }
    }
    let languages: Vec<&str> = crate::model::Language::ALL.iter().map(|language| language.as_str()).collect();
    let (first, rest) = languages.split_at(languages.len() / 2);
    let languages = format!("{},\n#{:36}# {}", first.join(", "), "", rest.join(", "));
    text.push_str(&SUBPROJECT_KEYS.replace("LANGUAGES", &languages));
    text
}

/// A command alone, or a table if the recipe says more.
fn value(recipe: &Recipe) -> Value {
    match Value::try_from(recipe) {
        Ok(Value::Table(table)) if table.len() > 1 => Value::Table(table),
        _ => Value::from(recipe.command.as_str()),
    }
}

/// One `key = value` line; tables are written inline, so that a subproject stays one block.
fn entry(text: &mut String, key: &str, value: &Value) {
    let _ = writeln!(text, "{key} = {value}");
}
