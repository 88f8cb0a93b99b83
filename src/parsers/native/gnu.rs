//! The GNU form `file:line:column: severity: message [code]`, as gcc, clang, bison, `shellcheck -f gcc`, assemblers,
//! make and many more print it (<https://www.gnu.org/prep/standards/html_node/Errors.html>), with the excerpt of the
//! source and the notes below it. What linkers say beside it is read in `ld.rs`.
//!
//! Files whose tools have a parser of their own are left to it.

use super::{edg, ld};
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, push_line, raw, slug};
use crate::parsers::{Parser, Verdict};

/// Files whose diagnostics in this form are read by other parsers.
const OTHERS: &[&str] = &["py", "pyi", "pyw", "ipynb", "rs", "java", "kt", "kts"];

/// What gcc and clang compile.
const C_FAMILY: &[&str] = &[
    "c", "cc", "cp", "cpp", "cxx", "c++", "C", "h", "hh", "hpp", "hxx", "h++", "H", "inc", "inl", "ipp", "tcc", "tpp",
    "m", "mm", "cu", "cuh",
];

/// Files without an extension that diagnostics are about.
const NAMES: &[&str] = &["Makefile", "makefile", "GNUmakefile", "Kbuild", "Kconfig", "Dockerfile", "Containerfile"];

/// Ends of a host's name: `db.example.com:5432: error: …` is about a port.
const HOSTS: &[&str] = &["com", "org", "net", "io", "dev", "local", "localdomain", "internal", "lan", "cluster"];

/// What clang-format calls a place that it would change.
const FORMAT: &str = "-Wclang-format-violations";

/// Lines below a diagnostic that are read as its excerpt and notes.
const BLOCK_LINES: u32 = 400;

/// Reads both streams, each with a diagnostic of its own in the making.
#[derive(Default)]
pub(in crate::parsers) struct Gnu {
    blocks: [Option<Block>; 2],
}

/// A diagnostic, and what stands below it.
struct Block {
    found: Diagnostic,
    text: String,
    lines: u32,
    /// A line that is part of it if carets or more of it stand below.
    source: Option<String>,
    excerpt: Option<Excerpt>,
}

/// How the source is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Excerpt {
    /// `    9 | source`.
    Numbered,
    /// The line alone, with carets below.
    Plain,
}

/// What a line in this form says.
struct Message<'a> {
    place: Place<'a>,
    level: Level,
    text: &'a str,
}

struct Place<'a> {
    file: &'a str,
    line: u32,
    column: Option<u32>,
    end_line: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Note,
    /// cppcheck's.
    Style,
    /// cppcheck's.
    Performance,
    /// The undefined behaviour sanitizer's.
    Runtime,
}

impl Parser for Gnu {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            ": error: ",
            ": warning: ",
            ": note: ",
            ": fatal error: ",
            ": internal compiler error: ",
            ": Error: ",
            ": Warning: ",
            ": style: ",
            ": performance: ",
            ": portability: ",
            ": runtime error: ",
            ": undefined reference to ",
            ": multiple definition of ",
            ": cannot find -l",
            ": relocation ",
            "): error",
            "): warning",
            "): fatal error",
            ", referenced from:",
            " not found for -",
            ": framework not found ",
            ": file not recognized",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = line.side();
        let text = line.text;
        if let Some(message) = message(text) {
            let (message_text, code) = split_code(message.text);
            // shellcheck's notes are findings; those of compilers have no code.
            let is_finding = match message.level {
                Level::Error | Level::Warning => true,
                Level::Note => code.is_some_and(is_shellcheck),
                Level::Style | Level::Performance => code.is_some_and(is_cppcheck),
                Level::Runtime => is_c(message.place.file),
            };
            if is_finding {
                self.end(side, out);
                let found = found(&message, message_text, code, text);
                self.blocks[side] =
                    Some(Block { found, text: format!("{text}\n"), lines: 0, source: None, excerpt: None });
                return Verdict::Open;
            }
        } else if let Some(found) = ld::read(text) {
            self.end(side, out);
            self.blocks[side] = Some(Block { found, text: format!("{text}\n"), lines: 0, source: None, excerpt: None });
            return Verdict::Open;
        } else if let Some(found) = edg::read(text) {
            self.end(side, out);
            out.push(Diagnostic { raw: raw(text), ..found });
            return Verdict::Idle;
        }
        if let Some(block) = &mut self.blocks[side]
            && block.read(text)
        {
            return Verdict::Open;
        }
        self.end(side, out);
        Verdict::Idle
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in 0..self.blocks.len() {
            self.end(side, out);
        }
    }
}

