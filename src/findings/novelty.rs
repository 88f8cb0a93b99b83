//! Which findings are new, known or fixed, decided through the diff between the baseline's commit and the job's.
//!
//! Each finding of the baseline is carried through the diff to where its line is now, then matched one to one, in
//! this order: the same kind, code and carried place; the same kind, file, code and text of the source line with its
//! ordinal (`context_hash`); the same kind and code in the same renamed file. Where no diff can be had, the hashes
//! alone decide.

use std::collections::HashMap;

use crate::model::{Kind, Sighting};

/// One hunk of a unified diff; lines are 1-based, and a side of no lines has the line before it as its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// First line on the old side.
    pub old_start: u32,
    /// Lines on the old side.
    pub old_lines: u32,
    /// First line on the new side.
    pub new_start: u32,
    /// Lines on the new side.
    pub new_lines: u32,
}

/// Where the lines of the baseline's commit went. Files that are not mentioned did not move.
#[derive(Clone, Debug, Default)]
pub struct Movement {
    files: HashMap<String, Moved>,
}

#[derive(Clone, Debug)]
struct Moved {
    path: Option<String>,
    hunks: Vec<Hunk>,
}

impl Movement {
    /// Adds a changed file, paths relative to the project's root: what it was called, what it is called now (none: it
    /// is gone), and how its lines moved. Hunks with context lines are fine, but those without carry more lines.
    pub fn file(&mut self, old: String, new: Option<String>, mut hunks: Vec<Hunk>) {
        hunks.sort_by_key(|hunk| hunk.old_start);
        self.files.insert(old, Moved { path: new, hunks });
    }

    /// Where a file is now; none if it is gone.
    fn path<'a>(&'a self, old: &'a str) -> Option<&'a str> {
        match self.files.get(old) {
            Some(moved) => moved.path.as_deref(),
            None => Some(old),
        }
    }

    /// Where a line is now; none if it was changed or removed.
    fn line(&self, old: &str, line: u32) -> Option<u32> {
        let Some(moved) = self.files.get(old) else { return Some(line) };
        // The first hunk that does not lie wholly before the line.
        let index = moved.hunks.partition_point(|hunk| end(hunk.old_start, hunk.old_lines) <= u64::from(line));
        if moved.hunks.get(index).is_some_and(|hunk| hunk.old_lines > 0 && hunk.old_start <= line) {
            return None;
        }
        match index.checked_sub(1).map(|index| &moved.hunks[index]) {
            None => Some(line),
            Some(hunk) => {
                let past = u64::from(line) - end(hunk.old_start, hunk.old_lines);
                u32::try_from(end(hunk.new_start, hunk.new_lines) + past).ok()
            }
        }
    }
}

/// The first line behind a side of a hunk.
fn end(start: u32, lines: u32) -> u64 {
    // Of no lines, the side stands behind its start.
    u64::from(start) + u64::from(lines.max(1))
}

/// What became of a baseline.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Which of the baseline's findings each present one is; none: it is new.
    pub known: Vec<Option<usize>>,
    /// Which of the baseline's are gone.
    pub gone: Vec<usize>,
}

/// Compares the present findings with those of a baseline.
pub fn compare(baseline: &[Sighting], current: &[Sighting], movement: Option<&Movement>) -> Comparison {
    let mut matching =
        Matching { baseline, open: vec![true; baseline.len()], left: baseline.len(), known: vec![None; current.len()] };
    match movement {
        Some(movement) => {
            matching.pass(
                current,
                |old| {
                    let place = match (&old.file, old.line) {
                        (Some(file), line) => {
                            let path = movement.path(file)?;
                            let line = match line {
                                Some(line) => Some(movement.line(file, line)?),
                                None => None,
                            };
                            (Some(path), line)
                        }
                        (None, line) => (None, line),
                    };
                    Some((old.kind, &*old.code, place))
                },
                |new| Some((new.kind, &*new.code, (new.file.as_deref(), new.line))),
            );
            matching.pass(current, by_context, by_context);
            // The ordinal within the file is the best that is left to tell several apart: they are taken in order.
            matching.pass(
                current,
                |old| {
                    let file = old.file.as_deref()?;
                    let path = movement.path(file)?;
                    (path != file).then_some((old.kind, &*old.code, path))
                },
                |new| Some((new.kind, &*new.code, new.file.as_deref()?)),
            );
        }
        None => {
            matching.pass(current, by_context, by_context);
            // Where either side has no source line to hash there is the place alone, and it has to be the same.
            matching.pass(current, |old| old.context_hash.is_none().then(|| place(old)), |new| Some(place(new)));
            matching.pass(current, |old| Some(place(old)), |new| new.context_hash.is_none().then(|| place(new)));
        }
    }
    let Matching { known, open, .. } = matching;
    let gone = open.iter().enumerate().filter(|(_, open)| **open).map(|(index, _)| index).collect();
    Comparison { known, gone }
}

