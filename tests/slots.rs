//! Slots as a user meets them: warm, but never with anything of the job before that is not meant to be kept.

mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use support::Repo;
use support::command::{Answer, Crafting, recipes};

/// Everything in the tree but git's own objects and index, with type, permissions and content.
const LOOK: &str = r#"pwd -P > "$CRAFTING_TEST_HOME/slot"
find . \( -path ./.git/objects -o -path ./.git/index \) -prune -o -printf '%p %y %m %l\n' | sort
find . \( -path ./.git/objects -o -path ./.git/index \) -prune -o -type f -print0 | sort -z | xargs -0 sha1sum
git status --porcelain --ignored && git log --format=%H -1"#;

/// A project whose recipe `soil` is to leave no trace for the recipe `look`.
struct Soiled {
    crafting: Crafting,
    repo: Repo,
}

impl Soiled {
    fn by(soil: &str) -> Self {
        let crafting = Crafting::new();
        let place = format!("CRAFTING_TEST_HOME={}\n", crafting.home().display());
        let soil = format!("{place}pwd -P > \"$CRAFTING_TEST_HOME/soiled\"\n{soil}");
        let repo = Repo::with(&[
            ("crafting.toml", &recipes(&[("soil", &soil), ("look", &format!("{place}{LOOK}"))])),
            (".gitignore", "*.o\ncache/\ntarget/\n"),
            ("a.txt", "a\n"),
            ("run.sh", "#!/bin/sh\n"),
            ("sub/b.txt", "b\n"),
            ("sub/deep/c.txt", "c\n"),
        ]);
        repo.executable("run.sh");
        std::os::unix::fs::symlink("a.txt", repo.path().join("link")).unwrap();
        repo.commit("a link and a script");
        Self { crafting, repo }
    }

    fn run(&self, args: &[&str]) -> Answer {
        self.crafting.args(["job", "run"]).more(args).dir(self.repo.path()).run()
    }

    /// What `look` printed.
    fn look(&self, args: &[&str]) -> String {
        self.run(&[&["look"], args].concat()).wants(0);
        let log = self.crafting.args(["job", "log"]).dir(self.repo.path()).run();
        log.wants(0);
        log.stdout
    }

    fn slot(&self, which: &str) -> String {
        fs::read_to_string(self.crafting.home().join(which)).unwrap()
    }

    /// The job after `soil` sees what a job in an empty folder would see.
    fn leaves_nothing(&self) {
        self.run(&["soil"]).wants(0);
        let warm = self.look(&[]);
        assert_eq!(self.slot("slot"), self.slot("soiled"), "this says nothing of another slot");
        let fresh = self.look(&["--fresh"]);
        assert_eq!(warm, fresh);
        assert!(fresh.contains("./sub/deep/c.txt f 644"), "{fresh}");
    }
}

#[test]
fn tracked_files_are_as_committed() {
    Soiled::by(
        "echo changed >> a.txt; chmod 755 sub/b.txt; chmod 644 run.sh; rm sub/deep/c.txt; rm link; ln -s /etc link",
    )
    .leaves_nothing();
}

#[test]
fn tracked_files_that_became_something_else_are_files_again() {
    Soiled::by("rm -r sub a.txt; echo file > sub; mkdir a.txt; echo in > a.txt/in; rm run.sh; mkfifo run.sh")
        .leaves_nothing();
}

#[test]
fn a_change_that_hides_behind_its_times_is_seen() {
    // Same size, same modification time, same inode.
    Soiled::by("touch -r a.txt time; printf 'z\\n' > a.txt; touch -r time a.txt; rm time").leaves_nothing();
}

#[test]
fn untracked_and_ignored_files_are_gone() {
    Soiled::by(
        "echo x > new; mkdir -p new2/deep cache/x; echo x > new2/deep/f; echo x > a.o; echo x > cache/x/y; \
         echo x > sub/.hidden; echo x > 'a name\twith\nall'; mkfifo pipe; ln -s / everything",
    )
    .leaves_nothing();
}

#[test]
fn read_only_files_and_folders_do_not_hold() {
    Soiled::by(
        "echo x > new; chmod 444 new; mkdir -p ro/deep; echo x > ro/deep/f; chmod 555 ro/deep ro; \
         echo y > a.txt; chmod 444 a.txt; chmod 555 sub",
    )
    .leaves_nothing();
}

