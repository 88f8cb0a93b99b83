//! Running the user's own `git`.
//!
//! Everything that may need credentials, proxies, filters or repository extensions goes through the program, so
//! that it works as it does for the user. The caller's `GIT_DIR` and its kin are taken out of the environment (a
//! hook or an alias of git sets them); the user's `GIT_CONFIG_*` and SSH settings stay.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use crate::error::{Code, Error, Result};

/// Variables that point git at a repository or change what its commands mean (`git rev-parse --local-env-vars`
/// without the configuration ones, and the pathspec switches).
const FOREIGN: [&str; 19] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ATTR_SOURCE",
    "GIT_COMMON_DIR",
    "GIT_DEFAULT_HASH",
    "GIT_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Settings of the user that would run foreign code in the middle of a step, or make an index that lies about files.
const SETTINGS: [&str; 15] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.splitIndex=false",
    "core.trustctime=true",
    "core.checkStat=default",
    "core.ignoreStat=false",
    "index.version=2",
    "index.skipHash=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.version=2",
    "advice.addEmbeddedRepo=false",
    // A commit's .gitmodules may name neither commands nor folders of this machine, whatever the user allows elsewhere.
    "protocol.ext.allow=never",
    "protocol.file.allow=user",
];

/// One call of git.
pub(super) struct Git {
    folder: PathBuf,
    settings: Vec<OsString>,
    env: Vec<(&'static str, OsString)>,
    stdin: Stdin,
    stdout: Option<PathBuf>,
    limits: Option<Limits>,
}

enum Stdin {
    Bytes(Vec<u8>),
    File(PathBuf),
}

/// What a git that reads what strangers sent may use.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Memory of its own, in bytes.
    pub memory: u64,
    /// Seconds of a processor.
    pub seconds: u64,
}

impl Limits {
    fn apply(self, child: u32) {
        use rustix::process::{Pid, Resource, Rlimit, prlimit};
        let pid = i32::try_from(child).ok().and_then(Pid::from_raw);
        for (resource, most) in [(Resource::Data, self.memory), (Resource::Cpu, self.seconds), (Resource::Core, 0)] {
            let limit = Rlimit { current: Some(most), maximum: Some(most) };
            // One that has ended already needs no limit.
            if let Err(error) = prlimit(pid, resource, limit) {
                tracing::debug!(%error, "a limit is not set");
            }
        }
    }
}

/// What git printed.
pub(super) struct Output {
    /// Its standard output, byte for byte.
    pub stdout: Vec<u8>,
    /// Its messages.
    pub stderr: String,
}

impl Output {
    /// Standard output as text without the final line break.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches('\n').to_owned()
    }
}

