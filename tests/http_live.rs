//! Logs and events over HTTP: whole, in parts, as they come, and over connections that break.

mod support;

use std::fs;
use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::signal::Signal;
use serde_json::Value;
use support::{Answer, Farm, Ran, Repo, Running, Server};

/// Two streams, findings, no text, and no end of the last line.
const MIXED: &str = r"printf 'one\ntwo é\nbad \377\376\nfour\n'; sleep 0.1; echo oops >&2; sleep 0.1; echo 'src/a.c:3:5: error: bad thing [x]'; printf 'no end'";

/// What a server must get through: many lines, a long one, bytes that are no text, no end of the last line.
const MUCH: &str =
    r"seq 1 200000; head -c 5000000 /dev/zero | tr '\0' x; echo; printf 'bad \377\376\nend é\nno newline'";

/// Passes bytes on to a server, and cuts each connection after a number of bytes that looks random.
struct Proxy {
    address: SocketAddr,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    fn before(server: SocketAddr, most: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let cuts = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&cuts);
        std::thread::spawn(move || {
            let mut random: u64 = 0x2545_f491_4f6c_dd1d;
            for client in listener.incoming() {
                // xorshift: the same in every run.
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let (client, limit, cuts) = (client.unwrap(), random % most, Arc::clone(&counted));
                std::thread::spawn(move || pass(client, server, limit, &cuts));
            }
        });
        Self { address, cuts }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn pass(mut client: TcpStream, server: SocketAddr, limit: u64, cuts: &AtomicUsize) {
    let Ok(server) = TcpStream::connect(server) else { return };
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    if std::io::copy(&mut (&server).take(limit), &mut client).is_ok_and(|passed| passed == limit) {
        cuts.fetch_add(1, Ordering::SeqCst);
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}

/// One server-sent event.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    name: String,
    id: String,
    data: Value,
}

/// The next event; none: the stream is over.
fn next(answer: &mut Answer) -> Option<Told> {
    let (mut name, mut id, mut data) = (String::new(), String::new(), None);
    loop {
        let line = answer.line()?;
        match line.split_once(": ") {
            Some(("event", value)) => name = value.to_owned(),
            Some(("id", value)) => id = value.to_owned(),
            Some(("data", value)) => data = Some(serde_json::from_str(value).unwrap()),
            _ if line.is_empty() => {
                if let Some(data) = data.take() {
                    return Some(Told { name, id, data });
                }
            }
            _ => {}
        }
    }
}

fn events(server: &Server, target: &str, last: Option<&str>) -> Vec<Told> {
    let mut request = server.request("GET", target);
    if let Some(last) = last {
        request = request.header("Last-Event-ID", last);
    }
    let mut answer = request.open();
    assert_eq!(answer.status, 200, "{target}");
    std::iter::from_fn(|| next(&mut answer)).collect()
}

/// The bytes of a job's log that events tell.
fn log_of(events: &[Told], job: &str) -> Vec<u8> {
    let logs = events.iter().filter(|event| event.name == "log" && event.data["job_id"] == job);
    logs.flat_map(|event| match event.data["text"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(event.data["base64"].as_str().unwrap()).unwrap()
        }
    })
    .collect()
}

fn stored(farm: &Farm, job: &str) -> Vec<u8> {
    fs::read(farm.data().join("logs").join(format!("{job}.log"))).unwrap()
}

/// The program, asking that server.
fn asking<'a, const N: usize>(farm: &'a Farm, server: &Server, url: &str, arguments: [&str; N]) -> Running<'a> {
    let bearer = server.admin().unwrap();
    farm.crafting(arguments).env("CRAFTING_URL", url).env("CRAFTING_TOKEN", bearer).spawn()
}

/// A job that runs, in a process of its own.
fn running<'a>(farm: &'a Farm, repo: &Repo) -> (Running<'a>, String) {
    let run = farm.crafting(["job", "run", "test", "--format", "json"]).in_dir(repo.path()).spawn();
    farm.wait_until("a job runs", || {
        fs::read_dir(farm.data().join("logs"))
            .is_ok_and(|logs| logs.flatten().any(|log| log.path().extension().is_some_and(|it| it == "log")))
    });
    let id = farm.jobs().last().unwrap()["id"].as_str().unwrap().to_owned();
    (run, id)
}

