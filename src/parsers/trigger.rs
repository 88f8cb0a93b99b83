//! Which lines hold anything of interest: one search for the triggers of all parsers at once.
//!
//! Some hundred triggers are too many for a vectorised search. But many have a few rare bytes in common (`ERR`,
//! `AIL`), so it is parts of three bytes that are searched for, chosen so that few cover all triggers. Where a part
//! is found, the triggers that it stands for are compared.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind, packed};

/// A set of parsers, by their index in the registry.
pub(super) type Set = u128;

/// Bytes of a part: what Teddy, the vectorised search, looks at.
const PART: usize = 3;
type Part = [u8; PART];

/// Teddy is twice as fast for up to 32 patterns.
const PARTS_PER_PASS: usize = 32;

/// How often a part may occur per byte before that costs more than one part more.
const CHEAP: f64 = 1e-4;

/// What begins a JSON document that is spread over lines, at the margin, behind a prefix or other text. A document on
/// one line is found by its own triggers.
const OPENINGS: [&str; 18] = [
    "\n[\n", "\n{\n", "\n[\r", "\n{\r", "\n[{", "\n{ ", " {\n", " [\n", " {\r", " [\r", ":{\n", ":[\n", ":{\r", ":[\r",
    "[{\n", "[{\r", " [{", "\u{feff}",
];

/// The triggers of all parsers.
pub(super) struct Triggers {
    lines: Finder,
    json: Finder,
}

/// Finds any of some triggers.
struct Finder {
    passes: Vec<Pass>,
    /// What the parts stand for, those of the first pass first.
    meant: Vec<Vec<Meant>>,
}

/// A trigger that holds a part.
struct Meant {
    trigger: &'static [u8],
    /// Where in the trigger the part is.
    at: usize,
    owners: Set,
}

/// Finds where in a text any of some parts is.
enum Pass {
    Packed(packed::Searcher),
    /// For processors without the instructions.
    Automaton(Box<AhoCorasick>),
}

impl Pass {
    fn new(parts: &[Part]) -> Self {
        match packed::Config::new().builder().extend(parts).build() {
            Some(searcher) => Self::Packed(searcher),
            None => Self::Automaton(Box::new(
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostFirst)
                    .build(parts)
                    .expect("a few short patterns are far below the automaton's limits"),
            )),
        }
    }

    fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        let hit = match self {
            Self::Packed(searcher) => searcher.find_in(text, aho_corasick::Span { start: from, end: text.len() }),
            Self::Automaton(automaton) => automaton.find(aho_corasick::Input::new(text).range(from..)),
        };
        hit.map(|hit| (hit.pattern().as_usize(), hit.start()))
    }
}

