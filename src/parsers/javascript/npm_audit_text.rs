//! What `npm audit` prints for people: the list of npm 7 and later, and the tables of npm 6, pnpm and yarn 1
//! (<https://docs.npmjs.com/auditing-package-dependencies-for-security-vulnerabilities>).

use super::npm_audit::{code, found};
use crate::model::Diagnostic;
use crate::parsers::line::Line;
use crate::parsers::text::{push_line, raw};
use crate::parsers::{Parser, Verdict};

/// Advisories of one package, and lines of one table, that are read.
const LIMIT: usize = 1000;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct NpmAuditText {
    sides: [Side; 2],
}

#[derive(Default)]
struct Side {
    in_list: bool,
    package: Option<Package>,
    table: Option<Table>,
    tree: Option<Tree>,
    /// The line with the package's name, where the next one is not its advisory's title yet.
    above: String,
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

/// An advisory in the tree of yarn from release 2 on.
#[derive(Default)]
struct Tree {
    name: String,
    version: String,
    title: String,
    url: String,
    severity: String,
    range: String,
    patched: String,
    in_versions: bool,
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
        &["├─ Issue: ", "├─ ID: ", "# npm audit report", "┌───────────────", "# Run  npm "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = &mut self.sides[line.side()];
        let text = line.text.trim_end();
        if text.contains("├─ Issue: ") {
            side.end(out);
            let above = line.previous();
            // Release 4 has the number of the advisory between the package and its title.
            let named =
                if above.contains("├─ ID: ") { std::mem::take(&mut side.above) } else { above.into_owned() };
            side.tree = Some(Tree::new(&named, text));
            return Verdict::Open;
        }
        if text.contains("├─ ID: ") {
            side.above = line.previous().into_owned();
            return Verdict::Open;
        }
        if let Some(tree) = &mut side.tree {
            if tree.read(text) {
                return Verdict::Open;
            }
            side.end(out);
        }
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
        if let Some(tree) = self.tree.take() {
            tree.tell(out);
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

/// A row without the lines of the tree.
fn leaf(text: &str) -> &str {
    text.trim_start_matches(['│', '├', '└', '─', ' '])
}

impl Tree {
    fn new(above: &str, text: &str) -> Self {
        let (name, version) = leaf(above).split_once(": ").unwrap_or((leaf(above), ""));
        let title = leaf(text).strip_prefix("Issue: ").unwrap_or_default();
        let (name, version) = (name.trim().to_owned(), version.trim().to_owned());
        Self { name, version, title: title.to_owned(), text: format!("{above}\n{text}\n"), ..Self::default() }
    }

    /// Reads a row; false at the end.
    fn read(&mut self, text: &str) -> bool {
        let is_row = text.starts_with(['│', '├', '└', ' ']);
        let body = leaf(text);
        if !is_row || text.starts_with(['├', '└']) {
            return false;
        }
        push_line(&mut self.text, text);
        if self.in_versions && self.version.is_empty() && !body.is_empty() {
            self.version = body.to_owned();
        }
        if body == "Tree Versions" {
            self.in_versions = true;
        }
        if let Some((key, value)) = body.split_once(": ") {
            match key {
                "URL" => self.url = value.to_owned(),
                "Severity" => self.severity = value.to_owned(),
                "Vulnerable Versions" => self.range = value.to_owned(),
                "Patched Versions" => self.patched = value.to_owned(),
                _ => {}
            }
        }
        true
    }

    fn tell(self, out: &mut Vec<Diagnostic>) {
        let Some(code) = code(&self.url).filter(|_| !self.name.is_empty()) else { return };
        let version = if self.version.is_empty() { &self.range } else { &self.version };
        let mut found = found("yarn npm audit", code, Some(&self.severity), &self.name, version, &self.title);
        found.suggested_fix = Some(format!("{} {}", self.name, self.patched))
            .filter(|_| !self.patched.is_empty() && self.patched != "<0.0.0");
        found.raw = raw(&self.text);
        out.push(found);
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