impl Git {
    /// To be run in `folder`.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            settings: Vec::new(),
            env: Vec::new(),
            stdin: Stdin::Bytes(Vec::new()),
            stdout: None,
            limits: None,
        }
    }

    /// Adds a setting (`key=value`) for this call.
    pub fn set(mut self, setting: impl Into<OsString>) -> Self {
        self.settings.push(setting.into());
        self
    }

    /// Adds a variable.
    pub fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// What git reads from its standard input; nothing by default.
    pub fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = Stdin::Bytes(bytes);
        self
    }

    /// A file that git reads as its standard input.
    pub fn stdin_file(mut self, path: &Path) -> Self {
        self.stdin = Stdin::File(path.to_owned());
        self
    }

    /// The file that git's standard output goes to, in place of [`Output::stdout`].
    pub fn stdout_file(mut self, path: &Path) -> Self {
        self.stdout = Some(path.to_owned());
        self
    }

    /// For a step that reads what a stranger sent: without the user's settings, and not without end.
    pub fn guarded(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_COUNT", "0")
    }

    /// For a step that may talk to a remote: SSH asks nothing, unless the user configured a command of their own.
    pub fn remote(self) -> Self {
        let own = ["GIT_SSH_COMMAND", "GIT_SSH"].iter().any(|name| std::env::var_os(name).is_some())
            || Git::new(&self.folder).run(["config", "--get", "core.sshCommand"]).is_ok();
        if own { self } else { self.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes") }
    }

    /// Runs it; a status other than 0 is an error that tells what git said.
    pub fn run<A: Into<OsString>>(self, arguments: impl IntoIterator<Item = A>) -> Result<Output> {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let (success, output) = self.start(&arguments)?;
        if success {
            return Ok(output);
        }
        Err(failure(&arguments, &output.stderr))
    }

    /// Runs it; `None` when git ended with a status other than 0, for questions whose answer may be no.
    pub fn ask<A: Into<OsString>>(self, arguments: impl IntoIterator<Item = A>) -> Result<Option<Output>> {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let (success, output) = self.start(&arguments)?;
        Ok(success.then_some(output))
    }

    fn start(self, arguments: &[OsString]) -> Result<(bool, Output)> {
        let settings = SETTINGS.iter().map(OsString::from).chain(self.settings);
        let all = settings.flat_map(|setting| [OsString::from("-c"), setting]).chain(arguments.iter().cloned());
        let mut command = duct::cmd("git", all)
            .dir(&self.folder)
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .stderr_capture()
            .unchecked();
        command = match self.stdout {
            Some(path) => command.stdout_path(path),
            None => command.stdout_capture(),
        };
        command = match self.stdin {
            Stdin::Bytes(bytes) if bytes.is_empty() => command.stdin_null(),
            Stdin::Bytes(bytes) => command.stdin_bytes(bytes),
            Stdin::File(path) => command.stdin_path(path),
        };
        // The first wrapper is the innermost, and the innermost wins.
        for (name, value) in self.env {
            command = command.env(name, value);
        }
        for name in FOREIGN {
            command = command.env_remove(name);
        }
        if self.limits.is_some() {
            command = command.env_remove("GIT_CONFIG_PARAMETERS");
        }
        let started = command.start().and_then(|handle| {
            if let Some(limits) = self.limits {
                handle.pids().into_iter().for_each(|pid| limits.apply(pid));
            }
            handle.into_output()
        });
        let output = started.map_err(|error| match error.kind() {
            ErrorKind::NotFound if self.folder.is_dir() => Error::new(Code::GitMissing, "git is not installed")
                .hint("install it, for example with `apt-get install git`, and see that it is on the PATH"),
            _ => Error::io("run git in", &self.folder, &error),
        })?;
        let verb = || arguments.first().map(|verb| verb.to_string_lossy().into_owned()).unwrap_or_default();
        match output.status.signal().map(Signal::try_from) {
            None => {}
            // A terminal's Ctrl-C goes to git as well as to crafting.
            Some(Ok(Signal::SIGINT | Signal::SIGTERM | Signal::SIGHUP)) => {
                return Err(Error::new(Code::Interrupted, format!("git {} was interrupted", verb())));
            }
            Some(signal) => {
                let signal = signal.map_or("a signal", Signal::as_str);
                return Err(Error::new(Code::GitFailed, format!("git {} was ended by {signal}", verb()))
                    .hint("look for what kills processes, such as a lack of memory, and try again"));
            }
        }
        let stderr = scrub(&String::from_utf8_lossy(&output.stderr));
        Ok((output.status.success(), Output { stdout: output.stdout, stderr }))
    }
}

/// What git's messages mean: text to look for, the code, and what to do.
const MEANINGS: [(&[&str], Code, &str); 7] = [
    (
        &["dubious ownership"],
        Code::NoRepository,
        "the repository belongs to another user; if you trust it: git config --global --add safe.directory FOLDER",
    ),
    (
        &["No space left on device", "Disk quota exceeded", "Out of diskspace"],
        Code::Io,
        "free some space, for example with `crafting gc --all`, and try again",
    ),
    (
        &[
            "Authentication failed",
            "could not read Username",
            "could not read Password",
            "terminal prompts disabled",
            "Permission denied (",
            "Host key verification failed",
            "returned error: 401",
            "returned error: 403",
            "Access denied",
            "access denied",
        ],
        Code::RemoteDenied,
        "check that `git ls-remote` with that address works for you: crafting uses your credential helper and SSH keys",
    ),
    (
        &[
            "returned error: 301",
            "returned error: 302",
            "returned error: 303",
            "returned error: 307",
            "returned error: 308",
        ],
        Code::RemoteUnreachable,
        "the address leads to another one, which is not followed where CRAFTING_GIT_HOSTS is set: give that one",
    ),
    (
        &[
            "Could not resolve host",
            "Could not resolve hostname",
            "Failed to connect",
            "Couldn't connect",
            "Connection refused",
            "Connection timed out",
            "Connection reset",
            "Connection closed",
            "Network is unreachable",
            "No route to host",
            "unable to connect",
            "unable to look up",
            "unable to access",
            "early EOF",
            "hung up unexpectedly",
            "RPC failed",
        ],
        Code::RemoteUnreachable,
        "check the network and the address; jobs of commits that are already in the mirror still run",
    ),
    (
        &["does not appear to be a git repository", "Repository not found", "' not found", "does not exist"],
        Code::NotFound,
        "check the address, and that you have access to it",
    ),
    (
        &["couldn't find remote ref", "not our ref", "unadvertised object"],
        Code::NotFound,
        "push the commit first, or name a branch or a tag that the remote has",
    ),
];

