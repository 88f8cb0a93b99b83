//! Which lines hold anything of interest: one search for the triggers of all parsers at once.

use aho_corasick::{AhoCorasick, MatchKind, packed};

/// A set of parsers, by their index in the registry.
pub(super) type Set = u128;

/// Teddy, the vectorised search, is twice as fast for up to 32 patterns, and the more exact the fewer they are.
const PATTERNS_PER_PASS: usize = 32;

/// Bytes of a pattern that Teddy looks at; what agrees in these is compared whole, which takes its time.
const LOOKED_AT: usize = 3;

/// Bytes of a trigger that are compared at least, so that a line is not looked at for nothing.
const COMPARED: usize = 6;

/// Bytes of logs, the most frequent first. What is not among them is rare.
const FREQUENT: &[u8] = b" .-0etaonisrldcu123456789hmp_/fgbvywkxE";

/// What begins a JSON document that is spread over lines. A document on one line is found by its own triggers.
const OPENINGS: [&str; 5] = ["\n[\n", "\n{\n", "\n[\r", "\n{\r", "\n[{"];

/// The triggers of all parsers.
pub(super) struct Triggers {
    passes: Vec<Pass>,
    lines: Table,
    json: Table,
}

/// What to search blocks for to find all lines that hold a trigger: of each trigger the part that begins the rarest
/// way, and of parts that lie in one another the smallest.
fn searched(triggers: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut parts: Vec<&str> = triggers.map(rarest_end).collect();
    parts.sort_unstable_by_key(|part| (part.len(), *part));
    let mut chosen: Vec<&str> = Vec::new();
    for part in parts {
        if !chosen.iter().any(|smaller| part.contains(smaller)) {
            chosen.push(part);
        }
    }
    chosen
}

/// The end of a trigger whose first bytes are the rarest together.
fn rarest_end(trigger: &'static str) -> &'static str {
    let bytes = trigger.as_bytes();
    let frequency = |at: usize| -> usize {
        let rank = |byte: &u8| FREQUENT.iter().position(|frequent| frequent == byte).unwrap_or(FREQUENT.len());
        bytes[at..at + LOOKED_AT].iter().map(|byte| FREQUENT.len() - rank(byte)).sum()
    };
    let starts = 0..=bytes.len().saturating_sub(COMPARED);
    let best = starts.filter(|at| trigger.is_char_boundary(*at) && at + LOOKED_AT <= bytes.len());
    let best = best.min_by_key(|at| frequency(*at));
    best.map_or(trigger, |at| &trigger[at..])
}

/// Finds where in a block any of some patterns is.
enum Pass {
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
}

impl Pass {
    fn new(patterns: &[&str]) -> Self {
        match packed::Config::new().builder().extend(patterns).build() {
            Some(searcher) => Self::Packed(searcher),
            None => Self::Automaton(build(patterns, MatchKind::LeftmostFirst)),
        }
    }

    fn find(&self, block: &[u8], from: usize) -> Option<usize> {
        match self {
            Self::Packed(searcher) => {
                searcher.find_in(block, aho_corasick::Span { start: from, end: block.len() }).map(|hit| hit.start())
            }
            Self::Automaton(automaton) => {
                automaton.find(aho_corasick::Input::new(block).range(from..)).map(|hit| hit.start())
            }
        }
    }
}

/// Says whose patterns are in a text.
struct Table {
    automaton: AhoCorasick,
    owners: Vec<Set>,
}

impl Table {
    fn new(owned: &[(&'static str, Set)]) -> Self {
        let patterns: Vec<&str> = owned.iter().map(|(pattern, _)| *pattern).collect();
        Self { automaton: build(&patterns, MatchKind::Standard), owners: owned.iter().map(|(_, set)| *set).collect() }
    }

    fn owners(&self, text: &str) -> Set {
        let mut set = 0;
        for hit in self.automaton.find_overlapping_iter(text) {
            set |= self.owners[hit.pattern().as_usize()];
        }
        set
    }
}

fn build(patterns: &[&str], kind: MatchKind) -> AhoCorasick {
    AhoCorasick::builder()
        .match_kind(kind)
        .build(patterns)
        .expect("a few hundred short patterns are far below the automaton's limits")
}

impl Triggers {
    /// From the line triggers and the JSON triggers of each parser, in the registry's order.
    pub fn new(parsers: impl IntoIterator<Item = (&'static [&'static str], &'static [&'static str])>) -> Self {
        let mut lines = Vec::new();
        let mut json = Vec::new();
        for (index, (line_triggers, json_triggers)) in parsers.into_iter().enumerate() {
            lines.extend(line_triggers.iter().map(|trigger| (*trigger, 1 << index)));
            json.extend(json_triggers.iter().map(|trigger| (*trigger, 1 << index)));
        }
        let patterns = searched(lines.iter().chain(&json).map(|(pattern, _)| *pattern).chain(OPENINGS));
        let passes = patterns.len().div_ceil(PATTERNS_PER_PASS);
        Self {
            passes: patterns.chunks(patterns.len().div_ceil(passes)).map(Pass::new).collect(),
            lines: Table::new(&lines),
            json: Table::new(&json),
        }
    }

    /// Whose line triggers are in this clean line.
    pub fn in_line(&self, text: &str) -> Set {
        self.lines.owners(text)
    }

    /// Whose JSON triggers are in this text.
    pub fn in_json(&self, text: &str) -> Set {
        self.json.owners(text)
    }

    /// A walk over a block of whole lines.
    pub fn walk<'a>(&'a self, block: &'a [u8]) -> Walk<'a> {
        Walk { triggers: self, block, next: vec![None; self.passes.len() + 1] }
    }
}

/// Finds the places of interest in a block one after the other; each search runs over each byte once.
pub(super) struct Walk<'a> {
    triggers: &'a Triggers,
    block: &'a [u8],
    /// Where the hit after the place last asked for is, per pass, then for escape sequences: a coloured line has to
    /// be stripped before anything can be said about it.
    next: Vec<Option<usize>>,
}

