//! A ledger of every schema that was released opens, is migrated, and keeps its rows.

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::Farm;

/// A farm whose ledger was written by the release with this schema.
fn farm(schema: u32) -> Farm {
    let farm = Farm::new();
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/ledgers/v{schema}.db"));
    fs::create_dir(farm.data()).unwrap();
    fs::copy(old, farm.data().join("ledger.db")).unwrap();
    farm
}

/// One project, a recipe that ran twice with two findings, and one that failed.
#[test]
fn schema_1() {
    let farm = farm(1);
    let json = |arguments: &[&str]| farm.call(&[arguments, &["--format", "json"]].concat()).output().success().json();
    let jobs: Vec<Value> = farm.jobs();
    let ids: Vec<&str> = jobs.iter().map(|job| job["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["g82g4rjb2zde", "v2zrkcywcqc1", "tn7gn2ky17jh"]);
    assert_eq!(json(&["project", "show", "shop"])["project"]["subprojects"][0]["recipes"]["test"]["command"], "exit 2");
    let before = json(&["findings", "g82g4rjb2zde"]);
    assert_eq!((&before["counts"]["total"], &before["counts"]["ignored"]), (&2.into(), &0.into()));
    let findings = json(&["findings", "-p", "shop"]);
    assert_eq!((&findings["counts"]["total"], &findings["counts"]["new"]), (&3.into(), &1.into()));
    let unused = &findings["findings"][1];
    assert_eq!(
        (&unused["file"], &unused["line"], &unused["first_seen_job"]),
        (&"main.c".into(), &2.into(), &"g82g4rjb2zde".into())
    );
    assert_eq!(unused["raw_json"], "main.c:2:9: warning: unused variable 'a' [-Wunused-variable]");
    // What is new in the schema works on the old rows.
    json(&["findings", "ignore", unused["fingerprint"].as_str().unwrap(), "--reason", "old", "-p", "shop"]);
    assert_eq!(json(&["findings", "-p", "shop"])["counts"]["ignored"], 1);
    assert_eq!(json(&["findings", "-p", "shop", "--since", "g82g4rjb2zde"])["counts"]["total"], 0);
    farm.crafting(["ledger", "check"]).output().success();
    farm.crafting(["project", "remove", "shop", "--yes"]).output().success();
    farm.crafting(["ledger", "check"]).output().success();
    assert_eq!(farm.jobs(), [] as [Value; 0]);
}
