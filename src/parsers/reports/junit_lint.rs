//! Linters that report as JUnit XML: a case per complaint, none of which is a test.

use super::exported;
use super::junit::{Case, Failure, Suite};
use crate::model::{Diagnostic, Kind, Severity, Stream};
use crate::parsers::Parser;
use crate::parsers::line::Line;
use crate::parsers::python::mypy::Mypy;
use crate::parsers::security::advisory;
use crate::parsers::text::{number, one_line, place, raw};

/// Reads a case if a linter wrote it; whether one did.
pub(in crate::parsers) fn read(case: &Case, suites: &[Suite], out: &mut Vec<Diagnostic>) -> bool {
    let Some(suite) = suites.last() else { return false };
    if suites[0].name == exported::SELF && suites.len() == 2 {
        out.extend(case.failures.iter().map(|failure| of_export(case, suite, failure)));
        return true;
    }
    if let Some(tool) = suite
        .package
        .as_deref()
        .and_then(|package| package.strip_prefix("org."))
        .filter(|tool| case.name.starts_with("org.") && case.name[4..].starts_with(tool))
    {
        out.extend(case.failures.iter().map(|failure| of_package(tool, case, suite, failure)));
    } else if suite.name == "mypy" && (case.classname == "mypy" || case.name.starts_with("mypy-")) {
        for failure in &case.failures {
            mypy(&failure.text, out);
        }
    } else if suite.name == "semgrep results" {
        out.extend(case.failures.iter().map(|failure| Diagnostic {
            file: case.file.clone().or_else(|| Some(case.classname.clone())),
            line: case.line,
            ..lint("semgrep", severity(&failure.kind), &case.name, failure)
        }));
    } else if suite.name == "rubocop" {
        out.extend(case.failures.iter().map(|failure| {
            let at = failure.text.lines().find_map(|line| place(line.trim()));
            Diagnostic {
                file: at.map(|(file, ..)| file.to_owned()),
                line: at.map(|(_, line, _)| line),
                column: at.and_then(|(.., column)| column),
                ..lint("rubocop", Severity::Warn, &case.name, failure)
            }
        }));
    } else if let Some((level, rest)) = case.name.strip_prefix('[').and_then(|name| name.split_once("]["))
        && let Some((code, title)) = rest.split_once("] ")
        && code.starts_with("CKV")
    {
        out.extend(case.failures.iter().map(|failure| checkov(level, code, title, failure)));
    } else if let Some((level, id)) = case.name.strip_prefix('[').and_then(|name| name.split_once("] "))
        && advisory::is_id(id)
    {
        out.extend(case.failures.iter().map(|failure| trivy(level, id, case, suite, failure)));
    } else if let Some((rule, at)) = case.name.split_once(" at ")
        && let Some((file, at)) = at.strip_suffix(')').and_then(|at| at.rsplit_once(" ("))
        && let Some((line, column)) = at.split_once(':')
        && file == suite.name
    {
        // phpcs: `PEAR.Commenting.FileComment.Missing at a.php (2:1)`
        out.extend(case.failures.iter().map(|failure| Diagnostic {
            file: Some(file.to_owned()),
            line: number(line).filter(|line| *line > 0),
            column: number(column).filter(|column| *column > 0),
            ..lint("phpcs", severity(&failure.kind), rule, failure)
        }));
    } else if let [failure] = case.failures.as_slice()
        && failure.text.contains("\nCategory: ")
    {
        out.push(golangci(case, failure));
    } else {
        return false;
    }
    true
}

/// An exported finding: the suite is called after the tool, maybe with its project and recipe before it.
fn of_export(case: &Case, suite: &Suite, failure: &Failure) -> Diagnostic {
    let names: Vec<&str> = suite.name.split(' ').collect();
    let two = names.len().checked_sub(2).map(|at| names[at..].join(" "));
    let second = ["test", "--test", "audit", "nextest", "vet", "deny", "mod", "list", "build", "quality"];
    let is_two = names.last().is_some_and(|last| second.contains(last));
    let tool =
        two.filter(|_| is_two).unwrap_or_else(|| names.last().map_or_else(String::new, |name| (*name).to_owned()));
    let code = match case.name.rsplit_once(" in line ") {
        Some((code, line)) if number(line).is_some() && failure.kind != "test_fail" => code,
        _ => case.name.as_str(),
    };
    let start = failure.text.trim_start();
    let at = case.line.map_or_else(|| case.classname.clone(), |line| format!("{}:{line}", case.classname));
    let level = start.strip_prefix(at.as_str()).and_then(|rest| rest.strip_prefix(": "));
    let level = level.and_then(|rest| rest.split_once(": ")).map_or("error", |(level, _)| level);
    let kind = match failure.kind.as_str() {
        "cve" => Kind::Cve,
        "test_fail" => Kind::TestFail,
        "recipe_fail" => Kind::RecipeFail,
        _ => Kind::Lint,
    };
    let found = lint(tool, severity(level), code, failure);
    Diagnostic {
        kind,
        file: case.file.clone(),
        line: case.line,
        message: one_line(&failure.message),
        suggested_fix: exported::without_fix(&failure.text).1.map(|fix| fix.trim_end().to_owned()),
        ..found
    }
}

