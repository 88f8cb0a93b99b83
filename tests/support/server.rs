//! A real `crafting serve` on a port that the system chooses, and the plainest of clients for it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::farm::{DEADLINE, wait_until};

/// What a test needs of its own environment to run git, a shell and small tools.
const KEPT: [&str; 3] = ["PATH", "USER", "LOGNAME"];
/// What the server says once its port is open.
const LISTENING: &str = "listening on http://";

/// The folders that a crafting of its own works with.
#[derive(Clone, Debug)]
pub struct Machine {
    pub home: PathBuf,
    pub data: PathBuf,
    pub workspace: PathBuf,
    /// Where crafting makes the jobs' temporary folders.
    pub temporary: PathBuf,
    /// Programs of the test's own, before all others on the PATH.
    pub bin: PathBuf,
}

impl Machine {
    /// A command line of the program there, with nothing of this process's environment but what it needs.
    pub fn crafting(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crafting"));
        command.args(arguments).env_clear().current_dir(&self.home);
        for name in KEPT {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("PATH", format!("{}:{path}", self.bin.display()))
            .env("HOME", &self.home)
            .env("TMPDIR", &self.temporary)
            .env("CRAFTING_DATA_DIR", &self.data)
            .env("CRAFTING_WORKSPACE_DIR", &self.workspace);
        command
    }

    /// A server there, once it answers.
    pub fn serve(&self) -> Server {
        self.serve_with(&[], &[])
    }

    /// The same with further arguments and variables.
    pub fn serve_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Server {
        let own = |pair: &(&str, &str)| (pair.0.to_owned(), pair.1.to_owned());
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Server::start(self.clone(), arguments, variables.iter().map(own).collect(), (Ipv4Addr::LOCALHOST, 0).into())
    }
}

/// A server that answers. Dropped, it is killed.
pub struct Server {
    machine: Machine,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    child: Child,
    stderr: Arc<Mutex<String>>,
    address: SocketAddr,
}

impl Server {
    fn start(machine: Machine, arguments: Vec<String>, variables: Vec<(String, String)>, bind: SocketAddr) -> Self {
        let bind = bind.to_string();
        let mut command = machine.crafting(&["serve", "--bind", &bind]);
        command.args(&arguments).envs(variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let pipe = BufReader::new(child.stderr.take().unwrap());
        let stderr = Arc::new(Mutex::new(String::new()));
        let address = read(pipe, Arc::clone(&stderr)).recv_timeout(DEADLINE);
        let Ok(address) = address else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the server does not listen; it said\n{}", stderr.lock().unwrap());
        };
        Self { machine, arguments, variables, child, stderr, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For `CRAFTING_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The folders that it works with.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// What it has written to stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// The administrator's bearer, which the first start leaves in the data directory.
    pub fn admin(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.machine.data.join("admin-bearer.txt")).ok()?;
        Some(text.trim().to_owned())
    }

    /// The bearer of a new token, which owns nothing yet.
    #[track_caller]
    pub fn mint(&self, name: &str) -> String {
        self.mint_with(json!({"name": name}))
    }

    /// The same with more of the request's members.
    #[track_caller]
    pub fn mint_with(&self, body: Value) -> String {
        let reply = self.post("/admin/tokens", &body);
        assert_eq!(reply.status / 100, 2, "{reply:?}");
        reply.json()["bearer"].as_str().unwrap().to_owned()
    }

    /// A request by the administrator, until told otherwise.
    pub fn request(&self, method: &str, target: &str) -> Request {
        Request {
            address: self.address,
            from: None,
            method: method.to_owned(),
            target: target.to_owned(),
            bearer: self.admin(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn get(&self, target: &str) -> Reply {
        self.request("GET", target).send()
    }

    pub fn delete(&self, target: &str) -> Reply {
        self.request("DELETE", target).send()
    }

    pub fn post(&self, target: &str, body: &Value) -> Reply {
        self.request("POST", target).json(body).send()
    }

    /// These bytes, and every byte of what comes back until the server closes the connection.
    pub fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = connect(self.address);
        // A server that refuses what it has read so far may not want the rest.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        all
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        let (child, stderr) = (&mut self.child, &self.stderr);
        wait_until(
            "the server has ended",
            || stderr.lock().unwrap().clone(),
            || {
                status = child.try_wait().unwrap();
                status.is_some()
            },
        );
        status.unwrap()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Another one on the same data and the same port, after [`Server::stop`] or [`Server::kill`].
    pub fn again(mut self) -> Self {
        assert!(self.child.try_wait().unwrap().is_some(), "the server runs still");
        Self::start(self.machine.clone(), self.arguments.clone(), self.variables.clone(), self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps what the server says, to its end, and picks the address out of it.
fn read(mut pipe: BufReader<impl Read + Send + 'static>, said: Arc<Mutex<String>>) -> Receiver<SocketAddr> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line);
            said.lock().unwrap().push_str(&text);
            if let Some(address) = text.split_once(LISTENING).and_then(|(_, rest)| rest.trim().parse().ok()) {
                let _ = sender.send(address);
            }
            line.clear();
        }
    });
    receiver
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(30)).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// The standard library cannot choose the near end's address.
fn connect_from(from: Ipv4Addr, address: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        socket.connect(address).await.unwrap()
    });
    let stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// A request that was not sent yet.
#[derive(Clone, Debug)]
pub struct Request {
    address: SocketAddr,
    from: Option<Ipv4Addr>,
    method: String,
    target: String,
    bearer: Option<String>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// By whoever has this bearer.
    pub fn bearer(mut self, bearer: &str) -> Self {
        self.bearer = Some(bearer.to_owned());
        self
    }

    /// From this one of the machine's own addresses.
    pub fn from(mut self, address: Ipv4Addr) -> Self {
        self.from = Some(address);
        self
    }

    /// By nobody in particular.
    pub fn without_bearer(mut self) -> Self {
        self.bearer = None;
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    /// Sends it, and reads the whole answer.
    #[track_caller]
    pub fn send(self) -> Reply {
        let what = format!("{} {}", self.method, self.target);
        let mut answer = self.open();
        let mut body = Vec::new();
        let whole = answer.read_to_end(&mut body).is_ok();
        Reply { what, status: answer.status, headers: answer.headers, body, whole }
    }

    /// Sends it, and reads the answer's head: the body comes as it is read.
    #[track_caller]
    pub fn open(self) -> Answer {
        let mut stream = match self.from {
            Some(from) => connect_from(from, self.address),
            None => connect(self.address),
        };
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {}\r\n", self.method, self.target, self.address);
        head.push_str("Connection: close\r\n");
        if let Some(bearer) = &self.bearer {
            head.push_str(&format!("Authorization: Bearer {bearer}\r\n"));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() || ["POST", "PUT", "PATCH"].contains(&self.method.as_str()) {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        // A server that refuses a request by its head may not want its body.
        let _ = stream.write_all(&self.body);
        Answer::read_head(BufReader::new(stream))
    }
}

/// An answer whose body is still to be read.
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    stream: BufReader<TcpStream>,
    framing: Framing,
    ready: VecDeque<u8>,
}

enum Framing {
    Length(u64),
    Chunked,
    ToTheEnd,
    Over,
}

impl Answer {
    #[track_caller]
    fn read_head(mut stream: BufReader<TcpStream>) -> Self {
        let mut line = || {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let first = line();
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("{first:?} is not an HTTP answer"));
        let mut headers = Vec::new();
        loop {
            let header = line();
            let Some((name, value)) = header.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let value = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let framing = match (value("transfer-encoding"), value("content-length")) {
            (Some("chunked"), _) => Framing::Chunked,
            (_, Some(length)) => Framing::Length(length.parse().unwrap()),
            _ => Framing::ToTheEnd,
        };
        Self { status, headers, stream, framing, ready: VecDeque::new() }
    }

    pub fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
    }

    /// The next line of the body, without its end; none: the body is over.
    pub fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        let mut byte = [0];
        while self.read(&mut byte).unwrap() == 1 {
            match byte[0] {
                b'\n' => return Some(String::from_utf8(line).unwrap()),
                byte => line.push(byte),
            }
        }
        (!line.is_empty()).then(|| String::from_utf8(line).unwrap())
    }

    fn chunk(&mut self) -> std::io::Result<()> {
        let broken = || std::io::Error::other("the body breaks off");
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16).map_err(|_| broken())?;
        let mut bytes = vec![0; length + 2];
        self.stream.read_exact(&mut bytes).map_err(|_| broken())?;
        bytes.truncate(length);
        if length == 0 {
            self.framing = Framing::Over;
        }
        self.ready.extend(bytes);
        Ok(())
    }
}

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match &mut self.framing {
            Framing::Over => {}
            Framing::ToTheEnd => return self.stream.read(buffer),
            Framing::Length(left) => {
                let count = self.stream.by_ref().take(*left).read(buffer)?;
                if count == 0 && *left > 0 && !buffer.is_empty() {
                    return Err(std::io::Error::other("the body breaks off"));
                }
                *left -= count as u64;
                return Ok(count);
            }
            Framing::Chunked if self.ready.is_empty() => self.chunk()?,
            Framing::Chunked => {}
        }
        self.ready.read(buffer)
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub what: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the body came to its proper end.
    pub whole: bool,
}

impl Reply {
    /// Wants this status.
    #[track_caller]
    pub fn wants(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text());
        self
    }

    pub fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}: {}", self.what, self.text()))
    }
}
