//! A Go program's last words: `panic: …` or `fatal error: …`, and the stacks of its goroutines
//! (<https://pkg.go.dev/runtime#hdr-Environment_Variables>, `GOTRACEBACK`).

use crate::parsers::text::{bounded, number, push_line};

/// Places that are remembered of all stacks.
const FRAMES_LIMIT: usize = 2000;
/// Tests that a timeout lists.
const RUNNING_LIMIT: usize = 1000;
/// Bytes of the message.
const MESSAGE_LIMIT: usize = 4 << 10;

/// One panic, line by line.
pub(in crate::parsers) struct Panic {
    pub message: String,
    pub text: String,
    /// The test that the tool says it belongs to.
    test: Option<String>,
    /// Whether the testing package saw it pass: then it reported the test that panicked before.
    recovered: bool,
    running: Vec<String>,
    stage: Stage,
    goroutines: u32,
    function: String,
    frames: Vec<Frame>,
}

#[derive(PartialEq)]
enum Stage {
    Message,
    Running,
    Stacks,
}

struct Frame {
    goroutine: u32,
    function: String,
    file: String,
    line: u32,
}

impl Panic {
    /// From its first line.
    pub fn begin(test: Option<&str>, text: &str) -> Option<Self> {
        let message = text.strip_prefix("panic: ").or_else(|| text.starts_with("fatal error: ").then_some(text))?;
        let (message, recovered) = match message.split_once(" [recovered") {
            Some((message, _)) => (message, true),
            None => (message, false),
        };
        let mut panic = Self {
            message: bounded(message, MESSAGE_LIMIT).to_owned(),
            text: String::new(),
            test: test.map(str::to_owned),
            recovered,
            running: Vec::new(),
            stage: Stage::Message,
            goroutines: 0,
            function: String::new(),
            frames: Vec::new(),
        };
        push_line(&mut panic.text, text);
        Some(panic)
    }

    /// A later line; false if it is none of the panic's.
    pub fn read(&mut self, text: &str) -> bool {
        if ["--- ", "=== ", "FAIL\t", "ok  \t", "panic: "].iter().any(|start| text.starts_with(start)) {
            return false;
        }
        push_line(&mut self.text, text);
        if text.starts_with("goroutine ") && text.ends_with(':') {
            self.stage = Stage::Stacks;
            self.goroutines += 1;
            return true;
        }
        match self.stage {
            Stage::Message if text == "\trunning tests:" => self.stage = Stage::Running,
            Stage::Message if text.starts_with("\tpanic: ") => self.recovered = true,
            Stage::Message if text.contains(" [recovered") => self.recovered = true,
            Stage::Message => {
                let is_short = self.message.len() < MESSAGE_LIMIT;
                if is_short && !text.is_empty() && !text.starts_with("[signal ") {
                    self.message.push('\n');
                    self.message.push_str(bounded(text, MESSAGE_LIMIT));
                }
            }
            Stage::Running => {
                if let Some((test, _)) = text.strip_prefix("\t\t").and_then(|test| test.rsplit_once(" ("))
                    && self.running.len() < RUNNING_LIMIT
                {
                    self.running.push(test.to_owned());
                }
            }
            Stage::Stacks => self.in_stack(text),
        }
        true
    }

    fn in_stack(&mut self, text: &str) {
        let Some(place) = text.strip_prefix('\t') else {
            self.function = bounded(text, 512).to_owned();
            return;
        };
        let place = place.split_once(" +0x").map_or(place, |(place, _)| place);
        if let Some((file, line)) = place.rsplit_once(':')
            && let Some(line) = number(line)
            && self.frames.len() < FRAMES_LIMIT
        {
            let function = std::mem::take(&mut self.function);
            self.frames.push(Frame { goroutine: self.goroutines, function, file: file.to_owned(), line });
        }
    }

    /// Whether a stack followed: programs print words like these for other reasons, too.
    pub fn is_real(&self) -> bool {
        self.goroutines > 0
    }

    /// The tests that it ended, of which `failed` were reported.
    pub fn blamed(&self, failed: &[String]) -> Vec<String> {
        if !self.running.is_empty() {
            return self.running.clone();
        }
        if let Some(test) = self.too_late() {
            return vec![test];
        }
        let root = |test: &str| test.split('/').next().unwrap_or(test).to_owned();
        let named = self.test.clone().or_else(|| self.named_in_stack());
        if self.recovered || named.is_none() {
            // Parents are reported before their subtests.
            let reported = |test: &&String| named.as_deref().is_none_or(|named| root(named) == root(test));
            let last = failed.iter().filter(|test| self.recovered && reported(test)).max_by_key(|test| depth(test));
            if let Some(test) = last.or(failed.last().filter(|_| self.recovered)) {
                return vec![test.clone()];
            }
        }
        named.into_iter().collect()
    }

