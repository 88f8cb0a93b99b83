//! What is detected in realistic trees: one snapshot per ecosystem, reviewed as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::*;
use crate::model::{ProjectFile, ProjectName, Recipe};

/// A checkout written down as text: `=== path` begins a file, `=== path *` one that may be executed.
#[derive(Default)]
struct Written {
    paths: Vec<String>,
    texts: BTreeMap<String, String>,
    executable: BTreeSet<String>,
}

impl Written {
    fn new(text: &str) -> Self {
        let mut tree = Self::default();
        for file in text.split("=== ").skip(1) {
            let (head, body) = file.split_once('\n').unwrap_or((file, ""));
            for path in head.split(", ") {
                let name = path.trim_end_matches(" *").to_owned();
                if name != path {
                    tree.executable.insert(name.clone());
                }
                tree.paths.push(name.clone());
                tree.texts.insert(name, body.to_owned());
            }
        }
        tree
    }
}

impl Tree for Written {
    fn files(&self) -> &[String] {
        &self.paths
    }

    fn read(&self, path: &str) -> Option<String> {
        self.texts.get(path).cloned()
    }

    fn is_executable(&self, path: &str) -> bool {
        self.executable.contains(path)
    }
}

/// A snapshot without the expression that made it, which is as long as the cases are.
macro_rules! assert_answers {
    ($answers:expr) => {
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!($answers) })
    };
}

fn name() -> ProjectName {
    "sample".parse().unwrap()
}

/// Detects each case, checks what holds for all of them, and writes the answers one below the other.
fn table(cases: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (title, files) in cases {
        let tree = Written::new(files);
        let found = detect(&tree);
        let _ = writeln!(text, "# {title}");
        for Found { subproject, evidence } in &found {
            let _ = writeln!(text, "{} {} {} ({evidence})", subproject.path, subproject.name, subproject.language);
            for (key, value) in &subproject.env {
                let _ = writeln!(text, "  {key}={value}");
            }
            for (recipe, Recipe { command, .. }) in &subproject.recipes {
                let _ = writeln!(text, "  {recipe} = {command}");
            }
        }
        text.push('\n');

        let mut reversed = Written::new(files);
        reversed.paths.reverse();
        assert_eq!(detect(&reversed), found, "{title}: the order of the files matters");
        let read_back = ProjectFile::parse(&render(&name(), &found), "crafting.toml").unwrap().subprojects;
        let subprojects: Vec<Subproject> = found.into_iter().map(|found| found.subproject).collect();
        assert_eq!(read_back, subprojects, "{title}: does not read back");
    }
    text
}

#[test]
fn rust() {
    assert_answers!(table(&[
        ("a package", "=== Cargo.toml\n[package]\nname = 'a'\n=== src/main.rs, docs/package.json"),
        (
            "a workspace with a lock, a policy, an excluded crate, a fuzzer and a vendored crate",
            "=== Cargo.toml\n[workspace]\nmembers = ['crates/*']\nexclude = ['tools/gen']\n\
             === Cargo.lock, deny.toml, .config/nextest.toml\n\
             === crates/a/Cargo.toml, crates/b/Cargo.toml, tools/gen/Cargo.toml, vendor/x/Cargo.toml, examples/y/Cargo.toml\n\
             [package]\nname = 'x'\n\
             === fuzz/Cargo.toml\n[package]\nname = 'fuzz'\nmetadata.cargo-fuzz = true\n[workspace]\n",
        ),
        (
            "a package in another one's folder, and one with a workspace of its own",
            "=== Cargo.toml, inner/Cargo.toml\n[package]\nname = 'a'\n=== own/Cargo.toml\n[workspace]\n[package]\nname = 'b'\n",
        ),
        ("what is no manifest", "=== Cargo.toml\n[package\n=== a/Cargo.toml\n[profile.dev]\n"),
    ]));
}

