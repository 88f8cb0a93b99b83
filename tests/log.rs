//! A log is what the recipe wrote, byte for byte, and any part of it.

mod support;

use std::fs;
use std::io::Read;
use std::process::Stdio;

use support::{Farm, Repo, recipe_file};

// How many jobs run at once is a server's own business: what `-j` is needed for is tested here alone.
both_farms! {
    every_byte_of_a_stream_is_kept,
    the_end_of_a_job_is_told_without_its_log,
    both_streams_at_once_lose_nothing,
    any_part_of_a_log_can_be_had,
    ctrl_c_leaves_a_followed_log_and_not_the_job,
    a_reader_that_has_seen_enough_is_no_error,
    a_log_that_is_gone_is_a_clear_error,
    a_log_without_its_index_is_read_all_the_same,
    a_verbose_test_is_not_echoed_into_the_answer,
}

/// Bytes that are not text: lines of several megabytes, NUL, what is no UTF-8, carriage returns, no final newline.
fn awkward() -> Vec<u8> {
    let mut bytes = b"first\n\0\0\n\xff\xfe\xc3(\n\r\n\x1b[31mred\x1b[0m\rover\n\n\n".to_vec();
    bytes.extend(std::iter::repeat_n(b'x', 10 << 20));
    bytes.push(b'\n');
    bytes.extend((0..=255_u8).cycle().take(256 << 10));
    bytes.extend(b"\xe2\x82");
    bytes
}

/// The log of a job, or the part that the arguments say, and the exit status.
fn log_of<const N: usize>(farm: &Farm, arguments: [&str; N]) -> Vec<u8> {
    let mut all = vec!["job", "log"];
    all.extend(arguments);
    farm.call(&all).output().success().bytes
}

#[track_caller]
fn assert_same(left: &[u8], right: &[u8]) {
    let differs = left.iter().zip(right).position(|(left, right)| left != right);
    assert!(left == right, "{} bytes, {} expected, different from {differs:?} on", left.len(), right.len());
}

fn every_byte_of_a_stream_is_kept(farm: &Farm) {
    for stream in ["", " >&2"] {
        let repo = Repo::of_recipes(&[("test", &format!("cat bytes{stream}"))]);
        repo.write("bytes", awkward());
        let ran = farm.run(&repo, ["test"]).success();
        assert_eq!(ran.job()["log_bytes"], awkward().len());
        assert_same(&log_of(farm, [&ran.id()]), &awkward());
        // From one file into the other, without the program.
        assert_same(&fs::read(farm.data().join(format!("logs/{}.log", ran.id()))).unwrap(), &awkward());
    }
}

fn the_end_of_a_job_is_told_without_its_log(farm: &Farm) {
    let repo = Repo::of_recipes(&[("test", "echo why; exit 7")]);
    let id = farm.run(&repo, ["test"]).exits(1).id();
    let watch = || farm.crafting(["job", "watch", &id]).in_dir(repo.path()).output().exits(1);
    assert!(watch().stderr.contains("why"), "{}", watch());
    fs::remove_file(farm.data().join(format!("logs/{id}.log"))).unwrap();
    let told = watch();
    assert!(told.stderr.contains("failed (exit 7)") && told.stdout.contains("1 failed"), "{told}");
}

fn both_streams_at_once_lose_nothing(farm: &Farm) {
    let repo = Repo::of_recipes(&[("test", "cat out & cat err >&2; wait")]);
    let lines = |word: &str| (0..50_000).map(|number| format!("{word} {number}\n")).collect::<String>();
    repo.write("out", lines("out")).write("err", lines("err"));
    let id = farm.run(&repo, ["test"]).success().id();
    let whole = log_of(farm, [&id]);
    assert_eq!(whole.len(), lines("out").len() + lines("err").len());
    assert_same(&log_of(farm, [&id, "--stream", "stdout"]), lines("out").as_bytes());
    assert_same(&log_of(farm, [&id, "--stream", "stderr"]), lines("err").as_bytes());
}

