//! Python's coverage below what is asked for, as `coverage report --fail-under` and pytest-cov print it
//! (<https://coverage.readthedocs.io/en/latest/config.html#report-fail-under>).

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{one_line, raw};
use crate::parsers::{Parser, Verdict};

/// pytest-cov may say it twice.
#[derive(Default)]
pub(in crate::parsers) struct Coverage {
    told: bool,
}

impl Parser for Coverage {
    fn triggers(&self) -> &'static [&'static str] {
        &["Coverage failure: total of ", "FAIL Required test coverage of "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text.trim();
        let rest = text.strip_prefix("ERROR: ").unwrap_or(text);
        let is_failure = (rest.starts_with("Coverage failure: total of ")
            && rest.contains(" is less than fail-under="))
            || (rest.starts_with("FAIL Required test coverage of ") && rest.contains(" not reached."));
        if is_failure && !self.told {
            self.told = true;
            let message = one_line(rest.strip_prefix("FAIL ").unwrap_or(rest));
            let found = Diagnostic::new("coverage", Kind::Lint, Severity::Error, "fail_under", message);
            out.push(Diagnostic { raw: raw(text), ..found });
        }
        Verdict::Idle
    }
}