#[test]
fn python() {
    assert_answers!(table(&[
        (
            "uv with a dev group",
            "=== pyproject.toml\n[project]\nname = 'a'\ndependencies = ['requests>=2']\n\
             [dependency-groups]\ndev = ['pytest>=8', 'ruff', 'mypy']\n[build-system]\nbuild-backend = 'hatchling.build'\n\
             === uv.lock, src/a/__init__.py, tests/test_a.py\n",
        ),
        (
            "a uv workspace; pytest in an extra; ruff configured only",
            "=== pyproject.toml\n[project]\nname = 'a'\n[project.optional-dependencies]\ntest = ['pytest']\n\
             [tool.uv.workspace]\nmembers = ['packages/*']\n[tool.ruff]\n\
             === packages/b/pyproject.toml\n[project]\nname = 'b'\n=== uv.lock, packages/b/b.py, tests/test_a.py\n",
        ),
        (
            "poetry 1 and 2",
            "=== one/pyproject.toml, two/pyproject.toml\n[tool.poetry.group.test]\noptional = true\n\
             [tool.poetry.group.test.dependencies]\npytest = '*'\n[tool.poetry.group.dev.dependencies]\nflake8 = '*'\n\
             === one/poetry.lock\n# This file is automatically @generated by Poetry 1.8.2\n\
             === two/poetry.lock\n# This file is automatically @generated by Poetry 2.1.1\n\
             === one/test_x.py, two/test_x.py\n",
        ),
        (
            "pdm, pipenv",
            "=== a/pyproject.toml\n[project]\nname = 'a'\n[tool.pdm.dev-dependencies]\ntest = ['pytest']\n\
             === b/Pipfile\n[dev-packages]\npytest = '*'\n=== b/Pipfile.lock, a/pdm.lock, a/tests/test_a.py, b/tests/test_b.py\n",
        ),
        (
            "tox, nox, hatch",
            "=== a/tox.ini\n[tox]\n[testenv]\n[testenv:lint]\n=== a/setup.py\nsetup()\n=== a/tests/test_a.py\n\
             === b/noxfile.py\n@nox.session\ndef tests(session):\n    pass\n=== b/b.py\n\
             === c/pyproject.toml\n[project]\n[tool.hatch.envs.default.scripts]\ntest = 'pytest'\nlint = 'ruff check'\n=== c/c.py\n",
        ),
        (
            "requirements with a file for development that includes the main one",
            "=== requirements.txt\nflask\n=== requirements-dev.txt\n-r requirements.txt\npytest==8\nflake8\n\
             === app.py, tests/test_app.py\n",
        ),
        (
            "setuptools: an extra in setup.py, an extra in setup.cfg, a src layout without pytest",
            "=== a/setup.py\nsetup(install_requires=['x'], extras_require={'dev': ['black', \"pytest>=7\"]})\n=== a/test_a.py\n\
             === b/setup.cfg\n[metadata]\n[options.extras_require]\ntesting =\n    pytest>=6\n[mypy]\nfiles = b\n=== b/tests/test_b.py\n\
             === c/pyproject.toml\n[project]\nname = 'c'\n=== c/src/c/__init__.py, c/tests/test_c.py\n",
        ),
        (
            "pytest in a group without a tool",
            "=== pyproject.toml\n[project]\nname='a'\n[dependency-groups]\ntests = ['pytest']\n=== test_a.py\n"
        ),
        (
            "nothing to install: pytest, unittest at the top, in a folder, in a package; Django",
            "=== a/pytest.ini, a/test_a.py\n=== b/b.py, b/test_b.py\nimport unittest\n=== c/c.py, c/tests/test_c.py\n\
             === d/d/__init__.py, d/tests/__init__.py, d/tests/test_d.py\n=== e/manage.py, e/polls/__init__.py, e/polls/tests.py, e/requirements.txt\n",
        ),
        (
            "a Rust crate with a Python face, without and with tests of its own",
            "=== a/Cargo.toml, b/Cargo.toml\n[package]\nname = 'a'\n\
             === a/pyproject.toml, b/pyproject.toml\n[project]\nname = 'a'\n[build-system]\nrequires = ['maturin']\nbuild-backend = 'maturin'\n\
             === a/a.py, b/b.py, b/tests/test_b.py\nimport pytest\n",
        ),
        (
            "tool settings, scripts and documentation of another language's project",
            "=== Cargo.toml\n[package]\n=== pyproject.toml\n[tool.black]\n=== docs/requirements.txt, docs/conf.py, scripts/release.py\n",
        ),
    ]));
}

#[test]
fn go() {
    assert_answers!(table(&[
        ("a module", "=== go.mod\nmodule x\n=== main.go, main_test.go, vendor/y/y.go, internal/testdata/go.mod\n"),
        (
            "a linter, a pinned govulncheck and no tests",
            "=== go.mod\nmodule x\ntool (\n\tgolang.org/x/vuln/cmd/govulncheck // why\n)\n=== main.go, .golangci.yml\n",
        ),
        (
            "a workspace and a module outside it",
            "=== go.work\ngo 1.24\nuse (\n\t.\n\t./api\n\t./gone\n)\n=== go.mod, api/go.mod, tools/go.mod\nmodule x\n\
             === main.go, api/api.go, api/api_test.go, tools/gen.go\n",
        ),
    ]));
}

