//! Maven: what its compilers, Surefire and Failsafe, Checkstyle, SpotBugs and PMD print, and why a build failed where
//! none of these say it (<https://maven.apache.org/surefire/maven-surefire-plugin/>).

use std::collections::HashSet;

use super::javac;
use super::stack::Failure;
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, raw};
use crate::parsers::{Parser, Verdict};

/// Names remembered of what was told.
const NAMES_LIMIT: usize = 100_000;
/// Reasons remembered until the end.
const REASONS_LIMIT: usize = 100;

/// Reads both streams, each with a finding of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Maven {
    parts: [Part; 2],
    /// Failed tests as the summary names them: the class without its package, and the method.
    tests: HashSet<String>,
    /// Tests that so far only the summary told.
    listed: Vec<(String, Diagnostic)>,
    /// Whether a compiler or a linter told of an error.
    told_error: bool,
    reasons: Vec<Reason>,
    /// The description that errors are listed of.
    pom: Option<String>,
}

#[derive(Default)]
enum Part {
    #[default]
    None,
    /// A diagnostic, below which `symbol:` may stand.
    Compiled(Diagnostic, String),
    Test(Failure),
    /// The failures that the summary lists.
    Summary,
}

struct Reason {
    found: Diagnostic,
    /// The goal failed because of what was told before, if something was.
    of: Of,
}

#[derive(PartialEq, Eq)]
enum Of {
    Tests,
    Sources,
    Itself,
}

impl Parser for Maven {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            ".java:[",
            ".kt:[",
            ".kt: (",
            "<<< FAILURE!",
            "<<< ERROR!",
            "[ERROR] Failures:",
            "[ERROR] Errors:",
            "Failed tests:",
            "Tests in error:",
            "Failed to execute goal ",
            "could not be resolved: ",
            "[ERROR] Malformed POM ",
            "Non-parseable POM ",
            "pom.xml) has ",
            " is missing. @ line ",
            "PMD Failure: ",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = line.side();
        let text = line.text;
        match std::mem::take(&mut self.parts[side]) {
            Part::None => {}
            Part::Compiled(found, mut details) => {
                let detail = text.strip_prefix("[ERROR]").or(text.strip_prefix("[WARNING]")).unwrap_or(text);
                if detail.starts_with("  ") && javac::is_named_detail(detail) {
                    details.push_str("; ");
                    details.push_str(detail);
                    self.parts[side] = Part::Compiled(found, details);
                    return Verdict::Own;
                }
                self.end_compiled(found, &details, out);
            }
            Part::Test(failure) if text.trim().is_empty() || leveled(text).is_some() => out.push(failure.end("maven")),
            Part::Test(mut failure) => {
                failure.read(text);
                self.parts[side] = Part::Test(failure);
                return Verdict::Own;
            }
            Part::Summary if text.contains("Tests run:") || text.trim().is_empty() => return Verdict::Idle,
            Part::Summary if leveled(text).is_some_and(|(level, _)| level != Severity::Error) => {}
            Part::Summary => {
                self.summary(text);
                self.parts[side] = Part::Summary;
                return Verdict::Open;
            }
        }
        let (level, body) = leveled(text).unwrap_or((Severity::Error, text));
        if let Some(found) = compiled(body, level) {
            self.parts[side] = Part::Compiled(found, String::new());
            return Verdict::Own;
        }
        if let Some((name, class)) = test(body) {
            if self.tests.len() < NAMES_LIMIT {
                self.tests.insert(simple_name(&name, &class));
            }
            self.parts[side] = Part::Test(Failure::new(name, &class, text));
            return Verdict::Own;
        }
        let heads = ["Failures:", "Errors:", "Failed tests:", "Tests in error:"];
        // Surefire leaves a space or a test behind this one; Node's dot reporter prints it bare.
        if heads.iter().any(|head| body.starts_with(head)) && text != "Failed tests:" {
            // Before Surefire 2.19 the first one may stand on the same line.
            self.summary(&body[body.find(':').map_or(0, |at| at + 1)..]);
            self.parts[side] = Part::Summary;
            return Verdict::Open;
        }
        if let Some(found) = pmd(body) {
            out.push(Diagnostic { raw: raw(text), ..found });
        } else if let Some((_, rest)) = body.split_once(" (").filter(|_| body.contains("pom.xml) has ")) {
            self.pom = rest.split_once(") has ").map(|(file, _)| file.to_owned());
        } else if let Some(found) = pom(body, self.pom.as_deref()) {
            out.push(Diagnostic { raw: raw(text), ..found });
        } else if let Some(reason) = reason(body).filter(|_| self.reasons.len() < REASONS_LIMIT) {
            self.reasons.push(reason);
        }
        Verdict::Idle
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for part in std::mem::take(&mut self.parts) {
            match part {
                Part::Compiled(found, details) => self.end_compiled(found, &details, out),
                Part::Test(failure) => out.push(failure.end("maven")),
                Part::None | Part::Summary => {}
            }
        }
        for (key, found) in std::mem::take(&mut self.listed) {
            let class = key.split('.').next().unwrap_or_default();
            if !self.tests.contains(&key) && !self.tests.contains(class) {
                out.push(found);
                self.tests.insert(key);
            }
        }
        for Reason { found, of } in std::mem::take(&mut self.reasons) {
            let is_told = match of {
                Of::Tests => !self.tests.is_empty(),
                Of::Sources => self.told_error,
                Of::Itself => false,
            };
            if !is_told {
                out.push(found);
            }
        }
    }
}

