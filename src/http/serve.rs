//! The server's life: from the port's opening to the last answer.

use std::net::SocketAddr;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::connections::{self, Connections};
use super::router::{App, router};
use crate::error::{Code, Error, Result};
use crate::farm::LocalFarm;
use crate::runner::queue::Duty;

/// How long answers get to be finished once the server was asked to end.
const ANSWERS: Duration = Duration::from_secs(10);
/// How often the bytes on the disk are counted.
const DISK_EVERY: Duration = Duration::from_secs(300);

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to listen.
    pub bind: SocketAddr,
    /// How long running jobs get when the process is asked to end.
    pub drain: Duration,
}

/// Answers requests and runs jobs until the process is asked to end (SIGTERM, SIGINT). `listening` is told the address.
///
/// Then no connection and no job is taken any more. Answers are finished, running jobs get [`ServeOptions::drain`], and
/// are cancelled after it. A second signal cancels them at once, a third one kills them.
pub async fn serve(farm: LocalFarm, options: &ServeOptions, listening: impl FnOnce(SocketAddr)) -> Result<()> {
    // Before anything is begun that they would end.
    let mut signals = Signals::listen()?;
    let most = connections::most();
    let listener = TcpListener::bind(options.bind).await.map_err(|error| {
        Error::new(Code::Io, format!("cannot listen on {}: {error}", options.bind))
            .hint("something else may listen there; choose another address with --bind")
    })?;
    let address = listener.local_addr().map_err(|error| Error::new(Code::Io, error.to_string()))?;

    let shutdown = watch::Sender::new(false);
    let duty = watch::Sender::new(Duty::Serve);
    let app = App::new(farm.clone(), shutdown.subscribe())?;
    let mut errands = errands(&farm, &app);
    let mut queue = {
        let (farm, duty) = (farm.clone(), duty.subscribe());
        tokio::spawn(async move { farm.run_queue(duty).await })
    };
    let connections = Connections::new(router(app), most, shutdown.subscribe());
    let connections = tokio::spawn(connections.accept(listener));
    listening(address);
    tell_systemd(&[NotifyState::Ready]);

    signals.next().await;
    tell_systemd(&[NotifyState::Stopping]);
    tracing::info!(drain_secs = options.drain.as_secs(), "asked to end: nothing new is taken");
    let asked = Instant::now();
    shutdown.send_replace(true);
    wind_up(&mut queue, &duty, &mut signals, options.drain).await;
    if tokio::time::timeout_at(asked + ANSWERS, connections).await.is_err() {
        tracing::warn!("some answers were cut off");
    }
    errands.shutdown().await;
    tracing::info!("ended");
    Ok(())
}

/// Gives the running jobs their time, then cancels them. Each further signal makes it shorter.
async fn wind_up(queue: &mut JoinHandle<()>, duty: &watch::Sender<Duty>, signals: &mut Signals, drain: Duration) {
    let steps = [Duty::Finish, Duty::Cancel { force: false }, Duty::Cancel { force: true }];
    for (step, next) in steps.into_iter().enumerate() {
        duty.send_replace(next);
        let time_is_up = async {
            // A cancel takes the time that the supervisor gives it; nobody needs to hurry it but a person.
            if step == 0 { tokio::time::sleep(drain).await } else { std::future::pending().await }
        };
        tokio::select! {
            _ = &mut *queue => return,
            () = time_is_up => tracing::info!("the running jobs are cancelled: their time is up"),
            () = signals.next(), if step < 2 => tracing::info!("asked again: the running jobs are ended"),
        }
    }
}

/// What goes on beside answering and running jobs.
fn errands(farm: &LocalFarm, app: &App) -> JoinSet<()> {
    let mut errands = JoinSet::new();
    let others = farm.clone();
    errands.spawn(async move {
        if let Err(error) = others.recover_others().await {
            tracing::error!("jobs of others that crash stay as they are: {error}");
        }
    });
    let (tidy, metrics) = (farm.clone(), app.metrics.clone());
    errands.spawn(async move {
        tidy.tidy_up(|tidied| match tidied {
            Ok(report) => {
                metrics.tidied(report);
                tracing::info!(
                    slots = report.slots,
                    logs = report.logs,
                    mirrors = report.mirrors,
                    freed_bytes = report.freed_bytes,
                    "removed what nobody needs"
                );
            }
            Err(error) => tracing::warn!("what nobody needs could not be removed: {error}"),
        })
        .await;
    });
    let (disk, metrics) = (farm.clone(), app.metrics.clone());
    errands.spawn(async move {
        loop {
            match disk.disk().await {
                Ok(disk) => metrics.weighed(disk),
                Err(error) => tracing::warn!("the bytes on the disk could not be counted: {error}"),
            }
            tokio::time::sleep(DISK_EVERY).await;
        }
    });
    if let Some(patience) = sd_notify::watchdog_enabled() {
        errands.spawn(async move {
            loop {
                tell_systemd(&[NotifyState::Watchdog]);
                tokio::time::sleep(patience / 3).await;
            }
        });
    }
    errands
}

/// Tells systemd, where it started this process and wants to be told.
fn tell_systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!("systemd could not be told of the server's state: {error}");
    }
}

/// The signals that ask for the server's end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        let listen =
            |kind| signal(kind).map_err(|error| Error::new(Code::Io, format!("cannot listen for signals: {error}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