#[test]
fn node() {
    let scripts = "\"scripts\": {\"build\": \"tsc\", \"test\": \"vitest run\", \"lint\": \"eslint .\"}, \"devDependencies\": {\"x\": \"1\"}";
    let package = format!("{{{scripts}}}\n");
    assert_answers!(table(&[
        (
            "npm",
            &format!("=== package.json\n{package}=== package-lock.json, tsconfig.json, node_modules/x/package.json\n")
        ),
        ("no lock, nothing to install", "=== package.json\n{\"scripts\": {\"test\": \"node --test\"}}\n"),
        (
            "the other managers",
            &format!(
                "=== a/package.json, b/package.json, c/package.json, d/package.json\n{package}\
                 === a/pnpm-lock.yaml, b/yarn.lock, d/bun.lock\n=== c/yarn.lock\n__metadata:\n\
                 === e/package.json\n{{\"packageManager\": \"yarn@4.1.0+sha512.x\", {scripts}}}\n"
            ),
        ),
        (
            "a workspace of npm with the scripts in its packages",
            "=== package.json\n{\"workspaces\": [\"packages/*\"]}\n=== package-lock.json\n\
             === packages/a/package.json, packages/b/package.json, other/package.json\n\
             {\"scripts\": {\"test\": \"node --test\", \"typecheck\": \"tsc\"}}\n",
        ),
        (
            "a workspace of pnpm",
            &format!(
                "=== pnpm-workspace.yaml\npackages:\n  # apps\n  - 'apps/*'\n  - \"!apps/old\"\ncatalog:\n  - 'x/*'\n\
                 === package.json\n{{\"private\": true}}\n=== pnpm-lock.yaml\n=== apps/web/package.json\n{package}"
            ),
        ),
        (
            "nothing to run",
            "=== package.json\n{\"scripts\": {\"test\": \"echo \\\"Error: no test specified\\\" && exit 1\", \"prepare\": \"husky\"}, \
             \"devDependencies\": {\"husky\": \"9\"}}\n=== package-lock.json\n=== a/package.json\n[\"x\"]\n=== b/package.json\n{",
        ),
        (
            "beside Rust, with a folder that already has the name",
            &format!("=== Cargo.toml\n[package]\n=== package.json, node/package.json\n{package}"),
        ),
    ]));
}

#[test]
fn task_files() {
    assert_answers!(table(&[
        (
            "make over Go",
            "=== go.mod\n=== main.go, main_test.go\n=== Makefile\nbuild:\n\tgo build -o bin/x .\ntest:\n\tgo test -race ./...\n",
        ),
        (
            "make over npm, with and without its own installation",
            "=== a/package.json, b/package.json\n{\"scripts\": {\"test\": \"jest\"}, \"dependencies\": {\"x\": \"1\"}}\n\
             === a/Makefile\ntest:\n\tnpx jest\n=== b/Makefile\ntest: node_modules\n\tnpx jest\nnode_modules: package.json\n\tnpm ci\n",
        ),
        (
            "just over uv and make over requirements",
            "=== a/pyproject.toml\n[project]\nname = 'a'\n[dependency-groups]\ndev = ['pytest']\n=== a/uv.lock, a/test_a.py\n\
             === a/justfile\ntest *args:\n    pytest {{args}}\nlint:\n    ruff check\n\
             === b/requirements.txt\npytest\n=== b/test_b.py\n=== b/Makefile\ntest:\n\tpytest -q\n",
        ),
        (
            "several languages in one folder: only what none of them has",
            "=== Cargo.toml\n[package]\n=== package.json\n{\"scripts\": {\"test\": \"node --test\"}}\n\
             === Makefile\ntest:\n\tcargo test\naudit:\n\tcargo audit\n",
        ),
        (
            "C with make alone",
            "=== Makefile\nCC = cc\nall: x\nx: x.o\n\t$(CC) -o $@ $^\ncheck: x\n\t./x --self-test\n=== x.c, lib/Makefile, lib/y.c\n",
        ),
        (
            "a root that leads into its subprojects, and one that does more",
            "=== Makefile\ntest:\n\tcd api && go test ./...\n\t$(MAKE) -C web test\nlint:\n\tpre-commit run --all-files\n\
             === api/go.mod, api/main.go\n=== web/package.json\n{\"scripts\": {\"test\": \"jest\"}}\n",
        ),
        ("make with C, without a target for it", "=== Makefile\nx: x.o\n\tcc -o x x.o\n=== x.c, tests/test_x.sh\n"),
        ("Taskfile", "=== Taskfile.yml\nversion: '3'\ntasks:\n  test:\n    - ./check\n"),
        (
            "nothing to run",
            "=== Makefile\ntest:\n\tdocker compose run test\nlint:\n\tcrafting job run lint\nclean:\n\trm -f x\n"
        ),
    ]));
}

