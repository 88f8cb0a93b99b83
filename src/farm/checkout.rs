//! Projects and the repositories they are in: registering, describing, reading again.

use std::path::{Path, PathBuf};

use super::visible::{Seen, View};
use super::wire::CheckoutForm;
use super::{Description, NewProject, ProjectChange, ProjectSource, ProjectText, Registered};
use crate::config::Settings;
use crate::detect::{self, Tree};
use crate::error::{Code, Error, IoContext, Result};
use crate::ledger::events::Act;
use crate::ledger::projects;
use crate::model::{Action, GitUrl, Project, ProjectFile, ProjectName, RefName, SubPath, Timestamp};
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
    let description = described_by(&ProjectText::read(&path)?)?;
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
        let written = ProjectText::read(&own)?;
        // Read here first: what is wrong with it is told with its place on this machine.
        let description = described_by(&written)?;
        (written.text, description.project_file, Vec::new())
    } else {
        let found = detect::detect(&CheckoutTree::list(here)?);
        let text = detect::render(&suggested_name(here), &found);
        (text, None, found.into_iter().map(|found| found.evidence).collect())
    };
    let (git_url, root) = (here.place()?, here.root().clone());
    let (suggested_name, main_branch) = (suggested_name(here), here.main_branch());
    Ok(CheckoutForm {
        git_url,
        root,
        suggested_name,
        main_branch,
        text,
        project_file,
        evidence,
        name: None,
        default_branch: None,
        only_new: false,
    })
}

/// Registers the project of a checkout elsewhere, or brings it up to date with what is said of it now.
pub(super) fn register_form(view: &View, form: CheckoutForm) -> Result<Registered> {
    let CheckoutForm { git_url, root, suggested_name, main_branch, text, project_file, evidence, .. } = form;
    let CheckoutForm { name, default_branch, only_new, .. } = form;
    if git_url.local_path().is_some() {
        return Err(Error::invalid("the address is a path on the server's machine")
            .hint("give the repository's remote, or checkout://HOST/absolute/path"));
    }
    if !git_url.is_checkout() {
        admit(view, &git_url)?;
    }
    let mut file = ProjectFile::parse(&text, project_file.as_deref().unwrap_or(ProjectFile::NAME))?;
    // Many people's checkouts have the same name: the second one gets a number.
    let named = file.name.take().filter(|_| project_file.is_some());
    let registered = view.read(|seen| seen.project_at(&git_url, &root))?;
    if let Some(there) = registered.as_ref().filter(|_| only_new) {
        return Err(registered_already(&there.name));
    }
    let had = registered.as_ref().and_then(|project| project.default_branch.clone());
    file.default_branch = file.default_branch.or(had).or(main_branch);
    let description = Description { file, project_file, evidence };
    match registered {
        Some(project) => {
            let wanted = ProjectChange { default_branch, ..ProjectChange::default() };
            change(view, project, description, &wanted)
        }
        None => {
            let (suggested, place) = (named.unwrap_or(suggested_name), (git_url, root, !only_new));
            insert_at(view, name, suggested, place, default_branch, description)
        }
    }
}

fn registered_already(name: &ProjectName) -> Error {
    Error::new(Code::Conflict, format!("this checkout is registered already, as {name}"))
        .hint(format!("change it with `crafting project update {name}`"))
}

/// Registers a project on request.
pub(super) fn add(view: &View, new: NewProject) -> Result<Registered> {
    match &new.source {
        ProjectSource::Folder(folder) => {
            let here = Checkout::discover(folder)?;
            let description = describe_folder(&here, new.file.as_ref())?;
            if let Some(project) = view.read(|seen| seen.project_at(here.url(), here.root()))? {
                return Err(registered_already(&project.name));
            }
            let name = new.name.or_else(|| description.file.name.clone());
            let place = (here.url().clone(), here.root().clone());
            insert(view, name, suggested_name(&here), place, new.default_branch, description)
        }
        ProjectSource::Url { url, root } => add_url(view, url, root, &new),
    }
}

