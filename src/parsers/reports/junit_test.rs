//! A failed test out of JUnit XML: which tool wrote it, what that tool calls the test where it prints it, and where it
//! failed. The names agree with those that the log's parsers give, so that a test told twice is one finding.

use super::junit::{Case, Suite};
use crate::model::{Diagnostic, Stream};
use crate::parsers::Parser;
use crate::parsers::go::go_test::GoTest;
use crate::parsers::line::Line;
use crate::parsers::python::pytest_text::{same_file, traceback_place};
use crate::parsers::rust::rust_panic::Panic;
use crate::parsers::text::{failed_test, line_number, one_line, place, raw};

/// What the outermost suite is called by whom.
const WRITERS: [(&str, &str); 7] = [
    ("pytest", "pytest"),
    ("jest tests", "jest"),
    ("vitest tests", "vitest"),
    ("Mocha Tests", "mocha"),
    ("nextest-run", "cargo nextest"),
    ("rspec", "rspec"),
    ("AllTests", "googletest"),
];
/// The macros of Catch2, which it gives as the type of a failure.
const CATCH2: [&str; 10] = [
    "CHECK",
    "REQUIRE",
    "CHECK_THAT",
    "REQUIRE_THAT",
    "CHECK_FALSE",
    "REQUIRE_FALSE",
    "CHECK_THROWS_AS",
    "REQUIRE_THROWS_AS",
    "FAIL",
    "TEST_CASE",
];
/// What Node's own runner gives as the type of a failure.
const NODE: [&str; 6] = [
    "testCodeFailure",
    "hookFailed",
    "testTimeoutFailure",
    "uncaughtException",
    "multipleCreateDone",
    "callbackAndPromisePresent",
];
/// Languages of the JVM: their stacks name a file without its folder.
const JVM: [&str; 4] = [".java", ".kt", ".scala", ".groovy"];
/// Messages that say nothing which the element's name does not.
const EMPTY_MESSAGES: [&str; 4] = ["Failed", "failed", "Test failed", "unknown file"];
/// The same where more may follow.
const EMPTY_STARTS: [&str; 7] = [
    "collection failure",
    "test setup failure",
    "test teardown failure",
    "failed on setup with",
    "failed on teardown with",
    "test failure with exit code",
    "test abort",
];
/// What runners print around a test's own words.
const FRAMES: [&str; 8] = ["=== ", "--- ", "***", "Running main()", "Note: ", "[===", "[---", "[ RUN"];
/// Parts of paths that are not the project's.
const LIBRARIES: [&str; 10] = [
    "node_modules/",
    "node:",
    "internal/",
    "site-packages/",
    "dist-packages/",
    "/lib/python",
    "/rustc/",
    ".cargo/registry/",
    "vendor/",
    "/gems/",
];

/// The finding of a case that failed.
pub(in crate::parsers) fn failed(case: &Case, suites: &[Suite]) -> Diagnostic {
    let text = case.failures.iter().map(|failure| failure.text.as_str()).collect::<Vec<_>>().join("\n");
    let text = if text.trim().is_empty() { case.output.as_str() } else { text.as_str() };
    let tool = tool(case, suites, text);
    let (code, at, message) = match tool {
        "pytest" => pytest(case, text),
        "node test" => {
            // The error is wrapped in one of the runner's own.
            let text = text.split_once("cause: ").map_or(text, |(_, cause)| cause);
            let outer = suites.iter().skip(1).map(|suite| format!("{} > ", suite.name)).collect::<String>();
            (outer + case.name.trim(), at(tool, case, suites, text), None)
        }
        "go test" => go(case, suites, text),
        "playwright" => {
            // The log names the project before the title.
            let project = text.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("] › "));
            let name = case.name.trim();
            let code = project.map_or_else(|| name.to_owned(), |(project, _)| format!("[{project}] › {name}"));
            (code, at(tool, case, suites, text), None)
        }
        _ => (code(tool, case), at(tool, case, suites, text), None),
    };
    let message = message.unwrap_or_else(|| message_of(tool, case, &code, text));
    let (file, line, column) = match at {
        Some((file, line, column)) => (Some(file), line, column),
        None => (case.file.clone(), case.line, case.column),
    };
    Diagnostic {
        file: file.map(|file| match file.strip_prefix("file://") {
            Some(path) => path.to_owned(),
            None => file,
        }),
        line,
        column,
        raw: raw(if text.trim().is_empty() { &case.failures[0].message } else { text }),
        ..failed_test(tool, code, one_line(&message))
    }
}

