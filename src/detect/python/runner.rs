//! How the tools of a Python project get to their dependencies, by what its authors use for that.

use toml::Value;

use super::project::{Declared, Project, has_section, quoted};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Runner {
    /// <https://docs.astral.sh/uv/concepts/projects/run/>
    Uv { is_workspace: bool },
    /// <https://python-poetry.org/docs/cli/>
    Poetry,
    /// <https://pdm-project.org/latest/reference/cli/>
    Pdm,
    /// <https://pipenv.pypa.io/en/latest/cli.html>
    Pipenv,
    /// <https://hatch.pypa.io/latest/cli/reference/>
    Hatch,
    /// <https://tox.wiki/en/latest/cli_interface.html>
    Tox,
    /// <https://nox.thea.codes/en/stable/usage.html>
    Nox,
    /// A virtual environment and pip, where there is something to install.
    Venv,
    /// Whatever `python3` is on the PATH: there is nothing to install.
    Plain,
}

impl Runner {
    pub fn of(project: &Project, is_workspace: bool) -> Self {
        let tool = |name: &str| project.get(&["tool", name]).is_some();
        if project.has("uv.lock") || tool("uv") {
            Self::Uv { is_workspace }
        } else if project.has("poetry.lock") || tool("poetry") {
            Self::Poetry
        } else if project.has("pdm.lock") || tool("pdm") {
            Self::Pdm
        } else if project.has("Pipfile") {
            Self::Pipenv
        } else if has_section(&project.tox_ini, "testenv") || project.has("tox.toml") || tool("tox") {
            Self::Tox
        } else if ["tests", "test", "lint"].iter().any(|name| project.has_nox_session(name)) {
            Self::Nox
        } else if project.get(&["tool", "hatch", "envs"]).is_some() {
            Self::Hatch
        } else if !project.requirements.is_empty()
            || project.needs_installing()
            || matches!(project.declared("pytest"), Some(Declared::Group(_) | Declared::Extra(_)))
        {
            Self::Venv
        } else {
            Self::Plain
        }
    }

