//! How far a question to the ledger reaches.
//!
//! Whoever asks by a name, a prefix or nothing at all says so; what lies outside is to them as if it were not there.

use crate::model::{Caller, ProjectName, TokenName};

/// The rows that a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within<'a> {
    /// All: for a terminal, an administrator, and the farm itself.
    Everything,
    /// What belongs to the projects of one token.
    OwnedBy(&'a TokenName),
    /// What belongs to one project.
    Project(&'a ProjectName),
}

impl<'a> Within<'a> {
    /// Everything that a caller sees.
    pub fn seen_by(caller: &'a Caller) -> Self {
        caller.only_sees().map_or(Self::Everything, Self::OwnedBy)
    }

    /// What `?1` stands for in the conditions below.
    pub(super) fn value(self) -> Option<&'a str> {
        match self {
            Self::Everything => None,
            Self::OwnedBy(owner) => Some(owner.as_str()),
            Self::Project(project) => Some(project.as_str()),
        }
    }

    /// SQL that lets through jobs.
    pub(super) fn of_jobs(self) -> &'static str {
        match self {
            Self::Everything => "?1 IS NULL",
            Self::OwnedBy(_) => "owner = ?1",
            Self::Project(_) => "project = ?1",
        }
    }

    /// SQL that lets through projects.
    pub(super) fn of_projects(self) -> &'static str {
        match self {
            Self::Everything => "?1 IS NULL",
            Self::OwnedBy(_) => "owner = ?1",
            Self::Project(_) => "name = ?1",
        }
    }

    /// SQL that lets through rows that name their project and nothing else.
    pub(super) fn of_projects_rows(self) -> &'static str {
        match self {
            Self::Everything => "?1 IS NULL",
            Self::OwnedBy(_) => "project IN (SELECT name FROM projects WHERE owner = ?1)",
            Self::Project(_) => "project = ?1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Code, Result};
    use crate::ledger::jobs::samples::{finding, finish_as, ledger, owned, queue};
    use crate::ledger::{Ledger, Transaction, jobs, projects, queue, suppressions};
    use crate::model::{Fingerprint, JobFilter, JobId, JobStatus, Scope, SubPath, Timestamp, TokenName};

    /// Ann has `anns`, Bob has `bobs`, a terminal has `a` and `b`; each of the first two has a failed job with a finding.
    struct Two {
        _folder: tempfile::TempDir,
        ledger: Ledger,
        ann: TokenName,
        bob: TokenName,
        anns: JobId,
        bobs: JobId,
    }

    const ANNS: &str = "aaaaaaaaaaaaaaaa";
    const BOBS: &str = "bbbbbbbbbbbbbbbb";

    fn two() -> Two {
        let (folder, ledger) = ledger();
        let [anns, bobs] = [("ann", "anns", ANNS), ("bob", "bobs", BOBS)].map(|(owner, project, fingerprint)| {
            owned(&ledger, project, owner);
            let job = queue(&ledger, project, None, None);
            finding(&ledger, &job, fingerprint);
            finish_as(&ledger, &job, JobStatus::Failed);
            job
        });
        Two { _folder: folder, ledger, ann: "ann".parse().unwrap(), bob: "bob".parse().unwrap(), anns, bobs }
    }

    impl Two {
        fn ask<T>(&self, question: impl FnOnce(&Transaction<'_>, Within<'_>) -> Result<T>) -> Result<T> {
            self.ledger.read(|tx| question(tx, Within::OwnedBy(&self.ann)))
        }
    }

    #[test]
    fn a_list_has_nothing_of_anothers() {
        let two = two();
        let ids = |jobs: Vec<crate::model::Job>| jobs.into_iter().map(|job| job.id).collect::<Vec<_>>();
        let only = vec![two.anns.clone()];
        assert_eq!(ids(two.ask(|tx, within| jobs::list(tx, within, &JobFilter::default())).unwrap()), only);
        let bobs = JobFilter { project: Some("bobs".parse().unwrap()), ..JobFilter::default() };
        assert!(two.ask(|tx, within| jobs::list(tx, within, &bobs)).unwrap().is_empty());
        assert_eq!(two.ask(jobs::newest_finished).unwrap(), only);
        for failed in [false, true] {
            let last = two.ask(|tx, within| jobs::last(tx, within, failed)).unwrap();
            assert_eq!(last.map(|job| job.id), Some(two.anns.clone()), "the newest is Bob's");
        }
        let names = two.ask(projects::list).unwrap().into_iter().map(|project| project.name.to_string());
        assert_eq!(names.collect::<Vec<_>>(), ["anns"]);
        assert_eq!(two.ask(suppressions::some_fingerprints).unwrap(), [ANNS.parse::<Fingerprint>().unwrap()]);
        // The same questions about everything have them all.
        let all = two.ledger.read(|tx| jobs::list(tx, Within::Everything, &JobFilter::default())).unwrap();
        assert_eq!(ids(all), [two.bobs.clone(), two.anns.clone()]);
        assert_eq!(two.ledger.read(|tx| jobs::newest_finished(tx, Within::Everything)).unwrap().len(), 2);
        assert_eq!(two.ledger.read(|tx| projects::list(tx, Within::Everything)).unwrap().len(), 4);
    }

    #[test]
    fn anothers_job_is_not_there() {
        let two = two();
        let id = two.bobs.as_str();
        let missing = format!("there is no job {id}");
        let told = |error: crate::error::Error| {
            assert_eq!((error.code(), error.to_string()), (Code::NotFound, missing.clone()));
        };
        told(two.ask(|tx, within| jobs::get_within(tx, within, &two.bobs)).unwrap_err());
        told(two.ask(|tx, within| jobs::get_by_prefix(tx, within, id)).unwrap_err());
        told(two.ask(|tx, within| jobs::in_scope(tx, within, &Scope::Job(two.bobs.clone()))).unwrap_err());
        let after = JobFilter { before: Some(two.bobs.clone()), ..JobFilter::default() };
        told(two.ask(|tx, within| jobs::list(tx, within, &after)).unwrap_err());
        let job = two.ledger.read(|tx| jobs::get(tx, &two.bobs)).unwrap();
        let error = two.ask(|tx, within| jobs::in_scope(tx, within, &Scope::Batch(job.batch_id.clone()))).unwrap_err();
        assert_eq!(error.to_string(), format!("there is no batch {}", job.batch_id));
        let cancel = |within| {
            let scope = Scope::Job(two.bobs.clone());
            two.ledger.write(|tx| queue::request_cancel(tx, within, &scope, false, Timestamp::now()))
        };
        told(cancel(Within::OwnedBy(&two.ann)).unwrap_err());
        cancel(Within::OwnedBy(&two.bob)).unwrap();
    }

    #[test]
    fn a_prefix_is_ambiguous_among_ones_own_only() {
        let two = two();
        let mine = two.anns.as_str();
        // However many jobs of others begin with the same letter.
        for _ in 0..200 {
            queue(&two.ledger, "bobs", None, None);
        }
        let found = two.ask(|tx, within| jobs::get_by_prefix(tx, within, &mine[..1])).unwrap();
        assert_eq!(found.id, two.anns);
    }

    #[test]
    fn a_hint_offers_ones_own_names_only() {
        let two = two();
        let hint = |within: Within<'_>, name: &str| {
            let error = two.ledger.read(|tx| projects::get(tx, within, &name.parse().unwrap())).unwrap_err();
            assert_eq!(error.to_string(), format!("there is no project {name}"));
            error.hint_text().unwrap().to_owned()
        };
        let ann = Within::OwnedBy(&two.ann);
        assert_eq!(hint(ann, "ann"), "did you mean anns?");
        for of_bob in ["bobs", "bob", "bobz"] {
            assert_eq!(hint(ann, of_bob), "`crafting project list` shows every project");
        }
        assert_eq!(hint(Within::Everything, "bob"), "did you mean bobs?");
        let (url, root) = ("/r".parse().unwrap(), SubPath::root());
        let there = |within| two.ledger.read(|tx| projects::find_by_place(tx, within, &url, &root)).unwrap();
        assert_eq!(there(ann).unwrap().name.as_str(), "anns");
        assert_eq!(there(Within::OwnedBy(&"eve".parse().unwrap())), None);
    }

    #[test]
    fn anothers_findings_and_suppressions_are_not_there() {
        let two = two();
        let prefix = "b".repeat(8).parse().unwrap();
        assert!(two.ask(|tx, within| suppressions::known(tx, within, &prefix)).unwrap().is_empty());
        let known = two.ledger.read(|tx| suppressions::known(tx, Within::OwnedBy(&two.bob), &prefix)).unwrap();
        two.ledger.write(|tx| suppressions::ignore(tx, &known[0], "why", None, Timestamp::now())).unwrap();
        assert!(two.ask(suppressions::list).unwrap().is_empty());
        assert_eq!(two.ledger.read(|tx| suppressions::list(tx, Within::OwnedBy(&two.bob))).unwrap().len(), 1);
    }
}