impl Finder {
    fn new(triggers: &[(&'static str, Set)]) -> Self {
        let mut owners: HashMap<&'static [u8], Set> = HashMap::new();
        for (trigger, set) in triggers {
            *owners.entry(trigger.as_bytes()).or_default() |= set;
        }
        let mut triggers: Vec<_> = owners.into_iter().collect();
        triggers.sort_unstable();
        let (mut parts, mut meant) = (Vec::new(), Vec::new());
        for (part, covered) in cover(&triggers) {
            parts.push(part);
            meant.push(
                covered
                    .into_iter()
                    .map(|(index, at)| {
                        let (trigger, owners) = triggers[index];
                        Meant { trigger, at, owners }
                    })
                    .collect(),
            );
        }
        Self { passes: parts.chunks(PARTS_PER_PASS).map(Pass::new).collect(), meant }
    }

    /// The next place at or behind `from` where triggers of this pass are, as their start, the place to go on from,
    /// and their owners.
    fn next(&self, pass: usize, text: &[u8], mut from: usize) -> Option<(usize, usize, Set)> {
        loop {
            let (part, at) = self.passes[pass].find(text, from)?;
            from = at + 1;
            let (mut first, mut owners) = (None::<usize>, 0);
            for meant in &self.meant[pass * PARTS_PER_PASS + part] {
                if let Some(start) = at.checked_sub(meant.at)
                    && text[start..].starts_with(meant.trigger)
                {
                    first = Some(first.map_or(start, |first| first.min(start)));
                    owners |= meant.owners;
                }
            }
            if let Some(first) = first {
                return Some((first, from, owners));
            }
        }
    }

    /// Whose triggers are in a text.
    fn owners(&self, text: &[u8]) -> Set {
        let mut all = 0;
        for pass in 0..self.passes.len() {
            let mut from = 0;
            while let Some((_, next, owners)) = self.next(pass, text, from) {
                all |= owners;
                from = next;
            }
        }
        all
    }
}

/// Parts that are in all triggers: of the index in `triggers`, and where in it. Chosen one by one, each so that it
/// covers many triggers for how often it occurs in logs.
fn cover(triggers: &[(&'static [u8], Set)]) -> Vec<(Part, Vec<(usize, usize)>)> {
    let mut holders: HashMap<Part, Vec<(usize, usize)>> = HashMap::new();
    for (index, (trigger, _)) in triggers.iter().enumerate() {
        for (at, part) in trigger.windows(PART).enumerate() {
            let part = part.try_into().expect("windows are as long as a part");
            let holders = holders.entry(part).or_default();
            if holders.last().is_none_or(|(last, _)| *last != index) {
                holders.push((index, at));
            }
        }
    }
    let mut chosen = Vec::new();
    while !holders.is_empty() {
        #[allow(clippy::cast_precision_loss)] // A few hundred.
        let worth = |part: &Part, count: usize| count as f64 / (CHEAP + frequency(*part));
        let best = holders
            .iter()
            .max_by(|(a, of_a), (b, of_b)| worth(a, of_a.len()).total_cmp(&worth(b, of_b.len())).then(b.cmp(a)))
            .map(|(part, _)| *part);
        let Some(covered) = best.and_then(|best| Some((best, holders.remove(&best)?))) else { break };
        let is_covered: std::collections::HashSet<usize> = covered.1.iter().map(|(index, _)| *index).collect();
        holders.retain(|_, holders| {
            holders.retain(|(index, _)| !is_covered.contains(index));
            !holders.is_empty()
        });
        chosen.push(covered);
    }
    chosen
}

/// How often a part occurs per byte of a log, roughly: as often as its bytes do, if they were independent.
fn frequency(part: Part) -> f64 {
    if part.iter().all(|byte| *byte == part[0]) {
        // Rulers and indentation.
        return 5e-3;
    }
    part.iter()
        .map(|byte| match byte {
            b' ' => 0.15,
            b'e' => 0.07,
            b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 0.05,
            b'd' | b'l' | b'c' | b'u' | b'm' | b'p' | b'h' => 0.03,
            b'f' | b'g' | b'b' | b'v' | b'y' | b'w' | b'k' => 0.015,
            b'0'..=b'9' | b'"' | b':' => 0.02,
            b'.' | b'/' | b'-' | b'_' | b',' => 0.015,
            b'\n' => 0.01,
            b'=' | b'(' | b')' | b'\'' | b'[' | b']' => 0.006,
            b'A'..=b'Z' | b'j' | b'q' | b'x' | b'z' => 0.003,
            _ => 0.001,
        })
        .product()
}

impl Triggers {
    /// From the line triggers and the JSON triggers of each parser, in the registry's order.
    pub fn new(parsers: impl IntoIterator<Item = (&'static [&'static str], &'static [&'static str])>) -> Self {
        let mut lines: Vec<(&str, Set)> = OPENINGS.iter().map(|opening| (*opening, 0)).collect();
        let mut json: Vec<(&str, Set)> = Vec::new();
        for (index, (line_triggers, json_triggers)) in parsers.into_iter().enumerate() {
            lines.extend(line_triggers.iter().map(|trigger| (*trigger, 1 << index)));
            json.extend(json_triggers.iter().map(|trigger| (*trigger, 1 << index)));
        }
        Self { lines: Finder::new(&lines), json: Finder::new(&json) }
    }

    /// Whose line triggers are in this clean line.
    pub fn in_line(&self, text: &str) -> Set {
        self.lines.owners(text.as_bytes())
    }

    /// Whose JSON triggers are in this text.
    pub fn in_json(&self, text: &str) -> Set {
        self.json.owners(text.as_bytes())
    }

    /// A walk over a block of whole lines.
    pub fn walk<'a>(&'a self, block: &'a [u8]) -> Walk<'a> {
        let passes = self.lines.passes.len() + self.json.passes.len();
        Walk { triggers: self, block, next: vec![None; passes], record: None }
    }
}

/// Finds the places of interest in a block one after the other; each search runs over each byte once.
pub(super) struct Walk<'a> {
    triggers: &'a Triggers,
    block: &'a [u8],
    /// Where the hit after the place last asked for is, per pass.
    next: Vec<Option<usize>>,
    /// The same for what every JSON record holds: without it there is no need to look for JSON triggers.
    record: Option<usize>,
}

impl Walk<'_> {
    /// The start of the first line at or behind the line start `from` that has to be looked at.
    pub fn next_line(&mut self, from: usize) -> Option<usize> {
        let Self { triggers: Triggers { lines, json }, block, next, record } = self;
        // The line break before is searched too: documents are recognised by it.
        let from_break = from.saturating_sub(1);
        let is_past = |hit: &Option<usize>| hit.is_some_and(|hit| hit >= from_break);
        if !is_past(record) {
            let found = memchr::memmem::find(&block[from_break..], b"{\"");
            *record = Some(found.map_or(usize::MAX, |at| at + from_break));
        }
        let mut first = block.len();
        for (index, next) in next.iter_mut().enumerate() {
            let (finder, pass) = match index.checked_sub(lines.passes.len()) {
                None => (lines, index),
                Some(_) if *record == Some(usize::MAX) => break,
                Some(pass) => (json, pass),
            };
            if !is_past(next) {
                *next = Some(finder.next(pass, block, from_break).map_or(usize::MAX, |(start, ..)| start));
            }
            first = first.min(next.unwrap_or(usize::MAX));
        }
        if first >= block.len() {
            return None;
        }
        let start = if block[first] == b'\n' {
            first + 1
        } else {
            memchr::memrchr(b'\n', &block[..first]).map_or(0, |at| at + 1)
        };
        Some(start.max(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parsers::REGISTRY;

    #[test]
    fn few_parts_cover_all_triggers() {
        let triggers = ["... FAILED", "FAILED", "= FAILURES =", "SUBFAIL", "--- FAIL: "];
        let triggers: Vec<_> = triggers.iter().map(|trigger| (trigger.as_bytes(), 0)).collect();
        assert_eq!(cover(&triggers).len(), 1);
    }

    #[test]
    fn every_trigger_is_found_wherever_it_stands() {
        let parsers: Vec<_> =
            REGISTRY.iter().map(|make| make()).map(|parser| (parser.triggers(), parser.json_triggers())).collect();
        let all = Triggers::new(parsers.iter().copied());
        for (index, (lines, json)) in parsers.iter().enumerate() {
            for trigger in *lines {
                assert!(trigger.len() >= 4, "{trigger:?} is too short to be searched for");
                for text in [format!("one\n{trigger}\ntwo\n"), format!("one\nbefore {trigger} after\n")] {
                    assert_eq!(all.walk(text.as_bytes()).next_line(0), Some(4), "{text:?}");
                    assert_ne!(all.in_line(&text) & 1 << index, 0, "{text:?}");
                }
            }
            for trigger in *json {
                assert!(trigger.len() >= 4, "{trigger:?} is too short to be searched for");
                let text = format!("one\n{{\"a\":{trigger}}}\n");
                assert_eq!(all.walk(text.as_bytes()).next_line(0), Some(4), "{text:?}");
                assert_ne!(all.in_json(&text) & 1 << index, 0, "{text:?}");
            }
        }
        assert_eq!(all.walk(b"one\ntwo\n").next_line(0), None);
    }

    #[test]
    fn triggers_that_overlap_are_all_found() {
        let parsers: [(&'static [&'static str], &'static [&'static str]); 3] =
            [(&["error: "], &[]), (&[": error: "], &[]), (&["ror: x"], &[])];
        assert_eq!(Triggers::new(parsers).in_line("a: error: x"), 0b111);
    }
}
