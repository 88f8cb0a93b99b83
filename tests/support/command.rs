//! The program as a user meets it: arguments, folders and variables in; two streams and a status out.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::server::{Machine, Server};

/// No command of these tests is meant to take so long; one that does hangs.
const TOO_LONG: Duration = Duration::from_secs(180);

/// A machine of its own: a home, a data directory and a workspace that nobody else has, and no settings.
pub struct Crafting {
    /// Goes first: it works in the home.
    server: Option<Server>,
    home: TempDir,
}

/// One command line that is being put together.
pub struct Call {
    command: Command,
    stdin: Vec<u8>,
    home: PathBuf,
}

/// How a command ended.
#[derive(Debug)]
pub struct Answer {
    pub stdout: String,
    pub stderr: String,
    /// The exit status; -1 for a signal.
    pub code: i32,
    home: PathBuf,
}

impl Crafting {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("tmp")).unwrap();
        Self { server: None, home }
    }

    /// One whose commands ask a server that works with the data and the workspace.
    pub fn on_a_server() -> Self {
        let mut crafting = Self::new();
        let home = crafting.home();
        let machine = Machine {
            data: crafting.data(),
            workspace: crafting.workspace(),
            temporary: home.join("tmp"),
            bin: home.join("bin"),
            home,
        };
        crafting.server = Some(machine.serve());
        crafting
    }

    pub fn home(&self) -> PathBuf {
        self.home.path().canonicalize().unwrap()
    }

    pub fn data(&self) -> PathBuf {
        self.home().join("data")
    }

    pub fn workspace(&self) -> PathBuf {
        self.home().join("workspace")
    }

    /// The program with these arguments, started in the home folder until told otherwise.
    pub fn args<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Call {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crafting"));
        command.args(args);
        self.call(command)
    }

    /// A shell script in which `$CRAFTING` is the program.
    pub fn shell(&self, script: &str) -> Call {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        self.call(command)
    }

    fn call(&self, mut command: Command) -> Call {
        let home = self.home();
        command.env_clear().current_dir(&home).env("HOME", &home).env("CRAFTING", env!("CARGO_BIN_EXE_crafting"));
        command.env("CRAFTING_DATA_DIR", self.data()).env("CRAFTING_WORKSPACE_DIR", self.workspace());
        command.env("TMPDIR", home.join("tmp"));
        let own = |name: &str| std::env::var_os(name);
        command.env("PATH", own("PATH").unwrap());
        // rustup finds its toolchains below the real home.
        let rustup = own("RUSTUP_HOME").or_else(|| own("HOME").map(|home| Path::new(&home).join(".rustup").into()));
        command.env("RUSTUP_HOME", rustup.unwrap_or_default());
        if let Some(server) = &self.server {
            command.env("CRAFTING_URL", server.url()).envs(server.admin().map(|bearer| ("CRAFTING_TOKEN", bearer)));
            command
                .env("CRAFTING_DATA_DIR", home.join("untouched"))
                .env("CRAFTING_WORKSPACE_DIR", home.join("sending"));
        }
        Call { command, stdin: Vec::new(), home }
    }
}

impl Call {
    pub fn more(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    pub fn dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Starts it and returns at once, for tests that look at it while it runs.
    pub fn start(mut self) -> Started {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that does not read its input may close it early.
        let _ = stdin.write_all(&self.stdin);
        drop(stdin);
        Started { child, home: self.home }
    }

    pub fn run(self) -> Answer {
        self.start().wait()
    }

    /// Runs it, wants exit status 0, and reads its answer.
    pub fn json(self) -> Value {
        let answer = self.run();
        answer.wants(0);
        answer.json()
    }
}

/// A command that runs.
pub struct Started {
    pub child: Child,
    home: PathBuf,
}

impl Started {
    /// Waits for its end. One that does not come is a failed test, not a stuck one.
    pub fn wait(mut self) -> Answer {
        let (stdout, stderr) = (self.child.stdout.take().unwrap(), self.child.stderr.take().unwrap());
        let (sender, receiver) = channel();
        let out = sender.clone();
        let all = |mut pipe: Box<dyn Read + Send>| {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        std::thread::spawn(move || out.send((true, all(Box::new(stdout)))));
        std::thread::spawn(move || sender.send((false, all(Box::new(stderr)))));
        let (mut texts, mut late) = ((String::new(), String::new()), false);
        for _ in 0..2 {
            match receiver.recv_timeout(TOO_LONG) {
                Ok((true, text)) => texts.0 = text,
                Ok((false, text)) => texts.1 = text,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => late = true,
            }
        }
        if late {
            let _ = self.child.kill();
        }
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        assert!(!late, "it did not end in {TOO_LONG:?}: {texts:?}");
        Answer { stdout: texts.0, stderr: texts.1, code, home: self.home }
    }
}

impl Answer {
    /// Wants this exit status.
    #[track_caller]
    pub fn wants(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// An `error:` with a `hint:`, and nothing else on either stream; its text with stable paths.
    #[track_caller]
    pub fn error(&self, code: i32) -> String {
        self.wants(code);
        assert_eq!(self.stdout, "");
        // What takes long is said to go on, and how long it takes is the machine's business.
        let goes_on = |line: &&str| line.starts_with("note: ") && line.ends_with('…');
        let lines: Vec<&str> = self.stderr.lines().filter(|line| !goes_on(line)).collect();
        let told = matches!(lines[..], [error, hint] if error.starts_with("error: ") && hint.starts_with("hint: "));
        assert!(told, "not one error with one hint:\n{}", self.stderr);
        for word in ["panicked", "os error", "Os {", "Error {", "Some(", "RUST_BACKTRACE", "stack backtrace"] {
            assert!(!self.stderr.contains(word), "for people? {}", self.stderr);
        }
        format!("{code}: {}", self.plain(&lines.join("\n")))
    }

    /// A text of it without what differs from run to run.
    pub fn plain(&self, text: &str) -> String {
        let text = text.replace(self.home.to_str().unwrap(), "HOME");
        let temporary = std::env::temp_dir();
        let pattern = format!("{}/\\.tmp[A-Za-z0-9]{{6}}", regex::escape(temporary.to_str().unwrap()));
        regex::Regex::new(&pattern).unwrap().replace_all(&text, "TMP").trim_end().to_owned()
    }
}

/// `crafting.toml` of one subproject at the root, with these recipes.
pub fn recipes(recipes: &[(&str, &str)]) -> String {
    let mut text = "[[subproject]]\npath = \".\"\nkeep = [\"target\"]\n[subproject.recipes]\n".to_owned();
    for (name, command) in recipes {
        text.push_str(&format!("{name} = {}\n", serde_json::to_string(command).unwrap()));
    }
    text
}

/// A variable's value out of folders, as for `PATH`.
pub fn joined(folders: &[&Path]) -> OsString {
    std::env::join_paths(folders).unwrap()
}
