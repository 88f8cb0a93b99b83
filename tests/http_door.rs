//! The server's door: tokens from minting to revocation, limits, and what a broken request is told.

mod support;

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use support::{Farm, Reply, Server};

/// Reads a token's list by its bearer.
fn asks(server: &Server, bearer: &str) -> Reply {
    server.request("GET", "/projects").bearer(bearer).send()
}

#[test]
fn the_first_start_leaves_a_bearer_that_only_its_owner_can_read() {
    let farm = Farm::new();
    let file = farm.data().join("admin-bearer.txt");
    let mut server = farm.machine().serve();
    assert!(server.stderr().contains("admin-bearer.txt"), "{}", server.stderr());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let bearer = server.admin().unwrap();
    assert_eq!((&bearer[..3], bearer.len()), ("ct_", 46));
    assert_eq!(asks(&server, &bearer).status, 200);
    server.kill();
    let mut server = server.again();
    assert_eq!((server.admin(), asks(&server, &bearer).status), (Some(bearer.clone()), 200));

    // Without the file there is nothing to do as long as there is an administrator.
    server.kill();
    std::fs::remove_file(&file).unwrap();
    let mut server = server.again();
    assert_eq!((server.admin(), asks(&server, &bearer).status), (None, 200));

    // When the last one goes, which only the terminal can do, the next start mints another.
    farm.crafting(["token", "revoke", "admin"]).output().success();
    assert_eq!(asks(&server, &bearer).status, 401);
    server.kill();
    let mut server = server.again();
    let next = server.admin().unwrap();
    assert_ne!(next, bearer);
    assert_eq!((asks(&server, &next).status, asks(&server, &bearer).status), (200, 401));

    // A file that the ledger does not know is left alone and told of.
    server.kill();
    farm.crafting(["token", "revoke", "admin"]).output().success();
    let mut server = server.again();
    assert_eq!((server.admin(), asks(&server, &next).status), (Some(next), 401));
    assert!(server.stderr().contains("nobody can mint tokens over HTTP"), "{}", server.stderr());
    // A start that was killed before the ledger knew the bearer.
    server.kill();
    std::fs::rename(&file, farm.data().join("admin-bearer.txt.new")).unwrap();
    let server = server.again();
    assert_eq!(asks(&server, &server.admin().unwrap()).status, 200);
    assert!(!farm.data().join("admin-bearer.txt.new").exists());
}

#[test]
fn a_token_lives_the_same_here_and_over_http() {
    let farm = Farm::new();
    let server = farm.machine().serve();
    let admin = format!("@{}", farm.data().join("admin-bearer.txt").display());
    for remote in [false, true] {
        let call = |arguments: &[&str]| match remote {
            true => farm.call(arguments).env("CRAFTING_URL", server.url()).env("CRAFTING_TOKEN", &admin).output(),
            false => farm.call(arguments).output(),
        };
        let name = if remote { "far" } else { "near" };
        let minted = call(&["token", "mint", name, "--cidr", "127.0.0.0/8", "--scope", "read", "--expires", "30d"]);
        let minted = minted.success();
        let bearer = minted.stdout.trim_end();
        assert_eq!((minted.stdout.lines().count(), bearer.len()), (1, 46), "{minted}");
        assert!(minted.stderr.contains(name) && !minted.stderr.contains(bearer), "{minted}");
        assert_eq!(asks(&server, bearer).status, 200);

        let again = call(&["token", "mint", name]).exits(2);
        assert!(again.stderr.contains(&format!("there is an active token {name} already")), "{again}");
        let list = call(&["token", "list", "--format", "json"]).success().json();
        let row = list["tokens"].as_array().unwrap().iter().find(|token| token["name"] == name).unwrap();
        assert_eq!((&row["scope"], &row["ip_cidrs"]), (&json!("read"), &json!(["127.0.0.0/8"])));
        assert!(!list.to_string().contains(bearer) && !list.to_string().contains("digest"), "{list}");
        assert!(call(&["token", "list"]).success().stdout.contains("127.0.0.0/8"));

        assert_eq!(call(&["token", "revoke", name]).success().stdout, format!("revoked {name}\n"));
        assert_eq!(asks(&server, bearer).status, 401);
        let unknown = call(&["token", "revoke", &format!("{name}r")]).exits(4);
        assert!(unknown.stderr.contains(&format!("did you mean {name}?")), "{unknown}");
        // The name is free again, and the old bearer stays dead.
        let next = call(&["token", "mint", name, "--format", "json"]).success().json();
        assert_eq!((&next["token"]["name"], asks(&server, bearer).status), (&json!(name), 401));
        let next = next["bearer"].as_str().unwrap();
        assert_eq!(asks(&server, next).status, 200);
        // Those who are no administrators.
        let refused = farm.crafting(["token", "list"]).env("CRAFTING_URL", server.url()).env("CRAFTING_TOKEN", next);
        refused.output().exits(5);
    }
    let nobody = farm.crafting(["token", "list"]).env("CRAFTING_URL", server.url()).output().exits(5);
    assert!(nobody.stderr.contains("there is no valid bearer"), "{nobody}");
    // The last administrator's goes from the terminal alone.
    assert_eq!(server.delete("/admin/tokens/admin").status, 409);
    farm.crafting(["token", "revoke", "admin"]).output().success();
    assert_eq!(server.get("/projects").status, 401);
}

