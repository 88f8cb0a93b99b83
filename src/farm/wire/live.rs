//! `/jobs/{id}/events`, `/batches/{id}/events`, `/jobs/{id}/log`.
//!
//! Events are server-sent events. The `data` of each is one JSON object; its `event` says which of the types here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::query::Flag;
use crate::error::{Error, Result};
use crate::farm::live::Piece;
use crate::farm::{FollowLogs, LogPart, LogStart};
use crate::model::{JobId, Stream};

/// The events' names.
pub mod event {
    /// A job came into a state; the data is the job.
    pub const STATE: &str = "state";
    /// A job printed something: [`super::LogEvent`].
    pub const LOG: &str = "log";
    /// What a running job printed last: [`super::ProgressEvent`].
    pub const PROGRESS: &str = "progress";
    /// A job found something; the data is the finding.
    pub const FINDING: &str = "finding";
    /// Nothing more will happen: [`super::EndEvent`].
    pub const END: &str = "end";
    /// The server cannot go on, and coming back will not help; the data is a [`super::super::Problem`].
    pub const PROBLEM: &str = "problem";
}

/// The data of `log`: bytes of a job's log. One of `text` and `base64` is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogEvent {
    /// The job.
    pub job_id: JobId,
    /// Where in its log they begin.
    pub offset: u64,
    /// They are UTF-8: whole lines, but for the last if `more` is true or the log is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// They are not: standard base64 of one line, or of a part of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Whether the last line is longer than one event, and goes on in the job's next.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

impl LogEvent {
    /// A piece of a job's log.
    pub fn of(job_id: JobId, piece: &Piece) -> Self {
        let (text, base64) = match std::str::from_utf8(&piece.bytes) {
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(STANDARD.encode(&piece.bytes))),
        };
        Self { job_id, offset: piece.start, text, base64, more: piece.more }
    }

    /// The bytes.
    pub fn into_bytes(self) -> Result<Vec<u8>> {
        match (self.text, self.base64) {
            (Some(text), None) => Ok(text.into_bytes()),
            (None, Some(base64)) => {
                STANDARD.decode(base64).map_err(|error| Error::invalid(format!("a log's bytes are no base64: {error}")))
            }
            _ => Err(Error::invalid("a log's bytes are neither text nor base64")),
        }
    }
}

/// The data of `progress`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProgressEvent {
    /// The job.
    pub job_id: JobId,
    /// The last line that is not empty, without colours and control characters.
    pub last_line: String,
    /// Findings so far.
    pub findings: u64,
}

/// The data of `end`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndEvent {
    /// Always true.
    pub ok: bool,
}

/// What of the logs is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Logs {
    /// Nothing.
    None,
    /// `progress`: the last line, at most ten times a second. What was printed in between is not told.
    Progress,
    /// `log`: every byte.
    #[default]
    Lines,
}

impl From<Logs> for FollowLogs {
    fn from(logs: Logs) -> Self {
        match logs {
            Logs::None => Self::None,
            Logs::Progress => Self::Progress,
            Logs::Lines => Self::Lines,
        }
    }
}

impl From<FollowLogs> for Logs {
    fn from(logs: FollowLogs) -> Self {
        match logs {
            FollowLogs::None => Self::None,
            FollowLogs::Progress => Self::Progress,
            FollowLogs::Lines => Self::Lines,
        }
    }
}

/// What of a log is wanted. None: all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// 1: go on until the job ends; wait for the log of a job that has not begun. A `Range` is then not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<u8>, minimum = 0, maximum = 1)]
    pub follow: Option<Flag>,
    /// Only the last so many lines, and with `follow` what comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<u64>,
    /// From this line on, the first being 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1)]
    pub from: Option<u64>,
    /// At most so many lines, counted from `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// Only what came from this stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
}

/// What of some jobs is followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// What of the logs is told. `lines` if it is not said.
    #[serde(default)]
    #[param(inline)]
    pub logs: Logs,
    /// 0: without findings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<u8>, minimum = 0, maximum = 1)]
    pub findings: Option<Flag>,
    /// Of a single job: only the last so many lines of its log, and what comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<u64>,
    /// Of a single job: its log from this line on, the first being 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1)]
    pub from: Option<u64>,
    /// Of a single job: at most so many lines of its log, counted from `from`; behind them comes `end`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// Of a single job: only what came from this stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
}

impl LogQuery {
    /// The part that is meant; none: all of it.
    pub fn part(&self) -> Result<Option<LogPart>> {
        part(self.tail, self.from, self.lines, self.stream, self.is_follow())
    }

    /// Whether to go on until the job ends.
    pub fn is_follow(&self) -> bool {
        self.follow.is_some_and(|Flag(follow)| follow)
    }
}

impl From<&LogPart> for LogQuery {
    fn from(part: &LogPart) -> Self {
        let (tail, from, lines) = start(part);
        Self { follow: part.follow.then_some(Flag(true)), tail, from, lines, stream: part.stream }
    }
}

impl EventsQuery {
    /// Events without findings.
    pub fn without_findings(logs: FollowLogs) -> Self {
        Self { logs: logs.into(), findings: Some(Flag(false)), ..Self::default() }
    }

    /// Only a part of a single job's log.
    pub fn of_part(part: &LogPart) -> Self {
        let (tail, from, lines) = start(part);
        Self { tail, from, lines, stream: part.stream, ..Self::without_findings(FollowLogs::Lines) }
    }

    /// The part of the log that is meant; none: all of it.
    pub fn part(&self) -> Result<Option<LogPart>> {
        part(self.tail, self.from, self.lines, self.stream, true)
    }

    /// Whether findings are told.
    pub fn has_findings(&self) -> bool {
        self.findings.is_none_or(|Flag(findings)| findings)
    }
}

/// `tail`, `from` and `lines`.
fn start(part: &LogPart) -> (Option<u64>, Option<u64>, Option<u64>) {
    match part.start {
        LogStart::Line(0 | 1) => (None, None, part.lines),
        LogStart::Line(line) => (None, Some(line), part.lines),
        LogStart::Tail(lines) => (Some(lines), None, None),
    }
}

fn part(
    tail: Option<u64>,
    from: Option<u64>,
    lines: Option<u64>,
    stream: Option<Stream>,
    follow: bool,
) -> Result<Option<LogPart>> {
    let start = match (tail, from) {
        (None, None) if lines.is_none() && stream.is_none() => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(Error::invalid("tail and from say two different beginnings").hint("leave one of them out"));
        }
        (_, Some(0)) => return Err(Error::invalid("there is no line 0").hint("the first line is 1")),
        (Some(_), None) if lines.is_some() => {
            return Err(
                Error::invalid("lines are counted from a line, not from the end").hint("leave out lines or tail")
            );
        }
        (Some(lines), None) => LogStart::Tail(lines),
        (None, line) => LogStart::Line(line.unwrap_or(1)),
    };
    Ok(Some(LogPart { start, lines, stream, follow }))
}
