//! The reports of the address, leak, memory and thread sanitizers
//! (<https://github.com/google/sanitizers/wiki/AddressSanitizer>).

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, one_line, place, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Lines of a report.
const LINES: u32 = 200;

/// Reads both streams, each with a report of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Sanitizer {
    reports: [Option<Report>; 2],
}

struct Report {
    tool: &'static str,
    code: String,
    message: String,
    place: Option<(String, u32)>,
    text: String,
    lines: u32,
}

impl Parser for Sanitizer {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "ERROR: AddressSanitizer: ",
            "ERROR: LeakSanitizer: ",
            "WARNING: MemorySanitizer: ",
            "WARNING: ThreadSanitizer: ",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.reports[line.side()];
        if let Some(report) = waiting {
            if report.read(line.text) {
                return Verdict::Open;
            }
            out.extend(waiting.take().map(Report::end));
        }
        *waiting = head(line.text);
        if waiting.is_some() { Verdict::Open } else { Verdict::Idle }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.reports.iter_mut().filter_map(Option::take).map(Report::end));
    }
}

impl Report {
    /// Reads the next line; false if the report is over.
    fn read(&mut self, text: &str) -> bool {
        self.lines += 1;
        if text.starts_with("SUMMARY: ") || self.lines > LINES {
            return false;
        }
        push_line(&mut self.text, text);
        if self.place.is_none() {
            self.place = frame(text.trim_start());
        }
        true
    }

    fn end(self) -> Diagnostic {
        let Self { tool, code, message, place, text, .. } = self;
        Diagnostic {
            file: place.as_ref().map(|(file, _)| file.clone()),
            line: place.and_then(|(_, line)| line_number(line)),
            raw: raw(&text),
            ..Diagnostic::new(tool, Kind::Lint, Severity::Error, code, message)
        }
    }
}

/// `==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x… at pc …`.
fn head(text: &str) -> Option<Report> {
    let (tool, rest) = [
        ("AddressSanitizer", "ERROR: AddressSanitizer: "),
        ("LeakSanitizer", "ERROR: LeakSanitizer: "),
        ("MemorySanitizer", "WARNING: MemorySanitizer: "),
        ("ThreadSanitizer", "WARNING: ThreadSanitizer: "),
    ]
    .iter()
    .find_map(|(tool, start)| text.split_once(start).map(|(_, rest)| (*tool, rest)))?;
    // Addresses vary from run to run.
    let what = [" on ", " (", " in thread", ": "].iter().filter_map(|end| rest.find(end)).min();
    let what = rest[..what.unwrap_or(rest.len())].trim();
    Some(Report {
        tool,
        code: what.replace(' ', "-").to_lowercase(),
        message: one_line(what),
        place: None,
        text: format!("{text}\n"),
        lines: 0,
    })
}

/// `#1 0x55 in f /src/a.c:3:5`, if it is the project's own.
fn frame(text: &str) -> Option<(String, u32)> {
    let rest = text.strip_prefix('#')?;
    let at = rest.split_once(" in ").map_or(rest, |(_, rest)| rest);
    let at = &at[at.find(" /").map_or(0, |at| at + 1)..];
    let at = at.split(" (").next()?;
    let (file, line, _) = place(at)?;
    let is_library = ["/usr/", "/lib/", "../sysdeps/", "../../../../", "compiler-rt/", "libsanitizer/", "/build/"];
    (!is_library.iter().any(|part| file.starts_with(part) || file.contains("compiler-rt")) && !file.contains(' '))
        .then(|| (file.to_owned(), line))
}
