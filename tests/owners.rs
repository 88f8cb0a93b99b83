//! Several people on one server: each has their own projects, and nothing tells them of another's.

mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use support::{Farm, Ran, Reply, Repo, Server, wait_until};

/// Repositories under addresses that a server fetches from: git itself leads them to folders.
struct Remotes(Vec<(String, Repo)>);

impl Remotes {
    fn new(names: &[(&str, &str)]) -> Self {
        let repo = |recipe: &str| Repo::of_recipes(&[("lint", recipe)]);
        Self(names.iter().map(|(name, recipe)| ((*name).to_owned(), repo(recipe))).collect())
    }

    fn url(name: &str) -> String {
        format!("https://git.example/{name}.git")
    }

    fn variables(&self) -> Vec<(String, String)> {
        let mut all = vec![("GIT_CONFIG_COUNT".to_owned(), self.0.len().to_string())];
        for (number, (name, repo)) in self.0.iter().enumerate() {
            all.push((format!("GIT_CONFIG_KEY_{number}"), format!("url.{}.insteadOf", repo.path().display())));
            all.push((format!("GIT_CONFIG_VALUE_{number}"), Self::url(name)));
        }
        all
    }

    fn serve(&self, farm: &Farm, more: &[(&str, &str)]) -> Server {
        let own = self.variables();
        let mut variables: Vec<_> = own.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        variables.extend(more);
        farm.machine().serve_with(&[], &variables)
    }
}

/// Somebody with a bearer.
struct Person<'a> {
    server: &'a Server,
    bearer: String,
}

impl<'a> Person<'a> {
    fn new(server: &'a Server, name: &str) -> Self {
        Self { server, bearer: server.mint(name) }
    }

    fn ask(&self, method: &str, target: &str) -> Reply {
        self.server.request(method, target).bearer(&self.bearer).send()
    }

    fn get(&self, target: &str) -> Reply {
        self.ask("GET", target)
    }

    fn send(&self, method: &str, target: &str, body: &Value) -> Reply {
        self.server.request(method, target).bearer(&self.bearer).json(body).send()
    }

    fn add(&self, repository: &str) -> Reply {
        self.send("POST", "/projects", &json!({ "git_url": Remotes::url(repository) }))
    }

    /// Runs a project's lint recipe; the job's row at its end.
    fn lint(&self, project: &str) -> Value {
        let queued = self.send("POST", &format!("/projects/{project}/jobs"), &json!({ "recipe": "lint" }));
        assert_eq!(queued.status / 100, 2, "{queued:?}");
        let target = format!("/jobs/{}", queued.json()["job_id"].as_str().unwrap());
        let mut row = Value::Null;
        wait_until(
            "the job has ended",
            || format!("{} {}", self.get(&target).text(), self.server.stderr()),
            || {
                row = self.get(&target).wants(200).json()["job"].clone();
                !["queued", "running"].contains(&row["status"].as_str().unwrap())
            },
        );
        row
    }
}

const ANNS: &str = "apricot";
const BOBS: &str = "blueberry";
const RECIPES: [(&str, &str); 2] = [
    (ANNS, "echo 'apricot.c:3:5: error: apricot stone [-Wstone]' >&2; exit 1"),
    (BOBS, "echo 'blueberry.c:3:5: error: blueberry stain [-Wstain]' >&2; exit 1"),
];

