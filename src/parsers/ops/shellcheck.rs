//! ShellCheck: its text for terminals, `-f json` and `-f json1`
//! (<https://github.com/koalaman/shellcheck/blob/master/shellcheck.1.md#formats>). `-f gcc` has the GNU form.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Releases before 0.8 print no level. These are the levels of the codes that people meet most.
const LEVELS: [(Severity, &[u32]); 2] = [
    (Severity::Error, &[2045, 2068, 2070, 2114, 2144, 2145, 2148, 2199, 2218, 2283]),
    (
        Severity::Info,
        &[
            1090, 1091, 2001, 2002, 2003, 2004, 2005, 2006, 2009, 2012, 2013, 2015, 2016, 2030, 2031, 2035, 2059, 2086,
            2094, 2116, 2119, 2126, 2129, 2143, 2153, 2162, 2181, 2219, 2230, 2250,
        ],
    ),
];

/// Reads both streams, each with the comments on one source line in the making.
#[derive(Default)]
pub(in crate::parsers) struct Shellcheck {
    blocks: [Option<Block>; 2],
}

/// The comments on one line of a script.
struct Block {
    file: String,
    line: u32,
    part: Part,
    found: Vec<Diagnostic>,
    fix: Vec<String>,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The source line comes next.
    Source,
    Comments,
    /// Below `Did you mean:`.
    Fix,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    comments: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Comment {
    file: String,
    line: u32,
    #[serde(rename = "endLine")]
    end_line: Option<u32>,
    column: u32,
    level: String,
    code: u32,
    message: String,
    fix: Option<Fix>,
}

#[derive(Deserialize)]
struct Fix {
    replacements: Vec<Replacement>,
}

#[derive(Deserialize)]
struct Replacement {
    replacement: String,
}

impl Parser for Shellcheck {
    fn triggers(&self) -> &'static [&'static str] {
        &[" line "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.blocks[line.side()];
        if let Some((file, at)) = header(line.text) {
            out.extend(waiting.take().into_iter().flat_map(Block::end));
            *waiting = Some(Block {
                file: file.to_owned(),
                line: at,
                part: Part::Source,
                found: Vec::new(),
                fix: Vec::new(),
                text: String::new(),
            });
            // The source may hold anything.
            return Verdict::Own;
        }
        let Some(block) = waiting else { return Verdict::Idle };
        if let Some(verdict) = block.read(line.text) {
            return verdict;
        }
        out.extend(waiting.take().into_iter().flat_map(Block::end));
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"endColumn\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        if let Some(found) = comment(text) {
            out.push(found);
        } else if let Ok(document) = serde_json::from_str::<Document<'_>>(text) {
            out.extend(document.comments.into_iter().filter_map(|one| comment(one.get())));
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.blocks.iter_mut().filter_map(Option::take).flat_map(Block::end));
    }
}

impl Block {
    /// Reads the next line; none if it is not part of the block.
    fn read(&mut self, text: &str) -> Option<Verdict> {
        match self.part {
            Part::Source => self.part = Part::Comments,
            Part::Comments => {
                if let Some(found) = caret(text) {
                    let (file, line) = (Some(self.file.clone()), line_number(self.line));
                    self.found.push(Diagnostic { file, line, end_line: None, ..found });
                } else if text.trim_end() == "Did you mean:" && !self.found.is_empty() {
                    self.part = Part::Fix;
                } else {
                    // Empty lines stand between the comments and what is said of them.
                    return (text.is_empty() && !self.found.is_empty()).then_some(Verdict::Open);
                }
            }
            Part::Fix if text.is_empty() => return None,
            Part::Fix => self.fix.push(text.to_owned()),
        }
        push_line(&mut self.text, text);
        Some(Verdict::Own)
    }

    fn end(mut self) -> Vec<Diagnostic> {
        if let ([found], [fix]) = (self.found.as_mut_slice(), self.fix.as_slice()) {
            found.suggested_fix = Some(fix.trim().to_owned());
        }
        for found in &mut self.found {
            found.raw = raw(&self.text);
        }
        self.found
    }
}

/// `In a.sh line 3:`.
fn header(text: &str) -> Option<(&str, u32)> {
    let (file, line) = text.strip_prefix("In ")?.strip_suffix(':')?.rsplit_once(" line ")?;
    Some((file, number(line)?)).filter(|(file, _)| !file.is_empty())
}

/// `     ^-- SC2086 (info): message`, `^---^ SC2045: message`.
fn caret(text: &str) -> Option<Diagnostic> {
    let rest = text.trim_start_matches(' ');
    let column = text.len() - rest.len() + 1;
    let (mark, rest) = rest.split_once(" SC")?;
    if !mark.starts_with('^') || mark.bytes().any(|byte| !b"^-".contains(&byte)) {
        return None;
    }
    let (code, message) = rest.split_once(": ")?;
    let (code, severity) = match code.split_once(" (") {
        Some((code, level)) => (number(code)?, severity(level.strip_suffix(')')?)?),
        None => number(code).map(|code| (code, usual_severity(code)))?,
    };
    Some(Diagnostic { column: u32::try_from(column).ok(), ..found(code, severity, message) })
}

fn severity(level: &str) -> Option<Severity> {
    Some(match level {
        "error" => Severity::Error,
        "warning" => Severity::Warn,
        "info" | "style" => Severity::Info,
        _ => return None,
    })
}

fn usual_severity(code: u32) -> Severity {
    let listed = LEVELS.iter().find(|(_, codes)| codes.contains(&code)).map(|(severity, _)| *severity);
    // The first thousand is what cannot be parsed.
    listed.unwrap_or(if code < 2000 { Severity::Error } else { Severity::Warn })
}

fn comment(text: &str) -> Option<Diagnostic> {
    let comment: Comment = serde_json::from_str(text).ok()?;
    // Several replacements, such as two quotation marks, are no text to put in one place.
    let fix = comment.fix.and_then(|fix| match <[Replacement; 1]>::try_from(fix.replacements) {
        Ok([one]) => Some(one.replacement),
        Err(_) => None,
    });
    Some(Diagnostic {
        file: Some(comment.file).filter(|file| file != "-"),
        line: line_number(comment.line),
        column: line_number(comment.column),
        end_line: comment.end_line.and_then(line_number),
        suggested_fix: fix.filter(|fix| !fix.is_empty()),
        raw: RawValue::from_string(text.to_owned()).ok(),
        ..found(comment.code, severity(&comment.level)?, &comment.message)
    })
}

fn found(code: u32, severity: Severity, message: &str) -> Diagnostic {
    Diagnostic::new("shellcheck", Kind::Lint, severity, format!("SC{code}"), one_line(message))
}
