//! `examples/crafting.toml` is what the binary reads, and leaves nothing out.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::Repo;
use tempfile::TempDir;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/crafting.toml")
}

/// Registers an empty repository with this project file; the farm goes with the folder.
fn add(file: &Path) -> Output {
    let (farm, repo) = (TempDir::new().unwrap(), Repo::with(&[("README.md", "")]));
    Command::new(env!("CARGO_BIN_EXE_crafting"))
        .args(["project", "add", "--format", "json", "--file"])
        .arg(file)
        .current_dir(repo.path())
        .env("HOME", farm.path())
        .env("CRAFTING_DATA_DIR", farm.path().join("data"))
        .env("CRAFTING_WORKSPACE_DIR", farm.path().join("workspace"))
        .env_remove("CRAFTING_CONFIG")
        .output()
        .unwrap()
}

/// What the binary says of a project file that holds an unknown key: the keys that it knows there.
fn known_keys(text: &str) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("crafting.toml");
    std::fs::write(&file, text).unwrap();
    let refused = String::from_utf8(add(&file).stderr).unwrap();
    let message = serde_json::from_str::<serde_json::Value>(&refused).unwrap()["error"]["message"].clone();
    let known = match message.as_str().unwrap().split_once("expected one of ") {
        Some((_, known)) => known.to_owned(),
        // The form of a recipe is told in words.
        None => message.as_str().unwrap().split_once("a table with ").expect(&refused).1.to_owned(),
    };
    known.split(", ").map(|key| key.trim_matches('`').to_owned()).collect()
}

#[test]
fn the_example_is_a_project_file() {
    let added = add(&example());
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&added.stdout).unwrap();
    let project = &answer["project"];
    assert_eq!((&project["name"], &project["timeout_secs"]), (&"shop".into(), &1800.into()));
    let billing = &project["subprojects"][0];
    assert_eq!((&billing["name"], &billing["path"]), (&"billing".into(), &"services/billing".into()));
    assert_eq!(billing["recipes"]["test"]["backoff_secs"], 30);
    assert_eq!(billing["recipes"]["load"]["timeout_secs"], 3000);
}

#[test]
fn every_key_stands_in_the_example() {
    let text = std::fs::read_to_string(example()).unwrap();
    let parsed: toml::Table = text.parse().unwrap();
    let subproject = parsed["subproject"][0].as_table().unwrap();
    let recipe = subproject["test"].as_table().unwrap();
    let ignore = parsed["ignore"][0].as_table().unwrap();
    for (table, unknown) in [
        (&parsed, "zzz = 1"),
        (subproject, "[[subproject]]\npath = '.'\nzzz = 1"),
        (ignore, "[[ignore]]\nzzz = 1"),
        (recipe, "[[subproject]]\npath = '.'\ntest = { zzz = 1 }"),
    ] {
        let keys = known_keys(unknown);
        assert!(keys.len() > 4, "{keys:?}");
        for key in keys {
            assert!(table.contains_key(&key), "the key {key} is not in examples/crafting.toml");
        }
    }
}
