//! golangci-lint: its JSON (`--out-format json`, since 2.0 `--output.json.path stdout`), its text, with and without the
//! source below it, and its `tab` format (<https://golangci-lint.run/docs/configuration/file/#output-configuration>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, one_line, place, raw};
use crate::parsers::{Parser, Verdict};

/// The linter that says what does not compile.
const TYPECHECK: &str = "typecheck";

/// The linters, of all versions (<https://golangci-lint.run/docs/linters/>): in text nothing else tells whose line it is.
const LINTERS: &str = " arangolint asasalint asciicheck bidichk bodyclose canonicalheader containedctx contextcheck \
copyloopvar cyclop deadcode decorder depguard dogsled dupl dupword durationcheck embeddedstructfieldcheck err113 errcheck \
errchkjson errname errorlint execinquery exhaustive exhaustivestruct exhaustruct exportloopref exptostd fatcontext \
forbidigo forcetypeassert funcorder funlen gci ginkgolinter gocheckcompilerdirectives gochecknoglobals gochecknoinits \
gochecksumtype gocognit goconst gocritic gocyclo godoclint godot godox goerr113 gofmt gofumpt goheader goimports golines \
golint gomnd gomoddirectives gomodguard gomodguard_v2 goprintffuncname gosec gosimple gosmopolitan govet grouper iface \
ifshort importas inamedparam ineffassign interfacebloat interfacer intrange iotamixing ireturn lll loggercheck logrlint \
maintidx makezero maligned megacheck mirror misspell mnd modernize musttag nakedret nestif nilerr nilnesserr nilnil \
nlreturn noctx noinlineerr nolintlint nonamedreturns nosnakecase nosprintfhostport paralleltest perfsprint prealloc \
predeclared promlinter protogetter reassign recvcheck revive rowserrcheck scopelint sloglint spancheck sqlclosecheck \
staticcheck structcheck stylecheck swaggo tagalign tagliatelle tenv testableexamples testifylint testpackage thelper \
tparallel typecheck unconvert unparam unqueryvet unused usestdlibvars usetesting varcheck varnamelen wastedassign \
whitespace wrapcheck wsl wsl_v5 zerologlint ";

