//! Paths as tools print them, and the same relative to the project's root.
//!
//! A path is never invented: where the checkout does not show which of its files is meant, there is none.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::foreign::{from_windows, is_mount, is_system, leads_to_others, without_module, without_scheme};
use crate::model::SubPath;

/// Answers remembered; a log that prints more different paths asks the disk again.
const CACHE_LIMIT: usize = 100_000;
/// Folders of a path that are looked at; nobody nests deeper.
const DEPTH_LIMIT: usize = 64;
/// Bytes of a path, as on Linux; what is longer is none.
const PATH_LIMIT: usize = 4096;
/// Bytes of a `go.mod` that are read for the module's name, which comes first.
const GO_MOD_LIMIT: u64 = 64 << 10;

/// Maps the paths that a job's tools print. Every way to spell the checkout's top is known, and every folder that
/// tools take their relative paths from: the subproject's, the project's root and the repository's top. What was
/// printed in a container, on another machine or by a Go package's name is found by its end.
#[derive(Debug)]
pub struct PathMap {
    /// Spellings of the repository's top, the longest first.
    tops: Vec<PathBuf>,
    checkout: PathBuf,
    root: PathBuf,
    subproject: PathBuf,
    /// The Go modules of the folders that relative paths start from.
    modules: OnceCell<Vec<(PathBuf, String)>>,
    cache: RefCell<HashMap<String, Option<String>>>,
}

impl PathMap {
    /// `checkout` is the repository's top in the slot; `root` (the project's) and `subproject_dir` are relative to it;
    /// `aliases` are other spellings of `checkout`, such as the job's own link. Symbolic links are followed too.
    pub fn new(checkout: &Path, root: &SubPath, subproject_dir: &SubPath, aliases: Vec<PathBuf>) -> Self {
        let mut tops = aliases;
        tops.push(checkout.to_owned());
        tops.extend(checkout.canonicalize());
        tops.sort_by_key(|top| std::cmp::Reverse(top.as_os_str().len()));
        tops.dedup();
        Self {
            tops,
            checkout: checkout.to_owned(),
            root: relative(root),
            subproject: relative(subproject_dir),
            modules: OnceCell::new(),
            cache: RefCell::default(),
        }
    }

    /// The path relative to the project's root, with `/` between folders; none if it lies outside, as the files of
    /// libraries and toolchains do.
    pub fn map(&self, printed: &str) -> Option<String> {
        if printed.len() > PATH_LIMIT {
            return None;
        }
        if let Some(known) = self.cache.borrow().get(printed) {
            return known.clone();
        }
        let mapped = self.find(printed);
        let mut cache = self.cache.borrow_mut();
        if cache.len() >= CACHE_LIMIT {
            cache.clear();
        }
        cache.insert(printed.to_owned(), mapped.clone());
        mapped
    }

    fn find(&self, printed: &str) -> Option<String> {
        let printed = without_scheme(printed.trim());
        let printed = printed.as_ref();
        if printed.is_empty() || printed.starts_with('<') || printed.contains('\0') {
            return None;
        }
        let path = Path::new(printed);
        if path.is_absolute() {
            // Clean first: `/slot/../else` is not in the slot.
            let path = clean(path)?;
            return match self.tops.iter().find_map(|top| path.strip_prefix(top).ok()) {
                Some(path) => self.in_project(path),
                None => self.elsewhere(path.to_str()?),
            };
        }
        if let Some(existing) = self.existing(path) {
            return self.in_project(&existing);
        }
        if let Some(slashed) = from_windows(printed) {
            let path = Path::new(&slashed);
            if path.is_absolute() {
                return self.elsewhere(clean(path)?.to_str()?);
            }
            if let Some(existing) = self.existing(path) {
                return self.in_project(&existing);
            }
            return self.missing(path);
        }
        self.missing(path)
    }

    /// What a relative path names that is in none of the folders where tools run.
    fn missing(&self, path: &Path) -> Option<String> {
        if path.extension().is_some_and(|extension| extension == "go")
            && let Some(found) = path.to_str().and_then(|path| self.of_go_package(path))
        {
            return self.in_project(&found);
        }
        // A bare name that is in none of the places may be in any folder. So may what begins with a package's name.
        let is_bare = path.components().filter(|part| *part != Component::CurDir).count() == 1;
        if is_bare || path.to_str().is_some_and(|path| without_module(path).is_some()) {
            return None;
        }
        self.in_project(&clean(&self.subproject.join(path))?)
    }

