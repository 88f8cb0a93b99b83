//! The server as its callers meet it first: it opens a port, answers, ends, and comes back with the same data.

mod support;

use support::{Farm, Repo};

#[test]
fn it_answers_and_comes_back_with_the_same_data() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", "true")]);
    farm.crafting(["project", "add", "--name", "mine"]).in_dir(repo.path()).output().success();
    let mut server = farm.machine().serve();
    let projects = server.get("/projects").wants(200).json();
    assert_eq!(projects["projects"][0]["name"], "mine");
    server.kill();
    let mut server = server.again();
    assert_eq!(server.get("/projects").wants(200).json(), projects);
    server.stop();
}
