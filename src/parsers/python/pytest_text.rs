//! The lines of pytest's report, one function each.

use crate::parsers::text::number;

/// The title in `==== title ====` and the width of the line in characters.
pub(in crate::parsers) fn section(line: &str) -> Option<(&str, usize)> {
    let line = line.trim_end();
    let inner = line.strip_prefix('=')?.strip_suffix('=')?;
    let title = inner.trim_matches('=');
    let title = title.strip_prefix(' ')?.strip_suffix(' ')?;
    (!title.is_empty()).then(|| (title, line.chars().count()))
}

/// The title in `____ title ____`, which pytest draws as wide as its section lines.
pub(in crate::parsers) fn heading(line: &str, width: usize) -> Option<&str> {
    let line = line.trim_end();
    if !line.starts_with('_') || !line.ends_with('_') {
        return None;
    }
    let length = line.chars().count();
    let left = line.bytes().take_while(|&byte| byte == b'_').count();
    let right = line.bytes().rev().take_while(|&byte| byte == b'_').count();
    let title = line.get(left..line.len() - right)?.strip_prefix(' ')?.strip_suffix(' ')?;
    // Old releases draw some a little narrower.
    let drawn = length == width || (left == 1 && length >= width) || title.starts_with("ERROR collecting ");
    // `_ _ _ _` parts the entries of one traceback.
    (drawn && !title.is_empty() && !title.starts_with("_ ")).then_some(title)
}

/// `---- Captured stdout call ----` and what other plugins report like it.
pub(in crate::parsers) fn is_captured(line: &str) -> bool {
    line.starts_with("---") && line.ends_with('-') && line.trim_matches('-').trim().starts_with("Captured ")
}

/// `=== 1 failed, 2 passed in 0.12s ===`, also without the rule, as `-q` prints it.
pub(in crate::parsers) fn is_totals(line: &str) -> bool {
    let inner = line.trim_matches('=').trim();
    let Some((counts, time)) = inner.rsplit_once(" in ") else { return false };
    let seconds = time.split([' ', 's']).next().unwrap_or_default();
    let timed = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let counted = counts.split(", ").all(|part| match part.split_once(' ') {
        Some((count, what)) => {
            number(count).is_some() && what.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' ')
        }
        None => false,
    });
    timed && (counted || counts == "no tests ran")
}

/// What a line of the short summary says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::parsers) struct Outcome {
    /// `ERROR`, not `FAILED`.
    pub is_error: bool,
    /// The description of a subtest, in brackets and parentheses.
    pub subtest: Option<String>,
    /// The node id, and the message if there is one.
    pub rest: String,
}

/// `FAILED node - message`, `ERROR node`, `SUBFAILED[message] (i=1) node - message`.
pub(in crate::parsers) fn outcome(line: &str) -> Option<Outcome> {
    if let Some(rest) = line.strip_prefix("FAILED ") {
        return Some(Outcome { is_error: false, subtest: None, rest: rest.to_owned() });
    }
    if let Some(rest) = line.strip_prefix("ERROR ") {
        return Some(Outcome { is_error: true, subtest: None, rest: rest.to_owned() });
    }
    let rest = line.strip_prefix("SUBFAILED").or(line.strip_prefix("SUBFAIL"))?;
    let (subtest, rest) = subtest(rest)?;
    Some(Outcome { is_error: false, subtest: Some(subtest.to_owned()), rest: rest.to_owned() })
}

/// Splits `[message] (i=1) node` into the description and the rest.
fn subtest(text: &str) -> Option<(&str, &str)> {
    // The node begins at the last word before the first `::` that follows a closing bracket and a space.
    let node = text.find(".py")?;
    let start = text[..node].rfind(' ')?;
    Some((text[..start].trim(), text[start + 1..].trim()))
}

/// Splits `node - message`. An id may hold ` - ` itself, within its brackets; `known` says whether a node is one that
/// was seen elsewhere.
pub(in crate::parsers) fn node_and_message(rest: &str, known: impl Fn(&str) -> bool) -> (&str, &str) {
    let rest = rest.trim_end();
    let splits = || rest.match_indices(" - ").map(|(at, dash)| (rest[..at].trim_end(), &rest[at + dash.len()..]));
    if let Some(split) = splits().chain([(rest, "")]).find(|(node, _)| known(node)) {
        return split;
    }
    let whole = |node: &str| match node.split_once("::").and_then(|(_, name)| name.find('[')) {
        None => true,
        Some(_) => node.ends_with(']') && node.matches('[').count() == node.matches(']').count(),
    };
    splits()
        .find(|(node, message)| whole(node) && is_message(message))
        .or_else(|| splits().find(|(node, message)| node.ends_with(']') && is_message(message)))
        .or_else(|| splits().find(|(node, _)| whole(node)))
        .or_else(|| splits().find(|(node, _)| node.ends_with(']')))
        .unwrap_or((rest, ""))
}

/// Whether a message begins the way most do: `assert …`, `pkg.SomeError: …`, `SomeError`.
fn is_message(text: &str) -> bool {
    let name = text.split([':', ' ']).next().unwrap_or_default();
    let last = name.rsplit('.').next().unwrap_or_default();
    text.starts_with("assert ")
        || text.starts_with("[XPASS(strict)]")
        || last.starts_with(|c: char| c.is_ascii_uppercase())
            && (name.len() == text.len() || text[name.len()..].starts_with(':'))
}

