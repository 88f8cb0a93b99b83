//! The server's life: it runs what is queued, lets others live beside it, says how it is, and ends in good order.

mod support;

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use support::{Farm, Repo, Server, wait_until};

/// Leaves a mark when it begins, and when it was told to end.
const SLOW: &str = "trap 'touch \"$HOME/told-$CRAFTING_JOB_ID\"; exit 0' TERM; touch \"$HOME/begun-$CRAFTING_JOB_ID\"; \
                    while :; do sleep 0.05; [ -e \"$HOME/enough\" ] && exit 0; done";

fn repo() -> Repo {
    Repo::of_recipes(&[("test", "echo hello"), ("build", SLOW)])
}

fn farm_with(repo: &Repo) -> Farm {
    let farm = Farm::new();
    farm.crafting(["project", "add", "--name", "mine"]).in_dir(repo.path()).output().success();
    farm
}

fn queue(server: &Server, recipe: &str) -> String {
    let answer = server.post("/projects/mine/jobs", &json!({"recipe": recipe})).wants(201).json();
    answer["job_id"].as_str().unwrap().to_owned()
}

fn wait_for(server: &Server, id: &str, status: &str) -> Value {
    let job = || server.get(&format!("/jobs/{id}")).wants(200).json()["job"].clone();
    wait_until(&format!("{id} is {status}"), || job().to_string(), || job()["status"] == status);
    job()
}

/// Wants that no supervisor of the job is left, too.
fn status_of(farm: &Farm, id: &str) -> String {
    farm.nothing_left(id);
    farm.job(id)["status"].as_str().unwrap().to_owned()
}

#[test]
fn jobs_of_every_door_run_beside_each_other() {
    let repo = repo();
    let farm = farm_with(&repo);
    let server = farm.machine().serve();
    let id = queue(&server, "test");
    assert_eq!(wait_for(&server, &id, "passed")["exit_code"], 0);
    // A terminal on the same data directory: its own job, and one for whoever takes it.
    farm.run(&repo, ["test"]).success();
    let ran =
        farm.crafting(["job", "run", "test", "--detach", "--format", "json"]).in_dir(repo.path()).output().success();
    wait_for(&server, &ran.id(), "passed");
    let runners = std::fs::read_dir(farm.data().join("runners")).unwrap().count();
    assert_eq!(runners, 2, "the server's lease and the lock; nobody else runs in the background");
}

#[test]
fn the_second_of_two_servers_takes_over() {
    let repo = repo();
    let farm = farm_with(&repo);
    let mut first = farm.machine().serve_with(&["--workers", "1"], &[]);
    let second = farm.machine().serve_with(&["--workers", "1"], &[]);
    let running = queue(&second, "build");
    farm.wait_for_marks("begun", 1);
    let waits = queue(&first, "test");
    // Both answer, one runs jobs, and its one worker is busy.
    for server in [&first, &second] {
        assert_eq!(server.get(&format!("/jobs/{waits}")).wants(200).json()["job"]["status"], "queued");
    }
    first.kill();
    assert_eq!(wait_for(&second, &running, "failed")["exit_code"], -1);
    wait_for(&second, &waits, "passed");
}

#[test]
fn what_a_killed_job_run_leaves_is_put_right_at_once() {
    let repo = repo();
    let farm = farm_with(&repo);
    let server = farm.machine().serve();
    let run = farm.crafting(["job", "run", "build", "test", "-j", "1", "--format", "json"]).in_dir(repo.path()).spawn();
    let stranded = farm.wait_for_marks("begun", 1).remove(0);
    run.kill();
    wait_for(&server, &stranded, "failed");
    assert!(farm.log(&stranded).ends_with("[crafting-table] runner restart, job orphaned\n"));
    farm.nothing_left(&stranded);
    // What it had not begun yet is the server's now.
    let jobs = server.get("/jobs").wants(200).json();
    let other = jobs["jobs"].as_array().unwrap().iter().find(|job| job["id"] != stranded.as_str()).unwrap().clone();
    wait_for(&server, other["id"].as_str().unwrap(), "passed");
}

#[test]
fn asked_to_end_it_lets_running_jobs_finish_and_queued_ones_wait() {
    let repo = repo();
    let farm = farm_with(&repo);
    let mut server = farm.machine().serve_with(&["--workers", "1", "--drain", "300"], &[]);
    let running = queue(&server, "build");
    farm.wait_for_marks("begun", 1);
    let waits = queue(&server, "test");
    let address = server.address();
    server.signal(Signal::SIGTERM);
    wait_until("the port is closed", || server.stderr(), || TcpStream::connect(address).is_err());
    std::fs::write(farm.home().join("enough"), "").unwrap();
    assert_eq!(server.wait().code(), Some(0), "{}", server.stderr());
    assert_eq!(status_of(&farm, &running), "passed");
    assert_eq!(farm.job(&waits)["status"], "queued");
    let server = server.again();
    wait_for(&server, &waits, "passed");
}

