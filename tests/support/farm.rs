//! A farm of its own: the built program with a home, a data directory and a workspace that nobody else has.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use super::server::{Machine, Server};

/// Far more than anything here takes; reached only when something hangs.
pub const DEADLINE: Duration = Duration::from_secs(300);

/// Where the data of commands would be that ask a server.
const UNTOUCHED: &str = "untouched";
/// Where commands that ask a server keep what they have sent to it.
const SENDING: &str = "sending";

/// Waits for a condition; in vain, it shows the state.
pub fn wait_until(what: &str, state: impl Fn() -> String, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < until, "waited in vain until {what}; the state is\n{}", state());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Tests that hold for every farm, by their names: each runs in `here`, where the commands work on this machine's farm
/// themselves, and in `on_a_server`, where they ask a server over HTTP.
///
/// `in Shown: …` gives each test a `Shown`, which has `new` and `on_a_server` too.
#[macro_export]
macro_rules! both_farms {
    (in $farm:ident: $($test:ident),+ $(,)?) => {
        mod here {
            $(#[test]
            fn $test() {
                super::$test(&super::$farm::new());
            })+
        }
        mod on_a_server {
            $(#[test]
            fn $test() {
                super::$test(&super::$farm::on_a_server());
            })+
        }
    };
    ($($test:ident),+ $(,)?) => {
        $crate::both_farms! { in Farm: $($test),+ }
    };
}

/// A farm in temporary folders, which go with it.
pub struct Farm {
    /// Goes first: it works with the folders.
    server: Option<Server>,
    folder: TempDir,
    calls: AtomicUsize,
}

impl Farm {
    /// One with nothing in it.
    pub fn new() -> Self {
        let farm = Self { server: None, folder: tempfile::tempdir().unwrap(), calls: AtomicUsize::new(0) };
        for folder in ["home", "tmp", "calls", "bin"] {
            fs::create_dir(farm.path(folder)).unwrap();
        }
        farm
    }

    /// One behind a server: its commands have the server's address and the administrator's bearer, and a data directory
    /// that they must not touch.
    pub fn on_a_server() -> Self {
        let mut farm = Self::new();
        farm.server = Some(farm.machine().serve());
        farm
    }

