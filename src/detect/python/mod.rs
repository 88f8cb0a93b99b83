//! Python: a packaged project, a folder of requirements, or plain modules with tests beside them.
//! <https://packaging.python.org/en/latest/specifications/pyproject-toml/>

mod project;
mod runner;

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobSet;

use super::checkout::{Checkout, join, lies_in, patterns, upward};
use super::part::{Part, Setup};
use crate::model::Language;
use project::Project;
use runner::Runner;

pub(super) fn detect(checkout: &Checkout, seen: &[Part]) -> Vec<Part> {
    if !checkout.below("").any(|(_, name)| name.ends_with(".py")) {
        return Vec::new();
    }
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    let mut members: BTreeMap<&str, GlobSet> = BTreeMap::new();
    let mut workspaces: BTreeSet<&str> = BTreeSet::new();
    let mut projects: Vec<Project> = Vec::new();
    for folder in checkout.folders() {
        let project = Project::read(checkout, folder);
        let lies_in_another = lies_in(folder, &folders);
        let is_one = project.is_packaged() || !lies_in_another && project.has_manifest() && project.has_code();
        if !is_one || upward(folder).filter_map(|outer| members.get(outer)).any(|members| members.is_match(folder)) {
            continue;
        }
        if let Some(globs) = project.uv_workspace_members() {
            members.insert(folder, patterns(folder, globs.iter().map(String::as_str)));
            workspaces.insert(folder);
        }
        folders.insert(folder);
        projects.push(project);
    }
    for folder in bare_folders(checkout, folders) {
        projects.push(Project::read(checkout, folder));
    }
    let seen: BTreeSet<&str> = seen.iter().map(|part| part.folder.as_str()).collect();
    projects.iter().filter_map(|project| part(project, &seen, workspaces.contains(project.folder))).collect()
}

/// Folders of modules with tests and no manifest: the outermost ones that no project holds.
fn bare_folders<'a>(checkout: &Checkout<'a>, mut held: BTreeSet<&'a str>) -> Vec<&'a str> {
    let mut bare: Vec<&str> = Vec::new();
    let packages = checkout.folders_with("__init__.py");
    let with_packages: BTreeSet<&str> =
        packages.map(|package| package.rsplit_once('/').map_or("", |(parent, _)| parent)).collect();
    for folder in checkout.folders() {
        if lies_in(folder, &held) || matches!(folder.rsplit('/').next(), Some("test" | "tests")) {
            continue;
        }
        let is_module = |name: &&str| name.ends_with(".py") && !project::is_test_file(name);
        let has_modules = checkout.names(folder).any(|name| is_module(&name)) || with_packages.contains(folder);
        let has_tests = checkout.names(folder).any(project::is_test_file)
            || ["test", "tests"].iter().any(|tests| checkout.names(&join(folder, tests)).any(project::is_test_file));
        if has_modules && has_tests {
            held.insert(folder);
            bare.push(folder);
        }
    }
    bare
}

fn part(project: &Project, seen: &BTreeSet<&str>, is_workspace: bool) -> Option<Part> {
    let runner = Runner::of(project, is_workspace);
    let test = test(project, &runner);
    let build = runner.build(project);
    // A Rust crate with a Python face is built by its Cargo recipes already; only Python tests add to it.
    let is_face_of_another = project.builds_another_language() && seen.contains(project.folder);
    if is_face_of_another && test.is_none() {
        return None;
    }
    let audit = project.declared("pip-audit").map(|_| runner.command(project, &["pip-audit"]));
    let mut part = Part::new(project.folder, Language::Python, runner.evidence(project))
        .recipe("build", if is_face_of_another { None } else { build })
        .recipe("test", test)
        .recipe("lint", lint(project, &runner))
        .recipe("audit", audit);
    if runner == Runner::Pipenv {
        // In the tree, where every job begins without it, and not in a folder that outlives a changed lock.
        part = part.env("PIPENV_VENV_IN_PROJECT", "1");
    }
    part.setup = Setup {
        prefix: runner.prefix(project),
        words: &["uv", "pip", "pip3", "poetry", "pdm", "pipenv", "hatch", "tox", "nox"],
    };
    Some(part)
}

fn test(project: &Project, runner: &Runner) -> Option<String> {
    if let Some(command) = runner.own_test(project) {
        return Some(command);
    }
    if project.uses_pytest() {
        return Some(runner.command(project, &["pytest"]));
    }
    if project.checkout.has(project.folder, "manage.py") && project.has_tests() {
        return Some(runner.python(project, "manage.py test"));
    }
    Some(runner.python(project, &project.unittest_arguments()?))
}

fn lint(project: &Project, runner: &Runner) -> Option<String> {
    if let Some(command) = runner.own_lint(project) {
        return Some(command);
    }
    let mut tools: Vec<&str> = Vec::new();
    if project.configures("ruff", &["ruff.toml", ".ruff.toml"]) {
        tools.push("ruff check .");
    } else if project.configures("flake8", &[".flake8"]) {
        // flake8 alone among them would walk into the environment.
        tools.push("flake8 --extend-exclude .venv");
    }
    if project.configures("mypy", &["mypy.ini", ".mypy.ini"]) {
        tools.push(if project.says_what_mypy_checks() { "mypy" } else { "mypy ." });
    } else if project.configures("pyright", &["pyrightconfig.json"]) {
        tools.push("pyright");
    }
    (!tools.is_empty()).then(|| runner.command(project, &tools))
}
