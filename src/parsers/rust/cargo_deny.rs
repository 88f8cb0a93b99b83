//! `cargo deny check`: the diagnostics that it prints for people, and those of `--format json`, one record per line
//! (<https://embarkstudios.github.io/cargo-deny/checks/index.html>; the record is described in
//! <https://embarkstudios.github.io/cargo-deny/cli/common.html>). Both are on the standard error.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::security::cvss;
use crate::parsers::text::{line_number, one_line, place, push_line, raw, slug};
use crate::parsers::{Parser, Verdict};

/// The names of what is an advisory, in today's form and in that of the releases that numbered them.
const ADVISORIES: &[&str] = &["vulnerability", "notice", "unmaintained", "unsound", "A001", "A002", "A003", "A004"];
const YANKED: &[&str] = &["yanked", "A005"];
/// Yanked crates could not be looked up.
const NOT_CHECKED: &[&str] = &["index-failure", "index-cache-load-failure", "A009"];
/// Names whose place is in the manifest of a dependency.
const LICENSES: &[&str] = &["rejected", "unlicensed", "no-license-field", "L001", "L002", "L003", "L004"];
/// What is said of things that are as they should be.
const FINE: &[&str] = &["accepted", "advisory-ignored", "yanked-ignored", "skipped"];
/// How the log lines begin that say why nothing or not everything was checked.
const FAILURES: &[&str] = &[
    "failed to fetch ",
    "failed to get 'FETCH_HEAD' metadata",
    "failed to load advisory database",
    "failed to open advisory database",
    "failed to clone",
    "failed to parse config from ",
    "failed to deserialize config from ",
    "failed to validate configuration file ",
    "`cargo metadata` exited with an error",
    "failed to load ",
];
/// Lines of one diagnostic that are read.
const LINES: u32 = 5000;

/// Reads both streams, each with a diagnostic of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct CargoDeny {
    blocks: [Option<Block>; 2],
}

/// One diagnostic as people see it.
struct Block {
    level: Severity,
    code: String,
    message: String,
    place: Option<(String, u32, Option<u32>)>,
    package: Option<(String, String)>,
    id: Option<String>,
    solution: Option<String>,
    lines: u32,
    text: String,
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    fields: &'a RawValue,
}

#[derive(Deserialize)]
struct Log {
    level: String,
    message: String,
}