fn any_part_of_a_log_can_be_had(farm: &Farm) {
    let repo = Repo::of_recipes(&[("test", "for i in 1 2 3 4 5 6 7 8 9; do echo $i; done; printf 10")]);
    let id = farm.run(&repo, ["test"]).success().id();
    let part = |arguments: [&str; 2]| {
        String::from_utf8(log_of(farm, [&id, arguments[0], arguments[1]])).unwrap().replace('\n', " ")
    };
    assert_eq!(part(["--tail", "3"]), "8 9 10");
    assert_eq!(part(["--tail", "0"]), "");
    assert_eq!(part(["--tail", "99"]), "1 2 3 4 5 6 7 8 9 10");
    assert_eq!(part(["--lines", "2:4"]), "2 3 4 ");
    assert_eq!(part(["--lines", "9:"]), "9 10");
    assert_eq!(part(["--lines", ":2"]), "1 2 ");
    assert_eq!(part(["--lines", "10"]), "10");
    assert_eq!(part(["--lines", "11:20"]), "");
    assert_eq!(part(["--lines", "4:18446744073709551615"]), "4 5 6 7 8 9 10");
    for wrong in [["--lines", "4:2"], ["--lines", "0:2"], ["--tail", "-1"], ["--stream", "stdin"]] {
        let ran = farm.crafting(["job", "log", &id, wrong[0], wrong[1]]).output().exits(2);
        assert!(ran.stderr.contains("error:"), "{ran}");
    }
}

/// A recipe that prints, waits for the test, and prints again.
const IN_TWO: &str = "echo one; echo two; printf half; touch \"$HOME/ready-$CRAFTING_JOB_ID\"
until [ -e \"$HOME/go\" ]; do sleep 0.01; done
echo ; echo three; printf end";

/// A server tells whole lines: of one that is not over yet nothing is seen there.
#[test]
fn following_a_log_shows_it_as_it_grows_to_its_end() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", IN_TWO)]);
    let run = farm.crafting(["job", "run", "--follow"]).in_dir(repo.path()).spawn();
    let id = farm.wait_for_marks("ready", 1).remove(0);
    let follow = farm.crafting(["job", "log", &id, "-f"]).spawn();
    let tail = farm.crafting(["job", "log", &id, "-f", "--tail", "1"]).spawn();
    let lines = farm.crafting(["job", "log", &id, "-f", "--lines", "4:4"]).spawn();
    farm.wait_until("both have printed what there is", || {
        follow.stdout() == b"one\ntwo\nhalf" && tail.stdout() == b"half"
    });
    fs::write(farm.home().join("go"), "").unwrap();
    assert_eq!(follow.finish().success().stdout, "one\ntwo\nhalf\nthree\nend");
    assert_eq!(tail.finish().success().stdout, "half\nthree\nend");
    assert_eq!(lines.finish().success().stdout, "three\n");
    let ran = run.finish().success();
    assert!(ran.stdout.starts_with("one\ntwo\nhalf\nthree\nend\n1 passed"), "{ran}");
    // Of a job that is over there is nothing to wait for.
    assert_eq!(farm.crafting(["job", "log", &id, "-f"]).output().success().stdout, "one\ntwo\nhalf\nthree\nend");
}

#[test]
fn a_log_can_be_followed_before_it_begins() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("a", IN_TWO), ("b", "echo out; echo err >&2; echo out")]);
    let run = farm.crafting(["job", "run", "a", "b", "-j", "1"]).in_dir(repo.path()).spawn();
    farm.wait_for_marks("ready", 1);
    let queued = farm.jobs()[1]["id"].as_str().unwrap().to_owned();
    farm.crafting(["job", "log", &queued]).output().exits(4);
    let follow = farm.crafting(["job", "log", &queued, "-f"]).spawn();
    let stream = farm.crafting(["job", "log", &queued, "-f", "--stream", "stdout"]).spawn();
    fs::write(farm.home().join("go"), "").unwrap();
    run.finish().success();
    assert_eq!(follow.finish().success().stdout.len(), "out\nerr\nout\n".len());
    assert_eq!(stream.finish().success().stdout, "out\nout\n");
}