    /// A few words on what was recognised.
    pub fn evidence(self, project: &Project) -> String {
        let manifests = ["pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "tox.ini", "noxfile.py"];
        let manifest = project.checkout.first(project.folder, &manifests);
        let manifest = manifest.or(project.requirements.first().map(|(name, _)| *name));
        let manifest = manifest.unwrap_or("Python modules with tests");
        let lock = project.checkout.first(project.folder, &["uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"]);
        match lock {
            Some(lock) => format!("{manifest}, {lock}"),
            None => manifest.to_owned(),
        }
    }

    /// A test environment that the authors themselves named.
    pub fn own_test(self, project: &Project) -> Option<String> {
        let script = |name: &str| project.get(&["tool", "hatch", "envs", "default", "scripts", name]).is_some();
        match self {
            // `py` is the interpreter at hand; the list in the file names some that a machine may not have.
            Self::Tox if project.has_tests() => Some("tox run -e py".to_owned()),
            Self::Nox => ["tests", "test"]
                .into_iter()
                .find(|name| project.has_nox_session(name))
                .map(|name| format!("nox -s {name}")),
            Self::Hatch if script("test") => Some("hatch run test".to_owned()),
            Self::Hatch if project.has_tests() => Some("hatch test".to_owned()),
            _ => None,
        }
    }

    pub fn own_lint(self, project: &Project) -> Option<String> {
        let names = ["lint", "linters", "style", "check", "flake8"];
        match self {
            Self::Tox => names
                .into_iter()
                .find(|name| project.has_tox_environment(name))
                .map(|name| format!("tox run -e {name}")),
            Self::Nox => {
                names.into_iter().find(|name| project.has_nox_session(name)).map(|name| format!("nox -s {name}"))
            }
            Self::Hatch => names
                .into_iter()
                .find(|name| project.get(&["tool", "hatch", "envs", "default", "scripts", name]).is_some())
                .map(|name| format!("hatch run {name}")),
            _ => None,
        }
    }

    /// The wheel, where the project has a build backend.
    pub fn build(self, project: &Project) -> Option<String> {
        project.get(&["build-system"])?;
        let command = match self {
            Self::Uv { is_workspace: true } => "uv build --all-packages",
            Self::Uv { .. } => "uv build",
            Self::Poetry => "poetry build",
            Self::Pdm => "pdm build",
            Self::Hatch => "hatch build",
            _ => "python3 -m venv .venv && .venv/bin/pip install build && .venv/bin/python -m build",
        };
        Some(command.to_owned())
    }

    /// Runs tools of the project, one after the other.
    pub fn command(self, project: &Project, tools: &[&str]) -> String {
        let name = |tool: &str| tool.split(' ').next().unwrap_or_default().to_owned();
        let names: Vec<String> = tools.iter().map(|tool| name(tool)).collect();
        // ruff reads no installed package: there is no need to install any for a ruff that nothing pins.
        let is_free = |tool: &str| tool == "ruff" && project.declared("ruff").is_none();
        let needs_nothing = names.iter().all(|tool| is_free(tool));
        let run = |tool: &&str| match self {
            Self::Uv { .. } if is_free(&name(tool)) => format!("uvx {tool}"),
            Self::Uv { .. } => format!("{}{tool}", self.uv_run(project, &name(tool))),
            Self::Poetry => format!("poetry run {tool}"),
            Self::Pdm => format!("pdm run {tool}"),
            Self::Pipenv => format!("pipenv run {tool}"),
            Self::Hatch => format!("hatch run {tool}"),
            Self::Venv if *tool == "pytest" => ".venv/bin/python -m pytest".to_owned(),
            Self::Venv if !needs_nothing => format!(".venv/bin/{tool}"),
            _ if *tool == "pytest" => "python3 -m pytest".to_owned(),
            _ => tool.to_string(),
        };
        let commands: Vec<String> = tools.iter().map(run).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let prepare = if needs_nothing { String::new() } else { self.prepare(project, &names) };
        format!("{prepare}{}", commands.join(" && "))
    }

    /// Runs Python itself with arguments.
    pub fn python(self, project: &Project, arguments: &str) -> String {
        let python = match self {
            Self::Uv { .. } => format!("{}python", self.uv_run(project, "")),
            Self::Poetry => "poetry run python".to_owned(),
            Self::Pdm => "pdm run python".to_owned(),
            Self::Pipenv => "pipenv run python".to_owned(),
            Self::Hatch => "hatch run python".to_owned(),
            Self::Venv => ".venv/bin/python".to_owned(),
            Self::Tox | Self::Nox | Self::Plain => "python3".to_owned(),
        };
        format!("{}{python} {arguments}", self.prepare(project, &[]))
    }

    /// What goes before a command of the authors' own, such as `make test`.
    pub fn prefix(self, project: &Project) -> String {
        let tools: &[&str] = if project.uses_pytest() { &["pytest"] } else { &[] };
        let prepare = self.prepare(project, tools);
        match self {
            Self::Uv { .. } => self.uv_run(project, tools.first().unwrap_or(&"")),
            Self::Poetry => format!("{prepare}poetry run "),
            Self::Pdm => format!("{prepare}pdm run "),
            Self::Pipenv => format!("{prepare}pipenv run "),
            Self::Venv => format!("{prepare}PATH=\"$PWD/.venv/bin:$PATH\" "),
            Self::Hatch | Self::Tox | Self::Nox | Self::Plain => String::new(),
        }
    }

    fn uv_run(self, project: &Project, tool: &str) -> String {
        let locked = if project.has("uv.lock") { " --locked" } else { "" };
        let packages = if self == (Self::Uv { is_workspace: true }) { " --all-packages" } else { "" };
        let with = match project.declared(tool) {
            // uv installs the group `dev` by itself.
            Some(Declared::Group(group)) if group != "dev" && !is_default_group(project, &group) => {
                format!(" --group {}", quoted(&group))
            }
            Some(Declared::Extra(extra)) => format!(" --extra {}", quoted(&extra)),
            Some(Declared::Requirements) => {
                project.requirements.iter().map(|(file, _)| format!(" --with-requirements {file}")).collect()
            }
            None if !tool.is_empty() => format!(" --with {tool}"),
            _ => String::new(),
        };
        format!("uv run{locked}{packages}{with} ")
    }

    /// What has to happen before the tools can run, ending in ` && `; empty where nothing has to.
    fn prepare(self, project: &Project, tools: &[&str]) -> String {
        let mut options = String::new();
        let mut installed: Vec<&str> = Vec::new();
        for declared in tools.iter().filter_map(|tool| project.declared(tool)) {
            let option = match (self, declared) {
                (Self::Poetry, Declared::Group(group)) => format!(" --with {}", quoted(&group)),
                (Self::Poetry, Declared::Extra(extra)) => format!(" --extras {}", quoted(&extra)),
                (Self::Pdm, Declared::Extra(extra)) => format!(" -G {}", quoted(&extra)),
                _ => continue,
            };
            if !options.contains(&option) {
                options.push_str(&option);
            }
        }
        match self {
            Self::Poetry => format!("{}{options} && ", poetry_install(project)),
            Self::Pdm => format!("pdm install{options} && "),
            Self::Pipenv if project.has("Pipfile.lock") => "pipenv sync --dev && ".to_owned(),
            Self::Pipenv => "pipenv install --dev && ".to_owned(),
            Self::Venv => {
                installed.extend(tools.iter().filter(|tool| project.declared(tool).is_none()));
                venv(project, tools, &installed)
            }
            Self::Uv { .. } | Self::Hatch | Self::Tox | Self::Nox | Self::Plain => String::new(),
        }
    }
}

fn is_default_group(project: &Project, group: &str) -> bool {
    match project.get(&["tool", "uv", "default-groups"]) {
        Some(Value::Array(groups)) => groups.iter().any(|name| name.as_str() == Some(group)),
        Some(Value::String(all)) => all == "all",
        _ => false,
    }
}

/// Poetry's environments lie outside the checkout and outlive it: what the lock no longer names has to go.
fn poetry_install(project: &Project) -> &'static str {
    let Some(lock) = project.checkout.read(project.folder, "poetry.lock") else { return "poetry install" };
    // Poetry 2 made `poetry sync` of what was an option before; the lock's first line tells its version.
    let is_of_poetry_1 = lock.lines().next().is_some_and(|line| line.contains("Poetry 1."));
    if is_of_poetry_1 { "poetry install --sync" } else { "poetry sync" }
}

