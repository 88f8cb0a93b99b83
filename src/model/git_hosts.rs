//! From which hosts a server fetches.

use std::fmt;
use std::str::FromStr;

use globset::GlobSet;

use super::{GitUrl, code_glob};
use crate::error::{Error, Result};

/// Patterns of hosts, separated by commas: `github.com,*.example.org`. None at all: every host.
#[derive(Clone, Debug, Default)]
pub struct GitHosts {
    text: String,
    globs: Vec<GlobSet>,
}

impl GitHosts {
    /// Whether every host may be fetched from.
    pub fn is_every(&self) -> bool {
        self.globs.is_empty()
    }

    /// That somebody who is not at this machine may have its server fetch from there: no path on the machine, and a
    /// host that is allowed.
    pub fn admit(&self, url: &GitUrl) -> Result<()> {
        let Some(host) = url.host() else {
            return Err(Error::invalid("a server takes no git address on its own machine")
                .hint("give one that it can fetch from: https, http, ssh or git"));
        };
        if self.globs.is_empty() || self.globs.iter().any(|glob| glob.is_match(&host)) {
            return Ok(());
        }
        Err(Error::invalid(format!("this server does not fetch from {host}"))
            .hint(format!("it fetches from {}; whoever runs it sets CRAFTING_GIT_HOSTS", self.text)))
    }
}

impl FromStr for GitHosts {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let patterns: Vec<String> =
            text.split(',').map(|pattern| pattern.trim().to_ascii_lowercase()).filter(|p| !p.is_empty()).collect();
        let globs = patterns.iter().map(|pattern| code_glob(pattern)).collect::<Result<_>>();
        let globs = globs.map_err(|error| error.advise("name hosts as in github.com,*.example.org"))?;
        Ok(Self { text: patterns.join(", "), globs })
    }
}

impl fmt::Display for GitHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.globs.is_empty() { "every host" } else { &self.text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn admits(hosts: &str, url: &str) -> bool {
        let hosts: GitHosts = hosts.parse().unwrap();
        match hosts.admit(&url.parse().unwrap()) {
            Ok(()) => true,
            Err(error) => {
                assert_eq!((error.code(), error.hint_text().is_some()), (Code::InvalidInput, true));
                false
            }
        }
    }

    #[test]
    fn only_what_is_elsewhere_is_admitted() {
        for url in ["https://h/o/r", "http://h/r", "ssh://git@h:22/r", "git://h/r", "git@h:o/r.git", "h:r"] {
            assert!(admits("", url), "{url}");
        }
        for url in ["/srv/r", "file:///srv/r"] {
            assert!(!admits("", url) && !admits("*", url), "{url}");
        }
    }

    #[test]
    fn hosts_are_matched_whole_and_without_what_stands_around_them() {
        let hosts = "GitHub.com, *.example.org";
        for url in [
            "https://github.com/o/r",
            "https://GITHUB.com:8443/o/r",
            "ssh://git@git.example.org:22/r",
            "git@github.com:o/r.git",
            "https://github.com./o/r",
        ] {
            assert!(admits(hosts, url), "{url}");
        }
        for url in [
            "https://github.com.evil.net/o/r",
            "https://evilgithub.com/r",
            "https://example.org/r",
            "ssh://github.com@evil.net/r",
            "github.com@evil.net:r",
            "https://evil.net/github.com",
            "https://evil.net?x=github.com",
            "https://evil.net#.example.org/r",
            "https://evil.net\\.example.org/r",
            "http://[::1]:3000/r",
        ] {
            let parsed = url.parse::<GitUrl>();
            assert!(parsed.is_err() || !admits(hosts, url), "{url}");
        }
        assert!(admits("::1", "http://[::1]:3000/r"));
        assert!("[".parse::<GitHosts>().is_err());
    }
}
