//! A recipe's environment, built from nothing.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
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

/// The whole environment of `job`'s recipe.
pub(super) fn of(
    job: &Job,
    temporary: &Path,
    caches: Option<&Path>,
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
        if let Some(caches) = caches {
            set(name, caches.join(folder).as_os_str());
        }
    }
    set("TERM", OsStr::new("dumb"));
    set("TMPDIR", temporary.as_os_str());
    for (name, value) in &job.recipe_snapshot.env {
        set(name, OsStr::new(value));
    }
    // The job's facts come last: a recipe cannot lie to its own tools about them.
    set("CI", OsStr::new("true"));
    set("CRAFTING_PROJECT", OsStr::new(job.project.as_str()));
    set("CRAFTING_SUBPROJECT", OsStr::new(job.subproject.as_str()));
    set("CRAFTING_RECIPE", OsStr::new(job.recipe.as_str()));
    if let Some(sha) = &job.sha {
        set("CRAFTING_SHA", OsStr::new(sha.as_str()));
    }
    env
}
