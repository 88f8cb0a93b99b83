//! MSBuild's form `file(line,column): error CODE: message [project]`, which `dotnet build`, `dotnet format`, MSVC's
//! `cl` and `link`, and the compilers of C#, F# and Visual Basic print
//! (<https://learn.microsoft.com/visualstudio/msbuild/msbuild-diagnostic-format-for-tasks>), and what NuGet's audit says
//! in it (<https://learn.microsoft.com/nuget/concepts/auditing-packages>).

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::security::scanner::rated;
use crate::parsers::text::{line_number, number, one_line, raw, slug};
use crate::parsers::{Parser, Verdict};

/// Codes without a number: those of `dotnet format`.
const FORMATS: &[&str] = &["WHITESPACE", "IMPORTS", "FINALNEWLINE", "CHARSET", "ENDOFLINE"];

/// Programs that stand where a file would.
const TOOLS: &[&str] = &[
    "MSBUILD", "CSC", "VBC", "FSC", "LINK", "LIB", "CL", "RC", "NMAKE", "CVTRES", "MIDL", "EXEC", "SGEN", "ALINK",
    "NUGET", "C1", "C1XX",
];

/// Files in brackets behind a message that are no part of it.
const PROJECTS: &[&str] = &["proj", ".sln", ".slnx", ".slnf", ".props", ".targets", ".cs"];

/// Keeps nothing: every line stands for itself.
#[derive(Default)]
pub(in crate::parsers) struct Msbuild;

impl Parser for Msbuild {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "): error ",
            "): warning ",
            "): fatal error ",
            "): Error ",
            "): Warning ",
            " : error ",
            " : warning ",
            " : fatal error ",
            " : Command line ",
            ": fatal error C",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        out.extend(message(line.text).and_then(|message| message.found()).map(|found| {
            // What is printed again in the summary is indented differently.
            Diagnostic { raw: raw(line.text.trim_start()), ..found }
        }));
        Verdict::Idle
    }
}

struct Message<'a> {
    /// What stands before the severity, if it is no file: `MSBUILD`, `CSC`.
    origin: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    severity: Severity,
    code: &'a str,
    text: &'a str,
}

/// `a.cs(1,2): error CS1002: ; expected [/a.csproj]`, `a.cs(1,2,1,9): …`, `CSC : error CS5001: …`,
/// `a.csproj : warning NU1903: …`, `a.obj : error LNK2019: …`.
fn message(text: &str) -> Option<Message<'_>> {
    let words = [
        ("): error ", Severity::Error),
        ("): warning ", Severity::Warn),
        ("): fatal error ", Severity::Error),
        (" : error ", Severity::Error),
        (" : warning ", Severity::Warn),
        (" : fatal error ", Severity::Error),
        // Azure Pipelines shows them so.
        ("): Error ", Severity::Error),
        ("): Warning ", Severity::Warn),
        (" : Command line error ", Severity::Error),
        (" : Command line warning ", Severity::Warn),
        // The compiler's front end says so of what it cannot open.
        (": fatal error ", Severity::Error),
    ];
    let (at, word, severity) = words
        .into_iter()
        .filter_map(|(word, severity)| Some((text.find(word)?, word, severity)))
        .min_by_key(|hit| hit.0)?;
    // A build on several processors numbers its projects: `     2>a.cs(1,2)`.
    let origin = text[..at].trim_start();
    let origin = match origin.split_once('>') {
        Some((node, rest)) if node.split(':').all(|part| number(part).is_some()) => rest,
        _ => origin,
    };
    let (code, rest) = text[at + word.len()..].split_once(':')?;
    let code = code.trim_end();
    if origin.is_empty() || !(is_code(code) || code.is_empty()) {
        return None;
    }
    let rest = without_project(rest.trim());
    let none = Message { origin, file: None, line: None, column: None, end_line: None, severity, code, text: rest };
    if !word.starts_with(')') {
        if is_project(origin) || origin.ends_with(".resx") {
            return Some(Message { file: Some(origin), ..none });
        }
        // Objects and programs are no places to look at.
        let is_object = [".obj", ".lib", ".exe", ".dll"].iter().any(|end| origin.ends_with(end));
        let is_known = is_object || TOOLS.contains(&origin.to_ascii_uppercase().as_str());
        // A program that a task started tells no code.
        return (is_known && (!code.is_empty() || origin == "EXEC")).then_some(none);
    }
    let (file, place) = origin.rsplit_once('(')?;
    // A range on one line is `12,5-9`.
    let mut numbers = place.split(',').map(|part| number(part.split('-').next().unwrap_or(part).trim()));
    let line = numbers.next()??;
    let column = numbers.next().flatten();
    let end_line = numbers.next().flatten();
    let is_file = file.contains('.') && !file.contains(": ") && !file.starts_with(['[', '"']);
    is_file.then(|| Message {
        file: Some(file),
        line: line_number(line),
        column: column.and_then(line_number),
        end_line: end_line.and_then(line_number),
        ..none
    })
}

