//! Starting this program again behind the terminal's back.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use super::spawn;
use crate::error::{IoContext, Result};

/// Starts this program with `arguments` in a session of its own: it lives on when the terminal is closed. It has this
/// process's environment, no input, and writes what it has to say to the end of `messages`.
pub fn spawn_background(arguments: &[&str], messages: &Path) -> Result<()> {
    let program = Path::new("/proc/self/exe");
    let null = Path::new("/dev/null");
    let nothing = File::options().read(true).write(true).open(null).on("open", null)?;
    let messages_file = File::options().create(true).append(true).open(messages).on("open", messages)?;
    let mut line: Vec<&OsStr> = vec![OsStr::new("crafting")];
    line.extend(arguments.iter().map(OsStr::new));
    let env: BTreeMap<_, _> = std::env::vars_os().collect();
    let streams = [nothing.as_fd(), nothing.as_fd(), messages_file.as_fd()];
    spawn::in_new_session(program, &line, env.iter(), streams).on("start in the background", program)?;
    Ok(())
}
