//! osv-scanner's table of vulnerabilities, which it prints by default
//! (<https://google.github.io/osv-scanner/output/#table-default>). Other names of the same vulnerability have lines of
//! their own, with nothing else in them.

use super::scanner::{cells, is_drawn, is_ruled, of_package, scored, upgrade};
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::Verdict;
use crate::parsers::text::{push_line, raw};

/// Where an advisory is described.
const ADDRESS: &str = "https://osv.dev/";
/// Other names of an advisory.
const ALIASES_LIMIT: usize = 100;

/// One stream.
#[derive(Default)]
pub(in crate::parsers) struct Table {
    columns: Option<Columns>,
    row: Option<Row>,
    /// Whether what follows is not called by the project.
    is_uncalled: bool,
}

#[derive(Clone, Copy)]
struct Columns {
    cvss: Option<usize>,
    package: usize,
    version: usize,
    fixed: Option<usize>,
    source: usize,
}

struct Row {
    found: Diagnostic,
    text: String,
}

impl Table {
    pub fn line(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> Verdict {
        let cells = if is_drawn(text) { cells(text) } else { Vec::new() };
        let Some(columns) = self.columns else {
            let column = |name: &str| cells.iter().position(|cell| *cell == name);
            if let (Some(0), Some(package), Some(version), Some(source)) =
                (column("OSV URL"), column("PACKAGE"), column("VERSION"), column("SOURCE"))
            {
                let (cvss, fixed) = (column("CVSS"), column("FIXED VERSION"));
                self.columns = Some(Columns { cvss, package, version, fixed, source });
                return Verdict::Own;
            }
            return Verdict::Idle;
        };
        let cell = |column: usize| cells.get(column).copied().unwrap_or_default();
        if cells.is_empty() || text.starts_with(['╰', '└', '+']) {
            self.end(out);
            return Verdict::Idle;
        }
        if cells.iter().any(|cell| is_ruled(cell)) {
            return Verdict::Own;
        }
        if let [title] = cells[..] {
            self.is_uncalled = title.starts_with("Uncalled");
            return Verdict::Own;
        }
        let id = cell(0).strip_prefix(ADDRESS).unwrap_or_default();
        if !cell(columns.package).is_empty() && !id.is_empty() {
            out.extend(self.row.take().map(Row::told));
            let severity = match columns.cvss.and_then(|column| scored(cell(column))) {
                _ if self.is_uncalled => Severity::Info,
                severity => severity.unwrap_or(Severity::Error),
            };
            let fixed = columns.fixed.map(cell).filter(|fixed| !fixed.starts_with("--")).unwrap_or_default();
            // A package of a group of requirements has the group's name behind its own.
            let name = cell(columns.package).split(" (").next().unwrap_or_default();
            let mut row = Row {
                found: Diagnostic {
                    file: Some(cell(columns.source).to_owned())
                        .filter(|file| !file.is_empty() && !file.starts_with("docker:")),
                    suggested_fix: upgrade(name, [fixed]),
                    ..Diagnostic::new(
                        "osv-scanner",
                        Kind::Cve,
                        severity,
                        id,
                        of_package(name, cell(columns.version), ""),
                    )
                },
                text: String::new(),
            };
            push_line(&mut row.text, text);
            self.row = Some(row);
        } else if let Some(row) = &mut self.row
            && !id.is_empty()
            && row.found.aliases.len() < ALIASES_LIMIT
        {
            row.found.aliases.push(id.to_owned());
            push_line(&mut row.text, text);
        }
        Verdict::Own
    }

    /// The table has ended.
    pub fn end(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.row.take().map(Row::told));
        *self = Self::default();
    }
}

impl Row {
    fn told(self) -> Diagnostic {
        Diagnostic { raw: raw(&self.text), ..self.found }
    }
}
