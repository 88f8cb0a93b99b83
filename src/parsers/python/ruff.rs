//! ruff: `--output-format json` and `json-lines`, `full` (the default), `concise` and `grouped`, in their forms of
//! today and of the first releases, and `ruff format --check`
//! (<https://docs.astral.sh/ruff/settings/#output-format>). Its concise format is that of flake8 and pycodestyle, which
//! are told apart by their words (<https://flake8.pycqa.org/en/latest/user/options.html#cmdoption-flake8-format>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{ADDED_LIMIT, dedent, is_python, line_number, number, one_line, place, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// The name of a syntax error, which has no rule; ruff's own since 0.9.
pub(in crate::parsers) const SYNTAX: &str = "invalid-syntax";
/// The name of what `ruff format --check` finds; ruff's own in its full format.
const FORMAT: &str = "unformatted";

const RUFF: &str = "ruff";
const FLAKE8: &str = "flake8";
/// Concise lines that may wait for one that says whose they are.
const ANONYMOUS_LIMIT: usize = 1000;

/// Reads both streams, each with a diagnostic of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Ruff {
    blocks: [Option<Block>; 2],
    /// The file whose findings are listed below it in the grouped format.
    grouped: [Option<String>; 2],
    /// Files that could not be parsed, which may be told as a syntax error as well.
    unparsed: Vec<Diagnostic>,
    broken: std::collections::HashSet<String>,
    /// Whose concise lines these are, once one said so.
    author: Option<&'static str>,
    /// The lines before that.
    anonymous: Vec<Diagnostic>,
}

/// A diagnostic of the full format.
struct Block {
    found: Diagnostic,
    /// In the concise format, which is not ruff's alone.
    concise: bool,
    help: Option<String>,
    added: Vec<String>,
    text: String,
}

#[derive(Deserialize)]
struct Record<'a> {
    filename: String,
    code: Option<String>,
    message: String,
    location: Location,
    end_location: Location,
    #[serde(borrow)]
    fix: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Location {
    row: u32,
    column: u32,
}

#[derive(Deserialize)]
struct Fix {
    message: Option<String>,
    #[serde(default)]
    edits: Vec<Edit>,
    /// The one edit of releases before 0.0.260.
    content: Option<String>,
}

#[derive(Deserialize)]
struct Edit {
    content: Option<String>,
}

impl Parser for Ruff {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "--> ",
            ".py:№",
            ".py:¶",
            ".pyi:№",
            ".pyi:¶",
            ".ipynb:",
            "Would reformat: ",
            "Failed to parse ",
            "Failed to format ",
        ]
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
        if let Some(file) = &self.grouped[side] {
            if let Some(found) = grouped(file, text) {
                self.push(found, out);
                return Verdict::Open;
            }
            self.grouped[side] = None;
        }
        if let Some(at) = text.trim_start().strip_prefix("--> ").and_then(file_place) {
            let header = line.previous();
            if let Some(found) = full(&header, at) {
                self.blocks[side] = Some(Block {
                    found,
                    concise: false,
                    help: None,
                    added: Vec::new(),
                    text: format!("{header}\n{text}\n"),
                });
                return Verdict::Open;
            }
            return Verdict::Idle;
        }
        if let Some(found) = concise(text) {
            // Before 0.5 the source could stand below it (`--show-source`).
            self.blocks[side] =
                Some(Block { found, concise: true, help: None, added: Vec::new(), text: format!("{text}\n") });
            return Verdict::Open;
        }
        if is_totals(text) {
            self.sign(RUFF, out);
        } else if let Some(file) = text.strip_prefix("Would reformat: ") {
            self.push(unformatted(file.trim_end(), text), out);
        } else if let Some(found) = text.strip_prefix("error: ").and_then(unparsed) {
            self.unparsed.push(found);
        } else if let Some(file) = text.strip_suffix(':').filter(|file| is_python(file) && !file.contains(": ")) {
            self.grouped[side] = Some(file.to_owned());
            return Verdict::Open;
        }
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"end_location\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(record) = serde_json::from_str::<Record<'_>>(text) else { return };
        let mut found = found(
            &record.filename,
            record.location.row,
            record.location.column,
            record.code.as_deref(),
            &record.message,
        );
        found.end_line = line_number(record.end_location.row);
        found.suggested_fix = record.fix.and_then(|fix| serde_json::from_str::<Fix>(fix.get()).ok()).and_then(fix_text);
        found.raw = RawValue::from_string(text.to_owned()).ok();
        self.push(found, out);
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in 0..self.blocks.len() {
            self.end(side, out);
        }
        // ruff says how many there were.
        self.sign(FLAKE8, out);
        let broken = std::mem::take(&mut self.broken);
        // The same file may be spelled relative here and absolute there.
        let told = |file: &str| {
            broken
                .iter()
                .any(|other| other.strip_suffix(file).is_some_and(|rest| rest.is_empty() || rest.ends_with('/')))
        };
        out.extend(self.unparsed.drain(..).filter(|found| !found.file.as_deref().is_some_and(told)));
    }
}

