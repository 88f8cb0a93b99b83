//! Who may ask what: every route of the OpenAPI document, asked by everybody there is.

mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use support::{Farm, Machine, Reply, Repo, Request, Server, wait_until};

/// Whom a route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    /// Whoever is on the network.
    Everybody,
    /// Whoever has a bearer; the answer has what they own.
    Bearers,
    /// The owner of what the path names, and administrators.
    Owner,
    /// Administrators.
    Admin,
}
use For::{Admin, Bearers, Everybody, Owner};

/// One route, as the table asks for it.
struct Row {
    method: &'static str,
    /// As in the document.
    path: &'static str,
    who: For,
    /// What stands for the path's variable parts, and a query.
    target: &'static str,
    body: &'static str,
    kind: &'static str,
    /// The answer to those whom it is for.
    good: u16,
}

const JSON: &str = "application/json";

const fn row(method: &'static str, path: &'static str, who: For, target: &'static str, good: u16) -> Row {
    Row { method, path, who, target, body: "", kind: JSON, good }
}

impl Row {
    const fn with(self, body: &'static str) -> Self {
        Self { body, ..self }
    }

    const fn of_kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }
}

/// A checkout that nobody has yet; each asker has one of their own.
const CHECKOUT: &str = r#"{"git_url":"checkout://far/srv/WHO","root":".","suggested_name":"of-WHO",
    "text":"[[subproject]]\npath = \".\"\n[subproject.recipes]\ntest = \"true\"\n"}"#;

/// The routes that the document leaves out: those that lead to it.
const UNDOCUMENTED: [&str; 3] = ["GET /", "GET /docs", "GET /openapi.json"];