/// A server, and a job that has run.
fn ran(command: &str) -> (Farm, Server, Ran) {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", command)]);
    let ran = farm.run(&repo, ["test"]);
    let server = farm.machine().serve();
    (farm, server, ran)
}

/// Prints a thousand lines at a time, and waits for `go-N` in between.
fn in_steps(steps: usize) -> String {
    format!(
        "i=0; while [ $i -lt {steps} ]; do seq -f \"$i %.0f\" 1 1000; touch \"$HOME/at-$i\"; \
         while [ ! -e \"$HOME/go-$i\" ]; do sleep 0.01; done; i=$((i+1)); done; printf last"
    )
}

#[test]
fn a_log_comes_whole_or_in_ranges() {
    let (farm, server, ran) = ran(MIXED);
    let job = ran.id();
    let log = stored(&farm, &job);
    let target = format!("/jobs/{job}/log");
    let whole = server.get(&target).wants(200);
    assert_eq!(whole.body, log);
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("accept-ranges", "bytes"),
        ("content-length", &log.len().to_string()),
    ] {
        assert_eq!(whole.header(name), Some(value));
    }
    let tag = whole.header("etag").unwrap().to_owned();
    let head = server.request("HEAD", &target).send().wants(200);
    assert_eq!((head.body.len(), head.header("content-length")), (0, whole.header("content-length")));

    let range = |range: &str| server.request("GET", &target).header("Range", range).send();
    let some = range("bytes=4-6").wants(206);
    assert_eq!(some.body, log[4..7]);
    assert_eq!(some.header("content-range").unwrap(), format!("bytes 4-6/{}", log.len()));
    assert_eq!(range("bytes=-3").wants(206).body, log[log.len() - 3..]);
    assert_eq!(range("bytes=5-").wants(206).body, log[5..]);
    assert_eq!(range("bytes=0-0,2-2").wants(200).body, log);
    let none = range("bytes=99999-").wants(416);
    assert_eq!(none.header("content-range").unwrap(), format!("bytes */{}", log.len()));
    let only_if =
        |tag: &str| server.request("GET", &target).header("Range", "bytes=0-0").header("If-Range", tag).send();
    assert_eq!(only_if(&tag).wants(206).body, log[..1]);
    assert_eq!(only_if("\"another\"").wants(200).body, log);
    server.request("GET", &target).header("If-None-Match", &tag).send().wants(304);
}

#[test]
fn parts_of_a_log_are_those_of_the_command_line() {
    let (farm, server, ran) = ran(MIXED);
    let job = ran.id();
    for (query, arguments) in
        [("tail=2", ["--tail", "2"]), ("from=2&lines=2", ["--lines", "2:3"]), ("stream=stderr", ["--stream", "stderr"])]
    {
        let local = farm.call(&[&["job", "log", &job][..], &arguments].concat()).output().success();
        assert!(!local.stdout.is_empty());
        for follow in ["", "&follow=1"] {
            let part = server.get(&format!("/jobs/{job}/log?{query}{follow}")).wants(200);
            assert_eq!(part.text(), local.stdout, "{query}{follow}");
        }
        let told = log_of(&events(&server, &format!("/jobs/{job}/events?{query}"), None), &job);
        assert_eq!(String::from_utf8_lossy(&told), local.stdout, "{query}");
        let remote = |more: &[&str]| {
            let arguments = [&["job", "log", &job][..], &arguments, more].concat();
            let bearer = server.admin().unwrap();
            let call = farm.call(&arguments).env("CRAFTING_URL", server.url()).env("CRAFTING_TOKEN", bearer);
            call.output().success().stdout
        };
        assert_eq!(remote(&[]), local.stdout, "{query}");
        assert_eq!(remote(&["--follow"]), local.stdout, "{query}");
    }
    for query in ["tail=1&from=1", "from=0", "tail=x", "follow=yes", "steam=stdout", "tail=1&lines=1"] {
        server.get(&format!("/jobs/{job}/log?{query}")).wants(422);
    }
    fs::remove_file(farm.data().join("logs").join(format!("{job}.log"))).unwrap();
    let gone = server.get(&format!("/jobs/{job}/log")).wants(404).json();
    assert!(gone["hint"].as_str().unwrap().contains("retention_days"), "{gone}");
    server.get("/jobs/zzzzzzzzzzzz/log").wants(404);
    server.get("/jobs/zzzzzzzzzzzz/events").wants(404);
    server.get("/batches/zzzzzzzzzzzz/events").wants(404);
}

