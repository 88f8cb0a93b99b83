//! Getting disk space back.

use std::time::Duration;

use crafting::error::Code;
use crafting::model::Timestamp;
use crafting::workspace::{GcOptions, Release};

use crate::farm::{Farm, sha};
use crate::support::Repo;

#[test]
fn gc_removes_what_nobody_uses() {
    let repo = Repo::with(&[("a", "1")]);
    let mut farm = Farm::new();
    let old = repo.write("a", "old").git(&["rev-parse", "HEAD"]);
    let snapshot = farm.snapshot(&repo).sha;
    let live = repo.write("a", "live");
    let live = farm.snapshot(live).sha;
    let busy = farm.lease(&repo, &snapshot);
    let (free, kept) = (farm.lease(&repo, &snapshot), farm.lease(&repo, &snapshot));
    let free_path = free.path().to_owned();
    free.release(Release::Clean).unwrap();
    let kept = kept.release(Release::Keep).unwrap().unwrap();
    let day = Duration::from_secs(24 * 3600);
    let now = Timestamp::now();
    let options = |days: u64| GcOptions {
        now: Timestamp::from_millis(
            now.as_millis() + i64::try_from((day * u32::try_from(days).unwrap()).as_millis()).unwrap(),
        ),
        slots_unused_for: day,
        mirrors_quiet_for: 7 * day,
    };
    let gc = |days| farm.workspace.gc(&options(days), &|_, sha| *sha == live).unwrap();
    assert_eq!((gc(0).slots, gc(0).mirrors), (0, 0));
    let report = gc(2);
    assert_eq!((report.slots, report.mirrors), (1, 0));
    assert!(report.freed_bytes > 0);
    assert!(!free_path.exists() && kept.exists() && busy.path().exists());
    let killed = farm.mirror(&repo).path().join("crafting-index-killed");
    std::fs::create_dir(&killed).unwrap();
    std::fs::write(killed.join("index"), "half").unwrap();
    let report = gc(8);
    assert!(!killed.exists(), "what a killed snapshot left");
    assert_eq!((report.slots, report.mirrors, report.commits), (0, 1, 1));
    assert_eq!(gc(9).mirrors, 0);
    let mirror = farm.mirror(&repo);
    assert!(mirror.has(&live).unwrap() && mirror.has(&sha(&old)).unwrap());
    assert!(!mirror.has(&snapshot).unwrap());
    assert_eq!(farm.workspace.remove_project(&farm.project).unwrap_err().code(), Code::Conflict);
    busy.release(Release::Clean).unwrap();
    farm.workspace.remove_project(&farm.project).unwrap();
    assert!(!mirror.path().exists());
    assert_eq!(farm.workspace.remove_project(&farm.project).unwrap(), 0);
    assert_eq!(farm.files(&repo), ["a \"live\""]);
}
