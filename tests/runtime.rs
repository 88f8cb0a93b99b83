//! What runs on the host ends when its job does, seen through the real binary as supervisor.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crafting::error::Code;
use crafting::model::{JobId, Stream};
use crafting::runtime::{
    Cause, Ending, Host, JOB_MARK, Launch, Output, Process, Running, Runtime, TIMED_OUT, kill_marked,
};

/// Far more than anything here takes; reached only when something hangs.
const DEADLINE: Duration = Duration::from_secs(60);

fn launch(command: &str) -> Launch {
    Launch {
        job: JobId::random().unwrap(),
        command: command.into(),
        env: BTreeMap::from([("PATH".into(), std::env::var_os("PATH").unwrap())]),
        cwd: "/".into(),
        timeout: DEADLINE,
        grace: DEADLINE,
    }
}

fn host() -> Host {
    Host::new(env!("CARGO_BIN_EXE_crafting"))
}

fn start(launch: &Launch) -> Running {
    host().start(launch.clone()).unwrap()
}

/// Everything it writes from now on: standard output, standard error.
fn drain(output: &mut Output) -> (String, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut buffer = [0; 64 * 1024];
    while let Some((stream, length)) = output.read(&mut buffer).unwrap() {
        let sink = if stream == Stream::Stdout { &mut stdout } else { &mut stderr };
        sink.extend_from_slice(&buffer[..length]);
    }
    (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// Reads standard output up to a line with this word, so that a test acts when the recipe is ready for it.
fn read_until(output: &mut Output, word: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(&format!("{word}\n")) {
        let (_, length) = output.read(&mut buffer).unwrap().expect("the word comes before the end");
        text.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    text
}

struct Ran {
    ending: Ending,
    stdout: String,
    stderr: String,
}

/// Runs it to its end and checks that nothing of it is left.
fn run(launch: &Launch) -> Ran {
    let Running { mut output, process } = start(launch);
    let (stdout, stderr) = drain(&mut output);
    let ending = process.wait().unwrap();
    assert_eq!(kill_marked(&launch.job), []);
    Ran { ending, stdout, stderr }
}

fn exited(exit_code: i32) -> Ending {
    Ending { exit_code, cause: Cause::Exited, leftovers: vec![] }
}

fn leftover_names(ending: &Ending) -> Vec<&str> {
    assert!(ending.leftovers.iter().all(|process| process.ended), "{ending:?}");
    let mut names: Vec<&str> = ending.leftovers.iter().map(|process| process.name.as_str()).collect();
    names.sort_unstable();
    names
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < until, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The fields of `/proc/PID/stat` after the name: state, parent, group, session. Zombies count as gone.
fn stat(pid: &str) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<String> = text.rsplit_once(')')?.1.split_ascii_whitespace().map(str::to_owned).collect();
    (fields[0] != "Z").then_some(fields)
}

fn children_of(pid: u32) -> Vec<String> {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|item| item.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|name| {
            fs::read_to_string(format!("/proc/{name}/stat"))
                .ok()
                .and_then(|text| Some(text.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)? == pid.to_string()))
                .unwrap_or_default()
        })
        .collect()
}

/// The test of this name in a process of its own; `None` inside that process.
fn alone(test: &str) -> Option<Command> {
    if std::env::var_os("CRAFTING_TEST_ALONE").is_some() {
        return None;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]).env("CRAFTING_TEST_ALONE", "1");
    Some(command)
}

#[test]
fn a_plain_recipe() {
    let ran = run(&launch("echo out; echo err >&2; exit 3"));
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("out\n", "err\n"));
    assert_eq!(ran.ending, exited(3));
}

#[test]
fn what_stays_in_the_background_is_ended_and_named() {
    let begun = Instant::now();
    let ran = run(&launch("sleep 300 & setsid sleep 300 & echo hi"));
    assert_eq!(ran.stdout, "hi\n");
    assert_eq!((ran.ending.exit_code, ran.ending.cause), (0, Cause::Exited));
    // Seen before its exec, the second one still has another name.
    assert_eq!(leftover_names(&ran.ending).len(), 2, "{:?}", ran.ending);
    assert!(leftover_names(&ran.ending).contains(&"sleep"));
    assert!(begun.elapsed() < DEADLINE);
}

