//! Recipes as ordinary processes of this machine.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::process::{PidfdFlags, pidfd_open};

use super::supervisor::{ARGUMENT, NAME};
use super::wire::{Report, Spec, Step, Text};
use super::{JOB_MARK, Launch, Output, Process, Running, Runtime, open_files, spawn};
use crate::error::{Code, Error, IoContext, Result};

/// Runs recipes on this machine, each below a supervisor, which is this program started again.
#[derive(Clone, Debug)]
pub struct Host {
    program: PathBuf,
}

impl Host {
    /// `program` is an executable whose `main` begins with [`super::supervise_if_asked`].
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    fn supervise(&self, launch: &Launch) -> io::Result<(Process, Output)> {
        let (stdout, stdout_writer) = io::pipe()?;
        let (stderr, stderr_writer) = io::pipe()?;
        let (socket, theirs) = UnixStream::pair()?;
        let arguments = [NAME, ARGUMENT, launch.job.as_str()].map(OsStr::new);
        // The mark lets a later crafting find a supervisor that was stopped; nothing else may reach into it.
        let mark = BTreeMap::from([(OsString::from(JOB_MARK), OsString::from(launch.job.as_str()))]);
        let streams = [theirs.as_fd(), stdout_writer.as_fd(), stderr_writer.as_fd()];
        let pid = spawn::in_new_session(&self.program, &arguments, mark.iter(), streams)?;
        let process = Process::new(launch.job.clone(), pid, socket);
        let output = Output::new(stdout, stderr, pidfd_open(pid, PidfdFlags::empty())?)?;
        Ok((process, output))
    }
}

impl Default for Host {
    fn default() -> Self {
        Self::new("/proc/self/exe")
    }
}

impl Runtime for Host {
    fn name(&self) -> &'static str {
        "host"
    }

    fn start(&self, launch: Launch) -> Result<Running> {
        let (mut process, output) = self.supervise(&launch).on("start a supervisor from", &self.program)?;
        let mut env = launch.env;
        env.insert(JOB_MARK.into(), launch.job.as_str().into());
        let spec = Spec {
            command: launch.command,
            env: env.iter().map(|(name, value)| (name.as_os_str().into(), value.as_os_str().into())).collect(),
            cwd: Text::from(launch.cwd.as_os_str()),
            timeout: launch.timeout,
            grace: launch.grace,
            open_files: open_files::before(),
        };
        let answer = process.send(&spec).and_then(|()| process.report());
        match answer.on("start the recipe below", &self.program)? {
            Report::Started => Ok(Running { output, process }),
            Report::Failed { step, errno } => {
                Err(failure(step, &io::Error::from_raw_os_error(errno), &self.program, &launch.cwd))
            }
            Report::Ended(ending) => {
                Err(Error::new(Code::Io, format!("the recipe ended before it was started: {ending:?}")))
            }
        }
    }
}

fn failure(step: Step, error: &io::Error, program: &Path, cwd: &Path) -> Error {
    match step {
        Step::Prepare => Error::io("supervise with", program, error),
        Step::Enter => Error::io("enter the folder", cwd, error),
        Step::Run => {
            let failure = Error::io("run the recipe with", Path::new("/bin/sh"), error);
            match error.kind() {
                io::ErrorKind::ArgumentListTooLong => Error::new(failure.code(), failure.to_string())
                    .hint("a command or a variable may have 128 KiB; put a longer one into a script"),
                io::ErrorKind::InvalidInput => Error::invalid(failure.to_string())
                    .hint("a command and a variable hold no NUL, and a variable's name no `=`"),
                _ => failure,
            }
        }
    }
}
