//! Ctrl-C without its `^C` on the terminal, which would push what is drawn there out of place.

use std::io::{Stderr, stderr};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, tcgetpgrp};

/// While it lives, the terminal does not echo control characters.
pub struct NoEcho {
    terminal: Stderr,
    before: Termios,
}

impl NoEcho {
    /// None if stderr is no terminal, or somebody else's at the moment.
    pub fn begin() -> Option<Self> {
        let terminal = stderr();
        let before = tcgetattr(&terminal).ok().filter(|_| is_ours(&terminal))?;
        let mut quiet = before.clone();
        quiet.local_flags.remove(LocalFlags::ECHOCTL);
        tcsetattr(&terminal, SetArg::TCSANOW, &quiet).ok()?;
        Some(Self { terminal, before })
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        if is_ours(&self.terminal) {
            let _ = tcsetattr(&self.terminal, SetArg::TCSANOW, &self.before);
        }
    }
}

/// A process in the background that touches the terminal's settings is stopped by SIGTTOU.
fn is_ours(terminal: &Stderr) -> bool {
    tcgetpgrp(terminal) == Ok(getpgrp())
}