#[test]
fn a_daemon_that_forks_twice_is_ended() {
    let ran = run(&launch("(setsid sh -c 'setsid sleep 300 >/dev/null 2>&1 & exit' &) ; exit 0"));
    assert_eq!(ran.ending.exit_code, 0);
    assert_eq!(ran.ending.leftovers.len(), 1, "{:?}", ran.ending);
}

#[test]
fn what_ends_by_itself_right_after_the_recipe_is_left_in_peace() {
    // The reader at the end of the pipe is not waited for by the shell, as `tee` in `exec > >(tee log)` is not.
    let ran = run(&launch("exec 3>&1; mkfifo $TMP/f; { cat <$TMP/f; echo last; } >&3 & echo first >$TMP/f")
        .in_temporary(&tempfile::tempdir().unwrap()));
    assert_eq!(ran.stdout, "first\nlast\n");
    assert_eq!(ran.ending, exited(0));
}

trait InTemporary {
    fn in_temporary(&self, folder: &tempfile::TempDir) -> Launch;
}

impl InTemporary for Launch {
    fn in_temporary(&self, folder: &tempfile::TempDir) -> Launch {
        let mut launch = self.clone();
        launch.env.insert("TMP".into(), folder.path().into());
        launch
    }
}

#[test]
fn a_leftover_that_ignores_sigterm_is_killed() {
    let ran = run(&launch("sh -c 'trap \"\" TERM; echo ready; while :; do sleep 1; done' & sleep 0.3"));
    assert_eq!(ran.ending.cause, Cause::Exited);
    assert!(leftover_names(&ran.ending).contains(&"sh"), "{:?}", ran.ending);
}

#[test]
fn time_is_up() {
    let ran = run(&Launch { timeout: Duration::from_secs(1), ..launch("exec sleep 300") });
    assert_eq!(ran.ending, Ending { exit_code: TIMED_OUT, cause: Cause::TimedOut, leftovers: vec![] });
}

#[test]
fn time_is_up_for_children_in_other_sessions_too() {
    let command = "setsid sleep 300 & (setsid setsid sleep 300 &); echo on; sleep 300; echo never";
    let ran = run(&Launch { timeout: Duration::from_millis(300), ..launch(command) });
    assert_eq!(ran.ending, Ending { exit_code: TIMED_OUT, cause: Cause::TimedOut, leftovers: vec![] });
    assert_eq!(ran.stdout, "on\n");
}

#[test]
fn a_recipe_that_ignores_sigterm_dies_after_the_grace() {
    let mut launch = launch("trap '' TERM; echo ready; while :; do sleep 300; done");
    launch.grace = Duration::from_millis(300);
    let Running { mut output, process } = start(&launch);
    read_until(&mut output, "ready");
    process.control().terminate();
    let ending = process.wait().unwrap();
    assert_eq!((ending.exit_code, ending.cause), (137, Cause::Terminated));
    assert!(leftover_names(&ending).contains(&"sh"), "{ending:?}");
    assert_eq!(kill_marked(&launch.job), []);
}

#[test]
fn a_recipe_may_clean_up_when_it_is_asked_to_end() {
    let launch = launch("trap 'echo cleaned; exit 7' TERM; echo ready; sleep 300 & wait");
    let Running { mut output, process } = start(&launch);
    read_until(&mut output, "ready");
    process.control().terminate();
    assert_eq!(drain(&mut output).0, "cleaned\n");
    assert_eq!(process.wait().unwrap(), Ending { exit_code: 7, cause: Cause::Terminated, leftovers: vec![] });
}

#[test]
fn a_stopped_recipe_is_ended_within_the_grace() {
    let launch = launch("echo ready; kill -STOP $$");
    let Running { mut output, process } = start(&launch);
    read_until(&mut output, "ready");
    process.control().terminate();
    assert_eq!(process.wait().unwrap(), Ending { exit_code: 143, cause: Cause::Terminated, leftovers: vec![] });
}