    /// The server that it is behind.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("a farm on a server")
    }

    /// Whether its commands ask a server.
    pub fn is_remote(&self) -> bool {
        self.server.is_some()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// The home folder, which recipes see as theirs: what they leave here outlives their slot.
    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn workspace(&self) -> PathBuf {
        self.path("workspace")
    }

    /// Where crafting makes the jobs' temporary folders.
    pub fn temporary(&self) -> PathBuf {
        self.path("tmp")
    }

    /// The folders, for a server on them.
    pub fn machine(&self) -> Machine {
        Machine {
            home: self.home(),
            data: self.data(),
            workspace: self.workspace(),
            temporary: self.temporary(),
            bin: self.path("bin"),
        }
    }

    /// Puts a program of the test's own before all others on the PATH.
    pub fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// A command line of the program.
    pub fn crafting<const N: usize>(&self, arguments: [&str; N]) -> Crafting<'_> {
        self.call(&arguments)
    }

    /// The same, of arguments that were put together.
    pub fn call(&self, arguments: &[&str]) -> Crafting<'_> {
        let mut command = self.machine().crafting(arguments);
        if let Some(server) = &self.server {
            command.env("CRAFTING_URL", server.url()).envs(server.admin().map(|bearer| ("CRAFTING_TOKEN", bearer)));
            command.env("CRAFTING_DATA_DIR", self.path(UNTOUCHED)).env("CRAFTING_WORKSPACE_DIR", self.path(SENDING));
        }
        Crafting { farm: self, command }
    }

    /// `job run` with these recipes, to its end.
    pub fn run<const N: usize>(&self, repo: &super::Repo, recipes: [&str; N]) -> Ran {
        let mut crafting = self.crafting(["job", "run", "--format", "json"]).in_dir(repo.path());
        crafting.command.args(recipes);
        crafting.output()
    }

    /// Every job's row, oldest first.
    pub fn jobs(&self) -> Vec<Value> {
        let ran = self.crafting(["job", "list", "--limit", "500", "--format", "json"]).output().success();
        let mut jobs = ran.json()["jobs"].as_array().unwrap().clone();
        jobs.reverse();
        jobs
    }

    /// A job's row.
    pub fn job(&self, id: &str) -> Value {
        self.crafting(["job", "show", id, "--format", "json"]).output().success().json()["job"].clone()
    }

    /// A job's whole log.
    pub fn log(&self, id: &str) -> String {
        self.crafting(["job", "log", id]).output().success().stdout
    }

    /// Waits for a condition of this farm; in vain, it shows the farm.
    pub fn wait_until(&self, what: &str, condition: impl FnMut() -> bool) {
        wait_until(what, || self.state(), condition);
    }

    /// The jobs that have run `touch "$HOME/WORD-$CRAFTING_JOB_ID"`.
    pub fn marks(&self, word: &str) -> Vec<String> {
        let names = fs::read_dir(self.home()).unwrap().map(|entry| entry.unwrap().file_name());
        let prefix = format!("{word}-");
        names.filter_map(|name| Some(name.to_str()?.strip_prefix(&prefix)?.to_owned())).collect()
    }

    /// The same, once there are so many of them.
    pub fn wait_for_marks(&self, word: &str, count: usize) -> Vec<String> {
        self.wait_until(&format!("{count} jobs are {word}"), || self.marks(word).len() >= count);
        self.marks(word)
    }

    /// Waits until a command finds the job stranded, which it does as soon as the kernel has taken its runner away.
    pub fn wait_for_stranded(&self, id: &str) -> Value {
        self.wait_until(&format!("{id} is found stranded"), || self.job(id)["status"] != "running");
        self.job(id)
    }

    /// The links by the names of living jobs in all projects' folders.
    pub fn links(&self) -> Vec<String> {
        let projects = fs::read_dir(self.workspace()).into_iter().flatten().flatten();
        let entries = projects.flat_map(|project| fs::read_dir(project.path()).into_iter().flatten().flatten());
        entries
            .filter(|entry| entry.path().is_symlink())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect()
    }

    /// That no process, no link and no temporary folder of a job is left.
    #[track_caller]
    pub fn nothing_left(&self, job: &str) {
        let mark = format!("CRAFTING_JOB_ID={job}");
        let left: Vec<String> = processes(|process| process.has(&mark));
        assert_eq!(left, [] as [&str; 0], "processes of {job} are left\n{}", self.state());
        assert!(!self.links().iter().any(|link| link == job), "the link of {job} is left\n{}", self.state());
        let temporary: Vec<_> = fs::read_dir(self.temporary()).unwrap().map(|entry| entry.unwrap().path()).collect();
        let of_job = temporary.iter().find(|path| path.to_string_lossy().contains(job));
        assert_eq!(of_job, None, "the temporary folder of {job} is left");
    }

    /// A command that sleeps for five minutes under a name that no other test's sleep has, for [`Farm::nobody_naps`].
    pub fn nap(&self) -> String {
        format!("sleep 300.{}", self.number())
    }

    /// Waits for a nap.
    pub fn wait_for_nap(&self) {
        self.wait_until("a nap has begun", || !self.naps().is_empty());
    }

    /// That no nap goes on, even one that has dropped its environment.
    #[track_caller]
    pub fn nobody_naps(&self) {
        assert_eq!(self.naps(), [] as [&str; 0], "somebody naps");
    }

    fn naps(&self) -> Vec<String> {
        let time = format!("300.{}", self.number());
        processes(|process| process.command.contains(&time))
    }

    /// Digits that are this farm's alone.
    fn number(&self) -> String {
        let name = self.folder.path().as_os_str().as_encoded_bytes();
        let digits = name.iter().rev().take(6).map(|byte| format!("{byte:03}"));
        format!("{}{}", std::process::id(), digits.collect::<String>())
    }

    /// What a failed test shows.
    fn state(&self) -> String {
        let list = Command::new(env!("CARGO_BIN_EXE_crafting"))
            .args(["job", "list"])
            .env("CRAFTING_DATA_DIR", self.data())
            .env("CRAFTING_WORKSPACE_DIR", self.workspace())
            .output();
        let list = list.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let home = self.home().display().to_string();
        let running = processes(|process| process.has(&format!("HOME={home}")));
        let background = fs::read_to_string(self.data().join("runner.log")).unwrap_or_default();
        format!("{list}\nprocesses: {running:#?}\nlinks: {:?}\nin the background: {background}", self.links())
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        assert!(!self.path(UNTOUCHED).exists(), "a command that asks a server made data of its own");
        let made = fs::read_dir(self.path(SENDING)).into_iter().flatten().map(|entry| entry.unwrap().file_name());
        let more: Vec<_> = made.filter(|name| name != ".outbox").collect();
        assert_eq!(more, [] as [&str; 0], "a command that asks a server made more than its outbox");
    }
}

/// Where a program is.
pub fn which(program: &str) -> String {
    let path = std::env::var("PATH").unwrap();
    let mut places = path.split(':').map(|folder| format!("{folder}/{program}"));
    places.find(|place| fs::metadata(place).is_ok()).unwrap()
}

/// A process that is no zombie.
pub struct Process {
    pub pid: i32,
    pub name: String,
    pub command: Vec<String>,
    environment: Vec<String>,
}

impl Process {
    /// Whether its environment has this variable, `NAME=value`.
    pub fn has(&self, variable: &str) -> bool {
        self.environment.iter().any(|other| other == variable)
    }
}

