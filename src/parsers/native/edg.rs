//! The form `file(line): error: message` of compilers of C and C++ that name no code: nvcc and others with EDG's front end
//! (<https://docs.nvidia.com/cuda/cuda-compiler-driver-nvcc/>), clang with `-fdiagnostics-format=msvc`; and Boost.Test.

use super::gnu::{split_code, unnamed};
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::text::{failed_test, line_number, number, one_line};

/// `a.cu(3): error: identifier "x" is undefined`, `a.cu(3): warning #177-D: message`, `a.cpp(3,5): error: message [-Wname]`:
/// nvcc, Intel's compilers, and clang in this form.
pub(in crate::parsers) fn read(text: &str) -> Option<Diagnostic> {
    const SOURCES: [&str; 10] = ["c", "cc", "cpp", "cxx", "h", "hh", "hpp", "hxx", "cu", "cuh"];
    // An exception has no place.
    if let Some(rest) = text.strip_prefix("unknown location(0): fatal error: in \"") {
        let (test, message) = rest.split_once("\": ")?;
        return Some(failed_test("boost.test", test, one_line(message)));
    }
    let words = [
        ("): error", Severity::Error),
        ("): fatal error", Severity::Error),
        ("): catastrophic error", Severity::Error),
        ("): warning", Severity::Warn),
    ];
    let (at, rest, severity) = words.into_iter().find_map(|(word, severity)| {
        let (at, rest) = text.split_once(word)?;
        Some((at, rest, severity))
    })?;
    let (file, place) = at.rsplit_once('(')?;
    let extension = file.rsplit_once('.')?.1;
    if !SOURCES.contains(&extension) || file.contains(": ") {
        return None;
    }
    let mut numbers = place.split(',').map(number);
    let line = numbers.next()??;
    let column = numbers.next().flatten();
    let (code, message) = rest.split_once(": ")?;
    let (message, name) = split_code(message.trim());
    let code = code.trim();
    let is_number =
        code.strip_prefix('#').is_some_and(|code| code.trim_end_matches("-D").bytes().all(|it| it.is_ascii_digit()));
    if !(code.is_empty() || is_number) || message.is_empty() {
        return None;
    }
    // Boost.Test names the test so.
    if let Some((test, message)) = message.strip_prefix("in \"").and_then(|rest| rest.split_once("\": ")) {
        return Some(Diagnostic {
            file: Some(file.trim_start().to_owned()),
            line: line_number(line),
            ..failed_test("boost.test", test, one_line(message))
        });
    }
    let tool = match name {
        _ if extension.starts_with("cu") => "nvcc",
        Some(_) => "clang",
        None => "gnu",
    };
    let code = if is_number { Some(code) } else { name };
    Some(Diagnostic {
        file: Some(file.trim_start().to_owned()),
        line: line_number(line),
        column: column.and_then(line_number),
        ..Diagnostic::new(
            tool,
            Kind::Lint,
            severity,
            code.map_or_else(|| unnamed(message, severity), str::to_owned),
            one_line(message),
        )
    })
}