    /// The file in the checkout that a relative path names, from the nearest folder that has it: cargo prints what is
    /// relative to its workspace, which may be above the subproject.
    fn existing(&self, path: &Path) -> Option<PathBuf> {
        let mut asked = None;
        // The bases are often the same, and each is asked of the disk.
        let bases = self.bases().filter(|base| asked.replace(*base) != Some(*base));
        bases.filter_map(|base| clean(&base.join(path))).find(|path| self.checkout.join(path).is_file())
    }

    fn bases(&self) -> impl Iterator<Item = &Path> {
        [self.subproject.as_path(), self.root.as_path(), Path::new("")].into_iter()
    }

    /// An absolute path outside the checkout, such as a container's `/app/src/a.js`: the file of the checkout that its
    /// end names. Not if the end could name two, or if the path names a file of this machine.
    fn elsewhere(&self, path: &str) -> Option<String> {
        if is_system(path) {
            return None;
        }
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        if parts.len() > DEPTH_LIMIT || Path::new(path).exists() {
            return None;
        }
        let last = parts.len().checked_sub(1)?;
        for start in 1..=last {
            let (folders, end) = parts.split_at(start);
            // Something of the end has to be telling: a folder, or that nothing but a checkout's place is before it.
            if start == last && !is_mount(folders) {
                break;
            }
            return match &self.named(&end.join("/"), start == last)[..] {
                [] => continue,
                [found] if !leads_to_others(folders) => self.in_project(found),
                _ => None,
            };
        }
        None
    }

    /// The files that a path names from the folders where tools run. A bare name counts only where a tool or a project
    /// is at home.
    fn named(&self, path: &str, is_bare: bool) -> Vec<PathBuf> {
        let bases = self.bases().take(if is_bare { 2 } else { 3 });
        let mut found: Vec<PathBuf> = bases.map(|base| base.join(path)).filter(|path| self.is_within(path)).collect();
        found.dedup();
        found
    }

    /// Whether it is a file, and symbolic links do not lead out of the checkout.
    fn is_within(&self, path: &Path) -> bool {
        let path = self.checkout.join(path);
        path.is_file() && path.canonicalize().is_ok_and(|real| self.tops.iter().any(|top| real.starts_with(top)))
    }

    /// A file of a Go package, spelled with the package's name: `example.com/shop/calc/calc.go`. The module's own name
    /// is known where its `go.mod` is; elsewhere the longest end that is a file, with a folder at least.
    fn of_go_package(&self, path: &str) -> Option<PathBuf> {
        if path.contains('@') {
            return None;
        }
        for (base, module) in self.modules() {
            // A path may lack the first parts of the module's name.
            let starts = std::iter::once(0).chain(module.match_indices('/').map(|(at, _)| at + 1));
            for at in starts {
                let rest = path.strip_prefix(&module[at..]).and_then(|rest| rest.strip_prefix('/'));
                let found = rest.map(|rest| base.join(rest)).filter(|found| self.is_within(found));
                if found.is_some() || (rest.is_some() && at == 0) {
                    return found;
                }
            }
        }
        let parts: Vec<&str> = path.split('/').take(DEPTH_LIMIT).collect();
        if parts.contains(&"..") {
            return None;
        }
        let ends = (1..parts.len().saturating_sub(1)).map(|start| self.named(&parts[start..].join("/"), false));
        ends.into_iter().find(|found| !found.is_empty()).filter(|found| found.len() == 1)?.pop()
    }

    fn modules(&self) -> &[(PathBuf, String)] {
        self.modules.get_or_init(|| {
            let mut modules = Vec::new();
            for base in self.bases() {
                let file = base.join("go.mod");
                if self.is_within(&file)
                    && let Some(name) = module_name(&self.checkout.join(&file))
                {
                    modules.push((base.to_owned(), name));
                }
            }
            modules
        })
    }

    /// From relative to the repository's top to relative to the project's root.
    fn in_project(&self, path: &Path) -> Option<String> {
        let path = path.strip_prefix(&self.root).ok()?;
        // Dependencies are often unpacked inside the checkout, and are still not the project's.
        let foreign = path
            .components()
            .any(|part| matches!(part.as_os_str().to_str(), Some("site-packages" | "dist-packages" | "node_modules")));
        let text = path.to_str()?;
        (!foreign && !text.is_empty()).then(|| text.to_owned())
    }
}

fn relative(path: &SubPath) -> PathBuf {
    if path.is_root() { PathBuf::new() } else { PathBuf::from(path.as_str()) }
}

