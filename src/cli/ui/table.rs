//! Tables that fit.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table as Comfy};

use super::colour::{Paint, Tone};
use super::text::clean;

/// Columns that are enough for the last column of a table.
const ROOM: usize = 28;
/// Columns between two columns of a table.
const GAP: u16 = 2;
/// Columns before the lower lines of a stacked row.
const INDENT: usize = 4;

/// What a table is drawn on.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns that it may take; none: as many as it needs.
    pub width: Option<usize>,
    /// Whether it has colours.
    pub paint: Paint,
    /// Whether there is a line under its head.
    pub lines: bool,
}

/// One cell.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    tone: Option<Tone>,
}

impl Cell {
    /// Text in a tone.
    pub fn toned(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: clean(text.as_ref()), tone: Some(tone) }
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        self.tone.map_or_else(|| text.to_owned(), |tone| paint.paint(tone, text))
    }
}

impl<S: AsRef<str>> From<S> for Cell {
    fn from(text: S) -> Self {
        Self { text: clean(text.as_ref()), tone: None }
    }
}

/// Rows under a head. The last column holds the longest text and is the one that is wrapped.
///
/// What does not fit loses its optional columns first; what still does not fit is stacked: the short cells on a line
/// without a head, the long one indented below.
#[derive(Debug)]
pub struct Table<const N: usize> {
    head: Option<[&'static str; N]>,
    right: &'static [usize],
    optional: &'static [usize],
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Table<N> {
    /// A table without rows.
    pub fn new(head: [&'static str; N]) -> Self {
        Self { head: Some(head), right: &[], optional: &[], rows: Vec::new() }
    }

    /// One without a head, below a heading.
    pub fn headless() -> Self {
        Self { head: None, right: &[], optional: &[], rows: Vec::new() }
    }

    /// Sets numbers flush right.
    pub fn right(mut self, columns: &'static [usize]) -> Self {
        self.right = columns;
        self
    }

    /// Columns that go where there is no room, the first first.
    pub fn optional(mut self, columns: &'static [usize]) -> Self {
        self.optional = columns;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: [Cell; N]) {
        self.rows.push(cells);
    }

    /// The lines, each ended. Columns that are empty in every row are left out.
    pub fn render(self, look: Look) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut used: Vec<usize> =
            (0..N).filter(|&column| self.rows.iter().any(|row| !row[column].text.is_empty())).collect();
        let Some(width) = look.width else { return self.draw(&used, None, look) };
        let mut optional = self.optional.iter();
        while self.least_width(&used) > width {
            match optional.next() {
                Some(column) => used.retain(|other| other != column),
                None => return self.stack(&used, width, look.paint),
            }
        }
        self.draw(&used, Some(width), look)
    }

    fn natural_width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].text.as_str());
        let head = self.head.map(|head| head[column]);
        cells.chain(head).map(console::measure_text_width).max().unwrap_or(0)
    }

    /// What the columns need if only the last one gives way.
    fn least_width(&self, used: &[usize]) -> usize {
        let widths = used.iter().map(|&column| self.natural_width(column));
        let last = used.last().map_or(0, |&column| self.natural_width(column));
        widths.sum::<usize>() - last + last.min(ROOM) + usize::from(GAP) * used.len().saturating_sub(1)
    }

    fn draw(&self, used: &[usize], width: Option<usize>, look: Look) -> String {
        let mut table = Comfy::new();
        let mut style = NOTHING;
        if look.lines {
            style = style.header_separator(LineStyle::none().fill('─'));
        }
        table.load_style(style).set_content_arrangement(ContentArrangement::Dynamic);
        if let Some(head) = self.head {
            table.set_header(used.iter().map(|&column| drawn(&Cell::toned(head[column], Tone::Strong), look.paint)));
        }
        for row in &self.rows {
            table.add_row(used.iter().map(|&column| drawn(&row[column], look.paint)));
        }
        let natural: usize = used.iter().map(|&column| self.natural_width(column) + usize::from(GAP)).sum();
        for (index, &column) in used.iter().enumerate() {
            let Some(drawn) = table.column_mut(index) else { continue };
            let last = index + 1 == used.len();
            drawn.set_padding((0, if last { 0 } else { GAP }));
            if !last {
                drawn.set_constraint(ColumnConstraint::ContentWidth);
            }
            if self.right.contains(&column) {
                drawn.set_cell_alignment(CellAlignment::Right);
            }
        }
        lines(table, width.unwrap_or(natural), look.paint)
    }

    fn stack(&self, used: &[usize], width: usize, paint: Paint) -> String {
        let gap = usize::from(GAP);
        let mut text = String::new();
        let (last, short) = used.split_last().map_or((0, used), |(last, short)| (*last, short));
        for row in &self.rows {
            let mut filled = 0;
            for cell in short.iter().map(|&column| &row[column]).filter(|cell| !cell.text.is_empty()) {
                let indent = if text.is_empty() || text.ends_with('\n') && filled == 0 { 0 } else { INDENT };
                let needed = console::measure_text_width(&cell.text);
                if filled > 0 && filled + gap + needed <= width {
                    text.push_str(&" ".repeat(gap));
                    text.push_str(&cell.paint(paint, &cell.text));
                    filled += gap + needed;
                    continue;
                }
                if filled > 0 {
                    text.push('\n');
                }
                let pieces = wrap(&cell.text, width.saturating_sub(indent));
                filled = indent + pieces.last().map_or(0, |piece| console::measure_text_width(piece));
                let pieces = pieces.iter().map(|piece| " ".repeat(indent) + &cell.paint(paint, piece));
                text.push_str(&pieces.collect::<Vec<_>>().join("\n"));
            }
            text.push('\n');
            let cell = &row[last];
            for piece in wrap(&cell.text, width.saturating_sub(INDENT)) {
                text.push_str(&format!("{:INDENT$}{}\n", "", cell.paint(paint, &piece)));
            }
        }
        text
    }
}

