//! Real outputs of real tools, and what is to be found in them.
//!
//! `tests/parsers/<tool>/<case>.txt` is what the tool wrote to its standard output, `<case>.err.txt` to its standard
//! error, `<case>.expected` the exit status, `# ` and what was run (the tool, its version, the command), and then one
//! line per finding. After a change, `UPDATE_EXPECTED=1 cargo test --test parsers` writes the expected files anew; read
//! the difference.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crafting::model::{Diagnostic, Stream};
use crafting::parsers::{Feed, Hint};

/// Chunk sizes that cut lines, triggers, characters and escape sequences everywhere.
const CHUNKS: [usize; 5] = [usize::MAX, 1, 7, 64, 4096];

struct Case {
    path: PathBuf,
    out: Vec<u8>,
    err: Vec<u8>,
    exit: i32,
    /// The lines of `expected` that are the case's own: the exit status, and the notes.
    head: String,
    expected: String,
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parsers");
    let mut cases = Vec::new();
    for tool in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(tool.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "expected") {
                continue;
            }
            let expected = fs::read_to_string(&path).unwrap();
            let exit =
                expected.lines().next().and_then(|line| line.strip_prefix("exit ")).expect("a first line `exit N`");
            cases.push(Case {
                out: fs::read(path.with_extension("txt")).unwrap_or_default(),
                err: fs::read(path.with_extension("err.txt")).unwrap_or_default(),
                exit: exit.parse().unwrap(),
                head: expected
                    .split_inclusive('\n')
                    .enumerate()
                    .take_while(|(number, line)| *number == 0 || line.starts_with("# "))
                    .map(|(_, line)| line)
                    .collect(),
                expected,
                path,
            });
        }
    }
    assert!(!cases.is_empty());
    cases
}

fn read(case: &Case, chunk: usize) -> Vec<Diagnostic> {
    let mut feed = Feed::new(Hint::default());
    let mut found = Vec::new();
    for (stream, bytes) in [(Stream::Stderr, &case.err), (Stream::Stdout, &case.out)] {
        for bytes in bytes.chunks(chunk.min(bytes.len()).max(1)) {
            feed.push(stream, bytes, &mut found);
        }
    }
    feed.finish(Some(case.exit), &mut found);
    found
}

fn render(head: &str, found: &[Diagnostic]) -> String {
    let mut text = head.to_owned();
    for one in found {
        let number = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let file = one.file.as_deref().unwrap_or("-");
        let (line, column, end) = (number(one.line), number(one.column), number(one.end_line));
        write!(
            text,
            "{} {} {} {file}:{line}:{column}..{end} [{}] {}",
            one.kind, one.severity, one.tool, one.code, one.message
        )
        .unwrap();
        if let Some(fix) = &one.suggested_fix {
            write!(text, " => {fix:?}").unwrap();
        }
        text.push('\n');
    }
    text
}

#[test]
fn every_output_gives_what_is_expected() {
    let mut failures = Vec::new();
    for case in cases() {
        let found = render(&case.head, &read(&case, usize::MAX));
        if found == case.expected {
            continue;
        }
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&case.path, &found).unwrap();
        } else {
            failures.push(format!("{}\n--- expected\n{}\n--- found\n{found}", case.path.display(), case.expected));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// `docs/tools.md` says of each tool where its samples are.
#[test]
fn every_tool_is_in_the_list_of_tools() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/tools.md")).unwrap();
    for tool in fs::read_dir(root.join("tests/parsers")).unwrap() {
        let name = tool.unwrap().file_name().into_string().unwrap();
        assert!(page.contains(&format!("](../tests/parsers/{name})")), "docs/tools.md has no row for {name}");
    }
}

#[test]
fn chunks_make_no_difference() {
    for case in cases() {
        let whole = render(&case.head, &read(&case, usize::MAX));
        for chunk in CHUNKS {
            assert_eq!(render(&case.head, &read(&case, chunk)), whole, "{} in chunks of {chunk}", case.path.display());
        }
    }
}

#[test]
fn a_log_cut_anywhere_is_read_without_harm() {
    for case in cases() {
        let length = case.out.len();
        for part in 1..20 {
            let cut = Case {
                out: case.out[..length * part / 20].to_vec(),
                err: case.err[..case.err.len() * part / 20].to_vec(),
                path: case.path.clone(),
                exit: 137,
                head: String::new(),
                expected: String::new(),
            };
            assert!(!read(&cut, 4096).is_empty(), "a failed recipe has a finding at least");
        }
    }
}
