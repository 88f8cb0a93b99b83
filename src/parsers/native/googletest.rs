//! GoogleTest's text (<https://google.github.io/googletest/advanced.html#running-test-programs-advanced-options>).

use std::collections::HashSet;

use crate::model::Diagnostic;
use crate::parsers::Verdict;
use crate::parsers::text::{failed_test, is_full, line_number, number, one_line, push_line, raw};

/// Names remembered of what was told.
const NAMES_LIMIT: usize = 100_000;
/// Bytes of a message.
const MESSAGE_LIMIT: usize = 2 << 10;

/// Reads one stream.
#[derive(Default)]
pub(in crate::parsers) struct GoogleTest {
    /// The test that runs.
    name: Option<String>,
    failure: Option<Failure>,
    told: HashSet<String>,
}

/// The first failure of a test, and the text of all.
struct Failure {
    place: Option<(String, u32)>,
    message: String,
    is_first: bool,
    text: String,
}

impl GoogleTest {
    /// Reads a line.
    pub fn read(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        if let Some(name) = text.strip_prefix("[ RUN      ] ") {
            // The test before did not come to its end.
            self.finish(out);
            self.name = Some(name.trim().to_owned());
            return Verdict::Idle;
        }
        if let Some(rest) = text.strip_prefix("[  FAILED  ] ") {
            let name = without_details(rest.trim());
            let is_count = name.split(' ').next().is_some_and(|count| number(count).is_some());
            if !is_count && self.told.len() < NAMES_LIMIT && self.told.insert(name.to_owned()) {
                let failure = self.failure.take();
                out.push(found(name, failure, text));
            }
            self.name = None;
            return Verdict::Own;
        }
        if let Some(place) = head(text) {
            match &mut self.failure {
                Some(failure) => {
                    failure.is_first = false;
                    push_line(&mut failure.text, text);
                }
                None => {
                    let (message, text) = (String::new(), format!("{text}\n"));
                    self.failure = Some(Failure { place, message, is_first: true, text });
                }
            }
            return Verdict::Own;
        }
        let Some(failure) = &mut self.failure else { return Verdict::Idle };
        if text.starts_with("[       OK ]") || text.starts_with("[==========]") || text.starts_with("[----------]") {
            self.failure = None;
            return Verdict::Idle;
        }
        if failure.is_first && failure.message.len() < MESSAGE_LIMIT {
            failure.message.push_str(text);
            failure.message.push('\n');
        }
        push_line(&mut failure.text, text);
        if is_full(&failure.text) { Verdict::Open } else { Verdict::Own }
    }

    /// The end of the log, or of a test that crashed after a failure.
    pub fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        if let (Some(failure), Some(name)) = (self.failure.take(), self.name.take())
            && self.told.len() < NAMES_LIMIT
            && self.told.insert(name.clone())
        {
            out.push(found(&name, Some(failure), ""));
        }
    }
}

fn found(name: &str, failure: Option<Failure>, line: &str) -> Diagnostic {
    let Some(Failure { place, message, text, .. }) = failure else {
        return Diagnostic { raw: raw(line), ..failed_test("googletest", name, String::new()) };
    };
    Diagnostic {
        file: place.as_ref().map(|(file, _)| file.clone()),
        line: place.and_then(|(_, line)| line_number(line)),
        raw: raw(&text),
        ..failed_test("googletest", name, one_line(&message))
    }
}

/// `All/P.Is/1, where GetParam() = 2 (0 ms)`.
fn without_details(text: &str) -> &str {
    let text = text.split(", where ").next().unwrap_or(text);
    text.rsplit_once(" (").filter(|(_, time)| time.ends_with(" ms)")).map_or(text, |(name, _)| name)
}

/// `a.cc:4: Failure`, with Microsoft's compiler `a.cc(4): error: message`, `unknown file: Failure`.
fn head(text: &str) -> Option<Option<(String, u32)>> {
    if let Some(at) = text.strip_suffix(": Failure") {
        if at == "unknown file" {
            return Some(None);
        }
        let (file, line) = at.rsplit_once(':')?;
        return Some(Some((file.to_owned(), number(line)?)));
    }
    let (at, rest) = text.split_once("): error: ")?;
    let (file, line) = at.rsplit_once('(')?;
    let is_assertion = ["Expected", "Value of", "The difference", "Failed", "Death test"];
    is_assertion.iter().any(|start| rest.starts_with(start)).then_some(())?;
    Some(Some((file.to_owned(), number(line)?)))
}