/// The node and whether it is an error, in the line of `-v` and in that of xdist.
pub(in crate::parsers) fn verbose(line: &str) -> Option<(&str, bool)> {
    if let Some(worker) = line.strip_prefix("[gw") {
        let (_, rest) = worker.split_once("] [")?;
        let (_, rest) = rest.split_once("%] ")?;
        let (outcome, node) = rest.split_once(' ')?;
        return match outcome {
            "FAILED" => Some((node.trim_end(), false)),
            "ERROR" => Some((node.trim_end(), true)),
            _ => None,
        };
    }
    let line = line.trim_end();
    let line = match line.rsplit_once('[') {
        Some((rest, percent)) if percent.trim_start().trim_end_matches(']').ends_with('%') => rest.trim_end(),
        _ => line,
    };
    let (node, is_error) = match line.strip_suffix(" FAILED") {
        Some(node) => (node, false),
        None => (line.strip_suffix(" ERROR")?, true),
    };
    let file = node.split_once("::")?.0;
    (file.ends_with(".py") && !file.contains(char::is_whitespace)).then(|| (node.trim_end(), is_error))
}

/// A place of a traceback: `tests/a.py:12: in test`, `tests/a.py:12: AssertionError`, `  File "a.py", line 12`.
/// The third part is what stands behind it.
pub(in crate::parsers) fn traceback_place(line: &str) -> Option<(&str, u32, &str)> {
    let body = line.strip_prefix("E  ").unwrap_or(line).trim_start();
    if let Some(rest) = body.strip_prefix("File \"") {
        let (file, rest) = rest.split_once("\", line ")?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        return Some((file, number(&rest[..digits])?, &rest[digits..]));
    }
    if line.starts_with([' ', '>', 'E']) && !line.starts_with("E:") {
        return None;
    }
    let mut from = 0;
    while let Some(at) = line[from..].find(':') {
        let at = from + at;
        let after = &line[at + 1..];
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && after[digits..].starts_with(':') {
            let file = &line[..at];
            let rest = after[digits + 1..].trim();
            return file.contains('.').then_some((file, number(&after[..digits])?, rest));
        }
        from = at + 1;
    }
    None
}

/// The title that pytest's failure section gives a node: `tests/a.py::K::m[p]` is headed `K.m[p]`.
pub(in crate::parsers) fn title_of(node: &str) -> String {
    let Some((_, name)) = node.split_once("::") else { return node.to_owned() };
    let (path, parameters) = name.find('[').map_or((name, ""), |at| name.split_at(at));
    format!("{}{parameters}", path.replace("::", "."))
}

/// The way back, as well as it can be known.
pub(in crate::parsers) fn node_of(file: &str, title: &str) -> String {
    let (path, parameters) = title.find('[').map_or((title, ""), |at| title.split_at(at));
    format!("{file}::{}{parameters}", path.replace('.', "::"))
}

/// Whether `printed`, perhaps absolute or relative to elsewhere, is the same file as `file`.
pub(in crate::parsers) fn same_file(printed: &str, file: &str) -> bool {
    let printed = printed.trim_start_matches("./");
    printed == file
        || printed.strip_suffix(file).is_some_and(|rest| rest.ends_with('/'))
        || file.strip_suffix(printed).is_some_and(|rest| rest.ends_with('/'))
}

/// Whether the file is a library's or the interpreter's.
pub(in crate::parsers) fn is_library(file: &str) -> bool {
    file.starts_with('<')
        || file.contains("site-packages/")
        || file.contains("dist-packages/")
        || file.contains("/lib/python")
        || file.contains("\\lib\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_keep_their_dashes() {
        for (rest, node, message) in [
            ("a.py::t - assert 0", "a.py::t", "assert 0"),
            ("a.py::t[a - b] - assert 'a - b'", "a.py::t[a - b]", "assert 'a - b'"),
            ("a.py::t[[br]] - x", "a.py::t[[br]]", "x"),
            ("a.py::t[a::b]", "a.py::t[a::b]", ""),
            ("a.py", "a.py", ""),
            ("a.py - ImportError: x [1]", "a.py", "ImportError: x [1]"),
        ] {
            assert_eq!(node_and_message(rest, |_| false), (node, message), "{rest}");
        }
        assert_eq!(
            node_and_message("a.py::t[x] - y] - ValueError: z", |_| false),
            ("a.py::t[x] - y]", "ValueError: z")
        );
        let known = |node: &str| node == "a.py::t[x] - y]";
        assert_eq!(node_and_message("a.py::t[x] - y] - z", known), ("a.py::t[x] - y]", "z"));
    }

    #[test]
    fn lines_of_a_report() {
        assert_eq!(section("=== FAILURES ==="), Some(("FAILURES", 16)));
        assert_eq!(heading("__ t[a b] ___", 13), Some("t[a b]"));
        assert_eq!(heading("_ _ _ _ _", 10), None);
        assert_eq!(heading("____ fake ____", 80), None);
        for totals in [
            "=== 1 failed, 2 passed in 0.12s ===",
            "3 errors in 1.2s",
            "=== 1 failed in 70.12s (0:01:10) ===",
            "no tests ran in 0.00s",
        ] {
            assert!(is_totals(totals), "{totals}");
        }
        assert!(!is_totals("work in progress in 3s"));
        assert_eq!(verbose("a.py::t[a - b] FAILED      [ 11%]"), Some(("a.py::t[a - b]", false)));
        assert_eq!(verbose("[gw1] [  7%] ERROR a.py::t[x y] "), Some(("a.py::t[x y]", true)));
        assert_eq!(verbose("something FAILED"), None);
        assert_eq!(traceback_place("tests/a.py:8: AssertionError"), Some(("tests/a.py", 8, "AssertionError")));
        assert_eq!(traceback_place("E     File \"/x/a.py\", line 1"), Some(("/x/a.py", 1, "")));
        assert_eq!(
            outcome("SUBFAILED[custom msg] (i=1) t/a.py::t - x").unwrap().subtest.as_deref(),
            Some("[custom msg] (i=1)")
        );
    }
}
