//! Which lines hold anything of interest: one search for the triggers of all parsers at once.
//!
//! Some hundred triggers are too many for a vectorised search. But many have a few rare bytes in common (`FAIL`,
//! `ERRO`), so it is parts of four bytes that are searched for, chosen so that few cover all triggers. Where a part
//! is found, the triggers that it stands for are compared.

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind, packed};

/// A set of parsers, by their index in the registry.
pub(super) type Set = u128;

/// Bytes of a part: what Teddy, the vectorised search, looks at.
const PART: usize = 4;
/// The same of what begins a document.
const SHORT_PART: usize = 3;

/// Teddy sorts what it searches for into buckets, by the order that it is given.
const BUCKETS: usize = 8;
/// Parts that one search looks for; with more of them too many places look like one.
const PARTS_PER_PASS: usize = 32;

/// How often a part may occur per byte before that costs more than one part more.
const CHEAP: f64 = 1e-5;

/// What begins a JSON document that is spread over lines, at the margin, behind a prefix or other text. A document on
/// one line is found by its own triggers.
const OPENINGS: [&str; 18] = [
    "\n[\n", "\n{\n", "\n[\r", "\n{\r", "\n[{", "\n{ ", " {\n", " [\n", " {\r", " [\r", ":{\n", ":[\n", ":{\r", ":[\r",
    "[{\n", "[{\r", " [{", "\u{feff}",
];

/// The last character of a trigger that a digit must follow, and of one that must stand at the end of a line: `.py:` is
/// in every line of a test runner's log, `.py:1` is not.
const DIGIT: char = '№';
const END: char = '¶';

/// What has to stand behind a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Behind {
    Anything,
    Digit,
    End,
}

impl Behind {
    /// The bytes of a trigger, and what has to stand behind them.
    fn of(trigger: &'static str) -> (&'static [u8], Self) {
        match (trigger.strip_suffix(DIGIT), trigger.strip_suffix(END)) {
            (Some(before), _) => (before.as_bytes(), Self::Digit),
            (_, Some(before)) => (before.as_bytes(), Self::End),
            _ => (trigger.as_bytes(), Self::Anything),
        }
    }

    fn allows(self, rest: &[u8]) -> bool {
        match self {
            Self::Anything => true,
            Self::Digit => rest.first().is_some_and(u8::is_ascii_digit),
            Self::End => matches!(rest.first(), None | Some(b'\r' | b'\n')),
        }
    }
}

/// The triggers of all parsers.
pub(super) struct Triggers {
    lines: Finder,
    openings: Finder,
    json: Finder,
}

/// Finds any of some triggers.
struct Finder {
    passes: Vec<Pass>,
    /// What the parts of each pass stand for.
    meant: Vec<Vec<Vec<Meant>>>,
}

/// A trigger that holds a part.
struct Meant {
    trigger: &'static [u8],
    behind: Behind,
    /// Where in the trigger the part is.
    at: usize,
    owners: Set,
}

/// The bytes of a trigger, what stands behind them, and whose it is.
type Trigger = (&'static [u8], Behind, Set);

/// Finds where in a text any of some parts is.
enum Pass {
    Packed(packed::Searcher),
    /// For processors without the instructions.
    Automaton(Box<AhoCorasick>),
}

impl Pass {
    fn new(parts: &[&[u8]]) -> Self {
        let mut config = packed::Config::new();
        config.only_teddy(true).only_teddy_fat(Some(false));
        match config.builder().extend(parts).build() {
            Some(searcher) => Self::Packed(searcher),
            None => Self::Automaton(Box::new(
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostFirst)
                    .build(parts)
                    .expect("a few short patterns are far below the automaton's limits"),
            )),
        }
    }

    fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        let hit = match self {
            Self::Packed(searcher) => searcher.find_in(text, aho_corasick::Span { start: from, end: text.len() }),
            Self::Automaton(automaton) => automaton.find(aho_corasick::Input::new(text).range(from..)),
        };
        hit.map(|hit| (hit.pattern().as_usize(), hit.start()))
    }
}

