//! C and C++ with CMake: the outermost CMakeLists.txt that names a project.
//! <https://cmake.org/cmake/help/latest/manual/cmake.1.html>

use std::collections::BTreeSet;

use super::checkout::{Checkout, lies_in};
use super::part::Part;
use crate::model::Language;

const LISTS: &str = "CMakeLists.txt";

/// By these words CTest has something to run.
const TESTS: [&str; 5] =
    ["enable_testing", "include(ctest", "add_test", "gtest_discover_tests", "catch_discover_tests"];

pub(super) fn detect(checkout: &Checkout, seen: &[Part]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    // Below another CMake project it is a part of that; beside or below another language's manifest it is what
    // that one's build calls (a -sys crate, a Python extension, an Android library).
    let mut outer: BTreeSet<&str> =
        seen.iter().filter(|part| calls_cmake(part.language)).map(|part| part.folder.as_str()).collect();
    for folder in checkout.folders_with(LISTS) {
        let Some(lists) = checkout.read(folder, LISTS) else { continue };
        if !lies_in(folder, &outer) && squeezed(&lists).contains("project(") {
            outer.insert(folder);
            parts.push(part(checkout, folder));
        }
    }
    parts
}

/// A package.json or a Gemfile is often there for a repository's text and its tools rather than its code.
fn calls_cmake(language: Language) -> bool {
    !matches!(language, Language::Javascript | Language::Typescript | Language::Ruby)
}

fn part(checkout: &Checkout, folder: &str) -> Part {
    let has_tests = checkout
        .below(folder)
        .filter(|(_, name)| *name == LISTS || name.ends_with(".cmake"))
        .take(256)
        .filter_map(|(inner, name)| checkout.read(inner, name))
        .map(|text| squeezed(&text))
        .any(|text| TESTS.iter().any(|word| text.contains(word)));
    let build = "cmake -B build -S . && cmake --build build";
    let test = has_tests.then(|| format!("{build} && ctest --test-dir build --output-on-failure"));
    Part::new(folder, Language::C, LISTS).recipe("build", build.to_owned()).recipe("test", test)
}

/// Without blanks and comments, in lower case: CMake's commands are written `project (`, `PROJECT(`, ….
fn squeezed(text: &str) -> String {
    let code = text.lines().map(|line| line.split('#').next().unwrap_or(line));
    code.flat_map(str::chars).filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
}
