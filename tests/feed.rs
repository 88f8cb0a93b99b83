//! What holds for the reading of every log, whatever is in it.
//!
//! `PROPTEST_CASES=100000 cargo test --release --test feed` looks for longer.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crafting::model::{Diagnostic, Stream};
use crafting::parsers::{Feed, Hint};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;

/// The real outputs of real tools that the parsers are tested with.
static FIXTURES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parsers");
    let mut files = Vec::new();
    for tool in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(tool.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                files.push(path);
            }
        }
    }
    files.sort();
    files.iter().map(|path| fs::read(path).unwrap()).collect()
});

/// Texts that mean something to some parser or to the engine below.
const WORDS: &[&str] = &[
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "  ",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\"a\":",
    "{\"",
    "[{",
    "1",
    "1e999",
    "NaN",
    "-Infinity",
    "null",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "\x1b[31m",
    "\x1b[0m",
    "\x1b]8;;",
    "\x07",
    "\x1b",
    "error: ",
    "warning: ",
    "error[E0308]: x",
    " --> src/a.rs:1:2",
    "a.py:1:2: E501 x",
    "a.c:1:2: error: x",
    "FAILED",
    "---- x stdout ----",
    "failures:",
    "--- FAIL: TestX (0.00s)",
    "=== RUN   TestX",
    "Traceback (most recent call last):",
    "  File \"a.py\", line 1, in f",
    "== FAILURES ==",
    "____ test_x ____",
    "{\"reason\":\"compiler-message\",\"message\":{",
    "\"end_location\":{\"row\":1,\"column\":1}",
    "2026-01-01T00:00:00.0000000Z ",
    "web-1  | ",
    "é",
    "x",
    "thread 'x' panicked at a.rs:1:2:",
    "]}",
    "},",
    "[\n",
    "{\n",
];

fn read(log: &[u8], chunk: usize) -> Vec<Diagnostic> {
    let mut feed = Feed::new(Hint::default());
    let mut found = Vec::new();
    for chunk in log.chunks(chunk.max(1)) {
        feed.push(Stream::Stdout, chunk, &mut found);
    }
    feed.finish(Some(1), &mut found);
    found
}

fn render(found: &[Diagnostic]) -> Vec<String> {
    found.iter().map(|one| format!("{one:?}")).collect()
}

/// The same without what a tool printed, of which white space at the end of lines is part.
fn places(found: &[Diagnostic]) -> Vec<String> {
    found
        .iter()
        .map(|one| {
            format!(
                "{} {} {:?} {:?} {:?} {} {}",
                one.tool, one.kind, one.file, one.line, one.column, one.code, one.message
            )
        })
        .collect()
}

fn fixture() -> impl Strategy<Value = &'static [u8]> {
    any::<Index>().prop_map(|index| index.get(FIXTURES.as_slice()).as_slice())
}

/// The same cases in every run, unless `PROPTEST_RNG_SEED` says otherwise.
fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    let rng_seed = match config.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        seed => seed,
    };
    ProptestConfig { rng_seed, failure_persistence: None, ..config }
}

/// A log of words and of any bytes.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        8 => any::<Index>().prop_map(|index| index.get(WORDS).as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(word, 0..200).prop_map(|words| words.concat())
}

#[derive(Clone, Debug)]
enum Harm {
    Cut(Index),
    Begin(Index),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Drop(Index),
    Double(Index),
    Swap(Index, Index),
}

fn harm() -> impl Strategy<Value = Harm> {
    let at = any::<Index>;
    prop_oneof![
        at().prop_map(Harm::Cut),
        at().prop_map(Harm::Begin),
        (at(), any::<u8>()).prop_map(|(at, byte)| Harm::Flip(at, byte)),
        (at(), noise()).prop_map(|(at, noise)| Harm::Insert(at, noise)),
        at().prop_map(Harm::Drop),
        at().prop_map(Harm::Double),
        (at(), at()).prop_map(|(a, b)| Harm::Swap(a, b)),
    ]
}

fn harmed(log: &[u8], harms: &[Harm]) -> Vec<u8> {
    let mut log = log.to_vec();
    for harm in harms {
        if log.is_empty() {
            break;
        }
        let place = |at: &Index| at.index(log.len());
        match harm {
            Harm::Cut(at) => log.truncate(place(at)),
            Harm::Begin(at) => drop(log.drain(..place(at))),
            Harm::Flip(at, byte) => {
                let at = place(at);
                log[at] = *byte;
            }
            Harm::Insert(at, noise) => {
                let at = place(at);
                log.splice(at..at, noise.iter().copied());
            }
            Harm::Drop(_) | Harm::Double(_) | Harm::Swap(..) => {
                let mut lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
                let count = lines.len();
                match harm {
                    Harm::Drop(at) => drop(lines.remove(at.index(count))),
                    Harm::Double(at) => lines.insert(at.index(count), lines[at.index(count)]),
                    Harm::Swap(a, b) => lines.swap(a.index(count), b.index(count)),
                    _ => {}
                }
                log = lines.concat();
            }
        }
    }
    log
}

