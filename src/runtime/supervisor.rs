//! The process between crafting and a recipe.
//!
//! It is the nearest subreaper above everything that the recipe starts: a daemon that forks twice, in a session of
//! its own, becomes its child, and `ECHILD` from waitpid(2) is the proof that nothing is left. It sleeps until a
//! child ends, an order comes, or a time is up.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal as Caught};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{dup2_stderr, dup2_stdout};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, kill_process, kill_process_group, set_child_subreaper, wait,
};

use super::output::retry;
use super::wire::{Inbox, Order, Report, Spec, Step, send};
use super::{Cause, Ending, Leftover, TIMED_OUT, open_files, procfs, spawn};

/// The first argument that makes this program a supervisor. People have no use for it, so help does not show it.
pub(super) const ARGUMENT: &str = "__supervise-job";
/// What `ps` calls it.
pub(super) const NAME: &str = "crafting-job";

/// What outlives its recipe may be about to end, as `tee` in `exec > >(tee log)` is: it gets this long before SIGTERM.
const SETTLE: Duration = Duration::from_millis(100);
/// What outlived its recipe has this long between SIGTERM and SIGKILL.
const LEFTOVER_GRACE: Duration = Duration::from_secs(1);
/// How long to go on with SIGKILL before giving up on what cannot be signalled or does not die.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two rounds of SIGKILL, unless something ends earlier.
const ROUND: Duration = Duration::from_millis(50);

/// Makes this process a supervisor if it was started as one, for the first line of `main`: nothing may have been
/// opened or started before. `None` for every other start.
pub fn supervise_if_asked() -> Option<ExitCode> {
    let asked = std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT);
    // Without anybody to tell, the exit status is all there is.
    asked.then(|| supervise().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS))
}

fn supervise() -> io::Result<()> {
    close_strays();
    let owner = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut inbox = Inbox::default();
    let spec: Spec = inbox.receive(&owner)?;
    let (timeout, grace) = (spec.timeout, spec.grace);
    let mut supervisor = match prepare(spec, &owner, inbox) {
        Ok(supervisor) => supervisor,
        Err((step, error)) => {
            let errno = match error.raw_os_error() {
                Some(errno) => errno,
                None if error.kind() == io::ErrorKind::InvalidInput => nix::libc::EINVAL,
                None => nix::libc::EIO,
            };
            return send(&owner, &Report::Failed { step, errno });
        }
    };
    // An owner that is gone is noticed in the loop, as the end of the stream.
    let _ = send(&owner, &Report::Started);
    let ending = supervisor.run(timeout, grace);
    send(&owner, &Report::Ended(ending))
}

/// Closes what crafting, or whoever started it, let through: the recipe would inherit it.
fn close_strays() {
    let Ok(folder) = std::fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> = folder.flatten().filter_map(|item| item.file_name().to_str()?.parse().ok()).collect();
    for fd in open.into_iter().filter(|fd| *fd > 2) {
        // The folder's own one is closed already.
        let _ = nix::unistd::close(fd);
    }
}

fn prepare(spec: Spec, owner: &UnixStream, inbox: Inbox) -> Result<Supervisor<'_>, (Step, io::Error)> {
    let at = |step| move |error: io::Error| (step, error);
    let failed = |error: Errno| (Step::Prepare, error.into());
    let nix_failed = |error: nix::Error| (Step::Prepare, error.into());

    // The name is for people only.
    let _ = nix::sys::prctl::set_name(c"crafting-job");
    set_child_subreaper(Some(rustix::process::getpid())).map_err(failed)?;
    let caught = SigSet::from_iter([Caught::SIGCHLD, Caught::SIGTERM, Caught::SIGINT, Caught::SIGHUP]);
    caught.thread_block().map_err(nix_failed)?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let signals = SignalFd::with_flags(&caught, flags).map_err(nix_failed)?;
    let null = File::options().read(true).write(true).open("/dev/null").map_err(at(Step::Prepare))?;
    let empty = File::open("/dev/null").map_err(at(Step::Prepare))?;

    if let Some(soft) = spec.open_files {
        open_files::put_back(soft).map_err(at(Step::Prepare))?;
    }
    std::env::set_current_dir(OsString::from(spec.cwd)).map_err(at(Step::Enter))?;
    let env: BTreeMap<OsString, OsString> =
        spec.env.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let arguments = ["sh", "-c", &spec.command].map(OsStr::new);
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let streams = [empty.as_fd(), stdout.as_fd(), stderr.as_fd()];
    let recipe = spawn::in_new_session(Path::new("/bin/sh"), &arguments, env.iter(), streams).map_err(at(Step::Run))?;
    let supervisor = Supervisor {
        owner,
        inbox,
        signals,
        recipe,
        status: None,
        terminate: false,
        orphaned: false,
        leftovers: BTreeMap::new(),
    };

    // The pipes are the recipe's alone, and its folder may be removed. Neither can fail, nor would it harm.
    let _ = dup2_stdout(&null).and_then(|()| dup2_stderr(&null));
    let _ = std::env::set_current_dir("/");
    Ok(supervisor)
}

