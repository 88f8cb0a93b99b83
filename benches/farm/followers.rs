//! What a recipe loses to those who follow its job.

use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Measured;
use super::http::{Server, minted};
use super::measure::by_turns;
use super::sandbox::{Sandbox, Step};
use super::table::Row;

/// What [`if_asked`] is asked with.
const COMPUTE: &str = "compute-and-print";
const FOLLOWERS: usize = 500;
const ROUNDS: usize = 5;
/// Of the recipe: so often it computes for some milliseconds, and prints some lines.
const STEPS: u32 = 300;
const WORK: u32 = 8_000_000;
const LINES: u32 = 10;
/// What is wrong takes longer than this.
const PATIENCE: Duration = Duration::from_secs(120);
const END: &[u8] = b"event: end\n";

pub fn run() -> Measured {
    let sandbox = Sandbox::new()?;
    let place = Place::new(sandbox.path("recipe"));
    let command = format!("'{}' {COMPUTE} '{}'", std::env::current_exe()?.display(), place.0.display());
    let project = format!("[[subproject]]\npath = \".\"\n[subproject.recipes]\ntest = \"{command}\"\n");
    fs::write(sandbox.repository().join("crafting.toml"), project)?;
    sandbox.commit()?;
    let bearer = minted(&sandbox)?;
    let server = Server::start(sandbox.crafting(["serve", "--bind", "127.0.0.1:0"]).env("CRAFTING_RATE_LIMIT", "0"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let job = Followed { sandbox: &sandbox, server: &server, bearer: &bearer, place: &place, runtime: &runtime };
    // The slot is warm, so that this is about following alone.
    job.takes(0)?;
    let (followed, alone) = by_turns(ROUNDS, || job.takes(FOLLOWERS), || job.takes(0))?;
    let title = format!("a recipe that prints and computes, {FOLLOWERS} followers of its job");
    Ok(vec![Row::time(&title, followed, ("none", alone), Some(1.05))])
}

/// A job to be followed.
struct Followed<'a> {
    sandbox: &'a Sandbox,
    server: &'a Server,
    bearer: &'a str,
    place: &'a Place,
    runtime: &'a Runtime,
}

impl Followed<'_> {
    /// How long its recipe takes, by its own clock, while so many are told everything.
    fn takes(&self, followers: usize) -> Step<Duration> {
        self.place.clear()?;
        let url = format!("http://{}", self.server.address);
        let mut run = self.sandbox.crafting(["job", "run", "test", "--detach", "--format", "json"]);
        let output = run.env("CRAFTING_URL", url).env("CRAFTING_TOKEN", self.bearer).output()?;
        if !output.status.success() {
            return Err(format!("the job was not queued: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let id = answer["jobs"][0]["id"].as_str().ok_or("the answer names no job")?;
        wait_for(&self.place.begun())?;
        self.runtime.block_on(async {
            let (ready, mut all_ready) = mpsc::channel(followers.max(1));
            let mut told = JoinSet::new();
            for _ in 0..followers {
                told.spawn(follow(self.server.address.clone(), self.request(id), ready.clone()));
            }
            drop(ready);
            for _ in 0..followers {
                tokio::time::timeout(PATIENCE, all_ready.recv()).await?.ok_or("a follower was refused")?;
            }
            fs::write(self.place.go(), "")?;
            while let Some(followed) = tokio::time::timeout(PATIENCE, told.join_next()).await? {
                if !followed?? {
                    return Err("a follower was cut off".into());
                }
            }
            Step::Ok(())
        })?;
        wait_for(&self.place.took())?;
        Ok(Duration::from_micros(fs::read_to_string(self.place.took())?.parse()?))
    }

    fn request(&self, job: &str) -> String {
        let (host, bearer) = (&self.server.address, self.bearer);
        format!(
            "GET /jobs/{job}/events HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {bearer}\r\n\r\n"
        )
    }
}

/// Reads events and forgets them; says when the first has come. Whether the last one came too.
async fn follow(address: String, request: String, ready: mpsc::Sender<()>) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut buffer = vec![0; 16 << 10];
    // The end of what came before: what is looked for may come in two parts.
    let mut kept = 0;
    let (mut ready, mut ended) = (Some(ready), false);
    loop {
        let count = stream.read(&mut buffer[kept..]).await?;
        if count == 0 {
            return Ok(ended);
        }
        let bytes = &buffer[..kept + count];
        if ready.is_some() && memchr::memmem::find(bytes, b"event: state").is_some() {
            let ready = ready.take();
            if let Some(ready) = ready {
                let _ = ready.send(()).await;
            }
        }
        ended |= memchr::memmem::find(bytes, END).is_some();
        let from = bytes.len() - bytes.len().min(END.len());
        let all = bytes.len();
        buffer.copy_within(from..all, 0);
        kept = all - from;
    }
}

/// Where the recipe and the benchmark wait for each other.
struct Place(PathBuf);

impl Place {
    fn new(path: PathBuf) -> Self {
        Self(path)
    }

    fn begun(&self) -> PathBuf {
        self.0.with_extension("begun")
    }

    fn go(&self) -> PathBuf {
        self.0.with_extension("go")
    }

    /// The recipe's time in microseconds.
    fn took(&self) -> PathBuf {
        self.0.with_extension("took")
    }

    fn clear(&self) -> std::io::Result<()> {
        for path in [self.begun(), self.go(), self.took()] {
            if path.exists() {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

fn wait_for(path: &Path) -> Step {
    let until = Instant::now() + PATIENCE;
    while !path.exists() {
        if Instant::now() > until {
            return Err(format!("{} never came", path.display()).into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Is the recipe, if this program was started for that.
pub fn if_asked() -> Option<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, place] = arguments.as_slice() else { return None };
    if first != COMPUTE {
        return None;
    }
    Some(match compute(&Place::new(PathBuf::from(place))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}

fn compute(place: &Place) -> Step {
    fs::write(place.begun(), "")?;
    wait_for(&place.go())?;
    let begun = Instant::now();
    let mut out = std::io::stdout().lock();
    for step in 0..STEPS {
        let mut number = u64::from(step) + 1;
        for _ in 0..WORK {
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
        }
        for line in 0..LINES {
            writeln!(out, "[{step:05}.{line}] {:x} is what {WORK} rounds came to", black_box(number))?;
        }
        out.flush()?;
    }
    // It comes to be all at once.
    let new = place.0.with_extension("new");
    fs::write(&new, begun.elapsed().as_micros().to_string())?;
    fs::rename(&new, place.took())?;
    Ok(())
}