impl Ruff {
    fn push(&mut self, found: Diagnostic, out: &mut Vec<Diagnostic>) {
        if found.severity == Severity::Error
            && let Some(file) = &found.file
        {
            self.broken.insert(file.clone());
        }
        out.push(found);
    }

    fn end(&mut self, side: usize, out: &mut Vec<Diagnostic>) {
        let Some(Block { mut found, concise, help, added, text }) = self.blocks[side].take() else { return };
        found.suggested_fix = if added.is_empty() { help } else { Some(dedent(&added)) };
        found.raw = raw(&text);
        if !concise {
            self.push(found, out);
            return;
        }
        if let Some(author) = author(&found, &text) {
            self.sign(author, out);
            self.author = Some(author);
        }
        match self.author {
            Some(author) => self.push(Diagnostic { tool: author.into(), ..found }, out),
            None => self.anonymous.push(found),
        }
        if self.anonymous.len() > ANONYMOUS_LIMIT {
            self.sign(RUFF, out);
        }
    }

    /// Tells the lines whose author was not known.
    fn sign(&mut self, author: &'static str, out: &mut Vec<Diagnostic>) {
        for found in std::mem::take(&mut self.anonymous) {
            self.push(Diagnostic { tool: author.into(), ..found }, out);
        }
    }
}

impl Block {
    /// Reads the next line; false if it is not part of the block.
    fn read(&mut self, line: &str) -> bool {
        let body = line.trim_start();
        let digits = body.bytes().take_while(u8::is_ascii_digit).count();
        let rest = &body[digits..];
        let gutter = rest.trim_start().starts_with('|') || (digits == 0 && (body.starts_with("- ") || body == "-"));
        let help = body.strip_prefix("help: ").or(body.strip_prefix("= help: "));
        if let Some(help) = help {
            self.help = Some(one_line(help));
        } else if let Some(added) =
            rest.strip_prefix(" + ").filter(|_| digits > 0 && self.help.is_some() && self.added.len() < ADDED_LIMIT)
        {
            self.added.push(added.to_owned());
        } else if rest == " +" && digits > 0 && self.help.is_some() && self.added.len() < ADDED_LIMIT {
            self.added.push(String::new());
        } else if !gutter && !body.starts_with("note: ") && body != "..." && !body.starts_with("::: ") {
            return false;
        }
        push_line(&mut self.text, line);
        true
    }
}

/// `path.py:1:8`, also `path.ipynb:cell 3:1:8`.
fn file_place(text: &str) -> Option<(&str, u32, u32)> {
    let (file, line, column) = place(text.trim_end())?;
    let file = file.split_once(".ipynb:cell ").map_or(file, |(name, _)| &text[..name.len() + ".ipynb".len()]);
    Some((file, line, column?))
}

/// Splits `F401 [*] message`, `invalid-syntax: message`, `SyntaxError: message`.
pub(in crate::parsers) fn rule(text: &str) -> Option<(Option<&str>, &str)> {
    for name in ["invalid-syntax: ", "SyntaxError: "] {
        if let Some(message) = text.strip_prefix(name) {
            return Some((None, message));
        }
    }
    if let Some(message) = text.strip_prefix("unformatted: ") {
        return Some((Some(FORMAT), message));
    }
    let (code, message) = text.split_once(' ')?;
    let letters = code.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = code.len() - letters;
    let is_rule = (1..=8).contains(&letters)
        && (2..=5).contains(&digits)
        && code.as_bytes()[letters..].iter().all(u8::is_ascii_digit);
    is_rule.then(|| (Some(code), message.strip_prefix("[*] ").or(message.strip_prefix("[-] ")).unwrap_or(message)))
}

