//! trivy's table of vulnerabilities, which it prints by default
//! (<https://trivy.dev/latest/docs/configuration/reporting/#table-default>). Cells that are equal are merged, so that the
//! line between two rows leaves them out, and a cell may go on over lines.

use super::scanner::{cells, is_drawn, is_ruled, of_package, rated, upgrade};
use super::trivy::is_no_file;
use crate::model::{Diagnostic, Kind};
use crate::parsers::Verdict;
use crate::parsers::line::Line;
use crate::parsers::text::{one_line, push_line, raw};

/// Bytes of a cell over its lines.
const CELL_LIMIT: usize = 2 << 10;
/// What stands behind a target's name: how its packages were found.
const TYPES: [&str; 8] = [" (npm)", " (pip)", " (gomod)", " (cargo)", " (yarn)", " (pnpm)", " (pipenv)", " (poetry)"];

/// One stream.
#[derive(Default)]
pub(in crate::parsers) struct Table {
    /// The column of each part, while a table is open.
    columns: Option<[usize; PARTS]>,
    count: usize,
    parts: [String; PARTS],
    in_row: bool,
    text: String,
    /// The target that was printed last.
    target: Option<String>,
}

const PARTS: usize = 6;
const LIBRARY: usize = 0;
const ID: usize = 1;
const SEVERITY: usize = 2;
const INSTALLED: usize = 3;
const FIXED: usize = 4;
const TITLE: usize = 5;

fn header(cells: &[&str]) -> Option<[usize; PARTS]> {
    let names = [
        &["LIBRARY"][..],
        &["VULNERABILITY", "VULNERABILITY ID"],
        &["SEVERITY"],
        &["INSTALLED VERSION"],
        &["FIXED VERSION"],
    ];
    let column = |names: &[&str]| cells.iter().position(|cell| names.contains(&cell.to_ascii_uppercase().as_str()));
    let mut columns = [usize::MAX; PARTS];
    for (part, names) in names.iter().enumerate() {
        columns[part] = column(names)?;
    }
    columns[TITLE] = column(&["TITLE"]).unwrap_or(usize::MAX);
    Some(columns)
}

impl Table {
    pub fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let text = line.text.trim_end();
        let Some(columns) = self.columns else {
            if let Some(target) = TYPES.iter().find_map(|end| text.strip_suffix(end)) {
                self.target = Some(target.to_owned());
                return Verdict::Idle;
            }
            // Until 0.29 every target was underlined. Those of systems have their name and version in brackets.
            if text.starts_with("===") && text.bytes().all(|byte| byte == b'=') {
                let before = line.previous();
                let target = before.trim();
                let target = TYPES.iter().find_map(|end| target.strip_suffix(end)).unwrap_or(target);
                self.target = Some(target).filter(|it| !it.is_empty() && !is_no_file(it)).map(str::to_owned);
                return Verdict::Idle;
            }
            let cells = cells(text);
            self.columns = header(&cells).filter(|_| is_drawn(text));
            self.count = cells.len();
            return if self.columns.is_some() { Verdict::Own } else { Verdict::Idle };
        };
        if !is_drawn(text) {
            self.end(out);
            return self.line(line, out);
        }
        let cells = cells(text);
        if cells.len() != self.count || cells.iter().any(|cell| is_ruled(cell)) {
            self.tell(out);
            for (part, column) in self.parts.iter_mut().zip(columns) {
                if cells.get(column).is_none_or(|cell| is_ruled(cell)) {
                    part.clear();
                }
            }
            return Verdict::Own;
        }
        self.in_row = true;
        push_line(&mut self.text, text);
        for (part, column) in self.parts.iter_mut().zip(columns) {
            let cell = cells.get(column).copied().unwrap_or_default();
            if !cell.is_empty() && !cell.contains("://") && !cell.starts_with("-->") && part.len() < CELL_LIMIT {
                if !part.is_empty() {
                    part.push(' ');
                }
                part.push_str(cell);
            }
        }
        Verdict::Own
    }

    fn tell(&mut self, out: &mut Vec<Diagnostic>) {
        let text = std::mem::take(&mut self.text);
        if !std::mem::take(&mut self.in_row) || !is_id(&self.parts[ID]) {
            return;
        }
        // A package that was found alone has its file behind its name.
        let (library, path) = match self.parts[LIBRARY].split_once(" (") {
            Some((library, path)) => (library, path.strip_suffix(')')),
            None => (self.parts[LIBRARY].as_str(), None),
        };
        let file = self.target.as_deref().or(path).filter(|file| !is_no_file(file));
        out.push(Diagnostic {
            file: file.map(str::to_owned),
            suggested_fix: upgrade(library, self.parts[FIXED].split(',')),
            raw: raw(&text),
            ..Diagnostic::new(
                "trivy",
                Kind::Cve,
                rated(&self.parts[SEVERITY]),
                self.parts[ID].clone(),
                of_package(library, &self.parts[INSTALLED], &one_line(&self.parts[TITLE])),
            )
        });
    }

    /// The table has ended.
    pub fn end(&mut self, out: &mut Vec<Diagnostic>) {
        self.tell(out);
        *self = Self::default();
    }
}

/// Whether a cell holds an advisory's name.
fn is_id(cell: &str) -> bool {
    cell.split_once('-').is_some_and(|(database, rest)| {
        database.len() > 1
            && database.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            && rest.bytes().any(|byte| byte.is_ascii_alphanumeric())
            && !cell.contains(' ')
    })
}