#[test]
fn the_second_time_is_at_once() {
    let orders: [fn(&crafting::runtime::Control); 2] = [|control| control.terminate(), |control| control.kill()];
    for second in orders {
        let launch = launch("trap '' TERM; echo ready; while :; do sleep 300; done");
        let Running { mut output, process } = start(&launch);
        read_until(&mut output, "ready");
        let control = process.control();
        control.terminate();
        second(&control);
        let begun = Instant::now();
        assert_eq!(process.wait().unwrap(), Ending { exit_code: 137, cause: Cause::Terminated, leftovers: vec![] });
        assert!(begun.elapsed() < DEADLINE, "it waited for the grace");
        // Without anybody to hear it.
        control.kill();
    }
}

#[test]
fn a_process_that_keeps_replacing_itself_is_caught() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("hop.sh");
    fs::write(&script, "trap '' TERM\nsetsid sh \"$0\" &\n").unwrap();
    let launch = launch("sh $TMP/hop.sh; echo ready; sleep 300").in_temporary(&folder);
    let Running { mut output, process } = start(&launch);
    read_until(&mut output, "ready");
    process.control().kill();
    let ending = process.wait().unwrap();
    assert!(ending.leftovers.is_empty(), "{ending:?}");
    assert_eq!(kill_marked(&launch.job), []);
}

#[test]
fn dropping_a_process_ends_it() {
    let launch = launch("echo $$ ready; setsid sleep 300 & trap '' TERM; sleep 300");
    let Running { mut output, process } = start(&launch);
    let mut buffer = [0; 64];
    let (_, length) = output.read(&mut buffer).unwrap().unwrap();
    let pid = std::str::from_utf8(&buffer[..length]).unwrap().split(' ').next().unwrap();
    assert!(stat(pid).is_some());
    // A handle elsewhere does not keep it alive.
    let _control = process.control();
    drop(process);
    assert_eq!(stat(pid), None);
    assert_eq!(kill_marked(&launch.job), []);
}

#[test]
fn nothing_survives_the_death_of_crafting() {
    let Some(mut owner) = alone("nothing_survives_the_death_of_crafting") else {
        let launch = launch("trap '' TERM; sleep 300 & setsid sleep 300 & echo pids $$ $!; wait");
        let Running { mut output, process } = start(&launch);
        let mut buffer = [0; 256];
        let (_, length) = output.read(&mut buffer).unwrap().unwrap();
        println!("{} {}", std::str::from_utf8(&buffer[..length]).unwrap().trim(), launch.job);
        process.wait().unwrap();
        return;
    };
    let mut owner = owner.stdout(Stdio::piped()).spawn().unwrap();
    let line = BufReader::new(owner.stdout.as_mut().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once("pids ")?.1.to_owned()))
        .unwrap();
    let (pids, job) = line.rsplit_once(' ').unwrap();
    let mut all: Vec<String> = pids.split(' ').map(str::to_owned).collect();
    all.extend(children_of(owner.id()));
    assert_eq!(all.iter().filter(|pid| stat(pid).is_some()).count(), 3, "{all:?}");
    owner.kill().unwrap();
    owner.wait().unwrap();
    wait_until("all have vanished", || all.iter().all(|pid| stat(pid).is_none()));
    assert_eq!(kill_marked(&job.parse().unwrap()), []);
}

fn supervisor_of(output: &mut Output) -> (String, Vec<String>) {
    let text = read_until(output, "ready");
    let pids: Vec<String> = text.lines().next().unwrap().split(' ').map(str::to_owned).collect();
    (stat(&pids[0]).unwrap()[1].clone(), pids)
}

fn kill_supervisor(output: &mut Output, process: Process) -> (Vec<String>, crafting::error::Error) {
    let (supervisor, pids) = supervisor_of(output);
    assert_eq!(fs::read_to_string(format!("/proc/{supervisor}/comm")).unwrap(), "crafting-job\n");
    assert!(Command::new("kill").args(["-9", &supervisor]).status().unwrap().success());
    (pids, process.wait().unwrap_err())
}

