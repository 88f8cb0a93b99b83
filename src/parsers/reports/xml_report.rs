//! XML reports in a log or in a file of their own: JUnit and checkstyle, each recognised by its root element.

use super::checkstyle::Checkstyle;
use super::junit::Junit;
use super::xml::{Attributes, Scanner, Sink};
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::{Parser, Verdict};

/// Lines in a row that are none of the document's before it is given up.
const PATIENCE: u32 = 1000;
/// Bytes of what may stand before a document on its line: a time stamp, or a container's name.
const PREFIX_LIMIT: usize = 64;

/// Reads a document on each stream.
#[derive(Default)]
pub(in crate::parsers) struct XmlReports {
    open: [Option<Box<Report>>; 2],
}

impl Parser for XmlReports {
    fn triggers(&self) -> &'static [&'static str] {
        &["<testsuite", "<checkstyle"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let open = &mut self.open[line.side()];
        if let Some(report) = open {
            let is_next = line.text.trim_start().starts_with("<?xml ") && report.scanner.is_between();
            if !is_next && report.is_foreign(line.text) {
                return Verdict::Open;
            }
            if !is_next && report.foreign <= PATIENCE {
                let rest = report.push(line.text, out).map(str::to_owned).or_else(|| {
                    // No entity, tag or section is parted by the line break.
                    report.push("\n", out).map(str::to_owned)
                });
                if rest.is_some() {
                    *open = None;
                }
                return Verdict::Own;
            }
            report.finish(out);
            *open = None;
        }
        let Some(start) = root(line.text) else { return Verdict::Idle };
        let mut report = Report::default();
        if report.push(start, out).is_none() && report.push("\n", out).is_none() {
            *open = Some(Box::new(report));
        }
        Verdict::Own
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for report in &mut self.open {
            if let Some(report) = report {
                report.finish(out);
            }
            *report = None;
        }
    }
}

/// The line from a root element on that begins a document.
fn root(line: &str) -> Option<&str> {
    let at = ["<testsuite", "<checkstyle"].iter().filter_map(|name| line.find(name)).min()?;
    let name = line[at + 1..].trim_start_matches(|c: char| c.is_ascii_lowercase());
    if !(name.is_empty() || name.starts_with([' ', '\t', '>', '/'])) {
        return None;
    }
    let before = line[..at].trim_end();
    let is_start = before.is_empty()
        || before.ends_with("?>")
        || before.ends_with("-->")
        || (before.len() < PREFIX_LIMIT && (before.ends_with('|') || before.ends_with('Z')));
    is_start.then(|| &line[at..])
}

/// One document.
#[derive(Default)]
pub(in crate::parsers) struct Report {
    scanner: Scanner,
    form: Form,
    /// Lines in a row that were not the document's.
    foreign: u32,
}

/// What the root element says that it is.
#[derive(Default)]
enum Form {
    #[default]
    Undecided,
    Junit(Box<Junit>),
    Checkstyle(Checkstyle),
    Unknown,
}

impl Sink for Form {
    fn start(&mut self, name: &str, attributes: &Attributes<'_>) {
        if let Self::Undecided = self {
            *self = match name {
                "testsuites" | "testsuite" => Self::Junit(Box::default()),
                "checkstyle" => Self::Checkstyle(Checkstyle::default()),
                _ => Self::Unknown,
            };
        }
        match self {
            Self::Junit(junit) => junit.start(name, attributes),
            Self::Checkstyle(checkstyle) => checkstyle.start(name, attributes),
            Self::Undecided | Self::Unknown => {}
        }
    }

    fn end(&mut self, name: &str) {
        match self {
            Self::Junit(junit) => junit.end(name),
            Self::Checkstyle(checkstyle) => checkstyle.end(name),
            Self::Undecided | Self::Unknown => {}
        }
    }

    fn text(&mut self, text: &str) {
        match self {
            Self::Junit(junit) => junit.text(text),
            Self::Checkstyle(checkstyle) => checkstyle.text(text),
            Self::Undecided | Self::Unknown => {}
        }
    }
}

impl Report {
    /// Whether its root element is one that is known.
    pub fn is_known(&self) -> bool {
        matches!(self.form, Form::Junit(_) | Form::Checkstyle(_))
    }

    /// Reads on. What follows the document, once it has ended.
    pub fn push<'a>(&mut self, text: &'a str, out: &mut Vec<Diagnostic>) -> Option<&'a str> {
        let rest = self.scanner.push(text, &mut self.form);
        self.take(out);
        rest
    }

    /// The document will not go on: what it said before is told.
    pub fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        if let Form::Junit(junit) = &mut self.form {
            junit.finish();
        }
        self.take(out);
    }

    fn take(&mut self, out: &mut Vec<Diagnostic>) {
        match &mut self.form {
            Form::Junit(junit) => junit.take(out),
            Form::Checkstyle(checkstyle) => checkstyle.take(out),
            Form::Undecided | Form::Unknown => {}
        }
    }

    /// Whether a line of a log is somebody else's, printed in between.
    fn is_foreign(&mut self, line: &str) -> bool {
        let is_text = match &self.form {
            Form::Junit(junit) => junit.is_reading(),
            Form::Checkstyle(checkstyle) => checkstyle.is_reading(),
            Form::Undecided | Form::Unknown => false,
        };
        if is_text || !self.scanner.is_between() || line.contains('<') {
            self.foreign = 0;
            return false;
        }
        self.foreign += u32::from(!line.trim().is_empty());
        self.foreign <= PATIENCE
    }
}