impl Gnu {
    fn end(&mut self, side: usize, out: &mut Vec<Diagnostic>) {
        let Some(Block { mut found, text, excerpt, .. }) = self.blocks[side].take() else { return };
        if found.tool == "gnu" && found.file.as_deref().is_some_and(is_c) {
            found.tool = compiler(&text, &found.code, excerpt).into();
        }
        found.raw = raw(&text);
        out.push(found);
    }
}

impl Block {
    /// Reads the next line; false if it is not part of the block.
    fn read(&mut self, line: &str) -> bool {
        self.lines += 1;
        if self.lines > BLOCK_LINES {
            return false;
        }
        if self.found.tool == "ld" {
            return self.read_linked(line);
        }
        let source = self.source.take();
        if is_carets(line) {
            if source.is_some() {
                self.excerpt.get_or_insert(Excerpt::Plain);
            }
        } else if is_gutter(line) {
            self.excerpt.get_or_insert(Excerpt::Numbered);
        } else if message(line).is_none() {
            // The line below tells whether this one is an excerpt.
            if source.is_some() || line.is_empty() {
                return false;
            }
            self.source = Some(line.to_owned());
            return true;
        }
        if let Some(source) = source {
            push_line(&mut self.text, &source);
        }
        push_line(&mut self.text, line);
        true
    }
}

impl Block {
    /// `>>> referenced by a.cpp:3 (/src/a.cpp:3)`, which lld prints below what it says.
    fn read_linked(&mut self, line: &str) -> bool {
        let Some(rest) = line.strip_prefix(">>> ") else { return false };
        let at = ["referenced by ", "defined at "].iter().find_map(|words| rest.strip_prefix(words));
        if let (None, Some(at)) = (&self.found.file, at) {
            let (short, full) = at.trim_end_matches(')').split_once(" (").unwrap_or((at, at));
            if let Some((file, line, _)) = place(full).or_else(|| place(short)).filter(|(file, ..)| is_file(file)) {
                self.found.file = Some(file.to_owned());
                self.found.line = line_number(line);
            }
        }
        push_line(&mut self.text, line);
        true
    }
}

/// `file:line:column: severity: message` at the margin.
fn message(text: &str) -> Option<Message<'_>> {
    let (at, rest) = text.split_once(": ")?;
    let (level, text) = level(rest)?;
    Some(Message { place: file_place(at)?, level, text: text.trim_end() }).filter(|message| !message.text.is_empty())
}

fn level(text: &str) -> Option<(Level, &str)> {
    let (name, rest) = text.split_once(": ")?;
    let level = match name {
        "error" | "Error" | "fatal error" | "internal compiler error" => Level::Error,
        "warning" | "Warning" => Level::Warning,
        "note" => Level::Note,
        "style" => Level::Style,
        "performance" | "portability" => Level::Performance,
        "runtime error" => Level::Runtime,
        _ => return None,
    };
    Some((level, rest))
}

/// `file:1`, `file:1:2`, `file:1.2`, `file:1.2-3`, `file:1.2-3.4`, `file:1-3`, if it can be a file that is read here.
fn file_place(at: &str) -> Option<Place<'_>> {
    let found = match place(at) {
        Some((file, line, column)) => Place { file, line, column, end_line: None },
        None => range(at)?,
    };
    if !is_file(found.file) {
        return None;
    }
    let extension = extension(found.file).unwrap_or_default();
    let elsewhere = OTHERS.contains(&extension)
        // Go's logger has no columns; cgo has.
        || (found.column.is_none() && (extension == "go" || HOSTS.contains(&extension)));
    (!elsewhere).then_some(found)
}

fn range(at: &str) -> Option<Place<'_>> {
    let (file, range) = at.rsplit_once(':')?;
    let (start, end) = range.split_once('-').map_or((range, None), |(start, end)| (start, Some(end)));
    let (line, column) = match start.split_once('.') {
        Some((line, column)) => (number(line)?, Some(number(column)?)),
        None => (number(start)?, None),
    };
    let end_line = match end.map(|end| (end, end.split_once('.'))) {
        None => None,
        Some((_, Some((end_line, end_column)))) => {
            number(end_column)?;
            Some(number(end_line)?)
        }
        // Behind a column it is a column of the same line.
        Some((end, None)) => number(end).map(|end| if column.is_some() { line } else { end }),
    };
    Some(Place { file, line, column, end_line: end_line.and_then(line_number) })
}

