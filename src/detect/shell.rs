//! Shell: scripts with Bats tests, or with tests that are scripts themselves.
//! <https://bats-core.readthedocs.io/en/stable/usage.html>, <https://www.shellcheck.net>

use std::collections::{BTreeMap, BTreeSet};

use super::checkout::{Checkout, is_within, join, lies_in, relative, upward};
use super::part::{Part, count, quote};
use crate::model::Language;

/// Folders whose parent is what is tested.
const TESTS: [&str; 6] = ["test", "tests", "spec", "bats", "t", "__tests__"];

/// A script that runs all the others, likeliest first.
const RUN_ALL: [&str; 8] =
    ["test.sh", "tests.sh", "run-tests.sh", "run_tests.sh", "runtests.sh", "run-all.sh", "run_all.sh", "run.sh"];

pub(super) fn detect(checkout: &Checkout, seen: &[Part]) -> Vec<Part> {
    let mut parts = bats(checkout);
    let seen: BTreeSet<&str> = seen.iter().map(|part| part.folder.as_str()).collect();
    let mut held: BTreeSet<String> = parts.iter().map(|part| part.folder.clone()).collect();
    for folder in checkout.folders() {
        if lies_in(folder, &seen) || upward(folder).any(|outer| held.contains(outer)) {
            continue;
        }
        if let Some(part) = scripts(checkout, folder) {
            held.insert(folder.to_owned());
            parts.push(part);
        }
    }
    for part in &mut parts {
        // In another language's folder its own linter comes first, unless ShellCheck is set up there.
        let is_guest = lies_in(&part.folder, &seen);
        if !is_guest || checkout.has(&part.folder, ".shellcheckrc") {
            part.recipes.extend(shellcheck(checkout, &part.folder).map(|command| ("lint", command)));
        }
    }
    parts
}

/// Folders tested with Bats, each with the outermost folders of its test files.
fn bats(checkout: &Checkout) -> Vec<Part> {
    let mut folders: BTreeMap<&str, (Vec<&str>, usize)> = BTreeMap::new();
    for (inner, name) in checkout.below("") {
        // The helpers' libraries lie below the tests, with tests of their own.
        if !name.ends_with(".bats") || inner.split('/').any(|part| part.starts_with("test_helper")) {
            continue;
        }
        let parts: Vec<&str> = inner.split('/').collect();
        let tests = parts.iter().position(|part| TESTS.contains(part)).unwrap_or(parts.len());
        let length = parts[..tests].join("/").len();
        let (tests, files) = folders.entry(&inner[..length]).or_default();
        *files += 1;
        if !tests.iter().any(|outer| is_within(inner, outer)) {
            tests.push(inner);
        }
    }
    let owned = |(folder, (tests, files)): (&str, (Vec<&str>, usize))| {
        // Within the outermost folder of a pair everything is found by --recursive.
        let is_deep = checkout.below(folder).any(|(inner, name)| name.ends_with(".bats") && !tests.contains(&inner));
        let recursive = if is_deep { " --recursive" } else { "" };
        let tests: Vec<String> = tests.iter().map(|tests| quote(relative(tests, folder))).collect();
        Part::new(folder, Language::Shell, count(files, "Bats file"))
            .recipe("test", format!("bats{recursive} {}", tests.join(" ")))
    };
    let can_be_one = |(folder, _): &(&str, _)| checkout.can_hold_a_subproject(folder);
    folders.into_iter().filter(can_be_one).map(owned).collect()
}

/// A folder of scripts whose tests are scripts.
fn scripts(checkout: &Checkout, folder: &str) -> Option<Part> {
    if TESTS.contains(&folder.rsplit('/').next().unwrap_or(folder)) {
        return None;
    }
    // Script tests of a program in C or the like are its Makefile's business.
    let is_program = |(inner, name): (&str, &str)| {
        let is_script = name.ends_with(".sh") || name.ends_with(".bash");
        is_script && !is_test(&name) && !RUN_ALL.contains(&name) && !inner.split('/').any(|part| TESTS.contains(&part))
    };
    if !checkout.below(folder).any(is_program) {
        return None;
    }
    for tests in ["", "test", "tests"] {
        let inner = join(folder, tests);
        let inner = inner.trim_end_matches('/');
        let Some(name) = checkout.first(inner, &RUN_ALL) else { continue };
        // In the folder itself, run.sh is the program rather than its test.
        if tests.is_empty() && name == "run.sh" {
            continue;
        }
        let script = if tests.is_empty() { name.to_owned() } else { format!("{tests}/{name}") };
        let part = Part::new(folder, Language::Shell, script.clone());
        return Some(part.recipe("test", run(checkout, folder, &script)));
    }
    for tests in ["test", "tests"] {
        let files: Vec<&str> = checkout.names(&join(folder, tests)).filter(is_test).collect();
        let Some(first) = files.first() else { continue };
        let command = match files.as_slice() {
            [only] => run(checkout, folder, &format!("{tests}/{only}")),
            _ => {
                // By either end of the first one's name, as `is_test` has it.
                let stem = first.trim_end_matches(".sh");
                let pattern = match stem.get(..5) {
                    Some(start @ ("test-" | "test_")) => format!("{start}*.sh"),
                    _ if stem.ends_with("-test") => "*-test.sh".to_owned(),
                    _ => "*_test.sh".to_owned(),
                };
                let shell = interpreter(checkout, folder, &format!("{tests}/{first}"));
                format!("for t in {tests}/{pattern}; do {shell} \"$t\" || exit 1; done")
            }
        };
        let evidence = format!("{} in {tests}/", count(files.len(), "test script"));
        return Some(Part::new(folder, Language::Shell, evidence).recipe("test", command));
    }
    None
}

fn is_test(name: &&str) -> bool {
    name.strip_suffix(".sh").is_some_and(|stem| {
        stem.starts_with("test-") || stem.starts_with("test_") || stem.ends_with("-test") || stem.ends_with("_test")
    })
}

fn run(checkout: &Checkout, folder: &str, script: &str) -> String {
    if checkout.is_executable(folder, script) {
        return format!("./{script}");
    }
    format!("{} {script}", interpreter(checkout, folder, script))
}

fn interpreter(checkout: &Checkout, folder: &str, script: &str) -> &'static str {
    let text = checkout.read(folder, script).unwrap_or_default();
    let shebang = text.lines().next().unwrap_or("");
    if shebang.starts_with("#!") && shebang.contains("bash") { "bash" } else { "sh" }
}

/// ShellCheck over the scripts, by name while those fit on a line.
fn shellcheck(checkout: &Checkout, folder: &str) -> Option<String> {
    let scripts: Vec<String> = checkout
        .below(folder)
        .filter(|(_, name)| name.ends_with(".sh") || name.ends_with(".bash"))
        .map(|(inner, name)| quote(relative(&join(inner, name), folder)))
        .collect();
    match scripts.len() {
        0 => None,
        1..=6 => Some(format!("shellcheck {}", scripts.join(" "))),
        _ => Some("find . -name '*.sh' -exec shellcheck {} +".to_owned()),
    }
}