fn interleaved(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut log = Vec::new();
    let (mut a, mut b) = (a.split_inclusive(|byte| *byte == b'\n'), b.split_inclusive(|byte| *byte == b'\n'));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return log,
            (one, other) => log.extend([one, other].into_iter().flatten().flatten()),
        }
    }
}

/// No panic, no difference by chunks, no more findings than the log has room for, no waiting.
fn check(log: &[u8], chunk: usize) -> Result<(), TestCaseError> {
    let begun = Instant::now();
    let whole = read(log, usize::MAX);
    prop_assert!(begun.elapsed() < Duration::from_secs(10), "{} bytes took {:?}", log.len(), begun.elapsed());
    prop_assert!(whole.len() <= log.len() / 8 + 1, "{} findings in {} bytes", whole.len(), log.len());
    let text: usize =
        whole.iter().map(|one| one.message.len() + one.raw.as_ref().map_or(0, |raw| raw.get().len())).sum();
    prop_assert!(text <= log.len() * 200 + 1000, "{text} bytes were found in {}", log.len());
    prop_assert_eq!(render(&whole), render(&read(log, chunk)));
    Ok(())
}

fn chunk() -> impl Strategy<Value = usize> {
    prop_oneof![Just(1), 2..50_usize, 50..5000_usize]
}

