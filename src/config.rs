//! Layered settings, each with where it came from.
//!
//! A flag wins over an environment variable, that over the project's `crafting.toml` where it applies, that over the
//! user's `config.toml`, and that over the built-in default.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::time::Duration;

use directories::ProjectDirs;
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, IoContext, Result};
use crate::model::{Bearer, Cidr, GitHosts, ProjectFile, ServerUrl, config_error};

/// Where a setting's value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag(&'static str),
    /// An environment variable.
    Environment(&'static str),
    /// A file: the project's `crafting.toml` or the user's `config.toml`.
    File(PathBuf),
    /// Built in.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => f.pad(name),
            Self::Environment(name) => f.pad(name),
            Self::File(path) => f.pad(&path.display().to_string()),
            Self::Default => f.pad("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub struct Setting<T> {
    /// The effective value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

/// Every setting.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The user's configuration file, whether or not it exists.
    pub config_file: Setting<PathBuf>,
    /// The server whose farm is meant; none: this machine's.
    pub server: Setting<Option<ServerUrl>>,
    /// What to show the server.
    pub token: Setting<Option<Bearer>>,
    /// Where `serve` listens.
    pub bind: Setting<SocketAddr>,
    /// Seconds that running jobs get when the server is asked to end.
    pub drain_secs: Setting<u64>,
    /// Seconds between two times that the server removes what nobody needs.
    pub gc_secs: Setting<u64>,
    /// Ledger and logs.
    pub data_dir: Setting<PathBuf>,
    /// Mirrors and slots.
    pub workspace_dir: Setting<PathBuf>,
    /// From where projects that are registered over HTTP may be fetched.
    pub git_hosts: Setting<GitHosts>,
    /// Tool caches; none: the user's own.
    pub caches_dir: Setting<Option<PathBuf>>,
    /// Jobs that one runner runs at once.
    pub workers: Setting<usize>,
    /// Seconds until a recipe is ended, where neither it nor its project says.
    pub timeout_secs: Setting<u64>,
    /// Bytes that a log may have before its middle is left out.
    pub log_limit_bytes: Setting<u64>,
    /// Bytes that one upload of commits may have.
    pub upload_limit_bytes: Setting<u64>,
    /// Days that logs are kept.
    pub retention_days: Setting<u64>,
    /// Bytes that all logs together may have.
    pub retention_bytes: Setting<u64>,
    /// From where a server is answered at all.
    pub lan_cidrs: Setting<Vec<Cidr>>,
    /// Proxies whose word a server takes for where a request comes from.
    pub trusted_proxies: Setting<Vec<Cidr>>,
    /// Requests that a server takes of one token in a minute, or of one address without a token; 0: any number.
    pub rate_limit: Setting<u64>,
    /// Requests with a wrong bearer that a server answers one address in a minute; 0: any number.
    pub failure_limit: Setting<u64>,
}

/// One line of `crafting config show`.
#[derive(Clone, Debug, Serialize)]
pub struct SettingRow {
    /// The key in `config.toml`.
    pub name: &'static str,
    /// The effective value.
    pub value: String,
    /// A flag, a variable, a file, or `default`.
    pub origin: String,
    /// The environment variable that sets it.
    pub variable: &'static str,
}

/// What `config.toml` may hold.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    server: Option<String>,
    token: Option<String>,
    bind: Option<String>,
    drain_secs: Option<u64>,
    gc_secs: Option<u64>,
    data_dir: Option<PathBuf>,
    git_hosts: Option<String>,
    workspace_dir: Option<PathBuf>,
    caches_dir: Option<PathBuf>,
    workers: Option<u64>,
    timeout_secs: Option<u64>,
    log_limit_bytes: Option<u64>,
    upload_limit_bytes: Option<u64>,
    retention_days: Option<u64>,
    retention_bytes: Option<u64>,
    lan_cidrs: Option<Vec<Cidr>>,
    trusted_proxies: Option<Vec<Cidr>>,
    rate_limit: Option<u64>,
    failure_limit: Option<u64>,
}

/// Where a server listens that was not told: for this machine alone.
const BIND: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8810));

/// The largest log that may be asked for: half of what the index can address (`runner::log::MAX_BYTES`).
const LOG_LIMIT_MAX: u64 = 32 << 30;

/// Requests a minute beyond which a limit is none.
const RATE_MAX: u64 = 100_000_000;