/// `CS1002`, `xUnit1013`, `WHITESPACE`; those of TypeScript are its own compiler's.
fn is_code(code: &str) -> bool {
    let digits = code.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let letters = &code[..code.len() - digits.len()];
    FORMATS.contains(&code)
        || (!letters.is_empty()
            && letters != "TS"
            && letters.len() < 20
            && digits.len() < 8
            && number(digits).is_some())
}

fn is_project(file: &str) -> bool {
    PROJECTS.iter().any(|end| file.ends_with(end))
}

/// Without ` [/a/a.csproj::TargetFramework=net8.0]`.
fn without_project(text: &str) -> &str {
    let split = || {
        let (message, project) = text.strip_suffix(']')?.rsplit_once('[')?;
        is_project(project.split("::").next()?).then_some(message.trim_end())
    };
    split().unwrap_or(text)
}

impl Message<'_> {
    fn found(&self) -> Option<Diagnostic> {
        if let Some(found) = self.audit() {
            return Some(found);
        }
        let tool = match self.code.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "C" | "D" => "msvc",
            "LNK" => "link",
            _ if FORMATS.contains(&self.code) => "dotnet format",
            "NU" => "nuget",
            "MSB" | "NETSDK" => "msbuild",
            _ if self.origin.ends_with(".c") || self.origin.contains(".cpp(") => "msvc",
            _ => "dotnet build",
        };
        let code = if self.code.is_empty() { slug(&self.text.replace('\'', "`")) } else { self.code.to_owned() };
        if self.text.is_empty() || code.is_empty() {
            return None;
        }
        let is_format = FORMATS.contains(&self.code);
        Some(Diagnostic {
            file: self.file.map(str::to_owned),
            line: self.line,
            column: self.column,
            end_line: self.end_line,
            ..Diagnostic::new(
                tool,
                Kind::Lint,
                if is_format { Severity::Warn } else { self.severity },
                code,
                one_line(self.text),
            )
        })
    }

    /// `NU1903: Package 'Newtonsoft.Json' 12.0.1 has a known high severity vulnerability, https://…/GHSA-…`.
    fn audit(&self) -> Option<Diagnostic> {
        let file = self.file.map(str::to_owned);
        if self.code == "NU1900" || self.code == "NU1905" {
            let found = Diagnostic::new("nuget", Kind::Cve, Severity::Warn, "not_checked", one_line(self.text));
            return Some(Diagnostic { file, ..found });
        }
        if !["NU1901", "NU1902", "NU1903", "NU1904"].contains(&self.code) {
            return None;
        }
        let (name, rest) = self.text.strip_prefix("Package '")?.split_once("' ")?;
        let (version, rest) = rest.split_once(" has a known ")?;
        let (level, _) = rest.split_once(" severity")?;
        let url = rest.rsplit_once("https://").map_or("", |(_, url)| url);
        let message = format!("{name} {version}: known {level} severity vulnerability, https://{url}");
        let found = Diagnostic::new("nuget", Kind::Cve, rated(level), advisory(url, self.code), message);
        Some(Diagnostic { file, ..found })
    }
}

/// The advisory's id out of its address.
pub(in crate::parsers) fn advisory(url: &str, otherwise: &str) -> String {
    let id = url.trim_end().rsplit('/').next().unwrap_or_default();
    let id = id.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    if id.starts_with("GHSA-") || id.starts_with("CVE-") { id.to_owned() } else { otherwise.to_owned() }
}
