//! webpack (<https://webpack.js.org/configuration/stats/>), and what Create React App, Next.js and the Angular CLI make
//! of its errors: `ERROR in` and a place, or `Failed to compile.` and a block for each file.

use super::js_stack::is_script;
use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{line_number, number, one_line, place, push_line, raw, slug};
use crate::parsers::{Parser, Verdict};

/// Lines of a block that are read.
const BLOCK_LINES: u32 = 60;
/// Lines after `Failed to compile.` in which a block may begin.
const FAILED_LINES: u32 = 2000;

/// Reads both streams.
#[derive(Default)]
pub(in crate::parsers) struct Webpack {
    sides: [Side; 2],
}

#[derive(Default)]
struct Side {
    block: Option<Block>,
    /// Lines that are left in which a file's name begins a block, and who says it.
    left: u32,
    tool: Tool,
}

#[derive(Clone, Copy, Default)]
enum Tool {
    #[default]
    Webpack,
    Turbopack,
}

#[derive(Default)]
struct Block {
    place: Place,
    severity: Option<Severity>,
    message: String,
    text: String,
    lines: u32,
}

#[derive(Clone, Default)]
struct Place {
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
}

impl Parser for Webpack {
    fn triggers(&self) -> &'static [&'static str] {
        &[
            "ERROR in ",
            "WARNING in ",
            "Failed to compile.",
            "Failed to type check.",
            "Turbopack build failed",
            " - Error: Module ",
        ]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let side = &mut self.sides[line.side()];
        let text = line.text.trim_end();
        if matches!(text.trim_start(), "Failed to compile." | "Failed to type check.") {
            side.end(out);
            (side.left, side.tool) = (FAILED_LINES, Tool::Webpack);
            return Verdict::Open;
        }
        if text.contains("Turbopack build failed with ") {
            side.end(out);
            (side.left, side.tool) = (FAILED_LINES, Tool::Turbopack);
            return Verdict::Open;
        }
        if let Some(head) = head(text) {
            // `[tsl] ERROR in` says the place again, with the line.
            if text.starts_with("[tsl]")
                && let Some(block) = &mut side.block
                && block.message.is_empty()
            {
                block.place = head.place;
                return Verdict::Own;
            }
            side.end(out);
            side.block = Some(head);
            return Verdict::Own;
        }
        if let Some(found) = in_line(text) {
            side.end(out);
            out.push(found);
            return Verdict::Mine;
        }
        if let Some(block) = &mut side.block {
            match block.read(text) {
                Read::On => return Verdict::Own,
                Read::Over => side.end(out),
                Read::Foreign => side.block = None,
            }
        } else if side.left > 0 {
            side.left -= 1;
            side.block = side_head(text);
            if side.block.is_some() {
                return Verdict::Open;
            }
            if ["npm ERR!", "npm error", "error Command failed"].iter().any(|end| text.starts_with(end)) {
                side.left = 0;
            }
        }
        if side.left > 0 { Verdict::Open } else { Verdict::Idle }
    }

    fn finish(&mut self, out: &mut Vec<Diagnostic>) {
        for side in &mut self.sides {
            side.end(out);
        }
    }
}

impl Side {
    fn end(&mut self, out: &mut Vec<Diagnostic>) {
        out.extend(self.block.take().and_then(|block| block.end(self.tool)));
    }
}

/// `ERROR in ./src/a.js 3:0-24`, `ERROR in src/a.ts:3:5`, `[tsl] ERROR in /p/a.ts(3,5)`, `WARNING in asset size limit: …`.
fn head(text: &str) -> Option<Block> {
    let rest = text.strip_prefix("[tsl] ").unwrap_or(text);
    let (severity, rest) = match rest.strip_prefix("ERROR in ") {
        Some(rest) => (Severity::Error, rest),
        None => (Severity::Warn, rest.strip_prefix("WARNING in ")?),
    };
    let rest = rest.trim();
    let mut block = Block { severity: Some(severity), text: format!("{text}\n"), ..Block::default() };
    if let Some(place) = place_of(rest) {
        block.place = place;
        return Some(block);
    }
    let said = [
        "Module not found: ",
        "Entry module not found: ",
        "asset size limit",
        "entrypoint size limit",
        "Conflict: ",
        "Error: ",
        "webpack performance",
    ];
    said.iter().any(|start| rest.starts_with(start)).then(|| {
        block.message = rest.to_owned();
        block
    })
}

