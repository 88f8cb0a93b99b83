//! Rust: a Cargo workspace is one subproject, and so is a package that belongs to none.
//! <https://doc.rust-lang.org/cargo/reference/workspaces.html>

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::checkout::{Checkout, ENOUGH, is_within, resolve, upward};
use super::part::{Part, count};
use crate::model::Language;

const MANIFEST: &str = "Cargo.toml";

struct Root<'a> {
    folder: &'a str,
    is_workspace: bool,
    excluded: Vec<String>,
    /// Whether the root itself is a package.
    has_package: bool,
    /// How many packages belong to it, its own included.
    packages: usize,
}

pub(super) fn detect(checkout: &Checkout, _: &[Part]) -> Vec<Part> {
    let manifests: Vec<(&str, Table)> = checkout
        .folders_with(MANIFEST)
        .filter_map(|folder| Some((folder, checkout.toml(folder, MANIFEST)?)))
        .filter(|(_, manifest)| manifest.contains_key("package") || manifest.contains_key("workspace"))
        .filter(|(_, manifest)| !is_fuzzer(manifest))
        .collect();
    let mut workspaces: BTreeMap<&str, Root> =
        manifests.iter().filter_map(|(folder, manifest)| Some((*folder, workspace(folder, manifest)?))).collect();
    let mut roots: Vec<Root> = Vec::new();
    for (folder, manifest) in manifests.iter().filter(|(_, manifest)| manifest.contains_key("package")) {
        let workspace = workspace_of(folder, manifest, &workspaces);
        match workspace.and_then(|workspace| workspaces.get_mut(workspace.as_str())) {
            Some(root) => root.packages += 1,
            None => {
                let alone = Root { folder, is_workspace: false, excluded: Vec::new(), has_package: true, packages: 1 };
                roots.push(alone);
            }
        }
    }
    roots.extend(workspaces.into_values());
    roots.iter().map(|root| part(checkout, root)).collect()
}

fn workspace<'a>(folder: &'a str, manifest: &Table) -> Option<Root<'a>> {
    let table = manifest.get("workspace")?;
    let excluded = table.get("exclude").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let excluded = excluded.take(ENOUGH).filter_map(|path| resolve(folder, path)).collect();
    Some(Root { folder, is_workspace: true, excluded, has_package: manifest.contains_key("package"), packages: 0 })
}

/// The folder of the workspace that Cargo would take the package to be in. One that lies in a workspace's folder
/// and is neither a member nor excluded is an error to Cargo, hence nothing to run by itself.
fn workspace_of(folder: &str, manifest: &Table, workspaces: &BTreeMap<&str, Root>) -> Option<String> {
    if manifest.contains_key("workspace") {
        return Some(folder.to_owned());
    }
    if let Some(named) = manifest.get("package").and_then(|package| package.get("workspace")?.as_str()) {
        return resolve(folder, named);
    }
    let around = upward(folder).filter_map(|outer| workspaces.get(outer));
    let mut holding = around.filter(|root| !root.excluded.iter().any(|excluded| is_within(folder, excluded)));
    holding.next().map(|root| root.folder.to_owned())
}

/// cargo-fuzz's packages need a nightly compiler and run until they are stopped.
fn is_fuzzer(manifest: &Table) -> bool {
    let flag = manifest.get("package").and_then(|package| package.get("metadata")?.get("cargo-fuzz")?.as_bool());
    flag == Some(true)
}

fn part(checkout: &Checkout, root: &Root) -> Part {
    let folder = root.folder;
    // Without --workspace, Cargo takes the root package alone where there is one.
    let is_alone = !root.is_workspace || root.packages == 1 && root.has_package;
    let workspace = if is_alone { "" } else { " --workspace" };
    // A lock file in the repository is a promise: --locked fails where it is out of date, as it should.
    let locked = if checkout.has(folder, "Cargo.lock") { " --locked" } else { "" };
    let test = if checkout.has(folder, ".config/nextest.toml") { "nextest run" } else { "test" };
    let audit = if checkout.first(folder, &["deny.toml", ".deny.toml", ".cargo/deny.toml"]).is_some() {
        Some("cargo deny check".to_owned())
    } else if checkout.first(folder, &[".cargo/audit.toml", "audit.toml"]).is_some() {
        Some("cargo audit".to_owned())
    } else {
        None
    };
    let evidence = match root.is_workspace {
        true if root.packages > 1 => format!("{MANIFEST} (workspace of {})", count(root.packages, "crate")),
        _ => MANIFEST.to_owned(),
    };
    Part::new(folder, Language::Rust, evidence)
        .recipe("build", format!("cargo build{workspace}{locked}"))
        .recipe("test", format!("cargo {test}{workspace}{locked}"))
        .recipe("lint", format!("cargo clippy{workspace} --all-targets{locked} -- -D warnings"))
        .recipe("audit", audit)
}
