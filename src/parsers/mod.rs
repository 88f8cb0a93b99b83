//! Findings out of a log, as it arrives.
//!
//! A [`Feed`] is given the bytes of a job's streams in any chunks. It looks into a line only if the line holds a
//! trigger of some parser, or if a parser asked for it; everything else is passed over by one SIMD search.
//!
//! Adding a tool is one file with a [`Parser`] in it and one line in [`REGISTRY`].

mod aliases;
mod document;
mod dotnet;
mod exit_code;
mod feed;
mod go;
mod javascript;
mod jvm;
mod line;
mod native;
mod ops;
mod php;
mod prefix;
mod python;
mod report;
mod reports;
mod ruby;
mod rust;
mod scan;
mod security;
mod text;
mod trigger;
mod value;

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
    || Box::new(reports::xml_report::XmlReports::default()),
    || Box::new(python::ruff_ci::RuffCi),
    || Box::new(python::pylint::Pylint::default()),
    || Box::new(reports::workflow::Workflow::default()),
    || Box::new(python::pytest::Pytest::default()),
    || Box::new(python::pytest_fatal::PytestFatal::default()),
    || Box::new(python::unittest::Unittest::default()),
    || Box::new(rust::nextest::Nextest::default()),
    || Box::new(rust::cargo_test::CargoTest::default()),
    || Box::new(rust::cargo_json::CargoJson),
    || Box::new(rust::cargo_audit::CargoAudit::default()),
    || Box::new(rust::cargo_deny::CargoDeny::default()),
    || Box::new(rust::rustc::Rustc::default()),
    || Box::new(rust::rustfmt::Rustfmt::default()),
    || Box::new(python::ruff::Ruff::default()),
    || Box::new(go::gofmt::Gofmt::default()),
    || Box::new(go::golangci::Golangci::default()),
    || Box::new(go::staticcheck::Staticcheck::default()),
    || Box::new(security::trivy::Trivy::default()),
    || Box::new(security::osv_scanner::OsvScanner::default()),
    || Box::new(security::grype::Grype),
    || Box::new(go::govulncheck::Govulncheck::default()),
    || Box::new(go::go_test::GoTest::default()),
    || Box::new(go::go_test_json::GoTestJson::default()),
    || Box::new(go::go_vet::GoVet::default()),
    || Box::new(go::go_mod::GoMod::default()),
    || Box::new(python::mypy::Mypy::default()),
    || Box::new(ops::shellcheck::Shellcheck::default()),
    || Box::new(ops::hadolint::Hadolint),
    || Box::new(ruby::rubocop::Rubocop::default()),
    || Box::new(ruby::rspec::Rspec::default()),
    || Box::new(ruby::minitest::Minitest::default()),
    || Box::new(ruby::bundler_audit::BundlerAudit::default()),
    || Box::new(jvm::javac::Javac::default()),
    || Box::new(jvm::maven::Maven::default()),
    || Box::new(jvm::gradle::Gradle::default()),
    || Box::new(javascript::jest::Jest::default()),
    || Box::new(javascript::vitest::Vitest::default()),
    || Box::new(javascript::mocha::Mocha::default()),
    || Box::new(javascript::node_test::NodeTest::default()),
    || Box::new(reports::tap::Tap::default()),
    || Box::new(javascript::npm_audit::NpmAudit::default()),
    || Box::new(javascript::npm_audit_text::NpmAuditText::default()),
    || Box::new(javascript::prettier::Prettier::default()),
    || Box::new(javascript::biome::Biome::default()),
    || Box::new(javascript::playwright::Playwright::default()),
    || Box::new(javascript::bun_test::BunTest::default()),
    || Box::new(javascript::deno::Deno::default()),
    || Box::new(javascript::esbuild::Esbuild::default()),
    || Box::new(javascript::react_scripts::ReactScripts::default()),
    || Box::new(javascript::webpack::Webpack::default()),
    || Box::new(javascript::vite::Vite::default()),
    || Box::new(javascript::oxlint::Oxlint),
    || Box::new(javascript::stylelint::Stylelint::default()),
    || Box::new(javascript::markdownlint::Markdownlint),
    || Box::new(javascript::eslint::Eslint),
    || Box::new(javascript::eslint_stylish::Stylish::default()),
    || Box::new(javascript::tsc::Tsc::default()),
    || Box::new(python::pyright::Pyright::default()),
    || Box::new(python::bandit::Bandit::default()),
    || Box::new(security::semgrep::Semgrep::default()),
    || Box::new(python::pip_audit::PipAudit::default()),
    || Box::new(python::safety::Safety::default()),
    || Box::new(python::coverage::Coverage::default()),
    || Box::new(python::black::Black),
    || Box::new(python::isort::Isort),
    || Box::new(python::pydocstyle::Pydocstyle::default()),
    || Box::new(python::python_syntax::PythonSyntax::default()),
    || Box::new(dotnet::msbuild::Msbuild),
    || Box::new(dotnet::dotnet_test::DotnetTest::default()),
    || Box::new(dotnet::dotnet_packages::DotnetPackages::default()),
    || Box::new(php::phpunit::Phpunit::default()),
    || Box::new(php::phpstan::Phpstan::default()),
    || Box::new(php::phpcs::Phpcs::default()),
    || Box::new(php::lint::Php),
    || Box::new(php::composer_audit::ComposerAudit::default()),
    || Box::new(native::ctest::CTest::default()),
    || Box::new(native::cmake::Cmake::default()),
    || Box::new(native::sanitizer::Sanitizer::default()),
    || Box::new(native::cppcheck::Cppcheck::default()),
    || Box::new(native::swift::Swift::default()),
    || Box::new(php::psalm::Psalm::default()),
    || Box::new(ops::yaml_lint::YamlLint::default()),
    || Box::new(reports::sarif::Sarif::default()),
    || Box::new(reports::rdjson::Rdjson::default()),
    || Box::new(reports::code_quality::CodeQuality),
    || Box::new(ops::docker::Docker::default()),
    || Box::new(native::gnu::Gnu::default()),
];

/// A set of parsers has a bit for each.
const _: () = assert!(REGISTRY.len() <= trigger::Set::BITS as usize);
