//! Projects and the repositories they are in: registering, describing, reading again.

use std::path::{Path, PathBuf};

use super::visible::{Seen, View};
use super::wire::CheckoutForm;
use super::{Description, NewProject, ProjectChange, ProjectSource, Registered};
use crate::config::Settings;
use crate::detect::{self, Tree};
use crate::error::{Code, Error, IoContext, Result};
use crate::ledger::projects;
use crate::model::{GitUrl, Project, ProjectFile, ProjectName, RefName, SubPath, Timestamp};
use crate::workspace::{self, Checkout, CheckoutTree, CommitTree, Mirror};

/// A written `crafting.toml`.
#[derive(Clone, Debug)]
pub struct Initialised {
    /// The file.
    pub path: PathBuf,
    /// Each subproject, its recipes' names, and what it was recognised by.
    pub found: Vec<(SubPath, Vec<String>, String)>,
}

/// Looks at the checkout around `folder` and writes a commented `crafting.toml` at the project's root. One that is
/// there already is a conflict, unless `force` says to replace it.
pub fn init(folder: &Path, force: bool) -> Result<Initialised> {
    let here = Checkout::discover(folder)?;
    let path = here.folder().join(ProjectFile::NAME);
    if path.exists() && !force {
        return Err(Error::new(Code::Conflict, format!("{} exists already", path.display()))
            .hint("edit it, or replace it with --force"));
    }
    let found = detect::detect(&CheckoutTree::list(&here)?);
    let text = detect::render(&suggested_name(&here), &found);
    // Written beside and renamed: a full disk must not leave half a file where a whole one was.
    let beside = tempfile::NamedTempFile::new_in(here.folder()).on("write into", &here.folder())?;
    std::fs::write(beside.path(), text).on("write", &path)?;
    std::fs::set_permissions(beside.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).on("write", &path)?;
    beside.persist(&path).map_err(|error| error.error).on("write", &path)?;
    let found = found.into_iter().map(|found| {
        let recipes = found.subproject.recipes.keys().map(ToString::to_string).collect();
        (found.subproject.name, recipes, found.evidence)
    });
    Ok(Initialised { path, found: found.collect() })
}

/// The settings that hold in `folder`: where it is in a checkout, the project's `crafting.toml` has its say.
pub fn settings(folder: &Path) -> Result<Settings> {
    let settings = Settings::load()?;
    let Ok(here) = Checkout::discover(folder) else { return Ok(settings) };
    let path = here.folder().join(ProjectFile::NAME);
    if !path.exists() {
        return Ok(settings);
    }
    let description = described_by(&path, std::fs::read_to_string(&path))?;
    Ok(settings.with_project(&description.file, &path))
}

/// Registers the project of a checkout, or brings it up to date with what its `crafting.toml` says now.
pub(super) fn register(view: &View, here: &Checkout) -> Result<Registered> {
    let description = describe_folder(here, None)?;
    let registered = view.read(|seen| seen.project_at(here.url(), here.root()))?;
    match registered {
        Some(project) => change(view, project, description, &ProjectChange::default()),
        None => {
            let name = description.file.name.clone();
            insert(view, name, suggested_name(here), (here.url().clone(), here.root().clone()), None, description)
        }
    }
}

/// What a checkout tells a server of its project.
pub(super) fn form_of(here: &Checkout) -> Result<CheckoutForm> {
    let own = here.folder().join(ProjectFile::NAME);
    let (text, project_file, evidence) = if own.exists() {
        let text = std::fs::read_to_string(&own);
        // Read here first: what is wrong with it is told with its place on this machine.
        let description = described_by(&own, text)?;
        (std::fs::read_to_string(&own).on("read", &own)?, description.project_file, Vec::new())
    } else {
        let found = detect::detect(&CheckoutTree::list(here)?);
        let text = detect::render(&suggested_name(here), &found);
        (text, None, found.into_iter().map(|found| found.evidence).collect())
    };
    let (git_url, root) = (here.place()?, here.root().clone());
    let (suggested_name, main_branch) = (suggested_name(here), here.main_branch());
    Ok(CheckoutForm { git_url, root, suggested_name, main_branch, text, project_file, evidence })
}

/// Registers the project of a checkout elsewhere, or brings it up to date with what is said of it now.
pub(super) fn register_form(view: &View, form: CheckoutForm) -> Result<Registered> {
    let CheckoutForm { git_url, root, suggested_name, main_branch, text, project_file, evidence } = form;
    if git_url.local_path().is_some() {
        return Err(Error::invalid("the address is a path on the server's machine")
            .hint("give the repository's remote, or checkout://HOST/absolute/path"));
    }
    let mut file = ProjectFile::parse(&text, project_file.as_deref().unwrap_or(ProjectFile::NAME))?;
    // Many people's checkouts have the same name: the second one gets a number.
    let named = file.name.take().filter(|_| project_file.is_some());
    let registered = view.read(|seen| seen.project_at(&git_url, &root))?;
    let had = registered.as_ref().and_then(|project| project.default_branch.clone());
    file.default_branch = file.default_branch.or(had).or(main_branch);
    let description = Description { file, project_file, evidence };
    match registered {
        Some(project) => change(view, project, description, &ProjectChange::default()),
        None => insert_at(view, None, named.unwrap_or(suggested_name), (git_url, root, true), None, description),
    }
}

