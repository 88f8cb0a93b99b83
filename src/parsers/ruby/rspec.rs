//! RSpec: the failures below `Failures:`, what could not be loaded, the list of failed examples where a formatter
//! prints nothing else, and `--format json` (<https://rspec.info/features/3-13/rspec-core/formatters/>).

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, is_full, line_number, number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Names remembered of what was told.
const NAMES_LIMIT: usize = 100_000;

/// Reads both streams, each with a failure of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Rspec {
    blocks: [Part; 2],
    told: HashSet<String>,
}

#[derive(Default)]
enum Part {
    #[default]
    None,
    /// In the section of failures, between two of them.
    Failures,
    /// A failure, and whether it is one of that section.
    Failure(Failure, bool),
}

#[derive(Default)]
struct Failure {
    name: String,
    file: Option<String>,
    place: Option<(String, u32)>,
    text: String,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    examples: Vec<&'a RawValue>,
    #[serde(default)]
    messages: Vec<String>,
}

#[derive(Deserialize)]
struct Example {
    full_description: String,
    status: String,
    file_path: String,
    line_number: u32,
    exception: Option<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    class: String,
    message: Option<String>,
    backtrace: Option<Vec<String>>,
}

impl Parser for Rspec {
    fn triggers(&self) -> &'static [&'static str] {
        &["Failures:¶", "An error occurred ", "rspec ./", "rspec './"]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = line.side();
        let text = line.text;
        match std::mem::take(&mut self.blocks[side]) {
            Part::None => {}
            Part::Failures if text.starts_with("Finished in ") => {}
            Part::Failure(failure, true) if text.starts_with("Finished in ") => self.tell(failure, out),
            Part::Failures => {
                if let Some(name) = heading(text) {
                    self.blocks[side] = Part::Failure(Failure::new(name), true);
                    return Verdict::Own;
                }
                if text.trim().is_empty() {
                    self.blocks[side] = Part::Failures;
                    return Verdict::Open;
                }
            }
            Part::Failure(failure, true) if heading(text).is_some() => {
                self.tell(failure, out);
                self.blocks[side] = Part::Failure(Failure::new(heading(text).unwrap_or_default()), true);
                return Verdict::Own;
            }
            Part::Failure(failure, false) if ends_error(text) => self.tell(failure, out),
            Part::Failure(mut failure, listed) => {
                failure.read(text);
                let verdict = if is_full(&failure.text) { Verdict::Open } else { Verdict::Own };
                self.blocks[side] = Part::Failure(failure, listed);
                return verdict;
            }
        }
        if text == "Failures:" {
            self.blocks[side] = Part::Failures;
            return Verdict::Open;
        }
        if let Some(failure) = outside(text) {
            self.blocks[side] = Part::Failure(failure, false);
            return Verdict::Own;
        }
        if let Some((failure, place)) = listed(text)
            && !self.told.contains(&failure)
        {
            self.tell(Failure { name: failure, place: Some(place), text: format!("{text}\n"), file: None }, out);
        }
        Verdict::Idle
    }

    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"full_description\"", "\"errors_outside_of_examples_count\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(document) = serde_json::from_str::<Document<'_>>(text) else { return };
        for one in document.examples {
            let Ok(example) = serde_json::from_str::<Example>(one.get()) else { continue };
            if example.status != "failed" {
                continue;
            }
            let exception = example.exception.as_ref();
            let own = exception.and_then(|it| it.backtrace.as_ref()).and_then(|it| it.iter().find_map(|it| frame(it)));
            let (file, line) = own.unwrap_or((&example.file_path, example.line_number));
            let message = exception.map_or(String::new(), |it| {
                let first = it.message.as_deref().unwrap_or_default().trim().split("\n\n").next().unwrap_or_default();
                described(&it.class, first)
            });
            out.push(Diagnostic {
                file: Some(file.to_owned()),
                line: line_number(line),
                raw: RawValue::from_string(one.get().to_owned()).ok(),
                ..failed_test("rspec", example.full_description.trim(), message)
            });
        }
        for message in document.messages {
            let mut failure = None;
            for line in message.lines() {
                match &mut failure {
                    None => failure = outside(line),
                    Some(failure) => failure.read(line),
                }
            }
            out.extend(failure.map(Failure::end));
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for part in std::mem::take(&mut self.blocks) {
            if let Part::Failure(failure, _) = part {
                self.tell(failure, out);
            }
        }
    }
}

impl Rspec {
    fn tell(&mut self, failure: Failure, out: &mut Vec<Diagnostic>) {
        if self.told.len() < NAMES_LIMIT {
            self.told.insert(failure.name.clone());
        }
        out.push(failure.end());
    }
}

impl Failure {
    fn new(name: &str) -> Self {
        Self { name: name.trim_end().strip_suffix(" FIXED").unwrap_or(name).to_owned(), ..Self::default() }
    }