/// Marks what in `current` is new; what is known keeps the job that had it first, and the suppression. Tells which of
/// the baseline's findings are gone. A new finding was first seen in its own job, as it says already.
pub fn judge(baseline: &[Sighting], current: &mut [Sighting], movement: Option<&Movement>) -> Vec<usize> {
    let Comparison { known, gone } = compare(baseline, current, movement);
    for (finding, index) in current.iter_mut().zip(known) {
        finding.is_new = index.is_none();
        if let Some(before) = index.map(|index| &baseline[index]) {
            finding.first_seen_job = before.first_seen_job.clone().or(finding.first_seen_job.take());
            finding.suppression = before.suppression.or(finding.suppression);
        }
    }
    gone
}

type Place<'a> = (Kind, &'a str, Option<&'a str>, Option<u32>);

fn place(finding: &Sighting) -> Place<'_> {
    (finding.kind, &finding.code, finding.file.as_deref(), finding.line)
}

fn by_context(finding: &Sighting) -> Option<(Kind, &str, Option<&str>, u64)> {
    Some((finding.kind, &finding.code, finding.file.as_deref(), finding.context_hash?))
}

struct Matching<'a> {
    baseline: &'a [Sighting],
    /// Which of the baseline's are not matched yet, and how many.
    open: Vec<bool>,
    left: usize,
    /// What of the baseline each current finding is.
    known: Vec<Option<usize>>,
}

