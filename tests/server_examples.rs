//! What `examples/` shows of a server does what it says.

mod support;

use std::path::Path;
use std::process::{Command, Output};

use support::{Farm, Repo, Server};

fn example(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// Runs an example of a shell script for this server as somebody who has a token there.
fn run(server: &Server, bearer: &str, folder: &Path, line: &[&str]) -> Output {
    let mut command = Command::new("/bin/sh");
    command.arg(example(line[0])).args(&line[1..]).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", &server.machine().home);
    command.env("CRAFTING", env!("CARGO_BIN_EXE_crafting")).env("CRAFTING_URL", server.url());
    command.env("CRAFTING_TOKEN", bearer).output().unwrap()
}

fn told(output: &Output) -> String {
    format!(
        "{:?}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn the_quickstart_runs_a_job_and_says_how_it_ended() {
    let repo = Repo::of_recipes(&[("test", "echo hello from the farm"), ("lint", "echo no; exit 3")]);
    let farm = Farm::new();
    farm.crafting(["project", "add", "--name", "mine"]).in_dir(repo.path()).output().success();
    let server = farm.machine().serve();
    let admin = server.admin().unwrap();
    let output = run(&server, &admin, repo.path(), &["quickstart.sh", "mine"]);
    let text = told(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("hello from the farm\n") && text.contains("passed\n"), "{text}");
    assert!(text.contains("\"findings\":["), "{text}");
    let output = run(&server, &admin, repo.path(), &["quickstart.sh", "mine", "lint"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let output = run(&server, "ct_nobody", repo.path(), &["quickstart.sh", "mine"]);
    assert!(!output.status.success() && told(&output).contains("unauthorized"), "{}", told(&output));
}

#[test]
fn the_script_for_ci_exits_as_the_run_and_annotates_what_is_new() {
    let lint = "echo 'src/a.c:3:5: error: broken [-Wbroken]' >&2; exit 1";
    let repo = Repo::with(&[("crafting.toml", &support::recipe_file("c", &[("test", "true"), ("lint", lint)]))]);
    let farm = Farm::new();
    let server = farm.machine().serve();
    let admin = server.admin().unwrap();
    let output = run(&server, &admin, repo.path(), &["ci.sh", "test"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let output = run(&server, &admin, repo.path(), &["ci.sh", "lint"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let annotations = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(annotations.contains("::error file=src/a.c,line=3"), "{}", told(&output));
    let output = run(&server, "ct_nobody", repo.path(), &["ci.sh", "test"]);
    assert_ne!(output.status.code(), Some(0), "{}", told(&output));
}