impl Maven {
    fn end_compiled(&mut self, mut found: Diagnostic, details: &str, out: &mut Vec<Diagnostic>) {
        found.message = one_line(&format!("{}{details}", found.message));
        self.told_error |= found.severity == Severity::Error;
        out.push(found);
    }

    /// `  CalcTest.adds:5 expected:<3> but was:<2>`, `  CalcTest.npe:9->helper:11 NullPointer`.
    fn summary(&mut self, text: &str) {
        let body = leveled(text).map_or(text, |(_, body)| body).trim_start();
        if let Some((method, rest)) = body.split_once('(')
            && let Some((class, message)) = rest.split_once(')')
            && (message.is_empty() || message.starts_with(':'))
            && is_class(class)
            && is_class(method)
        {
            self.list(class, method, body, message.trim_start_matches(':'));
            return;
        }
        let (at, message) = body.split_once(' ').unwrap_or((body, ""));
        let (name, place) = at.split_once("->").map_or(at, |(first, _)| first).split_once(':').unwrap_or((at, ""));
        let Some((class, method)) = name.rsplit_once('.') else { return };
        // The sign is garbled in some code pages of Windows.
        let message = message.strip_prefix("╗ ").unwrap_or(message);
        let is_test = number(place).is_some() || message.starts_with("» ") || message.starts_with("Expected ");
        if is_test && is_class(class.split('>').next().unwrap_or(class)) && is_class(method) {
            self.list(class.split('>').next().unwrap_or(class), method, body, message.trim_start_matches("» "));
        }
    }

    fn list(&mut self, class: &str, method: &str, line: &str, message: &str) {
        if self.listed.len() < NAMES_LIMIT {
            let simple = class.rsplit('.').next().unwrap_or(class);
            let mut failure = Failure::new(format!("{class}.{method}"), simple, line);
            failure.read(message);
            self.listed.push((format!("{simple}.{method}"), failure.end("maven")));
        }
    }
}

/// Whether this can name a class or a method.
fn is_class(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '.'))
}

/// `[ERROR] text`.
fn leveled(text: &str) -> Option<(Severity, &str)> {
    let (level, rest) = text.trim_start().strip_prefix('[')?.split_once(']')?;
    let severity = match level {
        "ERROR" | "FATAL" => Severity::Error,
        "WARNING" | "WARN" => Severity::Warn,
        "INFO" | "DEBUG" => Severity::Info,
        _ => return None,
    };
    Some((severity, rest.strip_prefix(' ').unwrap_or(rest)))
}

