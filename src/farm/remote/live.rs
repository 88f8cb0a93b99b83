//! Following over server-sent events, and logs, however often the connection breaks.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use eventsource_stream::{EventStreamError, Eventsource as _};
use futures_util::{Stream, StreamExt as _};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::transport::Transport;
use crate::error::{Code, Error, Result};
use crate::farm::wire::{EventsQuery, LogEvent, LogQuery, Problem, ProgressEvent, event};
use crate::farm::{Event, FollowLogs, LogPart};
use crate::model::{Job, JobId, Scope};

/// The server writes something every 15 seconds; a connection on which so long nothing came is none any more.
const SILENCE: Duration = Duration::from_secs(45);
/// Between two tries to come back, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// A connection that lasted so long was one, though nothing happened.
const LASTED: Duration = Duration::from_secs(10);
/// After so long with nothing but failures it is given up.
const PATIENCE: Duration = Duration::from_secs(120);
/// Tries that fail before a person is told: a server that is started anew is soon back.
const UNTOLD: u32 = 3;
/// Events that wait to be taken.
const WAITING: usize = 64;

/// How a connection ended.
enum Ended {
    /// Everything was told, or nobody listens.
    Well,
    /// It broke, or the server ended: come back.
    Cut(String),
}

/// Some jobs that are followed, over one connection after the other.
struct Following {
    server: Transport,
    path: Vec<String>,
    query: EventsQuery,
    /// The id of the last event that was passed on.
    last: Option<String>,
    /// Since when there was nothing but failures, and how many.
    failing: Option<Instant>,
    failures: u32,
    events: mpsc::Sender<Result<Event>>,
}

pub(super) async fn follow(
    server: &Transport,
    scope: &Scope,
    query: EventsQuery,
) -> Result<mpsc::Receiver<Result<Event>>> {
    let path = match scope {
        Scope::Job(job) => ["jobs", job.as_str(), "events"],
        Scope::Batch(batch) => ["batches", batch.as_str(), "events"],
    };
    let (events, receiver) = mpsc::channel(WAITING);
    let following = Following {
        server: server.clone(),
        path: path.map(str::to_owned).to_vec(),
        query,
        last: None,
        failing: None,
        failures: 0,
        events,
    };
    // The first answer is waited for: that there are no such jobs is told like by the farm of this machine.
    let first = following.connect().await?;
    tokio::spawn(following.run(first));
    Ok(receiver)
}

/// A part of a log, as [`crate::farm::Farm::log`] has it.
pub(super) async fn log(server: &Transport, job: &JobId, part: LogPart) -> Result<mpsc::Receiver<Result<Vec<u8>>>> {
    let (chunks, receiver) = mpsc::channel(1);
    if !part.follow {
        let request = server.request(Method::GET, &["jobs", job.as_str(), "log"]).query(&LogQuery::from(&part));
        let mut response = server.send(request).await?;
        let server = server.clone();
        tokio::spawn(async move {
            loop {
                let chunk = match response.chunk().await {
                    Ok(Some(chunk)) => Ok(chunk.to_vec()),
                    Ok(None) => return,
                    Err(error) => Err(server.unreachable(&error)),
                };
                let is_last = chunk.is_err();
                if chunks.send(chunk).await.is_err() || is_last {
                    return;
                }
            }
        });
        return Ok(receiver);
    }
    let scope = Scope::Job(job.clone());
    let mut events = follow(server, &scope, EventsQuery::of_part(&part)).await?;
    let wanted = job.clone();
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            let chunk = match event {
                Ok(Event::Log { job, bytes }) if job == wanted => Ok(bytes.to_vec()),
                // Its further tries have logs of their own.
                Ok(Event::State(job)) if job.id == wanted && job.status.is_final() => return,
                Ok(_) => continue,
                Err(error) => Err(error),
            };
            let is_last = chunk.is_err();
            if chunks.send(chunk).await.is_err() || is_last {
                return;
            }
        }
    });
    Ok(receiver)
}

