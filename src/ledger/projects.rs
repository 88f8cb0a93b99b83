//! The table of projects.

use rusqlite::{OptionalExtension, Row, Transaction, named_params};

use super::{Within, parsed, unreadable};
use crate::error::{Code, Error, Result};
use crate::model::{GitUrl, Project, ProjectName, SubPath, Timestamp, nearest};

const COLUMNS: &str = "name, git_url, owner, root, default_branch, timeout_secs, submodules, subprojects, ignores, created_at, updated_at";

/// Adds a project; a taken name is a conflict. It is one whoever has the name, since a name is a folder too: this is all
/// that anybody can learn of another's project, as with users' names elsewhere.
pub fn insert(tx: &Transaction<'_>, project: &Project) -> Result<()> {
    let sql = format!(
        "INSERT INTO projects ({COLUMNS}) VALUES (:name, :git_url, :owner, :root, :default_branch, :timeout_secs, \
         :submodules, :subprojects, :ignores, :created_at, :updated_at) ON CONFLICT (name) DO NOTHING"
    );
    match store(tx, &sql, project)? {
        0 => Err(taken(&project.name)),
        _ => Ok(()),
    }
}

/// That somebody has a project of that name.
pub fn taken(name: &ProjectName) -> Error {
    Error::new(Code::Conflict, format!("a project named {name} is registered already"))
        .hint("give it a name of its own: `crafting project add . --name NAME`, or change that one: `crafting project update`")
}

/// Replaces everything but the name and the time of registration.
pub fn update(tx: &Transaction<'_>, project: &Project) -> Result<()> {
    let sql = "UPDATE projects SET git_url = :git_url, owner = :owner, root = :root, default_branch = :default_branch, \
               timeout_secs = :timeout_secs, submodules = :submodules, subprojects = :subprojects, ignores = :ignores, \
               created_at = :created_at, updated_at = :updated_at WHERE name = :name";
    match store(tx, sql, project)? {
        0 => Err(missing(tx, Within::Project(&project.name), &project.name)?),
        _ => Ok(()),
    }
}

fn store(tx: &Transaction<'_>, sql: &str, project: &Project) -> Result<usize> {
    let subprojects = serde_json::to_string(&project.subprojects).map_err(|error| unreadable("subprojects", error))?;
    let ignores = serde_json::to_string(&project.ignores).map_err(|error| unreadable("ignore rules", error))?;
    let count = tx.prepare_cached(sql)?.execute(named_params! {
        ":name": project.name.as_str(),
        ":git_url": project.git_url.as_str(),
        ":owner": project.owner.as_ref().map(|owner| owner.as_str()),
        ":root": project.root.as_str(),
        ":default_branch": project.default_branch.as_ref().map(|branch| branch.as_str()),
        ":timeout_secs": project.timeout_secs.map(u64::cast_signed),
        ":submodules": project.submodules,
        ":subprojects": subprojects,
        ":ignores": ignores,
        ":created_at": project.created_at.as_millis(),
        ":updated_at": project.updated_at.as_millis(),
    })?;
    Ok(count)
}

/// One project within, or an error that offers the nearest name there.
pub fn get(tx: &Transaction<'_>, within: Within<'_>, name: &ProjectName) -> Result<Project> {
    let sql = format!("SELECT {COLUMNS} FROM projects WHERE {} AND name = ?2", within.of_projects());
    let mut statement = tx.prepare_cached(&sql)?;
    match statement.query_row((within.value(), name.as_str()), |row| Ok(read(row))).optional()? {
        Some(project) => project,
        None => Err(missing(tx, within, name)?),
    }
}

/// Whether anybody has a project of that name.
pub fn is_taken(tx: &Transaction<'_>, name: &ProjectName) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM projects WHERE name = ?1)";
    Ok(tx.prepare_cached(sql)?.query_row([name.as_str()], |row| row.get(0))?)
}

/// The project within that is at this place, the one registered first if there are several.
pub fn find_by_place(
    tx: &Transaction<'_>,
    within: Within<'_>,
    git_url: &GitUrl,
    root: &SubPath,
) -> Result<Option<Project>> {
    let mut statement = tx.prepare_cached(&place_statement(within))?;
    let values = (within.value(), git_url.as_str(), root.as_str());
    statement.query_row(values, |row| Ok(read(row))).optional()?.transpose()
}

fn place_statement(within: Within<'_>) -> String {
    // Few projects are at one place: the plus keeps the owner's index out of it.
    let within = within.of_projects();
    format!(
        "SELECT {COLUMNS} FROM projects WHERE +{within} AND git_url = ?2 AND root = ?3 ORDER BY created_at, name LIMIT 1"
    )
}

/// The projects within that are in this repository, or in this folder of it, by name.
pub fn list_by_place(
    tx: &Transaction<'_>,
    within: Within<'_>,
    git_url: &GitUrl,
    root: Option<&SubPath>,
) -> Result<Vec<Project>> {
    let within_sql = within.of_projects();
    let sql = format!(
        "SELECT {COLUMNS} FROM projects WHERE +{within_sql} AND git_url = ?2 AND (?3 IS NULL OR root = ?3) ORDER BY name"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let values = (within.value(), git_url.as_str(), root.map(SubPath::as_str));
    parsed(statement.query_map(values, |row| Ok(read(row)))?)
}

/// Every project within, by name.
pub fn list(tx: &Transaction<'_>, within: Within<'_>) -> Result<Vec<Project>> {
    let sql = format!("SELECT {COLUMNS} FROM projects WHERE {} ORDER BY name", within.of_projects());
    let mut statement = tx.prepare_cached(&sql)?;
    parsed(statement.query_map([within.value()], |row| Ok(read(row)))?)
}

/// Removes a project with its jobs and their findings.
pub fn remove(tx: &Transaction<'_>, name: &ProjectName) -> Result<()> {
    match tx.execute("DELETE FROM projects WHERE name = ?1", [name.as_str()])? {
        0 => Err(missing(tx, Within::Project(name), name)?),
        _ => Ok(()),
    }
}

fn missing(tx: &Transaction<'_>, within: Within<'_>, name: &ProjectName) -> Result<Error> {
    let sql = format!("SELECT name FROM projects WHERE {}", within.of_projects());
    let mut statement = tx.prepare_cached(&sql)?;
    let names: Vec<String> = statement.query_map([within.value()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let hint = match nearest(name.as_str(), names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None => "`crafting project list` shows every project".to_owned(),
    };
    Ok(Error::not_found(format!("there is no project {name}")).hint(hint))
}

fn read(row: &Row<'_>) -> Result<Project> {
    let bad = |error: Error| unreadable("a project", error);
    let text = |column: &str| row.get::<_, String>(column);
    Ok(Project {
        name: text("name")?.parse().map_err(bad)?,
        git_url: text("git_url")?.parse().map_err(bad)?,
        owner: row.get::<_, Option<String>>("owner")?.map(|owner| owner.parse()).transpose().map_err(bad)?,
        root: text("root")?.parse().map_err(bad)?,
        default_branch: row
            .get::<_, Option<String>>("default_branch")?
            .map(|branch| branch.parse())
            .transpose()
            .map_err(bad)?,
        timeout_secs: row.get::<_, Option<i64>>("timeout_secs")?.map(i64::cast_unsigned),
        submodules: row.get("submodules")?,
        subprojects: serde_json::from_str(&text("subprojects")?).map_err(|error| unreadable("subprojects", error))?,
        ignores: serde_json::from_str(&text("ignores")?).map_err(|error| unreadable("ignore rules", error))?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        updated_at: Timestamp::from_millis(row.get("updated_at")?),
    })
}
