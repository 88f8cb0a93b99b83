//! PHPUnit, also below Laravel's and Symfony's runners: the numbered lists of errors and failures, and `--testdox`
//! (<https://docs.phpunit.de/en/12.0/textui.html>).

use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{failed_test, is_full, line_number, number, one_line, push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Bytes of a message.
const MESSAGE_LIMIT: usize = 2 << 10;

/// Reads a run on each stream.
#[derive(Default)]
pub(in crate::parsers) struct Phpunit {
    runs: [Run; 2],
}

#[derive(Default)]
struct Run {
    part: Part,
    /// The class whose tests `--testdox` lists.
    class: String,
}

#[derive(Default)]
enum Part {
    #[default]
    None,
    /// In a run, outside of lists.
    Running,
    /// In a list of errors or failures.
    List,
    /// In a list of what fails no test: risky tests, warnings, deprecations.
    Other,
    Failure(Failure),
    /// A failure of `--testdox`, between vertical lines.
    Testdox(Failure),
}

struct Failure {
    name: String,
    message: String,
    places: Vec<(String, u32)>,
    text: String,
}

impl Parser for Phpunit {
    fn triggers(&self) -> &'static [&'static str] {
        &["by Sebastian Bergmann", "There was 1 ", "There were "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let run = &mut self.runs[line.side()];
        run.part = run.read(line.text, out);
        match run.part {
            Part::None => Verdict::Idle,
            Part::Running | Part::List | Part::Other => Verdict::Open,
            Part::Failure(ref failure) | Part::Testdox(ref failure) if is_full(&failure.text) => Verdict::Open,
            Part::Failure(_) | Part::Testdox(_) => Verdict::Own,
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for run in &mut self.runs {
            if let Part::Failure(failure) | Part::Testdox(failure) = std::mem::take(&mut run.part) {
                out.push(failure.end());
            }
        }
    }
}

impl Run {
    fn read(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> Part {
        match std::mem::take(&mut self.part) {
            Part::Failure(mut failure) => {
                let next = heading(text).filter(|_| !failure.is_open());
                if next.is_none() && list(text).is_none() && !is_end(text) {
                    failure.read(text);
                    return Part::Failure(failure);
                }
                out.push(failure.end());
                if let Some(name) = next {
                    return Part::Failure(Failure::new(name, text));
                }
            }
            Part::Testdox(mut failure) => {
                if let Some(rest) = text.trim_start().strip_prefix(['│', '┐', '├', '┊', '┴']) {
                    failure.read(rest.trim_start());
                    return Part::Testdox(failure);
                }
                out.push(failure.end());
            }
            Part::None if !text.contains("by Sebastian Bergmann") && list(text).is_none() => return Part::None,
            Part::List => match heading(text) {
                Some(name) => return Part::Failure(Failure::new(name, text)),
                None if list(text).is_none() && !is_end(text) => return Part::List,
                None => {}
            },
            Part::Other if list(text).is_none() && !is_end(text) => return Part::Other,
            Part::None | Part::Running | Part::Other => {}
        }
        if let Some(is_failures) = list(text) {
            return if is_failures { Part::List } else { Part::Other };
        }
        if is_end(text) && text != "--" {
            return Part::None;
        }
        if let Some(name) = text.strip_prefix(" ✘ ") {
            let name = name.rsplit_once(" [").filter(|(_, time)| time.ends_with(" ms]")).map_or(name, |(name, _)| name);
            return Part::Testdox(Failure::new(&format!("{}::{}", self.class, name.trim()), text));
        }
        if text.starts_with(char::is_alphabetic) {
            self.class = text.split(" (").next().unwrap_or(text).trim().to_owned();
        }
        Part::Running
    }
}

impl Failure {
    fn new(name: &str, text: &str) -> Self {
        Self { name: one_line(name), message: String::new(), places: Vec::new(), text: format!("{text}\n") }
    }

    /// Whether its message is still to come: it may hold a numbered list.
    fn is_open(&self) -> bool {
        self.message.is_empty()
    }

    fn read(&mut self, line: &str) {
        push_line(&mut self.text, line);
        if let Some((file, at)) = line.rsplit_once(':')
            && let Some(at) = number(at.trim_end())
            && file.ends_with(".php")
            && !file.contains(' ')
        {
            if self.places.len() < 100 {
                self.places.push((file.to_owned(), at));
            }
        } else if self.places.is_empty() && self.message.len() < MESSAGE_LIMIT && !line.starts_with("--- Expected") {
            self.message.push_str(line);
            self.message.push('\n');
        }
    }

    fn end(self) -> Diagnostic {
        let class = self.name.split("::").next().unwrap_or_default().rsplit('\\').next().unwrap_or_default();
        let own = format!("{class}.php");
        let is_own = |file: &str| file.rsplit(['/', '\\']).next() == Some(own.as_str());
        let in_test = self.places.iter().find(|(file, _)| is_own(file));
        let place = in_test.or_else(|| self.places.iter().find(|(file, _)| !file.contains("/vendor/")));
        Diagnostic {
            file: place.map(|(file, _)| file.clone()),
            line: place.and_then(|(_, line)| line_number(*line)),
            raw: raw(&self.text),
            ..failed_test("phpunit", self.name.clone(), one_line(&self.message))
        }
    }
}

/// `There was 1 failure:`, `There were 2 errors:`: whether it lists failed tests; none if it heads no list.
fn list(text: &str) -> Option<bool> {
    let rest = text.strip_prefix("There was ").or(text.strip_prefix("There were "))?.strip_suffix(':')?;
    let (count, what) = rest.split_once(' ')?;
    number(count)?;
    match what {
        "failure" | "failures" | "error" | "errors" | "PHPUnit error" | "PHPUnit errors" => Some(true),
        _ => what
            .split(' ')
            .next()
            .filter(|word| {
                ["risky", "warning", "warnings", "PHPUnit", "PHP", "notice", "deprecation", "skipped", "incomplete"]
                    .iter()
                    .any(|start| word.starts_with(start))
            })
            .map(|_| false),
    }
}

/// `1) CalcTest::testAdd with data set #0 (1, 2)`.
fn heading(text: &str) -> Option<&str> {
    let (digits, name) = text.split_once(") ")?;
    number(digits)?;
    let is_test = name.contains("::") || name.ends_with(".phpt") || name.starts_with("Warning") || !name.contains(' ');
    is_test.then_some(name)
}

/// Whether a line ends a list.
fn is_end(text: &str) -> bool {
    text == "--"
        || ["FAILURES!", "ERRORS!", "WARNINGS!", "Tests: ", "OK (", "OK, but ", "Generating code coverage"]
            .iter()
            .any(|start| text.starts_with(start))
}
