//! Errors of Go's compiler, as `go build`, `go test` and their `-json` print them
//! (<https://pkg.go.dev/cmd/go#hdr-Build__json_encoding>), and the diagnostics of `go vet`, as text and with `-json`
//! (<https://pkg.go.dev/cmd/vet>).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::go_names::{analyzer, complaint, is_complaint};
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::{Line, clean};
use crate::parsers::text::{bounded, line_number, number, one_line, place, raw};
use crate::parsers::{Parser, Verdict};

/// Bytes of a message over its lines.
const MESSAGE_LIMIT: usize = 4 << 10;

/// Per stream, and of what stands inside JSON.
#[derive(Default)]
pub(in crate::parsers) struct GoVet {
    readers: [Reader; 3],
}

/// The index of what stands inside JSON.
const IN_JSON: usize = 2;

#[derive(Default)]
struct Reader {
    speaker: Speaker,
    /// The message whose lines may go on.
    held: Option<Message>,
}

/// Who prints what follows a header.
#[derive(Clone, Copy, Default, PartialEq)]
enum Speaker {
    #[default]
    Unknown,
    /// Behind `# package`. Older versions print it above vet's diagnostics, too.
    Compiler,
    /// Behind `# [package]`, or behind `vet: `.
    Vet,
}

struct Message {
    speaker: Speaker,
    file: String,
    line: u32,
    column: u32,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BuildOutput<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    output: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Record<'a> {
    posn: String,
    end: Option<String>,
    message: String,
    #[serde(default, borrow)]
    suggested_fixes: Vec<Fix<'a>>,
}

#[derive(Deserialize)]
struct Fix<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(default)]
    edits: Vec<Edit>,
}

#[derive(Deserialize)]
struct Edit {
    new: String,
}

impl Parser for GoVet {
    fn triggers(&self) -> &'static [&'static str] {
        &[".go:№"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let reader = &mut self.readers[line.side()];
        if reader.held.is_none() {
            reader.header(&line.previous());
        }
        reader.line(line.text, out)
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"build-output\"", "\"posn\":"]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        if let Ok(event) = serde_json::from_str::<BuildOutput<'_>>(text) {
            if event.action == "build-output" {
                self.readers[IN_JSON].line(&clean(event.output.as_bytes()), out);
            }
            return;
        }
        // By package and analyzer; an analyzer that broke has an object in the place of its list.
        let Ok(packages) = serde_json::from_str::<BTreeMap<String, BTreeMap<String, &RawValue>>>(text) else { return };
        for (name, records) in packages.values().flatten() {
            let Ok(records) = serde_json::from_str::<Vec<&RawValue>>(records.get()) else { continue };
            out.extend(records.into_iter().filter_map(|record| of_record(name, record)));
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for reader in &mut self.readers {
            reader.tell(out);
        }
    }
}

impl Reader {
    fn line(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        if let Some(message) = self.message(text) {
            self.tell(out);
            self.held = Some(message);
            return Verdict::Open;
        }
        if let Some(held) = &mut self.held
            && text.starts_with('\t')
        {
            if held.text.len() < MESSAGE_LIMIT {
                held.text.push('\n');
                held.text.push_str(bounded(text, MESSAGE_LIMIT));
            }
            return Verdict::Open;
        }
        self.tell(out);
        if self.header(text) {
            return Verdict::Open;
        }
        self.speaker = Speaker::Unknown;
        Verdict::Idle
    }

    /// `# package`, `# package [package.test]` or `# [package]`.
    fn header(&mut self, text: &str) -> bool {
        let Some(name) = text.strip_prefix("# ") else { return false };
        self.speaker = if name.starts_with('[') { Speaker::Vet } else { Speaker::Compiler };
        true
    }

    /// `file.go:1:2: message`, perhaps behind `vet: `.
    fn message(&mut self, text: &str) -> Option<Message> {
        // GitHub's pages show what its problem matcher knew behind this word.
        let text = text.strip_prefix("Error: ").filter(|rest| rest.contains(".go:")).unwrap_or(text);
        let (text, is_vets) = match text.strip_prefix("vet: ") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (file, rest) = text.split_once(".go:")?;
        let (line, rest) = rest.split_once(':')?;
        let line = number(line)?;
        let (column, message) = match rest.split_once(": ").map(|(column, message)| (number(column), message)) {
            Some((Some(column), message)) => (column, message),
            // Old compilers leave the column out with `-cover`.
            _ if self.speaker == Speaker::Compiler => (0, rest.strip_prefix(' ')?),
            _ => return None,
        };
        if file.is_empty() || file.contains(char::is_whitespace) || message.is_empty() || message == "too many errors" {
            return None;
        }
        // The C compiler's words of a file that uses cgo.
        if ["fatal error: ", "error: ", "warning: ", "note: "].iter().any(|start| message.starts_with(start)) {
            return None;
        }
        if self.speaker == Speaker::Unknown && !is_vets && names_its_linter(message) {
            return None;
        }
        let mut speaker = self.speaker;
        if is_vets {
            // Vet could not compile the package; its diagnostics of others follow.
            speaker = Speaker::Compiler;
            self.speaker = Speaker::Vet;
        }
        let text = bounded(message, MESSAGE_LIMIT).to_owned();
        Some(Message { speaker, file: format!("{file}.go"), line, column, text })
    }

    fn tell(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.held.take().map(Message::diagnostic));
    }
}

impl Message {
    fn diagnostic(self) -> Diagnostic {
        let analyzer = analyzer(&self.text);
        let is_error = match self.speaker {
            Speaker::Vet => false,
            Speaker::Compiler => analyzer.is_none(),
            Speaker::Unknown => analyzer.is_none() && is_complaint(&self.text),
        };
        let code = match analyzer {
            Some(name) if !is_error => name.to_owned(),
            _ => complaint(&self.text),
        };
        let (message, command) = match self.text.split_once("; to add it:\n\t") {
            Some((message, command)) => (message, Some(one_line(command))),
            None => (self.text.as_str(), None),
        };
        Diagnostic {
            file: Some(self.file),
            line: line_number(self.line),
            column: line_number(self.column),
            suggested_fix: command,
            raw: raw(&self.text),
            ..Diagnostic::new(
                if is_error { "go build" } else { "go vet" },
                Kind::Lint,
                if is_error { Severity::Error } else { Severity::Warn },
                code,
                one_line(message),
            )
        }
    }
}

/// Whether the message ends with one word in brackets, as linters that run many others print it: that is not Go's own.
fn names_its_linter(message: &str) -> bool {
    let last = message.strip_suffix(')').and_then(|message| message.rsplit_once(" ("));
    last.is_some_and(|(_, name)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    })
}

fn of_record(name: &str, text: &RawValue) -> Option<Diagnostic> {
    let record: Record<'_> = serde_json::from_str(text.get()).ok()?;
    let (file, line, column) = place(&record.posn)?;
    Some(Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line),
        column: column.and_then(line_number),
        end_line: record.end.as_deref().and_then(place).and_then(|(_, line, _)| line_number(line)),
        suggested_fix: record.suggested_fixes.first().map(change),
        raw: Some(text.to_owned()),
        ..Diagnostic::new("go vet", Kind::Lint, Severity::Warn, name.to_owned(), one_line(&record.message))
    })
}

/// The new text; what is to be done in words where the change is to delete.
fn change(fix: &Fix<'_>) -> String {
    let parts: Vec<&str> =
        fix.edits.iter().map(|edit| edit.new.as_str()).filter(|new| !new.trim().is_empty()).collect();
    if parts.is_empty() { one_line(&fix.message) } else { parts.join("\n") }
}
