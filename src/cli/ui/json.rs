//! Answers for programs.

use serde::Serialize;

use super::super::args::Format;
use super::Ui;
use crate::error::{Code, Error, Result};
use crate::model::{Finding, FindingCounts, Job};

/// One document and a line break.
pub fn document(answer: &impl Serialize, indented: bool) -> Result<String> {
    let text = if indented { serde_json::to_string_pretty(answer) } else { serde_json::to_string(answer) };
    text.map(|text| text + "\n")
        .map_err(|error| Error::new(Code::Io, format!("the answer cannot be written as JSON: {error}")))
}

/// Some jobs: `{"jobs":[…]}`.
#[derive(Serialize)]
pub struct JobsAnswer<'a> {
    /// Their rows, each with its fields in the order of the model.
    pub jobs: &'a [Job],
}

/// How a document is laid out that is written piece by piece.
#[derive(Clone, Copy, Debug)]
struct Layout {
    indented: bool,
}

impl Layout {
    /// A value that stands so deep.
    fn value(self, value: &impl Serialize, depth: usize) -> Result<String> {
        let text = document(value, self.indented)?;
        Ok(text.trim_end().replace('\n', &self.line(depth)))
    }

    /// The beginning of a line that stands so deep.
    fn line(self, depth: usize) -> String {
        if self.indented { format!("\n{}", "  ".repeat(depth)) } else { String::new() }
    }

    fn key(self, name: &str) -> String {
        if self.indented { format!("{name:?}: ") } else { format!("{name:?}:") }
    }
}

/// Findings that are written as they come: `{"findings":[…],"counts":{…}}`, or a document a line.
pub struct Rows<'a> {
    ui: &'a Ui,
    layout: Option<Layout>,
    depth: usize,
    begun: bool,
    head: String,
    end: Result<String>,
}

impl Rows<'_> {
    /// Some more of them.
    pub fn write(&mut self, findings: &[Finding]) -> Result<()> {
        let mut text = std::mem::take(&mut self.head);
        for finding in findings {
            match self.layout {
                None => text.push_str(&document(finding, false)?),
                Some(layout) => {
                    let comma = if self.begun { "," } else { "" };
                    text.push_str(&format!("{comma}{}{}", layout.line(self.depth), layout.value(finding, self.depth)?));
                }
            }
            self.begun = true;
        }
        self.ui.print(&text)
    }

    /// There are no more.
    pub fn end(mut self) -> Result<()> {
        self.write(&[])?;
        let close = match self.layout {
            Some(layout) if self.begun => layout.line(self.depth - 1),
            _ => String::new(),
        };
        self.ui.print(&(close + &self.end?))
    }
}

/// What a run comes to: `{"batch_id", "jobs":[{…job row…,"findings":[…]}]}`. Every job, tries again included, each
/// with its own findings.
pub struct RunAnswer<'a> {
    ui: &'a Ui,
    layout: Layout,
    begun: bool,
}

impl<'a> RunAnswer<'a> {
    /// A job, whose findings come next.
    pub fn job(&mut self, job: &Job) -> Result<Rows<'a>> {
        let layout = self.layout;
        let row = layout.value(job, 2)?;
        let row = row.trim_end_matches('}').trim_end();
        let comma = if self.begun { "," } else { "" };
        self.begun = true;
        let head = format!("{comma}{}{row},{}{}[", layout.line(2), layout.line(3), layout.key("findings"));
        let end = Ok(format!("]{}}}", layout.line(2)));
        Ok(Rows { ui: self.ui, layout: Some(layout), depth: 4, begun: false, head, end })
    }

    /// There are no more jobs.
    pub fn end(self) -> Result<()> {
        let close = if self.begun { self.layout.line(1) } else { String::new() };
        self.ui.print(&format!("{close}]{}}}\n", self.layout.line(0)))
    }
}

impl Ui {
    /// Findings as JSON, which are written as they come.
    pub fn rows(&self, counts: &FindingCounts) -> Rows<'_> {
        if self.format == Format::Jsonl {
            return Rows {
                ui: self,
                layout: None,
                depth: 0,
                begun: false,
                head: String::new(),
                end: Ok(String::new()),
            };
        }
        let layout = Layout { indented: self.out_terminal };
        let head = format!("{{{}{}[", layout.line(1), layout.key("findings"));
        let end = layout
            .value(counts, 1)
            .map(|counts| format!("],{}{}{counts}{}}}\n", layout.line(1), layout.key("counts"), layout.line(0)));
        Rows { ui: self, layout: Some(layout), depth: 2, begun: false, head, end }
    }

    /// A run's answer as JSON, which is written job by job.
    pub fn run_answer(&self, jobs: &[Job]) -> Result<RunAnswer<'_>> {
        let layout = Layout { indented: self.out_terminal };
        let batch = layout.value(&jobs.first().map(|job| &job.batch_id), 1)?;
        let (line, id, list) = (layout.line(1), layout.key("batch_id"), layout.key("jobs"));
        self.print(&format!("{{{line}{id}{batch},{line}{list}["))?;
        Ok(RunAnswer { ui: self, layout, begun: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_pieces_is_what_serde_would_write() {
        for indented in [true, false] {
            let layout = Layout { indented };
            let value = serde_json::json!({ "a": [1, { "b": "c\nd" }], "e": {} });
            let whole = document(&serde_json::json!({ "x": value }), indented).unwrap();
            let text = format!(
                "{{{}{}{}{}}}\n",
                layout.line(1),
                layout.key("x"),
                layout.value(&value, 1).unwrap(),
                layout.line(0)
            );
            assert_eq!(text, whole);
        }
    }
}