/// What woke the supervisor.
enum Event {
    /// A child may have ended.
    Child,
    /// Everything shall end.
    Order(Order),
    /// The time is up.
    Time,
}

/// How a wait for the end of everything ended.
#[derive(PartialEq, Eq)]
enum Waited {
    /// Nothing is left.
    Gone,
    /// Something is, and the time is up.
    Late,
    /// Something is, and it shall end at once.
    Hurry,
}

struct Supervisor<'a> {
    owner: &'a UnixStream,
    inbox: Inbox,
    signals: SignalFd,
    /// The recipe's main process, which leads its session and its group.
    recipe: Pid,
    /// How that one ended.
    status: Option<WaitStatus>,
    /// Whether somebody sent SIGTERM to the supervisor itself.
    terminate: bool,
    /// Whether crafting is gone.
    orphaned: bool,
    leftovers: BTreeMap<i32, Leftover>,
}

impl Supervisor<'_> {
    fn run(&mut self, timeout: Duration, grace: Duration) -> Ending {
        let cause = self.until_end(Instant::now().checked_add(timeout), grace);
        let own = self
            .status
            .and_then(|status| status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal)));
        let exit_code = match cause {
            Cause::TimedOut => TIMED_OUT,
            // Without a status only if it could not be killed, which was tried.
            Cause::Exited | Cause::Terminated => own.unwrap_or(128 + Signal::KILL.as_raw()),
        };
        Ending { exit_code, cause, leftovers: std::mem::take(&mut self.leftovers).into_values().collect() }
    }

    fn until_end(&mut self, deadline: Option<Instant>, grace: Duration) -> Cause {
        loop {
            let event = self.next(deadline);
            // Whatever woke us, a recipe that has ended by now has ended by itself.
            if !self.reap() {
                return Cause::Exited;
            }
            if self.status.is_some() {
                match event {
                    Event::Order(_) => self.kill(true),
                    Event::Child | Event::Time => self.end_leftovers(),
                }
                return Cause::Exited;
            }
            match event {
                Event::Child => {}
                Event::Time => {
                    self.end_recipe(grace);
                    return Cause::TimedOut;
                }
                Event::Order(Order::Terminate) => {
                    self.end_recipe(grace);
                    return Cause::Terminated;
                }
                Event::Order(Order::Kill) => {
                    self.kill(false);
                    return Cause::Terminated;
                }
            }
        }
    }

    /// The recipe is done, and something else is still there.
    fn end_leftovers(&mut self) {
        match self.wait(SETTLE) {
            Waited::Gone => return,
            Waited::Hurry => return self.kill(true),
            Waited::Late => {}
        }
        self.note(&self.below());
        if self.terminate(LEFTOVER_GRACE) != Waited::Gone {
            self.kill(true);
        }
    }

    /// The one path of timeout, cancel and shutdown.
    fn end_recipe(&mut self, grace: Duration) {
        match self.terminate(grace) {
            Waited::Gone => {}
            // What did not heed SIGTERM is worth a word.
            Waited::Late => self.kill(true),
            Waited::Hurry => self.kill(false),
        }
    }

    /// SIGTERM for each once, and SIGCONT, without which a stopped one would not notice; then waits.
    fn terminate(&mut self, grace: Duration) -> Waited {
        let table = self.below();
        for signal in [Signal::TERM, Signal::CONT] {
            let group = self.recipe.as_raw_pid();
            // One call for the group, so that a process in the middle of a fork does not slip through. With no
            // member left its number may be another's by now.
            if table.iter().any(|entry| entry.group == group) {
                let _ = kill_process_group(self.recipe, signal);
            }
            for entry in table.iter().filter(|entry| entry.group != group) {
                let _ = send_signal(entry, signal);
            }
        }

        // A signal is lost on a process between fork and exec that inherited a handler, such as the `trap` of a
        // shell: it gets another one as the program that it has become. What was started since is cleaning up.
        let mut images: HashMap<_, _> = table.iter().map(|entry| ((entry.pid, entry.started), entry.stack)).collect();
        let begun = Instant::now();
        let mut pause = SETTLE;
        loop {
            let left = grace.saturating_sub(begun.elapsed());
            let waited = self.wait(left.min(pause));
            if waited != Waited::Late || left <= pause {
                return waited;
            }
            for entry in self.below() {
                if let Some(image) = images.get_mut(&(entry.pid, entry.started))
                    && std::mem::replace(image, entry.stack) != entry.stack
                {
                    let _ = send_signal(&entry, Signal::TERM);
                }
            }
            pause = pause.saturating_mul(2);
        }
    }

    /// SIGKILL until nothing is left. Everything is stopped first: a process that forks faster than we kill would
    /// otherwise fill each place that becomes free.
    fn kill(&mut self, note: bool) {
        let until = Instant::now() + PATIENCE;
        let mut stopped = BTreeSet::new();
        while Instant::now() < until {
            let before = stopped.len();
            for entry in self.below() {
                if stopped.insert((entry.pid, entry.started)) {
                    let _ = send_signal(&entry, Signal::STOP);
                }
            }
            if stopped.len() == before {
                break;
            }
        }
        while self.reap() {
            let table = self.below();
            if note {
                self.note(&table);
            }
            for entry in &table {
                let _ = send_signal(entry, Signal::KILL);
            }
            if self.wait(ROUND) == Waited::Gone {
                return;
            }
            if Instant::now() >= until {
                for entry in self.below() {
                    self.leftovers.insert(entry.pid, entry.leftover(false));
                }
                return;
            }
        }
    }

    fn below(&self) -> Vec<procfs::Entry> {
        procfs::below(procfs::all(), &[rustix::process::getpid().as_raw_pid()])
    }

    fn note(&mut self, table: &[procfs::Entry]) {
        for entry in table {
            self.leftovers.entry(entry.pid).or_insert_with(|| entry.leftover(true));
        }
    }

    /// Waits until nothing is left, for so long at most.
    fn wait(&mut self, time: Duration) -> Waited {
        let until = Instant::now().checked_add(time);
        loop {
            // First, since what is gone already sends no more signals.
            if !self.reap() {
                return Waited::Gone;
            }
            let event = self.next(until);
            match event {
                Event::Child => {}
                _ if !self.reap() => return Waited::Gone,
                Event::Time => return Waited::Late,
                Event::Order(_) => return Waited::Hurry,
            }
        }
    }

    /// Collects what has ended; false when nothing is left.
    fn reap(&mut self) -> bool {
        loop {
            match retry(|| wait(WaitOptions::NOHANG)) {
                Ok(Some((pid, status))) => {
                    if pid == self.recipe {
                        self.status = Some(status);
                    }
                }
                Ok(None) => return true,
                // ECHILD.
                Err(_) => return false,
            }
        }
    }

    /// Sleeps until something happens.
    fn next(&mut self, until: Option<Instant>) -> Event {
        loop {
            if std::mem::take(&mut self.terminate) {
                return Event::Order(Order::Terminate);
            }
            // What is not an order came from a broken crafting.
            if let Some(order) = self.inbox.take() {
                return Event::Order(order.unwrap_or(Order::Kill));
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            // A time too long for the system is no limit.
            let timeout = left.and_then(|left| left.try_into().ok());
            let mut fds = [
                PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.owner.as_fd(), PollFlags::IN),
            ];
            let watched = if self.orphaned { 1 } else { 2 };
            let polled = retry(|| poll(&mut fds[..watched], timeout.as_ref()));
            let [signals, owner] = fds.map(|fd| !fd.revents().is_empty());
            if polled.is_err() {
                continue;
            }
            if owner && !self.inbox.fill(self.owner).unwrap_or(false) {
                self.orphaned = true;
                return Event::Order(Order::Kill);
            }
            let child = signals && self.caught_child();
            // Also when children keep ending: a storm of them does not stretch the time.
            if left.is_some_and(|left| left.is_zero()) {
                return Event::Time;
            }
            if child {
                return Event::Child;
            }
        }
    }

    /// Empties the queue of caught signals; tells whether a child was among the reasons.
    fn caught_child(&mut self) -> bool {
        let mut child = false;
        while let Ok(Some(signal)) = self.signals.read_signal() {
            if i32::try_from(signal.ssi_signo) == Ok(Caught::SIGCHLD as i32) {
                child = true;
            } else {
                self.terminate = true;
            }
        }
        child
    }
}

fn send_signal(entry: &procfs::Entry, signal: Signal) -> rustix::io::Result<()> {
    Pid::from_raw(entry.pid).map_or(Ok(()), |pid| kill_process(pid, signal))
}