#[test]
fn jvm() {
    assert_answers!(table(&[
        (
            "Maven with modules and a wrapper",
            "=== mvnw *, core/pom.xml, core/src/main/java/A.java, core/src/test/resources/x/pom.xml\n<project/>\n\
             === pom.xml\n<project><artifactId>spotless-maven-plugin</artifactId></project>\n",
        ),
        ("Maven", "=== pom.xml\n<project/>\n=== src/main/kotlin/A.kt\n"),
        (
            "Gradle with Kotlin, modules and detekt",
            "=== gradlew, settings.gradle.kts, app/build.gradle.kts, app/src/A.kt\n=== build.gradle.kts\nid(\"io.gitlab.arturbosch.detekt\")\n",
        ),
        ("Gradle without a wrapper", "=== build.gradle, src/main/java/A.java\n"),
    ]));
}

#[test]
fn others() {
    assert_answers!(table(&[
        (
            "CMake with tests and a folder that it adds",
            "=== CMakeLists.txt\nPROJECT (x)\nadd_subdirectory(lib)\n=== lib/CMakeLists.txt\nproject(lib)\nenable_testing()\n=== lib/x.c\n",
        ),
        ("CMake that Cargo calls", "=== Cargo.toml\n[package]\n=== native/CMakeLists.txt\nproject(x)\n"),
        (
            ".NET: a solution, a lone project, two in one folder",
            "=== a/App.sln, a/App/App.csproj, a/App.Tests/App.Tests.csproj, a/.editorconfig\n=== b/B.fsproj\n<Project/>\n\
             === c/C.csproj, c/My D.csproj\n",
        ),
        (
            "Ruby: rspec, minitest with rake, minitest alone",
            "=== a/Gemfile\ngem 'rubocop'\ngem 'bundler-audit'\n=== a/a.gemspec, a/spec/a_spec.rb\n\
             === b/Gemfile, b/test/b_test.rb\n=== b/Rakefile\nMinitest::TestTask.create\n=== c/Gemfile, c/test/c_test.rb\n=== d/Rakefile\ntask :test\n",
        ),
        (
            "PHP: scripts, and tools by their configuration",
            "=== a/composer.json\n{\"scripts\": {\"test\": \"phpunit\", \"lint\": [\"phpcs\"]}}\n=== a/composer.lock\n\
             === b/composer.json\n{\"require-dev\": {\"phpunit/phpunit\": \"^11\"}}\n=== b/phpstan.neon\n=== c/composer.json\n{\"name\": \"c/c\"}\n",
        ),
        ("Swift", "=== Package.swift\nimport PackageDescription\n.testTarget(name: \"x\")\n=== .swiftlint.yml\n"),
        (
            "shell: Bats, test scripts, one script for all, beside another language",
            "=== a/greet.sh, a/tests/greet.bats, a/tests/deep/x.bats, a/tests/test_helper/bats-assert/x.bats\n\
             === b/b.sh, b/tests/test_one.sh, b/tests/test_two.sh\n#!/usr/bin/env bash\n=== c/c.sh, c/test.sh *\n\
             === d/Cargo.toml\n[package]\n=== d/tests/cli.bats, d/install.sh\n=== e/Cargo.toml\n[package]\n=== e/test.sh\n",
        ),
        ("nothing", "=== README.md, LICENSE, src/x.txt\n"),
        ("names that no subproject can have", "=== -x/Cargo.toml, a\\b/Cargo.toml\n[package]\n"),
    ]));
}

