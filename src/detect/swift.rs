//! Swift: a package is a subproject. <https://docs.swift.org/package-manager/PackageDescription/>

use std::collections::BTreeSet;

use super::checkout::{Checkout, lies_in};
use super::part::Part;
use crate::model::Language;

const MANIFEST: &str = "Package.swift";

pub(super) fn detect(checkout: &Checkout, _: &[Part]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut outer: BTreeSet<&str> = BTreeSet::new();
    for folder in checkout.folders_with(MANIFEST) {
        let Some(manifest) = checkout.read(folder, MANIFEST) else { continue };
        let lies_in_another = lies_in(folder, &outer);
        // Packages in a package's folder are its local dependencies, built with it.
        if lies_in_another || !manifest.contains("PackageDescription") {
            continue;
        }
        let lint = checkout.first(folder, &[".swiftlint.yml", ".swiftlint.yaml"]).map(|_| "swiftlint lint --strict");
        outer.insert(folder);
        parts.push(
            Part::new(folder, Language::Swift, MANIFEST)
                .recipe("build", "swift build".to_owned())
                .recipe("test", manifest.contains(".testTarget").then(|| "swift test".to_owned()))
                .recipe("lint", lint.map(str::to_owned)),
        );
    }
    parts
}
