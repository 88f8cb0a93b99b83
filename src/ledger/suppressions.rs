//! The tables of suppressions, and of the findings that are ignored.

use rusqlite::{OptionalExtension, Row, Transaction, named_params};

use super::selection::kind;
use super::{Within, parsed, unreadable};
use crate::error::{Error, Result};
use crate::model::{
    Fingerprint, FingerprintPrefix, IgnoreRule, Kind, ProjectName, RecipeName, Sighting, SubPath, Suppression,
    Timestamp,
};

const COLUMNS: &str = "id, project, subproject, recipe, fingerprint, ignored_as, kind, file, line, code, message, \
                       reason, until, created_at, context_hash";

/// SQL for whether a suppression, `s`, holds at a time.
pub(super) fn holds_at(now: Timestamp) -> String {
    format!("(s.id IS NOT NULL AND coalesce(s.until > {}, TRUE))", now.as_millis())
}

/// SQL for whether a rule of `crafting.toml`, in the row `i` of [the ignored ones](self), holds at a time.
pub(super) fn rule_holds_at(now: Timestamp) -> String {
    format!("(i.rule_reason IS NOT NULL AND coalesce(i.rule_until > {}, TRUE))", now.as_millis())
}

/// SQL for whether either does.
pub(super) fn ignored_at(now: Timestamp) -> String {
    format!("({} OR {})", holds_at(now), rule_holds_at(now))
}

/// A suppression as far as finding its finding goes.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its row's number.
    pub id: i64,
    /// Of this subproject and recipe only.
    pub place: Option<(SubPath, RecipeName)>,
    /// The 64 bits of what the finding was called last.
    pub fingerprint: u64,
    /// See [`crate::model::Finding::context_hash`].
    pub context_hash: Option<u64>,
    /// Whether its time is not up.
    pub holds: bool,
}

/// The suppressions of a project, the oldest first.
pub fn of_project(tx: &Transaction<'_>, project: &ProjectName, now: Timestamp) -> Result<Vec<Named>> {
    let sql = format!("SELECT {COLUMNS} FROM suppressions WHERE project = ?1 ORDER BY id");
    let mut statement = tx.prepare_cached(&sql)?;
    parsed(statement.query_map([project.as_str()], |row| {
        Ok(read(row).and_then(|suppression| {
            Ok(Named {
                id: row.get(0)?,
                fingerprint: suppression.fingerprint.to_bits(),
                context_hash: row.get::<_, Option<i64>>(14)?.map(i64::cast_unsigned),
                holds: !suppression.is_over(now),
                place: suppression.subproject.zip(suppression.recipe),
            })
        }))
    })?)
}

/// The suppressions within, the newest last.
pub fn list(tx: &Transaction<'_>, within: Within<'_>) -> Result<Vec<Suppression>> {
    let within_sql = within.of_projects_rows();
    let sql = format!("SELECT {COLUMNS} FROM suppressions WHERE {within_sql} ORDER BY project, created_at, id");
    let mut statement = tx.prepare_cached(&sql)?;
    parsed(statement.query_map([within.value()], |row| Ok(read(row)))?)
}

/// A finding that a person named: the newest row of each project, and for one without a file of each recipe.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its project.
    pub project: ProjectName,
    /// Its subproject.
    pub subproject: SubPath,
    /// Its recipe.
    pub recipe: RecipeName,
    /// Its row's number.
    pub row: i64,
    /// Its name.
    pub fingerprint: Fingerprint,
    /// Whether it has a file.
    pub placed: bool,
}

