//! What a folder's Python manifests say.

use std::cell::OnceCell;

use toml::{Table, Value};

use super::super::checkout::{Checkout, join, relative};

/// The files by which people keep what development and tests need, likeliest first.
const DEV_REQUIREMENTS: [&str; 14] = [
    "requirements-test.txt",
    "requirements-tests.txt",
    "requirements_test.txt",
    "test-requirements.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
    "requirements/testing.txt",
    "requirements-dev.txt",
    "requirements_dev.txt",
    "dev-requirements.txt",
    "requirements.dev.txt",
    "requirements/dev.txt",
    "requirements/development.txt",
    "requirements/local.txt",
];
const REQUIREMENTS: [&str; 4] =
    ["requirements.txt", "requirements/base.txt", "requirements/requirements.txt", "requirements/main.txt"];

/// Where a tool is declared, which says how it gets installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Declared {
    /// With the project's own dependencies, or in a group that is installed by default.
    Always,
    /// In a dependency group (PEP 735).
    Group(String),
    /// In an extra (`project[extra]`).
    Extra(String),
    /// In a requirements file.
    Requirements,
}

/// One folder's manifests, read once.
pub(super) struct Project<'c, 'a> {
    pub checkout: &'c Checkout<'a>,
    pub folder: &'a str,
    pub pyproject: Table,
    pub setup_cfg: String,
    pub tox_ini: String,
    setup_py: String,
    pipfile: Table,
    /// The requirements files that there are: the main one, and the one for development.
    pub requirements: Vec<(&'static str, String)>,
    tests: OnceCell<Vec<String>>,
}

impl<'c, 'a> Project<'c, 'a> {
    pub fn read(checkout: &'c Checkout<'a>, folder: &'a str) -> Self {
        let text = |name: &str| checkout.read(folder, name).unwrap_or_default();
        let requirements = [REQUIREMENTS.as_slice(), DEV_REQUIREMENTS.as_slice()]
            .into_iter()
            .filter_map(|names| checkout.first(folder, names))
            .map(|name| (name, text(name)))
            .collect();
        Self {
            checkout,
            folder,
            pyproject: checkout.toml(folder, "pyproject.toml").unwrap_or_default(),
            setup_cfg: text("setup.cfg"),
            tox_ini: text("tox.ini"),
            setup_py: text("setup.py"),
            pipfile: checkout.toml(folder, "Pipfile").unwrap_or_default(),
            requirements,
            tests: OnceCell::new(),
        }
    }

    /// A value in pyproject.toml.
    pub fn get(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.pyproject.get(*first)?, |value, key| value.get(key))
    }

    pub fn has(&self, name: &str) -> bool {
        self.checkout.has(self.folder, name)
    }

    /// Whether the folder says of itself that it is a project, so that it counts within another one too.
    pub fn is_packaged(&self) -> bool {
        let keys: [&[&str]; 5] =
            [&["project"], &["build-system"], &["dependency-groups"], &["tool", "poetry"], &["tool", "pdm"]];
        keys.iter().any(|key| self.get(key).is_some())
            || self.setup_py.contains("setup(")
            || self.has("Pipfile")
            || has_section(&self.setup_cfg, "metadata")
            || has_section(&self.setup_cfg, "options")
    }

    pub fn has_manifest(&self) -> bool {
        !self.pyproject.is_empty()
            || !self.requirements.is_empty()
            || ["setup.cfg", "tox.ini", "noxfile.py", "pytest.ini"].iter().any(|name| self.has(name))
    }

    pub fn has_code(&self) -> bool {
        self.checkout.below(self.folder).any(|(_, name)| name.ends_with(".py"))
    }

    /// Whether the build backend compiles another language's project in the same folder.
    pub fn builds_another_language(&self) -> bool {
        let backend = self.get(&["build-system", "build-backend"]).and_then(Value::as_str).unwrap_or("");
        let requires = self.get(&["build-system", "requires"]);
        ["maturin", "scikit_build_core"].iter().any(|name| backend.starts_with(name))
            || names_in(requires).any(|name| name == "setuptools-rust")
    }

    pub fn uv_workspace_members(&self) -> Option<Vec<String>> {
        let members = self.get(&["tool", "uv", "workspace", "members"])?.as_array()?;
        Some(members.iter().filter_map(|member| member.as_str().map(str::to_owned)).collect())
    }

