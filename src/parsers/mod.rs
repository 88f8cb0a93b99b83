//! Findings out of a log, as it arrives.
//!
//! A [`Feed`] is given the bytes of a job's streams in any chunks. It looks into a line only if the line holds a
//! trigger of some parser, or if a parser asked for it; everything else is passed over by one SIMD search.
//!
//! Adding a tool is one file with a [`Parser`] in it and one line in [`REGISTRY`].

mod advisory;
mod aliases;
mod bandit;
mod biome;
mod black;
mod bun_test;
mod bundler_audit;
mod cargo_audit;
mod cargo_deny;
mod cargo_json;
mod cargo_test;
mod catch2;
mod checkstyle;
mod cmake;
mod code_quality;
mod composer_audit;
mod coverage;
mod cppcheck;
mod ctest;
mod cvss;
mod deno;
mod docker;
mod document;
mod dotnet_packages;
mod dotnet_test;
mod esbuild;
mod eslint;
mod eslint_stylish;
mod exit_code;
mod feed;
mod gnu;
mod go_mod;
mod go_names;
mod go_package;
mod go_panic;
mod go_race;
mod go_said;
mod go_summary;
mod go_test;
mod go_test_json;
mod go_vet;
mod gofmt;
mod golangci;
mod googletest;
mod govulncheck;
mod govulncheck_text;
mod gradle;
mod grype;
mod hadolint;
mod isort;
mod javac;
mod jest;
mod js_stack;
mod junit;
mod junit_lint;
mod junit_test;
mod jvm;
mod line;
mod markdownlint;
mod maven;
mod minitest;
mod mocha;
mod msbuild;
mod mypy;
mod nextest;
mod node_test;
mod npm_audit;
mod npm_audit_text;
mod osv_scanner;
mod osv_table;
mod oxlint;
mod php;
mod phpcs;
mod phpstan;
mod phpunit;
mod pip_audit;
mod playwright;
mod prettier;
mod psalm;
mod pydocstyle;
mod pylint;
mod pyright;
mod pytest;
mod pytest_fatal;
mod pytest_text;
mod python_syntax;
mod rdjson;
mod report;
mod rspec;
mod rubocop;
mod ruff;
mod ruff_ci;
mod rust_output;
mod rust_panic;
mod rustc;
mod rustc_names;
mod rustfmt;
mod safety;
mod sanitizer;
mod sarif;
mod sarif_result;
mod sarif_rules;
mod scan;
mod scanner;
mod semgrep;
mod shellcheck;
mod staticcheck;
mod stylelint;
mod swift;
mod tap;
mod text;
mod trigger;
mod trivy;
mod trivy_table;
mod tsc;
mod unittest;
mod value;
mod vitest;
mod workflow;
mod xml;
mod xml_report;
mod yaml_lint;

pub use feed::Feed;
pub use report::{Outcome, read_report};

use crate::model::{Diagnostic, Language, RecipeName};
use line::Line;

/// What is known about a log beforehand. Hints only: detection is by what is printed.
#[derive(Clone, Debug, Default)]
pub struct Hint {
    /// The subproject's language.
    pub language: Option<Language>,
    /// The recipe that prints the log; named in the message of a `recipe_fail`.
    pub recipe: Option<RecipeName>,
}

/// What a parser makes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Done with it; the next line is of interest only if it holds a trigger.
    Idle,
    /// The stream's next line is wanted, whatever it holds.
    Open,
    /// The line is this parser's alone; the next one is of interest only if it holds a trigger.
    Mine,
    /// The line is this parser's alone, and so is the next one of the stream until the parser says otherwise:
    /// what stands inside a failed test's captured output is nobody else's finding.
    Own,
}

/// A state machine that knows the output of one tool. It sees lines of both streams, each without its line break,
/// colours and overwritten progress, and JSON documents however they were spread over lines.
trait Parser: Send {
    /// A line is seen if it holds one of these, or if it was asked for. At least four ASCII bytes each, so that the
    /// search stays fast; behind them `№` stands for a digit, `¶` for the end of the line. Colours are stripped before
    /// the search, so a trigger may span them; a trigger never spans lines.
    fn triggers(&self) -> &'static [&'static str] {
        &[]
    }

    /// A line.
    fn line(&mut self, _line: &Line<'_>, _out: &mut Vec<Diagnostic>) -> Verdict {
        Verdict::Idle
    }

    /// A JSON document is seen if it holds one of these. The same rules as for [`Parser::triggers`].
    fn json_triggers(&self) -> &'static [&'static str] {
        &[]
    }

    /// A JSON value: a whole document, a record of its own line, or an element of a top-level array (never the array
    /// itself, which may be larger than memory). A value of more than some MiB is shown in parts of the same shape, each
    /// with the members that stood before, and some of the elements.
    fn json(&mut self, _text: &str, _out: &mut Vec<Diagnostic>) {}

    /// The end of the log. What is still held is told now.
    fn finish(&mut self, _out: &mut Vec<Diagnostic>) {}

    /// After every parser's [`Parser::finish`]: what is left out where a finding at the same place was told already.
    fn leftovers(&mut self, _out: &mut Vec<Diagnostic>) {}
}

