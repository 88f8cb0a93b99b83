//! rustc, clippy and rustdoc in JSON: `cargo … --message-format=json`
//! (<https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>) and the diagnostics inside, which
//! `rustc --error-format=json` prints alone (<https://doc.rust-lang.org/rustc/json.html>).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::rustc_names::{is_summary, tool, unnamed};
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::Parser;
use crate::parsers::text::{line_number, one_line};

/// Stateless: each record is complete.
pub(in crate::parsers) struct CargoJson;

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    message: &'a RawValue,
}

#[derive(Deserialize)]
struct Message {
    message: String,
    code: Option<Code>,
    level: String,
    #[serde(default)]
    spans: Vec<Span>,
    #[serde(default)]
    children: Vec<Child>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Child {
    message: String,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    line_end: u32,
    column_start: u32,
    is_primary: bool,
    suggested_replacement: Option<String>,
    suggestion_applicability: Option<String>,
    expansion: Option<Box<Expansion>>,
}

#[derive(Deserialize)]
struct Expansion {
    span: Span,
}

impl Span {
    /// The span in the user's own source: that of the macro's call, if the macro is somebody else's.
    fn own(&self) -> &Self {
        let mut span = self;
        while is_foreign(&span.file_name)
            && let Some(expansion) = &span.expansion
        {
            span = &expansion.span;
        }
        span
    }
}

/// Whether the file is the standard library's, a dependency's, or none at all.
pub(in crate::parsers) fn is_foreign(file: &str) -> bool {
    file.starts_with('<')
        || file.starts_with("/rustc/")
        || file.contains("/.cargo/registry/")
        || file.contains("/.cargo/git/")
        || file.contains("/registry/src/")
        || file.contains("/rustlib/src/rust/")
        || file.starts_with("/usr/src/rustc-")
        // How the standard library's files were named before Rust 1.46.
        || ["src/libcore/", "src/libstd/", "src/liballoc/", "src/libtest/"].iter().any(|start| file.starts_with(start))
}

impl Parser for CargoJson {
    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"compiler-message\"", "\"$message_type\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        // A record of cargo holds the diagnostic as an object; a diagnostic of rustc holds its text as a string.
        let Ok(record) = serde_json::from_str::<Record<'_>>(text) else { return };
        if record.message.get().starts_with('{') {
            let message = serde_json::from_str::<Message>(record.message.get()).ok();
            out.extend(message.and_then(|message| diagnostic(&message, || Some(record.message.to_owned()))));
        } else if let Ok(message) = serde_json::from_str::<Message>(text) {
            out.extend(diagnostic(&message, || RawValue::from_string(text.to_owned()).ok()));
        }
    }
}

fn diagnostic(message: &Message, raw: impl FnOnce() -> Option<Box<RawValue>>) -> Option<Diagnostic> {
    let severity = match message.level.as_str() {
        "warning" => Severity::Warn,
        level if level.starts_with("error") => Severity::Error,
        _ => return None,
    };
    if is_summary(&message.message) {
        return None;
    }
    let span = message.spans.iter().find(|span| span.is_primary).map(Span::own);
    let line = one_line(&message.message);
    let code = match &message.code {
        Some(code) => code.code.clone(),
        None => unnamed(&line, severity == Severity::Error),
    };
    Some(Diagnostic {
        file: span.map(|span| span.file_name.clone()),
        line: span.and_then(|span| line_number(span.line_start)),
        column: span.and_then(|span| line_number(span.column_start)),
        end_line: span.and_then(|span| line_number(span.line_end)),
        suggested_fix: message.children.iter().find_map(fix),
        raw: raw(),
        ..Diagnostic::new(tool(&code), Kind::Lint, severity, code, line)
    })
}

/// The replacement, where the compiler says that a machine may apply it; what is to be done in words where the
/// replacement is to delete.
fn fix(child: &Child) -> Option<String> {
    let mut parts = child
        .spans
        .iter()
        .filter(|span| span.suggestion_applicability.as_deref() == Some("MachineApplicable"))
        .filter_map(|span| span.suggested_replacement.as_deref())
        .peekable();
    parts.peek()?;
    let text = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
    Some(if text.trim().is_empty() { one_line(&child.message) } else { text })
}