/// The findings within that a prefix may mean.
pub fn known(tx: &Transaction<'_>, within: Within<'_>, prefix: &FingerprintPrefix) -> Result<Vec<Known>> {
    // The jobs one by one: of each, the index has the fingerprints in order.
    let sql = format!(
        "SELECT j.project, j.subproject, j.recipe, max(f.id), f.fingerprint, f.file IS NOT NULL AS placed \
         FROM jobs j CROSS JOIN findings f ON f.job = j.seq WHERE {} AND f.fingerprint BETWEEN ?2 AND ?3 \
         GROUP BY j.project, f.fingerprint, CASE WHEN f.file IS NULL THEN j.subproject || ' ' || j.recipe END \
         ORDER BY j.project, f.fingerprint",
        within.of_jobs()
    );
    let (first, last) = prefix.range();
    let values = (within.value(), first.to_bits().cast_signed(), last.to_bits().cast_signed());
    let mut statement = tx.prepare_cached(&sql)?;
    let rows = statement.query_map(values, |row| {
        Ok((|| {
            let bad = |error: Error| unreadable("a job", error);
            Ok(Known {
                project: row.get::<_, String>(0)?.parse().map_err(bad)?,
                subproject: row.get::<_, String>(1)?.parse().map_err(bad)?,
                recipe: row.get::<_, String>(2)?.parse().map_err(bad)?,
                row: row.get(3)?,
                fingerprint: Fingerprint::from_bits(row.get::<_, i64>(4)?.cast_unsigned()),
                placed: row.get(5)?,
            })
        })())
    })?;
    parsed(rows)
}