/// A file's name alone on its line, as it stands before what is said of it.
fn side_head(text: &str) -> Option<Block> {
    let text_only = text.trim_end();
    if is_type_script(text_only).is_some() {
        return Some(Block { message: text_only.to_owned(), text: format!("{text}\n"), ..Block::default() });
    }
    let is_rooted = text_only.starts_with(['/', '.']) || text_only.starts_with("src") || text_only.contains(":\\");
    let place = place_of(text_only).filter(|_| is_rooted)?;
    Some(Block { place, text: format!("{text}\n"), ..Block::default() })
}

/// The Angular CLI's: `./src/a.ts:3:0-28 - Error: Module not found: Error: Can't resolve 'x' in 'y'`.
fn in_line(text: &str) -> Option<Diagnostic> {
    let (at, message) = text.split_once(" - Error: ").filter(|(_, message)| message.starts_with("Module "))?;
    let at = at.strip_prefix("Error: ").unwrap_or(at);
    let (file, range) = at.split_once(':')?;
    let place = place_of(&format!("{file} {range}"))?;
    let block = Block {
        place,
        severity: Some(Severity::Error),
        message: message.to_owned(),
        text: format!("{text}\n"),
        lines: 0,
    };
    block.end(Tool::Webpack)
}

/// `./src/a.js 3:0-24`, `./src/a.js 3:0-5:10`, `src/a.ts:3:5`, `/p/a.ts(3,5):`, or a name alone.
fn place_of(text: &str) -> Option<Place> {
    let text = text.strip_suffix(':').unwrap_or(text);
    let text = text.rsplit('!').next().unwrap_or(text);
    let found = |file: &str, line: Option<u32>, column: Option<u32>| {
        let file = file.split_once('?').map_or(file, |(file, _)| file);
        is_source(file).then(|| Place { file: Some(file.to_owned()), line, column })
    };
    if let Some((file, at)) = text.rsplit_once(' ')
        && let Some((line, column)) = at.split_once(':')
        && let (Some(line), Some(column)) = (number(line), number(column.split(['-', ':']).next()?))
    {
        // Columns are from 0.
        return found(file, line_number(line), column.checked_add(1));
    }
    if let Some((file, at)) = text.strip_suffix(')').and_then(|text| text.rsplit_once('('))
        && let Some((line, column)) = at.split_once([',', ':'])
        && let (Some(line), Some(column)) = (number(line.trim()), number(column.trim()))
    {
        return found(file, line_number(line), line_number(column));
    }
    if let Some((file, line, column)) = place(text) {
        return found(file, line_number(line), column.and_then(line_number));
    }
    found(text, None, None)
}

/// A file that bundlers read, as they name it.
fn is_source(file: &str) -> bool {
    let ends = ["css", "scss", "sass", "less", "styl", "html", "json", "mdx", "md", "svg", "graphql", "wasm", "pcss"];
    let end = file.rsplit_once('.').map_or("", |(_, end)| end);
    (is_script(file) || ends.contains(&end)) && !file.contains(": ") && !file.starts_with([' ', '"', '\'', '@', '('])
}

/// `TS2322: message`, or `message  TS2322`.
fn is_type_script(text: &str) -> Option<(&str, &str)> {
    let is_code =
        |code: &str| code.strip_prefix("TS").is_some_and(|digits| digits.len() >= 4 && number(digits).is_some());
    if let Some((code, message)) = text.trim().split_once(": ").filter(|(code, _)| is_code(code)) {
        return Some((code, message));
    }
    text.rsplit_once("  ").filter(|(_, code)| is_code(code)).map(|(message, code)| (code, message))
}

enum Read {
    On,
    Over,
    Foreign,
}

