//! Clients that are rude, slow or many: they are answered or refused, and the runner does not notice.

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use support::{Farm, Repo, Server, wait_until};

struct Town {
    _farm: Farm,
    _repo: Repo,
    server: Server,
}

impl Town {
    fn new() -> Self {
        let repo = Repo::of_recipes(&[("test", "echo hello")]);
        let farm = Farm::new();
        farm.crafting(["project", "add", "--name", "mine"]).in_dir(repo.path()).output().success();
        let server = farm.machine().serve();
        Self { _farm: farm, _repo: repo, server }
    }

    /// A job that is queued now runs to its end.
    fn runs(&self) {
        let answer = self.server.post("/projects/mine/jobs", &json!({"recipe": "test"})).wants(201).json();
        let path = format!("/jobs/{}", answer["job_id"].as_str().unwrap());
        let job = || self.server.get(&path).wants(200).json()["job"].clone();
        wait_until("the job has passed", || job().to_string(), || job()["status"] == "passed");
    }

    /// What comes back for these bytes; a closed connection is an answer too.
    fn status_of(&self, bytes: &[u8]) -> Option<u16> {
        let all = self.server.raw(bytes);
        let text = String::from_utf8_lossy(&all);
        let first = text.lines().next()?;
        Some(first.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{text}")))
    }

    fn get(&self, target: &[u8]) -> Option<u16> {
        let bearer = self.server.admin().unwrap();
        let mut request = b"GET ".to_vec();
        request.extend_from_slice(target);
        request.extend(
            format!(" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {bearer}\r\n\r\n").bytes(),
        );
        self.status_of(&request)
    }
}

#[test]
fn odd_paths_are_refused_and_lead_nowhere() {
    let town = Town::new();
    town.runs();
    let long = format!("/jobs/{}", "a".repeat(100_000));
    let paths: [&[u8]; 14] = [
        b"/jobs/..",
        b"/jobs/../../etc/passwd",
        b"/jobs/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        b"/jobs/..%2f..%2fledger.db/log",
        b"/projects/%2f",
        b"/projects/mine%00",
        b"/projects/%ff%fe",
        b"/jobs/\xff\xfe",
        b"/jobs/%",
        b"//jobs",
        b"/jobs/%0d%0aX-Injected:%201",
        b"/projects/-rf",
        b"*",
        long.as_bytes(),
    ];
    for path in paths {
        let status = town.get(path);
        let refused = status.is_none_or(|status| (400..500).contains(&status));
        assert!(refused, "{}: {status:?}", String::from_utf8_lossy(&path[..path.len().min(60)]));
    }
    town.runs();
}

#[test]
fn broken_requests_are_refused() {
    let town = Town::new();
    let flood: String = (0..5000).map(|number| format!("X-{number}: y\r\n")).collect();
    let wide = "y".repeat(1 << 20);
    let requests = [
        "\0\0\0\0\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "GET /healthz HTTP/9.9\r\n\r\n".to_owned(),
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{flood}\r\n"),
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Wide: {wide}\r\n\r\n"),
        "POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_owned(),
        "POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef".to_owned(),
        "POST /jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(),
    ];
    for request in requests {
        let status = town.status_of(request.as_bytes());
        let refused = status.is_none_or(|status| (400..500).contains(&status));
        assert!(refused, "{status:?}: {:?}", &request[..request.len().min(60)]);
    }
    town.runs();
}

#[test]
fn bodies_that_are_too_large_or_no_text_are_refused() {
    let town = Town::new();
    let post = |body: Vec<u8>| {
        let request = town.server.request("POST", "/projects/mine/jobs").header("Content-Type", "application/json");
        request.body(body).send()
    };
    let mut large = b"{\"recipe\":\"".to_vec();
    large.resize((1 << 20) + 64, b'a');
    large.extend(b"\"}");
    assert_eq!(post(large).status, 413);
    for body in
        [&b"{\"recipe\":\"\xff\xfe\"}"[..], b"\xff", b"{", b"[]", b"null", b"{\"recipe\":\"a\0b\"}", b"{\"nope\":1}"]
    {
        let reply = post(body.to_vec());
        assert!([400, 422].contains(&reply.status), "{}: {}", reply.status, reply.text());
        assert_eq!(reply.header("Content-Type"), Some("application/problem+json"));
    }
    // Deep nesting must not end the process.
    assert_eq!(post("[".repeat(500_000).into_bytes()).status / 100, 4);
    town.runs();
}

#[test]
fn a_thousand_idle_connections_are_fine() {
    let town = Town::new();
    town.runs();
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, 4096, 4096).unwrap_or_default();
    let mut idle: Vec<TcpStream> = (0..1000).map(|_| TcpStream::connect(town.server.address()).unwrap()).collect();
    // Some of them begin a request and leave it there.
    for stream in idle.iter_mut().step_by(3) {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost:").unwrap();
    }
    town.runs();
    town.server.get("/healthz").wants(200);
    // They are still taken at their word.
    let stream = &mut idle[0];
    stream.write_all(b" x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[test]
fn who_does_not_read_holds_up_nobody() {
    let town = Town::new();
    let bearer = town.server.admin().unwrap();
    // Each asks for many answers on one connection and reads none of them.
    let request =
        format!("GET /openapi.json HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\n\r\n").repeat(200);
    let mut slow: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(town.server.address()).unwrap()).collect();
    for stream in &mut slow {
        stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        // The server stops reading from somebody who does not.
        let _ = stream.write_all(request.as_bytes());
    }
    town.runs();
    town.server.get("/healthz").wants(200);
}
