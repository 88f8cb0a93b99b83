//! A subproject in the making: what one ecosystem says about one folder.

use std::collections::BTreeMap;

use super::Found;
use crate::model::{Language, Recipe, SubPath, Subproject};

/// The recipes that detection looks for, in the order in which they are read.
pub(super) const RECIPES: [&str; 4] = ["build", "test", "lint", "audit"];

/// What one ecosystem says about one folder.
pub(super) struct Part {
    /// The folder; the root is the empty string.
    pub folder: String,
    /// Filled by the registry.
    pub ecosystem: &'static str,
    pub language: Language,
    pub evidence: String,
    /// Commands by the names of [`RECIPES`].
    pub recipes: BTreeMap<&'static str, String>,
    pub env: BTreeMap<String, String>,
    pub setup: Setup,
}

/// What a command needs before it in a clean checkout, such as `npm ci && `.
#[derive(Default)]
pub(super) struct Setup {
    /// Put before a command of the authors' own (`make test`).
    pub prefix: String,
    /// Words by which such a command shows that it brings its dependencies along itself.
    pub words: &'static [&'static str],
}

impl Part {
    pub fn new(folder: &str, language: Language, evidence: impl Into<String>) -> Self {
        Self {
            folder: folder.to_owned(),
            ecosystem: "",
            language,
            evidence: evidence.into(),
            recipes: BTreeMap::new(),
            env: BTreeMap::new(),
            setup: Setup::default(),
        }
    }

    /// Adds a recipe, if there is a command for it.
    pub fn recipe(mut self, name: &'static str, command: impl Into<Option<String>>) -> Self {
        if let Some(command) = command.into() {
            self.recipes.insert(name, command);
        }
        self
    }

    /// Adds a variable to the environment of every recipe.
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.env.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The folder as a subproject's path.
    pub fn path(&self) -> String {
        if self.folder.is_empty() { ".".to_owned() } else { self.folder.clone() }
    }

    /// An audit alone is no reason to call a folder a subproject.
    pub fn is_worth_a_subproject(&self) -> bool {
        self.recipes.keys().any(|name| *name != "audit")
    }

    pub fn into_found(self, name: SubPath) -> Option<Found> {
        let mut subproject = Subproject::new(self.path().parse().ok()?, self.language);
        subproject.name = name;
        subproject.env = self.env;
        for (name, command) in self.recipes {
            subproject.recipes.insert(name.parse().ok()?, Recipe { command, ..Recipe::default() });
        }
        Some(Found { subproject, evidence: self.evidence })
    }
}

/// `word` within single quotes, if a shell would read it as anything but itself.
pub(super) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '+' | ',' | ':' | '@' | '=');
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// `1 crate`, `3 crates`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
