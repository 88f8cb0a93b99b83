//! What is new since a job, a commit or a time.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::visible::View;
use super::{Around, FindingQuery, JobSelector};
use crate::error::{Code, Error, Result};
use crate::findings::novelty;
use crate::ledger::selection::Newness;
use crate::ledger::{jobs, selection};
use crate::model::{CommitId, Job, JobId, ProjectName, RefName, Timestamp, span};
use crate::workspace::{self, History};

/// The fewest characters of a job's id that count as one beside refs and commits.
const LEAST: usize = 4;
const HINT: &str = "give a job's id, a branch, tag or commit, or a time such as 7d, yesterday or 2026-11-01";

/// Since when findings count as new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// Since this point in time.
    Time(Timestamp),
    /// Since a job of the same subproject and recipe.
    Job(JobSelector),
    /// A job's id or a ref, whichever there is.
    Named(String),
}

impl FromStr for Since {
    type Err = Error;
    /// What reads as a time is one: `2026-11-01`, `2026-11-01T10:00`, `7d`, `12h`, `yesterday`, `today`.
    fn from_str(text: &str) -> Result<Self> {
        let now = Timestamp::now();
        let time = match text {
            "today" => Some(now.midnight()),
            // Half a day before midnight is yesterday, whatever the clocks did in between.
            "yesterday" => Some(now.midnight().before(std::time::Duration::from_secs(43_200)).midnight()),
            _ if text.ends_with(|c: char| c.is_ascii_digit()) => Timestamp::of_date(text),
            _ => Timestamp::of_date(text).or_else(|| Some(now.before(span(text)?))),
        };
        match time {
            Some(time) if time > now => {
                Err(Error::invalid(format!("{text:?} is not in the past")).hint("nothing is new since then"))
            }
            Some(time) => Ok(Self::Time(time)),
            None if text.starts_with('@') => Ok(Self::Job(text.parse()?)),
            None if text.parse::<RefName>().is_ok() => Ok(Self::Named(text.to_owned())),
            None => Err(Error::invalid(format!("{text:?} is neither a job, nor a ref, nor a time")).hint(HINT)),
        }
    }
}

impl fmt::Display for Since {
    /// As it is read, anywhere in the world.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => f.pad(&time.to_rfc3339()),
            Self::Job(selector) => selector.fmt(f),
            Self::Named(name) => f.pad(name),
        }
    }
}

/// What a query comes down to.
pub(super) struct Resolved {
    /// Whose findings are read.
    pub(super) jobs: Vec<Job>,
    /// Which of them are new.
    pub(super) newness: Newness,
    /// How many are gone.
    pub(super) fixed: u64,
    /// What the user should know of it, one sentence each.
    pub(super) notes: Vec<String>,
}

/// The jobs of a query, and what is new in them.
pub(super) fn resolve(view: &View, query: &FindingQuery) -> Result<Resolved> {
    let mut resolved = compare(view, query)?;
    // Who names a job knows it; else too few findings would look like good ones.
    if query.jobs.is_empty() {
        resolved.notes.extend(resolved.jobs.iter().filter_map(|job| {
            let end = job.unfinished()?;
            Some(format!("{} {end} ({}), so it may have more findings than these", label(job), job.id))
        }));
    }
    Ok(resolved)
}

/// What ran: `shop clients/web lint`.
fn label(job: &Job) -> String {
    match job.subproject.is_root() {
        true => format!("{} {}", job.project, job.recipe),
        false => format!("{} {} {}", job.project, job.subproject, job.recipe),
    }
}

fn compare(view: &View, query: &FindingQuery) -> Result<Resolved> {
    match &query.since {
        None => {
            let jobs = asked_for(view, query)?;
            let fixed = jobs.iter().map(|job| job.findings_fixed.cast_unsigned()).sum();
            Ok(Resolved { jobs, newness: Newness::AsJudged, fixed, notes: Vec::new() })
        }
        Some(Since::Time(time)) => {
            let jobs = asked_for(view, query)?;
            Ok(Resolved { jobs, newness: Newness::Since(*time), fixed: 0, notes: Vec::new() })
        }
        Some(Since::Job(selector)) => {
            let selector = selector.clone().around(query.around.clone());
            since_job(view, query, &view.read(|seen| seen.select(&selector))?)
        }
        Some(Since::Named(name)) => named(view, query, name),
    }
}