/// Whether the text begins as Playwright's: `[chromium] › tests/a.spec.ts:4:3 › suite › title`.
fn is_playwright(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let rest = first.strip_prefix('[').and_then(|rest| rest.split_once("] › ")).map_or(first, |(_, rest)| rest);
    rest.split_once(" › ")
        .and_then(|(at, _)| place(at))
        .is_some_and(|(file, ..)| crate::parsers::javascript::js_stack::is_script(file))
}

fn tool(case: &Case, suites: &[Suite], text: &str) -> &'static str {
    let named = suites.iter().find_map(|suite| {
        let name = |writer: &str| suite.name == writer || (writer == "rspec" && suite.name.starts_with("rspec"));
        WRITERS.iter().find(|(writer, _)| name(writer)).map(|(_, tool)| *tool)
    });
    if let Some(tool) = named {
        return tool;
    }
    if is_playwright(text) {
        return "playwright";
    }
    let kind = case.failures[0].kind.as_str();
    if NODE.contains(&kind) {
        return "node test";
    }
    let is_go = ["Test", "Example", "Fuzz", "Benchmark"].iter().any(|start| case.name.starts_with(start));
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    if is_go && (text.contains("--- FAIL: ") || case.failures[0].message.trim() == "Failed") {
        "go test"
    } else if case.class.is_some() {
        "phpunit"
    } else if case.result.is_some() {
        "googletest"
    } else if CATCH2.contains(&kind) {
        "catch2"
    } else if case.status.as_deref() == Some("fail") {
        "ctest"
    } else if !last.starts_with(' ') && traceback_place(last).is_some_and(|(file, ..)| file.ends_with(".py")) {
        "pytest"
    } else if text.contains("Traceback (most recent call last):") {
        "unittest"
    } else {
        "junit"
    }
}

/// The test's name as the tool prints it.
fn code(tool: &str, case: &Case) -> String {
    let (class, name) = (case.classname.trim(), case.name.trim());
    if let Some(class) = &case.class {
        let code = format!("{class}::{name}");
        // PHPUnit prints the values of a data set, too.
        let printed = case.failures[0].text.lines().next().filter(|line| line.starts_with(&code));
        return printed.map_or(code, |line| line.trim_end().to_owned());
    }
    let is_whole = matches!(tool, "jest" | "vitest" | "cargo nextest" | "rspec" | "ctest" | "catch2")
        || class.is_empty()
        || name.starts_with(class)
        || name.ends_with(class)
        || name == class
        || class.ends_with(name);
    match (name.is_empty(), is_whole) {
        (true, _) => class.to_owned(),
        (_, true) => name.to_owned(),
        _ if tool == "mocha" || class.contains(' ') => format!("{class} {name}"),
        _ => format!("{class}.{name}"),
    }
}

type At = (String, Option<u32>, Option<u32>);

