//! Names that arrive as text and travel as types.
//!
//! Every type here is made at a door by parsing and cannot hold a bad value afterwards. The rules are
//! strict because names become folders, git arguments and SQL keys.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, Result};

/// Declares a newtype over `String` whose only constructor is a checking `FromStr`.
macro_rules! checked_name {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// The text as it was accepted.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                $check(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(text: String) -> Result<Self> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

checked_name!(
    /// A project's name, also the name of its folder: `[a-z0-9][a-z0-9._-]{0,63}`.
    ProjectName,
    check_project_name
);
checked_name!(
    /// A token's name, of the same shape as a project's.
    TokenName,
    check_token_name
);
checked_name!(
    /// A recipe's name: `build`, `test`, `lint`, `audit` or a custom one of the same shape as a project's.
    RecipeName,
    check_recipe_name
);
checked_name!(
    /// A secret's name, which is the variable that a recipe gets it in: `[A-Z_][A-Z0-9_]{0,63}`.
    SecretName,
    super::secret::check_name
);
checked_name!(
    /// A folder inside a project, relative, with `/` between its parts; the project's root is `.`.
    SubPath,
    check_sub_path
);
checked_name!(
    /// A branch, a tag, or anything else that git can resolve to one commit.
    RefName,
    check_ref_name
);
checked_name!(
    /// A full commit id: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
    CommitId,
    check_commit_id
);

/// Device names of other systems: a folder of that name cannot be copied there.
const DEVICE_NAMES: [&str; 6] = ["con", "prn", "aux", "nul", "com1", "lpt1"];

fn check_folder_name(what: &str, text: &str) -> Result<String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = text.len() <= 64
        && text.starts_with(allowed)
        && text.chars().all(|c| allowed(c) || matches!(c, '.' | '_' | '-'))
        && !text.contains("..")
        && !DEVICE_NAMES.contains(&text.split('.').next().unwrap_or(text));
    if good {
        return Ok(text.to_owned());
    }
    Err(Error::invalid(format!("{text:?} is not a {what} name"))
        .hint("use lower-case letters, digits, '.', '_' and '-', at most 64, beginning with a letter or a digit"))
}

fn check_project_name(text: &str) -> Result<String> {
    check_folder_name("project", text)
}

fn check_token_name(text: &str) -> Result<String> {
    check_folder_name("token", text)
}

fn check_recipe_name(text: &str) -> Result<String> {
    check_folder_name("recipe", text)
}

fn check_sub_path(text: &str) -> Result<String> {
    let refuse = |why: &str| {
        Err(Error::invalid(format!("{text:?} is not a path inside the project: {why}"))
            .hint("give a relative path with '/' between folders, such as clients/python; '.' is the root"))
    };
    if text.starts_with('/') || text.starts_with('~') {
        return refuse("it is absolute");
    }
    if text.starts_with('-') {
        return refuse("it begins with '-'");
    }
    if text.contains('\\') || text.chars().any(char::is_control) {
        return refuse("it holds a backslash or a control character");
    }
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => return refuse("it holds '..'"),
            ".git" => return refuse("it leads into .git"),
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return Ok(".".to_owned());
    }
    Ok(parts.join("/"))
}

/// The rules of `git check-ref-format` that keep a name from being an option, a range or a path trick.
fn check_ref_name(text: &str) -> Result<String> {
    let bad = text.is_empty()
        || text.len() > 255
        || text.starts_with('-')
        || text.starts_with('/')
        || text.ends_with('/')
        || text.ends_with(".lock")
        || text.contains("..")
        || text.contains("//")
        || text.chars().any(|c| c.is_control() || matches!(c, ' ' | '\\' | '?' | '*' | '[' | ':'));
    if bad {
        return Err(Error::invalid(format!("{text:?} is not a git ref"))
            .hint("give a branch, a tag or a commit id, for example main or v1.2.0"));
    }
    Ok(text.to_owned())
}

fn check_commit_id(text: &str) -> Result<String> {
    let lower = text.to_ascii_lowercase();
    if matches!(lower.len(), 40 | 64) && lower.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(lower);
    }
    Err(Error::invalid(format!("{text:?} is not a full commit id")))
}

impl ProjectName {
    /// The nearest allowed name to free text, such as a folder's name: `My App` becomes `my-app`.
    pub fn suggest(text: &str) -> Self {
        let mut name = String::new();
        for c in text.chars().flat_map(char::to_lowercase) {
            match c {
                'a'..='z' | '0'..='9' => name.push(c),
                '.' | '_' | '-' if !(name.is_empty() || c == '.' && name.ends_with('.')) => name.push(c),
                _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
                _ => {}
            }
        }
        name.truncate(60);
        let name = name.trim_end_matches(['-', '.', '_']);
        name.parse().unwrap_or_else(|_| Self(format!("project-{name}").trim_end_matches('-').to_owned()))
    }
}

impl SubPath {
    /// The project's own root.
    pub fn root() -> Self {
        Self(".".to_owned())
    }

