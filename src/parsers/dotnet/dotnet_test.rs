//! `dotnet test`: the blocks of VSTest's console logger, those of Microsoft.Testing.Platform, and what xUnit says of a
//! run that did not come to its end
//! (<https://learn.microsoft.com/dotnet/core/testing/unit-testing-with-dotnet-test>).

use std::collections::HashSet;

use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, is_full, line_number, number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Names remembered of what was told.
const NAMES_LIMIT: usize = 100_000;
/// Bytes of a message.
const MESSAGE_LIMIT: usize = 2 << 10;

/// Reads both streams, each with a failure of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct DotnetTest {
    blocks: [Option<Failure>; 2],
    /// Where the terminal logger says the test failed that the next line names.
    places: [Option<(String, u32)>; 2],
    told: HashSet<String>,
    /// What xUnit told while it ran.
    announced: Vec<String>,
}

struct Failure {
    name: String,
    part: Part,
    message: String,
    in_test: Option<(String, u32)>,
    own: Option<(String, u32)>,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Message,
    Trace,
    /// What the test printed.
    Output,
    /// Microsoft.Testing.Platform has no headings.
    Plain,
}

impl Parser for DotnetTest {
    fn triggers(&self) -> &'static [&'static str] {
        &["Error Message:", "Stack Trace:", "failed ", " [FAIL]", ": error TESTERROR:"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let waiting = &mut self.blocks[line.side()];
        let text = line.text;
        if let Some(failure) = waiting {
            if failure.read(text) {
                return if is_full(&failure.text) { Verdict::Open } else { Verdict::Own };
            }
            out.extend(waiting.take().and_then(Failure::end));
        }
        let place = self.places[line.side()].take();
        if let Some(at) = text.trim_end().strip_suffix(": error TESTERROR:") {
            self.places[line.side()] = terminal_place(at);
            return Verdict::Open;
        }
        let found = if place.is_some() { terminal(text, place) } else { head(line) };
        if let Some(failure) = found {
            if self.told.len() < NAMES_LIMIT {
                self.told.insert(failure.name.clone());
            }
            *waiting = Some(failure);
            return Verdict::Open;
        }
        if let Some(name) = announced(text)
            && self.announced.len() < NAMES_LIMIT
        {
            self.announced.push(name.to_owned());
        }
        Verdict::Idle
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.blocks.iter_mut().filter_map(Option::take).filter_map(Failure::end));
        for name in std::mem::take(&mut self.announced) {
            if self.told.insert(name.clone()) {
                out.push(failed_test("dotnet test", name, String::new()));
            }
        }
    }
}

impl Failure {
    /// Reads the next line; false if it is not part of the block.
    fn read(&mut self, text: &str) -> bool {
        let body = text.trim();
        match body {
            "Error Message:" if self.part == Part::Head => self.part = Part::Message,
            "Stack Trace:" if self.part != Part::Plain => self.part = Part::Trace,
            "Standard Output Messages:" | "Standard Error Messages:" | "Debug Traces Messages:" => {
                self.part = Part::Output;
            }
            _ if is_end(text) => return false,
            _ => match self.part {
                Part::Head => return false,
                Part::Output if body.is_empty() => return false,
                Part::Output => {}
                Part::Trace if body.is_empty() => return false,
                Part::Message => self.say(body),
                Part::Plain if !text.starts_with("  ") && !body.is_empty() => return false,
                Part::Plain if body.starts_with("at ") || body.starts_with("from ") => self.frame(body),
                Part::Plain if self.own.is_none() => self.say(body),
                Part::Trace | Part::Plain => self.frame(body),
            },
        }
        push_line(&mut self.text, text);
        true
    }

    fn say(&mut self, body: &str) {
        if self.message.len() < MESSAGE_LIMIT {
            self.message.push_str(body);
            self.message.push('\n');
        }
    }

    /// `at Ns.Class.Test() in /a/File.cs:line 23`, of the platform `in /a/File.cs:23`.
    fn frame(&mut self, body: &str) {
        let Some((method, at)) = body.strip_prefix("at ").and_then(|frame| frame.rsplit_once(" in ")) else { return };
        let Some((file, line)) = at.rsplit_once(":line ").or(at.rsplit_once(':')) else { return };
        // Libraries are built in `/_/`.
        let Some(line) = number(line.trim()).filter(|_| !file.starts_with("/_/")) else { return };
        let place = Some((file.to_owned(), line));
        let name = self.name.split('(').next().unwrap_or(&self.name);
        let called = method.split('(').next().unwrap_or(method);
        if called == name || called.ends_with(&format!(".{name}")) {
            self.in_test = self.in_test.take().or(place);
        } else {
            self.own = self.own.take().or(place);
        }
    }

