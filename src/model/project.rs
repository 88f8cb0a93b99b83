//! Projects, their subprojects and recipes, and the `crafting.toml` that describes them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::named::by_name;
use super::{GitUrl, IgnoreRule, Kind, ProjectName, RecipeName, RefName, SecretName, SubPath, Timestamp, TokenName};
use super::{code_glob, nearest, path_glob};
use crate::error::{Code, Error, Result};

/// What a subproject is written in: decides the kept paths and gives the parsers a hint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names are the languages'.
pub enum Language {
    Rust,
    Python,
    Go,
    Javascript,
    Typescript,
    Java,
    Kotlin,
    Dotnet,
    Ruby,
    Php,
    Swift,
    C,
    Shell,
    #[default]
    Other,
}

impl Language {
    /// Every language, in the order in which help texts name them.
    pub const ALL: [Self; 14] = [
        Self::Rust,
        Self::Python,
        Self::Go,
        Self::Javascript,
        Self::Typescript,
        Self::Java,
        Self::Kotlin,
        Self::Dotnet,
        Self::Ruby,
        Self::Php,
        Self::Swift,
        Self::C,
        Self::Shell,
        Self::Other,
    ];

    /// The name in `crafting.toml`, JSON and SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Go => "go",
            Self::Javascript => "javascript",
            Self::Typescript => "typescript",
            Self::Java => "java",
            Self::Kotlin => "kotlin",
            Self::Dotnet => "dotnet",
            Self::Ruby => "ruby",
            Self::Php => "php",
            Self::Swift => "swift",
            Self::C => "c",
            Self::Shell => "shell",
            Self::Other => "other",
        }
    }

    /// Untracked paths that survive in a slot from job to job because builds are slow without them.
    /// Patterns are globs relative to the subproject's folder.
    ///
    /// A path is here only if the language's own tool brings it in line with the checkout, removals included,
    /// so that nothing left over can make a job pass. `.venv` is the exception: uv, poetry and pdm sync it exactly,
    /// pip never takes away what the requirements no longer name. To fill it anew for every job costs far more than
    /// most tests do; a run with `--fresh` proves the removal of a requirement. These are not here:
    /// - `.nox`, which nox lays anew unless it is told to trust it.
    /// - Maven's `target` and Gradle's test results and resources: deleted resources stay on the class path,
    ///   and a Gradle test that is up to date does not run, whatever it reads beside its declared inputs.
    /// - .NET's `bin`: what a test or a removed reference left there is found at run time.
    /// - CMake's `build`: cached options and generated headers outlive what made them.
    /// - `.bundle` (settings of an earlier job), `.turbo` and `.next/cache` (results replayed).
    pub fn kept_paths(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &["target"],
            Self::Python => &[".venv", ".tox", ".mypy_cache", ".ruff_cache"],
            Self::Go | Self::C | Self::Shell | Self::Other => &[],
            Self::Javascript | Self::Typescript => &["node_modules", "**/node_modules"],
            Self::Java | Self::Kotlin => &[".gradle", "**/build/classes", "**/build/kotlin", "**/build/tmp/compile*"],
            Self::Dotnet => &["**/obj"],
            // Bundler shows a program only the gems that the lock names.
            Self::Ruby => &["vendor/bundle"],
            Self::Php => &["vendor"],
            Self::Swift => &[".build"],
        }
    }
}

by_name!(Language, "a language");

/// A named shell command of a subproject.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(from = "RecipeForm")]
pub struct Recipe {
    /// Given to `/bin/sh -c` in the subproject's folder.
    pub command: String,
    /// Added to the environment of the run.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The project's secrets that the run gets, each in the variable of its name.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<SecretName>,
    /// Seconds until the recipe is ended; else the project's, else the configuration's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_secs: Option<u64>,
    /// How many more tries a failing job gets.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// Seconds between two tries.
    #[serde(skip_serializing_if = "is_zero")]
    pub backoff_secs: u64,
}

fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

/// A recipe is written as its command alone, or as a table with more to say.
enum RecipeForm {
    Command(String),
    Table(RecipeTable),
}