/// Every parser, one line each. Where several want a line, the earlier one is asked first; a JSON value is the first
/// one's that finds something in it. So the forms that many tools share stand last.
const REGISTRY: &[fn() -> Box<dyn Parser>] = &[
    || Box::new(xml_report::XmlReports::default()),
    || Box::new(ruff_ci::RuffCi),
    || Box::new(pylint::Pylint::default()),
    || Box::new(workflow::Workflow::default()),
    || Box::new(pytest::Pytest::default()),
    || Box::new(pytest_fatal::PytestFatal::default()),
    || Box::new(unittest::Unittest::default()),
    || Box::new(nextest::Nextest::default()),
    || Box::new(cargo_test::CargoTest::default()),
    || Box::new(cargo_json::CargoJson),
    || Box::new(cargo_audit::CargoAudit::default()),
    || Box::new(cargo_deny::CargoDeny::default()),
    || Box::new(rustc::Rustc::default()),
    || Box::new(rustfmt::Rustfmt::default()),
    || Box::new(ruff::Ruff::default()),
    || Box::new(gofmt::Gofmt::default()),
    || Box::new(golangci::Golangci::default()),
    || Box::new(staticcheck::Staticcheck::default()),
    || Box::new(trivy::Trivy::default()),
    || Box::new(osv_scanner::OsvScanner::default()),
    || Box::new(grype::Grype),
    || Box::new(govulncheck::Govulncheck::default()),
    || Box::new(go_test::GoTest::default()),
    || Box::new(go_test_json::GoTestJson::default()),
    || Box::new(go_vet::GoVet::default()),
    || Box::new(go_mod::GoMod::default()),
    || Box::new(mypy::Mypy::default()),
    || Box::new(shellcheck::Shellcheck::default()),
    || Box::new(hadolint::Hadolint),
    || Box::new(rubocop::Rubocop::default()),
    || Box::new(rspec::Rspec::default()),
    || Box::new(minitest::Minitest::default()),
    || Box::new(bundler_audit::BundlerAudit::default()),
    || Box::new(javac::Javac::default()),
    || Box::new(maven::Maven::default()),
    || Box::new(gradle::Gradle::default()),
    || Box::new(jest::Jest::default()),
    || Box::new(vitest::Vitest::default()),
    || Box::new(mocha::Mocha::default()),
    || Box::new(node_test::NodeTest::default()),
    || Box::new(tap::Tap::default()),
    || Box::new(npm_audit::NpmAudit::default()),
    || Box::new(npm_audit_text::NpmAuditText::default()),
    || Box::new(prettier::Prettier::default()),
    || Box::new(biome::Biome::default()),
    || Box::new(playwright::Playwright::default()),
    || Box::new(bun_test::BunTest::default()),
    || Box::new(deno::Deno::default()),
    || Box::new(esbuild::Esbuild::default()),
    || Box::new(oxlint::Oxlint),
    || Box::new(stylelint::Stylelint::default()),
    || Box::new(markdownlint::Markdownlint),
    || Box::new(eslint::Eslint),
    || Box::new(eslint_stylish::Stylish::default()),
    || Box::new(tsc::Tsc::default()),
    || Box::new(pyright::Pyright::default()),
    || Box::new(bandit::Bandit::default()),
    || Box::new(semgrep::Semgrep::default()),
    || Box::new(pip_audit::PipAudit::default()),
    || Box::new(safety::Safety::default()),
    || Box::new(coverage::Coverage::default()),
    || Box::new(black::Black),
    || Box::new(isort::Isort),
    || Box::new(pydocstyle::Pydocstyle::default()),
    || Box::new(python_syntax::PythonSyntax::default()),
    || Box::new(msbuild::Msbuild),
    || Box::new(dotnet_test::DotnetTest::default()),
    || Box::new(dotnet_packages::DotnetPackages::default()),
    || Box::new(phpunit::Phpunit::default()),
    || Box::new(phpstan::Phpstan::default()),
    || Box::new(phpcs::Phpcs::default()),
    || Box::new(php::Php),
    || Box::new(composer_audit::ComposerAudit::default()),
    || Box::new(ctest::CTest::default()),
    || Box::new(cmake::Cmake::default()),
    || Box::new(sanitizer::Sanitizer::default()),
    || Box::new(cppcheck::Cppcheck::default()),
    || Box::new(swift::Swift::default()),
    || Box::new(psalm::Psalm::default()),
    || Box::new(yaml_lint::YamlLint::default()),
    || Box::new(docker::Docker::default()),
    || Box::new(sarif::Sarif::default()),
    || Box::new(rdjson::Rdjson::default()),
    || Box::new(code_quality::CodeQuality),
    || Box::new(gnu::Gnu::default()),
];

/// A set of parsers has a bit for each.
const _: () = assert!(REGISTRY.len() <= trigger::Set::BITS as usize);
