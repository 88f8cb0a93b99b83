//! What govulncheck prints for people, in the forms of its releases since 2022
//! (<https://pkg.go.dev/golang.org/x/vuln/cmd/govulncheck#hdr-Exit_codes>).

use super::govulncheck::{Level, diagnostic};
use crate::model::Diagnostic;
use crate::parsers::Verdict;
use crate::parsers::text::{line_number, number, one_line, place, push_line, raw};

/// Bytes of a summary over its lines.
const SUMMARY_LIMIT: usize = 2 << 10;

/// One stream.
#[derive(Default)]
pub(in crate::parsers) struct Text {
    /// Whether the section lists what the project does not call.
    is_uncalled: bool,
    block: Option<Block>,
}

/// One vulnerability.
#[derive(Default)]
struct Block {
    id: String,
    is_uncalled: bool,
    summary: String,
    part: Part,
    module: String,
    found: String,
    fixed: Option<String>,
    at: Option<(String, u32, Option<u32>)>,
    text: String,
}

/// What the lines without a label are.
#[derive(Default, PartialEq)]
enum Part {
    #[default]
    Summary,
    Traces,
    Other,
}

impl Text {
    pub fn line(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        if let Some(title) = text.strip_prefix("=== ").and_then(|rest| rest.strip_suffix(" ===")) {
            self.end(out);
            self.is_uncalled = ["Package Results", "Module Results", "Informational"].contains(&title);
            return Verdict::Idle;
        }
        if let Some((count, id)) = text.strip_prefix("Vulnerability #").and_then(|rest| rest.split_once(": ")) {
            self.end(out);
            let is_id = id.starts_with("GO-") && !id.contains(' ');
            if number(count).is_some() && is_id {
                self.block = Some(Block { id: id.to_owned(), is_uncalled: self.is_uncalled, ..Block::default() });
                return Verdict::Own;
            }
            return Verdict::Idle;
        }
        let Some(block) = &mut self.block else { return Verdict::Idle };
        if !text.is_empty() && !text.starts_with(' ') {
            self.end(out);
            return Verdict::Idle;
        }
        if block.begins_module(text)
            && let Some(before) = block.next_module()
        {
            out.extend(before.diagnostic());
        }
        block.line(text);
        Verdict::Own
    }

    /// The block that is open is told.
    pub fn end(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.block.take().and_then(Block::diagnostic));
    }
}

impl Block {
    fn begins_module(&self, text: &str) -> bool {
        let text = text.trim_start();
        !self.found.is_empty() && (text.starts_with("Module: ") || text == "Standard library")
    }

    /// The block of the module so far; what follows is of another one.
    fn next_module(&mut self) -> Option<Self> {
        let next = Self {
            id: self.id.clone(),
            is_uncalled: self.is_uncalled,
            summary: self.summary.clone(),
            part: Part::Other,
            ..Self::default()
        };
        Some(std::mem::replace(self, next))
    }

    fn line(&mut self, text: &str) {
        push_line(&mut self.text, text);
        let body = text.trim();
        let label = body.split_once(": ").map(|(label, rest)| (label, rest.trim()));
        match label {
            Some(("Module", name)) => self.module = name.to_owned(),
            Some(("Found in", name)) => {
                if self.found.is_empty() {
                    self.found = name.to_owned();
                }
                self.part = Part::Other;
            }
            Some(("Fixed in", name)) => {
                self.fixed = name.rsplit_once('@').map(|(_, version)| version.to_owned());
                self.part = Part::Other;
            }
            Some(("More info" | "Platforms", _)) => self.part = Part::Other,
            _ if body == "Standard library" => self.module = "stdlib".to_owned(),
            _ if ["Example traces found:", "Call stacks in your code:"].contains(&body) => self.part = Part::Traces,
            _ if self.part == Part::Traces && self.at.is_none() => self.at = traced(body),
            _ if self.part == Part::Summary && self.summary.len() < SUMMARY_LIMIT => {
                self.summary.push(' ');
                self.summary.push_str(body);
            }
            _ => {}
        }
    }

    fn diagnostic(self) -> Option<Diagnostic> {
        if self.found.is_empty() {
            return None;
        }
        let (package, version) = self.found.rsplit_once('@').unwrap_or((&self.found, ""));
        let module = if self.module.is_empty() { package } else { &self.module };
        let level = if self.is_uncalled { Level::Present } else { Level::Called };
        let mut told = diagnostic(level, self.id, module, version, &one_line(&self.summary), self.fixed.as_deref());
        if let Some((file, line, column)) = self.at {
            told.file = Some(file);
            told.line = line_number(line);
            told.column = column.and_then(line_number);
        }
        told.raw = raw(&self.text);
        Some(told)
    }
}

/// The place in the project's own code: `#1: a.go:1:2: a.F calls b.G`, or with `-show traces` `F @ m/a.go:1:2`, or a line
/// of its own.
fn traced(body: &str) -> Option<(String, u32, Option<u32>)> {
    let body = match body.strip_prefix('#').and_then(|rest| rest.split_once(": ")) {
        Some((count, rest)) if number(count).is_some() => rest,
        _ => body,
    };
    let at = body.split_once(" @ ").map_or(body, |(_, at)| at);
    let at = at.split_once(": ").map_or(at, |(at, _)| at);
    let (file, line, column) = place(at).filter(|(file, ..)| file.ends_with(".go"))?;
    Some((file.to_owned(), line, column))
}