#[test]
fn folders_without_permissions_do_not_hold() {
    Soiled::by("mkdir -p locked/in; echo x > locked/in/f; chmod 000 locked/in locked; chmod 000 sub/deep sub")
        .leaves_nothing();
}

#[test]
fn nested_repositories_are_gone() {
    Soiled::by(
        "git init -q nested; git -C nested -c user.name=a -c user.email=a@b commit -q --allow-empty -m x; \
         git init -q sub/deep; git clone -q . copy; git init -q --bare bare.git",
    )
    .leaves_nothing();
}

#[test]
fn what_was_done_to_git_itself_is_undone() {
    Soiled::by(
        "mkdir -p .git/hooks; printf '#!/bin/sh\\ntouch /hooked' > .git/hooks/post-checkout; \
         chmod +x .git/hooks/post-checkout; git config core.fsmonitor 'echo hi'; git config user.name evil; \
         echo '*.txt' > .git/info/exclude; echo '* -text' > .git/info/attributes; git branch other; git tag v9; \
         git update-index --assume-unchanged a.txt; git update-index --skip-worktree sub/b.txt; \
         echo z > a.txt; echo z > sub/b.txt; git stash -q; git checkout -q -b elsewhere; rm run.sh; git add -A; \
         git -c user.name=a -c user.email=a@b commit -qm mine; git config core.worktree /; touch .git/index.lock",
    )
    .leaves_nothing();
}

#[test]
fn a_slot_without_its_git_folder_is_whole_again() {
    Soiled::by("rm -rf .git; echo x > a.txt").leaves_nothing();
    Soiled::by("rm -rf .git; ln -s /nowhere .git").leaves_nothing();
    Soiled::by("rm -rf .git; echo 'gitdir: /nowhere' > .git").leaves_nothing();
}

#[test]
fn a_slot_that_was_removed_is_laid_again() {
    let soiled = Soiled::by("rm -rf \"$PWD\"");
    soiled.run(&["soil"]);
    let warm = soiled.look(&[]);
    assert_eq!(warm, soiled.look(&["--fresh"]));
}

#[test]
fn kept_paths_survive_and_fresh_does_without() {
    let crafting = Crafting::new();
    let make = "mkdir -p target/deep; echo built > target/deep/x; echo gone > untracked";
    let look = "test ! -e untracked; cat target/deep/x";
    let repo =
        Repo::with(&[("crafting.toml", &recipes(&[("make", make), ("look", look)])), (".gitignore", "target\n")]);
    let run = |args: &[&str]| crafting.args(["job", "run"]).more(args).dir(repo.path()).run();
    run(&["make"]).wants(0);
    run(&["look"]).wants(0);
    // At another commit too.
    repo.write("other", "x").commit("second");
    run(&["look"]).wants(0);
    run(&["look", "--fresh"]).wants(1);
    // What was kept went with the tree, it did not come back.
    run(&["look"]).wants(1);
}

#[test]
fn build_outputs_that_a_killed_job_left_half_made_are_not_kept() {
    let crafting = Crafting::new();
    let half = "mkdir -p target; echo half > target/x; exec sleep 300";
    let repo = Repo::with(&[
        ("crafting.toml", &recipes(&[("half", half), ("look", "test ! -e target/x")])),
        (".gitignore", "target\n"),
    ]);
    crafting.args(["job", "run", "half", "--timeout", "1s"]).dir(repo.path()).run().wants(124);
    crafting.args(["job", "run", "look"]).dir(repo.path()).run().wants(0);
}

