//! Reports that a recipe's tools left in `CRAFTING_REPORTS`, and what of them the log has not told.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::masking::Masks;
use crate::model::{Diagnostic, Kind};
use crate::parsers::{self, Outcome};

/// Bytes of one report, and of all together.
const SIZE_LIMIT: u64 = 256 << 20;
const TOTAL_LIMIT: u64 = 2 << 30;
/// Reports that are read. googletest writes one per process, of which ctest starts one per test.
const COUNT_LIMIT: usize = 10_000;
/// Folders below the folder.
const DEPTH_LIMIT: usize = 4;
/// Things that were not read which the log is told of, one line each.
const NOTES_LIMIT: usize = 20;
/// Characters of a test's name by which names that may be one are put together, and how many of these are compared.
const ENDING: usize = 4;
const CANDIDATES: usize = 200;

/// What the reports say.
#[derive(Default)]
pub(super) struct Reports {
    pub found: Vec<Diagnostic>,
    /// What the log should say about them.
    pub notes: Vec<String>,
}

/// Reads every regular file below `folder`, in the order of their names. Never fails: what cannot be read is noted.
/// A recipe's secrets are masked before anything of a report is understood.
pub(super) fn read(folder: &Path, masks: Option<&Masks>) -> Reports {
    let mut reports = Reports::default();
    let Listed { mut files, more, deeper } = list(folder);
    files.sort();
    let mut total = 0;
    let mut unread = 0;
    for path in &files {
        let name = path.strip_prefix(folder).unwrap_or(path).display().to_string();
        let outcome =
            read_one(path, SIZE_LIMIT.min(TOTAL_LIMIT - total), masks, &mut reports.found).map(|(outcome, size)| {
                // What turns out to be no report took its time all the same.
                total = (total + size).min(TOTAL_LIMIT);
                outcome
            });
        let why = match outcome {
            Ok(Outcome::Read) => continue,
            Ok(Outcome::CutShort) => "ends too early; what stands before was read".to_owned(),
            Ok(Outcome::Unknown) => "was not read: it is in no format that is known".to_owned(),
            Err(why) => format!("was not read: {why}"),
        };
        unread += 1;
        if unread <= NOTES_LIMIT {
            reports.notes.push(format!("the report {name} {why}"));
        }
    }
    if unread > NOTES_LIMIT {
        reports.notes.push(format!("and {} more reports alike", unread - NOTES_LIMIT));
    }
    if more > 0 {
        reports.notes.push(format!("{more} reports were not read: no more than {COUNT_LIMIT} are"));
    }
    if deeper > 0 {
        reports
            .notes
            .push(format!("folders that were not read: {deeper}; they lie deeper than {DEPTH_LIMIT}, or are too many"));
    }
    reports
}

/// What is below a folder.
#[derive(Default)]
struct Listed {
    files: Vec<PathBuf>,
    /// Files beyond [`COUNT_LIMIT`].
    more: u64,
    /// Folders beyond [`DEPTH_LIMIT`].
    deeper: u64,
}

fn list(folder: &Path) -> Listed {
    let mut listed = Listed::default();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        // Links are not followed, neither to files nor to folders, not even if the recipe put one in the folder's place.
        if !folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            continue;
        }
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < DEPTH_LIMIT && folders.len() < COUNT_LIMIT => {
                    folders.push((entry.path(), depth + 1));
                }
                Ok(kind) if kind.is_dir() => listed.deeper += 1,
                Ok(_) if listed.files.len() < COUNT_LIMIT => listed.files.push(entry.path()),
                Ok(_) => listed.more += 1,
                Err(_) => {}
            }
        }
    }
    listed
}

fn read_one(
    path: &Path,
    limit: u64,
    masks: Option<&Masks>,
    found: &mut Vec<Diagnostic>,
) -> Result<(Outcome, u64), String> {
    let kind = path.symlink_metadata().map_err(|error| error.to_string())?.file_type();
    if !kind.is_file() {
        return Err("it is no regular file".to_owned());
    }
    // Neither a link nor a pipe that has taken its place meanwhile is followed or waited for.
    let flags = nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK;
    let file = File::options().read(true).custom_flags(flags.bits()).open(path);
    let file = file.map_err(|error| error.to_string())?;
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is no regular file".to_owned());
    }
    if metadata.len() > limit {
        return Err(format!("it has {} MiB, which is too much", metadata.len() >> 20));
    }
    let before = found.len();
    let outcome = match masks {
        Some(masks) => parsers::read_report(masks.reader(file.take(limit)), found),
        None => parsers::read_report(file.take(limit), found),
    };
    if let Some(masks) = masks {
        found[before..].iter_mut().for_each(|one| masks.diagnostic(one));
    }
    Ok((outcome.map_err(|error| error.to_string())?, metadata.len()))
}

