//! semgrep: `--json`, and the text that it prints by default, in the forms since 0.8
//! (<https://semgrep.dev/docs/semgrep-appsec-platform/json-and-sarif>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Between the number of a line and the line.
const GUTTER: char = '┆';

/// Reads both streams, each with a list of its own.
#[derive(Default)]
pub(in crate::parsers) struct Semgrep {
    lists: [Option<List>; 2],
}

/// The list of findings in the text format.
#[derive(Default)]
struct List {
    file: String,
    rule: String,
    severity: Option<Severity>,
    message: String,
    fix: Option<String>,
    /// What is being shown of the source.
    found: Option<(Diagnostic, String)>,
    /// Lines since the last one that was understood.
    strange: u32,
}

/// Lines in a row that tell nothing before a list is given up.
const PATIENCE: u32 = 100;

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow, default)]
    results: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    errors: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Match {
    check_id: String,
    path: String,
    start: Position,
    end: Option<Position>,
    extra: Extra,
}

#[derive(Deserialize)]
struct Position {
    line: Option<i64>,
    col: Option<i64>,
}

#[derive(Deserialize)]
struct Extra {
    #[serde(default)]
    message: String,
    severity: Option<String>,
    fix: Option<String>,
    #[serde(default)]
    is_ignored: bool,
}

#[derive(Deserialize)]
struct Failure<'a> {
    /// A name, or a list that begins with it.
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    level: Option<String>,
    message: Option<String>,
    long_msg: Option<String>,
    short_msg: Option<String>,
    path: Option<String>,
    #[serde(borrow, default)]
    spans: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Span {
    file: Option<String>,
    start: Option<Position>,
}