#[derive(Deserialize)]
struct Fields {
    severity: String,
    message: String,
    code: Option<String>,
    advisory: Option<Advisory>,
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    graphs: Vec<Graph>,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    cvss: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    informational: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Label {
    line: Option<u32>,
    column: Option<u32>,
    message: Option<String>,
    span: Option<String>,
}

#[derive(Deserialize)]
struct Graph {
    #[serde(rename = "Krate", alias = "krate")]
    package: Option<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

impl Parser for CargoDeny {
    fn triggers(&self) -> &'static [&'static str] {
        &["error[", "warning[", "note[", "help[", " [ERROR] failed to ", " [ERROR] `cargo metadata` "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = line.side();
        if let Some(block) = &mut self.blocks[side] {
            if block.read(line.text) {
                return Verdict::Open;
            }
            self.end(side, out);
        }
        self.blocks[side] = header(line.text);
        if self.blocks[side].is_some() {
            return Verdict::Open;
        }
        if let Some((time, message)) = line.text.split_once(" [ERROR] ")
            && time.bytes().filter(u8::is_ascii_digit).count() >= 14
        {
            out.extend(not_checked(message, line.text));
        }
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"type\":\"diagnostic\"", "\"type\": \"diagnostic\"", "\"type\":\"log\"", "\"type\": \"log\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(Record { kind, fields }) = serde_json::from_str(text) else { return };
        if kind == "log" {
            let log = serde_json::from_str::<Log>(fields.get()).ok().filter(|log| log.level == "ERROR");
            out.extend(log.and_then(|log| not_checked(&log.message, text)));
        } else if kind == "diagnostic"
            && let Ok(fields) = serde_json::from_str::<Fields>(fields.get())
            && let Some(found) = record(fields)
        {
            out.push(Diagnostic { raw: RawValue::from_string(text.to_owned()).ok(), ..found });
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in 0..self.blocks.len() {
            self.end(side, out);
        }
    }
}

impl CargoDeny {
    fn end(&mut self, side: usize, out: &mut Vec<Diagnostic>) {
        out.extend(self.blocks[side].take().and_then(Block::found));
    }
}

/// What both formats say of a diagnostic.
struct Facts {
    level: Severity,
    code: String,
    message: String,
    package: Option<(String, String)>,
    /// That of the advisory.
    id: Option<String>,
    /// How bad the advisory is, if it says so.
    rating: Option<Severity>,
    solution: Option<String>,
    /// The package, or what in the configuration it is about.
    about: Option<String>,
    /// Whether the file is told.
    placed: bool,
}

impl Facts {
    fn found(self) -> Diagnostic {
        let code = self.code.as_str();
        let command = self.message.split_once("(try `").and_then(|(_, rest)| rest.split_once('`')).map(|(it, _)| it);
        let name = self.package.as_ref().map(|(name, _)| name.as_str()).unwrap_or_default();
        let message = match &self.package {
            // A sentence that names the package needs no other name before it.
            Some((name, _)) if self.message.contains(&format!("'{name}")) => self.message.clone(),
            Some((name, version)) => format!("{name} {version}: {}", self.message),
            None => self.message.clone(),
        };
        let (kind, severity, code) = if NOT_CHECKED.contains(&code) {
            (Kind::Cve, Severity::Warn, "not_checked".to_owned())
        } else if YANKED.contains(&code) {
            (Kind::Cve, Severity::Warn, format!("yanked:{name}"))
        } else if let Some(id) = self.id {
            let informational = code != "vulnerability" && code != "A001" && !code.starts_with("RUSTSEC-");
            let rating = self.rating.unwrap_or(Severity::Error);
            (Kind::Cve, if informational { Severity::Warn } else { rating }, id)
        } else if let Some(about) = self.about.as_deref().filter(|_| !self.placed || LICENSES.contains(&code)) {
            // Without a place in the project only what it is about tells one from the other.
            (Kind::Lint, self.level, format!("{code}:{about}"))
        } else {
            (Kind::Lint, self.level, code.to_owned())
        };
        let fix = self.solution.or(command.map(str::to_owned));
        Diagnostic { suggested_fix: fix, ..Diagnostic::new("cargo deny", kind, severity, code, one_line(&message)) }
    }
}

fn level(name: &str) -> Option<Severity> {
    match name {
        "error" | "bug" => Some(Severity::Error),
        "warning" => Some(Severity::Warn),
        "note" | "help" => Some(Severity::Info),
        _ => None,
    }
}

fn is_advisory(code: &str) -> bool {
    ADVISORIES.contains(&code) || code.starts_with("RUSTSEC-")
}

/// `Solution: Upgrade to >=0.4.20`.
fn solution(note: &str) -> Option<String> {
    note.strip_prefix("Solution: ").filter(|solution| !solution.starts_with("No safe ")).map(str::to_owned)
}

/// `hyper 0.14.5 registry+https://…`, as the lock file's entries are shown.
fn entry(span: &str) -> Option<(String, String)> {
    let mut words = span.split_whitespace();
    let (name, version, source) = (words.next()?, words.next()?, words.next());
    let is_entry = version.starts_with(|c: char| c.is_ascii_digit()) && source.is_none_or(|it| it.contains('+'));
    is_entry.then(|| (name.to_owned(), version.to_owned()))
}

fn record(fields: Fields) -> Option<Diagnostic> {
    let level = level(&fields.severity)?;
    let code = fields.code.unwrap_or_else(|| slug(&fields.message));
    if FINE.contains(&code.as_str()) {
        return None;
    }
    // The first label may only underline what the others are about.
    let said = |label: &&Label| label.message.as_deref().is_some_and(|message| !message.is_empty());
    let label = fields.labels.iter().find(said).or(fields.labels.first());
    let package = fields.graphs.into_iter().find_map(|graph| graph.package);
    let span = label.and_then(|label| label.span.as_deref());
    let package = package.map(|package| (package.name, package.version)).or_else(|| span.and_then(entry));
    let word = |span: &&str| span.len() < 100 && !span.contains(char::is_whitespace);
    let about = package.as_ref().map(|(name, _)| name.clone()).or_else(|| span.filter(word).map(str::to_owned));
    let advisory = fields.advisory.filter(|_| is_advisory(&code));
    let informational = advisory.as_ref().is_some_and(|advisory| advisory.informational.is_some());
    let found = Facts {
        level,
        message: fields.message,
        package,
        id: advisory.as_ref().map(|advisory| advisory.id.clone()),
        rating: advisory.as_ref().and_then(|advisory| advisory.cvss.as_deref()).and_then(cvss::severity),
        solution: fields.notes.iter().find_map(|note| solution(note)),
        about,
        placed: false,
        code: if informational && code == "vulnerability" { "notice".to_owned() } else { code },
    }
    .found();
    Some(Diagnostic {
        line: label.and_then(|label| label.line).and_then(line_number),
        column: label.and_then(|label| label.column).and_then(line_number),
        aliases: advisory.map(|advisory| advisory.aliases).unwrap_or_default(),
        ..found
    })
}

/// `error[vulnerability]: title` at the margin.
fn header(line: &str) -> Option<Block> {
    let (name, rest) = line.split_once('[')?;
    let level = level(name)?;
    let (code, message) = rest.split_once("]: ")?;
    let word = |code: &str| code.contains(|c: char| c.is_ascii_lowercase()) || code.starts_with("RUSTSEC-");
    let kebab = word(code) && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let numbered = code.len() == 4 && code.starts_with(['A', 'B', 'L', 'S']) && code[1..].parse::<u16>().is_ok();
    (kebab || numbered).then(|| Block {
        level,
        code: code.to_owned(),
        message: message.trim_end().to_owned(),
        place: None,
        package: None,
        id: None,
        solution: None,
        lines: 0,
        text: format!("{line}\n"),
    })
}

impl Block {
    /// Reads the next line; false if it is not part of the block.
    fn read(&mut self, line: &str) -> bool {
        self.lines += 1;
        if self.lines == 1 {
            let Some((_, at)) = line.split_once("┌─") else { return false };
            let at = at.trim_matches(['─', ' ']);
            self.place = place(at).map(|(file, line, column)| (file.to_owned(), line, column));
            push_line(&mut self.text, line);
            return self.place.is_some();
        }
        if line.is_empty() {
            return self.lines < LINES;
        }
        let gutter = line.trim_start_matches(|c: char| c.is_ascii_digit());
        if !gutter.starts_with(' ') || self.lines >= LINES {
            return false;
        }
        push_line(&mut self.text, line);
        let body = gutter.trim_start();
        if let Some(note) = body.strip_prefix("├ ").or(body.strip_prefix("= ")) {
            if let Some(id) = note.strip_prefix("ID: ") {
                self.id.get_or_insert_with(|| id.trim().to_owned());
            }
            self.solution = self.solution.take().or_else(|| solution(note));
            if let Some((name, version)) = note.split_once(" v")
                && !name.contains(' ')
                && self.package.is_none()
                && version.starts_with(|c: char| c.is_ascii_digit())
            {
                let version = version.split(' ').next().unwrap_or_default();
                self.package = Some((name.to_owned(), version.to_owned()));
            }
        }
        true
    }

    fn found(self) -> Option<Diagnostic> {
        let (file, line, column) = self.place.filter(|_| !FINE.contains(&self.code.as_str()))?;
        // Others print diagnostics of this shape as well, but not on these files.
        if !(file.ends_with(".toml") || file.ends_with(".lock") || file.contains('+') || is_advisory(&self.code)) {
            return None;
        }
        let id = self.id.filter(|_| is_advisory(&self.code));
        let found = Facts {
            level: self.level,
            code: self.code,
            message: self.message,
            id,
            rating: None,
            solution: self.solution,
            about: self.package.as_ref().map(|(name, _)| name.clone()),
            placed: !file.contains('+'),
            package: self.package,
        }
        .found();
        Some(Diagnostic {
            // Packages that have no manifest at hand are named with their source.
            file: (!file.contains('+')).then_some(file),
            line: line_number(line),
            column: column.and_then(line_number),
            raw: raw(&self.text),
            ..found
        })
    }
}

fn not_checked(message: &str, text: &str) -> Option<Diagnostic> {
    FAILURES.iter().any(|start| message.starts_with(start)).then(|| Diagnostic {
        raw: raw(text),
        ..Diagnostic::new(
            "cargo deny",
            Kind::Cve,
            Severity::Warn,
            "not_checked",
            one_line(&format!("the dependencies were not checked: {message}")),
        )
    })
}