/// Lines of source below an issue, with the one that points into it.
const SOURCE_LINES: u8 = 2;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct Golangci {
    /// Lines that may be an issue's source.
    source: [u8; 2],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report<'a> {
    #[serde(borrow)]
    issues: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Issue {
    from_linter: String,
    text: String,
    #[serde(default)]
    severity: Option<String>,
    pos: Position,
    #[serde(default)]
    line_range: Option<Range>,
    /// Until 1.63.
    #[serde(default)]
    replacement: Option<Replacement>,
    /// Since then.
    #[serde(default)]
    suggested_fixes: Option<Vec<Fix>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Position {
    filename: String,
    #[serde(default)]
    line: i64,
    #[serde(default)]
    column: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Range {
    to: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replacement {
    #[serde(default)]
    new_lines: Option<Vec<String>>,
    #[serde(default)]
    inline: Option<Inline>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inline {
    #[serde(default)]
    new_string: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Fix {
    #[serde(default)]
    message: String,
    #[serde(default)]
    text_edits: Option<Vec<Edit>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Edit {
    /// In base64, as Go writes bytes.
    new_text: Option<String>,
}

impl Parser for Golangci {
    fn triggers(&self) -> &'static [&'static str] {
        &[".go:№"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text;
        let source = &mut self.source[line.side()];
        if let Some(found) = of_text(text).or_else(|| of_tab(text)) {
            out.push(found);
            *source = SOURCE_LINES;
            return Verdict::Own;
        }
        let is_pointer = text.trim_start() == "^";
        if *source == 0 || is_pointer {
            *source = 0;
            return Verdict::Idle;
        }
        *source -= 1;
        // What stands in the program is nobody's finding.
        if text.starts_with(['\t', ' ']) || text.ends_with('{') { Verdict::Own } else { Verdict::Open }
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"FromLinter\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(report) = serde_json::from_str::<Report<'_>>(text) else { return };
        for record in report.issues.into_iter().flatten() {
            let Ok(issue) = serde_json::from_str::<Issue>(record.get()) else { continue };
            let positive = |number: i64| u32::try_from(number).ok().and_then(line_number);
            let mut found = found(&issue.from_linter, &issue.text, issue.severity.as_deref().unwrap_or_default());
            found.file = Some(issue.pos.filename).filter(|file| !file.is_empty());
            found.line = positive(issue.pos.line);
            found.column = positive(issue.pos.column);
            found.end_line = issue.line_range.and_then(|range| positive(range.to)).filter(|to| Some(*to) >= found.line);
            found.suggested_fix = issue
                .replacement
                .and_then(Replacement::text)
                .or_else(|| issue.suggested_fixes.and_then(|fixes| fixes.into_iter().next()).and_then(Fix::text));
            found.raw = Some(record.to_owned());
            out.push(found);
        }
    }
}

impl Replacement {
    fn text(self) -> Option<String> {
        let text = match (self.new_lines, self.inline) {
            (Some(lines), _) => lines.join("\n"),
            (None, Some(inline)) => inline.new_string,
            (None, None) => return None,
        };
        (!text.trim().is_empty()).then_some(text)
    }
}

impl Fix {
    /// What the fix writes; what it does in words where it only deletes.
    fn text(self) -> Option<String> {
        let parts: Vec<String> = self
            .text_edits
            .into_iter()
            .flatten()
            .filter_map(|edit| decoded(&edit.new_text?))
            .filter(|text| !text.trim().is_empty())
            .collect();
        let text = if parts.is_empty() { one_line(&self.message) } else { parts.join("\n") };
        (!text.is_empty()).then_some(text)
    }
}

/// Base64 (RFC 4648) that holds text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

/// `a.go:1:2: message (linter)`.
fn of_text(text: &str) -> Option<Diagnostic> {
    let (rest, linter) = text.strip_suffix(')')?.rsplit_once(" (")?;
    if !is_linter(linter) {
        return None;
    }
    let (at, message) = rest.split_once(": ")?;
    placed(at, linter, message, text)
}

/// `a.go:1:2    linter  message`, in columns.
fn of_tab(text: &str) -> Option<Diagnostic> {
    let (at, rest) = text.split_once("  ")?;
    let (linter, message) = rest.trim_start().split_once("  ")?;
    if !is_linter(linter) {
        return None;
    }
    placed(at, linter, message.trim_start(), text)
}

fn placed(at: &str, linter: &str, message: &str, text: &str) -> Option<Diagnostic> {
    let (file, line, column) = place(at)?;
    if !file.ends_with(".go") && !file.ends_with("go.mod") || file.starts_with(char::is_whitespace) {
        return None;
    }
    let mut found = found(linter, message, "");
    found.file = Some(file.to_owned());
    found.line = line_number(line);
    found.column = column.and_then(line_number);
    found.raw = raw(text);
    Some(found)
}

/// Whether it is the name of one of the linters.
fn is_linter(name: &str) -> bool {
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name && LINTERS.contains(&format!(" {name} "))
}

fn found(linter: &str, message: &str, severity: &str) -> Diagnostic {
    let severity = match severity {
        _ if linter == TYPECHECK => Severity::Error,
        "error" | "critical" | "blocker" | "high" => Severity::Error,
        "info" | "note" | "hint" | "low" => Severity::Info,
        _ => Severity::Warn,
    };
    Diagnostic::new("golangci-lint", Kind::Lint, severity, linter, one_line(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_decoded() {
        for (text, bytes) in
            [("b2NjdXJyZWQ=", Some("occurred")), ("dw==", Some("w")), ("w7w=", Some("ü")), ("", Some("")), ("*", None)]
        {
            assert_eq!(decoded(text).as_deref(), bytes);
        }
    }
}
