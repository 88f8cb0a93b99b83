//! Checkstyle XML: `<file>` elements with an `<error>` per finding. There is no schema; the form is that of
//! Checkstyle's own `XMLLogger` (<https://checkstyle.org/config_reporting.html>).

use std::collections::HashMap;
use std::io::{Result, Write};

use super::{counting_once, place, xml};
use crate::model::{Finding, Severity};

pub(super) fn write(findings: &[Finding], out: &mut dyn Write) -> Result<()> {
    let mut files: Vec<(&str, Vec<&Finding>)> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for finding in counting_once(findings) {
        let file = place(finding);
        let index = *known.entry(file).or_insert_with(|| {
            files.push((file, Vec::new()));
            files.len() - 1
        });
        files[index].1.push(finding);
    }
    let mut writer = xml::document(out)?;
    writer.create_element("checkstyle").with_attribute(("version", "4.3")).write_inner_content(|writer| {
        for (file, findings) in &files {
            writer.create_element("file").with_attribute(("name", &*xml::clean(file))).write_inner_content(
                |writer| {
                    for finding in findings {
                        error(writer, finding)?;
                    }
                    Ok(())
                },
            )?;
        }
        Ok(())
    })?;
    xml::end(writer)
}

fn error(writer: &mut quick_xml::Writer<&mut dyn Write>, finding: &Finding) -> Result<()> {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warn => "warning",
        Severity::Info => "info",
    };
    let source = format!("{}.{}", finding.tool, finding.code);
    let line = finding.line.map(|line| line.to_string());
    let column = finding.column.map(|column| column.to_string());
    let mut element = writer.create_element("error");
    if let Some(line) = &line {
        element = element.with_attribute(("line", line.as_str()));
    }
    if let Some(column) = &column {
        element = element.with_attribute(("column", column.as_str()));
    }
    element
        .with_attribute(("severity", severity))
        .with_attribute(("message", &*xml::clean(&finding.message)))
        .with_attribute(("source", &*xml::clean(&source)))
        .write_empty()?;
    Ok(())
}
