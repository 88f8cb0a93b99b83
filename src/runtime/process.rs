//! crafting's side of a supervisor: its orders, its report, its end.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rustix::process::{Pid, WaitOptions, waitpid};

use super::output::retry;
use super::wire::{Inbox, Order, Report, Spec, send};
use super::{Ending, kill_marked};
use crate::error::{Code, Error, Result};
use crate::model::JobId;

/// The life of a recipe. Dropping it ends the recipe, and everything below it, with SIGKILL.
#[derive(Debug)]
pub struct Process {
    job: JobId,
    supervisor: Pid,
    socket: Arc<UnixStream>,
    inbox: Inbox,
}

impl Process {
    pub(super) fn new(job: JobId, supervisor: Pid, socket: UnixStream) -> Self {
        Self { job, supervisor, socket: Arc::new(socket), inbox: Inbox::default() }
    }

    /// Sends the supervisor its first line.
    pub(super) fn send(&self, spec: &Spec) -> io::Result<()> {
        send(&self.socket, spec)
    }

    /// Waits for the supervisor's next line.
    pub(super) fn report(&mut self) -> io::Result<Report> {
        self.inbox.receive(&self.socket)
    }

    /// A handle to end it from elsewhere.
    pub fn control(&self) -> Control {
        Control { socket: Arc::clone(&self.socket) }
    }

    /// Waits until the recipe has ended and nothing of it runs any more. It has, too, when this is an error: then the
    /// supervisor was killed, and what it left was found by its mark and ended.
    pub fn wait(mut self) -> Result<Ending> {
        let problem = match self.report() {
            Ok(Report::Ended(ending)) => return Ok(ending),
            Ok(other) => format!("its supervisor said {other:?}"),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => "its supervisor was killed".to_owned(),
            Err(error) => format!("its supervisor cannot be understood: {error}"),
        };
        let job = self.job.clone();
        // The supervisor goes first, lest both sides count the same processes.
        drop(self);
        let ended: Vec<String> =
            kill_marked(&job).into_iter().map(|process| format!("{} ({})", process.name, process.pid)).collect();
        let ended =
            if ended.is_empty() { String::new() } else { format!("; ended what it left: {}", ended.join(", ")) };
        Err(Error::new(Code::Io, format!("the recipe's end was lost, {problem}{ended}"))
            .hint("run the job again; if it happens again, look for what kills processes, such as a lack of memory"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The supervisor takes the end of the stream for our death. It may have ended already.
        let _ = self.socket.shutdown(Shutdown::Both);
        // Fails only where SIGCHLD is ignored, when the kernel has waited in our place.
        let _ = retry(|| waitpid(Some(self.supervisor), WaitOptions::empty()));
    }
}

/// Ends a recipe from any thread; without effect when it has ended.
#[derive(Clone, Debug)]
pub struct Control {
    socket: Arc<UnixStream>,
}

impl Control {
    /// SIGTERM to everything, and SIGKILL to what is left after the grace. The second time, SIGKILL at once.
    pub fn terminate(&self) {
        self.order(Order::Terminate);
    }

    /// SIGKILL to everything.
    pub fn kill(&self) {
        self.order(Order::Kill);
    }

    fn order(&self, order: Order) {
        // It fails when the supervisor is gone, and the recipe with it.
        let _ = send(&self.socket, &order);
    }
}
