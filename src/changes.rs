//! Being told that a file changed, by this process or another, without looking again and again.
//!
//! The kernel tells (inotify). One thread per watch sleeps in `read` and wakes only for a change.

use std::ffi::OsStr;
use std::path::Path;

use inotify::{Inotify, WatchMask};
use tokio::sync::watch;

use crate::error::{IoContext, Result};

/// A counter that moves on at least once after any change of a watched file; several changes may make one step.
pub type Changes = watch::Receiver<u64>;

/// Watches the files in `dir` whose name `wanted` says; files that come later too. The folder must exist.
///
/// The thread ends with the first change after the last receiver is gone.
pub fn watch_folder(dir: &Path, wanted: impl Fn(&OsStr) -> bool + Send + 'static) -> Result<Changes> {
    let mut inotify = Inotify::init().on("watch", dir)?;
    inotify.watches().add(dir, WatchMask::MODIFY | WatchMask::CREATE | WatchMask::MOVED_TO).on("watch", dir)?;
    let (sender, receiver) = watch::channel(0);
    std::thread::Builder::new()
        .name("changes".to_owned())
        .spawn(move || {
            // Room for many events of the longest file name.
            let mut buffer = [0_u8; 16 * 1024];
            while !sender.is_closed() {
                match inotify.read_events_blocking(&mut buffer) {
                    Ok(mut events) => {
                        // An event without a name says that the kernel's queue ran over: anything may have changed.
                        if events.any(|event| event.name.is_none_or(&wanted)) {
                            sender.send_modify(|count| *count += 1);
                        }
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        tracing::warn!("watching for changes ended: {error}");
                        return;
                    }
                }
            }
        })
        .on("start a thread to watch", dir)?;
    Ok(receiver)
}
