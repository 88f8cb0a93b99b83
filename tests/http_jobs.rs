//! Jobs on a server, as programs and people ask for them: by plain requests, and by the command line.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::{Crafting, Farm, Ran, Repo, Server};

/// The fields of a job row, as they are promised, and two more.
const ROW: [&str; 23] = [
    "id",
    "batch_id",
    "project",
    "subproject",
    "recipe",
    "status",
    "ref",
    "sha",
    "dirty",
    "exit_code",
    "queued_at",
    "started_at",
    "finished_at",
    "duration_ms",
    "findings_count",
    "findings_new",
    "log_bytes",
    "log_lines",
    "runtime",
    "recipe_snapshot",
    "token",
    "error",
    "findings_fixed",
];

/// A farm with one worker, a server on it, and the project `app` there.
struct Here {
    server: Server,
    repo: Repo,
    farm: Farm,
}

impl Here {
    fn with(recipes: &[(&str, &str)]) -> Self {
        Self::of(Farm::new(), Repo::of_recipes(recipes))
    }

    fn of(farm: Farm, repo: Repo) -> Self {
        farm.crafting(["project", "add", "--name", "app"]).in_dir(repo.path()).output().success();
        let server = farm.machine().serve_with(&[], &[("CRAFTING_WORKERS", "1")]);
        Self { server, repo, farm }
    }

    /// Queues jobs.
    #[track_caller]
    fn run(&self, body: &Value) -> Value {
        self.server.post("/projects/app/jobs", body).wants(201).json()
    }

    fn job(&self, id: &str) -> Value {
        self.server.get(&format!("/jobs/{id}")).wants(200).json()
    }

    /// Waits for a job to come into a state.
    fn wait_for(&self, id: &str, status: &str) -> Value {
        self.farm.wait_until(&format!("{id} is {status}"), || self.job(id)["job"]["status"] == status);
        self.job(id)
    }

    /// A command line that asks the server.
    fn crafting<'a>(&self, client: &'a Farm, arguments: &[&str]) -> Crafting<'a> {
        asking(client, &self.server.url(), &self.server, arguments)
    }
}

/// A word of a command line, which may be the id of one of these jobs.
type Word<'a> = dyn Fn(&[String]) -> String + 'a;

fn asking<'a>(client: &'a Farm, url: &str, server: &Server, arguments: &[&str]) -> Crafting<'a> {
    let call = client.call(arguments).env("CRAFTING_URL", url);
    match server.admin() {
        Some(bearer) => call.env("CRAFTING_TOKEN", bearer),
        None => call,
    }
}

fn ids(jobs: &Value) -> Vec<String> {
    jobs.as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn id(job: &Value) -> &str {
    job.as_str().unwrap()
}

#[test]
fn a_job_is_queued_run_and_shown() {
    let here = Here::with(&[("test", "echo one; echo two; printf '\\377three'"), ("lint", "true")]);
    let sha = here.repo.git(&["rev-parse", "HEAD"]);
    let started = here.run(&json!({"recipe": "test", "subproject": ".", "ref": "main"}));
    assert_eq!(started["ok"], true);
    assert_eq!(started["job_ids"], json!([started["job_id"]]));
    assert_eq!(started["jobs"][0]["batch_id"], started["batch_id"]);
    let answer = here.wait_for(id(&started["job_id"]), "passed");
    assert_eq!(answer["log_tail"], json!(["one", "two", "\u{fffd}three"]));
    let job = &answer["job"];
    assert_eq!((&job["ref"], &job["sha"], &job["dirty"]), (&json!("main"), &json!(sha), &json!(false)));
    let fields: BTreeSet<&str> = job.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ROW.into_iter().chain(["retry_of"]).collect());
    assert!(job["queued_at"].as_f64().unwrap() > 1e9);
    assert_eq!(
        here.server.get(&format!("/jobs/{}?log_tail=1", id(&job["id"]))).json()["log_tail"],
        json!(["\u{fffd}three"])
    );
    assert_eq!(here.server.get("/jobs/@last?project=app").wants(200).json()["job"], *job);
    assert_eq!(here.server.get("/jobs/@last-failed").wants(404).json()["code"], "not_found");
    let batch = here.server.get(&format!("/batches/{}", id(&started["batch_id"]))).wants(200).json();
    assert_eq!(batch["jobs"], json!([job]));
    here.server.get("/batches/000000000000").wants(404);
    // The command line shows the very same row.
    let client = Farm::new();
    let shown = here.crafting(&client, &["job", "show", id(&job["id"]), "--format", "json"]).output().success();
    assert_eq!(shown.json()["job"], *job);
}

