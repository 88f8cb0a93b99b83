//! `kill -9` of the server at random moments under load. What it had acknowledged is neither lost nor done twice.

mod support;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use support::{Farm, Repo, wait_until};

const ORPHAN_LINE: &str = "[crafting-table] runner restart, job orphaned";
/// Each try of a recipe leaves a line: a job that ran twice has two.
const RECIPES: [(&str, &str); 3] = [
    ("quick", "echo x >> \"$HOME/ran-$CRAFTING_JOB_ID\"; echo quick"),
    ("slow", "echo x >> \"$HOME/ran-$CRAFTING_JOB_ID\"; for i in 1 2 3 4 5 6; do echo $i; sleep 0.05; done"),
    ("messy", "echo x >> \"$HOME/ran-$CRAFTING_JOB_ID\"; setsid sleep 61.5 & sleep 0.1; exit 1"),
];

/// A request that may meet a server which is dying: its answer, if it was a whole one.
fn ask(address: SocketAddr, bearer: &str, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {bearer}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let status = text.split(' ').nth(1)?.parse().ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    length.is_none_or(|length| length == body.len()).then(|| (status, body.to_owned()))
}

/// Queues, cancels and follows jobs until told to stop. The acknowledged ones.
struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<BTreeSet<String>>>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Load {
    fn on(address: SocketAddr, bearer: &str) -> Self {
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
        let threads = (0..3).map(|number| {
            let (stop, acknowledged, bearer) = (Arc::clone(&stop), Arc::clone(&acknowledged), bearer.to_owned());
            thread::spawn(move || {
                let mut turn = number;
                while !stop.load(Ordering::Relaxed) {
                    turn += 1;
                    let body = format!("{{\"recipe\":\"{}\"}}", RECIPES[turn % 3].0);
                    let Some((201, text)) = ask(address, &bearer, "POST", "/projects/mine/jobs", &body) else {
                        thread::sleep(Duration::from_millis(20));
                        continue;
                    };
                    let answer: Value = serde_json::from_str(&text).unwrap();
                    let id = answer["job_id"].as_str().unwrap().to_owned();
                    acknowledged.lock().unwrap().insert(id.clone());
                    match turn % 4 {
                        0 => drop(ask(address, &bearer, "POST", &format!("/jobs/{id}/cancel"), "{}")),
                        1 => drop(ask(address, &bearer, "GET", &format!("/jobs/{id}/log?follow=1"), "")),
                        _ => thread::sleep(Duration::from_millis(150)),
                    }
                }
            })
        });
        let threads = threads.collect();
        Self { stop, acknowledged, threads }
    }

    fn end(self) -> BTreeSet<String> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        Arc::try_unwrap(self.acknowledged).unwrap().into_inner().unwrap()
    }
}

fn killed(rounds: u32) {
    let repo = Repo::of_recipes(&RECIPES);
    let farm = Farm::new();
    farm.crafting(["project", "add", "--name", "mine"]).in_dir(repo.path()).output().success();
    let mut server = farm.machine().serve_with(&["--workers", "3"], &[]);
    let (address, bearer) = (server.address(), server.admin().unwrap());
    let load = Load::on(address, &bearer);
    let mut random = u64::from(std::process::id());
    for _ in 0..rounds {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis(random >> 33 & 0x3ff));
        server.kill();
        server = server.again();
    }
    let acknowledged = load.end();
    let health = || ask(address, &bearer, "GET", "/healthz", "").map(|(_, text)| text).unwrap_or_default();
    let idle = || health().contains("\"queued\":0,\"running\":0");
    wait_until("nothing is left to do", health, idle);
    assert!(server.stop().success(), "{}", server.stderr());

    let mut ended = BTreeSet::new();
    for id in &acknowledged {
        let job = farm.job(id);
        let status = job["status"].as_str().unwrap();
        let log = std::fs::read_to_string(farm.data().join(format!("logs/{id}.log"))).unwrap_or_default();
        let orphaned = log.lines().filter(|line| *line == ORPHAN_LINE).count();
        match (status, job["exit_code"].as_i64()) {
            ("failed", Some(-1)) => {
                assert_eq!((orphaned, log.lines().last()), (1, Some(ORPHAN_LINE)), "{id}: {log}");
            }
            ("passed" | "failed" | "cancelled", _) => assert_eq!(orphaned, 0, "{id} is {status}: {log}"),
            other => panic!("{id} is {other:?}: {job}"),
        }
        let ran = std::fs::read_to_string(farm.home().join(format!("ran-{id}"))).unwrap_or_default();
        assert!(ran.lines().count() <= 1, "{id} ran twice");
        ended.insert(status.to_owned());
    }
    assert!(acknowledged.len() as u32 >= rounds, "there was no load: {}", acknowledged.len());
    assert_eq!(farm.links(), [] as [&str; 0], "links of jobs are left");
    let left: Vec<_> = std::fs::read_dir(farm.temporary()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!left.iter().any(|path| path.to_string_lossy().contains("crafting-")), "{left:?}");
    let strays =
        support::processes(|process| acknowledged.iter().any(|id| process.has(&format!("CRAFTING_JOB_ID={id}"))));
    assert_eq!(strays, [] as [&str; 0], "processes of jobs are left");
    farm.crafting(["ledger", "check"]).output().success();
    println!("{rounds} kills, {} acknowledged jobs, ends: {ended:?}", acknowledged.len());
}

#[test]
fn what_was_acknowledged_survives_three_kills() {
    killed(3);
}

#[test]
#[ignore = "kills the server 50 times, which takes two minutes"]
fn what_was_acknowledged_survives_fifty_kills() {
    killed(50);
}
