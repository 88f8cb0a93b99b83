//! The files in `completions/` are those that this version writes.

use std::process::Command;

#[test]
fn the_files_are_not_stale() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    for (shell, file) in [("bash", "crafting.bash"), ("zsh", "_crafting"), ("fish", "crafting.fish")] {
        let output = Command::new(env!("CARGO_BIN_EXE_crafting")).args(["completions", shell]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let kept = std::fs::read(folder.join(file)).unwrap_or_default();
        assert!(kept == output.stdout, "completions/{file} is stale; `just completions` writes it anew");
    }
}
