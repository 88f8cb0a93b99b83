//! Finding a job's processes when their supervisor was killed too.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::output::retry;
use super::procfs::{self, Entry};
use super::{JOB_MARK, Leftover};
use crate::model::JobId;

/// A process in an uninterruptible wait may take long to die; the caller is not held longer than this.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many are waited for in one round; bounded by the descriptors that a process may have.
const BATCH: usize = 64;

/// Ends, with SIGKILL, every process whose environment has the mark of this job, and everything below those; again
/// until there is none. This process and those above it are spared. Returns what it ended, or could not.
///
/// One that dropped its environment and has no marked parent left is not found: there is nothing to know it by.
pub fn kill_marked(job: &JobId) -> Vec<Leftover> {
    let mark = format!("{JOB_MARK}={job}").into_bytes();
    let until = Instant::now() + PATIENCE;
    let mut ended: Vec<Leftover> = Vec::new();
    loop {
        let mut dying = Vec::new();
        let mut again = false;
        for entry in find(&mark) {
            let killed = kill(&entry);
            again |= killed.is_ok();
            let gone_by_itself = matches!(killed, Ok(None));
            if !gone_by_itself && ended.iter().all(|other| other.pid != entry.pid) {
                ended.push(entry.leftover(killed.is_ok()));
            }
            dying.extend(killed.ok().flatten().filter(|_| dying.len() < BATCH));
        }
        if !again {
            return ended;
        }
        if !wait(&dying, until) {
            let left = find(&mark);
            for process in &mut ended {
                process.ended &= left.iter().all(|entry| entry.pid != process.pid);
            }
            return ended;
        }
    }
}

fn find(mark: &[u8]) -> Vec<Entry> {
    let spared = procfs::ancestry(std::process::id().cast_signed());
    let table = procfs::all();
    let (mut marked, rest): (Vec<_>, Vec<_>) =
        table.into_iter().filter(|entry| !spared.contains(&entry.pid)).partition(|entry| has(entry.pid, mark));
    let roots: Vec<i32> = marked.iter().map(|entry| entry.pid).collect();
    marked.extend(procfs::below(rest, &roots));
    marked
}

/// Another user's environment cannot be read, and needs not be: it is none of ours.
fn has(pid: i32, mark: &[u8]) -> bool {
    fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|variable| variable == mark))
}

/// Kills exactly this process, even if its id was given to another one since; `None` if it was gone already.
fn kill(entry: &Entry) -> rustix::io::Result<Option<OwnedFd>> {
    let Some(pid) = Pid::from_raw(entry.pid) else { return Ok(None) };
    let killed = pidfd_open(pid, PidfdFlags::empty()).and_then(|pidfd| {
        if procfs::entry(entry.pid).is_none_or(|now| now.started != entry.started) {
            return Ok(None);
        }
        pidfd_send_signal(&pidfd, Signal::KILL).map(|()| Some(pidfd))
    });
    match killed {
        Err(Errno::SRCH) => Ok(None),
        other => other,
    }
}

/// Waits until all of them are gone; false if that takes too long.
fn wait(dying: &[OwnedFd], until: Instant) -> bool {
    Instant::now() < until
        && dying.iter().all(|pidfd| {
            let mut fds = [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)];
            let left = until.saturating_duration_since(Instant::now());
            left.try_into().is_ok_and(|left| retry(|| poll(&mut fds, Some(&left))).is_ok_and(|ready| ready > 0))
        })
}
