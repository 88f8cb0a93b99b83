//! The table of events: the audit trail. Rows are added, in the transaction of the change that they tell of, and never
//! changed or removed: not with their project, and not after a time. A row has some hundred bytes.

use std::net::IpAddr;

use rusqlite::{Row, ToSql, Transaction, named_params, params_from_iter};

use super::{parsed, unreadable};
use crate::error::{Error, Result};
use crate::model::{
    Action, AuditEvent, Caller, EventFilter, Job, JobId, JobStatus, Phase, ProjectName, Timestamp, TokenName,
};

const COLUMNS: &str = "id, at, actor, address, action, phase, object_kind, object, project, detail";

/// Something that somebody does.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    action: Action,
    phase: Phase,
    object: &'a str,
    project: Option<&'a ProjectName>,
    detail: Option<&'a str>,
}

impl<'a> Act<'a> {
    /// It is done as soon as it is begun.
    pub fn new(action: Action, object: &'a str) -> Self {
        Self { action, phase: Phase::Done, object, project: None, detail: None }
    }

    /// In this project.
    pub fn of(self, project: &'a ProjectName) -> Self {
        Self { project: Some(project), ..self }
    }

    /// It is only so far.
    pub fn in_phase(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    /// With more to say of it. Never a secret: what is said here stays.
    pub fn told(self, detail: &'a str) -> Self {
        Self { detail: Some(detail), ..self }
    }
}

/// Notes what a caller does.
pub fn record(tx: &Transaction<'_>, caller: &Caller, act: Act<'_>) -> Result<()> {
    insert(tx, caller.token.as_ref().map(TokenName::as_str), caller.address, act)
}

/// Notes that a job was queued, from that address.
pub fn job_queued(tx: &Transaction<'_>, job: &Job, address: Option<IpAddr>) -> Result<()> {
    let what = format!("{} {} at {}", job.subproject, job.recipe, job.git_ref);
    let act = Act::new(Action::JobRun, job.id.as_str()).of(&job.project).in_phase(Phase::Started).told(&what);
    insert(tx, job.token.as_deref(), address, act)
}

/// Notes that a job ended, in the name of whoever had asked for it.
pub(super) fn job_ended(tx: &Transaction<'_>, job: &JobId, status: JobStatus, failed: bool) -> Result<()> {
    let phase = if failed { Phase::Failed } else { Phase::Completed };
    tx.prepare_cached(
        "INSERT INTO events (at, actor, action, phase, object_kind, object, project, detail) \
         SELECT :at, token, :action, :phase, :object_kind, id, project, :detail FROM jobs WHERE id = :job",
    )?
    .execute(named_params! {
        ":at": Timestamp::now().as_millis(),
        ":action": Action::JobRun.as_str(),
        ":phase": phase.as_str(),
        ":object_kind": Action::JobRun.object_kind().as_str(),
        ":detail": status.as_str(),
        ":job": job.as_str(),
    })?;
    Ok(())
}

fn insert(tx: &Transaction<'_>, actor: Option<&str>, address: Option<IpAddr>, act: Act<'_>) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO events (at, actor, address, action, phase, object_kind, object, project, detail) VALUES (:at, \
         :actor, :address, :action, :phase, :object_kind, :object, :project, :detail)",
    )?
    .execute(named_params! {
        ":at": Timestamp::now().as_millis(),
        ":actor": actor,
        ":address": address.map(|address| address.to_string()),
        ":action": act.action.as_str(),
        ":phase": act.phase.as_str(),
        ":object_kind": act.action.object_kind().as_str(),
        ":object": act.object,
        ":project": act.project.map(ProjectName::as_str),
        ":detail": act.detail,
    })?;
    Ok(())
}

/// Events, newest first.
pub fn list(tx: &Transaction<'_>, filter: &EventFilter) -> Result<Vec<AuditEvent>> {
    let (sql, values) = statement(filter);
    let mut statement = tx.prepare_cached(&sql)?;
    parsed(statement.query_map(params_from_iter(values.iter().map(AsRef::as_ref)), |row| Ok(read(row)))?)
}

fn statement(filter: &EventFilter) -> (String, Vec<Box<dyn ToSql>>) {
    let mut sql = format!("SELECT {COLUMNS} FROM events WHERE TRUE");
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    // The narrowest first; it is the one whose index is walked.
    let narrow: [(&str, Option<String>); 4] = [
        ("object", filter.object.clone()),
        ("actor", filter.actor.as_ref().map(ToString::to_string)),
        ("project", filter.project.as_ref().map(ToString::to_string)),
        ("object_kind", filter.object_kind.map(|kind| kind.to_string())),
    ];
    for (column, value) in narrow {
        if let Some(value) = value {
            let plus = if values.is_empty() { "" } else { "+" };
            sql.push_str(&format!(" AND {plus}{column} = ?"));
            values.push(Box::new(value));
        }
    }
    if let Some(before) = filter.before {
        sql.push_str(" AND id < ?");
        values.push(Box::new(before));
    }
    sql.push_str(" ORDER BY id DESC LIMIT ?");
    values.push(Box::new(filter.limit.clamp(1, 500)));
    (sql, values)
}

