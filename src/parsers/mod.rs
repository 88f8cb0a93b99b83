//! Findings out of a log, as it arrives.
//!
//! A [`Feed`] is given the bytes of a job's streams in any chunks. It looks into a line only if the line holds a
//! trigger of some parser, or if a parser asked for it; everything else is passed over by one SIMD search.
//!
//! Adding a tool is one file with a [`Parser`] in it and one line in [`REGISTRY`].

mod bundler_audit;
mod cargo_json;
mod cargo_test;
mod catch2;
mod cmake;
mod codeclimate;
mod composer_audit;
mod cppcheck;
mod ctest;
mod docker;
mod document;
mod dotnet_packages;
mod dotnet_test;
mod exit_code;
mod feed;
mod gnu;
mod go_names;
mod go_package;
mod go_panic;
mod go_test;
mod go_test_json;
mod go_vet;
mod googletest;
mod gradle;
mod hadolint;
mod javac;
mod jvm;
mod line;
mod maven;
mod minitest;
mod msbuild;
mod mypy;
mod php;
mod phpcs;
mod phpstan;
mod phpunit;
mod psalm;
mod pytest;
mod pytest_text;
mod rspec;
mod rubocop;
mod ruff;
mod rust_panic;
mod rustc;
mod rustc_names;
mod sanitizer;
mod shellcheck;
mod swift;
mod text;
mod trigger;
mod unittest;
mod yaml_lint;

pub use feed::Feed;

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
    /// The line is this parser's alone, and so is the next one of the stream until the parser says otherwise:
    /// what stands inside a failed test's captured output is nobody else's finding.
    Own,
}

/// A state machine that knows the output of one tool. It sees lines of both streams, each without its line break,
/// colours and overwritten progress, and JSON documents however they were spread over lines.
trait Parser: Send {
    /// A line is seen if it holds one of these, or if it was asked for. At least four ASCII bytes each, so that the
    /// search stays fast. Colours are stripped before the search, so a trigger may span them; a trigger never spans
    /// lines.
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
    /// itself, which may be larger than memory).
    fn json(&mut self, _text: &str, _out: &mut Vec<Diagnostic>) {}

    /// The end of the log. What is still held is told now.
    fn finish(&mut self, _out: &mut Vec<Diagnostic>) {}
}

/// Every parser, one line each. Where several want a line, the earlier one is asked first.
const REGISTRY: &[fn() -> Box<dyn Parser>] = &[
    || Box::new(pytest::Pytest::default()),
    || Box::new(unittest::Unittest::default()),
    || Box::new(cargo_test::CargoTest::default()),
    || Box::new(cargo_json::CargoJson),
    || Box::new(rustc::Rustc::default()),
    || Box::new(ruff::Ruff::default()),
    || Box::new(go_test::GoTest::default()),
    || Box::new(go_test_json::GoTestJson::default()),
    || Box::new(go_vet::GoVet::default()),
    || Box::new(mypy::Mypy::default()),
    || Box::new(shellcheck::Shellcheck::default()),
    || Box::new(hadolint::Hadolint),
    || Box::new(codeclimate::CodeClimate),
    || Box::new(rubocop::Rubocop::default()),
    || Box::new(rspec::Rspec::default()),
    || Box::new(minitest::Minitest::default()),
    || Box::new(bundler_audit::BundlerAudit::default()),
    || Box::new(javac::Javac::default()),
    || Box::new(maven::Maven::default()),
    || Box::new(gradle::Gradle::default()),
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
    || Box::new(gnu::Gnu::default()),
];
