//! rustc, clippy, rustdoc and cargo itself as people read them: a header, an arrow to the place, the source with
//! notes and help below (<https://rustc-dev-guide.rust-lang.org/diagnostics.html>), and the short form of
//! `--message-format=short`, one line each.

use std::collections::HashMap;

use super::cargo_json::is_foreign;
use super::rust_panic::Panic;
use super::rustc_names::{cargo_name, is_crash, is_summary, manifest_of, position, shape, tool, unnamed};
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{ADDED_LIMIT, dedent, line_number, one_line, place, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// The longest message, in lines; what follows further down is not a message.
const MESSAGE_LINES: u32 = 40;

/// How many of them may stand at the margin.
const MARGIN_LINES: u32 = 5;
/// Lines of a build script's output that are looked through for its panic.
const SCRIPT_LINES: u32 = 500;

/// Reads both streams, each with a diagnostic of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Rustc {
    blocks: [Option<Block>; 2],
    /// The lint that a shape of message was named by, for the times that it comes without a name.
    names: HashMap<String, String>,
}

/// One diagnostic in the making.
struct Block {
    severity: Severity,
    code: Option<String>,
    message: String,
    lines: u32,
    place: Option<(String, u32, Option<u32>)>,
    lint: Option<String>,
    /// The help that is being read, with the lines that it would add.
    help: Option<Help>,
    fix: Option<String>,
    /// The source line last shown, to find what the carets below it stand for.
    source: String,
    level_here: bool,
    /// The name of what cargo says itself.
    cargo: Option<&'static str>,
    noted: bool,
    /// Lines of the message at the margin.
    margin: u32,
    /// In the output of a build script.
    script: bool,
    text: String,
}

#[derive(Default)]
struct Help {
    message: String,
    added: Vec<String>,
    removed: bool,
}

impl Parser for Rustc {
    fn triggers(&self) -> &'static [&'static str] {
        &["error: ", "error[E", "warning: "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = line.side();
        if let Some(header) = header(line.text) {
            self.end(side, out);
            self.blocks[side] = Some(header);
            return Verdict::Open;
        }
        if let Some(block) = &mut self.blocks[side] {
            if block.read(line.text) {
                return Verdict::Open;
            }
            self.end(side, out);
        }
        out.extend(short(line.text));
        Verdict::Idle
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in 0..self.blocks.len() {
            self.end(side, out);
        }
    }
}

impl Rustc {
    fn end(&mut self, side: usize, out: &mut Vec<Diagnostic>) {
        let Some(mut block) = self.blocks[side].take() else { return };
        block.end_help();
        if is_summary(&block.message) || !block.is_diagnostic() {
            return;
        }
        let message = one_line(&block.message);
        let shape = shape(&message);
        if let Some(lint) = &block.lint {
            self.names.insert(shape.clone(), lint.clone());
        }
        let is_error = block.severity == Severity::Error;
        let in_manifest = block.place.as_ref().is_some_and(|(file, ..)| file.ends_with("Cargo.toml"));
        let manifest = block.cargo.and_then(|_| manifest_of(&message));
        let code = match block.lint.take().or(block.code.take()) {
            Some(code) => code,
            None if in_manifest => "manifest".to_owned(),
            None if block.cargo.is_some() => block.cargo.unwrap_or_default().to_owned(),
            None => self.names.get(&shape).cloned().unwrap_or_else(|| unnamed(&message, is_error)),
        };
        let (file, line, column) = match block.place {
            Some((file, line, column)) => (Some(file), line_number(line), column.and_then(line_number)),
            None => {
                let at = manifest.as_ref().and_then(|_| position(&message));
                (manifest, at.map(|at| at.0), at.map(|at| at.1))
            }
        };
        out.push(Diagnostic {
            file,
            line,
            column,
            suggested_fix: block.fix,
            raw: raw(&block.text),
            ..Diagnostic::new(
                if block.cargo.is_some() || in_manifest { "cargo" } else { tool(&code) },
                Kind::Lint,
                block.severity,
                code,
                message,
            )
        });
    }
}