fn venv(project: &Project, tools: &[&str], undeclared: &[&str]) -> String {
    let mut extras: Vec<String> = Vec::new();
    let mut groups: Vec<String> = Vec::new();
    for declared in tools.iter().filter_map(|tool| project.declared(tool)) {
        let (list, name) = match declared {
            Declared::Extra(name) => (&mut extras, name),
            Declared::Group(name) => (&mut groups, name),
            Declared::Always | Declared::Requirements => continue,
        };
        if !list.contains(&name) {
            list.push(name);
        }
    }
    let mut arguments = String::new();
    let includes = |text: &str, file: &str| {
        let last = file.rsplit('/').next().unwrap_or(file);
        text.lines().any(|line| line.starts_with("-r") && line.trim_end().ends_with(last))
    };
    for (file, _) in &project.requirements {
        let is_included = project.requirements.iter().any(|(other, text)| other != file && includes(text, file));
        if !is_included {
            arguments.push_str(&format!(" -r {file}"));
        }
    }
    if project.needs_installing() || !extras.is_empty() {
        let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
        arguments.push_str(&format!(" -e {}", quoted(&format!(".{extras}"))));
    }
    for group in &groups {
        arguments.push_str(&format!(" --group {}", quoted(group)));
    }
    for tool in undeclared {
        arguments.push_str(&format!(" {tool}"));
    }
    if arguments.is_empty() {
        return "python3 -m venv .venv && ".to_owned();
    }
    // Groups need pip 25.1, newer than what many a Python brings along.
    let upgrade = if groups.is_empty() { "" } else { " --upgrade-deps" };
    format!("python3 -m venv{upgrade} .venv && .venv/bin/pip install{arguments} && ")
}