impl Finder {
    fn new(triggers: &[(&'static str, Set)], part: usize) -> Self {
        let mut owners: HashMap<_, Set> = HashMap::new();
        for (trigger, set) in triggers {
            *owners.entry(Behind::of(trigger)).or_default() |= set;
        }
        let mut triggers: Vec<Trigger> =
            owners.into_iter().map(|((trigger, behind), owners)| (trigger, behind, owners)).collect();
        triggers.sort_unstable();
        let mut covered: HashMap<&[u8], Vec<(usize, usize)>> = cover(&triggers, part).into_iter().collect();
        let mut parts: Vec<&[u8]> = covered.keys().copied().collect();
        parts.sort_unstable();
        let (mut passes, mut meant) = (Vec::new(), Vec::new());
        for parts in sorted(&parts) {
            passes.push(Pass::new(&parts));
            // A part that fills a gap in its bucket is never what is found.
            let mut of_part = |part| {
                let covered = covered.remove(part).unwrap_or_default().into_iter();
                let meant = |(index, at)| {
                    let (trigger, behind, owners) = triggers[index];
                    Meant { trigger, behind, at, owners }
                };
                covered.map(meant).collect()
            };
            meant.push(parts.iter().map(|part| of_part(*part)).collect());
        }
        Self { passes, meant }
    }

    /// The next place at or behind `from` where triggers of this pass are, as their start, the place to go on from,
    /// and their owners.
    fn next(&self, pass: usize, text: &[u8], mut from: usize) -> Option<(usize, usize, Set)> {
        loop {
            let (part, at) = self.passes[pass].find(text, from)?;
            from = at + 1;
            let (mut first, mut owners) = (None::<usize>, 0);
            for meant in &self.meant[pass][part] {
                if let Some(start) = at.checked_sub(meant.at)
                    && let Some((there, rest)) = text[start..].split_at_checked(meant.trigger.len())
                    // What is seen at a glance first: mostly it is another one's part, or nobody's.
                    && meant.behind.allows(rest)
                    && there.first() == meant.trigger.first()
                    && there.last() == meant.trigger.last()
                    && there == meant.trigger
                {
                    first = Some(first.map_or(start, |first| first.min(start)));
                    owners |= meant.owners;
                }
            }
            if let Some(first) = first {
                return Some((first, from, owners));
            }
        }
    }

    /// Whose triggers are in a text.
    fn owners(&self, text: &[u8]) -> Set {
        let mut all = 0;
        for pass in 0..self.passes.len() {
            let mut from = 0;
            while let Some((_, next, owners)) = self.next(pass, text, from) {
                all |= owners;
                from = next;
            }
        }
        all
    }
}

/// A part, and of the triggers that it stands for the index and where in it the part is.
type Covered = (&'static [u8], Vec<(usize, usize)>);

/// Parts that are in all triggers. Chosen one by one, each so that it covers many triggers for how often it occurs in
/// logs.
fn cover(triggers: &[Trigger], length: usize) -> Vec<Covered> {
    let mut holders: HashMap<&'static [u8], Vec<(usize, usize)>> = HashMap::new();
    for (index, (trigger, ..)) in triggers.iter().enumerate() {
        for (at, part) in trigger.windows(length).enumerate() {
            let holders = holders.entry(part).or_default();
            if holders.last().is_none_or(|(last, _)| *last != index) {
                holders.push((index, at));
            }
        }
    }
    let mut worths: Vec<(f64, &[u8])> = holders.keys().map(|part| (1.0 / (CHEAP + frequency(part)), *part)).collect();
    worths.sort_unstable_by_key(|(_, part)| *part);
    let mut is_covered = vec![false; triggers.len()];
    let mut chosen = Vec::new();
    loop {
        let open = |part: &[u8]| holders[part].iter().filter(|(index, _)| !is_covered[*index]).count();
        #[allow(clippy::cast_precision_loss)] // A few hundred.
        let best = worths
            .iter()
            .map(|(worth, part)| (worth * open(part) as f64, *part))
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        let Some((_, part)) = best.filter(|(worth, _)| *worth > 0.0) else { return chosen };
        let covered: Vec<_> = holders[part].iter().filter(|(index, _)| !is_covered[*index]).copied().collect();
        for (index, _) in &covered {
            is_covered[*index] = true;
        }
        chosen.push((part, covered));
    }
}

/// What Teddy knows of the parts in a bucket: per place the halves of bytes that occur there.
#[derive(Clone, Copy, Default)]
struct Halves([(u16, u16); PART]);

impl Halves {
    fn with(mut self, part: &[u8]) -> Self {
        for ((low, high), byte) in self.0.iter_mut().zip(part) {
            *low |= 1 << (byte & 15);
            *high |= 1 << (byte >> 4);
        }
        self
    }

    /// How often a place in a log looks like any of the parts.
    fn frequency(self, length: usize) -> f64 {
        let looks = |(low, high): (u16, u16)| -> f64 {
            (0..=u8::MAX)
                .filter(|byte| low & 1 << (byte & 15) != 0 && high & 1 << (byte >> 4) != 0)
                .map(byte_frequency)
                .sum()
        };
        self.0[..length].iter().map(|halves| looks(*halves)).product()
    }
}

/// The parts of each pass, in the order in which those that look alike come into the same bucket.
fn sorted<'a>(parts: &[&'a [u8]]) -> Vec<Vec<&'a [u8]>> {
    let passes = parts.len().div_ceil(PARTS_PER_PASS);
    let mut buckets = vec![(Vec::new(), Halves::default(), 0.0); passes * BUCKETS];
    let room = parts.len().div_ceil(buckets.len().max(1));
    for part in parts {
        let costs =
            buckets.iter().enumerate().filter(|(_, (held, ..))| held.len() < room).map(|(index, (_, halves, cost))| {
                let halves = halves.with(part);
                let frequency = halves.frequency(part.len());
                (frequency - cost, index, halves, frequency)
            });
        if let Some((_, index, halves, frequency)) = costs.min_by(|(a, ..), (b, ..)| a.total_cmp(b)) {
            buckets[index].0.push(*part);
            (buckets[index].1, buckets[index].2) = (halves, frequency);
        }
    }
    let row = |row: usize, buckets: &[(Vec<&'a [u8]>, Halves, f64)]| -> Vec<&'a [u8]> {
        // A bucket that has no more holds its first one twice, so that the others keep their places.
        let any = buckets.iter().find_map(|(held, ..)| held.first().copied());
        buckets.iter().filter_map(|(held, ..)| held.get(row).or(held.first()).copied().or(any)).collect()
    };
    buckets.chunks(BUCKETS).map(|buckets| (0..room).flat_map(|number| row(number, buckets)).collect()).collect()
}

/// How often a part occurs per byte of a log, roughly: as often as its bytes do, if they were independent.
fn frequency(part: &[u8]) -> f64 {
    if part.iter().all(|byte| *byte == part[0]) {
        // Rulers and indentation.
        return 5e-3;
    }
    part.iter().map(|byte| FREQUENCIES[usize::from(*byte)]).product()
}

/// How often each byte occurs in logs, roughly.
static FREQUENCIES: LazyLock<[f64; 256]> = LazyLock::new(|| {
    let mut bytes = 0..=u8::MAX;
    std::array::from_fn(|_| bytes.next().map_or(0.0, byte_frequency))
});

fn byte_frequency(byte: u8) -> f64 {
    match byte {
        b' ' => 0.15,
        b'e' => 0.07,
        b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 0.05,
        b'd' | b'l' | b'c' | b'u' | b'm' | b'p' | b'h' => 0.03,
        b'f' | b'g' | b'b' | b'v' | b'y' | b'w' | b'k' => 0.015,
        b'0'..=b'9' | b'"' | b':' => 0.02,
        b'.' | b'/' | b'-' | b'_' | b',' => 0.015,
        b'\n' => 0.01,
        b'=' | b'(' | b')' | b'\'' | b'[' | b']' => 0.006,
        b'A'..=b'Z' | b'j' | b'q' | b'x' | b'z' => 0.003,
        b'!'..=b'~' => 0.001,
        _ => 0.0001,
    }
}

impl Triggers {
    /// From the line triggers and the JSON triggers of each parser, in the registry's order.
    pub fn new(parsers: impl IntoIterator<Item = (&'static [&'static str], &'static [&'static str])>) -> Self {
        let mut lines: Vec<(&str, Set)> = Vec::new();
        let mut json: Vec<(&str, Set)> = Vec::new();
        for (index, (line_triggers, json_triggers)) in parsers.into_iter().enumerate() {
            lines.extend(line_triggers.iter().map(|trigger| (*trigger, 1 << index)));
            json.extend(json_triggers.iter().map(|trigger| (*trigger, 1 << index)));
        }
        let openings = OPENINGS.map(|opening| (opening, 0));
        Self {
            lines: Finder::new(&lines, PART),
            openings: Finder::new(&openings, SHORT_PART),
            json: Finder::new(&json, PART),
        }
    }