    /// Whether this is the project's own root.
    pub fn is_root(&self) -> bool {
        self.0 == "."
    }

    /// This path with `inner` below it.
    pub fn join(&self, inner: &SubPath) -> Self {
        match (self.is_root(), inner.is_root()) {
            (true, _) => inner.clone(),
            (_, true) => self.clone(),
            _ => Self(format!("{}/{}", self.0, inner.0)),
        }
    }
}

impl RefName {
    /// What is checked out.
    pub fn head() -> Self {
        Self("HEAD".to_owned())
    }

    /// The commit id, if the ref is spelled as a full one.
    pub fn as_commit(&self) -> Option<CommitId> {
        self.0.parse().ok()
    }
}

impl From<CommitId> for RefName {
    fn from(id: CommitId) -> Self {
        Self(id.0)
    }
}

impl CommitId {
    /// The first ten digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

/// What stands before the path in `[user@]host:path`, where the host may be `[::1]`.
fn scp_host(text: &str) -> &str {
    let from = text.find(']').unwrap_or(0);
    text[from..].find(':').map_or(text, |colon| &text[..from + colon])
}

/// How the address of a checkout on a developer's machine begins.
const CHECKOUT: &str = "checkout://";

/// Where a project's repository is: a remote address, an absolute path on this machine, or a checkout on another one,
/// from which nothing is fetched: `checkout://HOST/absolute/path`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct GitUrl(String);

impl GitUrl {
    /// The address as git takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path, if the repository lies on this machine.
    pub fn local_path(&self) -> Option<&std::path::Path> {
        let path = self.0.strip_prefix("file://").unwrap_or(&self.0);
        path.starts_with('/').then(|| std::path::Path::new(path))
    }

    /// The host that has it, in lower case; none: this machine.
    pub fn host(&self) -> Option<String> {
        if self.local_path().is_some() {
            return None;
        }
        let authority = match self.0.split_once("://") {
            Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or(rest),
            // The scp form has no port: what follows the colon is the path.
            None => scp_host(&self.0),
        };
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None if self.0.contains("://") => host.split_once(':').map_or(host, |(host, _)| host),
            None => host,
        };
        Some(host.trim_end_matches('.').to_ascii_lowercase())
    }

    /// The address of a checkout on some developer's machine, from which nobody can fetch.
    pub fn of_checkout(host: &str, path: &std::path::Path) -> Result<Self> {
        let path = path.to_str().filter(|path| path.starts_with('/')).ok_or_else(|| {
            Error::invalid(format!("the path {} is not plain text", path.display()))
                .hint("move the repository to a path of plain UTF-8 text")
        })?;
        let host: String =
            host.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '-' }).collect();
        format!("{CHECKOUT}{host}{path}").parse()
    }

    /// Whether this is a checkout on a developer's machine: only uploads bring its commits, nothing is ever fetched.
    pub fn is_checkout(&self) -> bool {
        self.0.starts_with(CHECKOUT)
    }

    /// The last part of the address without `.git`, to name a project after.
    pub fn stem(&self) -> &str {
        let end = self.0.trim_end_matches('/');
        let last = end.rsplit(['/', ':']).next().unwrap_or(end);
        last.strip_suffix(".git").unwrap_or(last)
    }
}

impl FromStr for GitUrl {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let refuse = |why: &str, hint: &str| Err(Error::invalid(format!("the git address {why}")).hint(hint));
        if text.is_empty()
            || text.starts_with('-')
            || text.chars().any(|c| c.is_control() || c == ' ')
                && !(text.starts_with('/') || text.starts_with(CHECKOUT))
        {
            return refuse(
                "is empty or holds what git would misread",
                "use https://host/owner/repo.git, ssh://…, git@host:owner/repo.git or an absolute path",
            );
        }
        if text.chars().any(char::is_control) {
            return refuse("holds a control character", "check the address for a stray line break");
        }
        if text.starts_with('/') {
            return Ok(Self(text.to_owned()));
        }
        if let Some(place) = text.strip_prefix(CHECKOUT) {
            return match place.split_once('/') {
                Some((host, path)) if !host.is_empty() && !path.is_empty() => Ok(Self(text.to_owned())),
                _ => refuse("names no checkout", "use checkout://HOST/absolute/path"),
            };
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            if !matches!(scheme, "https" | "http" | "ssh" | "git" | "file") {
                return refuse(
                    &format!("has the scheme {scheme:?}, which is not one that git fetches from"),
                    "use https, http, ssh, git or file",
                );
            }
            if scheme == "file" && !rest.starts_with('/') {
                return refuse("is a file:// address of another host", "use file:///absolute/path");
            }
            let authority = rest.split('/').next().unwrap_or(rest);
            if let Some((user, _)) = authority.rsplit_once('@')
                && (user.contains(':') || scheme.starts_with("http"))
            {
                return refuse(
                    "holds a password or a token",
                    "leave it out; git's credential helper or an SSH key supplies it",
                );
            }
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            if scheme != "file" && (host.starts_with('-') || host.contains(['\\', '?', '#', '%'])) {
                return refuse("names a host that git would misread", "use https://host/owner/repo.git");
            }
            if scheme != "file" && authority.is_empty() {
                return refuse("names no host", "use https://host/owner/repo.git");
            }
            return Ok(Self(text.to_owned()));
        }
        // The scp form: [user@]host:path.
        match text.split_once(':') {
            Some((host, path))
                if !host.is_empty() && !path.is_empty() && !host.contains('/') && !path.starts_with(':') =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => refuse(
                &format!("{text:?} is neither a URL nor an absolute path"),
                "use https://host/owner/repo.git, ssh://…, git@host:owner/repo.git or an absolute path",
            ),
        }
    }
}

