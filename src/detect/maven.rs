//! Java and Kotlin with Maven: the outermost pom.xml of a tree of modules is the subproject.
//! <https://maven.apache.org/guides/mini/guide-multiple-modules.html>

use std::collections::BTreeSet;

use super::checkout::{Checkout, is_within, lies_in};
use super::part::{Part, count};
use crate::model::Language;

pub(super) fn detect(checkout: &Checkout, _: &[Part]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut outer: BTreeSet<&str> = BTreeSet::new();
    for folder in checkout.folders_with("pom.xml") {
        // A pom below another is its module, or a helper that its build calls.
        if lies_in(folder, &outer) {
            continue;
        }
        let Some(pom) = checkout.read(folder, "pom.xml") else { continue };
        if pom.contains("<project") {
            outer.insert(folder);
            parts.push(part(checkout, folder, &pom));
        }
    }
    parts
}

fn part(checkout: &Checkout, folder: &str, pom: &str) -> Part {
    let wrapper = checkout.has(folder, "mvnw");
    let maven = match wrapper {
        true if checkout.is_executable(folder, "mvnw") => "./mvnw",
        true => "sh mvnw",
        false => "mvn",
    };
    let poms: Vec<&str> = checkout.folders_with("pom.xml").filter(|inner| is_within(inner, folder)).collect();
    let configured = |plugin: &str| {
        pom.contains(plugin)
            || poms.iter().take(64).any(|inner| checkout.read(inner, "pom.xml").is_some_and(|pom| pom.contains(plugin)))
    };
    let mut lints: Vec<&str> = Vec::new();
    for (plugin, goal) in [
        ("spotless-maven-plugin", "spotless:check"),
        ("maven-checkstyle-plugin", "checkstyle:check"),
        ("maven-pmd-plugin", "pmd:check"),
    ] {
        if configured(plugin) {
            lints.push(goal);
        }
    }
    let language = if is_kotlin(checkout, folder) { Language::Kotlin } else { Language::Java };
    let modules = poms.len().saturating_sub(1);
    let evidence = match modules {
        0 => "pom.xml".to_owned(),
        modules => format!("pom.xml ({})", count(modules, "module")),
    };
    // -B: no progress bars and no questions. -DskipTests still compiles the tests.
    Part::new(folder, language, evidence)
        .recipe("build", format!("{maven} -B package -DskipTests"))
        .recipe("test", format!("{maven} -B verify"))
        .recipe("lint", (!lints.is_empty()).then(|| format!("{maven} -B {}", lints.join(" "))))
        .recipe(
            "audit",
            configured("dependency-check-maven")
                .then(|| format!("{maven} -B org.owasp:dependency-check-maven:aggregate")),
        )
}

/// Whether there is more Kotlin than Java among the sources.
pub(super) fn is_kotlin(checkout: &Checkout, folder: &str) -> bool {
    let count = |ending: &str| checkout.below(folder).filter(|(_, name)| name.ends_with(ending)).count();
    count(".kt") > count(".java")
}