/// Whether this can name a file, and not a time, a host, a program, or what a logger prints first.
pub(super) fn is_file(file: &str) -> bool {
    let drive = matches!(file.as_bytes(), [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    let rest = if drive { &file[2..] } else { file };
    let rooted = drive || ["/", "./", "../"].iter().any(|start| file.starts_with(start));
    let odd = |c: char| c == ':' || c == '"' || c.is_control() || (c.is_whitespace() && !(rooted && c == ' '));
    !rest.contains(odd)
        && !rest.starts_with(['[', '(', '<', '-', '@'])
        && (extension(file).is_some() || NAMES.contains(&file_name(file)))
}

pub(super) fn file_name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

/// What stands behind the last dot of the name, if it begins with a letter.
pub(super) fn extension(file: &str) -> Option<&str> {
    let (_, extension) = file_name(file).rsplit_once('.')?;
    extension.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(extension)
}

/// Splits off `[-Wname]`, `[SC2086]`, `[some.rule]`. Several names stand with commas between them.
pub(in crate::parsers) fn split_code(text: &str) -> (&str, Option<&str>) {
    let Some((message, names)) = text.strip_suffix(']').and_then(|text| text.rsplit_once(" [")) else {
        return (text, None);
    };
    let is_name = |name: &str| {
        name.len() > 2
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.=+/#*<>".contains(&byte))
    };
    if message.trim().is_empty() || !names.split(',').all(is_name) {
        return (text, None);
    }
    let code = names.split(',').find(|name| !["-Werror", "-warnings-as-errors"].contains(name));
    (message.trim_end(), code)
}

fn is_shellcheck(code: &str) -> bool {
    code.strip_prefix("SC").is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_c(file: &str) -> bool {
    extension(file).is_some_and(|it| C_FAMILY.contains(&it))
}

/// `bugprone-assignment-in-if-condition`.
fn is_clang_tidy(code: &str) -> bool {
    code.contains('-') && !code.starts_with('-')
}

/// `nullPointer`, `uninitvar`.
fn is_cppcheck(code: &str) -> bool {
    code.starts_with(|c: char| c.is_ascii_lowercase())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn found(message: &Message<'_>, text: &str, code: Option<&str>, line: &str) -> Diagnostic {
    let Place { file, line: line_at, column, end_line } = message.place;
    let severity = match message.level {
        Level::Error | Level::Runtime => Severity::Error,
        Level::Warning | Level::Performance => Severity::Warn,
        Level::Note | Level::Style => Severity::Info,
    };
    let (tool, severity) = match code {
        Some(code) if is_shellcheck(code) => ("shellcheck", severity),
        Some(FORMAT) => ("clang-format", Severity::Warn),
        Some(code) if is_c(file) && is_clang_tidy(code) => ("clang-tidy", severity),
        Some(code) if is_c(file) && is_cppcheck(code) => ("cppcheck", severity),
        None if message.level == Level::Runtime => ("ubsan", severity),
        _ if file.ends_with(".swift") => ("swiftc", severity),
        _ => ("gnu", severity),
    };
    // What follows are values.
    let named = if message.level == Level::Runtime { text.split(": ").next().unwrap_or(text) } else { text };
    Diagnostic {
        file: Some(file.to_owned()),
        line: line_number(line_at),
        column: column.and_then(line_number),
        end_line,
        raw: raw(line),
        ..Diagnostic::new(
            tool,
            Kind::Lint,
            severity,
            code.map_or_else(|| unnamed(named, severity), name),
            one_line(text),
        )
    }
}

/// A warning has the same name when it is made an error.
fn name(code: &str) -> String {
    if code == FORMAT {
        return "unformatted".to_owned();
    }
    code.strip_prefix("-Werror=").map_or_else(|| code.to_owned(), |name| format!("-W{name}"))
}

/// A name for a message without one: its words outside of quotation marks.
pub(in crate::parsers) fn unnamed(message: &str, severity: Severity) -> String {
    // `header.h: No such file or directory` names the file first.
    let message = message.split_once(": ").filter(|(first, _)| !first.contains(' ')).map_or(message, |(_, rest)| rest);
    let mut words = String::new();
    let mut closing: Option<char> = None;
    let mut before = ' ';
    let mut chars = message.chars().peekable();
    while let Some(c) = chars.next() {
        let in_word = before.is_alphanumeric() && chars.peek().is_some_and(|next| next.is_alphanumeric());
        before = c;
        match closing {
            Some(end) => {
                if c == end && !in_word {
                    closing = None;
                    words.push(' ');
                }
            }
            None => match c {
                '‘' => closing = Some('’'),
                '`' => closing = Some(if message.contains('\'') { '\'' } else { '`' }),
                '\'' | '"' if !in_word => closing = Some(c),
                _ => words.push(c),
            },
        }
    }
    let name = slug(&words);
    if name.is_empty() { severity.as_str().to_owned() } else { name }
}

/// Which of the two C compilers it was. Both have the same options; gcc has numbered its excerpts since version 9.
fn compiler(text: &str, code: &str, excerpt: Option<Excerpt>) -> &'static str {
    let header = text.lines().next().unwrap_or_default();
    if header.contains("[-Werror,") {
        "clang"
    } else if header.contains('‘') || header.contains("[-Werror=") {
        "gcc"
    } else {
        match excerpt {
            Some(Excerpt::Numbered) => "gcc",
            Some(Excerpt::Plain) => "clang",
            None if code.starts_with("-W") => "gcc",
            None => "gnu",
        }
    }
}

/// Carets and tildes below a line of source.
fn is_carets(line: &str) -> bool {
    line.contains('^') && line.bytes().all(|byte| b" \t^~".contains(&byte))
}

/// `   11 | source`, `      |  ^~~`.
fn is_gutter(line: &str) -> bool {
    line.starts_with(' ') && line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(" |")
        || line.trim_start().starts_with("| ") && line.starts_with("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_lines_are_nobodys_finding() {
        for line in [
            "12:30:45: error: x",
            "2026-01-02 12:30:45: error: x",
            "2026-01-02T12:30:45: error: x",
            "[12:30:45: warning: x",
            "Jan  5 12:30:45: error: x",
            "http://h:80: error: x",
            "http://example.com/a.html:80: error: x",
            "db.example.com:5432: error: connection refused",
            "localhost:80: error: x",
            "10.0.0.1:80: error: x",
            "2026/01/02 12:30:45 main.go:23: error: x",
            "main.go:23: error: logged",
            "INFO server.cc:42: error: timeout",
            "src/lib.rs:1:2: error: someone else's",
            "a.py:1: error: someone else's  [arg-type]",
            "error: linking failed",
            "configure: error: no acceptable C compiler",
            "python -m pytest: error: unrecognized arguments",
            "collect2: error: ld returned 1 exit status",
            "make: *** [Makefile:3: app] Error 1",
            "\tat com.example.Foo.bar(Foo.java:12): error: x",
            "warning: native@0.1.0: src/x.c:3:5: warning: unused variable [-Wunused-variable]",
            "thread 'x' panicked at src/lib.rs:1:2",
            "   src/x.c:1:2: error: indented",
            "a.c: error: no place",
            "a.c:1:2: error: ",
            ": error: x",
            ":1: error: x",
            "a.c:1:2: error:x",
        ] {
            assert!(message(line).is_none(), "{line}");
            assert!(ld::read(line).is_none(), "{line}");
        }
    }

    #[test]
    fn places() {
        for (line, expected) in [
            ("a.c:3: error: x", ("a.c", 3, None, None)),
            ("a.c:3:5: error: x", ("a.c", 3, Some(5), None)),
            ("g.y:3.5: error: x", ("g.y", 3, Some(5), None)),
            ("g.y:3.5-9: error: x", ("g.y", 3, Some(5), Some(3))),
            ("g.y:3.5-4.9: error: x", ("g.y", 3, Some(5), Some(4))),
            ("g.y:3-4: error: x", ("g.y", 3, None, Some(4))),
            ("C:\\My Code\\a.c:3:5: error: x", ("C:\\My Code\\a.c", 3, Some(5), None)),
            ("/home/me/My Code/a.c:3:5: error: x", ("/home/me/My Code/a.c", 3, Some(5), None)),
            ("lib/Makefile:3: warning: x", ("lib/Makefile", 3, None, None)),
            ("cgo.go:3:11: fatal error: x", ("cgo.go", 3, Some(11), None)),
        ] {
            let Place { file, line: at, column, end_line } = message(line).unwrap().place;
            assert_eq!((file, at, column, end_line), expected, "{line}");
        }
    }

    #[test]
    fn codes() {
        for (text, message, code) in [
            ("unused [-Wunused-variable]", "unused", Some("-Wunused-variable")),
            ("unused [-Werror,-Wunused-variable]", "unused", Some("-Wunused-variable")),
            ("odd [-Werror]", "odd", None),
            ("leak [CWE-401] [-Wanalyzer-malloc-leak]", "leak [CWE-401]", Some("-Wanalyzer-malloc-leak")),
            ("quote [SC2086]", "quote", Some("SC2086")),
            ("wrong type int [5]", "wrong type int [5]", None),
            ("none of [a b]", "none of [a b]", None),
        ] {
            assert_eq!(split_code(text), (message, code), "{text}");
        }
        assert_eq!(name("-Werror=format="), "-Wformat=");
    }

    #[test]
    fn names_leave_out_what_is_quoted() {
        for (message, name) in [
            ("‘y’ undeclared (first use in this function)", "undeclared_first_use_in_this_function"),
            ("'y' isn't declared", "isnt_declared"),
            ("no such instruction: `foo bar'", "no_such_instruction"),
            ("no_such.h: No such file or directory", "no_such_file_or_directory"),
            ("'it'", "error"),
        ] {
            assert_eq!(unnamed(message, Severity::Error), name);
        }
    }
}