#[test]
fn nothing_tells_of_anothers_projects() {
    let (farm, remotes) = (Farm::new(), Remotes::new(&RECIPES));
    let server = remotes.serve(&farm, &[]);
    let (ann, bob) = (Person::new(&server, "ann"), Person::new(&server, "bob"));
    for (person, project) in [(&ann, ANNS), (&bob, BOBS)] {
        let added = person.add(project).wants(201);
        assert_eq!(added.header("location"), Some(format!("/projects/{project}").as_str()));
        assert_eq!(added.json()["project"]["name"], project);
    }
    let (anns, bobs) = (ann.lint(ANNS), bob.lint(BOBS));
    assert_eq!((&anns["status"], &anns["token"]), (&json!("failed"), &json!("ann")));
    assert_eq!((&bobs["findings_count"], &bobs["token"]), (&json!(1), &json!("bob")));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (job, batch) = (text(&bobs["id"]), text(&bobs["batch_id"]));
    let (no_job, no_batch) = ("zzzzzzzzzzzz", "zzzzzzzzzzzz");

    // What is Bob's and what does not exist are answered alike, word by word.
    let named: [(&str, &str, &str, &str, Option<Value>); 16] = [
        ("GET", "/projects/{}", BOBS, "cranberry", None),
        ("PUT", "/projects/{}", BOBS, "cranberry", Some(json!({ "default_branch": "main" }))),
        ("DELETE", "/projects/{}", BOBS, "cranberry", None),
        ("POST", "/projects/{}/jobs", BOBS, "cranberry", Some(json!({ "recipe": "lint" }))),
        ("GET", "/jobs?project={}", BOBS, "cranberry", None),
        ("GET", "/jobs?before={}", &job, no_job, None),
        ("GET", "/jobs/{}", &job, no_job, None),
        ("GET", "/jobs/{}", &job[..11], &no_job[..11], None),
        ("GET", "/jobs/@last?project={}", BOBS, "cranberry", None),
        ("GET", "/jobs/{}/log", &job, no_job, None),
        ("GET", "/jobs/{}/events", &job, no_job, None),
        ("GET", "/jobs/{}/findings", &job, no_job, None),
        ("POST", "/jobs/{}/cancel", &job, no_job, None),
        ("DELETE", "/jobs/{}", &job, no_job, None),
        ("GET", "/batches/{}", &batch, no_batch, None),
        ("GET", "/findings?project={}", BOBS, "cranberry", None),
    ];
    for (method, target, of_bob, of_nobody, body) in named {
        let ask = |name: &str| {
            let request = server.request(method, &target.replace("{}", name)).bearer(&ann.bearer);
            let reply = match &body {
                Some(body) => request.json(body).send(),
                None => request.send(),
            };
            // The request's own id and the time are all that may differ.
            let headers: Vec<_> =
                reply.headers.iter().map(|(name, _)| name.clone()).filter(|name| name != "x-request-id").collect();
            assert_ne!(reply.status / 100, 2, "{reply:?}");
            (reply.status, headers, reply.text().replace(name, "…"))
        };
        assert_eq!(ask(of_bob), ask(of_nobody), "{method} {target}");
    }

    // What Ann may ask has nothing of Bob's in it.
    let lists = [
        "/projects".to_owned(),
        format!("/projects?git_url={}", Remotes::url(BOBS)),
        "/projects?root=.".to_owned(),
        "/projects/blueberri".to_owned(),
        "/jobs".to_owned(),
        "/jobs?status=failed".to_owned(),
        "/jobs?recipe=lint&limit=500".to_owned(),
        "/jobs/@last".to_owned(),
        "/jobs/@last-failed".to_owned(),
        "/findings".to_owned(),
        "/findings?since=7d".to_owned(),
        format!("/jobs/{}/findings", text(&anns["id"])),
        "/suppressions".to_owned(),
        "/events".to_owned(),
    ];
    for list in lists {
        let reply = ann.get(&list);
        let told = reply.text().replace("blueberri", "…");
        for secret in [BOBS, "bob", job.as_str(), batch.as_str()] {
            assert!(!told.contains(secret), "{list}: {told}");
        }
    }
    let rows = |person: &Person<'_>| person.get("/jobs").wants(200).json()["jobs"].as_array().unwrap().len();
    assert_eq!((rows(&ann), rows(&bob)), (1, 1));
    // The newest job of all is Bob's.
    assert_eq!(ann.get("/jobs/@last").wants(200).json()["job"]["id"], anns["id"]);
    let all = server.get("/projects").wants(200).json();
    assert_eq!(all["projects"].as_array().unwrap().len(), 2, "an administrator sees both");
    assert_eq!(bob.get(&format!("/jobs/{job}")).wants(200).json()["job"]["status"], "failed");
}

