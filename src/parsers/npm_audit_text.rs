//! What `npm audit` prints for people: the list of npm 7 and later, and the tables of npm 6, pnpm and yarn 1
//! (<https://docs.npmjs.com/auditing-package-dependencies-for-security-vulnerabilities>).

use super::line::Line;
use super::npm_audit::{code, found};
use super::text::{push_line, raw};
use super::{Parser, Verdict};
use crate::model::Diagnostic;

/// Advisories of one package, and lines of one table, that are read.
const LIMIT: usize = 1000;

/// Reads both streams.
#[derive(Default)]
pub(super) struct NpmAuditText {
    sides: [Side; 2],
}

#[derive(Default)]
struct Side {
    in_list: bool,
    package: Option<Package>,
    table: Option<Table>,
    /// `npm install x@1` of the line above the table, or the tables.
    fix: Option<String>,
}

/// A package in the list.
#[derive(Default)]
struct Package {
    name: String,
    range: String,
    severity: Option<String>,
    /// Title and address of each.
    advisories: Vec<(String, String)>,
    fix: Option<String>,
    text: String,
}

/// Rows of key and value.
#[derive(Default)]
struct Table {
    rows: Vec<(String, String)>,
    lines: usize,
    text: String,
}

impl Parser for NpmAuditText {
    fn triggers(&self) -> &'static [&'static str] {
        &["# npm audit report", "┌───────────────", "# Run  npm "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = &mut self.sides[line.side()];
        let text = line.text.trim_end();
        if text == "# npm audit report" {
            side.end(out);
            side.in_list = true;
            return Verdict::Open;
        }
        if let Some(rest) = text.strip_prefix("# Run  ") {
            side.fix = rest.split_once("  to resolve ").map(|(command, _)| command.trim().to_owned());
            return Verdict::Idle;
        }
        if text.starts_with("┌───────────────") {
            side.end(out);
            side.table = Some(Table::default());
            return Verdict::Open;
        }
        if let Some(table) = &mut side.table {
            if table.read(text) {
                return Verdict::Open;
            }
            side.end(out);
            return Verdict::Idle;
        }
        if side.in_list && side.read(text, out) { Verdict::Open } else { Verdict::Idle }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in &mut self.sides {
            side.end(out);
        }
    }
}

impl Side {
    /// Reads a line of the list; false at its end.
    fn read(&mut self, text: &str, out: &mut Vec<Diagnostic>) -> bool {
        if text.is_empty() {
            self.end(out);
            return true;
        }
        let Some(package) = &mut self.package else {
            let (name, range) = text.split_once("  ").unwrap_or((text, ""));
            let is_package = !name.is_empty() && !name.contains(' ') && !text.ends_with(':');
            if is_package {
                let mut package =
                    Package { name: name.to_owned(), range: range.trim().to_owned(), ..Package::default() };
                push_line(&mut package.text, text);
                self.package = Some(package);
            } else {
                self.in_list = false;
            }
            return is_package;
        };
        push_line(&mut package.text, text);
        if let Some(severity) = text.strip_prefix("Severity: ") {
            package.severity = Some(severity.to_owned());
        } else if let Some((title, url)) = text.rsplit_once(" - http") {
            if !text.starts_with(' ') && package.advisories.len() < LIMIT {
                package.advisories.push((title.to_owned(), format!("http{url}")));
            }
        } else if let Some(rest) = text.strip_prefix("fix available via `") {
            package.fix = rest.strip_suffix('`').map(str::to_owned);
        } else if let Some(rest) = text.strip_prefix("Will install ")
            && let Some((package_at, _)) = rest.split_once(", which")
        {
            package.fix = Some(format!("npm install {package_at}"));
        }
        true
    }

    fn end(&mut self, out: &mut Vec<Diagnostic>) {
        if let Some(package) = self.package.take() {
            package.tell(out);
        }
        if let Some(table) = self.table.take() {
            table.tell(self.fix.as_deref(), out);
        }
    }
}

impl Package {
    fn tell(self, out: &mut Vec<Diagnostic>) {
        // The severity is left out where it is low.
        let severity = self.severity.as_deref().unwrap_or("low");
        for (title, url) in &self.advisories {
            let Some(code) = code(url) else { continue };
            let mut found = found("npm audit", code, Some(severity), &self.name, &self.range, title);
            found.suggested_fix.clone_from(&self.fix);
            found.raw = raw(&self.text);
            out.push(found);
        }
    }
}

impl Table {
    /// Reads a row; false at the end.
    fn read(&mut self, text: &str) -> bool {
        self.lines += 1;
        if text.starts_with('├') {
            return true;
        }
        let Some(row) = text.strip_prefix('│').filter(|_| self.lines < LIMIT) else { return false };
        let mut cells = row.split('│').map(str::trim);
        let (Some(key), Some(value)) = (cells.next(), cells.next()) else { return false };
        push_line(&mut self.text, text);
        match self.rows.last_mut() {
            // What has no room goes on in the next row.
            Some((_, before)) if key.is_empty() => {
                before.push(' ');
                before.push_str(value);
            }
            _ => self.rows.push((key.to_owned(), value.to_owned())),
        }
        true
    }

    fn tell(self, fix: Option<&str>, out: &mut Vec<Diagnostic>) {
        let value =
            |name: &str| self.rows.iter().find(|(key, _)| key.starts_with(name)).map(|(_, value)| value.as_str());
        let severities = ["critical", "high", "moderate", "low", "info"];
        let Some((severity, title)) = self.rows.first() else { return };
        let severity = severity.to_ascii_lowercase();
        let (Some(package), Some(url)) = (value("Package"), value("More info")) else { return };
        let Some(code) = code(&url.replace(' ', "")).filter(|_| severities.contains(&severity.as_str())) else {
            return;
        };
        let is_pnpm = value("Vulnerable versions").is_some();
        let tool = if is_pnpm { "pnpm audit" } else { "npm audit" };
        let mut found = found(tool, code, Some(&severity), package, "", title);
        let patched = value("Patched").filter(|range| *range != "<0.0.0" && !range.starts_with("No patch"));
        let command = fix.map(str::to_owned).filter(|_| patched.is_none());
        found.suggested_fix = command.or_else(|| patched.map(|range| format!("{package} {range}")));
        found.raw = raw(&self.text);
        out.push(found);
    }
}