impl Block {
    /// Reads the next line; false if it is not part of the block.
    fn read(&mut self, line: &str) -> bool {
        self.lines += 1;
        let body = line.trim_start();
        if self.cargo.is_some() && self.place.is_none() {
            return self.read_cause(line, body);
        }
        if body.is_empty() {
            // Notes of a linker hold blank lines that are indented; an empty line ends the block.
            if line.is_empty() {
                return false;
            }
        } else if self.place.is_none() && !self.noted && !line.starts_with(' ') {
            // Neither place nor note: whoever printed this header was not rustc, unless the message goes on. Formerly
            // it did so at the margin.
            self.margin += 1;
            if self.margin > MARGIN_LINES || short(line).is_some() {
                return false;
            }
        }
        push_line(&mut self.text, line);
        if let Some(at) = body.strip_prefix("--> ").and_then(place) {
            if self.place.is_none() {
                self.place = Some((at.0.to_owned(), at.1, at.2));
            }
            return true;
        }
        if let Some(at) = body.strip_prefix("::: ").and_then(place) {
            // The first place was in a dependency's macro; this is where it was called.
            if self.place.as_ref().is_some_and(|(file, ..)| is_foreign(file)) && !is_foreign(at.0) {
                self.place = Some((at.0.to_owned(), at.1, at.2));
            }
            return true;
        }
        if self.place.is_none() {
            if body.starts_with("= note:") || body == "|" {
                self.noted = true;
            } else if !self.noted {
                self.message.push(' ');
                self.message.push_str(body);
                return self.lines < MESSAGE_LINES;
            }
        }
        self.notes(line, body);
        true
    }

    /// What follows a message of cargo's own: a blank line, `Caused by:`, and the causes, indented.
    fn read_cause(&mut self, line: &str, body: &str) -> bool {
        if let Some(at) = body.strip_prefix("--> ").and_then(place) {
            self.place = Some((at.0.to_owned(), at.1, at.2));
        } else if body == "Caused by:" {
            self.noted = true;
        } else if matches!(body, "--- stdout" | "--- stderr") {
            self.script = true;
        } else if self.script {
            self.place = Panic::begin(body).and_then(|panic| panic.place().cloned());
            push_line(&mut self.text, line);
            return self.lines < SCRIPT_LINES;
        } else if !body.is_empty() && !line.starts_with(' ') && !line.starts_with("note: ") {
            return false;
        } else if self.noted && !body.is_empty() {
            self.message.push_str(": ");
            self.message.push_str(body);
            self.noted = false;
        }
        push_line(&mut self.text, line);
        true
    }

    fn notes(&mut self, line: &str, body: &str) {
        if let Some(note) = body.strip_prefix("= note: ") {
            if let Some(lint) = lint_of(note) {
                self.lint = Some(lint);
            }
            self.end_help();
        } else if let Some(help) = body.strip_prefix("= help: ") {
            if let Some((_, name)) = help.split_once("/index.html#")
                && help.starts_with("for further information visit ")
            {
                self.lint.get_or_insert(format!("clippy::{}", name.trim()));
            }
            self.end_help();
        } else if let Some(message) = line.strip_prefix("help: ") {
            self.end_help();
            self.help = Some(Help { message: message.to_owned(), ..Help::default() });
        } else if line.starts_with("note: ") {
            self.end_help();
            self.level_here = line == "note: the lint level is defined here";
        } else {
            self.source_line(line, body);
        }
    }

    /// A line with a gutter: source, marks below it, or a change.
    fn source_line(&mut self, line: &str, body: &str) {
        let digits = body.bytes().take_while(u8::is_ascii_digit).count();
        let after = body[digits..].trim_start();
        if let Some(help) = &mut self.help {
            if help.added.len() >= ADDED_LIMIT {
                return;
            }
            let rest = &body[digits..];
            match rest.strip_prefix(" + ").or(rest.strip_prefix(" ~ ")) {
                Some(added) => help.added.push(added.trim_end().to_owned()),
                None if rest == " +" || rest == " ~" => help.added.push(String::new()),
                None => help.removed |= rest.starts_with(" - "),
            }
            return;
        }
        let Some(gutter) = line.find('|') else { return };
        if digits > 0 && after.starts_with('|') {
            self.source.clear();
            self.source.push_str(&line[gutter + 1..]);
            return;
        }
        let marks = &line[gutter + 1..];
        if self.level_here && marks.contains('^') {
            let from = marks.chars().take_while(|c| *c != '^').count();
            let length = marks.chars().skip(from).take_while(|c| *c == '^').count();
            let lint: String = self.source.chars().skip(from).take(length).collect();
            if !lint.is_empty() && lint.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                // A note may still say that this is a group, and which lint of it fired.
                self.lint.get_or_insert(lint);
            }
            self.level_here = false;
        }
        if self.fix.is_none()
            && let Some(at) = marks.find("help: ")
            && let Some(code) = marks[at..].strip_suffix('`')
            && let Some((_, code)) = code.split_once(": `")
        {
            self.fix = Some(code.to_owned());
        }
    }

    fn end_help(&mut self) {
        let Some(help) = self.help.take() else { return };
        if self.fix.is_some() {
            return;
        }
        if !help.added.is_empty() {
            self.fix = Some(dedent(&help.added));
        } else if help.removed {
            self.fix = Some(one_line(&help.message));
        }
    }

    fn is_diagnostic(&self) -> bool {
        let python = |file: &str| [".py", ".pyi", ".ipynb"].iter().any(|end| file.ends_with(end));
        match &self.place {
            Some((file, ..)) => !python(file),
            None => {
                self.cargo.is_some()
                    || self.code.is_some()
                    || is_crash(&self.message)
                    || (self.noted && self.message.starts_with("linking with "))
            }
        }
    }
}