#[test]
fn a_slot_whose_crafting_was_killed_is_laid_anew() {
    let crafting = Crafting::new();
    let begun = crafting.home().join("begun");
    let half = format!(
        "mkdir -p target; echo half > target/x; echo mess > mess; rm a.txt; pwd -P > {0}.new; mv {0}.new {0}; \
         exec sleep 300",
        begun.display()
    );
    let look = "test ! -e target/x && test ! -e mess && cat a.txt && pwd -P";
    let repo = Repo::with(&[
        ("crafting.toml", &recipes(&[("half", &half), ("look", look)])),
        (".gitignore", "target\n"),
        ("a.txt", "a\n"),
    ]);
    let mut started = crafting.args(["job", "run", "half"]).dir(repo.path()).start();
    until(|| begun.exists());
    started.child.kill().unwrap();
    started.child.wait().unwrap();
    crafting.args(["job", "run", "look"]).dir(repo.path()).run().wants(0);
    let log = crafting.args(["job", "log"]).dir(repo.path()).run().stdout;
    assert_eq!(log.lines().last(), fs::read_to_string(&begun).unwrap().lines().last(), "not the same slot: {log}");
}

#[test]
fn keep_leaves_the_tree_and_says_where() {
    let crafting = Crafting::new();
    let repo = Repo::with(&[("crafting.toml", &recipes(&[("test", "echo mine > made; exit 1")]))]);
    let answer = crafting.args(["job", "run", "--keep"]).dir(repo.path()).run();
    answer.wants(1);
    let tree = answer.stderr.lines().find_map(|line| Some(line.split_once("until you remove it: ")?.1)).unwrap();
    assert_eq!(fs::read_to_string(Path::new(tree).join("made")).unwrap(), "mine\n");
    let log = crafting.args(["job", "log"]).dir(repo.path()).run().stdout;
    assert!(log.contains(&format!("[crafting] the tree is kept in {tree}\n")), "{log}");
    let shown = crafting.args(["job", "show"]).dir(repo.path()).run().stdout;
    assert!(shown.contains(tree), "{shown}");
    // The next job goes elsewhere, and what the user has is not touched.
    let next = crafting.args(["job", "run", "--keep"]).dir(repo.path()).run();
    assert!(!next.stderr.contains(&format!("{tree}\n")), "{}", next.stderr);
    crafting.args(["gc"]).run().wants(0);
    assert_eq!(fs::read_to_string(Path::new(tree).join("made")).unwrap(), "mine\n");
}

#[test]
fn jobs_at_the_same_time_have_slots_of_their_own() {
    let crafting = Crafting::new();
    // Each waits until the other three run too, then looks whether its own mark is still its own.
    let meet = format!(
        "all={}\necho $$ > mine; touch \"$all/$CRAFTING_RECIPE\"\n\
         for i in $(seq 1 600); do test $(ls \"$all\" | wc -l) = 4 && break; sleep 0.1; done\n\
         test $(ls \"$all\" | wc -l) = 4 && test \"$(cat mine)\" = $$ && pwd -P",
        crafting.home().join("all").display()
    );
    fs::create_dir(crafting.home().join("all")).unwrap();
    let names = ["a", "b", "c", "d"];
    let repo = Repo::with(&[("crafting.toml", &recipes(&names.map(|name| (name, meet.as_str()))))]);
    // Two commands, two jobs each.
    let start = |recipes: [&str; 2]| crafting.args(["job", "run", "-j2"]).more(&recipes).dir(repo.path()).start();
    let both = [start(["a", "b"]), start(["c", "d"])];
    for started in both {
        started.wait().wants(0);
    }
    let jobs = crafting.args(["job", "list", "--format", "json"]).json();
    let mut slots: Vec<String> = jobs["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| crafting.args(["job", "log", job["id"].as_str().unwrap()]).run().stdout)
        .collect();
    slots.sort();
    slots.dedup();
    assert_eq!(slots.len(), 4, "{slots:?}");
}

/// A project that passes; `break_it` makes its test wrong, and the warm slot must say so, at every turn.
fn is_never_stale(crafting: &Crafting, repo: &Repo, environment: &[(&str, &str)], break_it: &dyn Fn()) {
    let run = |args: &[&str]| {
        let mut call = crafting.args(["job", "run", "test", "--format", "json"]).more(args).dir(repo.path());
        for (name, value) in environment {
            call = call.env(name, value);
        }
        let answer = call.run();
        let status = answer.json()["jobs"][0]["status"].as_str().unwrap_or_default().to_owned();
        assert!(answer.code < 2, "{answer:?}");
        status
    };
    let good = repo.git(&["rev-parse", "HEAD"]);
    assert_eq!(run(&[]), "passed");
    assert_eq!(run(&[]), "passed");
    break_it();
    assert_eq!(run(&[]), "failed", "a test edited to fail");
    repo.git(&["stash", "--quiet"]);
    assert_eq!(run(&[]), "passed", "the edit taken back");
    repo.git(&["stash", "pop", "--quiet"]);
    let bad = repo.commit("broken");
    assert_eq!(run(&[]), "failed", "the edit committed");
    repo.git(&["checkout", "--quiet", &good]);
    assert_eq!(run(&[]), "passed", "the commit before");
    repo.git(&["checkout", "--quiet", &bad]);
    assert_eq!(run(&[]), "failed", "the commit after");
    assert_eq!(run(&["--ref", &good]), "passed");
    assert_eq!(run(&["--ref", "main"]), "failed");
    let slots = fs::read_dir(crafting.workspace().join("repo")).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_str().unwrap().starts_with("slot-") && entry.as_ref().unwrap().file_type().unwrap().is_dir()
    });
    assert_eq!(slots.count(), 1, "all of it happened in one warm slot");
}

