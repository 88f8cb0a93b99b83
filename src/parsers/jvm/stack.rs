//! Failed tests of the Java virtual machine: an exception with its stack trace, as `Throwable.printStackTrace` writes
//! it (<https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/Throwable.html#printStackTrace()>).

use crate::model::Diagnostic;
use crate::parsers::text::{failed_test, line_number, number, one_line, push_line, raw};

/// Where classes are nobody's own.
const LIBRARIES: &[&str] = &[
    "java.",
    "javax.",
    "jdk.",
    "sun.",
    "com.sun.",
    "junit.",
    "org.junit.",
    "org.hamcrest.",
    "org.assertj.",
    "org.mockito.",
    "org.opentest4j.",
    "org.testng.",
    "org.scalatest.",
    "org.spockframework.",
    "org.codehaus.groovy.",
    "org.apache.groovy.",
    "groovy.",
    "kotlin.",
    "kotlinx.",
    "scala.",
    "io.mockk.",
    "io.kotest.",
    "org.gradle.",
    "worker.org.gradle.",
    "org.apache.maven.",
    "org.springframework.",
    "com.google.common.truth.",
    "net.bytebuddy.",
    "reactor.",
];

/// Bytes of an exception's message.
const MESSAGE_LIMIT: usize = 2 << 10;

/// A failed test in the making.
pub(in crate::parsers) struct Failure {
    name: String,
    /// The class of the test without its package.
    class: String,
    in_test: Option<(String, u32)>,
    own: Option<(String, u32)>,
    message: String,
    in_trace: bool,
    text: String,
}

impl Failure {
    /// `name` is the test's full name, `class` that of its class.
    pub fn new(name: String, class: &str, head: &str) -> Self {
        let class = class.rsplit('.').next().unwrap_or(class);
        let class = class.split(['$', '(', '[']).next().unwrap_or(class).to_owned();
        let (message, text) = (String::new(), format!("{head}\n"));
        Self { name, class, in_test: None, own: None, message, in_trace: false, text }
    }

    /// Reads a line of the exception.
    pub fn read(&mut self, line: &str) {
        push_line(&mut self.text, line);
        let body = line.trim();
        if let Some((class, place)) = body.strip_prefix("at ").and_then(frame) {
            self.in_trace = true;
            let simple = class.rsplit('.').nth(1).unwrap_or(class).split('$').next().unwrap_or(class);
            // Kotlin's top-level functions are in a class of the file's name.
            if simple == self.class && self.in_test.is_none() {
                self.in_test = Some(place);
            } else if self.own.is_none() && !LIBRARIES.iter().any(|library| class.starts_with(library)) {
                self.own = Some(place);
            }
        } else if body.starts_with("at ") || body.starts_with("Caused by: ") || body.starts_with("... ") {
            self.in_trace = true;
        } else if !self.in_trace && self.message.len() < MESSAGE_LIMIT {
            // Gradle's short form has the place behind the exception.
            let (message, place) = match body.rsplit_once(" at ") {
                Some((message, at)) if source(at).is_some() => (message, source(at)),
                _ => (body, None),
            };
            if self.in_test.is_none() {
                self.in_test = place;
            }
            self.message.push_str(message);
            self.message.push('\n');
        }
    }

    /// The finding.
    pub fn end(self, tool: &'static str) -> Diagnostic {
        let place = self.in_test.or(self.own);
        Diagnostic {
            file: place.as_ref().map(|(file, _)| file.clone()),
            line: place.and_then(|(_, line)| line_number(line)),
            raw: raw(&self.text),
            ..failed_test(tool, self.name, one_line(&self.message))
        }
    }
}

/// `com.example.CalcTest.adds(CalcTest.java:5)`, with the method's full name.
fn frame(text: &str) -> Option<(&str, (String, u32))> {
    let (method, rest) = text.split_once('(')?;
    let place = source(rest.split_once(')')?.0)?;
    // `java.base/`, `app//` stand before the class.
    Some((method.rsplit('/').next().unwrap_or(method), place))
}

/// `CalcTest.java:5`.
fn source(text: &str) -> Option<(String, u32)> {
    let (file, line) = text.rsplit_once(':')?;
    let is_source = [".java", ".kt", ".scala", ".groovy", ".clj"].iter().any(|end| file.ends_with(end));
    number(line).filter(|_| is_source && !file.contains(' ')).map(|line| (file.to_owned(), line))
}
