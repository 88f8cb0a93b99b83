//! Ruby: a Gemfile, a gemspec or a Rakefile. <https://bundler.io/man/gemfile.5.html>

use std::collections::BTreeSet;

use super::checkout::{Checkout, lies_in};
use super::part::{Part, Setup};
use crate::model::Language;

/// Where the gems go: kept from job to job, and `bundle exec` sees only what the lock names of them.
const BUNDLE: [(&str, &str); 1] = [("BUNDLE_PATH", "vendor/bundle")];

pub(super) fn detect(checkout: &Checkout, _: &[Part]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut outer: BTreeSet<&str> = BTreeSet::new();
    for folder in checkout.folders() {
        let gemspec = checkout.names(folder).find(|name| name.ends_with(".gemspec"));
        let Some(evidence) = checkout.first(folder, &["Gemfile", "Rakefile"]).or(gemspec) else { continue };
        // A Rakefile deep in a Ruby project is loaded by it; a Gemfile there is a project of its own.
        if evidence == "Rakefile" && lies_in(folder, &outer) {
            continue;
        }
        outer.insert(folder);
        parts.push(part(checkout, folder, evidence));
    }
    parts
}

fn part(checkout: &Checkout, folder: &str, evidence: &str) -> Part {
    let read = |name: &str| checkout.read(folder, name).unwrap_or_default();
    let has_gemfile = evidence == "Gemfile";
    let rakefile = read("Rakefile");
    let mut declared = format!("{}\n{}", read("Gemfile"), read("Gemfile.lock"));
    for name in checkout.names(folder).filter(|name| name.ends_with(".gemspec")) {
        declared.push_str(&read(name));
    }
    let below = |wanted: &str, ending: &str| {
        let inner = super::checkout::join(folder, wanted);
        checkout.below(&inner).any(|(_, name)| name.ends_with(ending))
    };
    let exec = if has_gemfile { "bundle install && bundle exec " } else { "" };
    let has_rake_test = ["Rake::TestTask", "Minitest::TestTask", "task :test", "task test", "task(:test"]
        .iter()
        .any(|word| rakefile.contains(word));
    let test = if below("spec", "_spec.rb") {
        Some("rspec")
    } else if checkout.has(folder, "bin/rails") && below("test", "_test.rb") {
        Some("rails test")
    } else if has_rake_test {
        Some("rake test")
    } else if below("test", "_test.rb") {
        Some(r#"ruby -Ilib -Itest -e 'Dir["./test/**/*_test.rb"].each { |file| require file }'"#)
    } else {
        None
    };
    let has_rubocop = checkout.has(folder, ".rubocop.yml") || declared.contains("rubocop");
    let lint = match (has_rubocop, declared.contains("standard")) {
        (true, _) => Some("rubocop"),
        (false, true) if declared.contains("\"standard\"") || declared.contains("'standard'") => Some("standardrb"),
        _ => None,
    };
    let has_audit = declared.contains("bundler-audit") && has_gemfile;
    let gemspec = checkout.names(folder).find(|name| name.ends_with(".gemspec"));
    let mut part = Part::new(folder, Language::Ruby, evidence)
        .recipe("build", gemspec.map(|gemspec| format!("gem build {}", super::part::quote(gemspec))))
        .recipe("test", test.map(|test| format!("{exec}{test}")))
        .recipe("lint", lint.map(|lint| format!("{exec}{lint}")))
        .recipe("audit", has_audit.then(|| format!("{exec}bundle-audit check --update")));
    if has_gemfile {
        for (key, value) in BUNDLE {
            part = part.env(key, value);
        }
        part.setup = Setup { prefix: "bundle install && ".to_owned(), words: &["bundle install", "bundle check"] };
    }
    part
}