#[test]
fn jobs_whose_time_is_up_and_those_of_an_impatient_person_are_cancelled() {
    for (drain, signals) in [("0", 1), ("300", 2)] {
        let repo = repo();
        let farm = farm_with(&repo);
        let mut server = farm.machine().serve_with(&["--drain", drain], &[]);
        let running = queue(&server, "build");
        farm.wait_for_marks("begun", 1);
        server.signal(Signal::SIGINT);
        wait_until("it is ending", || server.stderr(), || server.stderr().contains("asked to end"));
        if signals == 2 {
            server.signal(Signal::SIGINT);
        }
        assert_eq!(server.wait().code(), Some(0), "{}", server.stderr());
        assert_eq!(status_of(&farm, &running), "cancelled", "drain {drain}");
        assert_eq!(farm.marks("told"), [running], "it had its grace");
    }
}

#[test]
fn killed_and_started_again_it_puts_right_what_it_left() {
    let repo = repo();
    let farm = farm_with(&repo);
    let mut server = farm.machine().serve_with(&["--workers", "1"], &[]);
    let running = queue(&server, "build");
    farm.wait_for_marks("begun", 1);
    let waits = queue(&server, "test");
    server.kill();
    let server = server.again();
    assert_eq!(wait_for(&server, &running, "failed")["exit_code"], -1);
    farm.nothing_left(&running);
    wait_for(&server, &waits, "passed");
}

#[test]
fn it_tidies_up_by_itself() {
    let repo = repo();
    let farm = farm_with(&repo);
    farm.run(&repo, ["test"]).success();
    let logs = farm.data().join("logs");
    let old = std::time::SystemTime::now() - Duration::from_secs(90 * 86_400);
    for entry in std::fs::read_dir(&logs).unwrap() {
        std::fs::File::options().write(true).open(entry.unwrap().path()).unwrap().set_modified(old).unwrap();
    }
    let server = farm.machine().serve_with(&[], &[("CRAFTING_GC_SECS", "1")]);
    let count = || std::fs::read_dir(&logs).unwrap().count();
    wait_until("old logs are gone", || server.stderr(), || count() == 0);
    wait_until("the log tells of it", || server.stderr(), || server.stderr().contains("removed what nobody needs"));
    let removed = || server.get("/metrics").wants(200).text();
    wait_until("it is counted", removed, || removed().contains("crafting_gc_removed_total{kind=\"logs\"} 1"));
}