#[test]
fn cargo_is_never_stale_in_a_warm_slot() {
    let crafting = Crafting::new();
    let repo = Repo::with(&[
        ("Cargo.toml", "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("Cargo.lock", "version = 3\n\n[[package]]\nname = \"one\"\nversion = \"0.1.0\"\n"),
        ("src/lib.rs", "pub fn one() -> u8 {\n    1\n}\n"),
        ("tests/one.rs", "#[test]\nfn it_is_one() {\n    assert_eq!(one::one(), 1);\n}\n"),
        (".gitignore", "target\n"),
    ]);
    is_never_stale(&crafting, &repo, &[], &|| {
        repo.write("tests/one.rs", "#[test]\nfn it_is_one() {\n    assert_eq!(one::one(), 2);\n}\n");
    });
}

#[test]
fn make_is_never_stale_in_a_warm_slot() {
    let crafting = Crafting::new();
    // The kept folder holds an object that is as new as its source, which is what make goes by.
    let makefile = "test: target/check\n\t./target/check\ntarget/check: check.c\n\tmkdir -p target\n\t$(CC) -o $@ $<\n";
    let repo = Repo::with(&[
        ("Makefile", makefile),
        ("crafting.toml", &recipes(&[("test", "make test")])),
        ("check.c", "int main(void) { return 0; }\n"),
        (".gitignore", "target\n"),
    ]);
    is_never_stale(&crafting, &repo, &[], &|| {
        repo.write("check.c", "int main(void) { return 1; }\n");
    });
}

#[test]
#[ignore = "needs go"]
fn go_is_never_stale_in_a_warm_slot() {
    let crafting = Crafting::new();
    let test = |wanted: u8| {
        let import = "package one\n\nimport \"testing\"\n\n";
        format!("{import}func TestOne(t *testing.T) {{\n\tif One() != {wanted} {{\n\t\tt.Fatal(One())\n\t}}\n}}\n")
    };
    let repo = Repo::with(&[
        ("go.mod", "module example.com/one\n\ngo 1.20\n"),
        ("one.go", "package one\n\nfunc One() int {\n\treturn 1\n}\n"),
        ("one_test.go", &test(1)),
    ]);
    is_never_stale(&crafting, &repo, &[("GOTOOLCHAIN", "local")], &|| {
        repo.write("one_test.go", test(2));
    });
}

/// Waits for something that another process brings about.
fn until(condition: impl Fn() -> bool) {
    for _ in 0..3000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it never came");
}

/// Jobs in a warm slot do not leave their temporary folders behind either.
#[test]
fn temporary_files_go_with_their_job() {
    let crafting = Crafting::new();
    let made = "echo x > \"$TMPDIR/x\"; mkdir -p \"$TMPDIR/ro/in\"; chmod 555 \"$TMPDIR/ro\"";
    let repo = Repo::with(&[("crafting.toml", &recipes(&[("test", made)]))]);
    let run: Value = crafting.args(["job", "run", "--format", "json"]).dir(repo.path()).json();
    assert_eq!(run["jobs"][0]["status"], "passed");
    let left: Vec<_> = fs::read_dir(crafting.home().join("tmp")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
