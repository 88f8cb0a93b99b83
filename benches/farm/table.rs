//! The one table that is printed.

use std::fmt;
use std::time::Duration;

/// One figure.
pub struct Row {
    name: String,
    ours: String,
    peer: String,
    ratio: Option<f64>,
    goal: String,
    met: Option<bool>,
}

impl Row {
    /// A time beside the peer's; `goal` is the ratio that it may have at most.
    pub fn time(name: &str, ours: Duration, peer: (&str, Duration), goal: Option<f64>) -> Self {
        let ratio = ours.as_secs_f64() / peer.1.as_secs_f64();
        Self {
            name: name.to_owned(),
            ours: time(ours),
            peer: format!("{} {}", peer.0, time(peer.1)),
            ratio: Some(ratio),
            goal: goal.map(|goal| format!("≤ {goal}×")).unwrap_or_default(),
            met: goal.map(|goal| ratio <= goal),
        }
    }

    /// So much in a second, beside the peer's; `goal` is how much it must be at least.
    pub fn rate(name: &str, unit: &str, ours: f64, peer: (&str, f64), goal: Option<f64>) -> Self {
        Self {
            name: name.to_owned(),
            ours: format!("{} {unit}/s", grouped(ours)),
            peer: format!("{} {} {unit}/s", peer.0, grouped(peer.1)),
            ratio: Some(ours / peer.1),
            goal: goal.map(|goal| format!("≥ {goal} {unit}/s")).unwrap_or_default(),
            met: goal.map(|goal| ours >= goal),
        }
    }

    /// A figure with a limit of its own.
    pub fn limit(name: &str, ours: String, goal: String, met: bool) -> Self {
        Self { name: name.to_owned(), ours, peer: String::new(), ratio: None, goal, met: Some(met) }
    }

    /// A benchmark that could not be run.
    pub fn skipped(name: &str, reason: &str) -> Self {
        let reason = reason.lines().next().unwrap_or_default();
        Self {
            name: name.to_owned(),
            ours: format!("skipped: {reason}"),
            peer: String::new(),
            ratio: None,
            goal: String::new(),
            met: None,
        }
    }

    fn cells(&self) -> [String; 6] {
        let ratio = self.ratio.map(|ratio| format!("{ratio:.2}×")).unwrap_or_default();
        let met = match self.met {
            Some(true) => "ok",
            Some(false) => "missed",
            None => "",
        };
        [self.name.clone(), self.ours.clone(), self.peer.clone(), ratio, self.goal.clone(), met.to_owned()]
    }
}

/// All figures.
#[derive(Default)]
pub struct Table(Vec<Row>);

impl Extend<Row> for Table {
    fn extend<T: IntoIterator<Item = Row>>(&mut self, rows: T) {
        self.0.extend(rows);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["what", "crafting", "beside", "ratio", "goal", ""].map(str::to_owned);
        let rows: Vec<[String; 6]> = std::iter::once(head).chain(self.0.iter().map(Row::cells)).collect();
        let widths: Vec<usize> =
            (0..6).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
        for (number, row) in rows.iter().enumerate() {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, &width)| format!(" {cell:<width$} ")).collect();
            writeln!(f, "|{}|", cells.join("|"))?;
            if number == 0 {
                let lines: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
                writeln!(f, "|{}|", lines.join("|"))?;
            }
        }
        Ok(())
    }
}

/// A time as people say it.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 1.0 { format!("{seconds:.2} s") } else { format!("{:.1} ms", seconds * 1000.0) }
}

fn grouped(number: f64) -> String {
    if number < 1000.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{number:.0}");
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits are ASCII")).collect();
    groups.join(" ")
}