#[test]
fn nothing_survives_the_death_of_its_supervisor() {
    let launch = launch("setsid env -i PATH=$PATH sh -c 'sleep 300; :' & echo $$ $!; sleep 1 & echo ready; wait");
    let Running { mut output, process } = start(&launch);
    let (pids, error) = kill_supervisor(&mut output, process);
    assert_eq!(error.code(), Code::Io);
    let message = error.to_string();
    assert!(
        message.starts_with("the recipe's end was lost, its supervisor was killed; ended what it left: "),
        "{message}"
    );
    for pid in pids {
        assert_eq!(stat(&pid), None);
        assert!(message.contains(&format!("({pid})")), "{message}");
    }
    drain(&mut output);
}

#[test]
fn marks_are_compared_whole_and_the_caller_is_spared() {
    let (job, other) = (JobId::random().unwrap(), JobId::random().unwrap());
    let Some(mut owner) = alone("marks_are_compared_whole_and_the_caller_is_spared") else {
        // This process has the mark itself: it must come back from the call.
        let own: JobId = std::env::var(JOB_MARK).unwrap().parse().unwrap();
        let spawn = |name: &str, value: &str| {
            Command::new("sleep").arg("300").env_remove(JOB_MARK).env(name, value).spawn().unwrap()
        };
        let mut marked = spawn(JOB_MARK, own.as_str());
        let mut others = [
            spawn(JOB_MARK, &format!("{own}x")),
            spawn(&format!("X{JOB_MARK}"), own.as_str()),
            spawn(JOB_MARK, other.as_str()),
        ];
        // A child has its environment from exec on; before, it has ours.
        wait_until("all are started", || {
            children_of(std::process::id())
                .iter()
                .filter(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n"))
                .count()
                == 4
        });
        let ended: Vec<u32> = kill_marked(&own).into_iter().map(|process| process.pid.cast_unsigned()).collect();
        assert_eq!(ended, [marked.id()]);
        marked.wait().unwrap();
        for other in &mut others {
            assert_eq!(other.try_wait().unwrap(), None);
            other.kill().unwrap();
            other.wait().unwrap();
        }
        return;
    };
    assert!(owner.env(JOB_MARK, job.as_str()).status().unwrap().success());
}

#[test]
fn ten_megabytes_on_both_streams() {
    let ran = run(&launch("yes abcdefg | head -c 10000000; yes ABCDEFG | head -c 10000000 >&2"));
    assert_eq!((ran.stdout.len(), ran.stderr.len()), (10_000_000, 10_000_000));
    assert!(ran.stdout.lines().all(|line| line == "abcdefg"));
    assert_eq!(ran.ending, exited(0));
}

#[test]
fn a_recipe_may_close_its_streams() {
    let ran = run(&launch("exec >&-; echo still here >&2; exec 2>&-; sleep 0.1; exit 4"));
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "still here\n"));
    assert_eq!(ran.ending, exited(4));
}

#[test]
fn the_environment_is_exact() {
    let mut launch = launch("exec env -0");
    launch.env.insert("EMPTY".into(), OsString::new());
    launch.env.insert("LINES".into(), "a\nb=c".into());
    launch.env.insert("ODD".into(), OsString::from_vec(vec![b'x', 0xff]));
    let Running { mut output, process } = start(&launch);
    let mut buffer = vec![0; 64 * 1024];
    let (_, length) = output.read(&mut buffer).unwrap().unwrap();
    assert_eq!(process.wait().unwrap(), exited(0));

    // The shell adds variables of its own, such as PWD.
    let plain = Command::new("/bin/sh")
        .args(["-c", "exec env -0"])
        .env_clear()
        .envs(&launch.env)
        .env(JOB_MARK, launch.job.as_str())
        .current_dir("/")
        .output()
        .unwrap()
        .stdout;
    let sorted = |bytes: &[u8]| {
        let mut variables: Vec<Vec<u8>> = bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
        variables.sort_unstable();
        variables
    };
    assert_eq!(sorted(&buffer[..length]), sorted(&plain));
}

