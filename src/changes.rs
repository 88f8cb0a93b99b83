//! Being told that a file changed, by this process or another, without looking again and again.
//!
//! The kernel tells (inotify). One thread sleeps in `read` and wakes only for a change. Systems allow a user few inotify
//! instances, 128 as a rule, so who watches several folders does it with one.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use inotify::{EventMask, Inotify, WatchMask};
use tokio::sync::watch;

use crate::error::{IoContext, Result};

/// A counter that moves on at least once after any change of a watched file; several changes may make one step.
pub type Changes = watch::Receiver<u64>;

/// A file that is watched, or files of a folder together. What is named must exist; files in a folder may come later.
pub struct Place {
    path: PathBuf,
    mask: WatchMask,
    /// Which of a folder's files are meant, by their names; a file itself is told of without one.
    wanted: Box<dyn Fn(&OsStr) -> bool + Send>,
}

impl Place {
    /// One file: told when it is written to. Unlike of a folder, nothing is told of its neighbours, so that nobody is
    /// woken for them.
    pub fn file(path: &Path) -> Self {
        Self::new(path, WatchMask::MODIFY, |_| false)
    }

    /// The files in `dir` whose name `wanted` says: told when one is written to, or comes.
    pub fn written(dir: &Path, wanted: impl Fn(&OsStr) -> bool + Send + 'static) -> Self {
        Self::new(dir, WatchMask::MODIFY | WatchMask::CREATE | WatchMask::MOVED_TO, wanted)
    }

    /// The same files: told when one that somebody had open for writing is closed, be it by the end of the process.
    pub fn closed(dir: &Path, wanted: impl Fn(&OsStr) -> bool + Send + 'static) -> Self {
        Self::new(dir, WatchMask::CLOSE_WRITE, wanted)
    }

    fn new(path: &Path, mask: WatchMask, wanted: impl Fn(&OsStr) -> bool + Send + 'static) -> Self {
        Self { path: path.to_owned(), mask, wanted: Box::new(wanted) }
    }

    /// Watches this place alone.
    pub fn watch(self) -> Result<Changes> {
        watch([self]).map(|[changes]| changes)
    }
}

/// Watches several places at once, each told of apart.
///
/// The thread ends with the first change after the last receiver is gone.
pub fn watch<const N: usize>(places: [Place; N]) -> Result<[Changes; N]> {
    let mut inotify = Inotify::init().on("watch", Path::new("for changes")).map_err(|error| {
        error.advise("end other programs that watch files, or raise the system's limit fs.inotify.max_user_instances")
    })?;
    let mut watches = inotify.watches();
    let mut watched = Vec::with_capacity(N);
    for Place { path, mask, wanted } in places {
        let descriptor = watches.add(&path, mask).on("watch", &path)?;
        watched.push((descriptor, wanted, watch::Sender::new(0)));
    }
    let receivers: Vec<Changes> = watched.iter().map(|(.., sender)| sender.subscribe()).collect();
    let receivers = receivers.try_into().unwrap_or_else(|_| unreachable!("there is a receiver for each place"));
    std::thread::Builder::new()
        .name("changes".to_owned())
        .spawn(move || {
            // Room for many events of the longest file name.
            let mut buffer = [0_u8; 16 * 1024];
            while !watched.iter().all(|(.., sender)| sender.is_closed()) {
                match inotify.read_events_blocking(&mut buffer) {
                    Ok(events) => {
                        let events: Vec<_> = events.collect();
                        for (descriptor, wanted, sender) in &watched {
                            // When the kernel's queue ran over anything may have changed.
                            if events.iter().any(|event| {
                                event.mask.contains(EventMask::Q_OVERFLOW)
                                    || (event.wd == *descriptor && event.name.is_none_or(wanted))
                            }) {
                                sender.send_modify(|count| *count += 1);
                            }
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
        .on("start a thread to watch", Path::new("for changes"))?;
    Ok(receivers)
}