impl Walk<'_> {
    /// The start of the first line at or behind the line start `from` that has to be looked at.
    pub fn next_line(&mut self, from: usize) -> Option<usize> {
        // The line break before is searched too: documents are recognised by it.
        let search_from = from.saturating_sub(1);
        let mut first = self.block.len();
        for (index, next) in self.next.iter_mut().enumerate() {
            let hit = match *next {
                Some(hit) if hit >= search_from => hit,
                _ => {
                    let hit = match self.triggers.passes.get(index) {
                        Some(pass) => pass.find(self.block, search_from),
                        None => memchr::memchr(0x1b, &self.block[search_from..]).map(|at| at + search_from),
                    };
                    *next.insert(hit.unwrap_or(usize::MAX))
                }
            };
            first = first.min(hit);
        }
        if first >= self.block.len() {
            return None;
        }
        let start = if self.block[first] == b'\n' {
            first + 1
        } else {
            memchr::memrchr(b'\n', &self.block[..first]).map_or(0, |at| at + 1)
        };
        Some(start.max(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_part_is_searched_for() {
        assert_eq!(rarest_end("     Running "), "Running ");
        assert_eq!(rarest_end("... FAILED"), "FAILED");
        assert_eq!(rarest_end("ab"), "ab");
        let parts = searched(["... FAILED", "FAILED", "= FAILURES =", "SUBFAIL"].into_iter());
        assert!(parts.len() < 4, "{parts:?}");
    }

    #[test]
    fn every_trigger_is_found_wherever_it_stands() {
        let triggers: &'static [&'static str] = &["... FAILED", "SUBFAIL", "failures:", "--> ", "error[E", "running "];
        let all = Triggers::new([(triggers, &[] as &[&str])]);
        for trigger in triggers {
            for text in [format!("one\n{trigger}\ntwo\n"), format!("one\nbefore {trigger} after\n")] {
                assert_eq!(all.walk(text.as_bytes()).next_line(0), Some(4), "{text:?}");
            }
        }
        assert_eq!(all.walk(b"one\ntwo\n").next_line(0), None);
    }
}
