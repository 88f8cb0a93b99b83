//! `go test -json`: an event per line (<https://pkg.go.dev/cmd/test2json#hdr-Output_Format>). Packages run at the same
//! time, so their events are mixed.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::go_package::Package;
use crate::model::Diagnostic;
use crate::parsers::Parser;
use crate::parsers::line::clean;

/// Packages that may run at the same time.
const PACKAGES_LIMIT: usize = 10_000;
/// Tests of a package whose names are remembered.
const NAMES_LIMIT: usize = 100_000;

/// The packages that have begun and not ended.
#[derive(Default)]
pub(in crate::parsers) struct GoTestJson {
    packages: HashMap<String, State>,
}

#[derive(Default)]
struct State {
    package: Package,
    /// The tests that began: of another one a test only printed the result.
    began: HashSet<String>,
    in_panic: bool,
    /// The last line that the package itself printed.
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    package: Cow<'a, str>,
    #[serde(borrow)]
    test: Option<Cow<'a, str>>,
    #[serde(borrow)]
    output: Option<Cow<'a, str>>,
    #[serde(borrow)]
    output_type: Option<Cow<'a, str>>,
    failed_build: Option<String>,
}

impl Parser for GoTestJson {
    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"Action\":\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(event) = serde_json::from_str::<Event<'_>>(text) else { return };
        let name = event.package.as_ref();
        if !self.packages.contains_key(name) {
            if self.packages.len() >= PACKAGES_LIMIT {
                return;
            }
            self.packages.insert(name.to_owned(), State::default());
        }
        let Some(state) = self.packages.get_mut(name) else { return };
        match (event.action.as_ref(), event.test.as_deref()) {
            ("output", test) => {
                let text = clean(event.output.as_deref().unwrap_or_default().as_bytes()).into_owned();
                state.output(test, &text, event.output_type.as_deref().unwrap_or_default());
            }
            ("run", Some(test)) if state.began.len() < NAMES_LIMIT => {
                state.began.insert(test.to_owned());
            }
            ("fail", Some(test)) if state.began.is_empty() || state.began.contains(test) => state.package.failed(test),
            ("pass" | "skip", Some(test)) => state.package.passed(test),
            ("fail", None) => {
                if let Some(state) = self.packages.remove(name) {
                    // What was not built has no tests; the compiler said why.
                    let note = state.note.as_deref().unwrap_or("the package's tests failed");
                    state.package.tell(Some(name), Some(note).filter(|_| event.failed_build.is_none()), out);
                }
            }
            ("pass" | "skip", None) => {
                self.packages.remove(name);
            }
            _ => {}
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        let mut rest: Vec<(String, State)> = self.packages.drain().collect();
        rest.sort_by(|one, other| one.0.cmp(&other.0));
        for (name, state) in rest {
            state.package.tell(Some(&name), None, out);
        }
    }
}

impl State {
    fn output(&mut self, test: Option<&str>, text: &str, kind: &str) {
        if (self.in_panic || text.starts_with("panic: ") || text.starts_with("fatal error: "))
            && self.package.panic_line(test, text)
        {
            self.in_panic = true;
            return;
        }
        self.in_panic = false;
        if self.package.race_line(text) {
            return;
        }
        match test {
            Some(_) if kind == "frame" || is_frame(text) => {}
            Some(test) => self.package.output(test, text, kind.starts_with("error")),
            None if text != "FAIL" && !text.starts_with("FAIL\t") && !text.is_empty() => {
                self.note = Some(text.to_owned())
            }
            None => {}
        }
    }
}

/// What the tool itself prints of a test, where it does not say so.
fn is_frame(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("=== ") || text.starts_with("--- ")
}
