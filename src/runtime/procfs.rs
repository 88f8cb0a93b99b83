//! The kernel's table of processes, as of proc_pid_stat(5).

use std::collections::{HashMap, HashSet};
use std::fs;

use super::Leftover;

/// One living process. Zombies are not in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) pid: i32,
    pub(super) name: String,
    pub(super) parent: i32,
    pub(super) group: i32,
    /// In clock ticks since boot; with the pid it names one process for all time.
    pub(super) started: u64,
    /// Where its stack begins: a fork keeps it, and an exec changes it, where addresses are randomised.
    pub(super) stack: u64,
}

impl Entry {
    pub(super) fn leftover(&self, ended: bool) -> Leftover {
        Leftover { pid: self.pid, name: self.name.clone(), ended }
    }
}

/// Reads one process; `None` if it is gone or a zombie.
pub(super) fn entry(pid: i32) -> Option<Entry> {
    parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

fn parse(stat: &[u8]) -> Option<Entry> {
    // The name may hold anything, blanks and parentheses too: it ends at the last one.
    let open = memchr::memchr(b'(', stat)?;
    let close = memchr::memrchr(b')', stat)?;
    let pid = std::str::from_utf8(stat.get(..open)?).ok()?.trim().parse().ok()?;
    let name = String::from_utf8_lossy(stat.get(open + 1..close)?).replace(char::is_control, "?");
    let mut fields = std::str::from_utf8(stat.get(close + 1..)?).ok()?.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    // Field 22 of the page; the group was the fifth.
    let started = fields.nth(16)?.parse().ok()?;
    // Field 28.
    let stack = fields.nth(5)?.parse().ok()?;
    Some(Entry { pid, name, parent, group, started, stack })
}

/// Every living process that this one may see.
pub(super) fn all() -> Vec<Entry> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    folder.flatten().filter_map(|item| item.file_name().to_str()?.parse().ok()).filter_map(entry).collect()
}

/// The processes of `table` below any of `roots`, without the roots.
pub(super) fn below(table: Vec<Entry>, roots: &[i32]) -> Vec<Entry> {
    let mut children: HashMap<i32, Vec<Entry>> = HashMap::new();
    for entry in table {
        children.entry(entry.parent).or_default().push(entry);
    }
    let mut found = Vec::new();
    let mut parents = roots.to_vec();
    while let Some(parent) = parents.pop() {
        // Removal makes every parent count once, so a pid that changed hands during the walk cannot loop it.
        for child in children.remove(&parent).unwrap_or_default() {
            parents.push(child.pid);
            found.push(child);
        }
    }
    found
}

/// A process and all above it.
pub(super) fn ancestry(pid: i32) -> HashSet<i32> {
    let mut line = HashSet::new();
    let mut next = Some(pid);
    while let Some(pid) = next {
        next = if line.insert(pid) { entry(pid).map(|entry| entry.parent) } else { None };
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = b"42 (a) R 1 (\x1b[) S 7 8 9 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 1 1 1 1 77 1\n";
        let expected = Entry { pid: 42, name: "a) R 1 (?[".into(), parent: 7, group: 8, started: 12345, stack: 77 };
        assert_eq!(parse(stat), Some(expected));
        for cut in 0..60 {
            assert_eq!(parse(&stat[..cut]), None, "{cut}");
        }
        assert_eq!(parse(b") 1 ("), None);
        assert_eq!(parse(b"42 (dead) Z 7 8 9 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 1 1 1 1 77 1\n"), None);
    }

    #[test]
    fn descendants_at_any_depth() {
        let entry = |pid, parent| Entry { pid, parent, name: String::new(), group: 0, started: 0, stack: 0 };
        let table = vec![entry(2, 1), entry(3, 2), entry(4, 3), entry(5, 1), entry(6, 6)];
        let mut pids: Vec<i32> = below(table, &[2, 6]).into_iter().map(|entry| entry.pid).collect();
        pids.sort_unstable();
        assert_eq!(pids, [3, 4, 6]);
        assert!(ancestry(std::process::id().cast_signed()).contains(&1));
    }
}
