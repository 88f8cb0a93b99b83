//! What the formats that findings are exported in do not hold, told from what they do: so that an export which is read
//! again says the same findings.

use crate::model::Kind;
use crate::parsers::security::advisory;

/// The name that an export gives itself.
pub(in crate::parsers) const SELF: &str = "crafting";
/// Tools whose findings are failed tests.
const RUNNERS: [&str; 23] = [
    "bun test",
    "cargo nextest",
    "cargo test",
    "catch2",
    "ctest",
    "deno test",
    "dotnet test",
    "doctest",
    "go test",
    "googletest",
    "gradle test",
    "jest",
    "junit",
    "minitest",
    "mocha",
    "node --test",
    "phpunit",
    "playwright",
    "pytest",
    "rspec",
    "swift test",
    "unittest",
    "vitest",
];
/// How a Java class's name begins, which is no tool's.
const DOMAINS: [&str; 8] = ["com", "org", "net", "io", "de", "edu", "java", "javax"];
/// What stands between a message and what would mend it.
const FIX: &str = "\n\nSuggested fix:\n";

/// What a tool's finding of this code is.
pub(in crate::parsers) fn kind(tool: &str, code: &str) -> Kind {
    if tool == SELF {
        Kind::RecipeFail
    } else if advisory::is_id(code) || is_not_checked(code) {
        Kind::Cve
    } else if RUNNERS.contains(&tool) {
        Kind::TestFail
    } else {
        Kind::Lint
    }
}

/// Whether this is said of what an audit could not look at.
pub(in crate::parsers) fn is_not_checked(code: &str) -> bool {
    code == "not_checked" || code.starts_with("not_checked:")
}

/// The message, and what would mend it.
pub(in crate::parsers) fn without_fix(message: &str) -> (&str, Option<&str>) {
    message.split_once(FIX).map_or((message, None), |(message, fix)| (message, Some(fix)))
}

/// A tool and its code out of `tool.code`.
pub(in crate::parsers) fn source(text: &str) -> Option<(&str, &str)> {
    let (tool, code) = text.split_once('.')?;
    let is_tool = tool.len() > 1
        && tool.starts_with(|c: char| c.is_ascii_lowercase())
        && tool.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b' '));
    (is_tool && !code.is_empty() && !DOMAINS.contains(&tool)).then_some((tool, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        assert_eq!(source("npm audit.GHSA-1"), Some(("npm audit", "GHSA-1")));
        assert_eq!(source("eslint.import/no-x"), Some(("eslint", "import/no-x")));
        for other in ["com.x.Y", "LineLength", "PSR2.Files", "lint/style", ""] {
            assert_eq!(source(other), None, "{other}");
        }
    }
}