#[test]
fn a_taken_name_is_a_conflict_whoever_has_it_and_a_free_one_is_found() {
    let (farm, remotes) = (Farm::new(), Remotes::new(&RECIPES));
    let server = remotes.serve(&farm, &[]);
    let (ann, bob) = (Person::new(&server, "ann"), Person::new(&server, "bob"));
    bob.add(BOBS).wants(201);
    let wanted = json!({ "git_url": Remotes::url(ANNS), "name": BOBS });
    let conflicts = [&ann, &bob].map(|person| person.send("POST", "/projects", &wanted).wants(409).text());
    assert_eq!(conflicts[0], conflicts[1]);
    // Of what Bob has, Ann learns nothing by not asking for a name.
    let mine = ann.add(BOBS).wants(201).json();
    assert_eq!((&mine["project"]["name"], &mine["project"]["owner"]), (&json!("blueberry-2"), &json!("ann")));
    // The same once more is a conflict with her own.
    let again = ann.add(BOBS).wants(409);
    assert!(again.text().contains("registered already, as blueberry-2"), "{again:?}");
    ann.ask("DELETE", "/projects/blueberry-2").wants(200);
    bob.get("/projects/blueberry").wants(200);
}

#[test]
fn a_server_fetches_from_elsewhere_only_and_from_hosts_that_it_may() {
    let (farm, remotes) = (Farm::new(), Remotes::new(&RECIPES));
    let server = remotes.serve(&farm, &[("CRAFTING_GIT_HOSTS", "git.example, *.inner.example")]);
    let ann = Person::new(&server, "ann");
    let folder = remotes.0[0].1.path().display().to_string();
    let refused = [
        folder.clone(),
        format!("file://{folder}"),
        "ext::sh -c true".to_owned(),
        "ftp://git.example/r".to_owned(),
        "--upload-pack=true".to_owned(),
        "ssh://-oProxyCommand=true/r".to_owned(),
        "https://user:password@git.example/r".to_owned(),
        "https://elsewhere.example/r".to_owned(),
        "git@elsewhere.example:r".to_owned(),
        "https://git.example.elsewhere.example/r".to_owned(),
    ];
    let file = support::recipe_file("other", &[("lint", "true")]);
    for url in &refused {
        // An administrator over HTTP is as far away as anybody else.
        for bearer in [&ann.bearer, &server.admin().unwrap()] {
            let body = json!({ "git_url": url });
            let reply = server.request("POST", "/projects").bearer(bearer).json(&body).send().wants(422);
            assert!(!reply.text().contains("user:password"), "{reply:?}");
            let form = json!({ "git_url": url, "root": ".", "suggested_name": "r", "text": file });
            let reply = server.request("PUT", "/checkouts").bearer(bearer).json(&form).send().wants(422);
            assert!(!reply.text().contains("user:password"), "{reply:?}");
        }
    }
    ann.add(ANNS).wants(201);
    for url in &refused {
        ann.send("PUT", "/projects/apricot", &json!({ "git_url": url })).wants(422);
    }
    let hint = ann.send("POST", "/projects", &json!({ "git_url": "https://elsewhere.example/r" })).json();
    assert_eq!(hint["detail"], "this server does not fetch from elsewhere.example");
    assert!(hint["hint"].as_str().unwrap().contains("git.example, *.inner.example"), "{hint}");
}

/// Answers every request there with this, and counts them.
fn answering(host: &str, head: String) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((host, 0)).unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let _ = client.read(&mut [0; 64 << 10]);
            count.fetch_add(1, Ordering::SeqCst);
            let _ = write!(client, "HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (address, asked)
}

