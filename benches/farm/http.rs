//! Requests of the HTTP door beside a server that only says hello, with few jobs in the ledger and with very many.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crafting::farm::{Farm, LocalFarm, NewProject, ProjectSource};
use crafting::ledger::{FILE, Ledger, jobs};
use crafting::model::{Job, ProjectName};
use rusqlite::Connection;

use super::Measured;
use super::ledger::queue;
use super::sandbox::{Sandbox, Step};
use super::table::Row;

/// What [`if_asked`] is asked with.
const HELLO: &str = "say-hello";
const JOBS: [u32; 3] = [100, 10_000, 1_000_000];
/// Rounds of a measurement, both sides by turns.
const ROUNDS: usize = 3;
const CONNECTIONS: &str = "-c16";
const SECONDS: &str = "-d2s";

pub fn run() -> Measured {
    if Command::new("wrk").arg("-v").output().is_err() {
        return Err("there is no wrk".into());
    }
    let mut rows = Vec::new();
    let mut at_hundred = Vec::new();
    for count in JOBS {
        let sandbox = Sandbox::with_files(1, "[[subproject]]\npath = \".\"\ntest = \"true\"\n")?;
        let newest = fill(&sandbox, count)?;
        let bearer = minted(&sandbox)?;
        let headers = sandbox.path("bearer.lua");
        fs::write(&headers, format!("wrk.headers[\"Authorization\"] = \"Bearer {bearer}\"\n"))?;
        let server =
            Server::start(sandbox.crafting(["serve", "--bind", "127.0.0.1:0"]).env("CRAFTING_RATE_LIMIT", "0"))?;
        let hello = Server::start(Command::new(std::env::current_exe()?).arg(HELLO))?;
        let idle = resident(server.child.id());
        let paths = [("/healthz", 0.5), ("/jobs?limit=50", 0.25), (&format!("/jobs/{newest}"), 0.25)];
        for (place, (path, goal)) in paths.into_iter().enumerate() {
            let mut ours: Vec<Load> = Vec::new();
            let mut peer: Vec<Load> = Vec::new();
            for _ in 0..ROUNDS {
                peer.push(load(&hello.address, "/", &headers)?);
                ours.push(load(&server.address, path, &headers)?);
            }
            let (ours, peer) = (middle(ours), middle(peer));
            let name = path.split('/').nth(1).filter(|_| place == 2).map_or(path, |_| "/jobs/{id}");
            let title = format!("{name}, {count} jobs (p99 {:.1} ms, hello {:.1} ms)", ours.p99, peer.p99);
            rows.push(Row::rate(&title, "answers", ours.rate, ("axum's hello", peer.rate), Some(goal * peer.rate)));
            match at_hundred.get(place) {
                None => at_hundred.push(ours.rate),
                Some(&few) if count == JOBS[2] => {
                    let title = format!("{name}: a million jobs beside a hundred");
                    rows.push(Row::rate(&title, "answers", ours.rate, ("100 jobs", few), Some(few / 1.3)));
                }
                Some(_) => {}
            }
        }
        if count == JOBS[0] {
            let mib = idle as f64 / 1024.0;
            rows.push(Row::limit(
                "an idle server's memory",
                format!("{mib:.1} MiB"),
                "≤ 20 MiB".to_owned(),
                mib <= 20.0,
            ));
        }
    }
    Ok(rows)
}

/// As many finished jobs as that; the newest one's id.
fn fill(sandbox: &Sandbox, count: u32) -> Step<String> {
    let settings = sandbox.settings()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let farm = LocalFarm::open(settings.clone())?;
    let source = ProjectSource::Folder(sandbox.repository());
    let new = NewProject { source, name: None, default_branch: None, file: None };
    let project: ProjectName = runtime.block_on(farm.add_project(new))?.project.name;
    let ledger = Ledger::open(&settings.data_dir.value)?;
    let model: Job = queue(&ledger, &project)?;
    let mut newest = model.id.to_string();
    ledger.write(|tx| {
        for _ in 1..count {
            let job = model.queued_again(model.batch_id.clone(), model.queued_at)?;
            jobs::insert(tx, &job, None, None)?;
            newest = job.id.to_string();
        }
        Ok(())
    })?;
    let raw = Connection::open(settings.data_dir.value.join(FILE))?;
    raw.execute(
        "UPDATE jobs SET status = 'passed', exit_code = 0, started_at = queued_at, finished_at = queued_at, \
         retry_of = NULL, batch_id = id",
        [],
    )?;
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)", []).ok();
    Ok(newest)
}

/// The bearer of a new token that may do everything.
pub fn minted(sandbox: &Sandbox) -> Step<String> {
    let output = sandbox.crafting(["token", "mint", "bench", "--admin"]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// A process that answers HTTP, ended when it is dropped.
pub struct Server {
    child: Child,
    pub address: String,
}

impl Server {
    /// Starts it and waits for the line that tells its address.
    pub fn start(command: &mut Command) -> Step<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no stderr")?);
        let mut line = String::new();
        loop {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                return Err("the server ended at once".into());
            }
            if let Some((_, address)) = line.split_once("http://") {
                let address = address.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':')).next();
                let address = address.unwrap_or_default().to_owned();
                // What it says further on must not fill the pipe.
                std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
                return Ok(Self { child, address });
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What wrk counted.
struct Load {
    rate: f64,
    /// Milliseconds in which 99 of 100 were answered.
    p99: f64,
}

fn load(address: &str, path: &str, headers: &Path) -> Step<Load> {
    let url = format!("http://{address}{path}");
    let output =
        Command::new("wrk").args(["-t1", CONNECTIONS, SECONDS, "--latency", "-s"]).arg(headers).arg(&url).output()?;
    let text = String::from_utf8(output.stdout)?;
    if text.contains("Non-2xx") {
        return Err(format!("{path} was refused:\n{text}").into());
    }
    let field = |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
    let rate = field("Requests/sec:").ok_or("wrk gave no rate")?.parse()?;
    let p99 = field("99%").ok_or("wrk gave no latency")?;
    let number: f64 = p99.trim_end_matches(char::is_alphabetic).parse()?;
    let unit = match p99.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "us" => 0.001,
        "ms" => 1.0,
        _ => 1000.0,
    };
    Ok(Load { rate, p99: number * unit })
}

fn middle(mut loads: Vec<Load>) -> Load {
    loads.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    loads.swap_remove(loads.len() / 2)
}

/// KiB in memory.
fn resident(pid: u32) -> u64 {
    // It has said that it listens; a moment later it has also come to rest.
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(100));
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// Says hello to whoever asks, if this program was started for that.
pub fn if_asked() -> Option<ExitCode> {
    std::env::args().nth(1).filter(|argument| argument == HELLO)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().ok()?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        eprintln!("listening on http://{}", listener.local_addr()?);
        let hello = axum::routing::get(|| async { "Hello, World!" });
        axum::serve(listener, axum::Router::new().route("/", hello)).await
    });
    Some(if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
