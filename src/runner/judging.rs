//! What of a job's findings is new, known, gone or ignored: decided once, at its end.

use super::Rooms;
use crate::error::Result;
use crate::findings::ignoring::{self, Name, Rules};
use crate::findings::{context, novelty};
use crate::ledger::{self, Within, jobs, selection, suppressions};
use crate::model::{Job, JobStatus, Kind, Sighting, Timestamp};
use crate::workspace::{self, Slot};

/// Exit statuses by which a shell tells of a signal.
const SIGNALS: std::ops::RangeInclusive<i32> = 129..=192;

/// How many findings a job has, without the ignored ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// All.
    pub count: u64,
    /// Those that the baseline did not have.
    pub new: u64,
    /// Those of the baseline that are gone.
    pub fixed: u64,
}

/// Compares a job whose findings are all there with its baseline, and sees which of them are ignored.
pub(super) fn judge(rooms: &Rooms, job: &Job, slot: &Slot, ending: (JobStatus, i32)) -> Result<Judged> {
    let now = Timestamp::now();
    let project = rooms.ledger.read(|tx| ledger::projects::get(tx, Within::Everything, &job.project))?;
    let mirror = rooms.workspace.mirror(&project.name, &project.git_url);
    let main = project.default_branch.clone().or_else(|| mirror.main_branch());
    let (baseline, before, mut current, suppressed) = rooms.ledger.read(|tx| {
        let current = selection::sightings(tx, job, now)?;
        let blind = current.iter().any(|finding| finding.kind == Kind::RecipeFail);
        let baseline = jobs::baseline(tx, job, main.as_ref().map(|branch| branch.as_str()), blind)?;
        let before = match &baseline {
            Some(baseline) => selection::sightings(tx, baseline, now)?,
            None => Vec::new(),
        };
        Ok((baseline, before, current, suppressions::of_project(tx, &job.project, now)?))
    })?;
    if current.is_empty() && before.is_empty() {
        return Ok(Judged::default());
    }
    context::fill(&mut current, &slot.path().join(job.recipe_snapshot.root.as_str()));
    let movement = match (baseline.and_then(|baseline| baseline.sha), &job.sha) {
        // Without the diff the hashes alone decide.
        (Some(from), Some(to)) if !before.is_empty() && !current.is_empty() => {
            workspace::movement(&mirror, &from, to, &job.recipe_snapshot.root).ok()
        }
        _ => None,
    };
    let gone = novelty::judge(&before, &mut current, movement.as_ref());
    let of_this_recipe = suppressed.iter().filter(|suppression| {
        let place = suppression.place.as_ref();
        place.is_none_or(|(subproject, recipe)| *subproject == job.subproject && *recipe == job.recipe)
    });
    let names: Vec<Name> = of_this_recipe
        .map(|suppression| Name {
            suppression: suppression.id,
            fingerprint: suppression.fingerprint,
            context_hash: suppression.context_hash,
        })
        .collect();
    ignoring::recognise(&names, &mut current);
    let rules = Rules::new(&job.recipe_snapshot.ignores)?;
    let ruled: Vec<_> =
        current.iter().map(|finding| rules.first(finding.kind, &finding.code, finding.file.as_deref())).collect();
    for (finding, rule) in current.iter_mut().zip(&ruled) {
        let held = |id| suppressed.iter().any(|suppression| suppression.id == id && suppression.holds);
        finding.ignored = finding.suppression.is_some_and(held)
            || rule.is_some_and(|rule| rule.until.is_none_or(|until| until > now));
    }
    rooms.ledger.write(|tx| {
        ledger::findings::judge(tx, &job.id, &current)?;
        suppressions::hold(tx, &current, &ruled)
    })?;
    let told = || current.iter().filter(|finding| !finding.ignored);
    Ok(Judged {
        count: told().count() as u64,
        new: told().filter(|finding| finding.is_new).count() as u64,
        fixed: fixed(&before, &gone, &current, ending),
    })
}

/// What is gone was fixed, if the job can tell: one that was ended early, or failed before it could look, has not seen
/// that it is gone.
fn fixed(before: &[Sighting], gone: &[usize], current: &[Sighting], (status, exit_code): (JobStatus, i32)) -> u64 {
    let whole = matches!(status, JobStatus::Passed | JobStatus::Failed) && !SIGNALS.contains(&exit_code);
    let blind = current.iter().any(|finding| finding.kind == Kind::RecipeFail);
    let gone = gone.iter().map(|&index| &before[index]).filter(|finding| !finding.ignored);
    if whole { gone.filter(|finding| !blind || finding.kind == Kind::RecipeFail).count() as u64 } else { 0 }
}