impl TryFrom<String> for GitUrl {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<GitUrl> for String {
    fn from(url: GitUrl) -> String {
        url.0
    }
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Where a server answers: `http://127.0.0.1:8810`, `https://farm.example/crafting`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl(reqwest::Url);

impl ServerUrl {
    /// The address of a resource, its path given part by part.
    pub fn join(&self, parts: &[&str]) -> reqwest::Url {
        let mut url = self.0.clone();
        // Only an address that cannot be a base has no parts, and none of those is accepted.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }
}

impl FromStr for ServerUrl {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let refuse = |why: &str| {
            Err(Error::invalid(format!("the server's address {why}")).hint("write it as http://127.0.0.1:8810"))
        };
        match reqwest::Url::parse(text) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") => refuse("is neither http nor https"),
            Ok(url) if !url.username().is_empty() || url.password().is_some() => refuse("holds a user or a password"),
            Ok(url) if url.query().is_some() || url.fragment().is_some() => refuse("has a query or a fragment"),
            Ok(url) if url.host().is_some() => Ok(Self(url)),
            _ => refuse(&format!("{text:?} cannot be understood")),
        }
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_str().trim_end_matches('/'))
    }
}

/// The candidate nearest to `typed`, if one is near enough to be a typo.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(typed, candidate), candidate))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_names_are_folder_names() {
        for good in ["a", "crafting", "my-app_2.0", "0day"] {
            assert!(good.parse::<ProjectName>().is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", ".", "..", "a..b", ".git", "-x", "A", "a/b", "a b", "nul", "con.txt", "é", "a\n", &long] {
            assert!(bad.parse::<ProjectName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_folder_name_becomes_a_project_name() {
        for (folder, name) in
            [("My App", "my-app"), ("..x..", "x"), ("Ünï", "n"), ("", "project"), ("nul", "project-nul")]
        {
            assert_eq!(ProjectName::suggest(folder).as_str(), name);
        }
    }

    #[test]
    fn sub_paths_stay_inside() {
        assert_eq!("./a//b/".parse::<SubPath>().unwrap().as_str(), "a/b");
        assert!("".parse::<SubPath>().unwrap().is_root());
        for bad in ["/a", "a/../b", "..", "-a", "a\\b", "a\0b", "~/x", ".git/hooks", "a/.git"] {
            assert!(bad.parse::<SubPath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn refs_cannot_be_options_or_ranges() {
        for good in ["main", "feature/x", "v1.0", "HEAD", "HEAD~2", "deadbeef"] {
            assert!(good.parse::<RefName>().is_ok(), "{good}");
        }
        for bad in ["", "-x", "--upload-pack=x", "a..b", "a b", "a:b", "a\nb", "/a", "a/", "a.lock"] {
            assert!(bad.parse::<RefName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn git_urls_hold_no_password_and_no_odd_scheme() {
        for good in
            ["https://h/o/r.git", "ssh://git@h:22/o/r", "git@h:o/r.git", "/srv/r", "file:///srv/r", "/with space/r"]
        {
            assert!(good.parse::<GitUrl>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "r",
            "./r",
            "https://u:p@h/r",
            "https://token@h/r",
            "ext::sh -c x",
            "file://host/r",
            "--upload-pack=x",
            "https://",
            "ftp://h/r",
            "h:",
            "https://h/\nr",
        ] {
            assert!(bad.parse::<GitUrl>().is_err(), "{bad:?}");
        }
        assert_eq!("git@h:o/r.git".parse::<GitUrl>().unwrap().stem(), "r");
        let checkout = GitUrl::of_checkout("my_host", "/home/me/my app".as_ref()).unwrap();
        assert_eq!(checkout.as_str(), "checkout://my-host/home/me/my app");
        assert!(checkout.is_checkout() && checkout.local_path().is_none() && checkout.stem() == "my app");
        assert!("checkout://h".parse::<GitUrl>().is_err() && "checkout:///p".parse::<GitUrl>().is_err());
    }

    #[test]
    fn nearest_offers_typos_only() {
        assert_eq!(nearest("clwdforge", ["clawdforge", "other"]), Some("clawdforge"));
        assert_eq!(nearest("zzz", ["clawdforge"]), None);
    }
}