/// From where a server is answered unless it is told otherwise: private networks and this machine.
const LAN: [&str; 5] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "::1/128"];

impl Settings {
    /// Reads environment and file. A file that is named by the environment must exist; the default one need not.
    pub fn load() -> Result<Self> {
        Self::layered(&|name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
    }

    fn layered(env: &dyn Fn(&'static str) -> Option<PathBuf>) -> Result<Self> {
        let dirs = ProjectDirs::from("", "", "crafting");
        let default_dir = |pick: fn(&ProjectDirs) -> PathBuf, variable: &str| match &dirs {
            Some(dirs) => Ok(pick(dirs)),
            None => Err(Error::new(Code::InvalidConfig, "there is no home folder to keep anything in")
                .hint(format!("set HOME, or {variable}"))),
        };
        let config_file = match env("CRAFTING_CONFIG") {
            Some(path) => Setting { value: path, origin: Origin::Environment("CRAFTING_CONFIG") },
            None => Setting {
                value: default_dir(|dirs| dirs.config_dir().join("config.toml"), "CRAFTING_CONFIG")?,
                origin: Origin::Default,
            },
        };
        let file = read_file(&config_file)?;
        let path = |variable, from_file: Option<PathBuf>, default: &dyn Fn() -> Result<PathBuf>| -> Result<_> {
            let setting = match (env(variable), from_file) {
                (Some(value), _) => Setting { value, origin: Origin::Environment(variable) },
                (None, Some(value)) => Setting { value, origin: Origin::File(config_file.value.clone()) },
                (None, None) => Setting { value: default()?, origin: Origin::Default },
            };
            absolute(setting)
        };
        let number = |variable, from_file: Option<u64>, default: u64, range: std::ops::RangeInclusive<u64>| {
            let setting = match (env(variable), from_file) {
                (Some(text), _) => {
                    let text = text.to_string_lossy().into_owned();
                    let value = text.parse().map_err(|_| {
                        Error::new(Code::InvalidConfig, format!("{variable} is {text:?}, which is not a whole number"))
                            .hint(format!("give a number from {} to {}", range.start(), range.end()))
                    })?;
                    Setting { value, origin: Origin::Environment(variable) }
                }
                (None, Some(value)) => Setting { value, origin: Origin::File(config_file.value.clone()) },
                (None, None) => Setting { value: default, origin: Origin::Default },
            };
            if range.contains(&setting.value) {
                return Ok(setting);
            }
            let key = variable.trim_start_matches("CRAFTING_").to_ascii_lowercase();
            Err(Error::new(Code::InvalidConfig, format!("{key} is {} (from {})", setting.value, setting.origin))
                .hint(format!("give a number from {} to {}", range.start(), range.end())))
        };
        let caches_dir = match (env("CRAFTING_CACHES_DIR"), file.caches_dir) {
            (Some(value), _) => Setting { value: Some(value), origin: Origin::Environment("CRAFTING_CACHES_DIR") },
            (None, Some(value)) => Setting { value: Some(value), origin: Origin::File(config_file.value.clone()) },
            (None, None) => Setting { value: None, origin: Origin::Default },
        };
        let cores = std::thread::available_parallelism().map_or(2, |cores| cores.get() as u64);
        let workers = number("CRAFTING_WORKERS", file.workers, (cores / 2).max(1), 1..=1024)?;
        let default_data = || default_dir(|dirs| dirs.data_dir().to_owned(), "CRAFTING_DATA_DIR");
        let default_workspace = || default_dir(|dirs| dirs.cache_dir().join("workspace"), "CRAFTING_WORKSPACE_DIR");
        let text = |variable: &'static str, from_file: Option<String>| match (env(variable), from_file) {
            (Some(value), _) => (Some(value.to_string_lossy().into_owned()), Origin::Environment(variable)),
            (None, Some(value)) => (Some(value), Origin::File(config_file.value.clone())),
            (None, None) => (None, Origin::Default),
        };
        let cidrs = |variable, from_file: Option<Vec<Cidr>>, default: &[&str]| -> Result<_> {
            let list = |texts: &mut dyn Iterator<Item = &str>| texts.map(str::parse).collect::<Result<Vec<Cidr>>>();
            Ok(match (env(variable), from_file) {
                (Some(text), _) => {
                    let text = text.to_string_lossy();
                    let mut texts = text.split([',', ' ']).filter(|text| !text.is_empty());
                    let value = list(&mut texts).map_err(|error| error.context(variable))?;
                    Setting { value, origin: Origin::Environment(variable) }
                }
                (None, Some(value)) => Setting { value, origin: Origin::File(config_file.value.clone()) },
                (None, None) => Setting { value: list(&mut default.iter().copied())?, origin: Origin::Default },
            })
        };
        let (server, server_origin) = text("CRAFTING_URL", file.server);
        let (token, token_origin) = text("CRAFTING_TOKEN", file.token);
        let (git_hosts, git_hosts_origin) = text("CRAFTING_GIT_HOSTS", file.git_hosts);
        let (bind, bind_origin) = text("CRAFTING_BIND", file.bind);
        Ok(Self {
            server: Setting {
                value: server
                    .map(|server| server.parse())
                    .transpose()
                    .map_err(|error: Error| error.context(&server_origin))?,
                origin: server_origin,
            },
            token: Setting {
                value: token.map(|token| bearer(&token)).transpose().map_err(|error| error.context(&token_origin))?,
                origin: token_origin,
            },
            git_hosts: Setting {
                value: git_hosts
                    .unwrap_or_default()
                    .parse()
                    .map_err(|error: Error| error.context(&git_hosts_origin))?,
                origin: git_hosts_origin,
            },
            bind: Setting {
                value: bind.as_deref().map_or(Ok(BIND), |bind| {
                    bind.parse().map_err(|_| {
                        Error::new(Code::InvalidConfig, format!("{bind:?} is no address to listen on"))
                            .hint("write it as 127.0.0.1:8810 or [::1]:8810")
                            .context(&bind_origin)
                    })
                })?,
                origin: bind_origin,
            },
            drain_secs: number("CRAFTING_DRAIN_SECS", file.drain_secs, 30, 0..=86_400)?,
            gc_secs: number("CRAFTING_GC_SECS", file.gc_secs, 3600, 1..=30 * 86_400)?,
            data_dir: path("CRAFTING_DATA_DIR", file.data_dir, &default_data)?,
            workspace_dir: path("CRAFTING_WORKSPACE_DIR", file.workspace_dir, &default_workspace)?,
            caches_dir,
            workers: Setting { value: usize::try_from(workers.value).unwrap_or(1), origin: workers.origin },
            timeout_secs: number("CRAFTING_TIMEOUT_SECS", file.timeout_secs, 3600, 1..=30 * 86_400)?,
            log_limit_bytes: number(
                "CRAFTING_LOG_LIMIT_BYTES",
                file.log_limit_bytes,
                1 << 30,
                1 << 10..=LOG_LIMIT_MAX,
            )?,
            upload_limit_bytes: number(
                "CRAFTING_UPLOAD_LIMIT_BYTES",
                file.upload_limit_bytes,
                256 << 20,
                1 << 10..=u64::MAX >> 8,
            )?,
            retention_days: number("CRAFTING_RETENTION_DAYS", file.retention_days, 30, 1..=36_500)?,
            retention_bytes: number(
                "CRAFTING_RETENTION_BYTES",
                file.retention_bytes,
                20 << 30,
                1 << 20..=u64::MAX >> 1,
            )?,
            lan_cidrs: cidrs("CRAFTING_LAN_CIDRS", file.lan_cidrs, &LAN)?,
            trusted_proxies: cidrs("CRAFTING_TRUSTED_PROXIES", file.trusted_proxies, &[])?,
            rate_limit: number("CRAFTING_RATE_LIMIT", file.rate_limit, 6000, 0..=RATE_MAX)?,
            failure_limit: number("CRAFTING_FAILURE_LIMIT", file.failure_limit, 60, 0..=RATE_MAX)?,
            config_file,
        })
    }

    /// Lays what a project's file says between environment and `config.toml`.
    pub fn with_project(mut self, file: &ProjectFile, origin: &Path) -> Self {
        if let Some(seconds) = file.timeout_secs
            && !matches!(self.timeout_secs.origin, Origin::Flag(_) | Origin::Environment(_))
        {
            self.timeout_secs = Setting { value: seconds, origin: Origin::File(origin.to_owned()) };
        }
        self
    }

    /// Sets what the command line says about the number of workers.
    pub fn with_workers(mut self, workers: Option<usize>) -> Self {
        if let Some(value) = workers {
            self.workers = Setting { value, origin: Origin::Flag("--workers") };
        }
        self
    }

    /// Sets what the command line says about serving.
    pub fn with_serving(mut self, bind: Option<SocketAddr>, drain_secs: Option<u64>) -> Self {
        if let Some(value) = bind {
            self.bind = Setting { value, origin: Origin::Flag("--bind") };
        }
        if let Some(value) = drain_secs {
            self.drain_secs = Setting { value, origin: Origin::Flag("--drain") };
        }
        self
    }

    /// Sets what the command line says about the farm that is meant.
    pub fn with_server(mut self, server: Option<ServerUrl>, token: Option<&str>) -> Result<Self> {
        if let Some(server) = server {
            // A bearer is for one server: what was set for another one is not shown to this one.
            if self.server.value.as_ref().is_some_and(|other| *other != server) {
                self.token = Setting { value: None, origin: Origin::Default };
            }
            self.server = Setting { value: Some(server), origin: Origin::Flag("--server") };
        }
        if let Some(token) = token {
            if self.server.value.is_none() {
                return Err(Error::invalid("--token is for a server, and none is named")
                    .hint("name it with --server or CRAFTING_URL, or leave out --token"));
            }
            let token = bearer(token).map_err(|error| error.context("--token"))?;
            self.token = Setting { value: Some(token), origin: Origin::Flag("--token") };
        }
        Ok(self)
    }

    /// The time limit of a recipe, whose own or else whose project's limit is `written`.
    pub fn timeout(&self, written: Option<u64>) -> Duration {
        let seconds = match (&self.timeout_secs.origin, written) {
            (Origin::Environment(_), _) | (_, None) => self.timeout_secs.value,
            (_, Some(seconds)) => seconds,
        };
        Duration::from_secs(seconds)
    }

    /// Every effective value and where it came from.
    pub fn rows(&self) -> Vec<SettingRow> {
        fn row<T>(name: &'static str, variable: &'static str, setting: &Setting<T>, value: String) -> SettingRow {
            SettingRow { name, value, origin: setting.origin.to_string(), variable }
        }
        let path = |path: &Path| path.display().to_string();
        let cidrs = |cidrs: &[Cidr]| match cidrs {
            [] => "none".to_owned(),
            some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        };
        let server = self.server.value.as_ref().map_or_else(|| "this machine".to_owned(), ToString::to_string);
        // The bearer itself is nobody's business who looks over a shoulder.
        let token = if self.token.value.is_some() { "set" } else { "none" }.to_owned();
        let caches = self.caches_dir.value.as_deref().map_or_else(|| "the tools' own".to_owned(), path);
        vec![
            row("config_file", "CRAFTING_CONFIG", &self.config_file, path(&self.config_file.value)),
            row("server", "CRAFTING_URL", &self.server, server),
            row("token", "CRAFTING_TOKEN", &self.token, token),
            row("bind", "CRAFTING_BIND", &self.bind, self.bind.value.to_string()),
            row("drain_secs", "CRAFTING_DRAIN_SECS", &self.drain_secs, self.drain_secs.value.to_string()),
            row("gc_secs", "CRAFTING_GC_SECS", &self.gc_secs, self.gc_secs.value.to_string()),
            row("data_dir", "CRAFTING_DATA_DIR", &self.data_dir, path(&self.data_dir.value)),
            row("workspace_dir", "CRAFTING_WORKSPACE_DIR", &self.workspace_dir, path(&self.workspace_dir.value)),
            row("git_hosts", "CRAFTING_GIT_HOSTS", &self.git_hosts, self.git_hosts.value.to_string()),
            row("caches_dir", "CRAFTING_CACHES_DIR", &self.caches_dir, caches),
            row("workers", "CRAFTING_WORKERS", &self.workers, self.workers.value.to_string()),
            row("timeout_secs", "CRAFTING_TIMEOUT_SECS", &self.timeout_secs, self.timeout_secs.value.to_string()),
            row(
                "log_limit_bytes",
                "CRAFTING_LOG_LIMIT_BYTES",
                &self.log_limit_bytes,
                self.log_limit_bytes.value.to_string(),
            ),
            row(
                "upload_limit_bytes",
                "CRAFTING_UPLOAD_LIMIT_BYTES",
                &self.upload_limit_bytes,
                self.upload_limit_bytes.value.to_string(),
            ),
            row(
                "retention_days",
                "CRAFTING_RETENTION_DAYS",
                &self.retention_days,
                self.retention_days.value.to_string(),
            ),
            row(
                "retention_bytes",
                "CRAFTING_RETENTION_BYTES",
                &self.retention_bytes,
                self.retention_bytes.value.to_string(),
            ),
            row("lan_cidrs", "CRAFTING_LAN_CIDRS", &self.lan_cidrs, cidrs(&self.lan_cidrs.value)),
            row(
                "trusted_proxies",
                "CRAFTING_TRUSTED_PROXIES",
                &self.trusted_proxies,
                cidrs(&self.trusted_proxies.value),
            ),
            row("rate_limit", "CRAFTING_RATE_LIMIT", &self.rate_limit, self.rate_limit.value.to_string()),
            row("failure_limit", "CRAFTING_FAILURE_LIMIT", &self.failure_limit, self.failure_limit.value.to_string()),
        ]
    }
}

/// A bearer, or `@` and the file that holds it: other people on the machine can read arguments.
fn bearer(text: &str) -> Result<Bearer> {
    match text.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).on("read the bearer in", Path::new(path))?.trim().parse(),
        None => text.parse(),
    }
}

