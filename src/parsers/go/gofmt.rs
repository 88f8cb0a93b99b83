//! gofmt: `-d` (<https://pkg.go.dev/cmd/gofmt>), also in go fmt's, goimports' and gofumpt's names. `-l` prints names of files
//! and nothing else, which is told only if the whole log has nothing else in it.

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::{Line, seen};
use crate::parsers::text::{ADDED_LIMIT, line_number, number, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Names that are remembered until it is known that the log has nothing else.
const NAMES_LIMIT: usize = 10_000;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct Gofmt {
    diffs: [Diff; 2],
}

/// One file's difference, hunk by hunk.
#[derive(Default)]
struct Diff {
    file: Option<String>,
    /// Where the next line stands in the file as it is.
    line: u32,
    hunk: Option<Hunk>,
}

/// Lines that gofmt would write in another way.
struct Hunk {
    first: Option<u32>,
    last: u32,
    added: Vec<String>,
    text: String,
}

impl Parser for Gofmt {
    fn triggers(&self) -> &'static [&'static str] {
        &[".go.orig"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        self.diffs[line.side()].line(line.text, out)
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for diff in &mut self.diffs {
            diff.tell(out);
        }
    }
}

impl Diff {
    fn line(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        if let Some(file) = heading(text) {
            self.tell(out);
            *self = Self { file: Some(file.to_owned()), ..Self::default() };
            return Verdict::Own;
        }
        if self.file.is_none() {
            return Verdict::Idle;
        }
        if text.starts_with("--- ") || text.starts_with("+++ ") {
            return Verdict::Own;
        }
        if let Some(start) = text.strip_prefix("@@ -") {
            self.tell(out);
            let digits = start.bytes().take_while(u8::is_ascii_digit).count();
            self.line = number(&start[..digits]).unwrap_or_default();
            let text = format!("{text}\n");
            self.hunk = Some(Hunk { first: None, last: 0, added: Vec::new(), text });
            return Verdict::Own;
        }
        let Some(hunk) = &mut self.hunk else {
            self.file = None;
            return Verdict::Idle;
        };
        match text.as_bytes().first() {
            Some(b'-') => {
                hunk.first.get_or_insert(self.line);
                hunk.last = self.line;
                self.line = self.line.saturating_add(1);
            }
            Some(b'+') => {
                hunk.first.get_or_insert(self.line);
                if hunk.added.len() < ADDED_LIMIT {
                    hunk.added.push(text[1..].to_owned());
                }
            }
            Some(b' ' | b'\\') | None => self.line = self.line.saturating_add(1),
            Some(_) => {
                self.tell(out);
                self.file = None;
                return Verdict::Idle;
            }
        }
        push_line(&mut hunk.text, text);
        Verdict::Own
    }

    fn tell(&mut self, out: &mut Vec<Diagnostic>) {
        let (Some(hunk), Some(file)) = (self.hunk.take(), &self.file) else { return };
        let Some(first) = hunk.first else { return };
        out.push(Diagnostic {
            line: line_number(first),
            end_line: line_number(hunk.last.max(first)),
            raw: raw(&hunk.text),
            ..unformatted(file.clone())
        });
    }
}

/// The file of `diff a.go.orig a.go`, or, of releases before 1.15, `diff -u a.go.orig a.go`.
fn heading(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("diff ")?;
    let rest = rest.strip_prefix("-u ").unwrap_or(rest);
    let (old, new) = rest.split_once(".go.orig ")?;
    (new.strip_suffix(".go")? == old).then_some(new)
}

fn unformatted(file: String) -> Diagnostic {
    Diagnostic {
        file: Some(file),
        ..Diagnostic::new("gofmt", Kind::Lint, Severity::Warn, "unformatted", "the file is not formatted as gofmt does")
    }
}

/// The names that `gofmt -l` printed, of a log that has nothing else in it.
#[derive(Default)]
pub(in crate::parsers) struct Names {
    names: Vec<String>,
    has_more: bool,
}

impl Names {
    /// A piece of the log's standard output that begins with a line and ends with one.
    pub fn block(&mut self, block: &[u8]) {
        for line in block.split(|&byte| byte == b'\n') {
            if self.has_more {
                return;
            }
            let line = seen(line);
            match line.trim_end() {
                "" => {}
                name if is_name(name) && self.names.len() < NAMES_LIMIT => self.names.push(name.to_owned()),
                _ => {
                    self.has_more = true;
                    self.names = Vec::new();
                }
            }
        }
    }

    /// The end of the log.
    pub fn finish(self, out: &mut Vec<Diagnostic>) {
        out.extend(self.names.into_iter().map(unformatted));
    }
}

/// Whether a line is the path of a Go file and nothing else.
fn is_name(line: &str) -> bool {
    line.ends_with(".go")
        && line.len() > 3
        && !line.starts_with([' ', '\t', '-', '+', '#', '?', '{', '['])
        && !line.contains([':', '\t', '"', '*', '(', '=', ','])
        && !line.contains(" /")
}