#[test]
fn what_others_put_before_lines_makes_no_difference() {
    for prefix in ["2026-01-01T00:00:00.0000000Z ", "web-1  | ", "2026-01-01T00:00:00.000000000Z "] {
        for log in FIXTURES.iter() {
            let mut log = log.clone();
            if log.last().is_some_and(|last| *last != b'\n') {
                log.push(b'\n');
            }
            let lines = log.split_inclusive(|byte| *byte == b'\n').flat_map(|line| [prefix.as_bytes(), line].concat());
            let (behind, bare) =
                (places(&read(&lines.collect::<Vec<u8>>(), usize::MAX)), places(&read(&log, usize::MAX)));
            assert!(behind == bare, "{prefix:?}\n{behind:#?}\n{bare:#?}\n{}", String::from_utf8_lossy(&log));
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_read(log in noise(), chunk in chunk()) {
        check(&log, chunk)?;
    }

    #[test]
    fn both_streams_in_any_order_are_read(log in vec((any::<bool>(), noise()), 0..8)) {
        let mut feed = Feed::new(Hint::default());
        let mut found = Vec::new();
        for (stderr, bytes) in &log {
            feed.push(if *stderr { Stream::Stderr } else { Stream::Stdout }, bytes, &mut found);
        }
        feed.finish(None, &mut found);
    }

    #[test]
    fn harmed_outputs_are_read(log in fixture(), harms in vec(harm(), 1..6), chunk in chunk()) {
        check(&harmed(log, &harms), chunk)?;
    }

    #[test]
    fn outputs_line_by_line_between_each_other_are_read(a in fixture(), b in fixture(), chunk in chunk()) {
        check(&interleaved(a, b), chunk)?;
    }

    #[test]
    fn what_was_found_is_found_with_the_rest_cut_off(log in fixture(), cut in any::<Index>()) {
        // What is told while the log grows does not depend on what comes later.
        let at = cut.index(log.len() + 1);
        let mut feed = Feed::new(Hint::default());
        let mut found = Vec::new();
        feed.push(Stream::Stdout, &log[..at], &mut found);
        let (mut cut, whole) = (render(&read(&log[..at], usize::MAX)), render(&read(log, usize::MAX)));
        cut.truncate(found.len());
        prop_assert_eq!(&cut, &render(&found));
        prop_assert_eq!(&cut[..], &whole[..found.len()]);
    }

    #[test]
    fn elements_before_a_cut_are_found(shape in 0..5_usize, count in 1..20_usize, cut in any::<Index>()) {
        let element = |number: usize| format!(
            "{{\"code\":\"F401\",\"filename\":\"src/{number}.py\",\"message\":\"x [{{\\\"\",\"location\":{{\"row\":1,\"column\":2}},\
             \"end_location\":{{\"row\":1,\"column\":3}},\"fix\":null}}"
        );
        let (head, between, end) =
            [("[", ",", "]\n"), ("[\n  ", ",\n  ", "\n]\n"), ("", "\n", "\n"), ("Scanning... [", ",", "]\n"), ("", "", "\n")][shape];
        let mut log = head.to_owned();
        let mut ends = Vec::new();
        for number in 0..count {
            log.push_str(if number > 0 { between } else { "" });
            log.push_str(&element(number));
            ends.push(log.len());
        }
        log.push_str(end);
        let at = cut.index(log.len() + 1);
        let whole = ends.iter().filter(|end| **end <= at).count();
        let found = read(&log.as_bytes()[..at], usize::MAX);
        let files: Vec<_> = found.iter().filter_map(|one| one.file.clone()).collect();
        let expected: Vec<_> = (0..whole).map(|number| format!("src/{number}.py")).collect();
        // The one that is cut may have all that is asked of it.
        prop_assert!(files.starts_with(&expected) && files.len() <= whole + 1, "{files:?} in {}", &log[..at]);
    }

    #[test]
    fn colours_make_no_difference(log in fixture(), places_of in vec(any::<Index>(), 1..30)) {
        let Ok(text) = std::str::from_utf8(log) else { return Ok(()) };
        prop_assume!(!text.contains('\x1b') && !text.contains('\r'));
        let mut coloured = text.to_owned();
        for at in places_of {
            let at = coloured.floor_char_boundary(at.index(coloured.len() + 1));
            // Not inside of a sequence that is there already, nor as a line of its own at the end.
            if !coloured[..at].ends_with(['\x1b', '[', '1', 'm']) && at < coloured.len() {
                coloured.insert_str(at, "\x1b[1m");
            }
        }
        prop_assume!(!coloured.contains("\x1b\x1b"));
        prop_assert_eq!(render(&read(coloured.as_bytes(), usize::MAX)), render(&read(log, usize::MAX)));
    }

    #[test]
    fn line_ends_of_windows_make_no_difference(log in fixture(), chunk in chunk()) {
        let log: Vec<u8> = log.iter().copied().filter(|byte| *byte != b'\r').collect();
        let windows: Vec<u8> = log.split_inclusive(|byte| *byte == b'\n').flat_map(|line| match line {
            [line @ .., b'\n'] => [line, b"\r\n"].concat(),
            line => line.to_vec(),
        }).collect();
        prop_assert_eq!(places(&read(&windows, chunk)), places(&read(&log, usize::MAX)));
    }
}

/// Ways to make a reader slow, large or fall over.
#[test]
fn hostile_logs_are_read() {
    const ELEMENT: &str = "{\"code\":\"F401\",\"filename\":\"a.py\",\"message\":\"x\",\"location\":{\"row\":1,\"column\":2},\"end_location\":{\"row\":1,\"column\":3}}";
    let elements = |text: &str, count: usize| vec![text; count].join(",");
    let logs = [
        ("a million elements", format!("[{}]", elements("{\"a\":1}", 1_000_000)), 0),
        ("a million elements, then one", format!("[{},{ELEMENT}]", elements("1", 1_000_000)), 1),
        ("an element in a deep nest", format!("{}{ELEMENT}{}", "[".repeat(100_000), "]".repeat(100_000)), 1),
        ("deep nesting line by line", "{\"a\":\n".repeat(100_000), 0),
        (
            "a nest in an element",
            format!("[{ELEMENT},{{\"a\":{}1{}}},{ELEMENT}]", "[".repeat(100_000), "]".repeat(100_000)),
            1,
        ),
        ("numbers", format!("[{{\"row\":1e999,\"n\":{}}},{ELEMENT}]", "9".repeat(400)), 1),
        ("one long line", "x".repeat(20 << 20), 0),
        ("one long line of brackets", "{\"a\":[{".repeat(2 << 20), 0),
        ("one long string", format!("[{{\"a\":\"{}\"}},{ELEMENT}]", "x".repeat(20 << 20)), 1),
        ("one long key", format!("[{{\"{}\":1}},{ELEMENT}]", "x".repeat(20 << 20)), 1),
        ("lines of brackets", "{\n".repeat(1_000_000), 0),
        ("lines of array brackets", "[\n".repeat(1_000_000), 0),
        ("open documents", "{\"a\": [\n".repeat(300_000), 0),
        ("escapes", format!("[{{\"a\":\"\\u0000\\ud800\\\"\"}},{ELEMENT}]"), 1),
        ("a mark of the order of bytes", format!("\u{feff}[{ELEMENT}]"), 1),
        ("not a number", format!("[{{\"a\":NaN}},{}]", ELEMENT.replace("\"x\"", "\"x\",\"n\":-Infinity")), 1),
        ("only escapes", "\x1b[".repeat(2 << 20), 0),
        ("carriage returns", "x\r".repeat(2 << 20), 0),
    ];
    for (name, log, expected) in logs {
        for chunk in [usize::MAX, 65_536] {
            let begun = Instant::now();
            let found = read(log.as_bytes(), chunk);
            let count = found.iter().filter(|one| one.tool == "ruff").count();
            assert_eq!(count, expected, "{name} in chunks of {chunk}");
            assert!(begun.elapsed() < Duration::from_secs(60), "{name}: {:?}", begun.elapsed());
        }
    }
}

#[test]
fn an_annotation_is_told_unless_its_place_was() {
    let log = "src/a/__init__.py:1:1: F401 [*] `os` imported but unused\n\
               b.py:2:1: F401 [*] `os` imported but unused\n\
               ::error file=/home/ci/project/src/a/__init__.py,line=1::the same\n\
               ::error file=src/c/__init__.py,line=1::another\n\
               ::error file=app/b.py,line=2::the same\n\
               ::error file=a.py,line=3::another\n";
    let files: Vec<_> = read(log.as_bytes(), usize::MAX).into_iter().map(|one| one.file.unwrap_or_default()).collect();
    assert_eq!(files, ["src/a/__init__.py", "b.py", "src/c/__init__.py", "a.py"]);
}