    /// Whether there is something that `pip install .` would install.
    pub fn is_installable(&self) -> bool {
        self.get(&["project"]).is_some()
            || self.get(&["build-system"]).is_some()
            || self.setup_py.contains("setup(")
            || has_section(&self.setup_cfg, "metadata")
    }

    /// Whether the tests can find the code only once it is installed, or it needs other packages.
    pub fn needs_installing(&self) -> bool {
        let has_dependencies = names_in(self.get(&["project", "dependencies"])).next().is_some()
            || self
                .get(&["project", "dynamic"])
                .and_then(Value::as_array)
                .is_some_and(|fields| fields.iter().any(|field| field.as_str() == Some("dependencies")))
            || self.setup_py.contains("install_requires")
            || self.setup_py.contains("ext_modules")
            || self.setup_cfg.contains("install_requires");
        let in_src = self.checkout.below(&join(self.folder, "src")).any(|(_, name)| name.ends_with(".py"));
        self.is_installable() && (has_dependencies || in_src || self.builds_another_language())
    }

    /// Where a package is declared; a plugin of it (`pytest-cov`) counts too.
    pub fn declared(&self, package: &str) -> Option<Declared> {
        let plugin = format!("{package}-");
        let wanted = |name: &str| name == package || package == "pytest" && name.starts_with(&plugin);
        let named = |value: Option<&Value>| names_in(value).any(|name| wanted(&name));
        let tables = |path: &[&str]| {
            let table = self.get(path).and_then(Value::as_table);
            table.into_iter().flatten().map(|(name, value)| (name.clone(), value)).collect::<Vec<_>>()
        };
        if named(self.get(&["project", "dependencies"]))
            || named(self.get(&["tool", "uv", "dev-dependencies"]))
            || named(self.get(&["tool", "poetry", "dependencies"]))
            || named(self.get(&["tool", "poetry", "dev-dependencies"]))
            || tables(&["tool", "pdm", "dev-dependencies"]).iter().any(|(_, group)| named(Some(group)))
            || ["packages", "dev-packages"].iter().any(|key| named(self.pipfile.get(*key)))
        {
            return Some(Declared::Always);
        }
        for (name, group) in tables(&["tool", "poetry", "group"]) {
            if named(group.get("dependencies")) {
                let is_optional = group.get("optional").and_then(Value::as_bool) == Some(true);
                return Some(if is_optional { Declared::Group(name) } else { Declared::Always });
            }
        }
        for (name, group) in tables(&["dependency-groups"]) {
            if named(Some(group)) {
                return Some(Declared::Group(name));
            }
        }
        for (name, extra) in tables(&["project", "optional-dependencies"]) {
            if named(Some(extra)) {
                return Some(Declared::Extra(name));
            }
        }
        if self.requirements.iter().any(|(_, text)| text.lines().any(|line| wanted(&requirement_name(line)))) {
            return Some(Declared::Requirements);
        }
        self.legacy_extra(&wanted).map(Declared::Extra)
    }

    /// The extra of a setup.cfg or setup.py that lists a wanted package.
    fn legacy_extra(&self, wanted: &dyn Fn(&str) -> bool) -> Option<String> {
        let mut extra = "";
        for line in section(&self.setup_cfg, "options.extras_require") {
            let requirement = match line.split_once('=') {
                // `test = pytest`, but `  pytest>=8` is a line of the list above it.
                Some((key, rest)) if !line.starts_with([' ', '\t']) => {
                    extra = key.trim();
                    rest
                }
                _ => line,
            };
            if wanted(&requirement_name(requirement)) {
                return Some(extra.to_owned());
            }
        }
        // In setup.py: `'test': ['pytest', …]`.
        let (_, extras) = self.setup_py.split_once("extras_require")?;
        extras.split(']').find_map(|entry| {
            let (key, list) = entry.split_once('[')?;
            let mut quoted = key.rsplit(['"', '\'']).skip(1);
            let is_wanted = list.split(['"', '\'']).any(|part| wanted(&requirement_name(part)));
            quoted.next().filter(|name| is_wanted && !name.is_empty()).map(str::to_owned)
        })
    }

    /// Whether a tool is declared, or has a configuration here.
    pub fn configures(&self, tool: &str, files: &[&str]) -> bool {
        self.get(&["tool", tool]).is_some()
            || self.checkout.first(self.folder, files).is_some()
            || [&self.setup_cfg, &self.tox_ini].iter().any(|text| has_section(text, tool))
            || self.declared(tool).is_some()
    }