/// pytest's node id, place and message.
fn pytest(case: &Case, text: &str) -> (String, Option<At>, Option<String>) {
    // A module that could not be collected has its dotted name, and no class.
    let dotted = if case.classname.is_empty() { &case.name } else { &case.classname };
    let parts: Vec<&str> = dotted.split('.').filter(|part| !matches!(*part, "" | "()")).collect();
    let mut places = Vec::new();
    let (mut said, mut message, mut in_exception) = (None, None, false);
    for line in text.lines() {
        match line.strip_prefix('E').filter(|rest| rest.starts_with(' ') || rest.is_empty()) {
            Some(rest) => {
                if let Some((file, line, _)) = traceback_place(line) {
                    said = Some((file.to_owned(), line));
                } else if !in_exception
                    || message.as_ref().is_some_and(|message: &String| message.starts_with("File \""))
                {
                    message = Some(rest.trim().to_owned());
                }
                in_exception = true;
            }
            None => {
                in_exception = false;
                places.extend(traceback_place(line).map(|(file, line, _)| (file.to_owned(), line)));
            }
        }
    }
    // The module is as much of the dotted name as some place's path spells.
    let spelled = |file: &str| {
        let stem = file.strip_suffix(".py")?;
        let names: Vec<&str> = stem.split(['/', '\\']).filter(|name| !matches!(*name, "" | "." | "..")).collect();
        (1..=names.len().min(parts.len())).rev().find_map(|length| {
            let tail = &names[names.len() - length..];
            (0..=parts.len() - length).rev().find(|at| parts[*at..*at + length] == *tail).map(|at| at + length)
        })
    };
    let by_place =
        places.iter().chain(&said).filter_map(|(file, _)| Some((spelled(file)?, file))).max_by_key(|(end, _)| *end);
    let by_attribute = case.file.as_ref().and_then(|file| Some((spelled(file)?, file)));
    let guessed = parts
        .iter()
        .position(|part| part.starts_with(|c: char| c.is_ascii_uppercase()))
        .filter(|_| !case.classname.is_empty())
        .unwrap_or(parts.len());
    let (end, file) = match (by_attribute, by_place) {
        (_, Some((end, file))) if end >= guessed && !file.starts_with('/') => (end, file.clone()),
        (Some((end, file)), _) => (end, file.clone()),
        _ => (guessed, format!("{}.py", parts[..guessed].join("/"))),
    };
    let code = match case.classname.is_empty() {
        true => file.clone(),
        false => {
            let classes = parts[end..].iter().map(|class| format!("{class}::")).collect::<String>();
            format!("{file}::{classes}{}", case.name)
        }
    };
    let said = said.filter(|_| case.classname.is_empty());
    let line = said.iter().chain(places.iter().rev()).find(|(printed, _)| same_file(printed, &file));
    let line = line.and_then(|(_, line)| line_number(*line));
    (code, Some((file, line, None)), message)
}

/// What `go test` says of the test: the text is what it printed.
fn go(case: &Case, suites: &[Suite], text: &str) -> (String, Option<At>, Option<String>) {
    let package = suites.last().map_or("", |suite| suite.name.as_str());
    if case.classname.is_empty() && case.name == "TestMain" {
        // The package could not be built, or its tests could not be begun.
        return (package.to_owned(), None, None);
    }
    let code = code("go test", case);
    let mut parser = GoTest::default();
    let mut found = Vec::new();
    let end = format!("FAIL\t{package}\t0.001s");
    for text in text.lines().chain([end.as_str()]) {
        parser.line(&Line { text, stream: Stream::Stdout, before: &[] }, &mut found);
    }
    parser.finish(&mut found);
    match found.into_iter().find(|one| one.code.ends_with(&case.name)) {
        Some(found) => {
            let at = found.file.map(|file| (file, found.line, found.column));
            (code, at, Some(found.message))
        }
        None => (code, at("go test", case, suites, text), None),
    }
}

/// Where the test failed.
fn at(tool: &str, case: &Case, suites: &[Suite], text: &str) -> Option<At> {
    if tool == "cargo nextest" || text.contains(" panicked at ") {
        return first_panic(text)
            .and_then(|panic| panic.place().cloned())
            .map(|(file, line, column)| (file, line_number(line), column.and_then(line_number)));
    }
    let hint = case.file.as_deref().or_else(|| suites.iter().rev().find_map(|suite| suite.file.as_deref()));
    let class_file = case.classname.rsplit('.').next().and_then(|class| class.split('$').next()).unwrap_or_default();
    let of_test = |file: &str| match hint {
        Some(hint) => same_file(file, hint),
        None => case.classname == file || (!class_file.is_empty() && stem(file) == class_file),
    };
    let frames: Vec<(&str, u32, Option<u32>)> = text.lines().take(500).filter_map(frame).collect();
    let own = |frame: &&(&str, u32, Option<u32>)| !LIBRARIES.iter().any(|library| frame.0.contains(library));
    let mut own_frames = frames.iter().filter(own);
    let found = match tool {
        // Python's innermost frame is the last one, everybody else's the first.
        "unittest" => own_frames.next_back(),
        _ => own_frames
            .clone()
            .find(|frame| of_test(frame.0))
            .or_else(|| own_frames.find(|frame| !JVM.iter().any(|end| frame.0.ends_with(end)))),
    };
    match (found, hint) {
        (Some((file, line, column)), _) => Some(((*file).to_owned(), line_number(*line), column.and_then(line_number))),
        (None, Some(hint)) => Some((hint.to_owned(), case.line, None)),
        (None, None) if tool == "vitest" => Some((case.classname.clone(), None, None)),
        (None, None) => None,
    }
}