#[test]
fn a_commit_may_be_named() {
    let here = Here::with(&[("test", "git rev-parse HEAD")]);
    let old = here.repo.git(&["rev-parse", "HEAD"]);
    here.repo.commit("second");
    let started = here.run(&json!({"sha": old, "ref": "main", "dirty": true}));
    let job = here.wait_for(id(&started["job_id"]), "passed");
    assert_eq!(job["log_tail"], json!([old]));
    assert_eq!((&job["job"]["ref"], &job["job"]["dirty"]), (&json!("main"), &json!(true)));
    let started = here.run(&json!({"sha": old}));
    assert_eq!(started["jobs"][0]["ref"], json!(old));
    let missing = "0123456789012345678901234567890123456789";
    here.server.post("/projects/app/jobs", &json!({"sha": missing})).wants(404);
    here.wait_for(id(&started["job_id"]), "passed");
}

#[test]
fn a_dry_run_queues_nothing() {
    let here = Here::with(&[("test", "true"), ("lint", "true")]);
    let body = json!({"recipes": ["lint", "test"], "timeout_secs": 90, "fresh": true, "dry_run": true});
    let plan = here.server.post("/projects/app/jobs", &body).wants(200).json()["plan"].clone();
    assert_eq!(plan["project"], "app");
    let recipes: Vec<&Value> = plan["jobs"].as_array().unwrap().iter().map(|job| &job["recipe"]).collect();
    assert_eq!(recipes, ["lint", "test"]);
    let snapshot = &plan["jobs"][0]["recipe_snapshot"];
    assert_eq!((&snapshot["timeout_secs"], &snapshot["fresh"]), (&json!(90), &json!(true)));
    assert_eq!(here.server.get("/jobs").wants(200).json()["jobs"], json!([]));
}