#[test]
fn events_go_on_behind_any_of_them() {
    let farm = Farm::new();
    let again = r#"{ command = "echo x; exit 1", retries = 1 }"#;
    let repo = Repo::with(&[(
        "crafting.toml",
        &format!(
            "[[subproject]]\npath = \".\"\n[subproject.recipes]\ntest = {}\nlint = {again}\n",
            serde_json::to_string(MIXED).unwrap()
        ),
    )]);
    let ran = farm.run(&repo, ["test", "lint"]);
    let jobs = ran.jobs();
    let server = farm.machine().serve();
    let batch = jobs[0]["batch_id"].as_str().unwrap();
    let target = format!("/batches/{batch}/events");
    let all = events(&server, &target, None);
    for job in farm.jobs() {
        let id = job["id"].as_str().unwrap();
        assert_eq!(log_of(&all, id), stored(&farm, id));
        let states: Vec<&Told> = all.iter().filter(|it| it.name == "state" && it.data["id"] == id).collect();
        assert_eq!(states.len(), 1, "{states:?}");
        assert_eq!(states[0].data, job);
        let findings = all.iter().filter(|it| it.name == "finding" && it.data["job_id"] == id).count();
        assert_eq!(findings as i64, job["findings_count"].as_i64().unwrap());
    }
    assert_eq!(farm.jobs().len(), 3, "one was tried again");
    assert_eq!(all.last().unwrap().name, "end");
    for (place, event) in all.iter().enumerate().take(all.len() - 1) {
        assert_eq!(events(&server, &target, Some(&event.id)), all[place + 1..], "behind {event:?}");
    }
    let over = server.request("GET", &target).header("Last-Event-ID", &all.last().unwrap().id).send();
    assert_eq!((over.status, over.body.len()), (204, 0));
    for id in ["x", "1.9.Aw.", "é"] {
        server.request("GET", &target).header("Last-Event-ID", id).send().wants(422);
    }
    let quiet = events(&server, &format!("{target}?logs=none&findings=0"), None);
    assert!(quiet.iter().all(|event| ["state", "end"].contains(&event.name.as_str())), "{quiet:?}");
}

#[test]
fn what_happens_is_told_as_it_happens() {
    let farm = Farm::new();
    // The line below a finding may be its excerpt; the second one says that it is not.
    let repo = Repo::of_recipes(&[(
        "test",
        "echo 'src/a.c:3:5: error: bad thing [x]'; echo next; echo other; while [ ! -e \"$HOME/go-0\" ]; do sleep 0.01; done; echo end",
    )]);
    let (run, job) = running(&farm, &repo);
    let server = farm.machine().serve();
    let mut answer = server.request("GET", &format!("/jobs/{job}/events")).open();
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let mut names = Vec::new();
    while !(names.contains(&"log".to_owned()) && names.contains(&"finding".to_owned())) {
        names.push(next(&mut answer).unwrap().name);
    }
    assert_eq!(names[0], "state");
    let mut raw = server.request("GET", &format!("/jobs/{job}/log?follow=1")).open();
    assert!(raw.line().unwrap().contains("bad thing"));
    fs::write(farm.home().join("go-0"), "").unwrap();
    let rest: Vec<Told> = std::iter::from_fn(|| next(&mut answer)).collect();
    let last: Vec<&str> = rest.iter().rev().take(2).map(|event| event.name.as_str()).collect();
    assert_eq!(last, ["end", "state"]);
    let mut tail = String::new();
    raw.read_to_string(&mut tail).unwrap();
    assert_eq!(tail, "next\nother\nend\n");
    run.finish();
}

