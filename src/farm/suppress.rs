//! Findings that people chose to see no more.

use std::collections::BTreeSet;

use super::visible::{Seen, View};
use super::{Around, Suppress};
use crate::error::{Error, Result};
use crate::ledger::events::Act;
use crate::ledger::suppressions::{self, Known};
use crate::model::{Action, Fingerprint, FingerprintPrefix, ProjectName, Suppression, Timestamp, nearest};

/// Ignores the named findings: all of them, or none if one cannot be found.
pub(super) fn ignore(view: &View, wanted: &Suppress) -> Result<Vec<Suppression>> {
    if wanted.reason.trim().is_empty() {
        return Err(Error::invalid("the reason is empty").hint("say why the findings can be ignored"));
    }
    let now = Timestamp::now();
    view.write(|seen| {
        let project = seen.project_around(&wanted.around)?;
        let mut done = Vec::new();
        for prefix in &wanted.findings {
            for finding in found(seen, project.as_ref(), prefix)? {
                let ignored = suppressions::ignore(seen.tx, &finding, &wanted.reason, wanted.until, now)?;
                let act = Act::new(Action::FindingIgnore, ignored.fingerprint.as_str());
                seen.record(act.of(&ignored.project))?;
                done.push(ignored);
            }
        }
        Ok(done)
    })
}

/// The rows that one prefix means: one finding of one project, for each of its recipes if it has no file.
fn found(seen: &Seen<'_>, project: Option<&ProjectName>, prefix: &FingerprintPrefix) -> Result<Vec<Known>> {
    let (tx, within) = (seen.tx, seen.within(project));
    let known = suppressions::known(tx, within, prefix)?;
    let names = known.iter().map(|finding| (&finding.project, &finding.fingerprint));
    one_of(prefix, &names.collect::<Vec<_>>())?;
    if !known.is_empty() {
        return Ok(known);
    }
    let there = suppressions::some_fingerprints(tx, within)?;
    let elsewhere = match project {
        Some(_) => suppressions::known(tx, seen.all(), prefix)?.into_iter().next(),
        None => None,
    };
    let error = missing("finding", project, prefix);
    Err(match (elsewhere, near(prefix, &there)) {
        (Some(other), _) => error.hint(format!("the project {0} has one; name it with -p {0}", other.project)),
        (None, Some(near)) => error.hint(format!("did you mean {near}?")),
        (None, None) => error.hint("`crafting findings --details` shows the fingerprints"),
    })
}

/// Takes back the suppressions of the named findings: all of them, or none if one is not ignored.
pub(super) fn unignore(view: &View, findings: &[FingerprintPrefix], around: &Around) -> Result<Vec<Suppression>> {
    view.write(|seen| {
        let project = seen.project_around(around)?;
        let all = suppressions::list(seen.tx, seen.within(project.as_ref()))?;
        let mut done = Vec::new();
        for prefix in findings {
            let mut named: Vec<_> = all.iter().filter(|one| prefix.names(&one.fingerprint)).collect();
            if named.is_empty() {
                named.extend(all.iter().filter(|one| prefix.names(&one.ignored_as)));
            }
            one_of(prefix, &named.iter().map(|one| (&one.project, &one.fingerprint)).collect::<Vec<_>>())?;
            if named.is_empty() {
                let names: Vec<Fingerprint> = all.iter().map(|one| one.fingerprint.clone()).collect();
                let error = missing("ignored finding", project.as_ref(), prefix);
                return Err(match near(prefix, &names) {
                    Some(near) => error.hint(format!("did you mean {near}?")),
                    None => error
                        .hint("`crafting findings ignored` lists them; what crafting.toml ignores is taken back there"),
                });
            }
            for suppression in named {
                suppressions::remove(seen.tx, suppression)?;
                let act = Act::new(Action::FindingUnignore, suppression.fingerprint.as_str());
                seen.record(act.of(&suppression.project))?;
                done.push(suppression.clone());
            }
        }
        Ok(done)
    })
}

/// That a prefix means no more than one finding of one project.
fn one_of(prefix: &FingerprintPrefix, names: &[(&ProjectName, &Fingerprint)]) -> Result<()> {
    let fingerprints: BTreeSet<_> = names.iter().map(|(_, fingerprint)| *fingerprint).collect();
    let mut first = fingerprints.iter();
    if let (Some(one), Some(other)) = (first.next(), first.next()) {
        return Err(Error::invalid(format!("several findings begin with {prefix}, such as {one} and {other}"))
            .hint("give more of the fingerprint"));
    }
    let projects: BTreeSet<_> = names.iter().map(|(project, _)| project.as_str()).collect();
    if projects.len() > 1 {
        let list = projects.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Error::invalid(format!("several projects have the finding {prefix}: {list}"))
            .hint("say which one is meant with -p PROJECT"));
    }
    Ok(())
}

fn missing(what: &str, project: Option<&ProjectName>, prefix: &FingerprintPrefix) -> Error {
    match project {
        Some(project) => Error::not_found(format!("the project {project} has no {what} {prefix}")),
        None => Error::not_found(format!("there is no {what} {prefix}")),
    }
}

/// The nearest by as many digits as were given.
fn near<'a>(prefix: &FingerprintPrefix, names: &'a [Fingerprint]) -> Option<&'a Fingerprint> {
    let cut = |name: &'a Fingerprint| name.as_str().get(..prefix.as_str().len()).unwrap_or_default();
    let near = nearest(prefix.as_str(), names.iter().map(cut))?;
    names.iter().find(|name| name.as_str().starts_with(near))
}