    /// Whose line triggers are in this clean line.
    pub fn in_line(&self, text: &str) -> Set {
        self.lines.owners(text.as_bytes())
    }

    /// Whose JSON triggers are in this text.
    pub fn in_json(&self, text: &str) -> Set {
        self.json.owners(text.as_bytes())
    }

    /// A walk over a block of whole lines.
    pub fn walk<'a>(&'a self, block: &'a [u8]) -> Walk<'a> {
        let next = [&self.lines, &self.openings, &self.json].map(|finder| vec![None; finder.passes.len()]);
        Walk { triggers: self, block, next, record: None }
    }
}

/// Finds the places of interest in a block one after the other; each search runs over each byte once.
pub(super) struct Walk<'a> {
    triggers: &'a Triggers,
    block: &'a [u8],
    /// Where the hit after the place last asked for is, per pass.
    next: [Vec<Option<usize>>; 3],
    /// The same for what every JSON record holds: without it there is no need to look for JSON triggers.
    record: Option<usize>,
}

impl Walk<'_> {
    /// The start of the first line at or behind the line start `from` that has to be looked at.
    pub fn next_line(&mut self, from: usize) -> Option<usize> {
        let Self { triggers: Triggers { lines, openings, json }, block, next, record } = self;
        // The line break before is searched too: documents are recognised by it.
        let from_break = from.saturating_sub(1);
        let is_past = |hit: &Option<usize>| hit.is_some_and(|hit| hit >= from_break);
        if !is_past(record) {
            let find = |begin: &[u8]| memchr::memmem::find(&block[from_break..], begin);
            let found = [find(b"{\""), find(b"{ \"")].into_iter().flatten().min();
            *record = Some(found.map_or(usize::MAX, |at| at + from_break));
        }
        let finders = if *record == Some(usize::MAX) { &[lines, openings][..] } else { &[lines, openings, json] };
        let mut first = block.len();
        for (finder, next) in finders.iter().zip(next) {
            for (pass, next) in next.iter_mut().enumerate() {
                if !is_past(next) {
                    *next = Some(finder.next(pass, block, from_break).map_or(usize::MAX, |(start, ..)| start));
                }
                first = first.min(next.unwrap_or(usize::MAX));
            }
        }
        if first >= block.len() {
            return None;
        }
        let start = if block[first] == b'\n' {
            first + 1
        } else {
            memchr::memrchr(b'\n', &block[..first]).map_or(0, |at| at + 1)
        };
        Some(start.max(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parsers::REGISTRY;

    #[test]
    fn few_parts_cover_all_triggers() {
        let triggers = ["... FAILED", "FAILED", "= FAILURES =", "SUBFAIL", "--- FAIL: "];
        let triggers: Vec<_> = triggers.iter().map(|trigger| (trigger.as_bytes(), Behind::Anything, 0)).collect();
        assert_eq!(cover(&triggers, PART).len(), 1);
    }

    #[test]
    fn every_trigger_is_found_wherever_it_stands() {
        let parsers: Vec<_> =
            REGISTRY.iter().map(|make| make()).map(|parser| (parser.triggers(), parser.json_triggers())).collect();
        let all = Triggers::new(parsers.iter().copied());
        for (index, (lines, json)) in parsers.iter().enumerate() {
            for trigger in *lines {
                let (bytes, behind) = Behind::of(trigger);
                assert!(bytes.len() >= PART, "{trigger:?} is too short to be searched for");
                let bytes = std::str::from_utf8(bytes).unwrap();
                let rest = match behind {
                    Behind::Anything => " after",
                    Behind::Digit => "1 after",
                    Behind::End => "\r",
                };
                let digit = if behind == Behind::Digit { "0" } else { "" };
                for text in [format!("one\n{bytes}{digit}\ntwo\n"), format!("one\nbefore {bytes}{rest}\n")] {
                    assert_eq!(all.walk(text.as_bytes()).next_line(0), Some(4), "{text:?}");
                    assert_ne!(all.in_line(&text) & 1 << index, 0, "{text:?}");
                }
            }
            for trigger in *json {
                assert!(trigger.len() >= 4, "{trigger:?} is too short to be searched for");
                let text = format!("one\n{{\"a\":{trigger}}}\n");
                assert_eq!(all.walk(text.as_bytes()).next_line(0), Some(4), "{text:?}");
                assert_ne!(all.in_json(&text) & 1 << index, 0, "{text:?}");
            }
        }
        assert_eq!(all.walk(b"one\ntwo\n").next_line(0), None);
    }

    /// What logs consist of; a trigger that is in such a line costs a look at nearly all lines.
    const COMMON: &str = r#"
tests/test_module.py::TestClass::test_function[a-1] PASSED [ 42%]
tests/test_module.py .......................                             [ 42%]
test_function (test_module.TestClass.test_function) ... ok
Collecting requests (from -r requirements.txt (line 3))
  Downloading requests-2.32.3-py3-none-any.whl (64 kB)
Requirement already satisfied: idna in /usr/lib/python3/dist-packages (3.3)
copying build/lib/package/module.py -> build/bdist/package
   Compiling serde v1.0.219
   Compiling package v0.1.0 (/home/ci/src/package)
    Finished `test` profile [unoptimized + debuginfo] target(s) in 3.21s
test module::tests::a_name ... ok
test src/lib.rs - module::function (line 12) ... ok
        PASS [   0.004s] package module::tests::a_name
 Downloaded serde v1.0.219
=== RUN   TestName/sub_name
--- PASS: TestName/sub_name (0.00s)
ok  	example.com/project/package	0.012s
?   	example.com/project/package	[no test files]
go: downloading golang.org/x/text v0.14.0
2026/01/01 00:00:00 server.go:97: listening on :8080
{"level":"info","ts":"2026-01-01T00:00:00Z","caller":"server/server.go:97","msg":"listening"}
{"Time":"2026-01-01T00:00:00Z","Action":"pass","Package":"example.com/p","Test":"TestName","Elapsed":0}
npm http fetch GET 200 https://registry.npmjs.org/name 12ms (cache hit)
npm warn deprecated name@1.0.0: this is not supported
added 123 packages, and audited 124 packages in 3s
PASS src/components/name.test.tsx
  ✓ renders the name (12 ms)
    ✔ adds two numbers (0.5ms)
✔ adds two numbers (0.5ms)
▶ suite of tests
ok 12 - adds two numbers
 ✓ src/name.test.ts (12 tests) 34ms
 ✓ |project| src/name.test.ts > suite > adds two numbers 3ms
  ✓  12 [chromium] › tests/name.spec.ts:12:3 › suite › adds two numbers (1.2s)
(pass) suite > adds two numbers [0.12ms]
suite ... adds two numbers ... ok (3ms)
dist/assets/index-BfF4.js   143.42 kB │ gzip: 46.12 kB
asset main.js 1.2 MiB [emitted] (name: main)
[webpack-cli] Compilation finished
[INFO] Downloading from central: https://repo.maven.apache.org/maven2/org/name/1.0/name-1.0.pom
[INFO] --- maven-compiler-plugin:3.11.0:compile (default-compile) @ name ---
[INFO] Running com.example.NameTest
[INFO] Tests run: 12, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s -- in com.example.NameTest
12:00:00.000 [main] INFO  com.example.Name -- Started Name in 3.2 seconds
12:00:00.000 [main] DEBUG org.name.Pool: handled request for /api/v1/items
	at com.example.Name.method(Name.java:12)
> Task :compileJava UP-TO-DATE
NameTest > addsTwoNumbers() PASSED
BUILD SUCCESSFUL in 3s
[ 42%] Building CXX object src/CMakeFiles/name.dir/name.cpp.o
[12/345] Compiling C object name.p/src_name.c.o
gcc -O2 -Wall -c -o name.o src/name.c
  CC      src/name.o
      Start  1: name
 1/12 Test  #1: name .............................   Passed    0.01 sec
[ RUN      ] Suite.Name
[       OK ] Suite.Name (0 ms)
  Determining projects to restore...
  Name -> /home/ci/project/bin/Debug/net8.0/Name.dll
  Passed Namespace.NameTest.AddsTwoNumbers [3 ms]
Using rake 13.0.6
Installing name 1.2.3
  adds two numbers
NameTest#test_adds = 0.00 s = .
  - Installing vendor/name (v1.2.3): Extracting archive
 ✔ Adds two numbers
Test Case '-[NameTests.NameTests testAdds]' passed (0.001 seconds).
#12 3.456 Get:1 http://deb.debian.org/debian bookworm/main amd64 name amd64 1.2 [12.3 kB]
Unpacking name (1.2-3) ...
Setting up name (1.2-3) ...
2026-01-01T00:00:00Z DEBUG server::pool: handled request 4711 for /api/v1/items in 12 ms, cache hit
2026-01-01 00:00:00,000 - name.module - INFO - handled request
INFO:name.module:handled request
INFO:     127.0.0.1:1234 - "GET /api/v1/items HTTP/1.1" 200 OK
127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET /api/v1/items HTTP/1.1" 200 123 "-" "curl/8.0"
Jan  1 00:00:00 host systemd[1]: Started name.service - Name.
time="2026-01-01T00:00:00Z" level=info msg="listening"
I0101 00:00:00.000000       1 server.go:97] listening
 12 |     let name = value;
  name: value
remote: Counting objects: 42% (12/34)
"#;

    /// What of that tells a tool's parser where it is, or cannot be told from what it looks for.
    const NEEDED: [&str; 13] = [
        "/src/",
        "=== RUN   ",
        "--- PASS: ",
        "ok  \t",
        ".go:№",
        "▶ ",
        " › ",
        "(pass) ",
        "    Start ",
        "[ RUN      ]",
        "#test_",
        "Test Case '",
        "INFO: ",
    ];

    #[test]
    fn common_lines_hold_no_trigger() {
        for parser in REGISTRY.iter().map(|make| make()) {
            for trigger in parser.triggers().iter().filter(|trigger| !NEEDED.contains(trigger)) {
                let (bytes, behind) = Behind::of(trigger);
                for line in COMMON.lines() {
                    let mut places = memchr::memmem::find_iter(line.as_bytes(), bytes);
                    let is_held = places.any(|at| behind.allows(&line.as_bytes()[at + bytes.len()..]));
                    assert!(!is_held, "{trigger:?} is in {line:?}");
                }
            }
        }
    }

    #[test]
    fn triggers_that_overlap_are_all_found() {
        let parsers: [(&'static [&'static str], &'static [&'static str]); 3] =
            [(&["error: "], &[]), (&[": error: "], &[]), (&["ror: x"], &[])];
        assert_eq!(Triggers::new(parsers).in_line("a: error: x"), 0b111);
    }
}
