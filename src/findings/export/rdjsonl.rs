//! reviewdog's `rdjsonl`: one `Diagnostic` of its protocol a line
//! (<https://github.com/reviewdog/reviewdog/tree/master/proto/rdf>).

use std::io::{Result, Write};

use serde::Serialize;

use super::{counting_once, end_line, message_and_fix};
use crate::model::{Finding, Severity};

#[derive(Serialize)]
struct Diagnostic<'a> {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location<'a>>,
    severity: &'static str,
    source: Source<'a>,
    code: Code<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
}

#[derive(Serialize)]
struct Range {
    start: Position,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Position>,
}

#[derive(Serialize)]
struct Position {
    line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
}

#[derive(Serialize)]
struct Source<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Code<'a> {
    value: &'a str,
}

pub(super) fn write(findings: &[Finding], out: &mut dyn Write) -> Result<()> {
    for finding in counting_once(findings) {
        serde_json::to_writer(&mut *out, &diagnostic(finding))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn diagnostic(finding: &Finding) -> Diagnostic<'_> {
    let range = finding.line.map(|line| Range {
        start: Position { line, column: finding.column },
        end: end_line(finding).map(|line| Position { line, column: None }),
    });
    Diagnostic {
        message: message_and_fix(finding),
        location: finding.file.as_deref().map(|path| Location { path, range }),
        severity: match finding.severity {
            Severity::Error => "ERROR",
            Severity::Warn => "WARNING",
            Severity::Info => "INFO",
        },
        source: Source { name: &finding.tool },
        code: Code { value: &finding.code },
    }
}
