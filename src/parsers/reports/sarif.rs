//! SARIF 2.1.0, and 2.0 as far as it agrees
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).
//!
//! The rules may stand behind the results, and a large document is read in several pieces. So results are kept until
//! the tool of their run is known.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::sarif_result::{self, Held, Notification, Result_};
use super::sarif_rules::Tool;
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::Parser;

/// Results kept of a run whose tool was not seen yet.
const HELD_LIMIT: usize = 200_000;

/// Reads runs, and keeps what belongs to the one whose end was not seen.
#[derive(Default)]
pub(in crate::parsers) struct Sarif {
    held: Vec<Held>,
    tool: Option<Tool>,
}

#[derive(Deserialize)]
struct Log<'a> {
    #[serde(borrow)]
    runs: Vec<&'a RawValue>,
    version: Option<String>,
    #[serde(rename = "$schema")]
    schema: Option<String>,
}

#[derive(Deserialize)]
struct Run<'a> {
    #[serde(borrow)]
    tool: Option<&'a RawValue>,
    #[serde(borrow)]
    results: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    invocations: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    artifacts: Option<Vec<&'a RawValue>>,
    #[serde(rename = "originalUriBaseIds")]
    bases: Option<sarif_result::Bases>,
    /// Where 2.0 had the rules.
    #[serde(borrow)]
    resources: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Invocation {
    #[serde(rename = "executionSuccessful")]
    successful: Option<bool>,
    #[serde(rename = "toolExecutionNotifications", default)]
    execution: Option<Vec<Notification>>,
    #[serde(rename = "toolConfigurationNotifications", default)]
    configuration: Option<Vec<Notification>>,
    #[serde(rename = "exitCodeDescription")]
    exit_code: Option<String>,
    #[serde(rename = "exitSignalName")]
    exit_signal: Option<String>,
}

impl Parser for Sarif {
    fn json_triggers(&self) -> &'static [&'static str] {
        &["\"runs\""]
    }

    fn json(&mut self, text: &str, out: &mut Vec<Diagnostic>) {
        let Ok(log) = serde_json::from_str::<Log<'_>>(text) else { return };
        let is_sarif = log.schema.is_some_and(|schema| schema.contains("sarif"))
            || log.version.is_some_and(|version| version.starts_with("2."));
        let runs: Vec<Run<'_>> = log.runs.iter().filter_map(|run| serde_json::from_str(run.get()).ok()).collect();
        // A piece of a document that has its version at its end.
        if !is_sarif && !runs.iter().any(|run| run.results.is_some() && (run.tool.is_some() || !self.held.is_empty())) {
            return;
        }
        for run in runs {
            self.run(run, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        self.tell(out);
    }
}

impl Sarif {
    fn run(&mut self, run: Run<'_>, out: &mut Vec<Diagnostic>) {
        if let Some(tool) = run.tool.and_then(|tool| Tool::read(tool, run.resources)) {
            self.tool = Some(tool);
            if run.results.is_none() {
                // The results were in the pieces before.
                self.tell(out);
            }
        }
        let artifacts = run.artifacts.as_deref().unwrap_or_default();
        let bases = run.bases.unwrap_or_default();
        for raw in run.results.as_deref().unwrap_or_default() {
            if self.held.len() >= HELD_LIMIT {
                self.tell(out);
            }
            if let Ok(result) = serde_json::from_str::<Result_>(raw.get()) {
                self.held.extend(result.held(raw, artifacts, &bases));
            }
        }
        if run.tool.is_some() {
            self.tell(out);
        }
        let invocations = run.invocations.unwrap_or_default();
        for invocation in invocations.iter().filter_map(|text| serde_json::from_str::<Invocation>(text.get()).ok()) {
            self.invocation(invocation, &bases, out);
        }
    }

    /// Tells what was kept.
    fn tell(&mut self, out: &mut Vec<Diagnostic>) {
        let unknown = Tool::default();
        let tool = self.tool.as_ref().unwrap_or(&unknown);
        out.extend(self.held.drain(..).filter_map(|held| held.tell(tool)));
    }

    /// What the tool could not do.
    fn invocation(&self, invocation: Invocation, bases: &sarif_result::Bases, out: &mut Vec<Diagnostic>) {
        let name = self.tool.as_ref().map_or("sarif", Tool::name).to_owned();
        let all = invocation.execution.into_iter().chain(invocation.configuration).flatten();
        let before = out.len();
        out.extend(all.filter_map(|notification| notification.tell(&name, bases)));
        if invocation.successful == Some(false) && out.len() == before {
            let why = invocation.exit_code.or(invocation.exit_signal).unwrap_or_default();
            let message = format!("{name} did not run to its end: {why}");
            let message = message.trim_end_matches([':', ' ']);
            out.push(Diagnostic::new(name.clone(), Kind::Lint, Severity::Error, "tool_execution", message));
        }
    }
}
