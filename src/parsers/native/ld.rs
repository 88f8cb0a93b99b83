//! What linkers say of symbols and libraries: GNU ld and gold (<https://sourceware.org/binutils/docs/ld/>), LLVM's lld
//! (<https://lld.llvm.org/>) and Apple's.

use super::gnu::{extension, file_name, is_file, unnamed};
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::text::{line_number, number, one_line, raw, slug};

/// A line of a linker's.
pub(super) fn read(text: &str) -> Option<Diagnostic> {
    of_symbol(text).or_else(|| of_itself(text))
}

/// A library that is not there, or a symbol: ``a.c:(.text+0x9): undefined reference to `f'``, with a line where the object
/// has debugging information.
fn of_symbol(text: &str) -> Option<Diagnostic> {
    const SAYINGS: [(&str, &str); 4] = [
        (": undefined reference to symbol ", "undefined_reference"),
        (": undefined reference to ", "undefined_reference"),
        (": multiple definition of ", "multiple_definition"),
        (": relocation truncated to fit: ", "relocation_truncated"),
    ];
    if let Some((program, library)) = text.split_once(": cannot find -l") {
        let name = library.split([':', ' ']).next().filter(|name| !name.is_empty() && is_linker(program))?;
        return Some(unlinked(format!("missing_library:{name}"), &format!("cannot find -l{library}"), None, text));
    }
    let (at, code, symbol) = SAYINGS.iter().find_map(|(words, code)| {
        let at = text.find(words)?;
        let rest = &text[at + words.len()..];
        let quoted = if *code == "relocation_truncated" { &rest[rest.find('`')?..] } else { rest };
        Some((at, *code, quoted.strip_prefix(['`', '\'', '‘'])?))
    })?;
    let symbol = symbol.split(['\'', '’']).next()?;
    let (program, place) = text[..at].split_once(": ").unwrap_or(("ld", &text[..at]));
    if symbol.is_empty() || !is_linker(program) {
        return None;
    }
    let (file, line) = place.rsplit_once(':').unwrap_or((place, "("));
    let is_object = ["o", "a", "so"].contains(&extension(file).unwrap_or_default());
    if number(line).is_none() && !line.starts_with('(') || (!place.contains(':') && !is_object) {
        return None;
    }
    // `a.o:a.c:(.text+0x0)`: the source is the last of them; an object is no place to look at.
    let drive = file.get(1..3).is_some_and(|start| start == ":\\" || start == ":/");
    let file = if drive { file } else { file.rsplit(':').next().unwrap_or(file) };
    let is_source = is_file(file) && !["o", "obj", "a", "so"].contains(&extension(file).unwrap_or_default());
    // Where it was defined first may be a temporary file.
    let message = text[at + 2..].split("; ").next().unwrap_or_default();
    // Without a line nothing else tells two symbols apart.
    Some(unlinked(format!("{code}:{symbol}"), message, is_source.then(|| (file, number(line))), text))
}

/// What a linker says of itself: `ld.lld: error: undefined symbol: f`, `/usr/bin/ld: a.o: relocation R_X86_64_32 against
/// …`, Apple's `  "_f", referenced from:` and `ld: library not found for -lf`.
fn of_itself(text: &str) -> Option<Diagnostic> {
    if let Some(symbol) = text.strip_suffix(", referenced from:").and_then(|text| text.strip_prefix("  ")) {
        let symbol = symbol.trim().trim_matches('"');
        let is_symbol = !symbol.is_empty() && symbol.len() < 4096;
        let message = format!("undefined symbol: {symbol}");
        return is_symbol.then(|| unlinked(format!("undefined_symbol:{symbol}"), &message, None, text));
    }
    let (program, rest) = text.split_once(": ")?;
    if program.contains(' ') || !is_linker(program) {
        return None;
    }
    for (word, severity) in [("error: ", Severity::Error), ("warning: ", Severity::Warn)] {
        let Some(message) = rest.strip_prefix(word).filter(|it| !it.is_empty()) else { continue };
        // What stands behind the colon is all that tells two of them apart.
        let symbols = ["undefined symbol: ", "undefined hidden symbol: ", "duplicate symbol: "];
        let code = match symbols.iter().find_map(|words| Some((*words, message.split_once(words)?.1))) {
            Some((words, symbol)) => format!("{}:{symbol}", slug(words)),
            None => unnamed(message, severity),
        };
        return Some(Diagnostic { severity, ..unlinked(code, message, None, text) });
    }
    let (object, says) = rest.split_once(": ").unwrap_or(("", rest));
    let code = if says.starts_with("relocation ") && says.contains(" can not be used ") {
        format!("relocation:{}", file_name(object))
    } else if says.starts_with("file not recognized") {
        format!("file_not_recognized:{}", file_name(object))
    } else {
        let name = ["library not found for -l", "library '", "framework not found ", "framework '"]
            .iter()
            .find_map(|words| rest.strip_prefix(words))
            .filter(|_| rest.contains("not found"))?;
        format!("missing_library:{}", name.split(['\'', ' ']).next().unwrap_or(name))
    };
    Some(unlinked(code, rest, None, text))
}

/// `ld`, `/usr/bin/ld.bfd`, `aarch64-linux-gnu-ld`, `ld.lld-15`, `ld64.lld`, `wasm-ld`, `lld-link`.
fn is_linker(program: &str) -> bool {
    file_name(program).split(['-', '.']).any(|part| ["ld", "lld", "ld64"].contains(&part))
}

fn unlinked(code: String, message: &str, place: Option<(&str, Option<u32>)>, line: &str) -> Diagnostic {
    Diagnostic {
        file: place.map(|(file, _)| file.to_owned()),
        line: place.and_then(|(_, line)| line).and_then(line_number),
        raw: raw(line),
        ..Diagnostic::new("ld", Kind::Lint, Severity::Error, code, one_line(message))
    }
}