#[test]
fn a_followed_log_is_whole_however_often_the_connection_is_cut() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", MUCH)]);
    let (run, job) = running(&farm, &repo);
    let server = farm.machine().serve();
    let proxy = Proxy::before(server.address(), 800_000);
    let log = loop {
        // The first question, for the job itself, may be cut too; a person would ask again.
        let log = asking(&farm, &server, &proxy.url(), ["job", "log", &job, "--follow"]).finish();
        if log.code() == 0 {
            break log;
        }
        assert!(log.stderr.contains("cannot reach"), "{log}");
    };
    run.finish().success();
    assert!(log.bytes == stored(&farm, &job), "{} bytes of {}", log.bytes.len(), stored(&farm, &job).len());
    assert!(proxy.cuts.load(Ordering::SeqCst) > 5, "{} cuts", proxy.cuts.load(Ordering::SeqCst));
}

#[test]
fn a_followed_log_is_whole_when_the_server_is_killed_meanwhile() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", &in_steps(4))]);
    let (run, job) = running(&farm, &repo);
    let mut server = farm.machine().serve();
    let log = asking(&farm, &server, &server.url(), ["job", "log", &job, "--follow"]);
    let watch = asking(&farm, &server, &server.url(), ["job", "watch", &job, "--follow"]);
    for step in 0..4 {
        let lines = (step + 1) * 1000;
        // Both: who has not come as far as to follow is told that the server is gone.
        for follower in [&log, &watch] {
            farm.wait_until("the lines so far have come", || {
                follower.stdout().iter().filter(|byte| **byte == b'\n').count() == lines
            });
        }
        server.kill();
        fs::write(farm.home().join(format!("go-{step}")), "").unwrap();
        server = server.again();
    }
    run.finish().success();
    assert!(log.finish().success().bytes == stored(&farm, &job));
    let watched = watch.finish();
    let told = &watched.bytes;
    assert!(told.starts_with(&stored(&farm, &job)), "{watched}");
}

#[test]
fn streams_end_with_the_server_and_do_not_look_complete() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", &in_steps(1))]);
    let (run, job) = running(&farm, &repo);
    let mut server = farm.machine().serve();
    let mut told = server.request("GET", &format!("/jobs/{job}/events")).open();
    while next(&mut told).unwrap().name != "log" {}
    let mut log = server.request("GET", &format!("/jobs/{job}/log?follow=1")).open();
    assert_eq!(log.line().unwrap(), "0 1");
    server.signal(Signal::SIGTERM);
    let rest: Vec<Told> = std::iter::from_fn(|| next(&mut told)).collect();
    assert!(rest.iter().all(|event| event.name == "log"), "{rest:?}");
    assert!(log.read_to_end(&mut Vec::new()).is_err(), "it looks complete");
    assert!(server.wait().success());
    fs::write(farm.home().join("go-0"), "").unwrap();
    run.finish().success();
}

#[test]
fn readers_who_do_not_read_hold_nobody_up() {
    // More than there are threads for files.
    const STALLED: usize = 600;
    let (farm, server, ran) = ran(&format!("yes {} | head -c 30000000", "x".repeat(99)));
    let target = format!("/jobs/{}/log", ran.id());
    let stalled: Vec<Answer> = (0..STALLED).map(|_| server.request("GET", &target).open()).collect();
    assert!(stalled.iter().all(|answer| answer.status == 200));
    let followers: Vec<Answer> =
        (0..50).map(|_| server.request("GET", &format!("/jobs/{}/events", ran.id())).open()).collect();
    assert_eq!(server.get(&target).wants(200).body.len(), 30_000_000);
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")).unwrap();
    assert!(resident.parse::<u64>().unwrap() < 600_000, "{resident} KiB for {STALLED} stalled readers");
    assert_eq!(followers.len(), 50);
    farm.crafting(["job", "list"]).output().success();
}
