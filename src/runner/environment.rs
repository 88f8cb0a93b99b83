//! A recipe's environment, built from nothing.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::model::Job;

/// What of crafting's own environment a recipe may see: where programs and homes are, which language people read, how
/// the network is reached, and where tools keep and find things. What often holds a password is left out, such as
/// `PIP_INDEX_URL`. A proxy's address may hold one too, but without it there is no network.
const ALLOWED: [&str; 55] = [
    // The person and the machine.
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    // The way to the network.
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    // Whom to trust there.
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "NIX_SSL_CERT_FILE",
    "GIT_SSL_CAINFO",
    "CARGO_HTTP_CAINFO",
    "PIP_CERT",
    // Where packages come from.
    "PIP_FIND_LINKS",
    "GOPROXY",
    "npm_config_registry",
    "NPM_CONFIG_REGISTRY",
    // Where toolchains are.
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "RUSTUP_AUTO_INSTALL",
    "GOROOT",
    "JAVA_HOME",
    "NVM_DIR",
    "PYENV_ROOT",
    "RBENV_ROOT",
    "DOTNET_ROOT",
    // Where tools keep what they fetched or built.
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "CARGO_HOME",
    "GOPATH",
    "GOCACHE",
    "GOMODCACHE",
    "npm_config_cache",
    "NPM_CONFIG_CACHE",
    "PIP_CACHE_DIR",
    "UV_CACHE_DIR",
    "GRADLE_USER_HOME",
    "MAVEN_USER_HOME",
    "BUN_INSTALL_CACHE_DIR",
    "COMPOSER_CACHE_DIR",
    "NUGET_PACKAGES",
    "CCACHE_DIR",
    "SCCACHE_DIR",
];

/// Which variable leads which tool to its folder below the configured caches.
const CACHES: [(&str, &str); 9] = [
    ("CARGO_HOME", "cargo"),
    ("npm_config_cache", "npm"),
    ("PIP_CACHE_DIR", "pip"),
    ("UV_CACHE_DIR", "uv"),
    ("GOMODCACHE", "go/mod"),
    ("GOCACHE", "go/build"),
    ("MAVEN_USER_HOME", "maven"),
    ("GRADLE_USER_HOME", "gradle"),
    ("BUN_INSTALL_CACHE_DIR", "bun"),
];

/// Which variable makes which tool leave a report, beside what it prints; `{}` is the folder of the reports. What the
/// recipe's own environment says is left alone. `docs/reports.md` says of each what it does.
const REPORTS: [(&str, &str); 7] = [
    ("GTEST_OUTPUT", "xml:{}/"),
    ("GOTESTSUM_JUNITFILE", "{}/gotestsum.xml"),
    ("JEST_JUNIT_OUTPUT_DIR", "{}"),
    ("JEST_JUNIT_UNIQUE_OUTPUT_NAME", "true"),
    ("MOCHA_FILE", "{}/mocha-[hash].xml"),
    ("ROBOT_OPTIONS", "--xunit {}/robot.xml"),
    ("ESLINT_CODE_QUALITY_REPORT", "{}/eslint.json"),
];

/// pytest's options. One name for all runs of a recipe: a pytest that a test runs is overwritten by the one around it.
const PYTEST: (&str, &str) = ("PYTEST_ADDOPTS", "--junitxml={}/pytest.xml");

/// Where a project may configure pytest.
const PYTEST_CONFIGS: [&str; 5] = ["pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"];

/// Bytes of a configuration that are looked at.
const CONFIG_LIMIT: u64 = 1 << 20;

/// The folders of one job.
pub(super) struct Folders<'a> {
    /// Its `TMPDIR`.
    pub temporary: &'a Path,
    /// Its `CRAFTING_REPORTS`.
    pub reports: &'a Path,
    /// Where its recipe runs.
    pub cwd: &'a Path,
    /// Where tools keep what they fetch, if that is configured.
    pub caches: Option<&'a Path>,
}

