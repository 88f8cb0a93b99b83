//! safety 2 and 3: `safety check`, its text and `--json`
//! (<https://docs.safetycli.com/safety-docs/output/json-output>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{bounded, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

const TOOL: &str = "safety";
const FOUND: &str = "-> Vulnerability found in ";
/// Bytes of an advisory that the message keeps.
const ADVISORY_LIMIT: usize = 300;
/// Lines of one vulnerability.
const BLOCK_LINES: u32 = 100;

/// Reads both streams, each with a vulnerability of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Safety {
    blocks: [Option<Block>; 2],
}

struct Block {
    package: String,
    version: String,
    id: String,
    advisory: String,
    in_advisory: bool,
    cve: Option<String>,
    lines: u32,
    text: String,
}

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    vulnerabilities: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Vulnerability {
    vulnerability_id: String,
    package_name: String,
    analyzed_version: Option<String>,
    #[serde(default)]
    ignored: bool,
    advisory: Option<String>,
    #[serde(default)]
    fixed_versions: Option<Vec<String>>,
    #[serde(rename = "CVE")]
    cve: Option<String>,
}

impl Parser for Safety {
    fn triggers(&self) -> &'static [&'static str] {
        &[FOUND, "Check your network connection, unable to reach the server."]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.blocks[line.side()];
        let text = line.text.trim_end();
        if let Some(block) = waiting {
            if block.read(text) {
                return Verdict::Open;
            }
            out.extend(waiting.take().and_then(Block::end));
        }
        if text == "Check your network connection, unable to reach the server." {
            let message = format!("not audited: {text}");
            out.push(Diagnostic {
                raw: raw(text),
                ..Diagnostic::new(TOOL, Kind::Cve, Severity::Warn, "not_checked", message)
            });
        }
        *waiting = text.strip_prefix(FOUND).and_then(Block::begin);
        if waiting.is_some() { Verdict::Open } else { Verdict::Idle }
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"vulnerability_id\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(report) = serde_json::from_str::<Report<'_>>(text) else { return };
        for one in report.vulnerabilities {
            let Ok(found) = serde_json::from_str::<Vulnerability>(one.get()) else { continue };
            if found.ignored {
                continue;
            }
            let name = &found.package_name;
            let version = found.analyzed_version.as_deref().unwrap_or_default();
            let fixed = found.fixed_versions.unwrap_or_default();
            out.push(Diagnostic {
                suggested_fix: match &fixed[..] {
                    [] => None,
                    [one] => Some(format!("{name} >= {one}")),
                    several => Some(format!("{name} {}", several.join(" or "))),
                },
                raw: RawValue::from_string(one.get().to_owned()).ok(),
                ..vulnerable(name, version, &found.vulnerability_id, found.advisory.as_deref(), found.cve)
            });
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.blocks.iter_mut().filter_map(Option::take).filter_map(Block::end));
    }
}

impl Block {
    /// `requests version 2.19.0`.
    fn begin(rest: &str) -> Option<Self> {
        let (package, version) = rest.split_once(" version ")?;
        Some(Self {
            package: package.to_owned(),
            version: version.to_owned(),
            id: String::new(),
            advisory: String::new(),
            in_advisory: false,
            cve: None,
            lines: 0,
            text: format!("{FOUND}{rest}\n"),
        })
    }

    /// Reads the next line; false if it is not part of the block.
    fn read(&mut self, text: &str) -> bool {
        self.lines += 1;
        let Some(body) = text.strip_prefix("   ").filter(|_| self.lines < BLOCK_LINES) else { return false };
        push_line(&mut self.text, text);
        if let Some(id) = body.strip_prefix("Vulnerability ID: ") {
            self.id = id.to_owned();
        } else if let Some(advisory) = body.strip_prefix("ADVISORY: ") {
            self.in_advisory = true;
            push_line(&mut self.advisory, advisory);
        } else if is_cve(body) {
            self.in_advisory = false;
            self.cve = Some(body.to_owned());
        } else if body.starts_with("For more information, ") || body.starts_with("Fixed versions: ") {
            self.in_advisory = false;
        } else if self.in_advisory {
            push_line(&mut self.advisory, body);
        }
        true
    }

    fn end(self) -> Option<Diagnostic> {
        let found = vulnerable(&self.package, &self.version, &self.id, Some(&self.advisory), self.cve);
        (!self.id.is_empty()).then(|| Diagnostic { raw: raw(&self.text), ..found })
    }
}

fn is_cve(text: &str) -> bool {
    let number = text.strip_prefix("CVE-").or(text.strip_prefix("PVE-"));
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
}

fn vulnerable(name: &str, version: &str, id: &str, advisory: Option<&str>, cve: Option<String>) -> Diagnostic {
    let about = match advisory.map(one_line) {
        Some(text) if text.len() > ADVISORY_LIMIT => format!("{}…", bounded(&text, ADVISORY_LIMIT).trim_end()),
        Some(text) if !text.is_empty() => text,
        _ => format!("known vulnerability {id}"),
    };
    let message = format!("{name} {version}: {about}");
    Diagnostic { aliases: cve.into_iter().collect(), ..Diagnostic::new(TOOL, Kind::Cve, Severity::Error, id, message) }
}
