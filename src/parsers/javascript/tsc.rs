//! The TypeScript compiler: its text, with and without `--pretty`, with `-b` and `--watch`
//! (<https://www.typescriptlang.org/tsconfig/#pretty>); `vue-tsc` and `ng build` print the same.

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Reads both streams, each with an error whose explanation may follow, indented.
#[derive(Default)]
pub(in crate::parsers) struct Tsc {
    blocks: [Option<(Diagnostic, String)>; 2],
}

impl Parser for Tsc {
    fn triggers(&self) -> &'static [&'static str] {
        &["error TS", "error NG"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let block = &mut self.blocks[line.side()];
        if let Some(found) = head(line.text) {
            end(block, out);
            *block = Some((found, format!("{}\n", line.text)));
            return Verdict::Open;
        }
        if let Some((_, text)) = block
            && line.text.starts_with("  ")
        {
            push_line(text, line.text);
            return Verdict::Open;
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

fn end(block: &mut Option<(Diagnostic, String)>, out: &mut Vec<Diagnostic>) {
    out.extend(block.take().map(|(found, text)| Diagnostic { raw: raw(&text), ..found }));
}

/// `a.ts(1,2): error TS2322: message`, `a.ts:1:2 - error TS2322: message`, `error TS18003: message`.
fn head(text: &str) -> Option<Diagnostic> {
    let text = text.strip_prefix("ERROR in ").unwrap_or(text);
    let at = text.find("error TS").or_else(|| text.find("error NG"))?;
    let (code, message) = text[at + "error ".len()..].split_once(": ")?;
    // Angular's compiler has codes of its own.
    let (tool, digits) = match code.strip_prefix("TS") {
        Some(digits) => ("tsc", digits),
        None => ("ng", code.strip_prefix("NG")?.trim_start_matches('-')),
    };
    if !(4..=6).contains(&digits.len()) || number(digits).is_none() || text.starts_with([' ', '\t']) {
        return None;
    }
    let before = &text[..at];
    let (file, line, column) = if let Some(place) = before.strip_suffix("): ") {
        let (file, at) = place.rsplit_once('(')?;
        let (line, column) = at.split_once(',')?;
        (Some(file), number(line)?, number(column)?)
    } else if let Some(at) = before.strip_suffix(" - ") {
        let (file, line, column) = place(at)?;
        (Some(file), line, column?)
    } else if before.is_empty() || before.ends_with(": ") || before.ends_with("] ") || before.ends_with("| ") {
        // Without a place; a task runner names the task before it.
        (None, 0, 0)
    } else {
        return None;
    };
    Some(Diagnostic {
        file: file.map(|file| unprefixed(file).to_owned()),
        line: line_number(line),
        column: line_number(column),
        ..Diagnostic::new(tool, Kind::Lint, Severity::Error, code, one_line(message))
    })
}

/// The path without what runs several tasks at once prints before it: `web:build: `, `[0] `, `web-1  | `, a time.
fn unprefixed(path: &str) -> &str {
    let path = path.rsplit_once("| ").map_or(path, |(_, path)| path);
    let path = path.rsplit_once(": ").map_or(path, |(_, path)| path);
    let path = path.strip_prefix('[').and_then(|path| path.split_once("] ")).map_or(path, |(_, path)| path);
    match path.split_once("Z ") {
        Some((time, path)) if time.len() > 18 && time.starts_with("20") && !time.contains('/') => path,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let at = |text: &str| head(text).map(|found| (found.file, found.line, found.code));
        let file = |name: &str, line| Some((Some(name.to_owned()), Some(line), "TS2322".to_owned()));
        assert_eq!(at("src/a (b).ts(1,2): error TS2322: x"), file("src/a (b).ts", 1));
        assert_eq!(at("src/a.ts:1:2 - error TS2322: x"), file("src/a.ts", 1));
        assert_eq!(at("web:build: src/a.ts(3,2): error TS2322: x"), file("src/a.ts", 3));
        assert_eq!(at("2026-01-01T00:00:00.0000000Z src/a.ts(3,2): error TS2322: x"), file("src/a.ts", 3));
        assert_eq!(at("[0] src/a.ts(3,2): error TS2322: x"), file("src/a.ts", 3));
        assert_eq!(at("error TS2322: x"), Some((None, None, "TS2322".to_owned())));
        for none in ["// error TS2322: x", "an error TS2322: x", "error TS: x", "  a.ts(1,2): error TS2322: x"] {
            assert_eq!(at(none), None, "{none}");
        }
    }
}