#[test]
fn health_and_metrics_need_no_bearer_and_follow_the_queue() {
    let repo = repo();
    let farm = farm_with(&repo);
    let server = farm.machine().serve_with(&["--workers", "1"], &[]);
    let health = || server.request("GET", "/healthz").without_bearer().send().wants(200).json();
    assert_eq!(health()["version"], env!("CARGO_PKG_VERSION"));
    let running = queue(&server, "build");
    farm.wait_for_marks("begun", 1);
    queue(&server, "test");
    let runner = || health()["runner"].clone();
    wait_until("it shows both", || runner().to_string(), || runner()["running"] == 1 && runner()["queued"] == 1);
    assert_eq!(runner()["workers"], 1);
    std::fs::write(farm.home().join("enough"), "").unwrap();
    wait_for(&server, &running, "passed");
    let text = || server.request("GET", "/metrics").without_bearer().send().wants(200).text();
    wait_until("both are counted", text, || text().contains("crafting_jobs_ended_total{status=\"passed\"} 2"));
    let route = "crafting_http_requests_total{method=\"POST\",route=\"/projects/{name}/jobs\",status=\"201\"} 2";
    let text = text();
    assert!(text.contains(route) && text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn each_request_has_a_line_in_the_log_and_a_name() {
    let farm = Farm::new();
    let server = farm.machine().serve();
    let bearer = server.mint("somebody");
    let given =
        server.request("GET", "/jobs?project=secret-project").bearer(&bearer).header("X-Request-Id", "mine-1.2_3");
    assert_eq!(given.send().header("X-Request-Id"), Some("mine-1.2_3"));
    for odd in ["two words", "a/b", &"x".repeat(65)] {
        let reply = server.request("GET", "/healthz").header("X-Request-Id", odd).send();
        let own = reply.header("X-Request-Id").unwrap();
        assert!(own != odd && !own.is_empty(), "{own}");
    }
    let lines =
        || -> Vec<Value> { server.stderr().lines().filter_map(|line| serde_json::from_str(line).ok()).collect() };
    let find = || lines().into_iter().find(|line| line["request_id"] == "mine-1.2_3");
    wait_until("the line is written", || server.stderr(), || find().is_some());
    let line = find().unwrap();
    assert_eq!((&line["method"], &line["route"]), (&json!("GET"), &json!("/jobs")));
    assert_eq!((&line["token"], &line["address"]), (&json!("somebody"), &json!("127.0.0.1")));
    assert!(line["status"].is_u64() && line["ms"].is_u64(), "{line}");
    for secret in [bearer.as_str(), &server.admin().unwrap(), "secret-project"] {
        assert!(!server.stderr().contains(secret), "{}", server.stderr());
    }
}

#[test]
fn it_describes_itself() {
    let farm = Farm::new();
    let server = farm.machine().serve();
    let document = server.request("GET", "/openapi.json").without_bearer().send().wants(200).json();
    assert_eq!(document["openapi"], "3.1.0");
    let page = server.request("GET", "/docs").without_bearer().send().wants(200);
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    let html = page.text();
    for outside in ["<script", "src=", "http://", "https://", "@import", "url("] {
        assert!(!html.contains(outside), "the page loads something: {outside}");
    }
    let operations = document["paths"].as_object().unwrap();
    for (path, methods) in operations {
        assert!(html.contains(&format!("<code>{path}</code>")), "{path} is not on the page");
        for (method, operation) in methods.as_object().unwrap() {
            let answers = operation["responses"].as_object().unwrap();
            assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path}");
            let tags = operation["tags"].as_array().unwrap();
            let known = document["tags"].as_array().unwrap();
            assert!(
                tags.iter().all(|tag| known.iter().any(|known| &known["name"] == tag)),
                "{method} {path}: {tags:?}"
            );
            for (status, answer) in answers.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
                let problem = &answer["content"]["application/problem+json"];
                // Health is told in either case; what part of a log there is stands in a header.
                assert!(
                    problem.is_object() || path == "/healthz" || status == "416",
                    "{method} {path}: {status} is no problem"
                );
            }
        }
    }
    let text = document.to_string();
    for name in text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document["components"]["schemas"][name].is_object(), "there is no schema {name}");
    }
    // Every link of the page, and every problem's type, leads somewhere on it.
    let target = |name: &str| html.contains(&format!("id=\"{name}\"")) || html.contains(&format!("id={name}>"));
    for link in html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(target(link), "#{link} leads nowhere");
    }
    let problem = server.get("/nothing").wants(404).json();
    assert!(target(problem["type"].as_str().unwrap().strip_prefix("/docs#").unwrap()), "{problem}");
    assert_eq!(server.request("GET", "/").without_bearer().send().wants(307).header("Location"), Some("/docs"));
}

#[test]
fn a_recipe_may_open_as_many_files_as_whoever_started_the_server() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 700, hard).unwrap();
    let repo = Repo::of_recipes(&[("test", "ulimit -Sn; ulimit -Hn")]);
    let farm = farm_with(&repo);
    let server = farm.machine().serve();
    let id = queue(&server, "test");
    wait_for(&server, &id, "passed");
    let told = |soft: u64| {
        let hard = if hard == RLIM_INFINITY { "unlimited".to_owned() } else { hard.to_string() };
        json!([soft.to_string(), hard])
    };
    assert_eq!(server.get(&format!("/jobs/{id}")).json()["log_tail"], told(700));
    // The server itself may open more.
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let own = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert!(!own.contains(" 700 "), "{own}");
}

#[test]
fn systemd_is_told() {
    let farm = Farm::new();
    let path = farm.home().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(support::DEADLINE)).unwrap();
    let heard = |wanted: &str| {
        let mut buffer = [0; 1024];
        loop {
            let count = socket.recv(&mut buffer).unwrap();
            if String::from_utf8_lossy(&buffer[..count]).contains(wanted) {
                return;
            }
        }
    };
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "300000")];
    let mut server = farm.machine().serve_with(&[], &variables);
    heard("READY=1");
    heard("WATCHDOG=1");
    server.signal(Signal::SIGTERM);
    heard("STOPPING=1");
    assert!(server.wait().success());
}

#[test]
fn a_port_that_is_taken_is_an_error_with_a_way_out() {
    let farm = Farm::new();
    let server = farm.machine().serve();
    let ran = farm.call(&["serve", "--bind", &server.address().to_string()]).output().exits(3);
    assert!(ran.stderr.contains("cannot listen on") && ran.stderr.contains("--bind"), "{ran}");
    kill(Pid::from_raw(i32::try_from(server.pid()).unwrap()), None).unwrap();
}

#[test]
fn open_connections_that_say_nothing_do_not_hold_up_its_end() {
    let farm = Farm::new();
    let mut server = farm.machine().serve();
    let _silent = TcpStream::connect(server.address()).unwrap();
    let mut half = TcpStream::connect(server.address()).unwrap();
    half.write_all(b"GET /healthz HT").unwrap();
    server.get("/healthz").wants(200);
    assert!(server.stop().success());
}
