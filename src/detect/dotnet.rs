//! .NET: a solution is a subproject; a project file that no solution stands above is one too.
//! <https://learn.microsoft.com/dotnet/core/tools/>

use std::collections::BTreeSet;

use super::checkout::{Checkout, lies_in};
use super::part::{Part, count, quote};
use crate::model::Language;

const SOLUTIONS: [&str; 2] = [".slnx", ".sln"];
const PROJECTS: [&str; 3] = [".csproj", ".fsproj", ".vbproj"];

pub(super) fn detect(checkout: &Checkout, _: &[Part]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut outer: BTreeSet<&str> = BTreeSet::new();
    for endings in [SOLUTIONS.as_slice(), PROJECTS.as_slice()] {
        for folder in checkout.folders() {
            if lies_in(folder, &outer) {
                continue;
            }
            let files: Vec<&str> =
                checkout.names(folder).filter(|name| endings.iter().any(|ending| name.ends_with(ending))).collect();
            if let Some(file) = files.first() {
                outer.insert(folder);
                parts.push(part(checkout, folder, file, files.len()));
            }
        }
    }
    parts
}

fn part(checkout: &Checkout, folder: &str, file: &str, files: usize) -> Part {
    let projects: Vec<(&str, &str)> =
        checkout.below(folder).filter(|(_, name)| PROJECTS.iter().any(|ending| name.ends_with(ending))).collect();
    let is_test = |(inner, name): &(&str, &str)| {
        let stem = name.rsplit_once('.').map_or(*name, |(stem, _)| stem).to_ascii_lowercase();
        stem.ends_with("test")
            || stem.ends_with("tests")
            || checkout.read(inner, name).is_some_and(|text| {
                text.contains("Microsoft.NET.Test.Sdk")
                    || text.contains("<IsTestProject>true")
                    || text.contains("xunit")
            })
    };
    let has_tests = projects.iter().take(64).any(is_test);
    // `dotnet build` refuses to choose where a folder has several.
    let file_argument = if files > 1 { format!(" {}", quote(file)) } else { String::new() };
    // Formatting is checked where somebody wrote down which one is wanted.
    let lint =
        checkout.has(folder, ".editorconfig").then(|| format!("dotnet format{file_argument} --verify-no-changes"));
    let evidence = match projects.len() {
        0 | 1 => file.to_owned(),
        projects => format!("{file} ({})", count(projects, "project")),
    };
    let test = has_tests.then(|| format!("dotnet test{file_argument}"));
    Part::new(folder, Language::Dotnet, evidence)
        .recipe("build", format!("dotnet build{file_argument}"))
        .recipe("test", test)
        .recipe("lint", lint)
}