/// `/src/Foo.java:[3,11] message`, of Checkstyle `src/Foo.java:[3,5] (group) Rule: message`, of SpotBugs
/// `Medium: message At Foo.java:[line 12] RULE`, of Kotlin `/src/A.kt: (3, 5) message`.
fn compiled(text: &str, level: Severity) -> Option<Diagnostic> {
    if let Some((head, rest)) = text.split_once(":[line ").or(text.split_once(":[lines ")) {
        let (message, file) = head.rsplit_once(" At ").or(head.rsplit_once(" in "))?;
        let (lines, rule) = rest.split_once(']')?;
        let rule = rule.split_whitespace().next().filter(|rule| rule.contains('_') || rule.len() > 3)?;
        let (message, line) = (message.split_once(": ").map_or(message, |(_, rest)| rest), lines.split('-').next()?);
        let found = Diagnostic::new("spotbugs", Kind::Lint, level, rule.to_owned(), one_line(message));
        return Some(Diagnostic { file: Some(file.to_owned()), line: number(line), raw: raw(text), ..found });
    }
    let (file, rest) = [".java:[", ".kt:[", ".kts:["]
        .iter()
        .find_map(|end| text.find(end).map(|at| (&text[..at + end.len() - 2], &text[at + end.len()..])))
        .or_else(|| text.split_once(".kt: (").map(|(file, rest)| (&text[..file.len() + 3], rest)))?;
    let (at, message) = rest.split_once([']', ')'])?;
    let (line, column) = at.split_once(',').unwrap_or((at, ""));
    let (line, column) = (number(line.trim())?, number(column.trim()));
    let message = message.trim_start_matches(':').trim_start();
    let is_file = !file.contains(": ") && !file.starts_with(' ') && level != Severity::Info;
    if let Some((rule, message)) = checkstyle(message).filter(|_| is_file) {
        let found = Diagnostic::new("checkstyle", Kind::Lint, level, rule.to_owned(), one_line(message));
        let (file, line) = (Some(file.to_owned()), line_number(line));
        return Some(Diagnostic { file, line, column, raw: raw(text), ..found });
    }
    let tool = if file.ends_with(".java") { "javac" } else { "kotlinc" };
    is_file.then(|| Diagnostic { raw: raw(text), ..javac::found((tool, file), (line, column), level, message) })
}

/// `(group) Rule: message`.
fn checkstyle(text: &str) -> Option<(&str, &str)> {
    let (group, rest) = text.strip_prefix('(')?.split_once(") ")?;
    let (rule, message) = rest.split_once(": ")?;
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_name(group) && is_name(rule)).then_some((rule, message))
}

/// `PMD Failure: com.example.Foo:12 Rule:UnusedLocalVariable Priority:3 message`.
fn pmd(text: &str) -> Option<Diagnostic> {
    let (place, rest) = text.strip_prefix("PMD Failure: ")?.split_once(" Rule:")?;
    let (rule, rest) = rest.split_once(" Priority:")?;
    let (priority, message) = rest.split_once(' ')?;
    let (file, line) = place.rsplit_once(':')?;
    let severity = match number(priority)? {
        1 | 2 => Severity::Error,
        3 => Severity::Warn,
        _ => Severity::Info,
    };
    let found = Diagnostic::new("pmd", Kind::Lint, severity, rule.to_owned(), one_line(message));
    // Without the source's name there is only the class.
    let file = file.contains(['/', '\\']).then(|| file.to_owned());
    Some(Diagnostic { file, line: number(line), ..found })
}

