//! Biome: what `check`, `ci`, `lint` and `format` print, and `--reporter=json`
//! (<https://biomejs.dev/reference/reporters/>), of the releases 1 and 2.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, one_line, place, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Words that may stand behind the category.
const TAGS: &[&str] = &["FIXABLE", "INTERNAL", "DEPRECATED", "UNNECESSARY", "VERBOSE", "FATAL", "KILLED"];
/// Categories that are not rules.
const CATEGORIES: &[&str] =
    &["parse", "format", "organizeImports", "configuration", "plugin", "deserialize", "project"];
/// The same with names below them.
const GROUPS: &[&str] = &["lint/", "assist/", "suppressions/", "syntax/", "internalError/", "fs/", "files/"];

/// Reads both streams, each with a diagnostic of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Biome {
    blocks: [Option<Block>; 2],
}

struct Block {
    file: String,
    at: (Option<u32>, Option<u32>),
    category: String,
    severity: Option<Severity>,
    message: String,
    text: String,
}

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    summary: &'a RawValue,
    #[serde(borrow)]
    diagnostics: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Record<'a> {
    category: Option<String>,
    severity: String,
    /// Text in release 2, marked-up parts before, which `description` repeats.
    #[serde(borrow)]
    message: &'a RawValue,
    description: Option<String>,
    location: Option<Location>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    path: Option<Path>,
    start: Option<Position>,
    end: Option<Position>,
    span: Option<(usize, usize)>,
    source_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Path {
    Text(String),
    File { file: String },
}

#[derive(Deserialize)]
struct Position {
    line: u32,
    column: u32,
}

impl Parser for Biome {
    fn triggers(&self) -> &'static [&'static str] {
        &[" ━━"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let block = &mut self.blocks[line.side()];
        let text = line.text;
        if text.contains(" ━━") {
            end(block, out);
            *block = head(text);
            return if block.is_some() { Verdict::Own } else { Verdict::Idle };
        }
        if let Some(block) = block
            && (text.is_empty() || text.starts_with("  "))
        {
            block.read(text);
            return Verdict::Own;
        }
        end(block, out);
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"suggestedFixesSkipped\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(report) = serde_json::from_str::<Report<'_>>(text) else { return };
        if !report.summary.get().contains("\"suggestedFixesSkipped\"") {
            return;
        }
        for text in report.diagnostics {
            let Ok(record) = serde_json::from_str::<Record<'_>>(text.get()) else { continue };
            if let Some(mut found) = record.found() {
                found.raw = RawValue::from_string(text.get().to_owned()).ok();
                out.push(found);
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for block in &mut self.blocks {
            end(block, out);
        }
    }
}

fn end(block: &mut Option<Block>, out: &mut Vec<Diagnostic>) {
    let Some(block) = block.take() else { return };
    let severity = block.severity.unwrap_or(Severity::Error);
    if let Some(mut found) = found(&block.file, block.at, &block.category, severity, &block.message) {
        found.raw = raw(&block.text);
        out.push(found);
    }
}

/// `src/a.js:1:16 lint/style/useConst  FIXABLE  ━━━━`.
fn head(text: &str) -> Option<Block> {
    let mut rest = text.trim_end_matches(['━', ' ']);
    while let Some((before, _)) = rest.rsplit_once(' ').filter(|(_, tag)| TAGS.contains(tag)) {
        rest = before.trim_end();
    }
    let (at, category) = rest.rsplit_once(' ')?;
    let known = CATEGORIES.contains(&category) || GROUPS.iter().any(|group| category.starts_with(group));
    if !known || at.trim().is_empty() || at.starts_with(' ') {
        return None;
    }
    let (file, line, column) = place(at).unwrap_or((at, 0, None));
    Some(Block {
        file: file.to_owned(),
        at: (line_number(line), column),
        category: category.to_owned(),
        severity: None,
        message: String::new(),
        text: format!("{text}\n"),
    })
}

impl Block {
    fn read(&mut self, text: &str) {
        push_line(&mut self.text, text);
        let body = text.trim();
        if self.severity.is_some() {
            return;
        }
        let signs = [
            ("× ", Severity::Error),
            ("! ", Severity::Warn),
            ("i ", Severity::Info),
            ("✖ ", Severity::Error),
            ("⚠ ", Severity::Warn),
            ("ℹ ", Severity::Info),
        ];
        if let Some((sign, severity)) = signs.iter().find(|(sign, _)| body.starts_with(sign)) {
            self.severity = Some(*severity);
            self.message = body[sign.len()..].to_owned();
        }
    }
}

impl Record<'_> {
    fn found(self) -> Option<Diagnostic> {
        let severity = match self.severity.as_str() {
            "error" | "fatal" => Severity::Error,
            "warning" => Severity::Warn,
            "information" | "info" | "hint" => Severity::Info,
            _ => return None,
        };
        let message = serde_json::from_str::<String>(self.message.get()).ok().or(self.description).unwrap_or_default();
        let location = self.location?;
        let file = match location.path? {
            Path::Text(file) | Path::File { file } => file,
        };
        let position = |position: Option<Position>| position.map(|at| (line_number(at.line), line_number(at.column)));
        let spanned = |at: usize| position_in(location.source_code.as_deref()?, at);
        let start = position(location.start).or_else(|| location.span.and_then(|(start, _)| spanned(start)));
        let end = position(location.end).or_else(|| location.span.and_then(|(_, end)| spanned(end)));
        let category = self.category.as_deref().unwrap_or("biome");
        let mut found = found(&file, start.unwrap_or_default(), category, severity, &message)?;
        found.end_line = end.and_then(|(line, _)| line).filter(|_| found.line.is_some());
        Some(found)
    }
}

/// Line and column of a byte's index.
fn position_in(source: &str, at: usize) -> Option<(Option<u32>, Option<u32>)> {
    let before = source.get(..at)?;
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next()?.chars().count() + 1;
    Some((u32::try_from(line).ok(), u32::try_from(column).ok()))
}

fn found(
    file: &str,
    (line, column): (Option<u32>, Option<u32>),
    category: &str,
    severity: Severity,
    message: &str,
) -> Option<Diagnostic> {
    let is_format = category == "format";
    if is_format && ["Code formatting aborted", "Format with errors"].iter().any(|start| message.starts_with(start)) {
        // What could not be parsed is told as that.
        return None;
    }
    let severity = match category {
        "format" => Severity::Warn,
        "parse" => Severity::Error,
        _ => severity,
    };
    Some(Diagnostic {
        file: Some(file.to_owned()),
        line: line.filter(|_| !is_format),
        column: column.filter(|_| !is_format),
        ..Diagnostic::new(
            "biome",
            Kind::Lint,
            severity,
            if is_format { "unformatted" } else { category },
            if is_format { "the file is not formatted".to_owned() } else { one_line(message) },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let at = |text: &str| head(text).map(|block| (block.file, block.at.0, block.category));
        assert_eq!(
            at("src/my dir/a.js:1:16 lint/style/useConst  FIXABLE  ━━━━"),
            Some(("src/my dir/a.js".to_owned(), Some(1), "lint/style/useConst".to_owned()))
        );
        assert_eq!(at("src/a.js format ━━━━"), Some(("src/a.js".to_owned(), None, "format".to_owned())));
        for other in ["check ━━━━", "format ━━━━", "   ━━━━━━ 1.2/3.4 MB 5 MB/s", "Downloading lint ━━━━", " ━━"]
        {
            assert_eq!(at(other), None, "{other}");
        }
    }
}