fn first_panic(text: &str) -> Option<Panic> {
    let mut panic: Option<Panic> = None;
    for line in text.lines() {
        match &mut panic {
            Some(panic) => {
                if !panic.read(line) {
                    break;
                }
            }
            None => panic = Panic::begin(line),
        }
    }
    panic
}

fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

/// The place in a line of a stack, of a runner's report, or of a test's own words.
fn frame(line: &str) -> Option<(&str, u32, Option<u32>)> {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix("File \"") {
        let (file, rest) = rest.split_once("\", line ")?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        return Some((file, crate::parsers::text::number(&rest[..digits])?, None));
    }
    // .NET: `at Shop.CartTests.Total() in /src/CartTests.cs:line 12`
    if let Some((file, line)) = line.strip_prefix("at ").and_then(|at| at.rsplit_once(" in ")?.1.split_once(":line ")) {
        return Some((file, crate::parsers::text::number(line)?, None));
    }
    let body = ["at ", "❯ ", "# ", "in "].iter().find_map(|start| line.strip_prefix(start)).unwrap_or(line);
    let inner = match body.strip_suffix(')') {
        Some(rest) => rest.rsplit_once('(').map_or(body, |(_, inner)| inner),
        None => body,
    };
    let until = [": ", ":in ", " - "].iter().filter_map(|end| inner.find(end)).min().unwrap_or(inner.len());
    let inner = inner[..until].trim_end_matches(':');
    // `❯ function src/a.ts:1:2`
    let inner = match line.starts_with("❯ ") {
        true => inner.rsplit(' ').next().unwrap_or(inner),
        false => inner,
    };
    let (file, line, column) = place(inner)?;
    let file = file.strip_prefix("file://").unwrap_or(file);
    let is_file = file.rsplit(['/', '\\']).next().is_some_and(|name| name.contains('.') && !name.ends_with('.'));
    (is_file && !file.contains(['"', '(', '\''])).then_some((file, line, column))
}

/// The first line that says something, of the message or of the text.
fn message_of(tool: &str, case: &Case, code: &str, text: &str) -> String {
    let message = case.failures[0].message.as_str();
    if (tool == "cargo nextest" || message.trim().is_empty())
        && let Some(panic) = first_panic(text).filter(|panic| !panic.message.is_empty())
    {
        return panic.message;
    }
    let says_nothing = |line: &str| {
        line.is_empty()
            || EMPTY_MESSAGES.contains(&line)
            || (!code.is_empty() && line.starts_with(code))
            || EMPTY_STARTS.iter().any(|empty| line.starts_with(empty))
            || FRAMES.iter().any(|frame| line.starts_with(frame))
            || place(line).is_some_and(|(file, ..)| !file.contains(' '))
    };
    let mut lines = message.lines().chain(text.lines()).map(str::trim).filter(|line| !says_nothing(line));
    let first = lines.next().unwrap_or_else(|| message.trim());
    match first.split_once(": ") {
        // `a_test.go:12: message`
        Some((at, message)) if place(at).is_some() => message.to_owned(),
        _ if first.ends_with(':') => format!("{first} {}", lines.next().unwrap_or_default()),
        _ => first.to_owned(),
    }
}