#[test]
fn following_a_job_that_never_begins_ends_with_it() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("a", IN_TWO), ("b", "true")]);
    let run = farm.crafting(["job", "run", "a", "b", "-j", "1"]).in_dir(repo.path()).spawn();
    farm.wait_for_marks("ready", 1);
    let queued = farm.jobs()[1]["id"].as_str().unwrap().to_owned();
    let follow = farm.crafting(["job", "log", &queued, "-f"]).spawn();
    farm.crafting(["job", "cancel", &queued]).output().success();
    let ran = follow.finish().exits(4);
    assert!(ran.stderr.contains("there is no log"), "{ran}");
    fs::write(farm.home().join("go"), "").unwrap();
    run.finish().exits(130);
}

#[test]
fn a_log_can_be_followed_before_its_job_begins() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("one", "until test -e $HOME/go; do sleep 0.1; done"), ("two", "echo begun")]);
    let detach = ["job", "run", "one", "two", "--detach", "--format", "json"];
    let run = farm.crafting(detach).env("CRAFTING_WORKERS", "1").in_dir(repo.path()).output().success();
    let second = run.jobs()[1]["id"].as_str().unwrap().to_owned();
    let follow = farm.crafting(["job", "log", &second, "-f", "--stream", "stdout"]).spawn();
    follow.wait_for_stderr("waiting for the job to begin");
    let left = farm.crafting(["job", "log", &second, "-f"]).spawn();
    left.wait_for_stderr("waiting for the job to begin");
    left.signal(nix::sys::signal::Signal::SIGINT);
    assert!(left.finish().exits(130).stderr.contains("goes on"));
    fs::write(farm.home().join("go"), "").unwrap();
    assert_eq!(follow.finish().success().stdout, "begun\n");
    // One that was cancelled before it began has none.
    fs::remove_file(farm.home().join("go")).unwrap();
    let run = farm.crafting(detach).env("CRAFTING_WORKERS", "1").in_dir(repo.path()).output().success();
    let (first, second) = (run.jobs()[0]["id"].as_str().unwrap().to_owned(), run.jobs()[1]["id"].clone());
    let second = second.as_str().unwrap();
    let follow = farm.crafting(["job", "log", second, "-f"]).spawn();
    follow.wait_for_stderr("waiting for the job to begin");
    farm.crafting(["job", "cancel", second]).output().success();
    assert!(follow.finish().exits(4).stderr.contains("no log"));
    farm.crafting(["job", "cancel", &first, "--force"]).output().success();
}

fn ctrl_c_leaves_a_followed_log_and_not_the_job(farm: &Farm) {
    let repo = Repo::of_recipes(&[("test", IN_TWO)]);
    let run = farm.crafting(["job", "run"]).in_dir(repo.path()).spawn();
    let id = farm.wait_for_marks("ready", 1).remove(0);
    let follow = farm.crafting(["job", "log", &id, "-f"]).spawn();
    farm.wait_until("it has printed", || !follow.stdout().is_empty());
    follow.signal(nix::sys::signal::Signal::SIGINT);
    let left = follow.finish().exits(130);
    assert!(left.stderr.contains("goes on"), "{left}");
    fs::write(farm.home().join("go"), "").unwrap();
    run.finish().success();
}

#[test]
fn a_log_past_its_limit_keeps_its_head_and_its_tail() {
    let farm = Farm::new();
    let repo = Repo::of_recipes(&[("test", "seq 1000000")]);
    let whole: String = (1..=1_000_000).map(|number| format!("{number}\n")).collect();
    let limit = 100_000;
    let ran = farm
        .crafting(["job", "run", "--format", "json"])
        .env("CRAFTING_LOG_LIMIT_BYTES", limit.to_string())
        .in_dir(repo.path())
        .output()
        .success();
    let log = farm.log(&ran.id());
    let (head, rest) = log.split_once("[crafting] ").unwrap();
    let (note, tail) = rest.split_once('\n').unwrap();
    // A newline ends the line that the limit has cut.
    let head = head.strip_suffix('\n').unwrap();
    assert_eq!(head.len(), limit);
    assert!(whole.starts_with(head));
    assert!(whole.ends_with(tail) && tail.len() >= 1 << 20, "{} bytes", tail.len());
    let left_out: usize = note.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(head.len() + left_out + tail.len(), whole.len(), "{note}");
    assert_eq!(ran.job()["log_bytes"], log.len());
    // The cut line and the newline that ends it are of different streams, and so count as two.
    assert_eq!(ran.job()["log_lines"], log.lines().count() + 1);
}

