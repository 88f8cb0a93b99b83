//! Work that may take long and has nothing to show meanwhile: after a moment, stderr says that it goes on.

use std::pin::pin;
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::sync::watch::Receiver;

use super::progress::{TICK, style};
use super::{Ui, text};
use crate::farm::Uploading;

/// What is done before this needs no word.
const PATIENCE: Duration = Duration::from_millis(500);

impl Ui {
    /// Waits for `work`, with a spinner and the time it takes on a terminal, with one line elsewhere. `what` says what
    /// goes on, such as "cloning the repository".
    pub async fn waiting<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        self.waiting_for_uploads(what, None, work).await
    }

    /// The same for work that may send something: its size is shown, and on a terminal how fast it goes.
    pub async fn waiting_for_uploads<T>(
        &self,
        what: &str,
        mut uploading: Option<Receiver<Option<Uploading>>>,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(PATIENCE) => {}
        }
        let spinner = self.live.then(|| {
            let spinner = ProgressBar::new_spinner()
                .with_style(style("{spinner} {msg}  {elapsed}"))
                .with_message(what.to_owned())
                .with_elapsed(PATIENCE);
            spinner.enable_steady_tick(TICK);
            spinner
        });
        // What is sent already speaks for itself.
        if spinner.is_none() && uploading.as_ref().is_none_or(|state| state.borrow().is_none()) {
            self.note(&format!("{what} …"));
        }
        let mut told = None;
        let done = loop {
            let state = uploading.as_mut().and_then(|state| *state.borrow_and_update());
            match (&spinner, state) {
                (Some(spinner), Some(state)) => spinner.set_message(progress(state, state.begun.elapsed())),
                (Some(spinner), None) => spinner.set_message(what.to_owned()),
                (None, Some(state)) if told != Some(state.total) => {
                    told = Some(state.total);
                    self.note(&format!("uploading {} …", text::bytes(state.total)));
                }
                (None, _) => {}
            }
            let changed = async {
                let changed = match &mut uploading {
                    Some(state) => state.changed().await.is_ok(),
                    None => false,
                };
                if !changed {
                    std::future::pending().await
                }
            };
            tokio::select! {
                done = &mut work => break done,
                () = changed => {}
            }
        };
        if let Some(spinner) = spinner {
            spinner.finish_and_clear();
        }
        done
    }
}

/// How far an upload is, and how fast it goes once that can be told.
fn progress(state: Uploading, elapsed: Duration) -> String {
    let (sent, total) = (text::bytes(state.sent), text::bytes(state.total));
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    match (state.sent.saturating_mul(1000)).checked_div(millis) {
        Some(speed) if state.sent > 0 => format!("uploading {sent} of {total}, {}/s", text::bytes(speed)),
        _ => format!("uploading {total}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn an_upload_tells_how_fast_it_goes() {
        let half = Uploading { sent: 5 << 20, total: 10 << 20, begun: Instant::now() };
        let told = progress(half, Duration::from_secs(2));
        assert_eq!(
            told,
            format!("uploading {} of {}, {}/s", text::bytes(5 << 20), text::bytes(10 << 20), text::bytes(5 << 19))
        );
        assert_eq!(
            progress(Uploading { sent: 0, ..half }, Duration::ZERO),
            format!("uploading {}", text::bytes(10 << 20))
        );
    }
}