impl Parser for Semgrep {
    fn triggers(&self) -> &'static [&'static str] {
        &["Code Finding", "Findings:"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text.trim_end();
        let waiting = &mut self.lists[line.side()];
        if let Some(list) = waiting {
            if list.read(text, out) {
                return Verdict::Open;
            }
            list.end(out);
            *waiting = None;
        }
        if is_title(text) {
            *waiting = Some(List::default());
            return Verdict::Open;
        }
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"check_id\"", "\"scanned\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(report) = serde_json::from_str::<Report<'_>>(text) else { return };
        for one in report.results {
            if let Ok(found) = serde_json::from_str::<Match>(one.get())
                && !found.extra.is_ignored
            {
                out.push(Diagnostic { raw: RawValue::from_string(one.get().to_owned()).ok(), ..found.diagnostic() });
            }
        }
        for one in report.errors {
            let Ok(failure) = serde_json::from_str::<Failure<'_>>(one.get()) else { continue };
            if let Some(found) = failure.diagnostic() {
                out.push(Diagnostic { raw: RawValue::from_string(one.get().to_owned()).ok(), ..found });
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for mut list in self.lists.iter_mut().filter_map(Option::take) {
            list.end(out);
        }
    }
}

impl Position {
    fn line(&self) -> Option<u32> {
        self.line.and_then(|line| u32::try_from(line).ok()).and_then(line_number)
    }

    fn column(&self) -> Option<u32> {
        self.col.and_then(|column| u32::try_from(column).ok()).and_then(line_number)
    }
}

impl Match {
    fn diagnostic(self) -> Diagnostic {
        Diagnostic {
            file: Some(self.path),
            line: self.start.line(),
            column: self.start.column(),
            end_line: self.end.and_then(|end| end.line()),
            suggested_fix: self.extra.fix,
            ..found(&self.check_id, severity(self.extra.severity.as_deref().unwrap_or_default()), &self.extra.message)
        }
    }
}

impl Failure<'_> {
    /// None if this is no failure of semgrep's.
    fn diagnostic(self) -> Option<Diagnostic> {
        let kind = self.kind.and_then(|kind| {
            let named = serde_json::from_str::<String>(kind.get());
            named.ok().or_else(|| {
                let parts: Vec<&RawValue> = serde_json::from_str(kind.get()).ok()?;
                serde_json::from_str(parts.first()?.get()).ok()
            })
        })?;
        let message = self.message.or(self.long_msg).or(self.short_msg)?;
        let span =
            self.spans.unwrap_or_default().first().and_then(|span| serde_json::from_str::<Span>(span.get()).ok());
        let (file, start) = span.map_or((None, None), |span| (span.file, span.start));
        Some(Diagnostic {
            file: self.path.or(file),
            line: start.as_ref().and_then(Position::line),
            column: start.as_ref().and_then(Position::column),
            ..found(&kind.split_whitespace().collect::<Vec<_>>().join("_"), severity(&self.level?), &message)
        })
    }
}

impl List {
    /// Reads the next line; false if it is not part of the list.
    fn read(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> bool {
        let body = text.trim_start();
        let indent = text.chars().count() - body.chars().count();
        if is_end(body) {
            return false;
        }
        self.strange += 1;
        if self.strange > PATIENCE {
            return false;
        }
        if let Some((before, source)) = body.split_once(GUTTER) {
            self.strange = 0;
            self.source(before.trim(), source, text, out);
        } else if body.starts_with("[hid ") || body.starts_with("[shortened ") {
            // The end of what is hidden is not known.
            if let Some((found, _)) = &mut self.found {
                found.end_line = None;
            }
        } else if body.is_empty() || body.starts_with(['┌', '│', '└']) {
        } else if let Some((rule, severity)) = rule_of(body) {
            self.end(out);
            self.begin(rule, Some(severity));
        } else if indent <= 4 && indent.is_multiple_of(2) && indent > 0 {
            // The name of a file has less room before it than what is said of it.
            self.end(out);
            *self = Self { file: body.to_owned(), ..Self::default() };
        } else if indent > 4 && indent < 8 && !body.contains(' ') {
            self.end(out);
            self.begin(body, None);
        } else if indent >= 8 && self.found.is_none() && !self.rule.is_empty() {
            if !body.starts_with("❰❰ ") && !body.starts_with("Details: ") {
                push_line(&mut self.message, body);
            }
        } else if indent == 0 {
            return false;
        }
        true
    }

    fn begin(&mut self, rule: &str, severity: Option<Severity>) {
        self.strange = 0;
        self.rule = rule.to_owned();
        self.severity = severity;
        self.message.clear();
    }

    /// A line of source, of a fix, or between two places.
    fn source(&mut self, before: &str, source: &str, text: &str, out: &mut Vec<Diagnostic>) {
        if let Some(line) = number(before) {
            match &mut self.found {
                Some((found, lines)) => {
                    found.end_line = line_number(line);
                    push_line(lines, text);
                }
                None if !self.file.is_empty() && !self.rule.is_empty() => {
                    let found = Diagnostic {
                        file: Some(self.file.clone()),
                        line: line_number(line),
                        end_line: line_number(line),
                        suggested_fix: self.fix.take(),
                        ..found(&self.rule, self.severity.unwrap_or(Severity::Warn), &self.message)
                    };
                    self.found = Some((found, format!("{text}\n")));
                }
                None => {}
            }
        } else if let Some(fix) = source.trim_start().strip_prefix("Autofix ▶ ") {
            self.end(out);
            self.fix = Some(fix.to_owned());
        } else if source.starts_with("---") {
            self.end(out);
        }
    }

    fn end(&mut self, out: &mut Vec<Diagnostic>) {
        if let Some((mut found, text)) = self.found.take() {
            found.raw = raw(&text);
            out.push(found);
        }
    }
}

/// `│ 4 Code Findings │` in a box, also `2 Blocking Code Findings`; before 1.19 `Findings:` alone.
fn is_title(text: &str) -> bool {
    let boxed = text.strip_prefix('│').and_then(|text| text.strip_suffix('│'));
    let counted = |text: &str| {
        let (count, rest) = text.trim().split_once(' ')?;
        number(count)?;
        (rest.ends_with("Code Finding") || rest.ends_with("Code Findings")).then_some(())
    };
    text == "Findings:" || boxed.and_then(counted).is_some()
}

/// What comes after the findings, also where both streams are one.
fn is_end(body: &str) -> bool {
    ["│ Scan Status", "│ Scan Summary", "Ran ", "Some files were skipped", "Scan Summary"]
        .iter()
        .any(|start| body.starts_with(start))
}

/// `❯❯❱ rule`: the more arrows the worse.
fn rule_of(body: &str) -> Option<(&str, Severity)> {
    let rule = body.trim_start_matches(['❯', '❱']);
    let arrows = body[..body.len() - rule.len()].chars().count();
    let severity = match arrows {
        0 => return None,
        1 => Severity::Info,
        2 => Severity::Warn,
        _ => Severity::Error,
    };
    Some((rule.strip_prefix(' ')?.trim(), severity))
}

fn severity(level: &str) -> Severity {
    match level.to_ascii_uppercase().as_str() {
        "ERROR" | "CRITICAL" | "HIGH" => Severity::Error,
        "INFO" | "LOW" | "INVENTORY" | "EXPERIMENT" => Severity::Info,
        _ => Severity::Warn,
    }
}

fn found(code: &str, severity: Severity, message: &str) -> Diagnostic {
    let message = one_line(message);
    let message = if message.is_empty() { code.to_owned() } else { message };
    Diagnostic::new("semgrep", Kind::Lint, severity, code.to_owned(), message)
}