fn read_file(path: &Setting<PathBuf>) -> Result<FileForm> {
    let text = match std::fs::read_to_string(&path.value) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.origin == Origin::Default => {
            return Ok(FileForm::default());
        }
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            return Err(Error::new(Code::InvalidConfig, format!("{} is not UTF-8 text", path.value.display()))
                .hint("save it as UTF-8"));
        }
        Err(error) => {
            let error = Error::io("read", &path.value, &error);
            return Err(Error::new(Code::InvalidConfig, error.to_string()).hint(format!(
                "correct the file, or name another one with CRAFTING_CONFIG (now from {})",
                path.origin
            )));
        }
    };
    let origin = path.value.display().to_string();
    toml::from_str(&text).map_err(|error: toml::de::Error| {
        config_error(&text, &origin, error.span().map(|span| span.start), error.message())
    })
}

/// A relative folder counts from the current one, at the time the settings are read.
fn absolute(setting: Setting<PathBuf>) -> Result<Setting<PathBuf>> {
    let value = std::path::absolute(&setting.value).on("find the folder", &setting.value)?;
    Ok(Setting { value, ..setting })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Settings> {
        Settings::layered(&|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value)))
    }

    #[test]
    fn the_environment_wins_over_the_file_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        std::fs::write(&file, "workers = 3\nretention_days = 7\n").unwrap();
        let config = ("CRAFTING_CONFIG", file.to_str().unwrap());
        let settings = load(&[config, ("CRAFTING_WORKERS", "5")]).unwrap();
        assert_eq!((settings.workers.value, settings.workers.origin), (5, Origin::Environment("CRAFTING_WORKERS")));
        assert_eq!((settings.retention_days.value, settings.retention_days.origin), (7, Origin::File(file)));
        assert_eq!(settings.timeout_secs.origin, Origin::Default);
    }

    #[test]
    fn a_project_lies_between_environment_and_file() {
        let file = ProjectFile { timeout_secs: Some(9), ..ProjectFile::default() };
        let settings = load(&[]).unwrap().with_project(&file, Path::new("/p/crafting.toml"));
        assert_eq!(settings.timeout_secs.value, 9);
        let settings = load(&[("CRAFTING_TIMEOUT_SECS", "4")]).unwrap().with_project(&file, Path::new("/p"));
        assert_eq!((settings.timeout_secs.value, settings.timeout(Some(9))), (4, Duration::from_secs(4)));
    }

    #[test]
    fn what_cannot_be_read_has_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        std::fs::write(&file, "worker = 3\n").unwrap();
        let error = load(&[("CRAFTING_CONFIG", file.to_str().unwrap())]).unwrap_err();
        assert!(error.to_string().contains("config.toml:1:1: unknown field `worker`"), "{error}");
        assert_eq!(error.hint_text(), Some("did you mean workers?"));
        let error = load(&[("CRAFTING_WORKERS", "many")]).unwrap_err();
        assert_eq!(error.to_string(), "CRAFTING_WORKERS is \"many\", which is not a whole number");
        assert!(load(&[("CRAFTING_WORKERS", "0")]).is_err());
        assert!(load(&[("CRAFTING_CONFIG", "/nonexistent/c.toml")]).is_err());
    }
}