/// Breaks a line at its spaces, and a word that is too long anywhere. At least one column wide.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut filled = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            if filled + 1 + console::measure_text_width(word) <= width {
                line.push(' ');
                filled += 1;
            } else {
                lines.push(std::mem::take(&mut line));
                filled = 0;
            }
        }
        for c in word.chars() {
            let needed = console::measure_text_width(c.encode_utf8(&mut [0; 4]));
            if filled + needed > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                filled = 0;
            }
            line.push(c);
            filled += needed;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The table's lines without blanks at their ends.
fn lines(mut table: Comfy, width: usize, paint: Paint) -> String {
    // crossterm would ask NO_COLOR again; what the flag and the environment came to is known here.
    crossterm::style::force_color_output(paint.0);
    if paint.0 {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn drawn(cell: &Cell, paint: Paint) -> comfy_table::Cell {
    let drawn = comfy_table::Cell::new(&cell.text);
    match cell.tone.filter(|_| paint.0) {
        None => drawn,
        Some(Tone::Good) => drawn.fg(Color::DarkGreen),
        Some(Tone::Bad) => drawn.fg(Color::DarkRed).add_attribute(Attribute::Bold),
        Some(Tone::Warn) => drawn.fg(Color::DarkYellow),
        Some(Tone::Busy) => drawn.fg(Color::DarkCyan),
        Some(Tone::Dim) => drawn.add_attribute(Attribute::Dim),
        Some(Tone::Strong) => drawn.add_attribute(Attribute::Bold),
    }
}

/// Facts, one a line, with their names in a column; values that do not fit go on below themselves, empty ones are
/// left out.
pub fn facts(rows: &[(&'static str, String)], look: Look) -> String {
    let mut table = Comfy::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    let names = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut longest = 0;
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        let value = value.lines().map(clean).collect::<Vec<_>>();
        longest = value.iter().map(|line| console::measure_text_width(line)).max().unwrap_or(0).max(longest);
        table.add_row([drawn(&Cell::toned(name, Tone::Dim), look.paint), comfy_table::Cell::new(value.join("\n"))]);
    }
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, GAP)).set_constraint(ColumnConstraint::ContentWidth);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_padding((0, 0));
    }
    lines(table, look.width.unwrap_or(names + usize::from(GAP) + longest), look.paint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(width: Option<usize>, lines: bool) -> Look {
        Look { width, paint: Paint(false), lines }
    }

    fn sample() -> Table<4> {
        let mut table = Table::new(["id", "none", "n", "message"]).right(&[2]);
        table.row([
            "3k9x0a7m2vqz".into(),
            "".into(),
            "7".into(),
            "a message of many words that has to be wrapped".into(),
        ]);
        table.row(["bbbb".into(), "".into(), "10".into(), "漢字はとても広いのでよく見てください".into()]);
        table.row(["c".into(), "".into(), "1".into(), "a/very/long/path/without/any/place/to/break/it.rs".into()]);
        table
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in 12..200 {
            let text = sample().render(look(Some(width), true));
            for line in text.lines() {
                assert!(console::measure_text_width(line) <= width, "{width}: {line:?}\n{text}");
            }
        }
    }

    #[test]
    fn the_last_column_is_wrapped_and_empty_ones_are_left_out() {
        insta::assert_snapshot!("table_48", sample().render(look(Some(48), true)));
    }

    #[test]
    fn elsewhere_a_row_is_one_line_without_art() {
        insta::assert_snapshot!("table_piped", sample().render(look(None, false)));
    }

    #[test]
    fn colours_do_not_change_the_layout() {
        let plain = sample().render(look(Some(48), true));
        let coloured = {
            let mut table = sample();
            table.rows[0][0].tone = Some(Tone::Bad);
            table.render(Look { width: Some(48), paint: Paint(true), lines: true })
        };
        assert_ne!(plain, coloured);
        let stripped: Vec<String> =
            coloured.lines().map(|line| console::strip_ansi_codes(line).trim_end().to_owned()).collect();
        assert_eq!(stripped, plain.lines().collect::<Vec<_>>());
    }
}