    fn end(self) -> Option<Diagnostic> {
        // Without anything below it is no test.
        if self.part == Part::Plain && self.message.is_empty() && self.own.is_none() && self.in_test.is_none() {
            return None;
        }
        let place = self.in_test.or(self.own);
        Some(Diagnostic {
            file: place.as_ref().map(|(file, _)| file.clone()),
            line: place.and_then(|(_, line)| line_number(line)),
            raw: raw(&self.text),
            ..failed_test("dotnet test", self.name, one_line(&self.message))
        })
    }

    fn new(name: &str, part: Part, text: String) -> Self {
        Self { name: name.trim().to_owned(), part, message: String::new(), in_test: None, own: None, text }
    }
}

/// `  Failed Ns.Class.Test [12 ms]` or, of .NET Core 3, `  X Ns.Class.Test [12ms]` above `Error Message:`;
/// `failed Ns.Class.Test (12ms)` of Microsoft.Testing.Platform.
fn head(line: &Line<'_>) -> Option<Failure> {
    let text = line.text;
    // A failure without words has only a trace.
    let part = match text.trim() {
        "Error Message:" => Some(Part::Message),
        "Stack Trace:" => Some(Part::Trace),
        _ => None,
    };
    if let Some(part) = part {
        let before = line.previous();
        let name = before.trim();
        let name = name.strip_prefix("Failed ").or(name.strip_prefix("X "))?;
        let name = name.rsplit_once(" [").filter(|(_, time)| time.ends_with("s]")).map_or(name, |(name, _)| name);
        return Some(Failure::new(name, part, format!("{before}\n{text}\n")));
    }
    let (name, time) = text.strip_prefix("failed ")?.trim_end().rsplit_once(" (")?;
    let is_time = time.strip_suffix("s)").is_some_and(|time| time.starts_with(|c: char| c.is_ascii_digit()));
    is_time.then(|| Failure::new(name, Part::Plain, format!("{text}\n")))
}

/// `      Ns.Class.Test (2ms): Error Message: Assert.Equal() Failure` of the terminal logger.
fn terminal(text: &str, place: Option<(String, u32)>) -> Option<Failure> {
    let (head, message) = text.split_once("s): ")?;
    let (name, _) = head.rsplit_once(" (")?;
    let mut failure = Failure::new(name, Part::Message, format!("{text}\n"));
    failure.in_test = place;
    failure.say(message.strip_prefix("Error Message: ").unwrap_or(message));
    Some(failure)
}

/// `    /a/UnitTest1.cs(28)`.
fn terminal_place(at: &str) -> Option<(String, u32)> {
    let (file, line) = at.trim_start().strip_suffix(')')?.rsplit_once('(')?;
    Some((file.to_owned(), number(line.split(',').next()?)?))
}

/// Whether a line ends the block of a failure.
fn is_end(text: &str) -> bool {
    let starts = [
        "  Passed ",
        "  Skipped ",
        "Failed!",
        "Passed!",
        "Test Run ",
        "Test run ",
        "Test summary:",
        "Total tests:",
        "[xUnit.net ",
        "  Failed ",
        // Before .NET Core 3 the names stood at the margin, in it behind a sign.
        "Passed   ",
        "Skipped  ",
        "Failed   ",
        "  X ",
        "  V ",
        "  √ ",
        "  ! ",
    ];
    let plain = ["passed ", "skipped ", "Results File:", "NUnit Adapter "];
    starts.iter().chain(&plain).any(|start| text.starts_with(start)) || text.trim_end().ends_with(": error TESTERROR:")
}

/// `[xUnit.net 00:00:00.56]     Ns.Class.Test [FAIL]`.
fn announced(text: &str) -> Option<&str> {
    let name = text.trim_end().strip_suffix(" [FAIL]")?;
    Some(name.trim_start().strip_prefix("[xUnit.net ")?.split_once(']')?.1.trim())
}
