//! Java and Kotlin with Gradle: a build (its settings file) is a subproject, whatever modules it has.
//! <https://docs.gradle.org/current/userguide/multi_project_builds.html>

use std::collections::BTreeSet;

use super::checkout::{Checkout, lies_in};
use super::maven::is_kotlin;
use super::part::Part;
use crate::model::Language;

const FILES: [&str; 4] = ["settings.gradle.kts", "settings.gradle", "build.gradle.kts", "build.gradle"];

pub(super) fn detect(checkout: &Checkout, _: &[Part]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut outer: BTreeSet<&str> = BTreeSet::new();
    for folder in checkout.folders() {
        let Some(file) = checkout.first(folder, &FILES) else { continue };
        // Below another build lie its modules, its buildSrc and the builds that it includes.
        if !lies_in(folder, &outer) {
            outer.insert(folder);
            parts.push(part(checkout, folder, file));
        }
    }
    parts
}

fn part(checkout: &Checkout, folder: &str, file: &str) -> Part {
    let gradle = match checkout.has(folder, "gradlew") {
        true if checkout.is_executable(folder, "gradlew") => "./gradlew",
        true => "sh gradlew",
        false => "gradle",
    };
    let scripts: Vec<String> = checkout
        .below(folder)
        .filter(|(_, name)| name.ends_with(".gradle") || name.ends_with(".gradle.kts") || *name == "libs.versions.toml")
        .take(64)
        .filter_map(|(inner, name)| checkout.read(inner, name))
        .collect();
    let applied = |word: &str| scripts.iter().any(|script| script.contains(word));
    // Each of these tasks exists only where its plugin is applied.
    let lint: Vec<&str> = [
        ("com.diffplug.spotless", "spotlessCheck"),
        ("detekt", "detekt"),
        ("ktlint", "ktlintCheck"),
        ("com.android.application", "lint"),
    ]
    .into_iter()
    .filter(|(word, _)| applied(word))
    .map(|(_, task)| task)
    .collect();
    let language = if is_kotlin(checkout, folder) { Language::Kotlin } else { Language::Java };
    Part::new(folder, language, file)
        .recipe("build", format!("{gradle} assemble"))
        .recipe("test", format!("{gradle} test"))
        .recipe("lint", (!lint.is_empty()).then(|| format!("{gradle} {}", lint.join(" "))))
        .recipe("audit", applied("org.owasp.dependencycheck").then(|| format!("{gradle} dependencyCheckAnalyze")))
}