#[test]
fn a_host_that_it_may_fetch_from_leads_it_to_no_other() {
    let (there, asked) = answering("127.0.0.2", "404 Not Found".to_owned());
    let leads = format!("302 Found\r\nLocation: http://{there}/r.git/info/refs?service=git-upload-pack");
    let (here, first) = answering("127.0.0.1", leads);
    let body = json!({ "git_url": format!("http://{here}/r.git") });
    let post = |hosts: &str| {
        let farm = Farm::new();
        farm.machine().serve_with(&[], &[("CRAFTING_GIT_HOSTS", hosts)]).post("/projects", &body)
    };
    let told = post("127.0.0.1").wants(422).json();
    assert!(told["hint"].as_str().unwrap().contains("CRAFTING_GIT_HOSTS"), "{told}");
    assert_eq!((first.load(Ordering::SeqCst) > 0, asked.load(Ordering::SeqCst)), (true, 0));
    // Where every host may be asked, it is asked.
    post("").wants(404);
    assert!(asked.load(Ordering::SeqCst) > 0);
}

#[test]
fn the_audit_trail_tells_who_did_what_and_outlives_it() {
    let (farm, remotes) = (Farm::new(), Remotes::new(&RECIPES));
    let server = remotes.serve(&farm, &[]);
    let ann = Person::new(&server, "ann");
    ann.add(ANNS).wants(201);
    let job = ann.lint(ANNS);
    ann.ask("DELETE", "/projects/apricot").wants(200);
    ann.get("/events").wants(403);
    let told = server.get("/events?project=apricot").wants(200);
    for bearer in [&ann.bearer, &server.admin().unwrap()] {
        assert!(!told.text().contains(bearer.as_str()), "{told:?}");
    }
    let events = told.json()["events"].as_array().unwrap().clone();
    let row = |event: &Value| {
        let part = |name: &str| event[name].as_str().unwrap_or("-").to_owned();
        (part("actor"), part("action"), part("phase"), part("object"))
    };
    let ann_did = |action: &str, phase: &str, object: &str| {
        ("ann".to_owned(), action.to_owned(), phase.to_owned(), object.to_owned())
    };
    let id = job["id"].as_str().unwrap();
    assert_eq!(
        events.iter().map(row).collect::<Vec<_>>(),
        [
            ann_did("project.remove", "completed", ANNS),
            ann_did("project.remove", "started", ANNS),
            ann_did("job.run", "completed", id),
            ann_did("job.run", "started", id),
            ann_did("project.add", "done", ANNS),
        ]
    );
    assert_eq!(events[4]["address"], "127.0.0.1");
    let minted = server.get("/events?object_kind=token&limit=1").wants(200).json();
    assert_eq!((&minted["events"][0]["object"], &minted["events"][0]["actor"]), (&json!("ann"), &json!("admin")));
    let cursor = events[1]["id"].as_i64().unwrap();
    let older = server.get(&format!("/events?project=apricot&before={cursor}&limit=2")).wants(200).json();
    assert_eq!(older["events"].as_array().unwrap(), &events[2..4]);
    for wrong in ["/events?limit=0", "/events?limit=501", "/events?since=1"] {
        server.get(wrong).wants(422);
    }
    // On the command line, on the server's machine and from elsewhere.
    let local = farm.crafting(["events", "-p", "apricot"]).output().success();
    let remotely = |arguments: &[&str], bearer: &str| {
        farm.call(arguments).env("CRAFTING_URL", server.url()).env("CRAFTING_TOKEN", bearer).output()
    };
    let remote = remotely(&["events", "-p", "apricot"], &server.admin().unwrap()).success();
    assert_eq!(local.stdout, remote.stdout);
    assert_eq!(local.stdout.lines().count(), 6, "{local}");
    let narrow = farm.crafting(["events"]).env("COLUMNS", "60").output().success();
    assert!(narrow.stdout.contains("token.mint"), "{narrow}");
    let denied = remotely(&["events"], &ann.bearer).exits(5);
    assert!(denied.stderr.contains("administrator"), "{denied}");
}