fn read(row: &Row<'_>) -> Result<AuditEvent> {
    let bad = |error: Error| unreadable("an event", error);
    let text = |column: &str| row.get::<_, String>(column);
    let maybe = |column: &str| row.get::<_, Option<String>>(column);
    Ok(AuditEvent {
        id: row.get("id")?,
        at: Timestamp::from_millis(row.get("at")?),
        actor: maybe("actor")?.map(|actor| actor.parse()).transpose().map_err(bad)?,
        address: maybe("address")?
            .map(|address| address.parse())
            .transpose()
            .map_err(|error| unreadable("an event", error))?,
        action: text("action")?.parse().map_err(bad)?,
        phase: text("phase")?.parse().map_err(bad)?,
        object_kind: text("object_kind")?.parse().map_err(bad)?,
        object: text("object")?,
        project: maybe("project")?.map(|project| project.parse()).transpose().map_err(bad)?,
        detail: row.get("detail")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::jobs::samples::{finish_as, ledger, queue};
    use super::*;
    use crate::ledger::projects;

    #[test]
    fn every_list_walks_an_index() {
        let (_folder, ledger) = ledger();
        for mask in 0..32_u8 {
            let some = |bit: u8| (mask & bit > 0).then_some(());
            let filter = EventFilter {
                project: some(1).map(|()| "a".parse().unwrap()),
                object_kind: some(2).map(|()| Action::JobRun.object_kind()),
                object: some(4).map(|()| "x".to_owned()),
                actor: some(8).map(|()| "ann".parse().unwrap()),
                before: some(16).map(|()| 7),
                ..EventFilter::default()
            };
            let (sql, values) = statement(&filter);
            let plan: Vec<String> = ledger
                .read(|tx| {
                    let mut statement = tx.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                    let values = params_from_iter(values.iter().map(AsRef::as_ref));
                    Ok(statement.query_map(values, |row| row.get(3))?.collect::<rusqlite::Result<_>>()?)
                })
                .unwrap();
            let narrow = plan.iter().all(|step| step.starts_with("SEARCH") || mask == 0 && step == "SCAN events");
            assert!(narrow, "{sql}: {plan:?}");
        }
    }

    #[test]
    fn events_outlive_their_project_and_cannot_be_changed() {
        let (_folder, ledger) = ledger();
        let caller = Caller {
            token: Some("ann".parse().unwrap()),
            is_admin: false,
            address: Some(std::net::Ipv4Addr::LOCALHOST.into()),
        };
        let (a, b): (ProjectName, ProjectName) = ("a".parse().unwrap(), "b".parse().unwrap());
        for project in [&a, &b] {
            let act = Act::new(Action::ProjectUpdate, project.as_str()).of(project).told("branch");
            ledger.write(|tx| record(tx, &caller, act)).unwrap();
        }
        let job = queue(&ledger, "a", None, None);
        finish_as(&ledger, &job, JobStatus::Failed);
        ledger.write(|tx| projects::remove(tx, &a)).unwrap();
        for forbidden in ["DELETE FROM events", "UPDATE events SET actor = 'bob'"] {
            let error = ledger.write(|tx| Ok(tx.execute(forbidden, [])?)).unwrap_err();
            assert!(error.to_string().contains("events are only added"), "{error}");
        }
        let list = |filter: EventFilter| ledger.read(|tx| list(tx, &filter)).unwrap();
        let of_a = EventFilter { project: Some(a), ..EventFilter::default() };
        let told: Vec<_> =
            list(of_a.clone()).into_iter().map(|event| (event.action, event.phase, event.object)).collect();
        let expected =
            [(Action::JobRun, Phase::Completed, job.to_string()), (Action::ProjectUpdate, Phase::Done, "a".to_owned())];
        assert_eq!(told, expected);
        let anns = EventFilter { actor: caller.token.clone(), limit: 1, ..EventFilter::default() };
        let newest = list(anns.clone()).remove(0);
        assert_eq!((newest.object.as_str(), newest.actor, newest.address), ("b", caller.token, caller.address));
        let older = list(EventFilter { before: Some(newest.id), ..anns });
        assert_eq!(older.iter().map(|event| event.object.as_str()).collect::<Vec<_>>(), ["a"]);
    }
}
