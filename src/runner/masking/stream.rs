//! Masking a stream that comes in pieces.

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID};

use super::{MASK, Machine, Masks};

/// So many bytes of a value's beginning count as the value. Fewer are shown where nothing follows them for a while:
/// a prompt may end as a value begins.
const PART: usize = 3;

/// One stream's masking. What it has seen of a form that is not over is held back.
///
/// All occurrences count, of all forms: bytes that any of them covers are left out, and a mask stands for each run of
/// occurrences that overlap. So what comes out does not depend on where the pieces of the stream end.
pub(super) struct Masker {
    masks: Masks,
    state: StateID,
    /// Bytes that have not come out yet.
    held: Vec<u8>,
    /// Where in the stream those begin.
    start: u64,
    /// Occurrences that have not come out yet, by place; those that overlap are one.
    found: Vec<(u64, u64)>,
    /// The end of the last occurrence that came out.
    masked_to: u64,
}

impl Masker {
    pub(super) fn new(masks: Masks) -> Self {
        let state = masks.0.start;
        Self { masks, state, held: Vec::new(), start: 0, found: Vec::new(), masked_to: 0 }
    }

    /// Takes the next bytes, and appends to `out` all that is decided.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let position = self.position();
        let masks = self.masks.clone();
        match &masks.0.machine {
            Machine::Table(table) => self.search(table, bytes, position),
            Machine::Tree(tree) => self.search(tree, bytes, position),
        }
        self.held.extend_from_slice(bytes);
        // No occurrence that is still to come begins before the one that may have begun.
        let decided = self.position() - self.masks.depth(self.state) as u64;
        self.pass(decided, out);
    }

    /// Whether bytes wait that may come out if nothing follows: see [`Masker::release`].
    pub(super) fn may_release(&self) -> bool {
        !self.held.is_empty() && self.masks.depth(self.state) < PART
    }

    /// Nothing has followed for a while. Should the rest of a form come later, that is masked.
    pub(super) fn release(&mut self, out: &mut Vec<u8>) {
        if self.may_release() {
            self.pass(self.position(), out);
        }
    }

    /// Nothing will follow.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        let (position, depth) = (self.position(), self.masks.depth(self.state));
        if depth >= PART {
            // A recipe that is ended in the middle of a value has told most of it.
            self.add(position - depth as u64, position);
        }
        self.pass(position, out);
        self.state = self.masks.0.start;
    }

    fn position(&self) -> u64 {
        self.start + self.held.len() as u64
    }

    fn search(&mut self, machine: &impl Automaton, bytes: &[u8], mut position: u64) {
        let mut state = self.state;
        for &byte in bytes {
            state = machine.next_state(Anchored::No, state, byte);
            position += 1;
            if machine.is_special(state) && machine.is_match(state) {
                let lengths = (0..machine.match_len(state)).map(|nth| machine.match_pattern(state, nth));
                let longest = lengths.map(|form| machine.pattern_len(form)).max().unwrap_or_default();
                self.add(position - longest as u64, position);
            }
        }
        self.state = state;
    }

    /// Adds an occurrence that ends behind all others.
    fn add(&mut self, mut from: u64, to: u64) {
        while let Some(&(before, _)) = self.found.last().filter(|(_, end)| *end > from) {
            from = from.min(before);
            self.found.pop();
        }
        self.found.push((from, to));
    }

    /// Lets out what stands before `decided`, and the occurrences that begin there.
    fn pass(&mut self, decided: u64, out: &mut Vec<u8>) {
        let mut place = self.start;
        let mut count = 0;
        let held = &self.held;
        let at = |place: u64| usize::try_from(place - self.start).unwrap_or(held.len());
        for &(from, to) in self.found.iter().take_while(|(from, _)| *from < decided) {
            if from > place {
                out.extend_from_slice(&held[at(place)..at(from)]);
            }
            if from >= self.masked_to {
                out.extend_from_slice(MASK.as_bytes());
            }
            place = place.max(to);
            self.masked_to = to;
            count += 1;
        }
        if decided > place {
            out.extend_from_slice(&held[at(place)..at(decided)]);
            place = decided;
        }
        let gone = at(place);
        self.found.drain(..count);
        self.held.drain(..gone);
        self.start = place;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masks(forms: &[&str]) -> Masks {
        let forms: Vec<_> = forms.iter().map(|form| form.as_bytes().to_vec()).collect();
        Masks::new(&forms).unwrap()
    }

    fn in_pieces(masks: &Masks, pieces: &[&[u8]]) -> Vec<u8> {
        let (mut masker, mut out) = (Masker::new(masks.clone()), Vec::new());
        for piece in pieces {
            masker.push(piece, &mut out);
        }
        masker.end(&mut out);
        out
    }

    fn masked(forms: &[&str], text: &str) -> String {
        String::from_utf8(in_pieces(&masks(forms), &[text.as_bytes()])).unwrap()
    }

    /// The same in the plainest way: every byte that an occurrence covers, and what the end cuts off.
    fn plainly(forms: &[Vec<u8>], text: &[u8]) -> Vec<u8> {
        let mut found = Vec::new();
        for from in 0..text.len() {
            for form in forms {
                let rest = &text[from..];
                if rest.starts_with(form) {
                    found.push((from, from + form.len()));
                } else if rest.len() >= PART && form.starts_with(rest) && form.len() > rest.len() {
                    found.push((from, text.len()));
                }
            }
        }
        found.sort_unstable();
        let (mut out, mut place, mut begun) = (Vec::new(), 0, false);
        for (from, to) in found {
            if !begun || from >= place {
                out.extend_from_slice(&text[place..from]);
                out.extend_from_slice(MASK.as_bytes());
                begun = true;
            }
            place = place.max(to);
        }
        out.extend_from_slice(&text[place..]);
        out
    }

    #[test]
    fn all_that_any_value_covers_is_left_out() {
        for (forms, text, want) in [
            (&["abcd"][..], "abcd", "***"),
            (&["abcd"], "xabcdxabcd\n", "x***x***\n"),
            (&["abcd", "abcdef"], "abcdef abcde abcd", "*** ***e ***"),
            (&["abcd", "cdef"], "abcdef", "***"),
            (&["abcd", "cdef"], "abcdabcd cdef", "****** ***"),
            (&["aaaa"], "aaaaaaaaaa b aaa", "*** b ***"),
            (&["abcd", "xabcdyyyy"], "xabcdyy z", "x***yy z"),
            (&["abcd"], "abc", "***"),
            (&["abcd"], "ab", "ab"),
        ] {
            assert_eq!(masked(forms, text), want, "{forms:?} {text:?}");
        }
    }

    #[test]
    fn what_may_be_a_beginning_waits_and_little_of_it_is_shown() {
        let (mut masker, mut out) = (Masker::new(masks(&["abcdefgh"])), Vec::new());
        masker.push(b"name: ab", &mut out);
        assert_eq!((out.as_slice(), masker.may_release()), (&b"name: "[..], true));
        masker.release(&mut out);
        assert_eq!((out.as_slice(), masker.may_release()), (&b"name: ab"[..], false));
        masker.push(b"cdef", &mut out);
        masker.release(&mut out);
        assert_eq!(out, b"name: ab", "most of a value is not shown, however long nothing follows");
        masker.push(b"gh.", &mut out);
        assert_eq!(out, b"name: ab***.");
        masker.push(b"abcde", &mut out);
        masker.push(b"!", &mut out);
        assert_eq!(out, b"name: ab***.abcde!");
    }

    proptest! {
        #[test]
        fn where_the_pieces_end_makes_no_difference(
            forms in prop::collection::vec("[ab]{3,8}|[a-c]{4,12}", 1..6),
            text in "[abc]{0,120}",
            cuts in prop::collection::vec(0_usize..120, 0..20),
        ) {
            let forms: Vec<Vec<u8>> = forms.into_iter().map(String::into_bytes).collect();
            let masks = Masks::new(&forms).unwrap();
            let text = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([text.len()]) {
                pieces.push(&text[from..cut]);
                from = cut;
            }
            let whole = plainly(&forms, text);
            prop_assert_eq!(&in_pieces(&masks, &pieces), &whole);
            for form in &forms {
                prop_assert!(memchr::memmem::find(&whole, form).is_none());
            }
        }
    }

    #[test]
    fn many_and_long_values_are_masked_too() {
        let long: Vec<Vec<u8>> = (0..40).map(|n| format!("{n:03}-{}", "x".repeat(300 + n)).into_bytes()).collect();
        let masks = Masks::new(&long).unwrap();
        assert!(matches!(masks.0.machine, Machine::Tree(_)));
        let text = [b"a ".as_slice(), &long[7], b" ", &long[39], b" b"].concat();
        let pieces: Vec<&[u8]> = text.chunks(7).collect();
        assert_eq!(in_pieces(&masks, &pieces), b"a *** *** b");
    }
}