    /// The test that said something after its end: `Log in goroutine after TestName has completed: …`.
    fn too_late(&self) -> Option<String> {
        let (_, rest) = self.message.split_once(" in goroutine after ")?;
        let (test, _) = rest.split_once(" has completed")?;
        (!test.contains(char::is_whitespace)).then(|| test.to_owned())
    }

    /// Whether it ended a test binary, as far as the stacks tell.
    pub fn is_of_tests(&self) -> bool {
        self.frames.iter().any(|frame| frame.file.ends_with("testing/testing.go"))
    }

    /// The test function that the first stack came from.
    fn named_in_stack(&self) -> Option<String> {
        let first = self.frames.iter().filter(|frame| frame.goroutine == 1);
        first.filter(|frame| self.is_own(frame)).find_map(|frame| test_function(&frame.function))
    }

    /// The innermost place in the project's own files; for a test that ran out of time, in the stack that runs it.
    pub fn place(&self, test: Option<&str>) -> Option<(&str, u32)> {
        let mut own = self.frames.iter().filter(|frame| self.is_own(frame));
        let frame = if self.running.is_empty() {
            own.find(|frame| frame.goroutine == 1 && !frame.function.starts_with("created by "))
                .or_else(|| self.frames.iter().find(|frame| frame.goroutine == 1 && self.is_own(frame)))
        } else {
            let name = test?.split('/').next()?;
            let in_test = |frame: &&Frame| test_function(&frame.function).as_deref() == Some(name);
            let goroutine = own.rfind(in_test)?.goroutine;
            self.frames.iter().find(|frame| frame.goroutine == goroutine && self.is_own(frame))
        };
        frame.map(|frame| (frame.file.as_str(), frame.line))
    }

    fn is_own(&self, frame: &Frame) -> bool {
        is_own(&frame.file, library(self.frames.iter().map(|frame| frame.file.as_str())))
    }
}

/// Where the standard library is, as far as the files of a stack tell: every test's has the testing package in it.
pub(in crate::parsers) fn library<'a>(mut files: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    files.find_map(|file| file.strip_suffix("testing/testing.go"))
}

/// Whether a file in a stack is the project's own.
pub(in crate::parsers) fn is_own(file: &str, library: Option<&str>) -> bool {
    if file == "_testmain.go" || file.contains("/pkg/mod/") || file.contains("/vendor/") || file.contains('@') {
        return false;
    }
    match library {
        // With -trimpath a module's files begin with its name, which has a dot; the library's do not.
        Some("") => file.split('/').next().is_some_and(|first| first.contains('.')),
        Some(library) => !file.starts_with(library),
        None => !file.contains("/go/src/runtime/") && !file.contains("/src/testing/"),
    }
}

fn depth(test: &str) -> usize {
    test.matches('/').count()
}

/// `TestName` out of `example.com/module/package.TestName.func1(0x1)`.
pub(in crate::parsers) fn test_function(function: &str) -> Option<String> {
    let function = function.strip_prefix("created by ").unwrap_or(function);
    let last = function.rsplit('/').find(|part| part.contains('.')).unwrap_or(function);
    let mut parts = last.split(['.', '(']);
    parts
        .find(|part| ["Test", "Fuzz", "Example", "Benchmark"].iter().any(|start| part.starts_with(start)))
        .map(|part| part.split(' ').next().unwrap_or(part).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_functions_are_found_in_stacks() {
        let names = [
            ("example.com/shop/calc.TestDiv(0xc000)", Some("TestDiv")),
            ("example.com/shop/calc.TestDiv.func1()", Some("TestDiv")),
            ("created by example.com/shop/calc.TestDiv in goroutine 6", Some("TestDiv")),
            ("shop.FuzzDiv.func1.2({0x1, 0x2})", Some("FuzzDiv")),
            ("example.com/shop/calc.Div(...)", None),
            ("", None),
        ];
        for (function, name) in names {
            assert_eq!(test_function(function).as_deref(), name, "{function}");
        }
    }

    #[test]
    fn the_test_that_was_reported_last_is_blamed_for_what_was_recovered() {
        let mut panic = Panic::begin(None, "panic: boom [recovered]").unwrap();
        for line in ["\tpanic: boom", "", "goroutine 7 [running]:", "shop.TestB.func1()", "\t/src/b_test.go:9 +0x1"] {
            assert!(panic.read(line), "{line}");
        }
        assert!(panic.is_real());
        assert_eq!(panic.message, "boom");
        let failed = ["TestA", "TestB", "TestB/sub"].map(str::to_owned);
        assert_eq!(panic.blamed(&failed), ["TestB/sub"]);
        assert_eq!(panic.place(None), Some(("/src/b_test.go", 9)));
        assert!(!panic.read("FAIL\tshop\t0.1s"));
    }

    #[test]
    fn words_without_a_stack_are_no_panic() {
        let mut panic = Panic::begin(None, "panic: said a test").unwrap();
        assert!(panic.read("and went on"));
        assert!(!panic.read("--- PASS: TestA (0.00s)"));
        assert!(!panic.is_real());
    }
}
