//! Starting a process with nothing inherited but what is named.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::SigSet;
use rustix::process::Pid;

/// Starts `program` in a session (and so a process group) of its own, with every signal unblocked and back to its
/// default action, with exactly this environment, and with these three descriptors as its standard streams.
///
/// posix_spawn(3) rather than `std::process::Command`: the latter can neither make a session nor reset signals
/// without code of ours between fork and exec.
pub(super) fn in_new_session<'a>(
    program: &Path,
    arguments: &[&OsStr],
    env: impl Iterator<Item = (&'a OsString, &'a OsString)>,
    streams: [BorrowedFd<'_>; 3],
) -> io::Result<Pid> {
    let arguments = arguments.iter().map(|argument| c_string(argument.as_bytes())).collect::<io::Result<Vec<_>>>()?;
    let env = env.map(|(name, value)| variable(name, value)).collect::<io::Result<Vec<_>>>()?;

    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_flags(
        PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF
            | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK
            // nix has no name for this one.
            | PosixSpawnFlags::from_bits_retain(i32::from(nix::libc::POSIX_SPAWN_SETSID)),
    )?;
    attributes.set_sigdefault(&SigSet::all())?;
    attributes.set_sigmask(&SigSet::empty())?;
    let mut files = PosixSpawnFileActions::init()?;
    for (number, stream) in (0..).zip(streams) {
        files.add_dup2(stream.as_raw_fd(), number)?;
    }
    let pid = posix_spawn(program, &files, &attributes, &arguments, &env)?;
    Pid::from_raw(pid.as_raw()).ok_or_else(|| io::Error::other("posix_spawn gave no process id"))
}

fn c_string(bytes: &[u8]) -> io::Result<CString> {
    CString::new(bytes).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn variable(name: &OsStr, value: &OsStr) -> io::Result<CString> {
    if name.is_empty() || name.as_bytes().contains(&b'=') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    c_string(&[name.as_bytes(), b"=", value.as_bytes()].concat())
}
