//! The summary at the end of gotestsum's output, whatever its format before: each failed test again, behind
//! `=== FAIL: package Test (0.00s)` (<https://github.com/gotestyourself/gotestsum#summary>).

use super::go_package::Package;
use crate::model::Diagnostic;

/// Packages that could not be built and are remembered.
const UNBUILT_LIMIT: usize = 10_000;

/// The package that is listed now.
#[derive(Default)]
pub(in crate::parsers) struct Summary {
    name: String,
    package: Package,
    test: Option<String>,
    in_panic: bool,
    /// What the package itself printed last, and whether it could not be built.
    note: String,
    is_unbuilt: bool,
    /// Everything was told before: this is but a repetition.
    is_repetition: bool,
    /// Packages that could not be built.
    pub unbuilt: Vec<String>,
}

impl Summary {
    /// One that tells nothing if everything was told before.
    pub fn new(is_repetition: bool) -> Self {
        Self { is_repetition, ..Self::default() }
    }

    /// The package and the test of `=== FAIL: package Test (0.00s)`; a package's own failure has no test.
    pub fn heading(text: &str) -> Option<(&str, &str)> {
        let (rest, time) = text.strip_prefix("=== FAIL: ")?.rsplit_once(" (")?;
        let (package, test) = rest.split_once(' ')?;
        (time.ends_with(')') && !package.is_empty() && !test.contains(' ')).then_some((package, test))
    }

    /// A line of it; false behind its end.
    pub fn line(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> bool {
        if let Some((package, test)) = Self::heading(text) {
            // Within the module names are relative to it.
            let is_full = package == "." || package.split('/').next().is_some_and(|first| first.contains('.'));
            let name = if is_full { package.to_owned() } else { format!("./{package}") };
            if name != self.name {
                self.end(out);
                self.name = name;
            }
            self.in_panic = false;
            self.test = Some(test.to_owned()).filter(|test| !test.is_empty());
            if let Some(test) = &self.test {
                self.package.failed(test);
            }
            return true;
        }
        if text.starts_with("DONE ") || text.starts_with("=== ") && !text.starts_with("=== RUN ") {
            self.end(out);
            return false;
        }
        if (self.in_panic || text.starts_with("panic: ") || text.starts_with("fatal error: "))
            && self.package.panic_line(self.test.as_deref(), text)
        {
            self.in_panic = true;
            return true;
        }
        self.in_panic = false;
        if self.package.race_line(text) {
            return true;
        }
        match &self.test {
            Some(test) => self.package.output(test, text, false),
            None if text.ends_with(" failed]") => self.is_unbuilt = true,
            None if !text.is_empty() && text != "PASS" && !text.starts_with("FAIL") => self.note = text.to_owned(),
            None => {}
        }
        true
    }

    /// The package that is open is told.
    pub fn end(&mut self, out: &mut Vec<Diagnostic>) {
        let unbuilt = std::mem::take(&mut self.unbuilt);
        let ended = std::mem::replace(self, Self { unbuilt, ..Self::new(self.is_repetition) });
        if ended.is_repetition || ended.name.is_empty() {
            return;
        }
        if ended.is_unbuilt && self.unbuilt.len() < UNBUILT_LIMIT {
            self.unbuilt.push(ended.name.strip_prefix("./").unwrap_or(&ended.name).to_owned());
        }
        let note = if ended.note.is_empty() { "the package's tests failed" } else { &ended.note };
        ended.package.tell(Some(&ended.name), Some(note).filter(|_| !ended.is_unbuilt), out);
    }
}
