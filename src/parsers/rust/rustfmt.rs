//! `rustfmt --check` and `cargo fmt --check`: the differences (`Diff in FILE:LINE:`, formerly `Diff in FILE at
//! line LINE:`), the bare paths of `-l`, and `--emit json` (<https://github.com/rust-lang/rustfmt#checking-style-on-a-ci-server>,
//! <https://rust-lang.github.io/rustfmt/>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity, Stream};
use crate::parsers::line::Line;
use crate::parsers::text::{ADDED_LIMIT, dedent, line_number, number, one_line, place, push_line, raw, slug};
use crate::parsers::{Parser, Verdict};

/// Paths of `-l` that are held until it is certain that nothing else is printed.
const PATHS_LIMIT: usize = 100_000;

/// Reads both streams, each with a difference of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Rustfmt {
    blocks: [Option<Block>; 2],
    /// The standard output so far, if it is nothing but paths.
    paths: Vec<String>,
    /// Something else was printed: the paths are somebody else's list.
    mixed: bool,
}

struct Block {
    found: Diagnostic,
    added: Vec<String>,
    /// Rustfmt could not do it: the place stands below.
    failed: bool,
    text: String,
}

#[derive(Deserialize)]
struct File<'a> {
    name: String,
    #[serde(borrow)]
    mismatches: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Mismatch {
    original_begin_line: u32,
    original_end_line: u32,
    expected: String,
}

impl Parser for Rustfmt {
    fn triggers(&self) -> &'static [&'static str] {
        &["Diff in ", "error[internal]: ", "Incorrect newline style in ", "/src/"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = line.side();
        let text = line.text;
        if let Some(block) = &mut self.blocks[side] {
            if block.read(text) {
                return Verdict::Open;
            }
            self.end(side, out);
        }
        if let Some(block) = header(text) {
            self.mixed = true;
            self.blocks[side] = Some(block);
            return Verdict::Open;
        }
        if let Some(file) = text.strip_prefix("Incorrect newline style in ") {
            out.push(Diagnostic { raw: raw(text), ..unformatted(file, "incorrect newline style") });
        }
        if line.stream == Stream::Stdout { self.bare_path(line) } else { Verdict::Idle }
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"mismatches\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(File { name, mismatches }) = serde_json::from_str(text) else { return };
        for record in mismatches {
            let Ok(mismatch) = serde_json::from_str::<Mismatch>(record.get()) else { continue };
            out.push(Diagnostic {
                line: line_number(mismatch.original_begin_line),
                end_line: line_number(mismatch.original_end_line),
                suggested_fix: Some(mismatch.expected),
                raw: Some(record.to_owned()),
                ..unformatted(&name, MESSAGE)
            });
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in 0..self.blocks.len() {
            self.end(side, out);
        }
        if !self.mixed {
            out.extend(self.paths.drain(..).map(|path| Diagnostic { raw: raw(&path), ..unformatted(&path, MESSAGE) }));
        }
    }
}

impl Rustfmt {
    fn end(&mut self, side: usize, out: &mut Vec<Diagnostic>) {
        let Some(Block { found, added, failed, text }) = self.blocks[side].take() else { return };
        if failed && found.file.is_none() {
            return;
        }
        let fix = (!added.is_empty()).then(|| dedent(&added));
        out.push(Diagnostic { suggested_fix: fix, raw: raw(&text), ..found });
    }

    /// `-l` prints whole paths and nothing else. A list among other output is not rustfmt's.
    fn bare_path(&mut self, line: &Line<'_>) -> Verdict {
        let begins = self.paths.is_empty();
        let alone = !begins || line.before.is_empty();
        if self.mixed || !alone || !is_source(line.text) || self.paths.len() >= PATHS_LIMIT {
            self.mixed |= !begins && !line.text.is_empty();
            return if self.mixed || begins { Verdict::Idle } else { Verdict::Open };
        }
        self.paths.push(line.text.to_owned());
        Verdict::Open
    }
}

/// What there is to say about a place that rustfmt would write differently.
const MESSAGE: &str = "not formatted as rustfmt would";

impl Block {
    /// Reads the next line; false if it is not part of the block.
    fn read(&mut self, line: &str) -> bool {
        if self.failed {
            if let Some((file, number)) = line.trim_start().strip_prefix("--> ").and_then(failed_place)
                && self.found.file.is_none()
            {
                self.found.file = Some(file.to_owned());
                self.found.line = line_number(number);
            } else if !line.starts_with([' ', '=', '|']) && !line.starts_with(|c: char| c.is_ascii_digit()) {
                return false;
            }
        } else if let Some(added) = line.strip_prefix('+') {
            if self.added.len() < ADDED_LIMIT {
                self.added.push(added.trim_end_matches('⏎').to_owned());
            }
        } else if !line.starts_with([' ', '-']) {
            return false;
        }
        push_line(&mut self.text, line);
        true
    }
}

fn header(text: &str) -> Option<Block> {
    let block = |found, failed| Block { found, added: Vec::new(), failed, text: format!("{text}\n") };
    if let Some(message) = text.strip_prefix("error[internal]: ") {
        let message = one_line(message);
        return Some(block(Diagnostic::new("rustfmt", Kind::Lint, Severity::Error, slug(&message), message), true));
    }
    let at = text.strip_prefix("Diff in ")?.trim_end().strip_suffix(':')?;
    let (file, line) = match at.rsplit_once(" at line ") {
        Some((file, line)) => (file, number(line)?),
        None => at.rsplit_once(':').and_then(|(file, line)| Some((file, number(line)?)))?,
    };
    let file = file.strip_prefix(r"\\?\").unwrap_or(file);
    let is_rust = file.ends_with(".rs") || matches!(file, "<stdin>" | "stdin");
    is_rust.then(|| block(Diagnostic { line: line_number(line), ..unformatted(file, MESSAGE) }, false))
}

/// `src/lib.rs:3:3:1`: the line stands twice.
fn failed_place(text: &str) -> Option<(&str, u32)> {
    let (rest, line, _) = place(text)?;
    Some(match rest.rsplit_once(':') {
        Some((file, first)) if number(first).is_some() => (file, line),
        _ => (rest, line),
    })
}

fn is_source(text: &str) -> bool {
    let windows = || text.as_bytes().get(1..3) == Some(b":\\");
    text.ends_with(".rs") && (text.starts_with('/') || windows()) && !text.contains(": ") && !text.contains('\t')
}

fn unformatted(file: &str, message: &str) -> Diagnostic {
    Diagnostic {
        file: (!file.starts_with('<') && file != "stdin").then(|| file.to_owned()),
        ..Diagnostic::new("rustfmt", Kind::Lint, Severity::Warn, "unformatted", message)
    }
}