/// By hand rather than `untagged`, which could not say what in a table is wrong, nor where.
impl<'de> Deserialize<'de> for RecipeForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = RecipeForm;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a command, or a table with command, env, secrets, timeout_secs, retries, backoff_secs")
            }

            fn visit_str<E>(self, command: &str) -> std::result::Result<RecipeForm, E> {
                Ok(RecipeForm::Command(command.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> std::result::Result<RecipeForm, A::Error> {
                RecipeTable::deserialize(MapAccessDeserializer::new(table)).map(RecipeForm::Table)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeTable {
    command: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    secrets: BTreeSet<SecretName>,
    timeout_secs: Option<u64>,
    #[serde(default)]
    retries: u32,
    #[serde(default)]
    backoff_secs: u64,
}

impl From<RecipeForm> for Recipe {
    fn from(form: RecipeForm) -> Self {
        match form {
            RecipeForm::Command(command) => Self { command, ..Self::default() },
            RecipeForm::Table(RecipeTable { command, env, secrets, timeout_secs, retries, backoff_secs }) => {
                Self { command, env, secrets, timeout_secs, retries, backoff_secs }
            }
        }
    }
}

/// A folder of the project with one language and its recipes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Subproject {
    /// How it is called: its path, unless two share one folder.
    pub name: SubPath,
    /// The folder, relative to the project's root.
    pub path: SubPath,
    /// What it is written in.
    pub language: Language,
    /// Its commands by name.
    pub recipes: BTreeMap<RecipeName, Recipe>,
    /// Added to the environment of every recipe.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The project's secrets that every recipe gets.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<SecretName>,
    /// Globs, relative to the folder, of untracked paths that survive in the slot; null: the language's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Vec<String>>,
    /// Whether every job gets an empty tree.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
}

impl Subproject {
    /// One with no recipes yet, named after its folder.
    pub fn new(path: SubPath, language: Language) -> Self {
        Self {
            name: path.clone(),
            path,
            language,
            recipes: BTreeMap::new(),
            env: BTreeMap::new(),
            secrets: BTreeSet::new(),
            keep: None,
            fresh: false,
        }
    }

    /// What one of its recipes gets in its environment, and which secrets.
    pub fn given_to(&self, recipe: &Recipe) -> (BTreeMap<String, String>, BTreeSet<SecretName>) {
        let mut env = self.env.clone();
        env.extend(recipe.env.clone());
        (env, self.secrets.union(&recipe.secrets).cloned().collect())
    }

    /// The kept paths' patterns, relative to the subproject's folder.
    pub fn kept_paths(&self) -> Vec<String> {
        match &self.keep {
            Some(keep) => keep.clone(),
            None => self.language.kept_paths().iter().map(|&pattern| pattern.to_owned()).collect(),
        }
    }
}

/// A git repository under a name, with its subprojects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Project {
    /// Its name.
    pub name: ProjectName,
    /// Where its repository is.
    pub git_url: GitUrl,
    /// The token that registered it; null: this machine's terminal.
    #[serde(default)]
    pub owner: Option<TokenName>,
    /// The project's root inside the repository.
    pub root: SubPath,
    /// What a job runs when it names no ref; null: the repository's own default.
    pub default_branch: Option<RefName>,
    /// Seconds until a recipe is ended, where it says nothing itself.
    pub timeout_secs: Option<u64>,
    /// Whether submodules are checked out.
    pub submodules: bool,
    /// Its parts.
    pub subprojects: Vec<Subproject>,
    /// Findings that nobody needs to see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignores: Vec<IgnoreRule>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What `crafting.toml` says. Every key is checked; an unknown one is refused with its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectFile {
    /// The project's name, if it is not the folder's.
    pub name: Option<ProjectName>,
    /// The branch that jobs run when they name no ref.
    pub default_branch: Option<RefName>,
    /// Seconds until a recipe is ended, where it says nothing itself.
    pub timeout_secs: Option<u64>,
    /// Whether submodules are checked out.
    pub submodules: bool,
    /// The parts, none twice.
    pub subprojects: Vec<Subproject>,
    /// Findings that nobody needs to see.
    pub ignores: Vec<IgnoreRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    name: Option<ProjectName>,
    default_branch: Option<RefName>,
    timeout_secs: Option<u64>,
    #[serde(default)]
    submodules: bool,
    #[serde(default)]
    subproject: Vec<toml::Spanned<SubprojectForm>>,
    #[serde(default)]
    ignore: Vec<toml::Spanned<IgnoreForm>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IgnoreForm {
    code: Option<toml::Spanned<String>>,
    path: Option<toml::Spanned<String>>,
    kind: Option<Kind>,
    reason: Option<toml::Spanned<String>>,
    until: Option<toml::Spanned<toml::Value>>,
}

/// What is wrong, and where.
type Misplaced = (usize, String);

impl IgnoreForm {
    fn into_rule(self, start: usize) -> Result<IgnoreRule, Misplaced> {
        let hinted = |error: Error| match error.hint_text() {
            Some(hint) => format!("{error}: {hint}"),
            None => error.to_string(),
        };
        if let Some(code) = &self.code {
            code_glob(code.as_ref()).map_err(|error| (code.span().start, hinted(error)))?;
        }
        if let Some(path) = &self.path {
            let text = path.as_ref();
            if text.starts_with('/') || text.split('/').any(|part| part == "..") {
                return Err((path.span().start, format!("{text:?} leads out of the project")));
            }
            path_glob(text).map_err(|error| (path.span().start, hinted(error)))?;
        }
        if self.code.is_none() && self.path.is_none() {
            return Err((start, "an ignore without code and path would hide everything; give one of them".to_owned()));
        }
        let reason = match self.reason {
            Some(reason) if reason.as_ref().trim().is_empty() => {
                return Err((reason.span().start, "the reason is empty".to_owned()));
            }
            Some(reason) => reason.into_inner().split_whitespace().collect::<Vec<_>>().join(" "),
            None => return Err((start, "an ignore needs a reason".to_owned())),
        };
        let until = match self.until {
            None => None,
            Some(until) => {
                let text = match until.as_ref() {
                    toml::Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let wrong = || (until.span().start, format!("{text} is not a date such as 2027-01-31"));
                Some(Timestamp::of_date(&text).ok_or_else(wrong)?)
            }
        };
        let plain = |value: Option<toml::Spanned<String>>| value.map(toml::Spanned::into_inner);
        Ok(IgnoreRule { code: plain(self.code), path: plain(self.path), kind: self.kind, reason, until })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubprojectForm {
    path: SubPath,
    name: Option<SubPath>,
    #[serde(default)]
    language: Language,
    build: Option<Recipe>,
    test: Option<Recipe>,
    lint: Option<Recipe>,
    audit: Option<Recipe>,
    #[serde(default)]
    recipes: BTreeMap<RecipeName, Recipe>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    secrets: BTreeSet<SecretName>,
    keep: Option<Vec<String>>,
    #[serde(default)]
    fresh: bool,
}

impl SubprojectForm {
    fn into_subproject(self) -> Result<Subproject, String> {
        let mut recipes = self.recipes;
        let standard = [("build", self.build), ("test", self.test), ("lint", self.lint), ("audit", self.audit)];
        for (name, recipe) in standard {
            let Some(recipe) = recipe else { continue };
            let name: RecipeName = name.parse().expect("the standard recipes have valid names");
            if recipes.insert(name.clone(), recipe).is_some() {
                return Err(format!("the recipe {name} stands twice, as a key and under recipes"));
            }
        }
        for (name, recipe) in &recipes {
            if recipe.command.trim().is_empty() {
                return Err(format!("the recipe {name} has an empty command"));
            }
        }
        let bad_variable = |env: &BTreeMap<String, String>| {
            env.iter()
                .find(|(key, value)| key.is_empty() || key.contains(['=', '\0']) || value.contains('\0'))
                .map(|(key, _)| key.clone())
        };
        if let Some(key) =
            std::iter::once(&self.env).chain(recipes.values().map(|recipe| &recipe.env)).find_map(bad_variable)
        {
            return Err(format!("{key:?} cannot be an environment variable"));
        }
        if let Some(pattern) =
            self.keep.iter().flatten().find(|pattern| {
                pattern.starts_with('/') || pattern.split('/').any(|part| part == ".." || part == ".git")
            })
        {
            return Err(format!("keep holds {pattern:?}, which leads out of the subproject"));
        }
        let subproject = Subproject {
            name: self.name.unwrap_or_else(|| self.path.clone()),
            path: self.path,
            language: self.language,
            recipes,
            env: self.env,
            secrets: self.secrets,
            keep: self.keep,
            fresh: self.fresh,
        };
        for (name, recipe) in &subproject.recipes {
            let (env, secrets) = subproject.given_to(recipe);
            if let Some(both) = secrets.iter().find(|secret| env.contains_key(secret.as_str())) {
                return Err(format!("the recipe {name} has {both} in its env and in its secrets; take it out of one"));
            }
        }
        Ok(subproject)
    }
}

impl ProjectFile {
    /// The file's name at a project's root.
    pub const NAME: &'static str = "crafting.toml";

    /// Reads the text of a `crafting.toml`; `origin` names it in errors (`file:line:column`).
    pub fn parse(text: &str, origin: &str) -> Result<Self> {
        let at = |offset: usize, message: &str| config_error(text, origin, Some(offset), message);
        let form: FileForm = toml::from_str(text)
            .map_err(|error| config_error(text, origin, error.span().map(|span| span.start), error.message()))?;
        let mut subprojects: Vec<Subproject> = Vec::new();
        for spanned in form.subproject {
            let start = spanned.span().start;
            let subproject = spanned.into_inner().into_subproject().map_err(|message| at(start, &message))?;
            if subprojects.iter().any(|other| other.name == subproject.name) {
                let message = format!("the subproject {} stands twice; give one of them a name", subproject.name);
                return Err(at(start, &message));
            }
            subprojects.push(subproject);
        }
        let mut ignores = Vec::new();
        for spanned in form.ignore {
            let start = spanned.span().start;
            let rule = spanned.into_inner().into_rule(start).map_err(|(offset, message)| at(offset, &message))?;
            ignores.push(rule);
        }
        Ok(Self {
            name: form.name,
            default_branch: form.default_branch,
            timeout_secs: form.timeout_secs,
            submodules: form.submodules,
            subprojects,
            ignores,
        })
    }
}

/// An error in a TOML text, with its place as `origin:line:column` and the nearest known key for a typo.
pub(crate) fn config_error(text: &str, origin: &str, offset: Option<usize>, message: &str) -> Error {
    let place = match offset {
        Some(offset) => {
            let before = text.get(..offset).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
            format!("{origin}:{line}:{column}")
        }
        None => origin.to_owned(),
    };
    let message = message.trim().replace('\n', " ");
    // The parser speaks of Rust's types.
    let message = ["u64", "u32"]
        .iter()
        .fold(message, |text, name| text.replace(&format!("expected {name}"), "expected a whole number"));
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message.contains("unknown field") || message.contains("unknown variant");
    let hint = match (unknown, quoted.next()) {
        (true, Some(unknown)) => match nearest(unknown, quoted) {
            Some(known) => format!("did you mean {known}?"),
            None => "take it out, or write one of those in its place".to_owned(),
        },
        _ => "correct that line and try again".to_owned(),
    };
    Error::new(Code::InvalidConfig, format!("{place}: {message}")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (String, String) {
        let error = ProjectFile::parse(text, "crafting.toml").unwrap_err();
        (error.to_string(), error.hint_text().unwrap_or_default().to_owned())
    }

    #[test]
    fn a_recipe_is_a_command_or_a_table() {
        let text = "[[subproject]]\npath = 'a'\ntest = 'x'\n[subproject.recipes]\nbench = { command = 'y', timeout_secs = 3 }\n";
        let file = ProjectFile::parse(text, "crafting.toml").unwrap();
        let recipes = &file.subprojects[0].recipes;
        assert_eq!(recipes[&"test".parse().unwrap()].command, "x");
        assert_eq!(recipes[&"bench".parse().unwrap()].timeout_secs, Some(3));
    }

    #[test]
    fn ignores_say_what_and_why() {
        let text = "[[ignore]]\ncode = 'clippy::*'\nkind = 'lint'\nreason = ' not \tours '\nuntil = 2999-01-31\n\
                    [[ignore]]\npath = 'vendor/'\nreason = 'x'\nuntil = '2999-01-31'\n";
        let rules = ProjectFile::parse(text, "crafting.toml").unwrap().ignores;
        assert_eq!((rules[0].code.as_deref(), rules[0].reason.as_str()), (Some("clippy::*"), "not ours"));
        assert_eq!((rules[0].kind, rules[0].until), (Some(Kind::Lint), rules[1].until));
        for (rule, place, told) in [
            ("code = 'x'", "1:1", "needs a reason"),
            ("code = 'x'\nreason = ' '", "3:10", "the reason is empty"),
            ("reason = 'x'", "1:1", "would hide everything"),
            ("code = '[x'\nreason = 'x'", "2:8", "is not a glob"),
            ("path = '../x'\nreason = 'x'", "2:8", "leads out of the project"),
            ("path = 'x'\nreason = 'x'\nuntil = 'soon'", "4:9", "is not a date"),
            ("path = 'x'\nreason = 'x'\nuntil = 10:30:00", "4:9", "is not a date"),
            ("path = 'x'\nreason = 'x'\nkind = 'lnt'", "4:8", "unknown variant"),
            ("paht = 'x'\nreason = 'x'", "2:1", "unknown field"),
        ] {
            let (message, hint) = error(&format!("[[ignore]]\n{rule}\n"));
            assert!(message.starts_with(&format!("crafting.toml:{place}: ")), "{rule}: {message}");
            assert!(message.contains(told) && !hint.is_empty(), "{rule}: {message} ({hint})");
        }
    }

    #[test]
    fn errors_have_a_place_and_the_nearest_key() {
        let (message, hint) = error("[[subproject]]\npath = 'a'\ntset = 'x'\n");
        assert!(message.starts_with("crafting.toml:3:1: unknown field `tset`"), "{message}");
        assert_eq!(hint, "did you mean test?");
        let (message, _) = error("name = 'x\n");
        assert!(message.starts_with("crafting.toml:1:"), "{message}");
        let (message, _) = error("[[subproject]]\npath = '../a'\n");
        assert!(message.starts_with("crafting.toml:2:8: "), "{message}");
        let (message, _) = error("[[subproject]]\npath = 'a'\n[[subproject]]\npath = 'a'\n");
        assert!(message.starts_with("crafting.toml:3:1: the subproject a stands twice"), "{message}");
        let (message, _) = error("[[subproject]]\npath = 'a'\nkeep = ['../x']\n");
        assert!(message.contains("leads out of"), "{message}");
        let (message, _) = error("[[subproject]]\npath = 'a'\ntest = 3\n");
        assert!(message.contains("expected a command"), "{message}");
        let (message, hint) = error("[[subproject]]\npath = 'a'\ntest = { comand = 'x' }\n");
        assert!(message.starts_with("crafting.toml:3:10: unknown field `comand`"), "{message}");
        assert_eq!(hint, "did you mean command?");
        let (message, _) = error("[[subproject]]\npath = 'a'\ntest = { command = 'x', timeout_secs = '1m' }\n");
        assert!(message.starts_with("crafting.toml:3:40: ") && message.contains("a whole number"), "{message}");
        let (message, _) = error("[[subproject]]\npath = 'a'\ntest = { timeout_secs = 3 }\n");
        assert!(message.starts_with("crafting.toml:3:8: missing field `command`"), "{message}");
    }
}