/// Registers a project on request.
pub(super) fn add(view: &View, new: NewProject) -> Result<Registered> {
    match &new.source {
        ProjectSource::Folder(folder) => {
            let here = Checkout::discover(folder)?;
            let description = describe_folder(&here, new.file.as_deref())?;
            if let Some(project) = view.read(|seen| seen.project_at(here.url(), here.root()))? {
                return Err(Error::new(
                    Code::Conflict,
                    format!("this checkout is registered already, as {}", project.name),
                )
                .hint(format!("change it with `crafting project update {}`", project.name)));
            }
            let name = new.name.or_else(|| description.file.name.clone());
            let place = (here.url().clone(), here.root().clone());
            insert(view, name, suggested_name(&here), place, new.default_branch, description)
        }
        ProjectSource::Url(url) => add_url(view, url, &new),
    }
}

fn add_url(view: &View, url: &GitUrl, new: &NewProject) -> Result<Registered> {
    let stem = ProjectName::suggest(url.stem());
    // The mirror has the project's name too.
    let name = view.read(|seen| match &new.name {
        Some(name) if projects::is_taken(seen.tx, name)? => Err(projects::taken(name)),
        Some(name) => Ok(name.clone()),
        None => match seen.project_at(url, &SubPath::root())? {
            Some(there) => {
                Err(Error::new(Code::Conflict, format!("this repository is registered already, as {}", there.name))
                    .hint("to have it twice, give another --name"))
            }
            None => free_name(seen, &stem),
        },
    })?;
    let description = describe_commit(view, &name, url, new.default_branch.as_ref(), new.file.as_deref());
    let place = (url.clone(), SubPath::root());
    let added = description
        .and_then(|description| insert(view, new.name.clone(), stem, place, new.default_branch.clone(), description));
    if !added.as_ref().is_ok_and(|added| added.project.name == name)
        && !view.read(|seen| projects::is_taken(seen.tx, &name))?
    {
        // The mirror of a project that was never registered belongs to nobody.
        let _ = view.rooms().workspace.remove_project(&name);
    }
    added
}

/// The suggested name, or that with a number where somebody has it.
fn free_name(seen: &Seen<'_>, suggested: &ProjectName) -> Result<ProjectName> {
    let (mut name, mut number) = (suggested.clone(), 1);
    while projects::is_taken(seen.tx, &name)? {
        number += 1;
        name = format!("{suggested}-{number}").parse()?;
    }
    Ok(name)
}

/// Describes a registered project again.
pub(super) fn update(view: &View, name: &ProjectName, wanted: ProjectChange) -> Result<Registered> {
    let project = view.read(|seen| seen.project(name))?;
    let url = wanted.url.as_ref().unwrap_or(&project.git_url);
    let moved = Project { git_url: url.clone(), ..project.clone() };
    let description = match of_project(&moved)? {
        Some(here) => describe_folder(&here, wanted.file.as_deref())?,
        None => {
            let branch = wanted.default_branch.as_ref().or(project.default_branch.as_ref());
            describe_commit(view, name, url, branch, wanted.file.as_deref())?
        }
    };
    change(view, project, description, &wanted)
}

/// The checkout of a project whose repository is a folder on this machine; `None` for a remote or a bare one.
pub(super) fn of_project(project: &Project) -> Result<Option<Checkout>> {
    let Some(path) = project.git_url.local_path() else { return Ok(None) };
    if !path.join(".git").exists() && path.join("HEAD").exists() {
        return Ok(None);
    }
    if !path.exists() {
        return Err(workspace::moved(&project.name, path));
    }
    let here = Checkout::discover(&path.join(project.root.as_str()))
        .map_err(|error| error.context(format!("the repository of {}", project.name)))?;
    Ok(Some(here))
}

fn suggested_name(here: &Checkout) -> ProjectName {
    let folder = match here.root().is_root() {
        // A linked worktree belongs to the same project as its main one.
        true => here.url().stem().to_owned(),
        false => here.root().as_str().rsplit('/').next().unwrap_or_default().to_owned(),
    };
    ProjectName::suggest(&folder)
}

fn describe_folder(here: &Checkout, file: Option<&Path>) -> Result<Description> {
    let own = here.folder().join(ProjectFile::NAME);
    match file {
        Some(file) => described_by(file, std::fs::read_to_string(file)),
        None if own.exists() => described_by(&own, std::fs::read_to_string(&own)),
        None => Ok(detected(&CheckoutTree::list(here)?)),
    }
}