#[test]
fn a_broken_manifest_is_passed_over() {
    let names = [
        "Cargo.toml",
        "go.mod",
        "go.work",
        "pyproject.toml",
        "setup.cfg",
        "setup.py",
        "tox.ini",
        "requirements.txt",
        "Pipfile",
        "package.json",
        "pnpm-workspace.yaml",
        "Makefile",
        "justfile",
        "Taskfile.yml",
        "pom.xml",
        "build.gradle",
        "CMakeLists.txt",
        "x.csproj",
        "Gemfile",
        "Rakefile",
        "composer.json",
        "Package.swift",
        "tests/a.bats",
        "test_x.py",
        "a.sh",
        "é.gemspec",
    ];
    let deep_json = "[".repeat(100_000);
    let deep_toml = format!("a = {}", "[".repeat(100_000));
    let globs = "[workspace]\nmembers = ['[', '{a', '**/**/../../..', '']\nexclude = 3\n[package]\nworkspace = '..'\n";
    let texts = [
        "",
        "\0\u{fffd}",
        "{}",
        "[]",
        "null",
        "é: é\n\té",
        ":",
        "::=",
        "\t",
        "[",
        "[[",
        "tasks:\n -",
        "use (",
        "packages:\n-\n - é",
        "{\"scripts\": 3, \"workspaces\": {\"packages\": [3, \"[\"]}}",
        "extras_require={'é': ['",
        &deep_json,
        &deep_toml,
        globs,
        "test:test\n\ttest\nbuild: build",
        "project",
        "[project]\ndependencies = 3\n[tool]\nuv = 3\npoetry = []\n",
    ];
    for text in texts {
        let mut tree = Written::default();
        for name in names {
            tree.paths.push(name.to_owned());
            tree.texts.insert(name.to_owned(), text.to_owned());
        }
        let found = detect(&tree);
        ProjectFile::parse(&render(&name(), &found), "crafting.toml").unwrap();
    }
}

#[test]
fn the_file_that_init_writes() {
    let tree = Written::new(
        "=== Cargo.toml\n[package]\n=== Cargo.lock\n=== clients/py/requirements.txt\npytest\n=== clients/py/test_x.py\n\
         === clients/ruby/Gemfile, clients/ruby/test/x_test.rb\n",
    );
    assert_answers!(render(&name(), &detect(&tree)));
}

#[test]
fn everything_a_subproject_says_reads_back() {
    let mut subproject = Subproject::new("a b/'c'".parse().unwrap(), Default::default());
    subproject.name = "x".parse().unwrap();
    subproject.keep = Some(vec!["target".into()]);
    subproject.fresh = true;
    subproject.env.insert("A.B".into(), "\"quoted\"\n\\".into());
    let test = Recipe { command: "a 'b' \"c\" \\".into(), timeout_secs: Some(3), retries: 2, ..Recipe::default() };
    subproject.recipes.insert("test".parse().unwrap(), test);
    subproject.recipes.insert("e2e.all".parse().unwrap(), Recipe { command: "x".into(), ..Recipe::default() });
    let found = Found { subproject, evidence: "odd\n[[subproject]]".into() };
    let text = render(&name(), std::slice::from_ref(&found));
    assert_eq!(ProjectFile::parse(&text, "crafting.toml").unwrap().subprojects, [found.subproject], "{text}");
    assert!(ProjectFile::parse(&render(&name(), &[]), "crafting.toml").unwrap().subprojects.is_empty());
}

impl Written {
    /// A folder's files, what is built in it left out.
    fn read_folder(root: &std::path::Path) -> Self {
        let mut tree = Self::default();
        let mut open = vec![root.to_path_buf()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                if path.is_dir() {
                    let is_built = name.ends_with("target") || name.ends_with("__pycache__");
                    open.extend((!is_built).then_some(path));
                    continue;
                }
                if std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o100 != 0 {
                    tree.executable.insert(name.clone());
                }
                tree.texts.insert(name.clone(), std::fs::read_to_string(&path).unwrap_or_default());
                tree.paths.push(name);
            }
        }
        tree
    }
}

#[test]
fn the_example_is_what_detection_says_but_for_its_lints() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hello-polyglot");
    let tree = Written::read_folder(&root);
    let mut written = ProjectFile::parse(&tree.read(ProjectFile::NAME).unwrap(), "crafting.toml").unwrap().subprojects;
    let mut detected: Vec<Subproject> = detect(&tree).into_iter().map(|found| found.subproject).collect();
    written.sort_by(|a, b| a.path.cmp(&b.path));
    for subproject in written.iter_mut().chain(&mut detected) {
        subproject.recipes.remove(&"lint".parse().unwrap());
    }
    assert_eq!(written, detected);
}
