//! Vite and Rollup: the error that ended a build (<https://rollupjs.org/troubleshooting/>,
//! <https://vite.dev/guide/troubleshooting#build>).

use super::js_stack::is_script;
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, push_line, raw, slug};
use crate::parsers::{Parser, Verdict};

/// Lines of an error that are read.
const BLOCK_LINES: u32 = 40;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct Vite {
    sides: [Option<Block>; 2],
    /// What was said last of an import: it is said before the end of the build, and at it.
    import: String,
}

struct Block {
    tool: &'static str,
    /// Where it is: the file that the message names, or that a line of its own does.
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    message: String,
    /// esbuild's errors follow, each with its place.
    has_list: bool,
    /// A compiler's own words, whose columns are from 1.
    is_compiler: bool,
    text: String,
    lines: u32,
}

impl Parser for Vite {
    fn triggers(&self) -> &'static [&'static str] {
        &["error during build:", "[!] ", "Rollup failed to resolve import "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text.trim_end();
        let side = line.side();
        if text.trim() == "error during build:" {
            self.end(side, out);
            self.sides[side] = Some(Block::new("vite", text));
            return Verdict::Own;
        }
        if let Some(message) = text.strip_prefix("[!] ").filter(|message| is_rollup(message)) {
            self.end(side, out);
            let mut block = Block::new("rollup", text);
            block.read(message, out);
            self.sides[side] = Some(block);
            return Verdict::Own;
        }
        if let Some(block) = &mut self.sides[side] {
            if block.read(text, out) {
                return Verdict::Own;
            }
            self.end(side, out);
            return Verdict::Idle;
        }
        if let Some(at) = text.find("[vite]: Rollup failed to resolve import ") {
            let mut block = Block::new("vite", text);
            block.read(&text[at..], out);
            self.tell(block, out);
            return Verdict::Mine;
        }
        Verdict::Idle
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        (0..self.sides.len()).for_each(|side| self.end(side, out));
    }
}

impl Vite {
    fn end(&mut self, side: usize, out: &mut Vec<Diagnostic>) {
        if let Some(block) = self.sides[side].take() {
            self.tell(block, out);
        }
    }

    fn tell(&mut self, block: Block, out: &mut Vec<Diagnostic>) {
        let Some(found) = block.end() else { return };
        if found.code == "unresolved_import" && self.import == found.message {
            return;
        }
        self.import.clone_from(&found.message);
        out.push(found);
    }
}

/// How Rollup begins what it says: `RollupError: …`, `(plugin x) …`, `Error: …`.
fn is_rollup(message: &str) -> bool {
    message.starts_with("(plugin ")
        || message.split_once(": ").is_some_and(|(name, _)| name.ends_with("Error") && !name.contains(' '))
}

impl Block {
    fn new(tool: &'static str, text: &str) -> Self {
        let text = format!("{text}\n");
        Self {
            tool,
            file: None,
            line: None,
            column: None,
            message: String::new(),
            has_list: false,
            is_compiler: false,
            text,
            lines: 0,
        }
    }

    /// Whether the next line is wanted too.
    fn read(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> bool {
        self.lines += 1;
        let body = text.trim();
        if self.lines > BLOCK_LINES || body.starts_with("at ") && !self.message.is_empty() {
            return false;
        }
        push_line(&mut self.text, text);
        if self.message.is_empty() {
            self.say(body);
            return true;
        }
        if self.has_list
            && let Some((at, message)) = body.split_once(": ERROR: ")
            && let Some((file, line, Some(column))) = place(at)
        {
            out.push(Diagnostic {
                file: Some(file.to_owned()),
                line: line_number(line),
                // Columns are from 0.
                column: column.checked_add(1),
                raw: raw(body),
                ..Diagnostic::new(self.tool, Kind::Lint, Severity::Error, "syntax", one_line(message))
            });
        }
        if self.line.is_none() {
            let at = body.strip_prefix("file: ").unwrap_or(body);
            self.locate(at);
        }
        true
    }

    fn say(&mut self, body: &str) {
        let mut rest = body;
        loop {
            let next = rest
                .strip_prefix("Error: ")
                .or_else(|| rest.strip_prefix("RollupError: "))
                .or_else(|| rest.strip_prefix("(plugin ").and_then(|rest| rest.split_once(") ")).map(|(_, rest)| rest))
                .or_else(|| {
                    let (name, rest) = rest.strip_prefix('[')?.split_once("] ")?;
                    (!name.contains(' ')).then_some(rest)
                });
            match next {
                Some(next) => rest = next,
                None => break,
            }
        }
        rest = rest.strip_prefix("[vite]: ").unwrap_or(rest);
        self.is_compiler = ["[vite:vue", "[vite:css", "[plugin:vite:vue"].iter().any(|name| body.contains(name));
        self.has_list = rest.starts_with("Transform failed with ") || rest.starts_with("Build failed with ");
        // `src/a.js (3:9): message`
        if let Some((at, message)) = rest.split_once(": ").filter(|(at, _)| at.ends_with(')')) {
            self.locate(at);
            if self.file.is_some() {
                rest = message;
            }
        }
        for before in [" from \"", "imported by \""] {
            if self.file.is_none()
                && let Some((_, file)) = rest.rsplit_once(before)
                && let Some((file, _)) = file.split_once('"')
            {
                self.file = Some(file.to_owned());
            }
        }
        self.message = rest.to_owned();
    }

    /// `/p/a.js:3:9`, `src/a.js (3:9)`.
    fn locate(&mut self, text: &str) {
        let bracketed = text.strip_suffix(')').and_then(|text| text.rsplit_once(" (")).and_then(|(file, at)| {
            let (line, column) = at.split_once(':')?;
            Some((file, number(line)?, Some(number(column)?)))
        });
        let Some((file, line, column)) = bracketed.or_else(|| place(text)) else {
            if self.file.is_none() && is_script(text) && !text.contains(' ') {
                self.file = Some(text.to_owned());
            }
            return;
        };
        if is_source(file) {
            self.file = Some(file.to_owned());
            self.line = line_number(line);
            // Columns are from 0.
            self.column = column.and_then(|column| column.checked_add(u32::from(!self.is_compiler)));
        }
    }

    fn end(self) -> Option<Diagnostic> {
        if self.message.is_empty() || self.has_list {
            return None;
        }
        let message = self.message.as_str();
        let code = if message.contains("ould not resolve ") || message.contains("failed to resolve ") {
            "unresolved_import".to_owned()
        } else if message.contains(" is not exported by ") {
            "missing_export".to_owned()
        } else if message.starts_with("Expected ") || message.starts_with("Unexpected ") {
            "syntax".to_owned()
        } else {
            slug(&message.replace(['\'', '"'], "`"))
        };
        let code = if code.is_empty() { "error".to_owned() } else { code };
        Some(Diagnostic {
            file: self.file,
            line: self.line,
            column: self.column.filter(|_| self.line.is_some()),
            raw: raw(&self.text),
            ..Diagnostic::new(self.tool, Kind::Lint, Severity::Error, code, one_line(message))
        })
    }
}

fn is_source(file: &str) -> bool {
    is_script(file) || [".css", ".scss", ".sass", ".less", ".html", ".json"].iter().any(|end| file.ends_with(end))
}