/// An error out of a failed call: the kind from git's messages, the text from its last word on the matter.
fn failure(arguments: &[OsString], stderr: &str) -> Error {
    let verb = arguments.first().map(|verb| verb.to_string_lossy().into_owned()).unwrap_or_default();
    let said = said(stderr);
    for (texts, code, hint) in MEANINGS {
        if texts.iter().any(|text| stderr.contains(text)) {
            return Error::new(code, format!("git {verb}: {said}")).hint(hint);
        }
    }
    Error::new(Code::GitFailed, format!("git {verb} failed: {said}"))
}

/// The line that says why: what the remote side said first, else the last `fatal:`, else the last one at all.
fn said(stderr: &str) -> String {
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let fatal = lines().rev().find_map(|line| line.strip_prefix("fatal: "));
    let error = lines().find_map(|line| line.strip_prefix("error: "));
    // git does not know why ssh failed; ssh said so just before.
    let unread = |line: &&str| !line.contains("Could not read from remote repository");
    let before = lines().take_while(unread).last().filter(|_| !lines().all(|line| unread(&line)));
    let text = match (fatal, error) {
        _ if before.is_some() => before.unwrap_or_default().to_owned(),
        // "adding files failed" and the like only say that the error above it was one.
        (Some(fatal), Some(error)) if fatal.len() < 40 => format!("{error} ({fatal})"),
        (Some(fatal), _) => fatal.to_owned(),
        (None, Some(error)) => error.to_owned(),
        (None, None) => lines().next_back().unwrap_or("it said nothing").to_owned(),
    };
    text.trim_end_matches('.').chars().take(400).collect()
}

/// Takes user and password out of every URL in a text.
fn scrub(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        clean.push_str(head);
        let end = tail.find(|c: char| c.is_whitespace() || matches!(c, '/' | '\'' | '"')).unwrap_or(tail.len());
        let authority = &tail[..end];
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                clean.push_str("***@");
                clean.push_str(host);
            }
            None => clean.push_str(authority),
        }
        rest = &tail[end..];
    }
    clean.push_str(rest);
    clean
}

/// An error of libgit2 as ours.
pub(super) fn library(doing: &str) -> impl Fn(git2::Error) -> Error {
    move |error| {
        let full = error.message().contains("No space left on device");
        let code = if full { Code::Io } else { Code::GitFailed };
        let told = Error::new(code, format!("cannot {doing}: {}", error.message()));
        if full { told.hint("free some space, for example with `crafting gc --all`, and try again") } else { told }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_leave_messages() {
        let text = "fatal: unable to access 'https://u:p@h.example/r/': no\nssh://git@h/x http://plain/";
        assert_eq!(scrub(text), "fatal: unable to access 'https://***@h.example/r/': no\nssh://***@h/x http://plain/");
        assert_eq!(scrub("://"), "://");
        assert_eq!(scrub("a://é@"), "a://***@");
    }

    #[test]
    fn messages_become_codes() {
        let code = |stderr: &str| failure(&["fetch".into()], stderr).code();
        assert_eq!(code("fatal: Authentication failed for 'https://h/'"), Code::RemoteDenied);
        assert_eq!(code("fatal: unable to access 'https://h/': Could not resolve host: h"), Code::RemoteUnreachable);
        assert_eq!(code("fatal: unable to access 'x': The requested URL returned error: 403"), Code::RemoteDenied);
        assert_eq!(code("fatal: couldn't find remote ref x"), Code::NotFound);
        assert_eq!(code("fatal: sha1 file write error: No space left on device"), Code::Io);
        let error = failure(&["add".into()], "error: unable to index file 'x'\nfatal: adding files failed\n");
        assert_eq!(error.code(), Code::GitFailed);
        assert_eq!(error.to_string(), "git add failed: unable to index file 'x' (adding files failed)");
        assert_eq!(failure(&[], "").code(), Code::GitFailed);
        let refused =
            "git@h: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n\nPlease\n";
        assert_eq!(failure(&["fetch".into()], refused).to_string(), "git fetch: git@h: Permission denied (publickey)");
    }
}