impl<'a> Matching<'a> {
    /// Matches what is left on both sides and has the same key, in order.
    fn pass<'c, K: Ord>(
        &mut self,
        current: &'c [Sighting],
        old_key: impl Fn(&'a Sighting) -> Option<K>,
        new_key: impl Fn(&'c Sighting) -> Option<K>,
    ) {
        if self.left == 0 {
            return;
        }
        // Sorted rather than hashed: there may be hundreds of thousands, and this takes a third of the memory.
        let open = self.baseline.iter().enumerate().filter(|(index, _)| self.open[*index]);
        let mut waiting: Vec<(K, usize)> = open.filter_map(|(index, old)| Some((old_key(old)?, index))).collect();
        waiting.sort_unstable();
        // How many of a key are matched, at the place of its first.
        let mut taken = vec![0; waiting.len()];
        for (new, known) in current.iter().zip(&mut self.known).filter(|(_, known)| known.is_none()) {
            let Some(key) = new_key(new) else { continue };
            let first = waiting.partition_point(|(other, _)| *other < key);
            let next = taken.get(first).and_then(|taken| waiting.get(first + taken));
            if let Some((_, index)) = next.filter(|(other, _)| *other == key) {
                *known = Some(*index);
                self.open[*index] = false;
                self.left -= 1;
                taken[first] += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::{context, fingerprint};
    use crate::model::JobId;

    fn job(letter: char) -> JobId {
        letter.to_string().repeat(12).parse().unwrap()
    }

    fn at(job_letter: char, file: &str, line: u32, code: &str, text: &str) -> Sighting {
        Sighting {
            id: 0,
            kind: Kind::Lint,
            file: Some(file.into()),
            line: Some(line),
            column: None,
            code: code.into(),
            fingerprint: fingerprint(Kind::Lint, Some(file), Some(line), code).to_bits(),
            first_seen_job: Some(job(job_letter).into()),
            is_new: true,
            context_hash: (!text.is_empty())
                .then(|| text.bytes().fold(0, |hash: u64, byte| hash.wrapping_mul(31) + u64::from(byte))),
            suppression: None,
            ignored: false,
        }
    }

    fn gone(old: &[Sighting], new: &mut [Sighting], movement: Option<&Movement>) -> usize {
        judge(old, new, movement).len()
    }

    fn hunk(old_start: u32, old_lines: u32, new_start: u32, new_lines: u32) -> Hunk {
        Hunk { old_start, old_lines, new_start, new_lines }
    }

    fn moved(old: &str, new: Option<&str>, hunks: &[Hunk]) -> Movement {
        let mut movement = Movement::default();
        movement.file(old.to_owned(), new.map(str::to_owned), hunks.to_vec());
        movement
    }

    fn news(current: &[Sighting]) -> Vec<bool> {
        current.iter().map(|finding| finding.is_new).collect()
    }

    #[test]
    fn lines_are_carried_through_hunks() {
        // Ten lines inserted behind line 4, lines 20 and 21 replaced by one, lines 30 to 32 removed.
        let movement = moved("a", Some("a"), &[hunk(4, 0, 5, 10), hunk(20, 2, 30, 1), hunk(30, 3, 38, 0)]);
        for (old, new) in [
            (1, Some(1)),
            (4, Some(4)),
            (5, Some(15)),
            (19, Some(29)),
            (20, None),
            (21, None),
            (22, Some(31)),
            (29, Some(38)),
            (30, None),
            (32, None),
            (33, Some(39)),
        ] {
            assert_eq!(movement.line("a", old), new, "{old}");
        }
        assert_eq!(movement.line("b", 7), Some(7));
        assert_eq!(moved("a", Some("a"), &[hunk(0, 0, 1, 3)]).line("a", 1), Some(4));
        assert_eq!(moved("a", Some("a"), &[hunk(1, u32::MAX, 1, 3)]).line("a", u32::MAX), None);
    }

    #[test]
    fn an_insertion_above_makes_nothing_new() {
        let old = [at('a', "x.py", 10, "F401", "")];
        let mut new = [at('b', "x.py", 15, "F401", "")];
        assert_eq!(gone(&old, &mut new, Some(&moved("x.py", Some("x.py"), &[hunk(1, 0, 2, 5)]))), 0);
        assert_eq!(news(&new), [false]);
        assert_eq!(new[0].first_seen_job, Some(job('a').into()));
    }

    #[test]
    fn a_second_one_at_the_old_place_is_the_new_one() {
        let old = [at('a', "x.py", 10, "F401", "")];
        let mut new = [at('b', "x.py", 10, "F401", ""), at('b', "x.py", 11, "F401", "")];
        let fixed = gone(&old, &mut new, Some(&moved("x.py", Some("x.py"), &[hunk(9, 0, 10, 1)])));
        assert_eq!((fixed, news(&new)), (0, vec![true, false]));
        assert_eq!(new[0].first_seen_job, Some(job('b').into()));
    }

    #[test]
    fn a_rename_is_followed() {
        let movement = moved("x.py", Some("y.py"), &[hunk(2, 3, 2, 3)]);
        let old = [at('a', "x.py", 10, "F401", ""), at('a', "x.py", 3, "E722", "")];
        let mut new = [at('b', "y.py", 10, "F401", ""), at('b', "y.py", 4, "E722", "")];
        assert_eq!((gone(&old, &mut new, Some(&movement)), news(&new)), (0, vec![false, false]));
    }

    #[test]
    fn an_edited_line_is_new_unless_its_text_stayed() {
        let movement = moved("x.py", Some("x.py"), &[hunk(5, 4, 5, 4)]);
        let old = [at('a', "x.py", 6, "F401", "import os"), at('a', "x.py", 7, "F401", "import sys")];
        let mut new = [at('b', "x.py", 7, "F401", "import os"), at('b', "x.py", 8, "F401", "import re")];
        assert_eq!((gone(&old, &mut new, Some(&movement)), news(&new)), (1, vec![false, true]));
    }

    #[test]
    fn two_equal_lines_are_two_findings() {
        let old = [at('a', "x.py", 1, "F401", "one"), at('a', "x.py", 2, "F401", "two")];
        let mut new =
            [at('b', "x.py", 4, "F401", "one"), at('b', "x.py", 5, "F401", "two"), at('b', "x.py", 6, "F401", "three")];
        assert_eq!((gone(&old, &mut new, None), news(&new)), (0, vec![false, false, true]));
    }

    #[test]
    fn what_a_deleted_file_had_is_fixed() {
        let old = [at('a', "x.py", 1, "F401", "import os"), at('a', "y.py", 1, "F401", "import os")];
        let mut new = [at('b', "y.py", 1, "F401", "import os")];
        assert_eq!((gone(&old, &mut new, Some(&moved("x.py", None, &[]))), news(&new)), (1, vec![false]));
        assert_eq!(gone(&old, &mut [], None), 2);
    }

    #[test]
    fn without_a_place_the_code_decides() {
        let placeless = |job| {
            let mut finding = at(job, "x", 1, "tests::a", "");
            (finding.file, finding.line) = (None, None);
            finding
        };
        for movement in [None, Some(Movement::default())] {
            let mut new = [placeless('b'), placeless('b')];
            assert_eq!(gone(&[placeless('a')], &mut new, movement.as_ref()), 0);
            assert_eq!(news(&new), [false, true]);
        }
    }

    #[test]
    fn equal_lines_have_different_contexts() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.py"), "import os\nx\n  import os\n").unwrap();
        let mut old = [at('a', "x.py", 1, "F401", ""), at('a', "x.py", 3, "F401", ""), at('a', "x.py", 9, "F401", "")];
        context::fill(&mut old, folder.path());
        std::fs::write(folder.path().join("x.py"), "\n\nimport os\nimport os\n").unwrap();
        let mut new = [at('b', "x.py", 3, "F401", ""), at('b', "x.py", 4, "F401", "")];
        context::fill(&mut new, folder.path());
        let hashes = |findings: &[Sighting]| findings.iter().map(|finding| finding.context_hash).collect::<Vec<_>>();
        assert_eq!(hashes(&old)[..2], hashes(&new));
        assert_ne!(hashes(&old)[0], hashes(&old)[1]);
        assert_eq!(hashes(&old)[2], None);
    }

    #[test]
    fn many_findings_are_no_trouble() {
        let many = |job| (1..=100_000).map(|line| at(job, "x.py", line, "F401", "")).collect::<Vec<_>>();
        let mut new = many('b');
        let movement =
            moved("x.py", Some("x.py"), &(1..50_000).map(|line| hunk(line * 2, 1, line * 2, 1)).collect::<Vec<_>>());
        let fixed = gone(&many('a'), &mut new, Some(&movement));
        assert_eq!(fixed, new.iter().filter(|finding| finding.is_new).count());
    }
}