/// `adds(com.example.CalcTest)  Time elapsed: 0 s  <<< FAILURE!`, from Surefire 3 on
/// `com.example.CalcTest.adds -- Time elapsed: 0 s <<< FAILURE!`: the test's full name, and its class.
fn test(text: &str) -> Option<(String, String)> {
    let (name, rest) = text.split_once("Time elapsed: ")?;
    if !rest.contains("<<< ") || name.starts_with("Tests run:") {
        return None;
    }
    let name = name.trim_end().trim_end_matches("--").trim_end();
    if let Some((method, class)) = name.strip_suffix(')').and_then(|name| name.rsplit_once('('))
        && class.contains(|c: char| c.is_alphabetic())
        && !method.contains('.')
        && !class.contains(", ")
    {
        return Some((format!("{class}.{method}"), class.to_owned()));
    }
    // Parameters may hold dots.
    let end = name.find(['(', '[', '{', ' ']).unwrap_or(name.len());
    let class = match name[..end].rsplit_once('.') {
        // A class whose set-up failed has no method.
        Some((class, last)) if !last.starts_with(|c: char| c.is_uppercase()) => class,
        _ => &name[..end],
    };
    (!name.is_empty()).then(|| (name.to_owned(), class.to_owned()))
}

fn simple_name(name: &str, class: &str) -> String {
    let simple = class.rsplit('.').next().unwrap_or(class);
    let method = name.strip_prefix(class).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
    let method = method.split(['(', '[', '{']).next().unwrap_or(method);
    if method.is_empty() { simple.to_owned() } else { format!("{simple}.{method}") }
}

/// What is wrong with a project's description. A missing value is listed twice: below `file`, and before without it.
fn pom(text: &str, file: Option<&str>) -> Option<Diagnostic> {
    let start = text.strip_prefix("Malformed POM ").or(text.strip_prefix("Non-parseable POM "));
    let (message, at) = text.rsplit_once("@ line ").or(text.rsplit_once(", line "))?;
    let (line, column) = at.split_once(", column ")?;
    let file = match start {
        Some(rest) => rest.split_once(": ")?.0,
        None if text.starts_with("    '") => file?,
        None => return None,
    };
    Some(Diagnostic {
        file: Some(file.to_owned()),
        line: number(line),
        column: number(column.trim_end()),
        ..Diagnostic::new("maven", Kind::Lint, Severity::Error, "pom", one_line(message.trim_end()))
    })
}

/// `Failed to execute goal group:plugin:1.0:goal (id) on project x: message`, `Plugin x or one of its dependencies
/// could not be resolved: message`.
fn reason(text: &str) -> Option<Reason> {
    let (goal, message) = if text.starts_with("Plugin ") {
        let (_, message) = text.split_once(" could not be resolved: ")?;
        ("plugin_resolution".to_owned(), message)
    } else {
        let rest = text.strip_prefix("Failed to execute goal ")?;
        let (goal, rest) = rest.split_once("on project ")?;
        let (_, message) = rest.split_once(": ")?;
        // `group:plugin:1.0:goal (id)`.
        let mut parts = goal.split(' ').next()?.split(':').skip(1);
        match (parts.next(), parts.nth(1)) {
            (Some(plugin), Some(goal)) => (format!("{plugin}:{goal}"), message),
            _ => ("build_failed".to_owned(), message),
        }
    };
    let message = message.split(" -> [Help").next().unwrap_or(message).trim_end_matches([' ', ':']);
    let is_resolution =
        message.contains("Could not resolve dependencies") || message.contains("Could not find artifact");
    let of = if message.contains("test failures") || goal.contains("surefire") || goal.contains("failsafe") {
        Of::Tests
    } else if message.starts_with("Compilation failure") || message.contains(" violation") || goal.contains("spotbugs")
    {
        Of::Sources
    } else {
        Of::Itself
    };
    let code = if is_resolution { "dependency_resolution".to_owned() } else { goal };
    let found = Diagnostic::new("maven", Kind::Lint, Severity::Error, code, one_line(message));
    Some(Reason { found: Diagnostic { raw: raw(text), ..found }, of })
}
