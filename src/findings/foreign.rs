//! What a printed path says by its words alone: how Windows spells it, whether it lies where systems and package
//! managers keep their files, and which part of it may be a Go module's name.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Folders that hold no project, whatever stands below them.
const SYSTEM: [&str; 30] = [
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr",
    "/opt",
    "/etc",
    "/nix",
    "/gnu",
    "/proc",
    "/sys",
    "/dev",
    "/boot",
    "/snap",
    "/rustc",
    "/go/pkg",
    "/System",
    "/Library",
    "/Applications",
    "/var/cache",
    "/var/folders",
    "/var/lib/gems",
    "/private/var/folders",
    "/Windows",
    "/Program Files",
    "/Program Files (x86)",
    "/ProgramData",
    "/hostedtoolcache",
    "/msys64",
];

/// Folders that hold what others wrote.
const VENDORED: [&str; 11] = [
    "site-packages",
    "dist-packages",
    "node_modules",
    "bower_components",
    "vendor",
    "third_party",
    "_deps",
    "gems",
    "Pods",
    "Carthage",
    "SourcePackages",
];

/// The same, told by a folder and the one in it.
const CACHES: [[&str; 2]; 4] = [["pkg", "mod"], ["registry", "src"], ["git", "checkouts"], ["go", "src"]];

/// Hosts whose modules' names have an owner in them.
const FORGES: [&str; 9] = [
    "github.com",
    "gitlab.com",
    "bitbucket.org",
    "codeberg.org",
    "gitea.com",
    "gitee.com",
    "git.sr.ht",
    "golang.org",
    "salsa.debian.org",
];