#[test]
fn standard_input_is_empty_and_nothing_else_is_open() {
    // A descriptor that crafting itself was given, and would pass on.
    let file = fs::File::open("/dev/zero").unwrap();
    let stray = rustix::io::dup(&file).unwrap();
    rustix::io::fcntl_setfd(&stray, rustix::io::FdFlags::empty()).unwrap();
    let ran = run(&launch("readlink /proc/self/fd/0; cat; ls /proc/self/fd"));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "/dev/null", "stray descriptor {}", stray.as_raw_fd());
    // 3 is the folder that ls reads.
    assert_eq!(lines[1..], ["0", "1", "2", "3"]);
}

#[test]
fn signals_have_their_default_action() {
    let ran =
        run(&launch("yes | head -n 1; yes >/dev/null & kill -PIPE $!; wait $!; echo $?; grep Sig /proc/self/status"));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[..2], ["y", "141"]);
    for field in ["SigBlk", "SigIgn"] {
        let line = lines.iter().find(|line| line.starts_with(field)).unwrap();
        let set = u64::from_str_radix(line.rsplit_once('\t').unwrap().1, 16).unwrap();
        // The C library keeps 32 and 33 for its threads, and ignores them in what it spawns.
        assert_eq!(set & !(0b11 << 31), 0, "{line}");
    }
    assert_eq!(ran.ending, exited(0));
}

#[test]
fn a_session_and_a_group_of_its_own() {
    let ran = run(&launch("cat /proc/$$/stat"));
    let (pid, rest) = ran.stdout.split_once(' ').unwrap();
    let fields: Vec<&str> = rest.rsplit_once(')').unwrap().1.split_ascii_whitespace().collect();
    assert_eq!((fields[2], fields[3]), (pid, pid), "group and session");
    assert_eq!(fields[4], "0", "no controlling terminal");
}

#[test]
fn the_end_by_a_signal_is_128_and_its_number() {
    for (signal, exit_code) in [("KILL", 137), ("TERM", 143), ("SEGV", 139), ("RTMIN", 162)] {
        // dash has no name for a real-time signal.
        let number = exit_code - 128;
        assert_eq!(run(&launch(&format!("kill -{number} $$"))).ending, exited(exit_code), "{signal}");
    }
}

#[test]
fn what_cannot_be_started_is_an_error() {
    let missing = Launch { cwd: PathBuf::from("/nonexistent/folder"), ..launch("true") };
    let error = host().start(missing).unwrap_err();
    assert_eq!(error.to_string(), "cannot enter the folder /nonexistent/folder: no such file or directory");

    let error = host().start(launch("echo a\0b")).unwrap_err();
    assert_eq!(error.code(), Code::InvalidInput, "{error}");

    let error = host().start(launch(&"#".repeat(200_000))).unwrap_err();
    assert_eq!(error.to_string(), "cannot run the recipe with /bin/sh: argument list too long");

    let error = Host::new("/nonexistent/crafting").start(launch("true")).unwrap_err();
    assert_eq!(error.to_string(), "cannot start a supervisor from /nonexistent/crafting: no such file or directory");

    // A program that does not know the part.
    let error = Host::new("/bin/true").start(launch("true")).unwrap_err();
    assert!(error.to_string().starts_with("cannot start the recipe below /bin/true: "), "{error}");
}

#[test]
fn a_hundred_recipes_leave_no_zombie_and_no_descriptor() {
    let Some(mut process) = alone("a_hundred_recipes_leave_no_zombie_and_no_descriptor") else {
        let descriptors = || fs::read_dir("/proc/self/fd").unwrap().count();
        run(&launch("true"));
        let before = descriptors();
        for round in 0..100 {
            if round % 10 == 0 {
                drop(start(&launch("sleep 300")));
            }
            assert_eq!(run(&launch("true")).ending, exited(0));
        }
        assert_eq!(descriptors(), before);
        assert_eq!(children_of(std::process::id()), Vec::<String>::new());
        return;
    };
    assert!(process.status().unwrap().success());
}

#[test]
fn the_hidden_argument_alone_does_nothing() {
    let output = Command::new(env!("CARGO_BIN_EXE_crafting"))
        .arg("__supervise-job")
        .stdin(Stdio::null())
        .current_dir(Path::new("/"))
        .output()
        .unwrap();
    assert!(!output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
}
