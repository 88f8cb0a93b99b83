//! esbuild, and what builds on it (Vite up to 7, Angular, tsup): `✘ [ERROR] message`, and the place below
//! (<https://esbuild.github.io/api/#format-messages>).

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, one_line, place, push_line, raw, slug};
use crate::parsers::{Parser, Verdict};

/// Lines between the message and its place.
const GAP: u32 = 3;
/// Lines that a message may have beyond its first.
const MESSAGE_LINES: u32 = 12;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct Esbuild {
    blocks: [Option<Block>; 2],
}

struct Block {
    found: Diagnostic,
    /// Lines of the message beyond its first.
    more: u32,
    lines: u32,
    text: String,
}

impl Parser for Esbuild {
    fn triggers(&self) -> &'static [&'static str] {
        &["✘ [ERROR] ", "▲ [WARNING] "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let block = &mut self.blocks[line.side()];
        if let Some(found) = head(line.text) {
            end(block, out);
            *block = Some(Block { found, more: 0, lines: 0, text: format!("{}\n", line.text) });
            return Verdict::Own;
        }
        if let Some(block) = block
            && block.lines == 0
            && block.more < MESSAGE_LINES
            && !line.text.is_empty()
            && !line.text.starts_with("    ")
        {
            block.more += 1;
            push_line(&mut block.text, line.text);
            return Verdict::Own;
        }
        if let Some(block) = block
            && (line.text.starts_with("    ") || line.text.is_empty())
        {
            block.lines += 1;
            push_line(&mut block.text, line.text);
            if block.found.file.is_none()
                && block.lines <= GAP
                && let Some((file, at, Some(column))) = line.text.trim().strip_suffix(':').and_then(place)
            {
                block.found.file = Some(file.to_owned());
                block.found.line = line_number(at);
                // Columns are bytes from 0.
                block.found.column = column.checked_add(1);
            }
            // An empty line stands before the place, and after the excerpt.
            if block.lines == 1 || !line.text.is_empty() {
                return Verdict::Own;
            }
        }
        end(block, out);
        Verdict::Idle
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for block in &mut self.blocks {
            end(block, out);
        }
    }
}

fn end(block: &mut Option<Block>, out: &mut Vec<Diagnostic>) {
    out.extend(block.take().map(|block| Diagnostic { raw: raw(&block.text), ..block.found }));
}

/// `✘ [ERROR] message [name]`; the name is that of a warning, or of a plugin.
fn head(text: &str) -> Option<Diagnostic> {
    let (message, severity) = match text.strip_prefix("✘ [ERROR] ") {
        Some(message) => (message, Severity::Error),
        None => (text.strip_prefix("▲ [WARNING] ")?, Severity::Warn),
    };
    let (message, name) = match message.strip_suffix(']').and_then(|text| text.rsplit_once(" [")) {
        Some((message, name)) => (message, Some(name).filter(|name| !name.starts_with("plugin "))),
        None => (message, None),
    };
    // Angular's come from the TypeScript compiler.
    let ts = message.split_once(": ").filter(|(code, _)| {
        let digits = code.strip_prefix("TS").or_else(|| code.strip_prefix("NG"));
        digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    });
    let (code, message, tool) = match (ts, name) {
        (Some((code, message)), _) => (code.to_owned(), message, if code.starts_with("NG") { "ng" } else { "tsc" }),
        (None, Some(name)) => (name.to_owned(), message, "esbuild"),
        (None, None) => (slug(&message.replace('"', "`")), message, "esbuild"),
    };
    let code = if code.is_empty() { severity.as_str().to_owned() } else { code };
    Some(Diagnostic::new(tool, Kind::Lint, severity, code, one_line(message)))
}