/// What a command line answered, without what differs from farm to farm.
fn answer(ran: &Ran) -> (i32, String, String) {
    let mut stdout = ran.stdout.clone();
    if let Ok(mut json) = serde_json::from_str::<Value>(&stdout) {
        without_times(&mut json);
        stdout = json.to_string();
    }
    let lines = stdout.lines().filter(|line| !line.starts_with("registered ") && !line.starts_with("changed "));
    // Said only of what takes long.
    let said = ran.stderr.split_inclusive('\n').filter(|line| !line.ends_with(" …\n"));
    (ran.code(), lines.collect::<Vec<_>>().join("\n"), said.collect())
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for name in ["created_at", "updated_at", "owner", "freed_bytes"] {
                members.remove(name);
            }
            members.values_mut().for_each(without_times);
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        _ => {}
    }
}

#[test]
fn the_project_commands_answer_alike_here_and_there() {
    let (here, there, remotes) = (Farm::new(), Farm::new(), Remotes::new(&RECIPES));
    let server = remotes.serve(&there, &[]);
    let bearer = server.mint("ann");
    let file = here.home().join("other.toml");
    std::fs::write(&file, support::recipe_file("shell", &[("build", "make")])).unwrap();
    let broken = here.home().join("broken.toml");
    std::fs::write(&broken, "[[subproject]]\npath = 'a'\ntset = 'x'\n").unwrap();
    let (file, broken) = (file.to_str().unwrap(), broken.to_str().unwrap());
    let (url, other) = (Remotes::url(ANNS), Remotes::url(BOBS));
    let calls: Vec<Vec<&str>> = vec![
        vec!["project", "list"],
        vec!["project", "show", "apricot"],
        vec!["project", "add", &url],
        vec!["project", "add", &url],
        vec!["project", "add", &other, "--name", "apricot"],
        vec!["project", "add", &other, "--branch", "nowhere"],
        vec!["project", "add", &other, "--name", "mine", "--file", file],
        vec!["project", "add", &other, "--file", broken],
        vec!["project", "add", "https://git.example/nothing/../x y"],
        vec!["project", "list"],
        vec!["project", "list", "--format", "json"],
        vec!["project", "show", "apricot"],
        vec!["project", "show", "apricot", "--format", "json"],
        vec!["project", "show", "aprikot"],
        vec!["project", "show", "aprikot", "--format", "json"],
        vec!["project", "update", "apricot", "--branch", "main"],
        vec!["project", "update", "apricot", "--branch", "main", "--format", "json"],
        vec!["project", "update", "mine", "--file", broken],
        vec!["project", "update", "nobody"],
        vec!["project", "remove", "mine"],
        vec!["project", "remove", "nobody", "--yes"],
        vec!["project", "remove", "mine", "--yes", "--format", "json"],
        vec!["project", "list", "--format", "json"],
    ];
    for call in calls {
        let mut local = here.call(&call);
        for (name, value) in remotes.variables() {
            local = local.env(&name, value);
        }
        let remote = here.call(&call).env("CRAFTING_URL", server.url()).env("CRAFTING_TOKEN", &bearer);
        let (local, remote) = (local.output(), remote.output());
        assert_eq!(answer(&local), answer(&remote), "{local}\n{remote}");
    }
}

#[test]
fn a_checkout_is_registered_from_where_it_is() {
    let (here, there) = (Farm::new(), Farm::new());
    let server = there.machine().serve();
    let bearer = server.mint("ann");
    let repo = Repo::of_recipes(&[("test", "true")]);
    let call = |arguments: &[&str]| {
        let call = here.call(arguments).in_dir(repo.path());
        call.env("CRAFTING_URL", server.url()).env("CRAFTING_TOKEN", &bearer).output()
    };
    let unknown = call(&["project", "show"]).exits(4);
    assert!(unknown.stderr.contains("belongs to no registered project"), "{unknown}");
    let added = call(&["project", "add", ".", "--name", "mine", "--format", "json"]).success().json();
    assert_eq!((&added["project"]["name"], &added["project"]["owner"]), (&json!("mine"), &json!("ann")));
    let again = call(&["project", "add"]).exits(2);
    assert!(again.stderr.contains("this checkout is registered already, as mine"), "{again}");
    let shown = call(&["project", "show", "--format", "json"]).success().json();
    assert_eq!(shown["project"]["git_url"], added["project"]["git_url"]);
}