/// Every route. `JOB`, `BATCH` and `SHA` stand for those of the project `mine`, `WHO` for who asks, and
/// `HEIR`, `UPPER` and `FINDING` for what is there once for each that may take it away.
fn table() -> Vec<Row> {
    vec![
        row("GET", "/", Everybody, "/", 307),
        row("GET", "/docs", Everybody, "/docs", 200),
        row("GET", "/openapi.json", Everybody, "/openapi.json", 200),
        row("GET", "/healthz", Everybody, "/healthz", 200),
        row("GET", "/metrics", Everybody, "/metrics", 200),
        row("GET", "/admin/tokens", Admin, "/admin/tokens", 200),
        row("POST", "/admin/tokens", Admin, "/admin/tokens", 200).with(r#"{"name":"new"}"#),
        row("DELETE", "/admin/tokens/{name}", Admin, "/admin/tokens/spare", 200),
        row("GET", "/events", Admin, "/events", 200),
        row("GET", "/findings", Bearers, "/findings", 200),
        row("GET", "/findings", Owner, "/findings?project=mine", 200),
        row("GET", "/jobs/{id}/findings", Owner, "/jobs/JOB/findings", 200),
        row("GET", "/suppressions", Bearers, "/suppressions", 200),
        row("GET", "/suppressions", Owner, "/suppressions?project=mine", 200),
        row("POST", "/suppressions", Owner, "/suppressions", 200)
            .with(r#"{"findings":["FINDING"],"reason":"ours","project":"mine"}"#),
        row("DELETE", "/suppressions", Owner, "/suppressions?finding=FINDING&project=mine", 200),
        row("GET", "/projects", Bearers, "/projects", 200),
        // Nobody answers there.
        row("POST", "/projects", Bearers, "/projects", 422).with(r#"{"git_url":"https://127.0.0.1:1/none.git"}"#),
        row("PUT", "/projects/{name}", Owner, "/projects/mine", 200).with("{}"),
        row("DELETE", "/projects/{name}", Owner, "/projects/spare-HEIR", 200),
        row("GET", "/projects/{name}", Owner, "/projects/mine", 200),
        row("POST", "/projects/{name}/jobs", Owner, "/projects/mine/jobs", 201).with(r#"{"recipe":"test"}"#),
        row("POST", "/projects/{name}/known", Owner, "/projects/mine/known", 200).with(r#"{"commits":[]}"#),
        // No pack, but that is only seen by who may send one.
        row("POST", "/projects/{name}/packs", Owner, "/projects/mine/packs?commit=SHA", 422)
            .with("no pack")
            .of_kind("application/x-git-pack"),
        row("GET", "/projects/{name}/secrets", Owner, "/projects/mine/secrets", 200),
        row("PUT", "/projects/{name}/secrets/{secret}", Owner, "/projects/mine/secrets/KEY", 200)
            .with(r#"{"value":"hunter2hunter2"}"#),
        row("DELETE", "/projects/{name}/secrets/{secret}", Owner, "/projects/mine/secrets/OF_UPPER", 200),
        row("PUT", "/checkouts", Bearers, "/checkouts", 200).with(CHECKOUT),
        row("GET", "/jobs", Bearers, "/jobs", 200),
        row("GET", "/jobs", Owner, "/jobs?project=mine", 200),
        row("GET", "/jobs/{id}", Owner, "/jobs/JOB", 200),
        row("POST", "/jobs/{id}/cancel", Owner, "/jobs/JOB/cancel", 200),
        row("DELETE", "/jobs/{id}", Owner, "/jobs/JOB", 200),
        row("POST", "/jobs/{id}/retry", Owner, "/jobs/JOB/retry", 201),
        row("GET", "/jobs/{id}/events", Owner, "/jobs/JOB/events", 200),
        row("GET", "/jobs/{id}/log", Owner, "/jobs/JOB/log", 200),
        row("GET", "/batches/{id}/events", Owner, "/batches/BATCH/events", 200),
        row("GET", "/batches/{id}", Owner, "/batches/BATCH", 200),
        row("POST", "/batches/{id}/cancel", Owner, "/batches/BATCH/cancel", 200),
    ]
}

/// Somebody who asks.
#[derive(Clone, Debug)]
struct Asker {
    name: &'static str,
    /// The header that they show, if any.
    authorization: Option<String>,
    from: &'static str,
}

/// Where those who ask are, unless their place is the point.
const HOME: &str = "127.0.0.1";
/// On the machine, but not on the server's list.
const OUTSIDE: &str = "127.0.0.66";
/// Who `elsewhere` may be.
const ELSEWHERE: &str = "127.0.0.7/32";
/// A proxy that the server trusts.
const PROXY: &str = "127.0.0.3";
const LAN: &str = "127.0.0.0/28,10.0.0.0/8";

/// Two servers with the same tokens. `with` has what `owner` owns; for `without` it never was.
struct Scene {
    with: Server,
    without: Server,
    askers: Vec<Asker>,
    job: String,
    batch: String,
    /// The findings of the job: one for each of those who take away.
    findings: [String; 2],
    _farms: [Farm; 2],
    _repos: [Repo; 4],
}

impl Scene {
    fn new() -> Self {
        let (farm, bare) = (Farm::new(), Farm::new());
        let mint = |name: &str, more: &[&str]| {
            let ran = farm.call(&[&["token", "mint", name], more].concat()).output().success();
            ran.stdout.trim().to_owned()
        };
        let bearers = [
            ("expired", mint("expired", &["--expires", "1s"])),
            ("revoked", mint("revoked", &[])),
            ("reader", mint("reader", &["--scope", "read"])),
            ("auditor", mint("auditor", &["--admin", "--scope", "read"])),
            ("elsewhere", mint("elsewhere", &["--admin", "--cidr", ELSEWHERE, "--cidr", "10.9.0.0/16"])),
            ("other", mint("other", &[])),
            ("owner", mint("owner", &[])),
            ("admin", mint("boss", &["--admin"])),
        ];
        mint("spare", &[]);
        farm.crafting(["token", "revoke", "revoked"]).output().success();
        let compile = "echo 'a.c:3:5: error: broken [-Wbroken]'; echo 'b.c:7:9: error: worn out [-Wworn-out]'";
        let file = support::recipe_file("c", &[("test", compile)]);
        let repos = [(); 4].map(|()| Repo::with(&[("crafting.toml", &file)]));
        let add = |name: &str, repo: &Repo| {
            farm.crafting(["project", "add", "--name", name]).in_dir(repo.path()).output().success();
            let job = farm.run(repo, ["test"]).success().json()["jobs"][0].clone();
            let owner = if name == "theirs" { "other" } else { "owner" };
            let ledger = rusqlite::Connection::open(farm.data().join("ledger.db")).unwrap();
            ledger.execute("UPDATE projects SET owner = ?2 WHERE name = ?1", (name, owner)).unwrap();
            ledger.execute("UPDATE jobs SET owner = ?2 WHERE project = ?1", (name, owner)).unwrap();
            job
        };
        add("theirs", &repos[0]);
        farm.wait_until("a token has expired", || {
            let tokens = farm.crafting(["token", "list"]).output().success().stdout;
            tokens.lines().any(|line| line.starts_with("expired ") && line.contains(" expired "))
        });
        let copied = std::process::Command::new("cp").arg("-r").arg(farm.data()).arg(bare.data()).status().unwrap();
        assert!(copied.success());
        let job = add("mine", &repos[1]);
        for secret in ["OF_OWNER", "OF_ADMIN"] {
            let value = farm.home().join("value");
            std::fs::write(&value, "hunter2hunter2").unwrap();
            let from = value.to_str().unwrap();
            farm.crafting(["secret", "set", secret, "-p", "mine", "--from", from]).output().success();
        }
        add("spare-owner", &repos[2]);
        add("spare-admin", &repos[3]);
        let askers = Self::askers(&bearers);
        Self {
            with: serve(&farm.machine()),
            without: serve(&bare.machine()),
            askers,
            job: job["id"].as_str().unwrap().to_owned(),
            batch: job["batch_id"].as_str().unwrap().to_owned(),
            findings: [0, 1].map(|number| job["findings"][number]["fingerprint"].as_str().unwrap().to_owned()),
            _farms: [farm, bare],
            _repos: repos,
        }
    }

    fn askers(bearers: &[(&'static str, String)]) -> Vec<Asker> {
        let shown = |name: &'static str, authorization: &str| Asker {
            name,
            authorization: Some(authorization.to_owned()),
            from: HOME,
        };
        let admin = &bearers.last().unwrap().1;
        let mut askers = vec![
            Asker { name: "nobody", authorization: None, from: HOME },
            shown("malformed", "Bearer ct_short"),
            shown("malformed", &format!("Basic {admin}")),
            shown("malformed", admin),
            shown("malformed", &format!("Bearer {admin} {admin}")),
            shown("malformed", "Bearer"),
            shown("unknown", &format!("Bearer ct_{}", "A".repeat(43))),
            Asker { name: "outside", authorization: Some(format!("Bearer {admin}")), from: OUTSIDE },
            Asker { name: "outside", authorization: None, from: OUTSIDE },
        ];
        askers.extend(bearers.iter().map(|(name, bearer)| shown(name, &format!("Bearer {bearer}"))));
        askers
    }

    fn asker(&self, name: &str) -> &Asker {
        self.askers.iter().find(|asker| asker.name == name).unwrap()
    }

    /// The row's request by somebody.
    fn ask(&self, server: &Server, row: &Row, asker: &Asker) -> Reply {
        let sha = "0123456789".repeat(4);
        let (heir, finding) = match asker.name {
            "admin" => ("admin", &self.findings[1]),
            _ => ("owner", &self.findings[0]),
        };
        let fill = |text: &str| {
            let text = text.replace("JOB", &self.job).replace("BATCH", &self.batch).replace("FINDING", finding);
            text.replace("SHA", &sha)
                .replace("WHO", asker.name)
                .replace("HEIR", heir)
                .replace("UPPER", &heir.to_uppercase())
        };
        let target = fill(row.target);
        let mut request = asker.request(server, row.method, &target);
        if !row.body.is_empty() {
            request = request.header("Content-Type", row.kind).body(fill(row.body));
        }
        request.send()
    }
}

fn serve(machine: &Machine) -> Server {
    let variables = [
        ("CRAFTING_LAN_CIDRS", LAN),
        ("CRAFTING_TRUSTED_PROXIES", PROXY),
        ("CRAFTING_RATE_LIMIT", "0"),
        ("CRAFTING_FAILURE_LIMIT", "0"),
    ];
    machine.serve_with(&[], &variables)
}

impl Asker {
    fn request(&self, server: &Server, method: &str, target: &str) -> Request {
        let request = server.request(method, target).without_bearer().from(self.from.parse().unwrap());
        match &self.authorization {
            Some(authorization) => request.header("Authorization", authorization),
            None => request,
        }
    }

    /// The status that they are to get.
    fn due(&self, row: &Row) -> u16 {
        let looks = row.method == "GET";
        match (self.name, row.who) {
            ("outside", _) => 403,
            (_, Everybody) => row.good,
            ("nobody" | "malformed" | "unknown" | "revoked" | "expired", _) => 401,
            ("elsewhere", _) => 403,
            ("reader" | "auditor", _) if !looks => 403,
            ("admin" | "auditor", _) | (_, Bearers) => row.good,
            ("owner" | "other" | "reader", Admin) => 403,
            ("owner", Owner) => row.good,
            ("other" | "reader", Owner) => 404,
            (name, who) => panic!("nobody has said what {name} gets of {who:?}"),
        }
    }
}

/// An answer without what differs from one to the next by nature.
fn bare(reply: &Reply) -> (u16, Vec<(String, String)>, String) {
    let varies = |name: &str| ["date", "x-request-id"].contains(&name);
    let headers = reply.headers.iter().filter(|(name, _)| !varies(name)).cloned().collect();
    (reply.status, headers, reply.text())
}

#[test]
fn every_route_knows_whom_it_is_for() {
    let scene = Scene::new();
    let table = table();
    let mut wrong = Vec::new();

    // The document and the table name the same routes.
    let document = scene.asker("admin").request(&scene.with, "GET", "/openapi.json").send().wants(200).json();
    let covered: BTreeSet<String> = table.iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    let documented = routes(&document);
    wrong.extend(documented.difference(&covered).map(|route| format!("{route} is not in the table")));
    let covered =
        covered.iter().filter(|route| !UNDOCUMENTED.contains(&route.as_str())).cloned().collect::<BTreeSet<_>>();
    wrong.extend(covered.difference(&documented).map(|route| format!("{route} is not in the document")));

    // Those who may not come first: nothing that they do may change what the others see. They look once more afterwards:
    // what was answered to others in between is not for them.
    let may = |asker: &Asker, row: &Row| asker.due(row) == row.good;
    for (allowed, looks_only) in [(false, false), (true, false), (false, true)] {
        for row in table.iter().filter(|row| !looks_only || row.method == "GET") {
            let mut strangers = BTreeSet::new();
            for asker in scene.askers.iter().filter(|asker| may(asker, row) == allowed) {
                let (reply, due) = (scene.ask(&scene.with, row, asker), asker.due(row));
                if row.who == Bearers && allowed && row.method != "GET" {
                    // What they own themselves is the same on both.
                    scene.ask(&scene.without, row, asker);
                }
                let what = format!("{} {} by {asker:?}", row.method, row.target);
                if reply.status != due {
                    wrong.push(format!("{what}: {} instead of {due}: {}", reply.status, reply.text()));
                    continue;
                }
                if due >= 400 {
                    let problem = reply.json();
                    if problem["ok"] != Value::Bool(false) || problem["status"] != due {
                        wrong.push(format!("{what}: no problem: {problem}"));
                    }
                    if reply.header("content-type") != Some("application/problem+json") {
                        wrong.push(format!("{what}: {:?}", reply.header("content-type")));
                    }
                }
                if due == 401 {
                    if reply.header("www-authenticate") != Some("Bearer") {
                        wrong.push(format!("{what}: no WWW-Authenticate"));
                    }
                    strangers.insert(bare(&reply));
                }
                if due == 404 && ["other", "reader"].contains(&asker.name) {
                    let missing = scene.ask(&scene.without, row, asker);
                    if bare(&reply) != bare(&missing) {
                        wrong.push(format!("{what}: {:?} differs from {:?}", bare(&reply), bare(&missing)));
                    }
                }
            }
            if strangers.len() > 1 {
                wrong.push(format!("{} {}: strangers are told apart: {strangers:?}", row.method, row.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// `GET /jobs` and so on, of an OpenAPI document.
fn routes(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |path: &Value| path.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let is_method = |key: &String| ["get", "put", "post", "delete", "patch", "head"].contains(&key.as_str());
    let of = |(path, item): (&String, &Value)| {
        let keys = methods(item).into_iter().filter(is_method);
        keys.map(|method| format!("{} {path}", method.to_uppercase())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn a_list_has_only_what_its_reader_owns() {
    let scene = Scene::new();
    for (asker, projects) in [
        ("owner", &["mine", "spare-admin", "spare-owner"][..]),
        ("other", &["theirs"]),
        ("reader", &[]),
        ("admin", &["mine", "spare-admin", "spare-owner", "theirs"]),
    ] {
        let asker = scene.asker(asker);
        let list = |target: &str, key: &str, name: &str| {
            let answer = asker.request(&scene.with, "GET", target).send().wants(200).json();
            let rows = answer[key].as_array().unwrap().iter().map(|row| row[name].as_str().unwrap().to_owned());
            rows.collect::<BTreeSet<String>>()
        };
        let wanted: BTreeSet<String> = projects.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(list("/projects", "projects", "name"), wanted, "{asker:?}");
        assert_eq!(list("/jobs", "jobs", "project"), wanted, "{asker:?}");
    }
}

#[test]
fn only_a_trusted_proxy_says_where_somebody_is() {
    let scene = Scene::new();
    let ask = |name: &str, from: &str, forwarded: &[&str]| {
        let asker = Asker { from: Box::leak(from.to_owned().into_boxed_str()), ..scene.asker(name).clone() };
        let request = asker.request(&scene.with, "GET", "/projects");
        forwarded.iter().fold(request, |request, line| request.header("X-Forwarded-For", line)).send().status
    };
    for (name, from, forwarded, status) in [
        // Through the proxy counts who stands behind it.
        ("admin", PROXY, &["8.8.8.8"][..], 403),
        ("admin", PROXY, &["10.0.0.1"], 200),
        ("elsewhere", PROXY, &["10.9.1.1"], 200),
        ("elsewhere", PROXY, &["::ffff:10.9.1.1"], 200),
        ("elsewhere", PROXY, &["10.8.1.1"], 403),
        ("elsewhere", PROXY, &["10.9.1.1, 10.8.1.1"], 403),
        ("elsewhere", PROXY, &["10.9.1.1", "10.8.1.1"], 403),
        ("elsewhere", PROXY, &["10.8.1.1, 10.9.1.1, 127.0.0.3"], 200),
        ("elsewhere", PROXY, &[], 403),
        ("admin", PROXY, &["10.0.0.1, what"], 403),
        ("admin", PROXY, &[""], 403),
        // Whoever is no proxy may say what they like.
        ("elsewhere", HOME, &["10.9.1.1"], 403),
        ("admin", HOME, &["8.8.8.8"], 200),
        ("admin", OUTSIDE, &["10.0.0.1"], 403),
        ("elsewhere", "127.0.0.7", &[], 200),
    ] {
        assert_eq!(ask(name, from, forwarded), status, "{name} from {from} by way of {forwarded:?}");
    }
}

#[test]
fn a_header_twice_is_no_header() {
    let scene = Scene::new();
    let admin = scene.asker("admin");
    let authorization = admin.authorization.clone().unwrap();
    let twice = admin.request(&scene.with, "GET", "/projects").header("Authorization", &authorization);
    assert_eq!(twice.send().status, 401);
    let small = authorization.replace("Bearer", "bearer");
    let request = scene.with.request("GET", "/projects").without_bearer().header("Authorization", &small);
    assert_eq!(request.send().status, 200);
    wait_until("the use is noted", String::new, || {
        let tokens = admin.request(&scene.with, "GET", "/admin/tokens").send().wants(200).json();
        let rows = tokens["tokens"].as_array().unwrap();
        rows.iter().any(|token| token["name"] == "boss" && token["last_used_at"].is_number())
    });
}