/// The jobs that were named; else the newest finished one of every subproject and recipe.
fn asked_for(view: &View, query: &FindingQuery) -> Result<Vec<Job>> {
    view.read(|seen| {
        if query.jobs.is_empty() {
            let project = seen.project_around(&query.around)?;
            let newest = jobs::newest_finished(seen.tx, seen.within(project.as_ref()))?;
            return newest.iter().map(|id| jobs::get(seen.tx, id)).collect();
        }
        let mut chosen: Vec<Job> = Vec::new();
        for selector in &query.jobs {
            let job = seen.select(&selector.clone().around(query.around.clone()))?;
            if !chosen.iter().any(|other| other.id == job.id) {
                chosen.push(job);
            }
        }
        Ok(chosen)
    })
}

fn named(view: &View, query: &FindingQuery, name: &str) -> Result<Resolved> {
    let is_job = name.len() >= LEAST && name.parse::<JobSelector>().is_ok();
    let job = match is_job.then(|| view.read(|seen| jobs::get_by_prefix(seen.tx, seen.all(), name))) {
        None => None,
        Some(Ok(job)) => Some(job),
        Some(Err(error)) if error.code() == Code::NotFound => None,
        Some(Err(error)) => return Err(error),
    };
    if let Some(job) = &job
        && job.id.as_str() == name
    {
        return since_job(view, query, job);
    }
    let current = asked_for(view, query)?;
    let at_ref = histories(view, &current, &name.parse()?, query.since_commit.as_ref());
    match (job, at_ref) {
        (Some(job), Err(_)) => since_job(view, query, &job),
        (Some(job), Ok(_)) => Err(Error::invalid(format!("{name:?} may be the job {} or the ref {name}", job.id))
            .hint("give the job's whole id, or the ref as refs/heads/… or refs/tags/…")),
        (None, Ok(histories)) => since_commit(view, current, name, &histories),
        (None, Err(error)) if error.code() == Code::NotFound => {
            let hint = match error.hint_text() {
                Some(hint) if hint.starts_with("did you mean") => hint.to_owned(),
                _ => HINT.to_owned(),
            };
            Err(Error::not_found(format!("there is no job and no ref {name}")).hint(hint))
        }
        (None, Err(error)) => Err(error),
    }
}

/// What came before the commit that a ref names, in each project of these jobs that has it. Which commit that is the
/// asker may know better.
fn histories(
    view: &View,
    jobs: &[Job],
    name: &RefName,
    told: Option<&CommitId>,
) -> Result<BTreeMap<ProjectName, History>> {
    let told: Option<CommitId> = told.cloned().or_else(|| name.as_str().parse().ok());
    let (mut found, mut missing) = (BTreeMap::new(), None);
    let names: std::collections::BTreeSet<&ProjectName> = jobs.iter().map(|job| &job.project).collect();
    for project in names {
        let project = view.read(|seen| seen.project(project))?;
        let mirror = view.rooms().workspace.mirror(&project.name, &project.git_url);
        // Somebody else's upload is as if it was not there.
        let known = mirror.uploads(view.caller().token.as_ref()).known(told.as_slice())?.pop();
        match known.map_or_else(|| mirror.commit_of(name), Ok) {
            Ok(sha) => drop(found.insert(project.name, History::of(&mirror, &sha)?)),
            Err(error) => missing = Some(error),
        }
    }
    match (found.is_empty(), missing) {
        (true, Some(error)) => Err(error),
        (true, None) => Err(Error::not_found("there is no finished job").hint("`crafting job run` starts one")),
        (false, _) => Ok(found),
    }
}

