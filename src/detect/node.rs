//! JavaScript and TypeScript: a package.json with scripts; a workspace is one subproject.
//! <https://docs.npmjs.com/cli/using-npm/scripts>

use std::collections::BTreeMap;

use globset::GlobSet;
use serde_json::Value;

use super::checkout::{Checkout, is_within, patterns, upward};
use super::part::{Part, Setup, count};
use crate::model::Language;

const MANIFEST: &str = "package.json";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manager {
    Npm,
    YarnClassic,
    /// Yarn 2 and later.
    Yarn,
    Pnpm,
    Bun,
}

pub(super) fn detect(checkout: &Checkout, _: &[Part]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    // Outer workspaces with the patterns of their members.
    let mut workspaces: BTreeMap<&str, GlobSet> = BTreeMap::new();
    let folders: Vec<&str> = checkout.folders_with(MANIFEST).collect();
    for folder in folders.iter().copied() {
        if upward(folder).filter_map(|outer| workspaces.get(outer)).any(|members| members.is_match(folder)) {
            continue;
        }
        let Some(manifest) = checkout.json(folder, MANIFEST) else { continue };
        let globs = workspace_patterns(checkout, folder, &manifest);
        let members = patterns(folder, globs.iter().map(String::as_str));
        let is_inner = |inner: &&str| *inner != folder && is_within(inner, folder) && members.is_match(inner);
        let inner = if globs.is_empty() { Vec::new() } else { folders.iter().copied().filter(is_inner).collect() };
        let package = Package { checkout, folder, manifest: &manifest, members: inner };
        if !globs.is_empty() {
            workspaces.insert(folder, members);
        }
        parts.extend(package.part());
    }
    parts
}

fn workspace_patterns(checkout: &Checkout, folder: &str, manifest: &Value) -> Vec<String> {
    let listed = manifest["workspaces"].as_array().or_else(|| manifest["workspaces"]["packages"].as_array());
    let mut globs: Vec<String> =
        listed.into_iter().flatten().filter_map(|glob| glob.as_str().map(str::to_owned)).collect();
    // Of YAML only the shape that pnpm's own documentation shows: `packages:` and a list below it.
    let yaml = checkout.read(folder, "pnpm-workspace.yaml").unwrap_or_default();
    let list = yaml.lines().skip_while(|line| line.trim_end() != "packages:").skip(1);
    for line in list.take_while(|line| line.starts_with([' ', '-', '#']) || line.trim().is_empty()) {
        if let Some(glob) = line.trim_start().strip_prefix('-') {
            globs.push(glob.trim().trim_matches(['"', '\'']).to_owned());
        }
    }
    globs.retain(|glob| !glob.starts_with('!'));
    globs
}

struct Package<'c, 'a> {
    checkout: &'c Checkout<'a>,
    folder: &'a str,
    manifest: &'c Value,
    /// The folders of the workspace's other packages.
    members: Vec<&'a str>,
}

impl Package<'_, '_> {
    fn part(&self) -> Option<Part> {
        let manager = self.manager();
        let test = self.run(manager, &["test:ci", "test", "test:unit", "tests"]);
        let build = self.run(manager, &["build", "compile"]);
        let lint = self.run(manager, &["lint", "lint:check", "eslint"]);
        let typecheck = self.run(manager, &["typecheck", "type-check", "check-types", "tsc"]);
        let lint = match (lint, typecheck) {
            (Some(lint), Some(typecheck)) => Some(format!("{lint} && {typecheck}")),
            (lint, typecheck) => lint.or(typecheck),
        };
        let install = self.install(manager);
        let installed = |command: String| format!("{install}{command}");
        let lock = self.lock();
        let evidence = match (self.members.len(), lock) {
            (0, None) => MANIFEST.to_owned(),
            (0, Some(lock)) => format!("{MANIFEST}, {lock}"),
            (members, None) => format!("{MANIFEST} (workspace of {})", count(members, "package")),
            (members, Some(lock)) => format!("{MANIFEST} (workspace of {}), {lock}", count(members, "package")),
        };
        let mut part = Part::new(self.folder, self.language(), evidence)
            .recipe("build", build.map(installed))
            .recipe("test", test.map(installed))
            .recipe("lint", lint.map(installed))
            .recipe("audit", lock.map(|_| audit(manager).to_owned()));
        part.setup = Setup {
            prefix: install,
            words: &["npm ci", "npm i", "npm install", "yarn", "pnpm i", "pnpm install", "bun i", "bun install"],
        };
        part.is_worth_a_subproject().then_some(part)
    }

    fn language(&self) -> Language {
        let is_typescript = self.checkout.below(self.folder).any(|(_, name)| name == "tsconfig.json")
            || ["devDependencies", "dependencies"].iter().any(|key| self.manifest[*key].get("typescript").is_some());
        if is_typescript { Language::Typescript } else { Language::Javascript }
    }