/// The path with `/` between its folders, if it is spelled as Windows does; a drive's letter or a share is gone, so
/// that it begins with `/`.
pub(super) fn from_windows(path: &str) -> Option<String> {
    let plain = path.strip_prefix(r"\\?\").unwrap_or(path);
    // An address has its drive behind a slash: `file:///C:/a.cs`.
    let drive = plain.strip_prefix('/').unwrap_or(plain);
    if let [letter, b':', b'/' | b'\\', ..] = drive.as_bytes()
        && letter.is_ascii_alphabetic()
    {
        return Some(drive[2..].replace('\\', "/"));
    }
    plain.contains('\\').then(|| plain.replace('\\', "/"))
}

/// Whether an absolute path, without `.` and `..`, lies where no project is.
pub(super) fn is_system(path: &str) -> bool {
    // Many an image has its application there.
    if let Some(rest) = path.strip_prefix("/usr/src/") {
        return rest.starts_with("linux") || !rest.contains('/');
    }
    SYSTEM.iter().any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Whether the folders that lead to a place hold other people's code or what tools keep for themselves.
pub(super) fn leads_to_others(folders: &[&str]) -> bool {
    folders.iter().any(|folder| {
        folder.starts_with('.')
            || folder.starts_with("pip-")
            || folder.starts_with("go-build")
            || folder.contains('@')
            || VENDORED.contains(folder)
    }) || folders.windows(2).any(|pair| CACHES.iter().any(|cache| cache[..] == *pair))
}

/// Whether these folders are where a container or a CI service puts a checkout itself: `/app`, `/github/workspace`,
/// `/home/runner/work/name/name`.
pub(super) fn is_mount(folders: &[&str]) -> bool {
    match folders {
        ["tmp" | "var" | "root" | "home" | "run" | "mnt" | "srv", ..] if folders.len() < 3 => false,
        ["usr", "src", _] | ["home", "circleci", "project"] | ["home", "vsts", "work", _, "s"] => true,
        ["home", "runner", "work", name, again] | ["__w", name, again] => name == again,
        ["builds", _, ..] | ["var", "lib", "jenkins", "workspace", _] => true,
        [_] | [_, _] => true,
        _ => false,
    }
}

/// What follows the module's name in a path that begins with one, as far as the words tell: the name is the host and
/// the module, with the owner between them on a forge, and perhaps a major version.
pub(super) fn without_module(path: &str) -> Option<&str> {
    let (host, mut rest) = path.split_once('/')?;
    if !path.ends_with(".go") || !is_host(host) {
        return None;
    }
    let owner = usize::from(FORGES.contains(&host));
    for _ in 0..=owner {
        // A module may have its host's name, as `go.example.com`, with the package right in it.
        rest = rest.split_once('/')?.1;
    }
    match rest.split_once('/') {
        Some((version, below)) if is_major_version(version) => Some(below),
        _ => Some(rest),
    }
}

fn is_host(name: &str) -> bool {
    let top = name.rsplit('.').next().unwrap_or_default();
    name.contains('.')
        && !name.starts_with('.')
        && top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
}

fn is_major_version(name: &str) -> bool {
    name.strip_prefix('v').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A path as printed, made readable where there is no checkout to look into: relative to wherever the tool ran.
pub(super) fn as_printed(printed: &str) -> String {
    let mut path = without_scheme(printed.trim());
    if !path.starts_with('/')
        && let Some(slashed) = from_windows(&path).filter(|slashed| !slashed.starts_with('/'))
    {
        path = slashed.into();
    }
    let mut rest = path.as_ref();
    while let Some(below) = rest.strip_prefix("./") {
        rest = below.trim_start_matches('/');
    }
    let rest = if rest.contains('@') { rest } else { without_module(rest).unwrap_or(rest) };
    rest.to_owned()
}

/// Without `file://` (RFC 8089), and then without its host, `%20` and the like decoded.
pub(super) fn without_scheme(printed: &str) -> Cow<'_, str> {
    let Some(address) = printed.strip_prefix("file:") else { return printed.into() };
    let path = match address.strip_prefix("//") {
        Some(named) => named.find('/').map_or(named, |at| &named[at..]),
        None if address.starts_with('/') => address,
        None => return printed.into(),
    };
    // A drive's letter has no slash of its own before it.
    let path = match path.as_bytes() {
        [b'/', letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic() => &path[1..],
        _ => path,
    };
    percent_decode_str(path).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_checkout_paths_are_cleaned_only() {
        for (printed, path) in [
            ("src/a.rs", "src/a.rs"),
            ("./src/a.rs", "src/a.rs"),
            ("././a.rs", "a.rs"),
            (".github/a.yml", ".github/a.yml"),
            ("../a.rs", "../a.rs"),
            ("/src/a.rs", "/src/a.rs"),
            (r"src\a\b.cs", "src/a/b.cs"),
            (r".\src\b.cs", "src/b.cs"),
            (r"C:\build\src\a.cs", r"C:\build\src\a.cs"),
            ("C:/build/a.cs", "C:/build/a.cs"),
            (r"\\host\share\a.cs", r"\\host\share\a.cs"),
            ("file:///home/ci/my%20app/%C3%BC.py", "/home/ci/my app/ü.py"),
            ("file://host/src/a%zz.py", "/src/a%zz.py"),
            ("file:///src/a%+1.py", "/src/a%+1.py"),
            ("file:///C:/src/a.cs", "C:/src/a.cs"),
            ("file:/src/a.kt", "/src/a.kt"),
            ("a dir/ü.py", "a dir/ü.py"),
            ("github.com/acme/shop/api/a_test.go", "api/a_test.go"),
            ("github.com/acme/shop/v2/api/a_test.go", "api/a_test.go"),
            ("github.com/acme/shop/a_test.go", "a_test.go"),
            ("example.com/shop/pkg/sub/a_test.go", "pkg/sub/a_test.go"),
            ("example.com/shop/a_test.go", "a_test.go"),
            ("example.com/a.go", "example.com/a.go"),
            ("github.com/acme/shop@v1.0.0/a.go", "github.com/acme/shop@v1.0.0/a.go"),
            ("shop/pkg/a_test.go", "shop/pkg/a_test.go"),
            ("example.com/shop/a.js", "example.com/shop/a.js"),
        ] {
            assert_eq!(as_printed(printed), path, "{printed}");
        }
    }

    #[test]
    fn systems_and_caches_hold_no_project() {
        for path in
            ["/usr/lib/python3/x.py", "/usr/src/linux-6/a.c", "/lib/a.c", "/rustc/abc/a.rs", "/Program Files/x/a.h"]
        {
            assert!(is_system(path), "{path}");
        }
        for path in ["/usr/src/app/a.js", "/libs/a.c", "/src/a.c", "/app/a.py", "/home/runner/work/a/a/b.ts"] {
            assert!(!is_system(path), "{path}");
        }
        for folders in [["home", ".cargo"], ["go", "src"], ["pkg", "mod"], ["app", "node_modules"], ["tmp", "pip-x"]] {
            assert!(leads_to_others(&folders), "{folders:?}");
        }
        assert!(!leads_to_others(&["home", "src", "go"]));
    }
}
