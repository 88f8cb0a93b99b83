//! Names for rustc's diagnostics where the compiler gives none.
//!
//! rustc names a lint only the first time it fires in a crate, and many errors have no code at all
//! (<https://doc.rust-lang.org/rustc/lints/listing/index.html>, <https://doc.rust-lang.org/error_codes/>).

use crate::parsers::text::{number, slug};

/// How the messages of the lints that are on by default read, with quoted names left out.
const LINTS: &[(&str, &str)] = &[
    ("unused variable: ", "unused_variables"),
    ("unused variables: ", "unused_variables"),
    ("unused import: ", "unused_imports"),
    ("unused imports: ", "unused_imports"),
    ("the item `` is imported redundantly", "redundant_imports"),
    ("unused macro definition: ", "unused_macros"),
    ("unused doc comment", "unused_doc_comments"),
    ("unused attribute", "unused_attributes"),
    ("unused label", "unused_labels"),
    ("unused return value of ", "unused_must_use"),
    ("unused `` that must be used", "unused_must_use"),
    ("unused `` in ", "unused_must_use"),
    ("unused comparison that must be used", "unused_must_use"),
    ("unused arithmetic operation that must be used", "unused_must_use"),
    ("unused implementer of ", "unused_must_use"),
    ("unused borrow that must be used", "unused_must_use"),
    ("unused closure that must be used", "unused_must_use"),
    ("unnecessary parentheses around ", "unused_parens"),
    ("unnecessary braces around ", "unused_braces"),
    ("unnecessary `` block", "unused_unsafe"),
    ("unnecessary qualification", "unused_qualifications"),
    ("unnecessary trailing semicolon", "redundant_semicolons"),
    ("variable does not need to be mutable", "unused_mut"),
    ("value assigned to `` is never read", "unused_assignments"),
    ("variable `` is assigned to, but never used", "unused_variables"),
    ("unreachable statement", "unreachable_code"),
    ("unreachable expression", "unreachable_code"),
    ("unreachable call", "unreachable_code"),
    ("unreachable pattern", "unreachable_patterns"),
    ("use of deprecated ", "deprecated"),
    ("missing documentation for ", "missing_docs"),
    ("function cannot return without recursing", "unconditional_recursion"),
    ("type `` should have an upper camel case name", "non_camel_case_types"),
    ("unexpected `` condition ", "unexpected_cfgs"),
    ("this operation will panic at runtime", "unconditional_panic"),
    ("this arithmetic operation will overflow", "arithmetic_overflow"),
    ("literal out of range for ", "overflowing_literals"),
    ("irrefutable `` pattern", "irrefutable_let_patterns"),
    ("trait objects without an explicit `` are deprecated", "bare_trait_objects"),
    ("elided lifetime has a name", "elided_named_lifetimes"),
    ("unresolved link to ", "rustdoc::broken_intra_doc_links"),
    ("hidden lifetime parameters in types are deprecated", "elided_lifetimes_in_paths"),
];

/// The same by how they end.
const LINT_ENDINGS: &[(&str, &str)] = &[
    ("is never used", "dead_code"),
    ("are never used", "dead_code"),
    ("is never constructed", "dead_code"),
    ("are never constructed", "dead_code"),
    ("is never read", "dead_code"),
    ("are never read", "dead_code"),
    ("should have a snake case name", "non_snake_case"),
    ("should have an upper case name", "non_upper_case_globals"),
    ("should have an upper camel case name", "non_camel_case_types"),
];

/// How messages of the lexer and the parser begin.
const SYNTAX: &[&str] = &[
    "expected ",
    "unexpected ",
    "unknown start of token",
    "mismatched closing delimiter",
    "this file contains an unclosed delimiter",
    "unterminated ",
    "unknown prefix",
    "missing `fn`",
    "leading `+` is not supported",
    "comparison operators cannot be chained",
    "invalid suffix ",
    "`<` is interpreted as",
];