    fn lock(&self) -> Option<&'static str> {
        let locks =
            ["pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb", "package-lock.json", "npm-shrinkwrap.json"];
        self.checkout.first(self.folder, &locks)
    }

    /// What the `packageManager` field names (Corepack), else whose lock file there is.
    fn manager(&self) -> Manager {
        let field = self.manifest["packageManager"].as_str().unwrap_or("");
        let (name, version) = field.split_once('@').unwrap_or((field, ""));
        let named = match name {
            "npm" => Some(Manager::Npm),
            "pnpm" => Some(Manager::Pnpm),
            "bun" => Some(Manager::Bun),
            "yarn" if version.starts_with("1.") => Some(Manager::YarnClassic),
            "yarn" => Some(Manager::Yarn),
            _ => None,
        };
        named.unwrap_or_else(|| match self.lock() {
            Some("pnpm-lock.yaml") => Manager::Pnpm,
            Some("bun.lock" | "bun.lockb") => Manager::Bun,
            Some("yarn.lock") => {
                let is_new = self.checkout.has(self.folder, ".yarnrc.yml")
                    || self.checkout.read(self.folder, "yarn.lock").is_some_and(|lock| lock.contains("__metadata:"));
                if is_new { Manager::Yarn } else { Manager::YarnClassic }
            }
            _ if self.checkout.has(self.folder, "pnpm-workspace.yaml") => Manager::Pnpm,
            _ => Manager::Npm,
        })
    }

    /// The installation, ending in ` && `; empty where there is nothing to install.
    fn install(&self, manager: Manager) -> String {
        let has_dependencies = |manifest: &Value| {
            ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"]
                .iter()
                .any(|key| manifest[*key].as_object().is_some_and(|table| !table.is_empty()))
        };
        if !has_dependencies(self.manifest) && self.members.is_empty() {
            return String::new();
        }
        let command = match (manager, self.lock().is_some()) {
            (Manager::Npm, true) => "npm ci",
            (Manager::Npm, false) => "npm install",
            (Manager::YarnClassic, true) => "yarn install --frozen-lockfile",
            (Manager::Yarn, true) => "yarn install --immutable",
            (Manager::YarnClassic | Manager::Yarn, false) => "yarn install",
            (Manager::Pnpm, true) => "pnpm install --frozen-lockfile",
            (Manager::Pnpm, false) => "pnpm install",
            (Manager::Bun, true) => "bun install --frozen-lockfile",
            (Manager::Bun, false) => "bun install",
        };
        format!("{command} && ")
    }

    /// Runs the first of these scripts that there is: the root's own, else that of every package which has it.
    fn run(&self, manager: Manager, names: &[&str]) -> Option<String> {
        if let Some(name) = names.iter().find(|name| has_script(self.manifest, name)) {
            return Some(match (manager, *name) {
                (Manager::Npm, "test") => "npm test".to_owned(),
                (Manager::Npm, name) => format!("npm run {name}"),
                (Manager::YarnClassic | Manager::Yarn, name) => format!("yarn run {name}"),
                (Manager::Pnpm, name) => format!("pnpm run {name}"),
                // `bun test` would be Bun's own test runner.
                (Manager::Bun, name) => format!("bun run {name}"),
            });
        }
        let manifests: Vec<Value> =
            self.members.iter().take(256).filter_map(|member| self.checkout.json(member, MANIFEST)).collect();
        let name = names.iter().find(|name| manifests.iter().any(|manifest| has_script(manifest, name)))?;
        Some(match manager {
            Manager::Npm => format!("npm run {name} --workspaces --if-present"),
            Manager::YarnClassic => format!("yarn workspaces run {name}"),
            Manager::Yarn => format!("yarn workspaces foreach --all run {name}"),
            Manager::Pnpm => format!("pnpm --recursive run {name}"),
            Manager::Bun => format!("bun run --filter '*' {name}"),
        })
    }
}

/// Whether the script is there, ends by itself, and is not what `npm init` puts in its place.
fn has_script(manifest: &Value, name: &str) -> bool {
    manifest["scripts"][name].as_str().is_some_and(|script| {
        let watches = script.split_whitespace().any(|word| matches!(word, "--watch" | "--watchAll"));
        !script.trim().is_empty() && !script.contains("no test specified") && !watches
    })
}

fn audit(manager: Manager) -> &'static str {
    match manager {
        Manager::Npm => "npm audit",
        Manager::YarnClassic => "yarn audit",
        Manager::Yarn => "yarn npm audit --all --recursive",
        Manager::Pnpm => "pnpm audit",
        Manager::Bun => "bun audit",
    }
}
