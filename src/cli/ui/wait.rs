//! Work that may take long and has nothing to show meanwhile: after a moment, stderr says that it goes on.

use std::pin::pin;
use std::time::Duration;

use indicatif::ProgressBar;

use super::Ui;
use super::progress::{TICK, style};

/// What is done before this needs no word.
const PATIENCE: Duration = Duration::from_millis(500);

impl Ui {
    /// Waits for `work`, with a spinner and the time it takes on a terminal, with one line elsewhere. `what` says what
    /// goes on, such as "cloning the repository".
    pub async fn waiting<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(PATIENCE) => {}
        }
        if !self.live {
            self.note(&format!("{what} …"));
            return work.await;
        }
        let spinner = ProgressBar::new_spinner()
            .with_style(style("{spinner} {msg}  {elapsed}"))
            .with_message(what.to_owned())
            .with_elapsed(PATIENCE);
        spinner.enable_steady_tick(TICK);
        let done = work.await;
        spinner.finish_and_clear();
        done
    }
}