/// How what cargo says itself begins, and a name for it. It gives no place, or one in a manifest.
const CARGO: &[(&str, &str)] = &[
    ("failed to parse manifest", "manifest"),
    ("failed to load manifest", "manifest"),
    ("could not find `Cargo.toml`", "manifest"),
    ("unused manifest key", "manifest"),
    ("no targets specified in the manifest", "manifest"),
    ("no matching package", "dependency"),
    ("failed to select a version", "dependency"),
    ("failed to get ", "dependency"),
    ("failed to resolve", "dependency"),
    ("failed to download", "dependency"),
    ("failed to load source for", "dependency"),
    ("failed to fetch ", "dependency"),
    ("failed to verify the checksum", "dependency"),
    ("cyclic package dependency", "dependency"),
    ("unable to get packages from source", "dependency"),
    ("failed to parse lock file", "lockfile"),
    ("the lock file ", "lockfile"),
    ("cannot update the lock file", "lockfile"),
    ("failed to run custom build command", "build_script"),
    ("no test target ", "target"),
    ("no bin target ", "target"),
    ("no example target ", "target"),
    ("no bench target ", "target"),
    ("no library targets found", "target"),
    ("package ID specification ", "target"),
    ("could not execute process", "process"),
    ("toolchain '", "toolchain"),
    ("package `", "package"),
    ("Package `", "package"),
];

/// The name of what cargo says itself.
pub(in crate::parsers) fn cargo_name(message: &str) -> Option<&'static str> {
    CARGO.iter().find(|(start, _)| message.starts_with(start)).map(|(_, name)| *name)
}

/// The manifest that cargo's message names.
pub(in crate::parsers) fn manifest_of(message: &str) -> Option<String> {
    message.split('`').skip(1).step_by(2).find(|quoted| quoted.ends_with("/Cargo.toml")).map(str::to_owned)
}

/// `at line 7 column 9`, `at line 7, column 9`: where in the manifest, if that is told in words.
pub(in crate::parsers) fn position(message: &str) -> Option<(u32, u32)> {
    let (line, rest) = message.split_once(" at line ")?.1.split_once(" column ")?;
    let column = rest.bytes().take_while(u8::is_ascii_digit).count();
    Some((number(line.trim_end_matches(','))?, number(&rest[..column])?))
}

/// Whether the compiler itself broke.
pub(in crate::parsers) fn is_crash(message: &str) -> bool {
    message.starts_with("internal compiler error") || message.starts_with("the compiler unexpectedly panicked")
}

/// A message with the quoted parts emptied: the same for every place that the diagnostic fires at.
pub(in crate::parsers) fn shape(message: &str) -> String {
    let mut shape = String::with_capacity(message.len());
    for (index, part) in message.split('`').enumerate() {
        if index > 0 {
            shape.push('`');
        }
        if index % 2 == 0 {
            shape.push_str(part);
        }
    }
    shape
}

/// The stable name of a diagnostic that the compiler gave no code.
pub(in crate::parsers) fn unnamed(message: &str, is_error: bool) -> String {
    if is_error && SYNTAX.iter().any(|start| message.starts_with(start)) {
        return "syntax".to_owned();
    }
    if is_error && message.starts_with("linking with ") {
        return "linker".to_owned();
    }
    if is_crash(message) {
        return "internal_compiler_error".to_owned();
    }
    let shape = shape(message);
    let by_start = LINTS.iter().find(|(start, _)| shape.starts_with(start));
    let by_end = || LINT_ENDINGS.iter().find(|(end, _)| shape.ends_with(end));
    if let Some((_, name)) = by_start.or_else(by_end) {
        return (*name).to_owned();
    }
    match slug(message) {
        name if !name.is_empty() => name,
        _ if is_error => "error".to_owned(),
        _ => "warning".to_owned(),
    }
}

/// The tool that a code belongs to.
pub(in crate::parsers) fn tool(code: &str) -> &'static str {
    match code.split_once("::") {
        Some(("clippy", _)) => "clippy",
        Some(("rustdoc", _)) => "rustdoc",
        _ => "rustc",
    }
}

/// Whether the message only counts or announces what was or will be said elsewhere.
pub(in crate::parsers) fn is_summary(message: &str) -> bool {
    message.starts_with("aborting due to ")
        || message.starts_with("could not compile ")
        || message.starts_with("could not document ")
        || message.starts_with("test failed, to rerun pass ")
        || message.starts_with("doctest failed, to rerun pass ")
        || message.starts_with("For more information about ")
        || message.starts_with("Some errors have detailed explanations")
        || message.starts_with("build failed, waiting for other jobs to finish")
        || (message.starts_with('`') && message.contains(" generated ") && message.contains(" warning"))
        || message.ends_with(" warning emitted")
        || message.ends_with(" warnings emitted")
}