/// The failed tests that a log told, to tell which of a report's are the same: tools spell a test's name in their
/// reports with other separators, or without the file or the package before it.
#[derive(Default)]
pub(super) struct ToldTests(Vec<Name>);

struct Name {
    /// Letters and digits alone.
    bare: String,
    /// The same of the last part.
    last: String,
}

impl Name {
    fn of(code: &str) -> Self {
        let last = ["::", " > ", " › "].iter().filter_map(|parts| Some(code.rfind(parts)? + parts.len())).max();
        Self { bare: bare(code), last: bare(&code[last.unwrap_or(0)..]) }
    }

    fn is(&self, other: &Self) -> bool {
        self.bare.ends_with(&other.bare) || other.bare.ends_with(&self.bare) || self.last == other.last
    }

    fn ending(&self) -> &str {
        let start = self.bare.len().saturating_sub(ENDING);
        &self.bare[self.bare.ceil_char_boundary(start)..]
    }
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

impl ToldTests {
    /// Remembers the failed tests among these.
    pub(super) fn add(&mut self, found: &[Diagnostic]) {
        let tests = found.iter().filter(|one| one.kind == Kind::TestFail);
        self.0.extend(tests.map(|test| Name::of(&test.code)));
    }

    /// What the log did not tell. A test whose name is the same is the same; of the others, each that the log told is
    /// one at most of the report's, so that two tests that end alike are both kept.
    pub(super) fn others(self, reported: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let Self(told) = self;
        let whole: HashMap<&str, usize> =
            told.iter().enumerate().map(|(index, name)| (name.bare.as_str(), index)).collect();
        let mut is_free = vec![true; told.len()];
        let mut names: Vec<Option<Name>> = Vec::new();
        for one in &reported {
            let name = (one.kind == Kind::TestFail).then(|| Name::of(&one.code));
            if let Some(index) = name.as_ref().and_then(|name| whole.get(name.bare.as_str())) {
                is_free[*index] = false;
            }
            names.push(name);
        }
        let mut endings: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, name) in told.iter().enumerate().filter(|(index, _)| is_free[*index]) {
            endings.entry(name.ending()).or_default().push(index);
        }
        let mut is_told = |name: &Name| {
            whole.contains_key(name.bare.as_str()) || {
                let free = endings.get_mut(name.ending());
                let same = free.and_then(|free| {
                    let at = free.iter().take(CANDIDATES).position(|index| told[*index].is(name))?;
                    Some(free.swap_remove(at))
                });
                same.is_some()
            }
        };
        let names = names.into_iter();
        reported
            .into_iter()
            .zip(names)
            .filter(|(_, name)| !name.as_ref().is_some_and(&mut is_told))
            .map(|(one, _)| one)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    fn tests(codes: &[&str]) -> Vec<Diagnostic> {
        codes.iter().map(|code| Diagnostic::new("t", Kind::TestFail, Severity::Error, *code, "m")).collect()
    }

    #[test]
    fn a_test_is_known_however_it_is_spelled() {
        for (log, report, left) in [
            (vec!["a.py::T::t[x]"], vec!["a.py::T::t[x]"], vec![]),
            (vec!["outer › inner › adds"], vec!["outer inner adds"], vec![]),
            (vec!["x.test.ts > outer > adds"], vec!["outer > adds"], vec![]),
            (vec!["tests::a"], vec!["crate::tests::a"], vec![]),
            (vec!["outer › inner › y"], vec!["suite outer inner y"], vec![]),
            (vec!["conftest.py::test_a"], vec!["test_mod.py::test_a"], vec![]),
            (vec!["a.py::t"], vec!["a.py::t", "b.py::t"], vec!["b.py::t"]),
            (vec!["a.py::t"], vec!["a.py::t", "a.py::t"], vec![]),
            (vec![], vec!["a.py::t"], vec!["a.py::t"]),
            (vec!["a.py::test_one"], vec!["a.py::test_two"], vec!["a.py::test_two"]),
        ] {
            let mut told = ToldTests::default();
            told.add(&tests(&log));
            let others = told.others(tests(&report));
            assert_eq!(others.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), left, "{log:?} {report:?}");
        }
    }
}