/// `error[E0308]: message`, `warning: message` at the margin.
fn header(line: &str) -> Option<Block> {
    let (severity, code, message) = split_level(line)?;
    if message.is_empty() || message.starts_with(char::is_whitespace) {
        return None;
    }
    Some(Block {
        severity,
        code: code.map(str::to_owned),
        message: message.trim_end().to_owned(),
        lines: 0,
        place: None,
        lint: None,
        help: None,
        fix: None,
        source: String::new(),
        level_here: false,
        // What has a code of rustc's is not cargo's, however it begins.
        cargo: cargo_name(message).filter(|_| code.is_none()),
        noted: false,
        margin: 0,
        script: false,
        text: format!("{line}\n"),
    })
}

fn split_level(text: &str) -> Option<(Severity, Option<&str>, &str)> {
    if let Some(message) = text.strip_prefix("error: ") {
        return Some((Severity::Error, None, message));
    }
    if let Some(message) = text.strip_prefix("warning: ") {
        return Some((Severity::Warn, None, message));
    }
    let (code, message) = text.strip_prefix("error[")?.split_once("]: ")?;
    let digits = code.strip_prefix('E')?;
    (digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some((
        Severity::Error,
        Some(code),
        message,
    ))
}

/// `src/lib.rs:2:5: warning: message`.
fn short(line: &str) -> Option<Diagnostic> {
    let (at, rest) = line.split_once(".rs:")?;
    let (numbers, rest) = rest.split_once(": ")?;
    let (severity, code, message) = split_level(rest)?;
    let (line_text, column_text) = numbers.split_once(':')?;
    // What stands in a comment or in quotes is a line about a message.
    if at.starts_with(char::is_whitespace) || at.starts_with("//") || at.contains('`') {
        return None;
    }
    // The help of a short message stands behind it.
    let (message, fix) = match message.split_once(": help: ") {
        Some((message, help)) => {
            (message, help.strip_suffix('`').and_then(|help| help.split_once(": `")).map(|(_, fix)| fix.to_owned()))
        }
        None => (message, None),
    };
    let message = one_line(message);
    let code = code.map_or_else(|| unnamed(&message, severity == Severity::Error), str::to_owned);
    Some(Diagnostic {
        file: Some(format!("{at}.rs")),
        line: line_text.parse().ok().and_then(line_number),
        column: column_text.parse().ok().and_then(line_number),
        suggested_fix: fix,
        raw: raw(line),
        ..Diagnostic::new(tool(&code), Kind::Lint, severity, code, message)
    })
}

/// The lint that a note names: `#[warn(clippy::x)]` on by default, `-D clippy::x` implied by `-D warnings`,
/// requested on the command line with `-W clippy::x`.
fn lint_of(note: &str) -> Option<String> {
    let named = note.contains(" on by default")
        || note.contains("` implied by `")
        || note.starts_with("requested on the command line with ");
    if !named {
        return None;
    }
    let quoted = note.split('`').nth(1)?;
    let name = if let Some(attribute) = quoted.strip_prefix("#[") {
        attribute.split_once('(')?.1.split(')').next()?
    } else {
        quoted.split_once(' ').or_else(|| quoted.split_once('='))?.1
    };
    Some(name.trim().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_name_lints() {
        for (note, lint) in [
            ("`#[warn(clippy::needless_return)]` on by default", "clippy::needless_return"),
            ("`#[warn(unused_imports)]` (part of `#[warn(unused)]`) on by default", "unused_imports"),
            ("`-D clippy::needless-return` implied by `-D warnings`", "clippy::needless_return"),
            (
                "`#[warn(clippy::must_use_candidate)]` implied by `#[warn(clippy::pedantic)]`",
                "clippy::must_use_candidate",
            ),
            ("requested on the command line with `-W clippy::nursery`", "clippy::nursery"),
            ("requested on the command line with `--warn=unused-extern-crates`", "unused_extern_crates"),
        ] {
            assert_eq!(lint_of(note).as_deref(), Some(lint), "{note}");
        }
        assert_eq!(lint_of("this `Result` may be an `Err` variant"), None);
    }
}