fn add_url(view: &View, url: &GitUrl, root: &SubPath, new: &NewProject) -> Result<Registered> {
    admit(view, url)?;
    let stem = ProjectName::suggest(if root.is_root() { url.stem() } else { last_part(root) });
    let given = new.file.as_ref().map(described_by).transpose()?;
    let asked_for = new.name.clone().or_else(|| given.and_then(|given| given.file.name));
    // The mirror has the project's name too.
    let name = view.read(|seen| match &asked_for {
        Some(name) if projects::is_taken(seen.tx, name)? => Err(projects::taken(name)),
        Some(name) => Ok(name.clone()),
        None => match seen.project_at(url, root)? {
            Some(there) => {
                Err(Error::new(Code::Conflict, format!("this repository is registered already, as {}", there.name))
                    .hint("to have it twice, give another --name"))
            }
            None => free_name(seen, &stem),
        },
    })?;
    let description = describe_commit(view, (&name, url, root), new.default_branch.as_ref(), new.file.as_ref());
    let place = (url.clone(), root.clone());
    let added = description
        .and_then(|description| insert(view, asked_for, stem, place, new.default_branch.clone(), description));
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
    if let Some(url) = &wanted.url {
        admit(view, url)?;
    }
    let url = wanted.url.as_ref().unwrap_or(&project.git_url);
    let moved = Project { git_url: url.clone(), ..project.clone() };
    let description = match of_project(&moved)? {
        Some(here) => describe_folder(&here, wanted.file.as_ref())?,
        None => {
            let branch = wanted.default_branch.as_ref().or(project.default_branch.as_ref());
            describe_commit(view, (name, url, &project.root), branch, wanted.file.as_ref())?
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
        true => here.url().stem(),
        false => last_part(here.root()),
    };
    ProjectName::suggest(folder)
}

fn last_part(path: &SubPath) -> &str {
    path.as_str().rsplit('/').next().unwrap_or_default()
}

/// That the caller may have this machine fetch from there. Whoever sits at it may fetch from anywhere.
fn admit(view: &View, url: &GitUrl) -> Result<()> {
    if url.is_checkout() {
        return Err(Error::invalid("nothing can be fetched from a checkout on another machine")
            .hint("run `crafting project add .` in that checkout, with --server"));
    }
    match view.caller().token {
        Some(_) => view.rooms().settings.git_hosts.value.admit(url),
        None => Ok(()),
    }
}

fn describe_folder(here: &Checkout, file: Option<&ProjectText>) -> Result<Description> {
    let own = here.folder().join(ProjectFile::NAME);
    match file {
        Some(file) => described_by(file),
        None if own.exists() => described_by(&ProjectText::read(&own)?),
        None => Ok(detected(&CheckoutTree::list(here)?)),
    }
}

fn describe_commit(
    view: &View,
    (name, url, root): (&ProjectName, &GitUrl, &SubPath),
    branch: Option<&RefName>,
    file: Option<&ProjectText>,
) -> Result<Description> {
    let mirror = view.rooms().workspace.mirror(name, url);
    let branch = match branch {
        Some(branch) => branch.clone(),
        None => default_branch(&mirror)?,
    };
    let commit = mirror.resolve(&branch)?.sha;
    if let Some(file) = file {
        return described_by(file);
    }
    let tree = CommitTree::list(&mirror, &commit, root)?;
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

impl ProjectText {
    /// Reads a file of the asker's.
    pub fn read(path: &Path) -> Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                let message = format!("{} is not UTF-8 text", path.display());
                return Err(Error::new(Code::InvalidConfig, message).hint("save it as UTF-8"));
            }
            other => other.on("read", path).map_err(|error| {
                Error::new(Code::InvalidConfig, error.to_string()).hint("check that it is a file that you may read")
            })?,
        };
        Ok(Self { text, origin: path.display().to_string() })
    }
}

fn described_by(written: &ProjectText) -> Result<Description> {
    let file = ProjectFile::parse(&written.text, &written.origin)?;
    Ok(Description { file, project_file: Some(written.origin.clone()), evidence: Vec::new() })
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
        let act = Act::new(Action::ProjectAdd, project.name.as_str());
        seen.record(act.of(&project.name).told(project.git_url.as_str()))?;
        Ok(true)
    })?;
    Ok(Registered { project, added, changed: false, project_file, evidence })
}

/// What of a project has changed.
fn differences(old: &Project, new: &Project) -> String {
    let parts = [
        ("address", old.git_url != new.git_url),
        ("branch", old.default_branch != new.default_branch),
        ("timeout", old.timeout_secs != new.timeout_secs),
        ("submodules", old.submodules != new.submodules),
        ("recipes", old.subprojects != new.subprojects),
        ("ignore rules", old.ignores != new.ignores),
    ];
    parts.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
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
            let old = seen.project(&project.name)?;
            projects::update(seen.tx, &project)?;
            let act = Act::new(Action::ProjectUpdate, project.name.as_str()).of(&project.name);
            seen.record(act.told(&differences(&old, &project)))
        })?;
    }
    Ok(Registered { project, added: false, changed, project_file, evidence })
}
