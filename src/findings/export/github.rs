//! Workflow commands that GitHub Actions shows as annotations
//! (<https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>). It shows at most ten of each
//! kind per step; the worst come first here.

use std::io::{Result, Write};

use super::{counting_once, end_line};
use crate::model::{Finding, Severity};

pub(super) fn write(findings: &[Finding], out: &mut dyn Write) -> Result<()> {
    for finding in counting_once(findings) {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warn => "warning",
            Severity::Info => "notice",
        };
        let mut properties = Vec::new();
        if let Some(file) = &finding.file {
            properties.push(format!("file={}", property(file)));
        }
        let numbers = [("line", finding.line), ("endLine", end_line(finding)), ("col", finding.column)];
        properties.extend(numbers.iter().filter_map(|(name, number)| Some(format!("{name}={}", (*number)?))));
        properties.push(format!("title={}", property(&format!("{} ({})", finding.code, finding.tool))));
        writeln!(out, "::{command} {}::{}", properties.join(","), data(&finding.message))?;
    }
    Ok(())
}

/// Escaped as the runner's `toolkit` escapes a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escaped as a property, where colons and commas have a meaning.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