#[test]
fn a_token_that_another_process_revokes_is_dead_when_that_has_ended() {
    let farm = Farm::new();
    let server = farm.machine().serve();
    for _ in 0..10 {
        let bearer = farm.crafting(["token", "mint", "short"]).output().success().stdout;
        // Twice: the second is answered out of memory.
        assert_eq!([(); 2].map(|()| asks(&server, bearer.trim()).status), [200; 2]);
        farm.crafting(["token", "revoke", "short"]).output().success();
        assert_eq!(asks(&server, bearer.trim()).status, 401);
    }
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let farm = Farm::new();
    let server = farm.machine().serve_with(&[], &[("CRAFTING_RATE_LIMIT", "4"), ("CRAFTING_FAILURE_LIMIT", "2")]);
    let number = |reply: &Reply, name: &str| reply.header(name).and_then(|text| text.parse::<u64>().ok());
    let eager = server.mint("eager");
    for left in (0..4).rev() {
        let reply = asks(&server, &eager).wants(200);
        assert_eq!(number(&reply, "RateLimit-Limit"), Some(4));
        assert_eq!(number(&reply, "RateLimit-Remaining"), Some(left));
        assert!(number(&reply, "RateLimit-Reset").is_some_and(|seconds| (1..=60).contains(&seconds)), "{reply:?}");
        assert_eq!(reply.header("Retry-After"), None);
    }
    let refused = asks(&server, &eager).wants(429);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert_eq!((&refused.json()["ok"], &refused.json()["code"]), (&json!(false), &json!("rate_limited")));
    assert_eq!(number(&refused, "RateLimit-Remaining"), Some(0));
    assert!(number(&refused, "Retry-After").is_some_and(|seconds| (1..=15).contains(&seconds)), "{refused:?}");
    let called = farm.crafting(["project", "list"]).env("CRAFTING_URL", server.url()).env("CRAFTING_TOKEN", &eager);
    assert!(called.output().exits(3).stderr.contains("too many requests"));

    // Others are not touched, of the same address though they are.
    let wrong = format!("ct_{}", "A".repeat(43));
    assert_eq!([(); 4].map(|()| asks(&server, &wrong).status), [401, 401, 429, 429]);
    assert_eq!(server.get("/projects").status, 200);
    assert_eq!(server.request("GET", "/healthz").without_bearer().send().status, 200);
}

#[test]
fn a_broken_request_is_told_what_is_wrong_with_it() {
    let farm = Farm::new();
    let server = farm.machine().serve();
    let post = |body: &str| {
        server.request("POST", "/admin/tokens").header("Content-Type", "application/json").body(body).send()
    };
    let field = |reply: &Reply| {
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{reply:?}");
        let problem = reply.json();
        assert_eq!((&problem["ok"], &problem["status"]), (&json!(false), &json!(reply.status)), "{problem}");
        for member in ["type", "title", "detail"] {
            assert!(problem[member].is_string(), "{problem}");
        }
        problem["errors"][0]["field"].as_str().map(str::to_owned)
    };
    for (body, status, wrong) in [
        (r#"{"name":"a","colour":"red"}"#, 422, Some("colour")),
        ("{}", 422, Some("name")),
        (r#"{"name":"../x"}"#, 422, Some("name")),
        (r#"{"name":"a","ip_cidrs":["10.0.0.0/8","all"]}"#, 422, Some("ip_cidrs[1]")),
        (r#"{"name":"a","is_admin":"yes"}"#, 422, Some("is_admin")),
        (r#"{"name":"a","scope":"all"}"#, 422, Some("scope")),
        (r#"{"name":"a","name":"b"}"#, 422, Some("name")),
        (r#"["a"]"#, 422, Some("")),
        (r#""a""#, 422, Some("")),
        (r#"{"name":"a""#, 400, None),
        ("", 400, None),
        ("\u{0}", 400, None),
        (r#"{"name":"a","expires_at":1.5}"#, 422, None),
    ] {
        let reply = post(body);
        assert_eq!((reply.status, field(&reply).as_deref()), (status, wrong), "{body}: {}", reply.text());
    }
    assert_eq!(field(&post(&"x".repeat((1 << 20) + 1)).wants(413)), None);
    let plain = server.request("POST", "/admin/tokens").header("Content-Type", "text/plain").body("{}").send();
    assert_eq!(field(&plain.wants(415)), None);
    assert_eq!(field(&server.delete("/admin/tokens/A%20B").wants(422)).as_deref(), Some("name"));
    assert_eq!(field(&server.delete("/admin/tokens/%ff").wants(422)).as_deref(), Some("name"));
    assert_eq!(field(&server.get("/jobs?limit=many").wants(422)).as_deref(), Some("limit"));
    assert_eq!(field(&server.get("/jobs?what=1").wants(422)).as_deref(), Some("what"));
    assert_eq!(field(&server.get("/nowhere").wants(404)), None);
    let method = server.request("PATCH", "/projects").send().wants(405);
    assert_eq!(field(&method), None);
    assert!(method.header("Allow").is_some_and(|allow| allow.contains("GET")), "{method:?}");
    let refused: Value = server.request("GET", "/nowhere").without_bearer().send().wants(401).json();
    assert_eq!(refused["code"], "unauthorized");
}

#[test]
fn a_fault_tells_its_id_and_nothing_else() {
    let farm = Farm::new();
    let server = farm.machine().serve();
    let bearer = server.mint("somebody");
    let ledger = rusqlite::Connection::open(farm.data().join("ledger.db")).unwrap();
    ledger.execute("UPDATE tokens SET ip_cidrs = 'broken' WHERE name = 'somebody'", []).unwrap();
    let reply = asks(&server, &bearer).wants(500);
    let id = reply.header("x-request-id").unwrap();
    assert!(reply.text().contains(id), "{reply:?}");
    let data = farm.data().display().to_string();
    assert!(!reply.text().contains(&data) && !reply.text().contains("ledger.db"), "{}", reply.text());
}
