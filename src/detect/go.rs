//! Go: a module is a subproject; the modules of a go.work are one.
//! <https://go.dev/ref/mod#workspaces>

use std::collections::BTreeSet;

use super::checkout::{Checkout, is_within, lies_in, relative, resolve};
use super::part::{Part, count, quote};
use crate::model::Language;

const LINTER: [&str; 4] = [".golangci.yml", ".golangci.yaml", ".golangci.toml", ".golangci.json"];

pub(super) fn detect(checkout: &Checkout, _: &[Part]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut in_a_workspace: BTreeSet<String> = BTreeSet::new();
    let mut workspaces: BTreeSet<&str> = BTreeSet::new();
    for folder in checkout.folders_with("go.work") {
        let Some(text) = checkout.read(folder, "go.work") else { continue };
        let mut modules: Vec<String> = directives(&text, "use")
            .filter_map(|path| resolve(folder, path))
            .filter(|module| is_within(module, folder) && checkout.has(module, "go.mod"))
            .collect();
        modules.sort();
        modules.dedup();
        if modules.is_empty() {
            continue;
        }
        // `./...` reaches no further than the module of the current folder, and fails where there is none.
        let packages: Vec<String> = modules
            .iter()
            .map(|module| match relative(module, folder) {
                "." => "./...".to_owned(),
                module => quote(&format!("./{module}/...")),
            })
            .collect();
        let evidence = format!("go.work ({})", count(modules.len(), "module"));
        parts.push(part(checkout, folder, &packages.join(" "), evidence));
        workspaces.insert(folder);
        in_a_workspace.extend(modules);
    }
    for folder in checkout.folders_with("go.mod") {
        if in_a_workspace.contains(folder) || !is_go(checkout, folder) {
            continue;
        }
        let mut part = part(checkout, folder, "./...", "go.mod".to_owned());
        if lies_in(folder, &workspaces) {
            // Go looks upward for a go.work and then refuses a module that it does not list.
            part = part.env("GOWORK", "off");
        }
        parts.push(part);
    }
    parts
}

fn part(checkout: &Checkout, folder: &str, packages: &str, evidence: String) -> Part {
    let has_tests = checkout.below(folder).any(|(_, name)| name.ends_with("_test.go"));
    let lint = match checkout.first(folder, &LINTER) {
        Some(_) if packages == "./..." => "golangci-lint run".to_owned(),
        Some(_) => format!("golangci-lint run {packages}"),
        None => format!("go vet {packages}"),
    };
    // A tool directive says which govulncheck; a bare one would be whatever the machine has.
    let has_govulncheck = checkout
        .read(folder, "go.mod")
        .is_some_and(|text| directives(&text, "tool").any(|tool| tool == "golang.org/x/vuln/cmd/govulncheck"));
    Part::new(folder, Language::Go, evidence)
        .recipe("build", format!("go build {packages}"))
        .recipe("test", has_tests.then(|| format!("go test {packages}")))
        .recipe("lint", lint)
        .recipe("audit", has_govulncheck.then(|| format!("go tool govulncheck {packages}")))
}

fn is_go(checkout: &Checkout, folder: &str) -> bool {
    checkout.below(folder).any(|(_, name)| name.ends_with(".go"))
}

/// The arguments of a directive in a go.mod or go.work: `use ./a`, or one a line between `use (` and `)`.
fn directives<'t>(text: &'t str, directive: &'t str) -> impl Iterator<Item = &'t str> {
    let mut inside = false;
    text.lines().filter_map(move |line| {
        let line = line.split("//").next().unwrap_or(line).trim();
        if inside {
            inside = line != ")";
            return (inside && !line.is_empty()).then(|| line.trim_matches('"'));
        }
        let rest = line.strip_prefix(directive)?;
        if rest.trim_start() == "(" {
            inside = true;
            return None;
        }
        rest.starts_with([' ', '\t']).then(|| rest.trim().trim_matches('"'))
    })
}