fn lint(tool: impl Into<String>, severity: Severity, code: &str, failure: &Failure) -> Diagnostic {
    let message = if failure.message.trim().is_empty() { &failure.text } else { &failure.message };
    let said = message.trim().strip_prefix(code).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(message);
    Diagnostic {
        raw: raw(if failure.text.trim().is_empty() { message } else { &failure.text }),
        ..Diagnostic::new(tool.into(), Kind::Lint, severity, code, one_line(said))
    }
}

fn severity(name: &str) -> Severity {
    match name.to_ascii_lowercase().as_str() {
        "warning" | "warn" | "medium" | "low" => Severity::Warn,
        "info" | "information" | "note" | "notice" | "hint" => Severity::Info,
        _ => Severity::Error,
    }
}

/// The form that eslint began: the package is the linter, the suite the file, the case the rule, and the text begins
/// with `line 1, col 5, Error - `.
fn of_package(tool: &str, case: &Case, suite: &Suite, failure: &Failure) -> Diagnostic {
    let rule = case.name[4..].strip_prefix(tool).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
    let said = failure.text.trim().strip_prefix("line ").and_then(|rest| {
        let (line, rest) = rest.split_once(", col ")?;
        let (column, rest) = rest.split_once(", ")?;
        Some((number(line)?, number(column)?, rest))
    });
    let level = said.and_then(|(.., rest)| rest.split_once(" - ")).map(|(level, _)| level);
    let severity = match (level, &case.severity) {
        (Some("Warning"), _) => Severity::Warn,
        (_, Some(name)) => severity(name),
        _ => Severity::Error,
    };
    let code = match (rule, tool) {
        ("" | "unknown", _) => "syntax".to_owned(),
        (rule, "biome") => rule.replace('.', "/"),
        (rule, _) => rule.to_owned(),
    };
    Diagnostic {
        file: Some(suite.name.clone()),
        line: case.line.or(said.map(|(line, ..)| line).filter(|line| *line > 0)),
        column: case.column.or(said.map(|(_, column, _)| column).filter(|column| *column > 0)),
        ..lint(tool, severity, &code, failure)
    }
}

/// mypy puts what it would print into one failure.
fn mypy(text: &str, out: &mut Vec<Diagnostic>) {
    let mut parser = Mypy::default();
    let mut before = "";
    for text in text.lines() {
        parser.line(&Line { text, stream: Stream::Stdout, before: before.as_bytes() }, out);
        before = text;
    }
    parser.finish(out);
}

/// checkov: the case is `[LEVEL][CODE] title`, and the text has `File: /Dockerfile: 1-4`.
fn checkov(level: &str, code: &str, title: &str, failure: &Failure) -> Diagnostic {
    let at = failure.text.lines().find_map(|line| line.trim().strip_prefix("File: "));
    let (file, lines) = at.and_then(|at| at.rsplit_once(": ")).unwrap_or((at.unwrap_or_default(), ""));
    let (line, end) = lines.split_once('-').map_or((None, None), |(line, end)| (number(line), number(end)));
    let line = line.filter(|line| *line > 0);
    Diagnostic {
        file: Some(file.trim_start_matches('/').to_owned()).filter(|file| !file.is_empty()),
        line,
        end_line: end.filter(|end| line.is_some_and(|line| *end >= line)),
        message: one_line(title),
        ..lint("checkov", severity(level), code, failure)
    }
}

/// trivy's template: the case is `[HIGH] CVE-2021-33503` of the class `urllib3-1.26.4`.
fn trivy(level: &str, id: &str, case: &Case, suite: &Suite, failure: &Failure) -> Diagnostic {
    let package =
        case.classname.rsplit_once('-').map_or(case.classname.clone(), |(name, version)| format!("{name} {version}"));
    let found = lint("trivy", Severity::Error, id, failure);
    Diagnostic {
        kind: Kind::Cve,
        severity: advisory::severity(level).unwrap_or(Severity::Error),
        file: Some(suite.name.clone()).filter(|name| !name.is_empty()),
        message: format!("{package}: {}", found.message),
        ..found
    }
}

/// golangci-lint: `Category: errcheck`, `File: a.go`, `Line: 10` below the message.
fn golangci(case: &Case, failure: &Failure) -> Diagnostic {
    let said = |name: &str| failure.text.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
    let at = place(&case.classname);
    let message = failure.message.trim();
    let message = match message.split_once(": ") {
        Some((start, message)) if place(start).is_some() => message,
        _ => message,
    };
    Diagnostic {
        file: said("File: ").map(str::to_owned).or(at.map(|(file, ..)| file.to_owned())),
        line: said("Line: ").and_then(number).or(at.map(|(_, line, _)| line)),
        column: at.and_then(|(.., column)| column),
        message: one_line(message),
        ..lint(
            "golangci-lint",
            if failure.kind.is_empty() { Severity::Warn } else { severity(&failure.kind) },
            said("Category: ").unwrap_or(&case.name),
            failure,
        )
    }
}