impl Block {
    fn read(&mut self, text: &str) -> Read {
        self.lines += 1;
        let body = text.trim();
        if self.lines > BLOCK_LINES {
            return Read::Over;
        }
        // ESLint's rows are read in its own parser.
        if is_row(body) || body.starts_with("[eslint]") || body.contains("eslint-loader") {
            return Read::Foreign;
        }
        push_line(&mut self.text, text);
        if let Some(at) = text.strip_prefix(" @ ") {
            // The first is the import that failed.
            if let Some(place) = place_of(at).filter(|place| self.place.line.is_none() && place.file == self.place.file)
            {
                self.place = place;
            }
            return if self.message.is_empty() { Read::On } else { Read::Over };
        }
        if let Some(at) =
            body.strip_prefix(",-[").or_else(|| body.strip_prefix("╭─[")).and_then(|at| at.strip_suffix(']'))
            && let Some(place) = place_of(at.trim())
        {
            self.place.line = place.line;
            self.place.column = place.column;
            return Read::On;
        }
        if body.is_empty() {
            let goes_on = self.message.is_empty() && self.severity.is_some() || self.waits();
            return match goes_on {
                true => Read::On,
                false if self.message.is_empty() => Read::Foreign,
                false => Read::Over,
            };
        }
        if let Some(at) = body.strip_prefix("TypeScript error in ") {
            self.place = place_of(at).unwrap_or_else(|| self.place.clone());
        } else if self.message.is_empty() && place_of(body).is_some() && self.severity.is_some() {
            // The name again, relative.
        } else if self.message.is_empty() || self.waits() {
            self.message = body.trim_start_matches("x ").trim_start_matches("× ").to_owned();
        }
        Read::On
    }

    /// What is said comes on the next line.
    fn waits(&self) -> bool {
        self.message == "Error:"
            || self.message == "Syntax Error"
            || self.message.ends_with("):") && self.message.starts_with("Module ") && self.message.contains(" (from ")
    }

    fn end(self, tool: Tool) -> Option<Diagnostic> {
        if self.message.is_empty() {
            return None;
        }
        let message = self.message.as_str();
        let mut place = self.place;
        let code = if message.contains("odule not found: ") {
            "module_not_found".to_owned()
        } else if let Some(at) = message.strip_suffix(')').and_then(|text| text.rsplit_once(" (")).map(|(_, at)| at)
            && let Some((line, column)) = at.split_once(':')
            && let (Some(line), Some(column)) = (number(line), number(column))
        {
            // Parsers count columns from 0.
            place.line = place.line.or(line_number(line));
            place.column = place.column.or(column.checked_add(1));
            "syntax".to_owned()
        } else if message.starts_with("export '") || message.starts_with("\"export '") {
            "export_not_found".to_owned()
        } else if message.starts_with("Parsing ")
            || message.starts_with("SyntaxError")
            || message.starts_with("Expected ")
        {
            "syntax".to_owned()
        } else {
            slug(&message.split('(').next().unwrap_or(message).replace(['\'', '"'], "`"))
        };
        let (tool, code, message) = match (is_type_script(message), message.strip_prefix("Type error: "), tool) {
            (Some((code, message)), _, _) => ("tsc", code.to_owned(), message),
            (None, Some(message), _) => ("next", "type_error".to_owned(), message),
            (None, None, Tool::Turbopack) => ("turbopack", code, message),
            (None, None, Tool::Webpack) => ("webpack", code, message),
        };
        let severity = self.severity.unwrap_or(Severity::Error);
        let code = if code.is_empty() { severity.as_str().to_owned() } else { code };
        Some(Diagnostic {
            file: place.file,
            line: place.line,
            column: place.column.filter(|_| place.line.is_some()),
            raw: raw(&self.text),
            ..Diagnostic::new(tool, Kind::Lint, severity, code, one_line(message))
        })
    }
}

/// A row of ESLint's: `3:36  Error: message  rule`, `Line 3:5:  message  rule`.
fn is_row(body: &str) -> bool {
    let (at, rest) = match body.strip_prefix("Line ") {
        Some(rest) => rest.split_once(":  ").unwrap_or_default(),
        None => body.split_once("  ").filter(|(at, _)| at.contains(':')).unwrap_or_default(),
    };
    !rest.is_empty() && at.split(':').all(|part| number(part).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let at = |text: &str| head(text).map(|block| (block.place.file.unwrap_or_default(), block.place.line));
        assert_eq!(at("ERROR in ./src/a.js 3:0-24"), Some(("./src/a.js".to_owned(), Some(3))));
        assert_eq!(at("ERROR in src/a.ts:3:5"), Some(("src/a.ts".to_owned(), Some(3))));
        assert_eq!(at("[tsl] ERROR in C:\\p\\a b.ts(3,5)"), Some(("C:\\p\\a b.ts".to_owned(), Some(3))));
        assert_eq!(at("ERROR in ./node_modules/x/i.js!./src/a.css?y"), Some(("./src/a.css".to_owned(), None)));
        for other in
            ["ERROR in the matrix", "WARNING in 3 seconds", "ERROR in a.ts(3,5): error TS2322: x", "an ERROR in ./a.js"]
        {
            assert_eq!(at(other), None, "{other}");
        }
    }
}