impl Following {
    async fn connect(&self) -> Result<reqwest::Response> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let mut request = self.server.request(Method::GET, &path).query(&self.query);
        if let Some(last) = &self.last {
            request = request.header("Last-Event-ID", last);
        }
        let answer = timeout(SILENCE, self.server.send(request)).await;
        answer.unwrap_or_else(|_| Err(Error::new(Code::ServerUnreachable, "the server does not answer")))
    }

    async fn run(mut self, first: reqwest::Response) {
        let mut connection = Ok(first);
        loop {
            let begun = Instant::now();
            let ended = match connection {
                Ok(response) => self.listen(response).await,
                Err(error) if comes_back(&error) => Ok(Ended::Cut(error.to_string())),
                Err(error) => Err(error),
            };
            let why = match ended {
                Ok(Ended::Well) => return,
                Ok(Ended::Cut(why)) => {
                    if begun.elapsed() >= LASTED && self.failures < UNTOLD {
                        (self.failing, self.failures) = (None, 0);
                    }
                    why
                }
                Err(error) => {
                    let _ = self.events.send(Err(error)).await;
                    return;
                }
            };
            if let Err(error) = self.wait(&why).await {
                let _ = self.events.send(Err(error)).await;
                return;
            }
            if self.events.is_closed() {
                return;
            }
            connection = self.connect().await;
        }
    }

    /// Waits before the next try, the longer the more of them failed.
    async fn wait(&mut self, why: &str) -> Result<()> {
        let since = *self.failing.get_or_insert_with(Instant::now);
        if since.elapsed() >= PATIENCE {
            return Err(Error::new(Code::ServerUnreachable, format!("following was given up: {why}"))
                .hint("the jobs go on; see them with `crafting job watch` when the server is there again"));
        }
        self.failures += 1;
        if self.failures == UNTOLD {
            self.say(format!("{why}; trying again")).await;
        }
        let (least, most) = BACKOFF;
        let pause = least.saturating_mul(1 << self.failures.min(8).saturating_sub(1)).min(most);
        // Many who were cut at once do not come back at once: somewhere in the second half of the time.
        let mut random = [0_u8; 2];
        let _ = getrandom::fill(&mut random);
        let share = u32::from(u16::from_le_bytes(random));
        let pause = pause / 2 + (pause / 2).mul_f64(f64::from(share) / f64::from(u16::MAX));
        tokio::select! {
            () = sleep(pause) => {}
            () = self.events.closed() => {}
        }
        Ok(())
    }

    async fn say(&self, what: String) {
        let _ = self.events.send(Ok(Event::Interrupted(what))).await;
    }

    async fn listen(&mut self, response: reqwest::Response) -> Result<Ended> {
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Ended::Well);
        }
        let mut stream = pin!(bytes(response, self.server.clone()).eventsource());
        loop {
            let next = tokio::select! {
                next = stream.next() => next,
                () = self.events.closed() => return Ok(Ended::Well),
            };
            let event = match next {
                Some(Ok(event)) => event,
                Some(Err(EventStreamError::Transport(error))) => return Ok(Ended::Cut(error.to_string())),
                Some(Err(error)) => return Ok(Ended::Cut(format!("the server's events are damaged: {error}"))),
                None => return Ok(Ended::Cut("the server ended the connection".to_owned())),
            };
            let passed_on = match event.event.as_str() {
                event::END => return Ok(Ended::Well),
                event::PROBLEM => return Err(self.read::<Problem>(&event.data)?.into()),
                event::STATE => Some(Event::State(Box::new(self.read::<Job>(&event.data)?))),
                event::LOG => {
                    let log: LogEvent = self.read(&event.data)?;
                    let job = log.job_id.clone();
                    Some(Event::Log { job, bytes: log.into_bytes()?.into() })
                }
                event::PROGRESS => {
                    let ProgressEvent { job_id, last_line, findings } = self.read(&event.data)?;
                    Some(Event::Progress { job: job_id, last_line, findings })
                }
                // Findings, and what a newer server has to tell.
                _ => None,
            };
            if self.failures >= UNTOLD {
                self.say("the connection is there again".to_owned()).await;
            }
            (self.failing, self.failures) = (None, 0);
            if let Some(passed_on) = passed_on
                && self.events.send(Ok(passed_on)).await.is_err()
            {
                return Ok(Ended::Well);
            }
            if !event.id.is_empty() {
                self.last = Some(event.id);
            }
        }
    }

    fn read<T: DeserializeOwned>(&self, data: &str) -> Result<T> {
        serde_json::from_str(data).map_err(|error| self.server.foreign(&error.to_string()))
    }
}

/// What comes over a connection, as long as something does; heartbeats count, though they are no events.
fn bytes(response: reqwest::Response, server: Transport) -> impl Stream<Item = Result<Bytes>> {
    futures_util::stream::unfold(Some(response), move |response| {
        let server = server.clone();
        async move {
            let mut response = response?;
            match timeout(SILENCE, response.chunk()).await {
                Ok(Ok(None)) => None,
                Ok(Ok(Some(bytes))) => Some((Ok(bytes), Some(response))),
                Ok(Err(error)) => Some((Err(server.unreachable(&error)), None)),
                Err(_) => Some((Err(Error::new(Code::ServerUnreachable, "the server has gone silent")), None)),
            }
        }
    })
}

/// Whether an error may be gone at the next try: the server is away, is going down, has too much to do or a fault.
fn comes_back(error: &Error) -> bool {
    match error.code() {
        Code::ServerUnreachable | Code::Unavailable | Code::RateLimited | Code::Interrupted => true,
        code => code.http_status() == 500,
    }
}

/// What to ask for as events.
pub(super) fn query(logs: FollowLogs) -> EventsQuery {
    EventsQuery::without_findings(logs)
}