fn full(header: &str, (file, line, column): (&str, u32, u32)) -> Option<Diagnostic> {
    let (code, message) = rule(header)?;
    Some(found(file, line, column, code, message))
}

/// `a.py:1:8: F401 [*] message`.
fn concise(text: &str) -> Option<Diagnostic> {
    let (at, rest) = text.match_indices(": ").find_map(|(at, gap)| {
        let rest = &text[at + gap.len()..];
        rule(rest).map(|rule| (&text[..at], rule))
    })?;
    let (file, line, column) = file_place(at)?;
    // GitHub's commands quote such a line.
    (is_python(file) && !file.starts_with(char::is_whitespace) && !file.starts_with("::")).then(|| {
        let mut found = found(file, line, column, rest.0, rest.1);
        found.raw = raw(text);
        found
    })
}

/// Who wrote this concise line, if it says so. The rules that both have are worded differently: `'os' imported but
/// unused` there, "`os` imported but unused" here.
fn author(found: &Diagnostic, text: &str) -> Option<&'static str> {
    let file = found.file.as_deref().unwrap_or_default();
    let message = found.message.as_str();
    if text.starts_with("./") {
        return Some(FLAKE8);
    }
    if text.contains("[*] ") || text.contains("[-] ") || text.contains(": invalid-syntax: ") {
        return Some(RUFF);
    }
    let code = found.code.as_str();
    let families = ["E", "W", "F", "C90"];
    if file.is_empty() || !families.iter().any(|start| code.strip_prefix(start).is_some_and(is_digits)) {
        return None;
    }
    if matches!(code, "E901" | "E902" | "E999") {
        let words = message.split_once("Error: ").map(|(_, words)| words);
        return match words {
            Some(words) if !words.starts_with(|c: char| c.is_ascii_uppercase()) || code == "E902" => Some(FLAKE8),
            Some(_) | None => None,
        };
    }
    let is_old =
        message.starts_with(|c: char| c.is_ascii_lowercase() || c == '\'' || c == '"') && !message.contains('`');
    let is_shared = message.starts_with("f-string without") || message.starts_with("use `");
    Some(if is_old && !is_shared { FLAKE8 } else { RUFF })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `Found 3 errors.`, ruff's last word.
fn is_totals(text: &str) -> bool {
    let count = text.strip_prefix("Found ").and_then(|rest| rest.split_once(" error"));
    count.is_some_and(|(count, _)| number(count).is_some())
}

/// `  1:8  F401 [*] message` below the file's name.
fn grouped(file: &str, text: &str) -> Option<Diagnostic> {
    let body = text.strip_prefix("  ")?.trim_start();
    let (at, rest) = body.split_once(' ')?;
    let (line, column) = at.split_once(':')?;
    let (code, message) = rule(rest.trim_start())?;
    let mut found = found(file, number(line)?, number(column)?, code, message);
    found.raw = raw(text);
    Some(found)
}

/// `Failed to parse a.py:6:16: message`, on the standard error.
fn unparsed(text: &str) -> Option<Diagnostic> {
    let rest = text.strip_prefix("Failed to parse ").or(text.strip_prefix("Failed to format "))?;
    let (at, message) = rest.split_once(": ")?;
    let (file, line, column) = file_place(at).unwrap_or((at, 0, 0));
    is_python(file).then(|| {
        let mut found = found(file, line, column, None, message);
        found.raw = raw(text);
        found
    })
}

fn unformatted(file: &str, text: &str) -> Diagnostic {
    let mut found = found(file, 0, 0, Some(FORMAT), "File would be reformatted");
    found.raw = raw(text);
    found
}

pub(in crate::parsers) fn found(file: &str, line: u32, column: u32, code: Option<&str>, message: &str) -> Diagnostic {
    let code = code.unwrap_or(SYNTAX);
    Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        column: line_number(column),
        ..Diagnostic::new(
            "ruff",
            Kind::Lint,
            if code == SYNTAX || code == "E999" { Severity::Error } else { Severity::Warn },
            code.to_owned(),
            one_line(message),
        )
    }
}

/// What the fix writes; what it does in words where it only deletes.
fn fix_text(fix: Fix) -> Option<String> {
    let edits = fix.edits.into_iter().filter_map(|edit| edit.content).chain(fix.content);
    let text = edits.filter(|content| !content.is_empty()).collect::<Vec<_>>().join("\n");
    if text.trim().is_empty() { fix.message.map(|message| one_line(&message)) } else { Some(text) }
}
