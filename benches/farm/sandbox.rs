//! Folders, repositories and processes of a benchmark's own.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crafting::config::Settings;
use tempfile::TempDir;

/// What a benchmark's steps give.
pub type Step<T = ()> = Result<T, Box<dyn Error>>;

/// A folder with a repository and crafting's own folders, gone when it is dropped.
pub struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    /// With an empty repository.
    pub fn new() -> Step<Self> {
        let sandbox = Self { folder: tempfile::tempdir()? };
        fs::create_dir(sandbox.repository())?;
        sandbox.git(["init", "--quiet", "--initial-branch=main"])?;
        // Git would tidy up in the background, in the middle of a measurement.
        sandbox.git(["config", "gc.auto", "0"])?;
        sandbox.git(["config", "maintenance.auto", "false"])?;
        Ok(sandbox)
    }

    /// With a repository of so many files, 100 in a folder, and this `crafting.toml`.
    pub fn with_files(count: u32, project: &str) -> Step<Self> {
        let sandbox = Self::new()?;
        for number in 0..count {
            let folder = sandbox.repository().join(format!("folder-{}", number / 100));
            if number % 100 == 0 {
                fs::create_dir(&folder)?;
            }
            fs::write(folder.join(format!("file-{number}.txt")), format!("This is file {number}.\n").repeat(10))?;
        }
        fs::write(sandbox.repository().join("crafting.toml"), project)?;
        sandbox.commit()?;
        // As a clone is, and as a mirror is.
        sandbox.git(["repack", "-a", "-d", "-q"])?;
        Ok(sandbox)
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The repository.
    pub fn repository(&self) -> PathBuf {
        self.path("repository")
    }

    /// Commits everything there is; the commit's id.
    pub fn commit(&self) -> Step<String> {
        self.git(["add", "--all"])?;
        self.git(["-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "--message=x"])?;
        let output = self.git_command(["rev-parse", "HEAD"]).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Runs git in the repository.
    pub fn git<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Step {
        finish(&mut self.git_command(arguments))
    }

    fn git_command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(self.repository());
        command
    }

    /// Lays a worktree, runs a shell in it, removes it: what a farm of worktrees does for one job.
    pub fn worktree_job(&self) -> Step {
        let tree = self.path("worktree");
        let place = tree.as_os_str();
        self.git([OsStr::new("worktree"), OsStr::new("add"), OsStr::new("--detach"), OsStr::new("--quiet"), place])?;
        finish(Command::new("sh").args(["-c", "true"]).current_dir(&tree))?;
        self.git([OsStr::new("worktree"), OsStr::new("remove"), OsStr::new("--force"), place])
    }

    /// The release binary, in the repository, with folders of this sandbox.
    pub fn crafting<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crafting"));
        command
            .args(arguments)
            .current_dir(self.repository())
            .env("CRAFTING_DATA_DIR", self.path("data"))
            .env("CRAFTING_WORKSPACE_DIR", self.path("workspace"))
            .env("CRAFTING_CONFIG", "/dev/null");
        command
    }

    /// The settings of the same folders, for the library.
    pub fn settings(&self) -> Step<Settings> {
        let mut settings = Settings::load()?;
        settings.data_dir.value = self.path("data");
        settings.workspace_dir.value = self.path("workspace");
        Ok(settings)
    }
}

/// Runs a command quietly; anything but success is an error with what it said.
pub fn finish(command: &mut Command) -> Step {
    // What cargo told this program is no business of another cargo's.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST") || text == "CARGO" {
            command.env_remove(&name);
        }
    }
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{:?} failed: {}", command.get_program(), said.trim()).into())
}

/// What the figures were measured on, one line.
pub fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory: u64 = field(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
    let load = read("/proc/loadavg");
    format!(
        "{cores} cores of {}, {} GiB, Linux {}, {}; load {}",
        field(&read("/proc/cpuinfo"), "model name"),
        memory >> 20,
        read("/proc/sys/kernel/osrelease").trim(),
        file_system(&std::env::temp_dir()),
        load.split(' ').next().unwrap_or_default(),
    )
}

fn file_system(folder: &Path) -> String {
    let output = Command::new("stat").args(["--file-system", "--format=%T"]).arg(folder).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
