//! What a recipe writes, in the order in which it arrives.

use std::io::{self, PipeReader, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use rustix::event::{PollFd, PollFlags, poll};

use crate::model::Stream;

/// What came of waiting for output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many bytes of this stream.
    Bytes(Stream, usize),
    /// Nothing in the time given.
    Nothing,
    /// No more will come.
    End,
}

/// What a pipe should hold, so that a burst does not stop the recipe; an unprivileged user with many pipes gets less.
const PIPE_BYTES: i32 = 1 << 20;

/// The reading ends of a recipe's standard output and error.
#[derive(Debug)]
pub struct Output {
    /// Each until its end; standard output first.
    pipes: [Option<PipeReader>; 2],
    /// Which of the two may have something to read.
    ready: [bool; 2],
    /// Which one to look at first, so that neither starves.
    turn: usize,
    /// A pidfd of the supervisor: readable when it is gone.
    supervisor: OwnedFd,
    /// Whether it is gone: then what is in the pipes is all there will be.
    over: bool,
}

impl Output {
    pub(super) fn new(stdout: PipeReader, stderr: PipeReader, supervisor: OwnedFd) -> io::Result<Self> {
        for pipe in [&stdout, &stderr] {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
            // A smaller pipe works as well, only slower.
            let _ = fcntl(pipe, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
        }
        let pipes = [Some(stdout), Some(stderr)];
        Ok(Self { pipes, ready: [false; 2], turn: 0, supervisor, over: false })
    }

    /// Waits for output and reads some into `buffer`; `None` when no more will come: both pipes are closed, or the
    /// recipe has ended and they are empty. A process that outlived everything cannot delay it.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<(Stream, usize)>> {
        loop {
            match self.read_within(buffer, None)? {
                Read::Bytes(stream, length) => return Ok(Some((stream, length))),
                Read::Nothing => {}
                Read::End => return Ok(None),
            }
        }
    }

    /// The same, but waits no longer than that.
    pub fn read_within(&mut self, buffer: &mut [u8], time: Option<Duration>) -> io::Result<Read> {
        loop {
            for index in [self.turn, 1 - self.turn] {
                if let Some(length) = self.read_one(index, buffer)? {
                    self.turn = 1 - index;
                    return Ok(Read::Bytes([Stream::Stdout, Stream::Stderr][index], length));
                }
            }
            if self.over || self.pipes.iter().all(Option::is_none) {
                return Ok(Read::End);
            }
            if !self.wait(time)? {
                return Ok(Read::Nothing);
            }
        }
    }

    fn read_one(&mut self, index: usize, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(pipe) = self.pipes[index].as_mut().filter(|_| self.ready[index]) else { return Ok(None) };
        loop {
            match pipe.read(buffer) {
                Ok(0) if !buffer.is_empty() => {
                    self.pipes[index] = None;
                    return Ok(None);
                }
                Ok(length) => {
                    // The next turn asks about both again, so that the order of arrival is kept as well as it can be.
                    self.ready[index] = self.over;
                    return Ok(Some(length));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.ready[index] = false;
                    return Ok(None);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether something came in time.
    fn wait(&mut self, time: Option<Duration>) -> io::Result<bool> {
        // A closed pipe leaves its place to the supervisor, which is asked about anyway.
        let [stdout, stderr] =
            self.pipes.each_ref().map(|pipe| pipe.as_ref().map_or(self.supervisor.as_fd(), AsFd::as_fd));
        let mut fds = [
            PollFd::from_borrowed_fd(stdout, PollFlags::IN),
            PollFd::from_borrowed_fd(stderr, PollFlags::IN),
            PollFd::from_borrowed_fd(self.supervisor.as_fd(), PollFlags::IN),
        ];
        // A time too long for the system is no limit.
        let time = time.and_then(|time| time.try_into().ok());
        let came = retry(|| poll(&mut fds, time.as_ref()))?;
        let [stdout, stderr, supervisor] = fds.map(|fd| !fd.revents().is_empty());
        self.over = supervisor;
        self.ready = [stdout || supervisor, stderr || supervisor];
        Ok(came > 0)
    }
}

/// Repeats a system call that a signal interrupted.
pub(super) fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            other => return other.map_err(Into::into),
        }
    }
}
