//! JUnit XML, as Jenkins, GitLab and most others read it (<https://github.com/testmoapp/junitxml>): a suite per
//! subproject, recipe and tool, with a failed test case per finding,
//! skipped if it is ignored.

use std::collections::HashMap;
use std::io::{Result, Write};

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::{message_and_fix, place_and_line, xml};
use crate::model::{Finding, Kind};

pub(super) fn write(findings: &[Finding], out: &mut dyn Write) -> Result<()> {
    let mut suites: Vec<(String, Vec<&Finding>)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for finding in findings {
        let name = suite(finding);
        let index = *known.entry(name).or_insert_with_key(|name| {
            suites.push((name.clone(), Vec::new()));
            suites.len() - 1
        });
        suites[index].1.push(finding);
    }
    let mut writer = xml::document(out)?;
    let all: Vec<&Finding> = findings.iter().collect();
    writer
        .create_element("testsuites")
        .with_attribute(("name", "crafting"))
        .with_attributes(counts(&all).iter().map(|(name, count)| (*name, count.as_str())))
        .write_inner_content(|writer| {
            for (name, findings) in &suites {
                writer
                    .create_element("testsuite")
                    .with_attribute(("name", &*xml::clean(name)))
                    .with_attributes(counts(findings).iter().map(|(name, count)| (*name, count.as_str())))
                    .write_inner_content(|writer| findings.iter().try_for_each(|finding| case(writer, finding)))?;
            }
            Ok(())
        })?;
    xml::end(writer)
}

/// `api test pytest`; the tool alone for a log from elsewhere.
fn suite(finding: &Finding) -> String {
    let project = finding.project.as_ref().map(|project| project.as_str());
    let subproject = finding.subproject.as_ref().filter(|path| !path.is_root()).map(|path| path.as_str());
    let recipe = finding.recipe.as_ref().map(|recipe| recipe.as_str());
    let parts = [project, subproject, recipe, Some(finding.tool.as_str())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn counts(findings: &[&Finding]) -> [(&'static str, String); 4] {
    let skipped = findings.iter().filter(|finding| finding.ignored.is_some()).count();
    let errors =
        findings.iter().filter(|finding| finding.ignored.is_none() && finding.kind == Kind::RecipeFail).count();
    [
        ("tests", findings.len().to_string()),
        ("failures", (findings.len() - errors - skipped).to_string()),
        ("errors", errors.to_string()),
        ("skipped", skipped.to_string()),
    ]
}

fn case(writer: &mut Writer<&mut dyn Write>, finding: &Finding) -> Result<()> {
    let place = place_and_line(finding);
    // What reads these files tells cases apart by their names.
    let name = match (finding.kind, finding.line) {
        (Kind::TestFail, _) | (_, None) => finding.code.clone(),
        (_, Some(line)) => format!("{} in line {line}", finding.code),
    };
    let line = finding.line.map(|line| line.to_string());
    let mut element = writer
        .create_element("testcase")
        .with_attribute(("classname", &*xml::clean(super::place(finding))))
        .with_attribute(("name", &*xml::clean(&name)));
    if let Some(file) = &finding.file {
        element = element.with_attribute(("file", &*xml::clean(file)));
    }
    if let Some(line) = &line {
        element = element.with_attribute(("line", line.as_str()));
    }
    element.write_inner_content(|writer| {
        if let Some(ignored) = &finding.ignored {
            let why = format!("ignored: {}", ignored.reason);
            writer.create_element("skipped").with_attribute(("message", &*xml::clean(&why))).write_empty()?;
            return Ok(());
        }
        let text = format!("{place}: {}: {}", finding.severity, message_and_fix(finding));
        let outcome = if finding.kind == Kind::RecipeFail { "error" } else { "failure" };
        writer
            .create_element(outcome)
            .with_attribute(("message", &*xml::clean(&finding.message)))
            .with_attribute(("type", finding.kind.as_str()))
            .write_text_content(BytesText::new(&xml::clean(&text)))?;
        Ok(())
    })?;
    Ok(())
}