    fn read(&mut self, line: &str) {
        push_line(&mut self.text, line);
        if self.place.is_none()
            && let Some((file, at)) = line.trim_start().strip_prefix("# ").and_then(frame)
        {
            self.place = Some((file.to_owned(), at));
        }
    }

    fn end(self) -> Diagnostic {
        let (file, line) = match self.place {
            Some((file, line)) => (Some(file), Some(line)),
            None => (self.file, None),
        };
        Diagnostic {
            file,
            line: line.and_then(line_number),
            raw: raw(&self.text),
            ..failed_test("rspec", self.name, message(&self.text))
        }
    }
}

/// The exception, or the first paragraph of what was expected.
fn message(text: &str) -> String {
    let mut paragraphs = Vec::new();
    let mut lines = text.lines().skip_while(|line| !line.contains("Failure/Error:")).peekable();
    let source = lines.next().unwrap_or_default().trim();
    let mut paragraph = String::new();
    while let Some(line) = lines.next() {
        let body = line.trim();
        if body.starts_with("# ") {
            break;
        }
        // `ArgumentError:` with its message below.
        if let Some(class) = body.strip_suffix(':').filter(|class| is_constant(class)) {
            let rest: Vec<&str> = lines.take_while(|line| !line.trim().is_empty() && !is_place(line)).collect();
            return described(class, &rest.join(" "));
        }
        if body.is_empty() {
            paragraphs.push(std::mem::take(&mut paragraph));
        } else {
            push_line(&mut paragraph, body);
        }
    }
    paragraphs.push(paragraph);
    // The first one is the rest of the source, unless nothing follows.
    let said = paragraphs.iter().skip(1).chain(paragraphs.first()).find(|said| !said.is_empty());
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let source = source.strip_prefix("Failure/Error: ").unwrap_or(first);
    one_line(said.map_or(source, String::as_str))
}

fn described(class: &str, message: &str) -> String {
    let is_expectation = class.starts_with("RSpec::Expectations::");
    one_line(&if is_expectation || class.is_empty() { message.to_owned() } else { format!("{class}: {message}") })
}

fn is_constant(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, ':' | '_'))
}

fn is_place(line: &str) -> bool {
    line.trim_start().starts_with("# ")
}

/// `  1) Calc adds`.
fn heading(text: &str) -> Option<&str> {
    let (digits, name) = text.strip_prefix("  ")?.trim_start().split_once(") ")?;
    let indent = text.len() - text.trim_start().len();
    (indent <= 4 && number(digits).is_some()).then_some(name)
}

/// `An error occurred while loading ./spec/a_spec.rb.`, ``An error occurred in an `after(:context)` hook.``
fn outside(text: &str) -> Option<Failure> {
    let rest = text.strip_prefix("An error occurred ")?;
    if let Some(file) = rest.strip_prefix("while loading ") {
        let file = file.split(" - Did you mean").next()?.trim_end().trim_end_matches('.');
        return Some(Failure { name: file.to_owned(), file: Some(file.to_owned()), ..Failure::default() });
    }
    let hook = rest.strip_prefix("in an ")?.trim_end().strip_suffix(" hook.")?;
    Some(Failure { name: format!("{} hook", hook.trim_matches('`')), ..Failure::default() })
}

/// Whether a line ends what is said of an error outside of examples.
fn ends_error(text: &str) -> bool {
    text.starts_with("Finished in ")
        || text.starts_with("An error occurred ")
        || text.starts_with("Randomized with seed ")
        || ["Failures:", "Pending:", "Failed examples:"].iter().any(|it| text.starts_with(it))
}

/// `rspec ./spec/a_spec.rb:2 # Calc adds`, `rspec './spec/a_spec.rb[1:2]' # Calc adds`.
fn listed(text: &str) -> Option<(String, (String, u32))> {
    let (at, name) = text.strip_prefix("rspec ")?.split_once(" # ")?;
    let at = at.trim().trim_matches('\'');
    let (file, line) = match at.split_once('[') {
        Some((file, _)) => (file, 0),
        None => at.rsplit_once(':').and_then(|(file, line)| Some((file, number(line)?)))?,
    };
    let name = name.trim();
    Some((name.strip_suffix(" FIXED").unwrap_or(name).to_owned(), (file.to_owned(), line)))
}

/// ``./spec/a_spec.rb:3:in `block'``, if it is the project's own.
fn frame(text: &str) -> Option<(&str, u32)> {
    let (at, _) = text.split_once(":in ").unwrap_or((text, ""));
    let (file, line) = at.rsplit_once(':')?;
    let line = number(line.trim_end())?;
    let is_library = ["/gems/", "rubygems", "/lib/ruby/", "/bin/rspec", "/bin/bundle", "/usr/"];
    (!file.starts_with(['<', '(']) && !is_library.iter().any(|part| file.contains(part))).then_some((file, line))
}