/// Fingerprints of findings within, to tell somebody who mistyped one the nearest; not of all, if there are very many.
pub fn some_fingerprints(tx: &Transaction<'_>, within: Within<'_>) -> Result<Vec<Fingerprint>> {
    let sql = format!(
        "SELECT DISTINCT f.fingerprint FROM jobs j CROSS JOIN findings f ON f.job = j.seq WHERE {} \
         ORDER BY j.seq DESC LIMIT 20000",
        within.of_jobs()
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let rows = statement.query_map([within.value()], |row| row.get::<_, i64>(0))?;
    Ok(rows.map(|bits| Ok(Fingerprint::from_bits(bits?.cast_unsigned()))).collect::<rusqlite::Result<_>>()?)
}

/// Ignores a finding, wherever its project has it; one that is ignored already gets the new reason and time.
pub fn ignore(
    tx: &Transaction<'_>,
    finding: &Known,
    reason: &str,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Suppression> {
    let place = (!finding.placed).then_some((finding.subproject.as_str(), finding.recipe.as_str()));
    let known = "SELECT id FROM suppressions WHERE project = :project AND fingerprint = :fingerprint \
                 AND subproject IS :subproject AND recipe IS :recipe";
    let there: Option<i64> = tx
        .query_row(
            known,
            named_params! {
                ":project": finding.project.as_str(),
                ":fingerprint": finding.fingerprint.to_bits().cast_signed(),
                ":subproject": place.map(|place| place.0),
                ":recipe": place.map(|place| place.1),
            },
            |row| row.get(0),
        )
        .optional()?;
    let id = match there {
        Some(id) => {
            tx.execute(
                "UPDATE suppressions SET reason = ?2, until = ?3 WHERE id = ?1",
                (id, reason, until.map(Timestamp::as_millis)),
            )?;
            id
        }
        None => {
            tx.execute(
                "INSERT INTO suppressions (project, subproject, recipe, fingerprint, ignored_as, context_hash, kind, \
                 file, line, code, message, reason, until, created_at) SELECT :project, :subproject, :recipe, \
                 fingerprint, fingerprint, context_hash, kind, file, line, code, message, :reason, :until, :now \
                 FROM findings WHERE id = :row",
                named_params! {
                    ":project": finding.project.as_str(),
                    ":subproject": place.map(|place| place.0),
                    ":recipe": place.map(|place| place.1),
                    ":reason": reason,
                    ":until": until.map(Timestamp::as_millis),
                    ":now": now.as_millis(),
                    ":row": finding.row,
                },
            )?;
            tx.last_insert_rowid()
        }
    };
    // All jobs' rows of this name: whoever looks at an older job means the same finding.
    tx.execute(
        "INSERT INTO ignored (finding, suppression) SELECT f.id, :id FROM jobs j CROSS JOIN findings f ON f.job = j.seq \
         WHERE j.project = :project AND f.fingerprint = :fingerprint \
         AND (:subproject IS NULL OR (j.subproject = :subproject AND j.recipe = :recipe)) \
         ON CONFLICT (finding) DO UPDATE SET suppression = excluded.suppression",
        named_params! {
            ":id": id,
            ":project": finding.project.as_str(),
            ":fingerprint": finding.fingerprint.to_bits().cast_signed(),
            ":subproject": place.map(|place| place.0),
            ":recipe": place.map(|place| place.1),
        },
    )?;
    let sql = format!("SELECT {COLUMNS} FROM suppressions WHERE id = ?1");
    tx.query_row(&sql, [id], |row| Ok(read(row)))?
}

/// Takes back a suppression: its finding counts again, in every job.
pub fn remove(tx: &Transaction<'_>, suppression: &Suppression) -> Result<()> {
    tx.execute(
        "DELETE FROM suppressions WHERE project = ?1 AND fingerprint = ?2 AND subproject IS ?3 AND recipe IS ?4",
        (
            suppression.project.as_str(),
            suppression.fingerprint.to_bits().cast_signed(),
            suppression.subproject.as_ref().map(SubPath::as_str),
            suppression.recipe.as_ref().map(RecipeName::as_str),
        ),
    )?;
    Ok(())
}

/// Notes which findings of a job are ignored: by which suppression, which then goes by the finding's present name, and
/// by which rule. A suppression that was taken back meanwhile is passed over.
pub fn hold(tx: &Transaction<'_>, findings: &[Sighting], rules: &[Option<&IgnoreRule>]) -> Result<()> {
    let mut put = tx.prepare_cached(
        "INSERT INTO ignored (finding, suppression, rule_reason, rule_until) VALUES (?1, \
         (SELECT id FROM suppressions WHERE id = ?2), ?3, ?4) ON CONFLICT (finding) DO UPDATE SET \
         suppression = excluded.suppression, rule_reason = excluded.rule_reason, rule_until = excluded.rule_until",
    )?;
    let mut follow = tx.prepare_cached(
        "UPDATE suppressions SET (fingerprint, context_hash, file, line, message) = (SELECT fingerprint, \
         context_hash, file, line, message FROM findings WHERE id = ?2) WHERE id = ?1",
    )?;
    for (finding, rule) in findings.iter().zip(rules) {
        if finding.suppression.is_some() || rule.is_some() {
            let until = rule.and_then(|rule| rule.until).map(Timestamp::as_millis);
            put.execute((finding.id, finding.suppression, rule.map(|rule| rule.reason.as_str()), until))?;
        }
        if let Some(suppression) = finding.suppression {
            follow.execute((suppression, finding.id))?;
        }
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Suppression> {
    let bad = |error: Error| unreadable("a suppression", error);
    let name = |column: usize| row.get::<_, Option<String>>(column);
    let fingerprint =
        |column: usize| row.get::<_, i64>(column).map(|bits| Fingerprint::from_bits(bits.cast_unsigned()));
    let kind: Kind = kind(row, 6)?;
    Ok(Suppression {
        project: row.get::<_, String>(1)?.parse().map_err(bad)?,
        subproject: name(2)?.map(|name| name.parse()).transpose().map_err(bad)?,
        recipe: name(3)?.map(|name| name.parse()).transpose().map_err(bad)?,
        fingerprint: fingerprint(4)?,
        ignored_as: fingerprint(5)?,
        kind,
        file: row.get(7)?,
        line: row.get(8)?,
        code: row.get(9)?,
        message: row.get(10)?,
        reason: row.get(11)?,
        until: row.get::<_, Option<i64>>(12)?.map(Timestamp::from_millis),
        created_at: Timestamp::from_millis(row.get(13)?),
    })
}