/// The processes that are wanted, as `pid name command line`.
pub fn processes(wanted: impl Fn(&Process) -> bool) -> Vec<String> {
    let words = |path: PathBuf| -> Option<Vec<String>> {
        let bytes = fs::read(path).ok()?;
        Some(bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect())
    };
    let read = |pid: i32| -> Option<Process> {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        let zombie = stat.rsplit_once(')')?.1.trim_start().starts_with(['Z', 'X']);
        let name = fs::read_to_string(folder.join("comm")).ok()?.trim_end().to_owned();
        let (command, environment) = (words(folder.join("cmdline"))?, words(folder.join("environ"))?);
        (!zombie).then_some(Process { pid, name, command, environment })
    };
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let all = pids.filter_map(read).filter(wanted);
    all.map(|process| format!("{} {} {}", process.pid, process.name, process.command.join(" "))).collect()
}

/// A command line that was not started yet.
pub struct Crafting<'a> {
    farm: &'a Farm,
    command: Command,
}

impl<'a> Crafting<'a> {
    pub fn in_dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// As it is, for a test that sees to its streams itself.
    pub fn command(self) -> Command {
        self.command
    }

    /// Starts it as the leader of a process group, as a shell would.
    pub fn spawn(mut self) -> Running<'a> {
        let number = self.farm.calls.fetch_add(1, Ordering::Relaxed);
        let place = |name: &str| self.farm.path("calls").join(format!("{number}.{name}"));
        let (stdout, stderr) = (place("out"), place("err"));
        self.command.stdin(Stdio::null()).process_group(0);
        self.command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
        let child = self.command.spawn().unwrap();
        Running { farm: self.farm, child, stdout, stderr, what: format!("{:?}", self.command) }
    }

    /// Runs it to its end.
    pub fn output(self) -> Ran {
        self.spawn().finish()
    }
}

/// A started program. Dropped, it is killed.
pub struct Running<'a> {
    farm: &'a Farm,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    what: String,
}

impl Running<'_> {
    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// Sends a signal to the program alone, as `kill` does.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Sends a signal to the process group, as a terminal does.
    pub fn signal_group(&self, signal: Signal) {
        killpg(self.pid(), signal).unwrap();
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What it has written to stderr so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stderr).unwrap()).into_owned()
    }

    /// What it has written to stdout so far.
    pub fn stdout(&self) -> Vec<u8> {
        fs::read(&self.stdout).unwrap()
    }

    /// Waits for a text on its stderr.
    pub fn wait_for_stderr(&self, text: &str) {
        self.farm.wait_until(&format!("stderr says {text:?}"), || self.stderr().contains(text));
    }

    /// The largest memory that the running program had, in KiB.
    pub fn peak_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Ran {
        let mut status = None;
        let (farm, what) = (self.farm, self.what.clone());
        let (stdout, stderr) = (self.stdout.clone(), self.stderr.clone());
        let read = |path: &Path| fs::read(path).unwrap_or_default();
        let state = || {
            let text = String::from_utf8_lossy(&read(&stdout)).into_owned();
            format!("stdout: {text}\nstderr: {}\n{}", String::from_utf8_lossy(&read(&stderr)), farm.state())
        };
        wait_until(&format!("{what} has ended"), state, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let bytes = read(&stdout);
        Ran {
            what,
            status: status.unwrap(),
            stdout: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
            stderr: String::from_utf8_lossy(&read(&stderr)).into_owned(),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a command line came to.
pub struct Ran {
    what: String,
    status: ExitStatus,
    /// The answer.
    pub stdout: String,
    /// The answer as it is.
    pub bytes: Vec<u8>,
    /// Everything else.
    pub stderr: String,
}

impl Ran {
    /// The exit status.
    #[track_caller]
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("{self} was ended by signal {:?}", self.status.signal()))
    }

    /// Wants this exit status.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "{self}");
        self
    }

    /// Wants the exit status 0.
    #[track_caller]
    pub fn success(self) -> Self {
        self.exits(0)
    }

    /// The answer as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in the answer of {self}"))
    }

    /// The jobs of a run's JSON answer.
    #[track_caller]
    pub fn jobs(&self) -> Vec<Value> {
        self.json()["jobs"].as_array().unwrap().clone()
    }

    /// The only job of a run's JSON answer.
    #[track_caller]
    pub fn job(&self) -> Value {
        let jobs = self.jobs();
        assert_eq!(jobs.len(), 1, "{self}");
        jobs[0].clone()
    }

    /// The id of the only job.
    #[track_caller]
    pub fn id(&self) -> String {
        self.job()["id"].as_str().unwrap().to_owned()
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown: String = self.stdout.chars().take(4000).collect();
        write!(f, "{}: {}\nstdout: {shown}\nstderr: {}", self.what, self.status, self.stderr)
    }
}
