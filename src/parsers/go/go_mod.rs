//! What the go command says of modules and packages without a place in a file
//! (<https://go.dev/ref/mod#go-mod-file>), and what is wrong in a `go.mod`.

use std::borrow::Cow;

use serde::Deserialize;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, raw};
use crate::parsers::{Parser, Verdict};

/// What it says, and names for it; each stands behind `go: `, or begins a line if `bare` is true.
const COMPLAINTS: [(&str, &str, bool); 22] = [
    ("missing go.sum entry", "missing_go_sum_entry", true),
    ("no required module provides package", "no_required_module_provides_package", true),
    ("cannot find main module", "cannot_find_main_module", false),
    ("go.mod file not found", "go_mod_file_not_found", false),
    ("updates to go.mod needed", "updates_to_go_mod_needed", false),
    ("inconsistent vendoring", "inconsistent_vendoring", false),
    ("checksum mismatch", "checksum_mismatch", true),
    ("module lookup disabled", "module_lookup_disabled", false),
    ("cannot find module providing package", "cannot_find_module_providing_package", true),
    ("import cycle not allowed", "import_cycle_not_allowed", true),
    ("does not contain main module", "does_not_contain_main_module", true),
    ("no Go files in ", "no_go_files", true),
    ("found packages ", "several_packages", true),
    ("errors parsing go.mod", "errors_parsing_go_mod", false),
    ("go.mod file indicates go ", "go_is_too_old", false),
    (" requires go >= ", "go_is_too_old", false),
    ("error loading module requirements", "error_loading_module_requirements", false),
    ("unknown revision ", "unknown_revision", false),
    ("unrecognized import path ", "unrecognized_import_path", false),
    ("no matching versions for query ", "no_matching_versions", false),
    ("parsing go.mod: ", "errors_parsing_go_mod", false),
    ("but was required as: ", "module_path_mismatch", false),
];

/// Reads both streams, and what stands inside JSON.
#[derive(Default)]
pub(in crate::parsers) struct GoMod {
    /// Behind `errors parsing go.mod:` the errors have places.
    in_file: [bool; 2],
}

impl Parser for GoMod {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "missing go.sum entry",
            "no required module provides package",
            "cannot find main module",
            "go.mod file not found",
            "updates to go.mod needed",
            "inconsistent vendoring",
            "checksum mismatch",
            "module lookup disabled",
            "cannot find module providing package",
            "import cycle not allowed",
            "does not contain main module",
            "no Go files in ",
            "found packages ",
            "parsing go.mod:",
            "go.mod file indicates go ",
            " requires go >= ",
            "error loading module requirements",
            "unknown revision ",
            "unrecognized import path ",
            "no matching versions for query ",
            "but was required as: ",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = line.side();
        if self.in_file[side] {
            if let Some(found) = in_file(line.text) {
                out.push(found);
                return Verdict::Own;
            }
            self.in_file[side] = false;
        }
        if line.text.starts_with("go: errors parsing go.mod:") {
            self.in_file[side] = true;
            return Verdict::Own;
        }
        out.extend(complaint(line.text));
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"build-output\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        if let Ok(event) = serde_json::from_str::<BuildOutput<'_>>(text)
            && event.action == "build-output"
        {
            out.extend(complaint(event.output.trim_end()));
        }
    }
}

/// A line of what the go command prints of a build with `-json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BuildOutput<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    output: Cow<'a, str>,
}

/// `/src/go.mod:5: unknown directive: foo`.
fn in_file(text: &str) -> Option<Diagnostic> {
    let (file, rest) = text.split_once("go.mod:")?;
    let (line, message) = rest.split_once(": ")?;
    // A column may follow.
    let (line, column) = line.split_once(':').map_or((line, None), |(line, column)| (line, number(column)));
    Some(Diagnostic {
        file: Some(format!("{file}go.mod")),
        line: line_number(number(line)?),
        column: column.and_then(line_number),
        ..found("errors_parsing_go_mod", message, text)
    })
}

fn complaint(text: &str) -> Option<Diagnostic> {
    let (body, by_go) = match text.strip_prefix("go: ").or(text.strip_prefix("go mod tidy: ")) {
        Some(body) => (body, true),
        None => (text, false),
    };
    let (said, name, bare) = COMPLAINTS.iter().find(|(said, ..)| body.contains(said))?;
    // What stands in a file is the compiler's; progress is nobody's.
    if body.contains(".go:") || body.starts_with([' ', '\t']) || body.starts_with("warning: ") {
        return None;
    }
    let is_its = by_go
        || *bare
            && (body.starts_with(said)
                || body.starts_with("package ")
                || body.starts_with("build ")
                || body.starts_with("pattern ")
                || body.starts_with("verifying "));
    is_its.then(|| found(name, body, text))
}

fn found(name: &str, message: &str, text: &str) -> Diagnostic {
    let message = message.trim_end_matches(':');
    Diagnostic { raw: raw(text), ..Diagnostic::new("go build", Kind::Lint, Severity::Error, name, one_line(message)) }
}