    pub fn says_what_mypy_checks(&self) -> bool {
        let named = ["files", "packages", "modules"];
        named.iter().any(|key| self.get(&["tool", "mypy", key]).is_some())
            || ["mypy.ini", ".mypy.ini", "setup.cfg"].iter().any(|file| {
                let text = self.checkout.read(self.folder, file).unwrap_or_default();
                section(&text, "mypy").any(|line| {
                    named
                        .iter()
                        .any(|key| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')))
                })
            })
    }

    pub fn uses_pytest(&self) -> bool {
        let configured = self.get(&["tool", "pytest"]).is_some()
            || self.has("pytest.ini")
            || has_section(&self.setup_cfg, "tool:pytest")
            || has_section(&self.tox_ini, "pytest");
        if configured || self.has_tests() && self.declared("pytest").is_some() {
            return true;
        }
        let imports_pytest = |file: &String| {
            let text = self.checkout.read("", file).unwrap_or_default();
            text.lines().any(|line| line.starts_with("import pytest") || line.starts_with("from pytest"))
        };
        let has_conftest = self.checkout.below(self.folder).any(|(_, name)| name == "conftest.py");
        has_conftest && self.has_tests() || self.tests().iter().take(20).any(imports_pytest)
    }

    pub fn has_tests(&self) -> bool {
        !self.tests().is_empty()
    }

    /// The paths of the test files.
    fn tests(&self) -> &[String] {
        self.tests.get_or_init(|| {
            let files = self.checkout.below(self.folder).filter(|(_, name)| is_test_file(name));
            files.take(1000).map(|(folder, name)| join(folder, name)).collect()
        })
    }

    /// What follows `python3 ` to run the tests with the standard library alone; none without tests.
    pub fn unittest_arguments(&self) -> Option<String> {
        let first = self.tests().first()?;
        let (folder, name) = first.rsplit_once('/').unwrap_or(("", first));
        let pattern = if name.starts_with("test") { "" } else { " -p '*_test.py'" };
        // Discovery goes from the root into packages only; a folder that is none has to be named.
        let is_reached = folder == self.folder || self.checkout.has(folder, "__init__.py");
        let start = if is_reached { String::new() } else { format!(" -s {}", quoted(relative(folder, self.folder))) };
        Some(format!("-m unittest discover{start}{pattern}"))
    }

    /// Whether a section of an INI file or a nox session of this name is there to be called.
    pub fn has_tox_environment(&self, name: &str) -> bool {
        has_section(&self.tox_ini, &format!("testenv:{name}")) || self.get(&["tool", "tox", "env", name]).is_some()
    }

    pub fn has_nox_session(&self, name: &str) -> bool {
        let noxfile = self.checkout.read(self.folder, "noxfile.py").unwrap_or_default();
        let named = [format!("def {name}("), format!("name=\"{name}\""), format!("name='{name}'")];
        noxfile.contains("session") && named.iter().any(|word| noxfile.contains(word))
    }
}

pub(super) fn is_test_file(name: &str) -> bool {
    name.strip_suffix(".py").is_some_and(|stem| stem.starts_with("test_") || stem.ends_with("_test") || stem == "tests")
}

pub(super) fn quoted(word: &str) -> String {
    super::super::part::quote(word)
}

pub(super) fn has_section(ini: &str, name: &str) -> bool {
    ini.lines().any(|line| is_header(line, name))
}

fn is_header(line: &str, name: &str) -> bool {
    line.trim_end()
        .strip_prefix('[')
        .and_then(|line| line.strip_suffix(']'))
        .is_some_and(|header| header.trim() == name)
}

/// The lines of an INI file's section.
fn section<'t>(ini: &'t str, name: &str) -> impl Iterator<Item = &'t str> {
    let name = name.to_owned();
    ini.lines().skip_while(move |line| !is_header(line, &name)).skip(1).take_while(|line| !line.starts_with('['))
}

/// The packages that a list of requirements, or a table by package name, holds.
fn names_in(value: Option<&Value>) -> impl Iterator<Item = String> {
    let list = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(requirement_name);
    let table = value.and_then(Value::as_table).into_iter().flatten().map(|(name, _)| requirement_name(name));
    list.chain(table)
}

/// `Pytest_Cov[toml]>=4 ; python_version > "3.9"` is `pytest-cov` (PEP 503).
fn requirement_name(requirement: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    requirement
        .trim_start()
        .chars()
        .take_while(allowed)
        .map(|c| if c == '_' || c == '.' { '-' } else { c.to_ascii_lowercase() })
        .collect()
}
