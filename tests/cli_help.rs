//! The words of every `--help`, and the streams and exit statuses of what needs no farm.

use std::process::{Command, Output};

fn crafting(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crafting"))
        .args(args)
        .env_remove("CRAFTING_CONFIG")
        .env_remove("CLICOLOR_FORCE")
        .env("COLUMNS", "100")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// `crafting` and every command below it, as clap lists them in help.
fn commands() -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut index = 0;
    while index < all.len() {
        let path: Vec<String> = all[index].clone();
        let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
        args.push("--help");
        let help = crafting(&args);
        let listed = text(&help.stdout)
            .lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1)
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
            .filter(|word| !word.is_empty());
        for name in listed {
            all.push(path.iter().cloned().chain([name.to_owned()]).collect());
        }
        index += 1;
    }
    all
}

#[test]
fn every_help_has_its_words() {
    let commands = commands();
    assert!(commands.len() > 20, "{commands:?}");
    for path in commands {
        let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
        args.push("--help");
        let help = crafting(&args);
        let help_text = text(&help.stdout);
        assert!(help.status.success() && help.stderr.is_empty(), "{args:?}: {help:?}");
        assert!(help_text.contains("\nExamples:\n  "), "{args:?} has no examples:\n{help_text}");
        insta::assert_snapshot!(
            ["crafting"].into_iter().chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join("-"),
            help_text
        );
    }
}

#[test]
fn every_flag_has_a_help_line() {
    for path in commands() {
        let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
        args.push("-h");
        let help = crafting(&args);
        let lines: Vec<&str> = text(&help.stdout).lines().collect();
        for (index, line) in
            lines.iter().enumerate().filter(|(_, line)| line.starts_with("  ") && line.trim_start().starts_with('-'))
        {
            let words = line.trim_start().split_once("  ").map(|(_, words)| words.trim()).unwrap_or_default();
            let below = lines.get(index + 1).is_some_and(|next| next.starts_with("          "));
            assert!(!words.is_empty() || below, "{args:?}: {line:?} says nothing");
        }
    }
}

#[test]
fn what_is_wrong_goes_to_stderr() {
    let wrong = crafting(&["job", "run", "--dryrun"]);
    assert_eq!((wrong.status.code(), text(&wrong.stdout)), (Some(2), ""));
    assert_eq!(
        text(&wrong.stderr),
        "error: unexpected argument '--dryrun' found\nhint: a similar argument exists: '--dry-run'\n"
    );
    let wrong = crafting(&["--format", "json", "job"]);
    assert_eq!((wrong.status.code(), text(&wrong.stdout)), (Some(2), ""));
    assert_eq!(
        text(&wrong.stderr),
        "{\"error\":{\"code\":\"invalid_input\",\"message\":\"a command is missing\",\"hint\":\"--help lists them\"}}\n"
    );
    let nothing = crafting(&[]);
    assert_eq!((nothing.status.code(), text(&nothing.stdout)), (Some(2), ""));
    assert!(text(&nothing.stderr).contains("Usage: crafting"));
    let nowhere = crafting(&["-C", "/nonexistent", "config", "show"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert_eq!(
        text(&nowhere.stderr),
        "error: cannot go to /nonexistent: no such file or directory\nhint: -C takes a folder that is there\n"
    );
}

#[test]
fn colours_are_for_those_who_want_them() {
    let shown = |args: &[&str]| {
        let output = crafting(args);
        text(&output.stdout).contains('\x1b')
    };
    assert!(!shown(&["config", "show"]));
    assert!(shown(&["config", "show", "--color", "always"]));
    assert!(!shown(&["config", "show", "--color", "never"]));
}

#[test]
fn a_full_disk_is_an_error_and_a_closed_pipe_is_none() {
    let run = |script: &str| {
        Command::new("bash").args(["-c", script]).env("CRAFTING", env!("CARGO_BIN_EXE_crafting")).output().unwrap()
    };
    let full = run("\"$CRAFTING\" config show > /dev/full");
    assert_eq!(full.status.code(), Some(3));
    assert!(text(&full.stderr).starts_with("error: cannot write to the standard output: no space left on device\n"));
    for command in ["config show", "completions zsh", "--help"] {
        let closed = run(&format!("sleep 0 | \"$CRAFTING\" {command} | true; exit ${{PIPESTATUS[1]}}"));
        assert_eq!((closed.status.code(), text(&closed.stderr)), (Some(0), ""), "{command}");
    }
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("man");
    let man = crafting(&["man", to.to_str().unwrap()]);
    assert!(man.status.success(), "{man:?}");
    for path in commands() {
        let name = ["crafting".to_owned()].into_iter().chain(path).collect::<Vec<_>>().join("-");
        let page = std::fs::read_to_string(to.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".SH NAME"), "{name}");
    }
}