/// Without `.` and `..`; none if it leads above its start.
fn clean(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !clean.pop() {
                    return None;
                }
            }
            part => clean.push(part),
        }
    }
    Some(clean)
}

/// The name in a `go.mod` (<https://go.dev/ref/mod#go-mod-file-module>).
fn module_name(file: &Path) -> Option<String> {
    let mut text = String::new();
    std::fs::File::open(file).ok()?.take(GO_MOD_LIMIT).read_to_string(&mut text).ok()?;
    let name = text.lines().find_map(|line| line.trim_start().strip_prefix("module "))?;
    let name = name.split("//").next()?.trim().trim_matches('"');
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const FILES: [&str; 12] = [
        "api/crates/a/src/lib.rs",
        "api/src/main.rs",
        "api/crates/a/src/main.rs",
        "api/crates/a/ü dir/my file.rs",
        "api/crates/a/calc/calc_test.go",
        "api/crates/a/shop_test.go",
        "api/web/index.js",
        "api/web/deep/util.js",
        "api/Program.cs",
        "api/only/top.py",
        "api/build/only/top.py",
        "other/x.rs",
    ];

    fn checkout() -> (tempfile::TempDir, PathMap) {
        let folder = tempfile::Builder::new().prefix("paths-").tempdir().unwrap();
        let top = folder.path().join("slot-1");
        for file in FILES {
            fs::create_dir_all(top.join(file).parent().unwrap()).unwrap();
            fs::write(top.join(file), "").unwrap();
        }
        fs::write(top.join("api/crates/a/go.mod"), "// x\nmodule example.com/team/shop // y\n\ngo 1.24\n").unwrap();
        fs::write(folder.path().join("secret.rs"), "").unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret.rs"), top.join("api/web/out.rs")).unwrap();
        std::os::unix::fs::symlink(&top, folder.path().join("job")).unwrap();
        let aliases = vec![folder.path().join("job")];
        let map = PathMap::new(&top, &"api".parse().unwrap(), &"api/crates/a".parse().unwrap(), aliases);
        (folder, map)
    }

    #[test]
    fn what_was_printed_elsewhere_is_found_by_its_end() {
        let (folder, map) = checkout();
        let top = folder.path().display().to_string();
        let beside = format!("{top}/slot-10/api/crates/a/src/lib.rs");
        for (printed, file) in [
            // Containers and CI services, with the checkout's top, the project or the subproject at the mount.
            ("/src/api/crates/a/src/lib.rs", Some("crates/a/src/lib.rs")),
            ("/app/crates/a/src/lib.rs", Some("crates/a/src/lib.rs")),
            ("/workspace/src/lib.rs", Some("crates/a/src/lib.rs")),
            ("/github/workspace/web/index.js", Some("web/index.js")),
            ("/home/runner/work/shop/shop/api/web/index.js", Some("web/index.js")),
            ("/usr/src/app/web/index.js", Some("web/index.js")),
            ("/app/ü dir/my file.rs", Some("crates/a/ü dir/my file.rs")),
            ("file:///app/%C3%BC%20dir/my%20file.rs", Some("crates/a/ü dir/my file.rs")),
            ("/app/./x/../web/index.js", Some("web/index.js")),
            (&beside, Some("crates/a/src/lib.rs")),
            // The longest end counts.
            ("/x/build/only/top.py", Some("build/only/top.py")),
            ("/x/only/top.py", Some("only/top.py")),
            // Two files have this end.
            ("/app/src/main.rs", None),
            ("/app/api/src/main.rs", Some("src/main.rs")),
            // A bare name, only where a checkout may be.
            ("/app/shop_test.go", Some("crates/a/shop_test.go")),
            ("/home/runner/work/shop/shop/Program.cs", Some("Program.cs")),
            ("/tmp/build-1/x/y/Program.cs", None),
            ("/root/Program.cs", None),
            ("/app/index.js", None),
            // Where systems and caches are.
            ("/usr/lib/web/index.js", None),
            ("/usr/local/go/src/calc/calc_test.go", None),
            ("/opt/web/index.js", None),
            ("/nix/store/x/web/index.js", None),
            ("/root/.cargo/registry/src/x/src/lib.rs", None),
            ("/go/pkg/mod/example.com/x@v1/calc/calc_test.go", None),
            ("/home/u/go/pkg/mod/x/calc/calc_test.go", None),
            ("/app/node_modules/x/web/index.js", None),
            ("/app/venv/lib/site-packages/only/top.py", None),
            ("/rustc/abc/src/lib.rs", None),
            // No such file, or not one of the checkout's.
            ("/app/web/gone.js", None),
            ("/build/out/generated.c", None),
            ("/app/web/out.rs", None),
            ("/app/other/x.rs", None),
            // Windows.
            (r"C:\build\src\lib.rs", Some("crates/a/src/lib.rs")),
            (r"\\?\C:\build\web\deep\util.js", Some("web/deep/util.js")),
            ("D:/a/shop/shop/web/deep/util.js", Some("web/deep/util.js")),
            ("file:///C:/build/web/index.js", Some("web/index.js")),
            (r"\\host\share\web\index.js", Some("web/index.js")),
            (r"C:\app\Program.cs", Some("Program.cs")),
            (r"C:\Program Files\x\src\lib.rs", None),
            (r"C:\Users\u\.nuget\x\web\index.js", None),
            (r"web\deep\util.js", Some("web/deep/util.js")),
            (r".\src\lib.rs", Some("crates/a/src/lib.rs")),
            (r"..\..\web\index.js", Some("web/index.js")),
            (r"gone\a.cs", Some("crates/a/gone/a.cs")),
            // Go's packages.
            ("example.com/team/shop/calc/calc_test.go", Some("crates/a/calc/calc_test.go")),
            ("example.com/team/shop/shop_test.go", Some("crates/a/shop_test.go")),
            ("team/shop/shop_test.go", Some("crates/a/shop_test.go")),
            ("shop/shop_test.go", Some("crates/a/shop_test.go")),
            ("github.com/else/where/calc/calc_test.go", Some("crates/a/calc/calc_test.go")),
            ("github.com/else/where/shop_test.go", None),
            ("example.com/team/shop/x/calc/calc_test.go", None),
            ("example.com/x@v1.2.3/calc/calc_test.go", None),
            ("calc_test.go", None),
            ("calc/gone_test.go", Some("crates/a/calc/gone_test.go")),
        ] {
            assert_eq!(map.map(printed).as_deref(), file, "{printed}");
        }
    }

    #[test]
    fn a_file_of_this_machine_is_not_the_checkouts() {
        let (folder, map) = checkout();
        let file = folder.path().join("else/web/index.js");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        assert_eq!(map.map(&file.display().to_string()).as_deref(), Some("web/index.js"));
        fs::write(&file, "").unwrap();
        let (_other, map) = (folder, checkout().1);
        assert_eq!(map.map(&file.display().to_string()), None);
    }

    #[test]
    fn every_spelling_is_the_same_path() {
        let (folder, map) = checkout();
        let top = folder.path().display().to_string();
        for printed in [
            "src/lib.rs".to_owned(),
            "./src/lib.rs".to_owned(),
            "tests/../src/lib.rs".to_owned(),
            "crates/a/src/lib.rs".to_owned(),
            "api/crates/a/src/lib.rs".to_owned(),
            format!("{top}/slot-1/api/crates/a/src/lib.rs"),
            format!("{top}/job/api/crates/a/src/lib.rs"),
            format!("{top}/slot-1/other/../api/crates/a/./src/lib.rs"),
            format!("file://{top}/slot-1/api/crates/a/src/lib%2Ers"),
        ] {
            assert_eq!(map.map(&printed).as_deref(), Some("crates/a/src/lib.rs"), "{printed}");
        }
        // The subproject's own file is preferred; a file that is gone is taken to be the subproject's.
        assert_eq!(map.map("src/main.rs").as_deref(), Some("crates/a/src/main.rs"));
        assert_eq!(map.map("../../src/main.rs").as_deref(), Some("src/main.rs"));
        assert_eq!(map.map("src/gone.rs").as_deref(), Some("crates/a/src/gone.rs"));
        assert_eq!(map.map("gone.rs"), None);
    }

    #[test]
    fn what_is_not_the_projects_has_no_path() {
        let (folder, map) = checkout();
        let top = folder.path().display().to_string();
        for printed in [
            "/rustc/abc/library/core/src/panicking.rs".to_owned(),
            "/home/u/.cargo/registry/src/x/lib.rs".to_owned(),
            "../../../../../../etc/passwd".to_owned(),
            ".venv/lib/python3.11/site-packages/a.py".to_owned(),
            "<frozen importlib._bootstrap>".to_owned(),
            String::new(),
            format!("{top}/slot-10/api/src/gone.rs"),
            format!("{top}/slot-1/other/x.rs"),
            format!("{top}/slot-1/api/../../x.rs"),
            format!("{top}/slot-1/api"),
        ] {
            assert_eq!(map.map(&printed), None, "{printed}");
        }
    }
}