/// The whole environment of `job`'s recipe.
pub(super) fn of(
    job: &Job,
    folders: &Folders<'_>,
    own: &dyn Fn(&str) -> Option<OsString>,
) -> BTreeMap<OsString, OsString> {
    let mut env: BTreeMap<OsString, OsString> = BTreeMap::new();
    let mut set = |name: &str, value: &OsStr| env.insert(name.into(), value.to_owned());
    for name in ALLOWED {
        if let Some(value) = own(name) {
            set(name, &value);
        }
    }
    if own("PATH").is_none() {
        set("PATH", OsStr::new("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
    }
    for (name, folder) in CACHES {
        if let Some(caches) = folders.caches {
            set(name, caches.join(folder).as_os_str());
        }
    }
    set("TERM", OsStr::new("dumb"));
    set("TMPDIR", folders.temporary.as_os_str());
    for (name, value) in REPORTS {
        set(name, &with_folder(value, folders.reports));
    }
    for (name, value) in &job.recipe_snapshot.env {
        set(name, OsStr::new(value));
    }
    // The job's facts come last: a recipe cannot lie to its own tools about them.
    set("CI", OsStr::new("true"));
    set("CRAFTING_REPORTS", folders.reports.as_os_str());
    set("CRAFTING_PROJECT", OsStr::new(job.project.as_str()));
    set("CRAFTING_SUBPROJECT", OsStr::new(job.subproject.as_str()));
    set("CRAFTING_RECIPE", OsStr::new(job.recipe.as_str()));
    if let Some(sha) = &job.sha {
        set("CRAFTING_SHA", OsStr::new(sha.as_str()));
    }
    add_pytest(&mut env, job, folders);
    env
}

fn with_folder(value: &str, folder: &Path) -> OsString {
    let Some((before, after)) = value.split_once("{}") else { return value.into() };
    let mut text = OsString::from(before);
    text.push(folder);
    text.push(after);
    text
}

/// Adds to pytest's options, unless the project has a report of its own that ours would replace, or has switched
/// reports off, which would make the option an unknown one.
fn add_pytest(env: &mut BTreeMap<OsString, OsString>, job: &Job, folders: &Folders<'_>) {
    let folder = folders.reports.to_string_lossy();
    // pytest takes the variable apart as a shell would.
    if !folder.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+@".contains(&byte)) {
        return;
    }
    let (name, option) = (OsString::from(PYTEST.0), with_folder(PYTEST.1, folders.reports));
    let theirs = env.get(&name).cloned().unwrap_or_default();
    let says_so = |text: &str| ["junitxml", "junit-xml"].iter().any(|word| text.contains(word));
    let configs = PYTEST_CONFIGS.iter().filter_map(|name| {
        let path = folders.cwd.join(name);
        // The repository may have a link there to a terminal or a pipe, which nobody ends.
        let file = File::open(path.is_file().then_some(path)?).ok()?;
        let mut text = Vec::new();
        file.take(CONFIG_LIMIT).read_to_end(&mut text).ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    });
    if says_so(&theirs.to_string_lossy())
        || says_so(&job.recipe_snapshot.command)
        || configs.into_iter().any(|text| says_so(&text))
    {
        return;
    }
    let mut options = theirs;
    if !options.is_empty() {
        options.push(" ");
    }
    options.push(option);
    env.insert(name, options);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::jobs::samples;
    use crate::model::SecretName;

    #[test]
    fn no_secret_is_called_like_what_the_runner_sets() {
        let mut job = samples::job("app");
        job.sha = Some("0123456789abcdef0123456789abcdef01234567".parse().unwrap());
        let (reports, caches) = (Path::new("/reports"), Some(Path::new("/caches")));
        let folders = Folders { temporary: Path::new("/tmp"), reports, cwd: Path::new("/nowhere"), caches };
        let set = of(&job, &folders, &|_| None);
        assert!(set.len() > 20 && set.contains_key(std::ffi::OsStr::new(PYTEST.0)), "{set:?}");
        for name in set.keys().filter_map(|name| name.to_str()) {
            let name: Result<SecretName, _> = name.parse();
            assert!(name.is_err(), "{name:?} would be set twice");
        }
    }
}