fn describe_commit(
    view: &View,
    name: &ProjectName,
    url: &GitUrl,
    branch: Option<&RefName>,
    file: Option<&Path>,
) -> Result<Description> {
    let mirror = view.rooms().workspace.mirror(name, url);
    let branch = match branch {
        Some(branch) => branch.clone(),
        None => default_branch(&mirror)?,
    };
    let commit = mirror.resolve(&branch)?.sha;
    if let Some(file) = file {
        return described_by(file, std::fs::read_to_string(file));
    }
    let tree = CommitTree::list(&mirror, &commit, &SubPath::root())?;
    match tree.read(ProjectFile::NAME) {
        Some(text) => {
            let origin = format!("{}@{}", ProjectFile::NAME, commit.short());
            let file = ProjectFile::parse(&text, &origin)?;
            Ok(Description { file, project_file: Some(origin), evidence: Vec::new() })
        }
        None => Ok(detected(&tree)),
    }
}

/// The branch that a repository considers its main one.
pub(super) fn default_branch(mirror: &Mirror) -> Result<RefName> {
    mirror.default_branch()?.ok_or_else(|| {
        Error::new(Code::InvalidInput, format!("{} has no default branch", mirror.url()))
            .hint("name a branch: --branch when it is registered, --ref when it is run")
    })
}

fn described_by(path: &Path, text: std::io::Result<String>) -> Result<Description> {
    let text = match text {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            let message = format!("{} is not UTF-8 text", path.display());
            return Err(Error::new(Code::InvalidConfig, message).hint("save it as UTF-8"));
        }
        other => other.on("read", path).map_err(|error| {
            Error::new(Code::InvalidConfig, error.to_string()).hint("check that it is a file that you may read")
        })?,
    };
    let origin = path.display().to_string();
    let file = ProjectFile::parse(&text, &origin)?;
    Ok(Description { file, project_file: Some(origin), evidence: Vec::new() })
}

fn detected(tree: &dyn Tree) -> Description {
    let (mut file, mut evidence) = (ProjectFile::default(), Vec::new());
    for found in detect::detect(tree) {
        file.subprojects.push(found.subproject);
        evidence.push(found.evidence);
    }
    Description { file, project_file: None, evidence }
}

/// Adds the project. With no name of its own it gets the suggested one, or that with a number where it is taken.
fn insert(
    view: &View,
    name: Option<ProjectName>,
    suggested: ProjectName,
    (git_url, root): (GitUrl, SubPath),
    default_branch: Option<RefName>,
    description: Description,
) -> Result<Registered> {
    let once = git_url.local_path().is_some();
    insert_at(view, name, suggested, (git_url, root, once), default_branch, description)
}

/// The same; with `once`, the project that is at that place already is the answer.
fn insert_at(
    view: &View,
    name: Option<ProjectName>,
    suggested: ProjectName,
    (git_url, root, once): (GitUrl, SubPath, bool),
    default_branch: Option<RefName>,
    description: Description,
) -> Result<Registered> {
    let Description { file, project_file, evidence } = description;
    let now = Timestamp::now();
    let mut project = Project {
        name: name.clone().unwrap_or_else(|| suggested.clone()),
        git_url,
        owner: view.caller().token.clone(),
        root,
        default_branch: default_branch.or(file.default_branch),
        timeout_secs: file.timeout_secs,
        submodules: file.submodules,
        subprojects: file.subprojects,
        ignores: file.ignores,
        created_at: now,
        updated_at: now,
    };
    let added = view.write(|seen| {
        // Another process may have registered the same checkout a moment ago.
        if once && let Some(there) = seen.project_at(&project.git_url, &project.root)? {
            project = there;
            return Ok(false);
        }
        if name.is_none() {
            project.name = free_name(seen, &suggested)?;
        }
        projects::insert(seen.tx, &project)?;
        Ok(true)
    })?;
    Ok(Registered { project, added, changed: false, project_file, evidence })
}

fn change(view: &View, old: Project, description: Description, wanted: &ProjectChange) -> Result<Registered> {
    let Description { file, project_file, evidence } = description;
    let new = Project {
        git_url: wanted.url.clone().unwrap_or_else(|| old.git_url.clone()),
        default_branch: wanted.default_branch.clone().or(file.default_branch).or_else(|| old.default_branch.clone()),
        timeout_secs: file.timeout_secs,
        submodules: file.submodules,
        subprojects: file.subprojects,
        ignores: file.ignores,
        ..old.clone()
    };
    let changed = new != old;
    let project = match changed {
        true => Project { updated_at: Timestamp::now(), ..new },
        false => old,
    };
    if changed {
        view.write(|seen| {
            seen.project(&project.name)?;
            projects::update(seen.tx, &project)
        })?;
    }
    Ok(Registered { project, added: false, changed, project_file, evidence })
}