#[test]
fn what_makes_no_sense_is_refused_by_its_name() {
    let here = Here::with(&[("test", "true")]);
    for (body, status, field) in [
        (r#"{"recpe": "test"}"#, 422, "recpe"),
        (r#"{"recipe": 7}"#, 422, "recipe"),
        (r#"{"recipe": "Te st"}"#, 422, "recipe"),
        (r#"{"recipes": ["test", ""]}"#, 422, "recipes[1]"),
        (r#"{"subproject": "../up"}"#, 422, "subproject"),
        (r#"{"subprojects": "."}"#, 422, "subprojects"),
        (r#"{"standing": "/tmp"}"#, 422, "standing"),
        (r#"{"ref": "--upload-pack=x"}"#, 422, "ref"),
        (r#"{"sha": "main"}"#, 422, "sha"),
        (r#"{"dirty": true}"#, 422, "dirty"),
        (r#"{"committed": true, "ref": "main"}"#, 422, "committed"),
        (r#"{"timeout_secs": 0}"#, 422, "timeout_secs"),
        (r#"{"timeout_secs": 2592001}"#, 422, "timeout_secs"),
        (r#"{"timeout_secs": -1}"#, 422, "timeout_secs"),
        (r#"{"fresh": "yes"}"#, 422, "fresh"),
        (r#"{"dry_run": null}"#, 422, "dry_run"),
        (r#"[]"#, 422, ""),
    ] {
        let request = here.server.request("POST", "/projects/app/jobs").header("Content-Type", "application/json");
        let reply = request.body(body).send().wants(status);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{body}");
        let problem = reply.json();
        assert_eq!(
            (&problem["ok"], &problem["errors"][0]["field"]),
            (&json!(false), &json!(field)),
            "{body}: {problem}"
        );
        assert!(!problem["errors"][0]["message"].as_str().unwrap().is_empty(), "{body}");
    }
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("limit=99999999999", "limit"),
        ("status=pased", "status"),
        ("before=@last", "before"),
        ("project=A", "project"),
        ("recipe=", "recipe"),
        ("projekt=app", "projekt"),
    ] {
        let problem = here.server.get(&format!("/jobs?{query}")).wants(422).json();
        assert_eq!(problem["errors"][0]["field"], field, "{query}: {problem}");
    }
    for (target, body) in [("/jobs/@last/cancel", r#"{"now": true}"#), ("/jobs/UP/cancel", "{}")] {
        let request = here.server.request("POST", target).header("Content-Type", "application/json");
        request.body(body).send().wants(422);
    }
    for target in ["/jobs/@first", "/jobs/aaaaaaaaaaaaa", "/jobs/%2e%2e", "/batches/short"] {
        here.server.get(target).wants(422);
    }
    for (body, status) in [("{", 400), (r#"{"recipe": "nope"}"#, 404), (r#"{"subproject": "nope"}"#, 404)] {
        let request = here.server.request("POST", "/projects/app/jobs").header("Content-Type", "application/json");
        request.body(body).send().wants(status);
    }
    here.server.post("/projects/nope/jobs", &json!({})).wants(404);
    assert_eq!(here.server.get("/jobs").wants(200).json()["jobs"], json!([]));
}

/// A project of so many subprojects with the recipes `nap`, which takes for ever, and `r0`, `r1` and so on.
fn many(farm: &Farm, subprojects: usize, recipes: usize) -> Repo {
    let mut text = String::new();
    for number in 0..subprojects {
        text.push_str(&format!("[[subproject]]\npath = \".\"\nname = \"s{number}\"\nlanguage = \"other\"\n"));
        text.push_str("[subproject.recipes]\n");
        text.push_str(&format!("nap = \"{}\"\n", farm.nap()));
        (0..recipes).for_each(|recipe| text.push_str(&format!("r{recipe} = \"true\"\n")));
    }
    Repo::with(&[("crafting.toml", &text)])
}

fn names(recipes: usize) -> Vec<String> {
    (0..recipes).map(|recipe| format!("r{recipe}")).collect()
}

/// Every page of a list.
fn pages(here: &Here, query: &str) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = here.server.get(&format!("/jobs?{query}{cursor}")).wants(200).json();
        pages.push(ids(&answer["jobs"]));
        match answer["next"].as_str() {
            Some(next) => cursor = format!("&before={next}"),
            None => return pages,
        }
    }
}

#[test]
fn a_list_comes_in_pages_and_a_prefix_must_be_unique() {
    let farm = Farm::new();
    let repo = many(&farm, 12, 10);
    let here = Here::of(farm, repo);
    // The only worker is busy, so that what comes next stays queued.
    let nap = here.run(&json!({"recipe": "nap", "subproject": "s0"}));
    here.farm.wait_for_nap();
    let started = here.run(&json!({"recipes": names(10)}));
    let mut expected = ids(&started["jobs"]);
    assert_eq!(expected.len(), 120);
    assert_eq!(json!(expected), started["job_ids"]);
    expected.reverse();
    let lengths = |query: &str| pages(&here, query).iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(pages(&here, "status=queued").concat(), expected);
    assert_eq!(lengths("status=queued&project=app"), [50, 50, 20]);
    // A last page that is full is known to be the last.
    assert_eq!(lengths("status=queued&limit=40"), [40, 40, 40]);
    assert_eq!(lengths("recipe=r3"), [12]);
    assert_eq!(lengths("limit=500"), [121]);
    assert_eq!(lengths("status=running"), [1]);
    assert_eq!(lengths("status=failed"), [0]);
    here.server.get("/jobs?project=nope").wants(404);
    here.server.get("/jobs?before=000000000000").wants(404);
    // 121 ids begin with 32 characters: one of them begins several.
    let mut starts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    expected.iter().for_each(|id| starts.entry(&id[..1]).or_default().push(id));
    let several = starts.iter().find(|(_, ids)| ids.len() > 1).unwrap().0;
    let reply = here.server.get(&format!("/jobs/{several}")).wants(422).json();
    assert!(reply["detail"].as_str().unwrap().starts_with("several jobs begin with"), "{reply}");
    let client = Farm::new();
    let ran = here.crafting(&client, &["job", "show", several]).output().exits(2);
    assert!(ran.stderr.contains("give more of the id"), "{ran}");
    let unique = (1..=12).map(|length| &expected[0][..length]);
    let unique = unique.filter(|prefix| expected.iter().filter(|id| id.starts_with(*prefix)).count() == 1);
    let mut unique = unique.filter(|prefix| !id(&nap["job_id"]).starts_with(*prefix));
    let unique = unique.next().unwrap();
    assert_eq!(here.job(unique)["job"]["id"], json!(expected[0]));
    // The end of them all, the running one too.
    let ended = here.server.post(&format!("/batches/{}/cancel", id(&started["batch_id"])), &json!({})).wants(200);
    assert!(ended.json()["jobs"].as_array().unwrap().iter().all(|job| job["status"] == "cancelled"));
    here.server.delete(&format!("/jobs/{}", id(&nap["job_id"]))).wants(200);
    here.wait_for(id(&nap["job_id"]), "cancelled");
    here.farm.nobody_naps();
}

#[test]
fn jobs_are_cancelled_and_run_again() {
    let farm = Farm::new();
    let nap = farm.nap();
    let repo = Repo::of_recipes(&[("nap", &nap), ("test", "exit 3")]);
    let here = Here::of(farm, repo);
    let started = here.run(&json!({"recipes": ["nap", "test"]}));
    let [first, second] = [0, 1].map(|number| id(&started["job_ids"][number]).to_owned());
    here.farm.wait_for_nap();
    // A job that is not over cannot be run again.
    assert_eq!(here.server.post(&format!("/jobs/{first}/retry"), &json!({})).wants(409).json()["code"], "conflict");
    // A queued one ends at once, a running one is asked to.
    let ended = here.server.delete(&format!("/jobs/{second}")).wants(200).json();
    assert_eq!(ended["jobs"][0]["status"], "cancelled");
    let cancel = here.server.post(&format!("/jobs/{first}/cancel"), &json!({"force": true})).wants(200).json();
    assert_eq!(ids(&cancel["jobs"]), [first.as_str()]);
    let over = here.wait_for(&first, "cancelled")["job"].clone();
    here.farm.nobody_naps();
    // What is over stays as it ended.
    let again = here.server.request("POST", &format!("/jobs/{first}/cancel")).send().wants(200).json();
    assert_eq!(again["jobs"], json!([over]));
    let again = here.server.request("POST", &format!("/jobs/{second}/retry")).send().wants(201).json();
    assert_eq!(again["jobs"][0]["retry_of"], json!(second));
    assert_ne!(again["batch_id"], started["batch_id"]);
    let failed = here.wait_for(id(&again["job_id"]), "failed");
    assert_eq!(failed["job"]["exit_code"], 3);
    assert_eq!(here.server.get("/jobs/@last-failed?project=app").wants(200).json()["job"], failed["job"]);
    // The batch as a whole, by one of its jobs.
    let started = here.run(&json!({"recipes": ["nap", "test"]}));
    here.farm.wait_for_nap();
    let cancel = format!("/jobs/{}/cancel", id(&started["job_ids"][1]));
    assert_eq!(ids(&here.server.post(&cancel, &json!({"batch": true})).wants(200).json()["jobs"]).len(), 2);
    here.wait_for(id(&started["job_id"]), "cancelled");
    here.farm.nobody_naps();
    for target in ["/jobs/000000000000/cancel", "/jobs/000000000000/retry", "/batches/000000000000/cancel"] {
        here.server.post(target, &json!({})).wants(404);
    }
}

#[test]
fn a_request_that_comes_twice_is_done_once() {
    let here = Here::with(&[("test", "exit 1"), ("lint", "true")]);
    let send = |key: &str, target: &str, body: &Value| {
        here.server.request("POST", target).header("Idempotency-Key", key).json(body).send()
    };
    let body = json!({"recipe": "test"});
    let first = send("one", "/projects/app/jobs", &body).wants(201).json();
    here.wait_for(id(&first["job_id"]), "failed");
    let second = send("one", "/projects/app/jobs", &body).wants(201).json();
    assert_eq!((&second["batch_id"], &second["job_ids"]), (&first["batch_id"], &first["job_ids"]));
    // Under the same key, something else is a mistake.
    for body in [json!({"recipe": "lint"}), json!({"recipe": "test", "fresh": true})] {
        assert_eq!(send("one", "/projects/app/jobs", &body).wants(409).json()["code"], "conflict");
    }
    let target = format!("/jobs/{}/retry", id(&first["job_id"]));
    send("one", &target, &json!({})).wants(409);
    let retried = send("two", &target, &json!({})).wants(201).json();
    assert_eq!(send("two", &target, &json!({})).wants(201).json()["batch_id"], retried["batch_id"]);
    for key in ["", "with space", &"k".repeat(201)] {
        assert_eq!(send(key, "/projects/app/jobs", &body).wants(422).json()["errors"][0]["field"], "Idempotency-Key");
    }
    // Many at once are one as well.
    let batches: BTreeSet<String> = std::thread::scope(|scope| {
        let post = || send("three", "/projects/app/jobs", &body).wants(201).json()["batch_id"].to_string();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(post)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(batches.len(), 1);
    assert_eq!(ids(&here.server.get("/jobs").wants(200).json()["jobs"]).len(), 3);
    let last = here.server.get("/jobs/@last").wants(200).json();
    here.wait_for(id(&last["job"]["id"]), "failed");
}

/// Hands requests on to the server, but loses the first answer to one that has an idempotency key.
fn lossy(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut lost = false;
        for client in listener.incoming() {
            let (mut client, mut server) = (client.unwrap(), TcpStream::connect(server).unwrap());
            let mut request = vec![0; 64 << 10];
            let length = client.read(&mut request).unwrap();
            // One request a connection, so that its end is the answer's.
            let head = String::from_utf8_lossy(&request[..length]).replacen("\r\n", "\r\nConnection: close\r\n", 1);
            server.write_all(head.as_bytes()).unwrap();
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).unwrap();
            if head.to_ascii_lowercase().contains("idempotency-key") && !lost {
                lost = true;
            } else {
                let _ = client.write_all(&answer);
            }
            let _ = client.shutdown(Shutdown::Both);
        }
    });
    address
}

#[test]
fn a_lost_answer_does_not_queue_twice() {
    let here = Here::with(&[("test", "true")]);
    let (client, url) = (Farm::new(), format!("http://{}", lossy(here.server.address())));
    let arguments = ["job", "run", "test", "-p", "app", "--detach", "--format", "json"];
    let ran = asking(&client, &url, &here.server, &arguments).output().success();
    let listed = ids(&here.server.get("/jobs").wants(200).json()["jobs"]);
    assert_eq!(listed, [ran.id()]);
    here.wait_for(&ran.id(), "passed");
}

/// An answer without what differs from farm to farm: ids, ages and lengths of time.
fn plain(ran: &Ran, jobs: &[String]) -> String {
    let mut text = format!("{}\n{}\n{}", ran.code(), ran.stdout, ran.stderr);
    for (number, id) in jobs.iter().enumerate() {
        text = text.replace(id, &format!("job-{number:08}"));
    }
    for (pattern, name) in [
        (r"batch       [0-9a-z]{12}", "batch       BATCH"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \([^)]*\)", "TIME"),
        (r"\d+(\.\d+)?m?s\b", "SPAN"),
        (r"log file [^\n]*\n", ""),
        // Where the log is only on this machine, and jobs that nobody has named.
        (r"job log [0-9a-z]{12}( \([^)]*\))?", "job log JOB"),
        (r"crafting findings [0-9a-z]{6}\b", "crafting findings JOB"),
        // Nobody shows a token on their own machine.
        (r"\ntoken +[^\n]*", ""),
        // Said only of what takes long.
        (r"note: [^\n]* …\n", ""),
        (r" +", " "),
        (r"on http://[0-9.:]+;", "in the background;"),
        (r#"(_at|_ms|_id)":[^,}]*"#, "$1\":0"),
        (r#""token":[^,}]*"#, "\"token\":0"),
    ] {
        text = regex::Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
    }
    text
}

#[test]
fn the_command_line_says_the_same_of_both_farms() {
    let recipes = [("test", "echo fine"), ("fail", "echo broken; exit 3"), ("lint", "true")];
    let here = Here::with(&recipes);
    let (local, client) = (Farm::new(), Farm::new());
    local.crafting(["project", "add", "--name", "app"]).in_dir(here.repo.path()).output().success();
    let mut said: [Vec<String>; 2] = [Vec::new(), Vec::new()];
    let mut jobs: [Vec<String>; 2] = [Vec::new(), Vec::new()];
    let both = |arguments: &[&str]| {
        [local.call(arguments).env("CRAFTING_WORKERS", "1").output(), here.crafting(&client, arguments).output()]
    };
    let over = |farm: usize, id: &str| match farm {
        0 => local.wait_until("the job is over", || local.job(id)["finished_at"] != Value::Null),
        _ => local.wait_until("the job is over", || here.job(id)["job"]["finished_at"] != Value::Null),
    };
    // One by one, so that the lists are in the same order.
    for recipe in ["test", "fail", "lint"] {
        for (farm, ran) in both(&["job", "run", recipe, "-p", "app", "--detach"]).into_iter().enumerate() {
            let id = ran.stdout.lines().last().unwrap().split(' ').next().unwrap().to_owned();
            jobs[farm].push(id.clone());
            said[farm].push(plain(&ran, &jobs[farm]));
            over(farm, &id);
        }
    }
    let mut compare = |arguments: &[&Word]| {
        let calls = [0, 1].map(|farm| arguments.iter().map(|part| part(&jobs[farm])).collect::<Vec<_>>());
        let words: [Vec<&str>; 2] = [0, 1].map(|farm| calls[farm].iter().map(String::as_str).collect());
        let ran = [local.call(&words[0]).output(), here.crafting(&client, &words[1]).output()];
        for (farm, ran) in ran.iter().enumerate() {
            said[farm].push(format!("{:?}\n{}", words[0].first(), plain(ran, &jobs[farm])));
        }
    };
    let word = |word: &'static str| move |_: &[String]| word.to_owned();
    let job = |number: usize| move |jobs: &[String]| jobs[number].clone();
    for arguments in [
        "job list",
        "job list --format json",
        "job list --status failed --limit 1",
        "job list --recipe lint -p app",
        "job list -p nope",
        "job list --status queued",
        "job run --dry-run -p app",
        "job run --dry-run -p app fail lint --timeout 10m --fresh --format json",
        "job run --dry-run -p app nope",
        "job run --dry-run -p app -s nope",
        "job run --dry-run -p ap",
        "job run -p app --ref nope --detach",
        "job show 000000000000",
        "job cancel 000000000000",
        "job retry 000000000000 --detach",
    ] {
        let words: Vec<_> = arguments.split(' ').map(word).collect();
        compare(&words.iter().map(|word| word as &dyn Fn(&[String]) -> String).collect::<Vec<_>>());
    }
    for number in 0..3 {
        compare(&[&word("job"), &word("show"), &job(number)]);
        compare(&[&word("job"), &word("show"), &job(number), &word("--format"), &word("json")]);
        compare(&[&word("job"), &word("cancel"), &job(number)]);
    }
    compare(&[&word("job"), &word("list"), &word("--before"), &job(1)]);
    let shown = here.crafting(&client, &["job", "show", &jobs[1][0]]).output().success().stdout;
    assert!(shown.lines().any(|line| line.starts_with("token ") && line.ends_with(" admin")), "{shown}");
    let [here_said, there_said] = said;
    for (local, remote) in here_said.iter().zip(&there_said) {
        assert_eq!(local, remote);
    }
}

/// Without the ids that nobody has named.
fn anybody(text: &str) -> String {
    regex::Regex::new(r"(queued|running) [0-9a-z]{12}\b").unwrap().replace_all(text, "$1 JOB").into_owned()
}

#[test]
fn a_run_that_is_waited_for_ends_alike_on_both_farms() {
    let here = Here::with(&[("test", "echo fine"), ("fail", "echo broken; exit 3")]);
    let (local, client) = (Farm::new(), Farm::new());
    local.crafting(["project", "add", "--name", "app"]).in_dir(here.repo.path()).output().success();
    for (recipe, code) in [("test", 0), ("fail", 1)] {
        let arguments = ["job", "run", recipe, "-p", "app"];
        let ran = [local.call(&arguments).output(), here.crafting(&client, &arguments).output()];
        let [ours, theirs] = ran.map(|ran| anybody(&plain(&ran.exits(code), &[])));
        assert_eq!(ours, theirs);
    }
}

#[test]
fn an_interrupted_run_ends_its_jobs_on_the_server() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("nap", &farm.nap())]);
    let here = Here::of(farm, repo);
    let client = Farm::new();
    let running = here.crafting(&client, &["job", "run", "nap", "-p", "app"]).spawn();
    here.farm.wait_for_nap();
    running.signal(Signal::SIGINT);
    running.finish().exits(130);
    let jobs = here.server.get("/jobs").wants(200).json()["jobs"].clone();
    assert_eq!((jobs[0]["status"].as_str(), ids(&jobs).len()), (Some("cancelled"), 1));
    here.farm.nobody_naps();
}

#[test]
fn what_is_about_this_machine_says_so() {
    let here = Here::with(&[("test", "true")]);
    let client = Farm::new();
    let url = here.server.url();
    let checkout = Repo::of_recipes(&[("test", "true")]);
    for (wish, says) in [("--keep", "cannot be kept"), ("-j2", "the business of http://")] {
        for more in [&["-p", "app"][..], &[], &["--dry-run"]] {
            let arguments = [&["job", "run", wish], more].concat();
            let ran = here.crafting(&client, &arguments).in_dir(checkout.path()).output().exits(2);
            assert!(ran.stderr.contains(says) && ran.stderr.contains("\nhint: "), "{ran}");
        }
    }
    // Nothing was sent: the server has not heard of that checkout.
    assert_eq!(here.server.get("/projects").wants(200).json()["projects"].as_array().unwrap().len(), 1);
    assert_eq!(here.server.get("/jobs").wants(200).json()["jobs"], json!([]));
    for arguments in [vec!["gc"], vec!["ledger", "check"]] {
        let named = [arguments.as_slice(), &["--server", &url]].concat();
        let ran = client.call(&named).output().exits(2);
        assert!(ran.stderr.contains("is about this machine"), "{ran}");
        // A variable that is set for every command is no such wish.
        here.crafting(&client, &arguments).output().success();
    }
    let shown = here.crafting(&client, &["config", "show"]).output().success().stdout;
    assert!(shown.contains(&url) && shown.contains("CRAFTING_URL"), "{shown}");
}

/// 10,000 jobs at once are taken, and their list is read to its end. `.ci/run` has it run.
#[test]
#[ignore = "takes some seconds"]
fn ten_thousand_jobs_are_queued_and_listed() {
    let farm = Farm::new();
    let repo = many(&farm, 100, 100);
    let here = Here::of(farm, repo);
    let nap = here.run(&json!({"recipe": "nap", "subproject": "s0"}));
    here.farm.wait_for_nap();
    let started = here.run(&json!({"recipes": names(100)}));
    let mut expected = ids(&started["jobs"]);
    assert_eq!(expected.len(), 10_000);
    expected.reverse();
    assert_eq!(pages(&here, "status=queued&limit=500").concat(), expected);
    // The queue does not hold up the job that runs.
    here.server.delete(&format!("/jobs/{}", id(&nap["job_id"]))).wants(200);
    here.wait_for(id(&nap["job_id"]), "cancelled");
    let cancel = format!("/batches/{}/cancel", id(&started["batch_id"]));
    let ended = here.server.post(&cancel, &json!({"force": true})).wants(200).json();
    assert_eq!(ended["jobs"].as_array().unwrap().len(), 10_000);
    here.farm.wait_until("all are over", || pages(&here, "status=running").concat().is_empty());
}
