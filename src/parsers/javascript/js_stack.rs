//! Stack traces of JavaScript engines (<https://v8.dev/docs/stack-trace-api#appendix-stack-trace-format>), and what the
//! test runners make of them.

use crate::model::Diagnostic;
use crate::parsers::text::{line_number, place};

/// Files of Node.js itself, as releases before 10 printed them.
const OLD_NODE: &[&str] = &[
    "assert.js",
    "async_hooks.js",
    "bootstrap_node.js",
    "child_process.js",
    "domain.js",
    "events.js",
    "fs.js",
    "module.js",
    "net.js",
    "node.js",
    "timers.js",
    "util.js",
    "vm.js",
];

/// Where a frame of the user's own code stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::parsers) struct Frame {
    pub file: String,
    pub line: u32,
    pub column: Option<u32>,
}

impl Frame {
    /// Puts a finding there.
    pub fn locate(self, found: &mut Diagnostic) {
        found.file = Some(self.file);
        found.line = line_number(self.line);
        found.column = self.column.and_then(line_number);
    }
}

/// `at f (a.js:1:2)`, `at a.js:1:2`, `at async f (file:///a.js:1:2)`; none if it is not the user's own code.
pub(in crate::parsers) fn frame(text: &str) -> Option<Frame> {
    bare_frame(text.trim().strip_prefix("at ")?)
}

/// The same without `at`.
pub(in crate::parsers) fn bare_frame(text: &str) -> Option<Frame> {
    let text = text.trim();
    let text = text.strip_suffix(" {").unwrap_or(text);
    let text = text.strip_prefix("async ").unwrap_or(text);
    let inner = text.strip_suffix(')').and_then(|text| {
        text.match_indices(" (").map(|(at, gap)| &text[at + gap.len()..]).find(|inner| place(inner).is_some())
    });
    own(inner.unwrap_or(text))
}

/// `f src/a.js:1:2`, `src/a b.js:1:2`: the function has no slash, the path has one.
pub(in crate::parsers) fn named_frame(text: &str) -> Option<Frame> {
    let mut rest = text.trim();
    while let Some((first, next)) = rest.split_once(' ') {
        if first.contains(['/', '\\']) {
            break;
        }
        rest = next;
    }
    own(rest)
}

/// A place in the user's own code.
pub(in crate::parsers) fn own(text: &str) -> Option<Frame> {
    let (file, line, column) = place(text.trim())?;
    // Bundles name the project before the path: `webpack://app/./src/a.js`.
    let file = file.strip_prefix("webpack://").and_then(|rest| rest.split_once("/./")).map_or(file, |(_, file)| file);
    let foreign = ["node:", "internal/", "bun:", "ext:", "deno:", "native", "http:", "https:", "webpack", "eval"];
    let is_own = !foreign.iter().any(|start| file.starts_with(start))
        && !["node_modules", "<", "/.yarn/", "\"", "'"].iter().any(|part| file.contains(part))
        && !OLD_NODE.contains(&file)
        && file.contains(['.', '/', '\\'])
        && !file.starts_with([' ', '[', '('])
        && !file.ends_with([' ', ':'])
        && !file.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b':');
    is_own.then(|| Frame { file: file.to_owned(), line, column })
}

/// Whether a name ends as files that hold JavaScript do.
pub(in crate::parsers) fn is_script(file: &str) -> bool {
    let ends = ["js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts", "vue", "svelte", "coffee", "astro"];
    file.rsplit_once('.').is_some_and(|(name, end)| !name.is_empty() && ends.contains(&end))
}

/// What is said of a failure: its first line, and the next if it ends with a colon.
pub(in crate::parsers) fn message(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    match lines.next().filter(|next| first.ends_with(':') && !next.starts_with("at ")) {
        Some(next) => crate::parsers::text::one_line(&format!("{first} {next}")),
        None => crate::parsers::text::one_line(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_users_own_code() {
        let at = |text: &str| frame(text).map(|frame| (frame.file, frame.line, frame.column));
        assert_eq!(
            at("at Context.eval (webpack://app/./cypress/a.cy.ts:14:7)").map(|at| at.0),
            Some("cypress/a.cy.ts".to_owned())
        );
        let own = |file: &str, line, column| Some((file.to_owned(), line, Some(column)));
        assert_eq!(at("    at Object.toBe (src/a.test.js:8:23)"), own("src/a.test.js", 8, 23));
        assert_eq!(at("at /home/ci/a b (c)/x.js:8:23"), own("/home/ci/a b (c)/x.js", 8, 23));
        assert_eq!(at("at Parser.x [as y] (/home/ci/a (b)/x.js:8:23)"), own("/home/ci/a (b)/x.js", 8, 23));
        assert_eq!(at("at async Test.run (file:///home/ci/x.mjs:8:23) {"), own("file:///home/ci/x.mjs", 8, 23));
        assert_eq!(at("at C:\\x\\a.js:3:4"), own("C:\\x\\a.js", 3, 4));
        for other in [
            "at new Promise (<anonymous>)",
            "at node:internal/main:1:2",
            "at Module._compile (module.js:652:30)",
            "at x (/home/ci/node_modules/jest/x.js:1:2)",
            "at async Promise.all (index 0)",
            "at 10:20:30",
            "x (a.js:1:2)",
        ] {
            assert_eq!(at(other), None, "{other}");
        }
        let named = |text: &str| named_frame(text).map(|frame| frame.file);
        assert_eq!(named("Timeout._onTimeout src/lib.js:7:72").as_deref(), Some("src/lib.js"));
        assert_eq!(named("src/a b/lib.js:7:72").as_deref(), Some("src/a b/lib.js"));
        assert_eq!(named("boom lib.js:7:72").as_deref(), Some("lib.js"));
    }
}
