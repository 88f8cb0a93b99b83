//! PHP: a composer.json. <https://getcomposer.org/doc/04-schema.md>

use serde_json::Value;

use super::checkout::Checkout;
use super::part::{Part, Setup};
use crate::model::Language;

const MANIFEST: &str = "composer.json";

pub(super) fn detect(checkout: &Checkout, _: &[Part]) -> Vec<Part> {
    checkout
        .folders_with(MANIFEST)
        .filter_map(|folder| Some(part(checkout, folder, &checkout.json(folder, MANIFEST)?)))
        .collect()
}

fn part(checkout: &Checkout, folder: &str, manifest: &Value) -> Part {
    let script = |name: &str| manifest["scripts"].get(name).is_some().then(|| format!("composer {name}"));
    let requires = |package: &str| ["require", "require-dev"].iter().any(|key| manifest[*key].get(package).is_some());
    let configured = |names: &[&str]| checkout.first(folder, names).is_some();

    let install = "composer install --no-interaction && ";
    let phpunit = configured(&["phpunit.xml.dist", "phpunit.xml", "phpunit.dist.xml"]) || requires("phpunit/phpunit");
    let test = script("test").or_else(|| {
        if requires("pestphp/pest") {
            Some("vendor/bin/pest".to_owned())
        } else {
            phpunit.then(|| "vendor/bin/phpunit".to_owned())
        }
    });
    let phpstan = configured(&["phpstan.neon", "phpstan.neon.dist", "phpstan.dist.neon"]);
    let psalm = configured(&["psalm.xml", "psalm.xml.dist"]);
    let style = configured(&["phpcs.xml", "phpcs.xml.dist", ".phpcs.xml", ".phpcs.xml.dist"]);
    let lint = script("lint").or_else(|| {
        let tools = [
            (phpstan, "vendor/bin/phpstan analyse --no-progress"),
            (psalm, "vendor/bin/psalm --no-progress"),
            (style, "vendor/bin/phpcs"),
        ];
        let tools: Vec<&str> = tools.into_iter().filter(|(used, _)| *used).map(|(_, tool)| tool).collect();
        (!tools.is_empty()).then(|| tools.join(" && "))
    });
    // `composer run build`: `build` alone could one day be a command of Composer's own.
    let build = manifest["scripts"].get("build").is_some().then(|| "composer run build".to_owned());
    let audit = checkout.has(folder, "composer.lock").then(|| "composer audit --locked".to_owned());
    let installed = |command: String| format!("{install}{command}");
    let mut part = Part::new(folder, Language::Php, MANIFEST)
        .recipe("build", build.map(installed))
        .recipe("test", test.map(installed))
        .recipe("lint", lint.map(installed))
        .recipe("audit", audit);
    part.setup = Setup { prefix: install.to_owned(), words: &["composer install", "composer update"] };
    part
}
