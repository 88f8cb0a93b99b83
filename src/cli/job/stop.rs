//! The signals that ask a program to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Code, Error, Result};

/// Ctrl-C, SIGTERM and SIGHUP, from now on told instead of deadly.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Stop {
    /// Begins to listen.
    pub fn listen() -> Result<Self> {
        let on =
            |kind| signal(kind).map_err(|error| Error::new(Code::Io, format!("cannot listen for signals: {error}")));
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
            hangup: on(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