fn a_reader_that_has_seen_enough_is_no_error(farm: &Farm) {
    let repo = Repo::of_recipes(&[("test", "seq 300000")]);
    let id = farm.run(&repo, ["test"]).success().id();
    let mut command = farm.crafting(["job", "log", &id]).command();
    let mut log = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 2];
    log.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"1\n");
    let output = log.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

fn a_log_that_is_gone_is_a_clear_error(farm: &Farm) {
    let repo = Repo::of_recipes(&[("test", "echo hi")]);
    let id = farm.run(&repo, ["test"]).success().id();
    fs::remove_file(farm.data().join(format!("logs/{id}.log"))).unwrap();
    for arguments in [["--tail", "5"], ["--stream", "stdout"]] {
        let ran = farm.crafting(["job", "log", &id, arguments[0], arguments[1]]).output().exits(4);
        assert!(ran.stderr.contains("error: there is no log") && ran.stderr.contains("hint:"), "{ran}");
        assert_eq!(ran.stdout, "");
    }
    // Everything else of the job is there.
    farm.crafting(["job", "show", &id]).output().success();
    farm.crafting(["job", "watch", &id]).output().success();
}

fn a_log_without_its_index_is_read_all_the_same(farm: &Farm) {
    let repo = Repo::of_recipes(&[("test", "seq 10")]);
    let id = farm.run(&repo, ["test"]).success().id();
    let index = farm.data().join(format!("logs/{id}.idx"));
    let whole: String = (1..=10).map(|number| format!("{number}\n")).collect();
    for damage in [&b"nonsense"[..], b""] {
        fs::write(&index, damage).unwrap();
        assert_eq!(farm.log(&id), whole);
    }
    fs::remove_file(&index).unwrap();
    assert_eq!(farm.log(&id), whole);
}

fn a_verbose_test_is_not_echoed_into_the_answer(farm: &Farm) {
    let repo = Repo::with(&[("crafting.toml", &recipe_file("other", &[("test", "echo noise; echo noise >&2")]))]);
    let ran = farm.crafting(["job", "run", "--follow", "--format", "json"]).in_dir(repo.path()).output().success();
    // The answer is one JSON document, whatever the recipe prints.
    assert_eq!(ran.job()["log_lines"], 2);
    assert_eq!(ran.stderr.matches("noise").count(), 2, "{ran}");
}

#[test]
#[ignore = "writes 1 GiB"]
fn a_log_of_a_gibibyte_is_captured_whole_in_little_memory() {
    const BYTES: u64 = 1 << 30;
    let farm = Farm::new();
    let line = format!("{}\n", "0123456789".repeat(10).split_at(99).0);
    let command = format!(
        "yes '{}' | head -c {BYTES}; {}",
        line.trim_end(),
        "touch \"$HOME/ready-$CRAFTING_JOB_ID\"; until [ -e \"$HOME/go\" ]; do sleep 0.01; done"
    );
    let repo = Repo::of_recipes(&[("test", &command)]);
    let run = farm
        .crafting(["job", "run", "--format", "json"])
        .env("CRAFTING_LOG_LIMIT_BYTES", (2 * BYTES).to_string())
        .in_dir(repo.path())
        .spawn();
    let id = farm.wait_for_marks("ready", 1).remove(0);
    let peak = run.peak_kib().unwrap();
    assert!(peak < 64 << 10, "crafting had {peak} KiB");
    fs::write(farm.home().join("go"), "").unwrap();
    let ran = run.finish().success();
    assert_eq!(ran.job()["log_bytes"], BYTES);
    // The last line is cut: a gibibyte is no multiple of a hundred.
    let rest = usize::try_from(BYTES % 100).unwrap();
    let expected = line.repeat(199) + &line[..rest];
    assert_same(&log_of(&farm, [&id, "--tail", "200"]), expected.as_bytes());
}
