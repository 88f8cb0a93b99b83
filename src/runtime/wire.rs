//! What crafting and a supervisor tell each other: one JSON value a line, over a socket pair.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Ending;

/// A string of the system: text where it can be, so that it stays small.
/// Not for `Debug`: it may be secret.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&OsStr> for Text {
    fn from(text: &OsStr) -> Self {
        match text.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes(text.as_bytes().to_owned()),
        }
    }
}

impl From<Text> for OsString {
    fn from(text: Text) -> Self {
        match text {
            Text::Text(text) => text.into(),
            Text::Bytes(bytes) => Self::from_vec(bytes),
        }
    }
}

/// The first line that a supervisor gets.
#[derive(Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) command: String,
    pub(super) env: Vec<(Text, Text)>,
    pub(super) cwd: Text,
    pub(super) timeout: Duration,
    pub(super) grace: Duration,
    /// The soft limit of open files that the recipe gets; none: that of the supervisor.
    pub(super) open_files: Option<u64>,
}

/// Every later line that it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// SIGTERM, and SIGKILL after the grace; the second time SIGKILL at once.
    Terminate,
    /// SIGKILL at once.
    Kill,
}

/// What a supervisor answers: `Started` and later `Ended`, or `Failed`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Report {
    Started,
    Failed { step: Step, errno: i32 },
    Ended(Ending),
}

/// What a supervisor could not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// Become one.
    Prepare,
    /// Enter the recipe's folder.
    Enter,
    /// Start the shell.
    Run,
}

/// Sends one line.
pub(super) fn send(mut stream: &UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// The receiving side of a socket, with the part of a line that has come so far.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    buffer: Vec<u8>,
}

impl Inbox {
    /// A message that is already here.
    pub(super) fn take<T: DeserializeOwned>(&mut self) -> Option<io::Result<T>> {
        let end = memchr::memchr(b'\n', &self.buffer)?;
        let message = serde_json::from_slice(&self.buffer[..end]).map_err(io::Error::from);
        self.buffer.drain(..=end);
        Some(message)
    }

    /// Reads once; false at the end of the stream.
    pub(super) fn fill(&mut self, mut stream: &UnixStream) -> io::Result<bool> {
        let mut chunk = [0; 16 * 1024];
        loop {
            match stream.read(&mut chunk) {
                Ok(length) => {
                    self.buffer.extend_from_slice(&chunk[..length]);
                    return Ok(length > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for a message.
    pub(super) fn receive<T: DeserializeOwned>(&mut self, stream: &UnixStream) -> io::Result<T> {
        loop {
            if let Some(message) = self.take() {
                return message;
            }
            if !self.fill(stream)? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_cross_whole() {
        let (here, there) = UnixStream::pair().unwrap();
        let odd = OsString::from_vec(vec![b'a', 0xff, b'\n']);
        let spec = Spec {
            command: "echo 'a\nb'".into(),
            env: vec![(Text::from(OsStr::new("K")), Text::from(odd.as_os_str()))],
            cwd: Text::from(OsStr::new("/")),
            timeout: Duration::MAX,
            grace: Duration::from_millis(300),
            open_files: Some(1024),
        };
        send(&here, &spec).unwrap();
        send(&here, &Order::Kill).unwrap();
        drop(here);
        let mut inbox = Inbox::default();
        let mut got: Spec = inbox.receive(&there).unwrap();
        assert_eq!((got.command, got.timeout), ("echo 'a\nb'".into(), Duration::MAX));
        assert_eq!(OsString::from(got.env.remove(0).1), odd);
        assert_eq!(inbox.receive::<Order>(&there).unwrap(), Order::Kill);
        assert_eq!(inbox.receive::<Order>(&there).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