/// Each job is compared with the newest one of its subproject and recipe that ran at that commit, or the nearest one
/// before it.
fn since_commit(
    view: &View,
    current: Vec<Job>,
    name: &str,
    histories: &BTreeMap<ProjectName, History>,
) -> Result<Resolved> {
    let mut pairs = Vec::new();
    let mut notes = Vec::new();
    for job in current {
        let Some(history) = histories.get(&job.project) else {
            notes.push(format!("the project {} has no ref {name}; all of its findings are told", job.project));
            pairs.push((job, None));
            continue;
        };
        let before = view.rooms().ledger.read(|tx| {
            let earlier = jobs::commits(tx, &job)?;
            // The newest first, of which min_by_key takes the first.
            let nearest = earlier
                .iter()
                .filter_map(|(id, sha, dirty)| Some((history.distance(sha, *dirty)?, id)))
                .min_by_key(|(distance, _)| *distance);
            nearest.map(|(_, id): (usize, &JobId)| jobs::get(tx, id)).transpose()
        })?;
        if before.is_none() {
            notes.push(format!("no job of {} has run at {name} or before; all of its findings are told", label(&job)));
        }
        pairs.push((job, before));
    }
    if pairs.iter().all(|(_, before)| before.is_none()) {
        return Err(Error::not_found(format!("no job has run at {name} or before it"))
            .hint(format!("run one with `crafting job run --ref {name}`, or give a later ref or a time")));
    }
    Ok(Resolved { notes, ..compared(view, pairs)? })
}

/// Only jobs of the same subproject and recipe can be compared with one.
fn since_job(view: &View, query: &FindingQuery, before: &Job) -> Result<Resolved> {
    let same = |job: &Job| {
        (&job.project, &job.subproject, &job.recipe) == (&before.project, &before.subproject, &before.recipe)
    };
    let around = FindingQuery { around: Around::Project(before.project.clone()), ..query.clone() };
    let current: Vec<Job> =
        asked_for(view, if query.jobs.is_empty() { &around } else { query })?.into_iter().filter(same).collect();
    if current.is_empty() {
        return Err(Error::invalid(format!(
            "the job {} ran {} of {} in {}, and none of these jobs did",
            before.id, before.recipe, before.subproject, before.project
        ))
        .hint("give a job of the same subproject and recipe, or a ref or a time, which hold for all"));
    }
    compared(view, current.into_iter().map(|job| (job, Some(before.clone()))).collect())
}

fn compared(view: &View, pairs: Vec<(Job, Option<Job>)>) -> Result<Resolved> {
    let now = Timestamp::now();
    let (mut new, mut fixed, mut jobs) = (Vec::new(), 0, Vec::new());
    for (job, before) in pairs {
        // Nothing is new since itself.
        if before.as_ref().is_some_and(|before| before.id == job.id) {
            jobs.push(job);
            continue;
        }
        let (current, earlier) = view.rooms().ledger.read(|tx| {
            let earlier = before.as_ref().map(|before| selection::sightings(tx, before, now)).transpose()?;
            Ok((selection::sightings(tx, &job, now)?, earlier.unwrap_or_default()))
        })?;
        let project = view.read(|seen| seen.project(&job.project))?;
        let movement = match (before.and_then(|before| before.sha), &job.sha) {
            (Some(from), Some(to)) if !earlier.is_empty() && !current.is_empty() => {
                let mirror = view.rooms().workspace.mirror(&project.name, &project.git_url);
                workspace::movement(&mirror, &from, to, &job.recipe_snapshot.root).ok()
            }
            _ => None,
        };
        let comparison = novelty::compare(&earlier, &current, movement.as_ref());
        let unknown = current.iter().zip(&comparison.known).filter(|(_, known)| known.is_none());
        new.extend(unknown.map(|(finding, _)| finding.id));
        fixed += comparison.gone.iter().filter(|&&index| !earlier[index].ignored).count() as u64;
        jobs.push(job);
    }
    Ok(Resolved { jobs, newness: Newness::Only(new), fixed, notes: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_as_a_time_is_one() {
        let time = |text: &str| matches!(text.parse::<Since>(), Ok(Since::Time(_)));
        for text in ["7d", "12h", "1h30m", "yesterday", "today", "2026-04-01", "2026-04-01T10:00", "2026-04-01T10:00Z"]
        {
            assert!(time(text), "{text}");
        }
        for text in ["main", "v1.2.0", "7", "1234567", "deadbeef", "3k9x", "feature/7d", "d7", "HEAD~3"] {
            assert!(matches!(text.parse(), Ok(Since::Named(_))), "{text}");
        }
        assert_eq!("@last".parse::<Since>().unwrap(), Since::Job(JobSelector::Last(Around::Everywhere)));
        for text in ["", "@first", "2999-01-01", "a b", "..", "-x"] {
            assert!(text.parse::<Since>().unwrap_err().hint_text().is_some(), "{text}");
        }
    }
}
