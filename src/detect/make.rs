//! Makefile, justfile and Taskfile: what the authors themselves run.
//!
//! - A folder of one language: a make target named build, test, lint or audit takes the place of the language's
//!   own recipe, since it is what the authors run; what it does not name stays. Where the dependencies have to
//!   be installed first and the target does not do it, the language's own installation is put before it.
//! - just and Task only add what the language has no recipe for: they are programs that a machine with the
//!   language's tools need not have, and a recipe that cannot start helps nobody.
//! - A folder of several languages: one target cannot be told to speak for all of them, so the languages' own
//!   recipes stay, and targets only add what none of them has.
//! - A folder of no language: a subproject of its own, unless it lies in another's folder, or its targets only
//!   lead into folders that are subprojects themselves.
//!
//! A target that needs Docker, that starts crafting itself, or that only makes a folder is not a recipe.
//!
//! <https://www.gnu.org/software/make/manual/make.html#Rules>, <https://just.systems/man/en/>,
//! <https://taskfile.dev/docs/reference/schema>

use std::collections::{BTreeMap, BTreeSet};

use super::checkout::{Checkout, lies_in, relative, upward};
use super::part::{Part, RECIPES};
use crate::model::Language;

/// A program, the names of its file, and how that is read.
struct Runner {
    program: &'static str,
    files: &'static [&'static str],
    parse: fn(&str) -> Tasks,
}

/// In the order in which they are preferred: make is everywhere.
const RUNNERS: [Runner; 3] = [
    Runner { program: "make", files: &["GNUmakefile", "makefile", "Makefile"], parse: makefile },
    Runner { program: "just", files: &["justfile", "Justfile", ".justfile"], parse: justfile },
    Runner { program: "task", files: &["Taskfile.yml", "Taskfile.yaml", "taskfile.yml"], parse: taskfile },
];

/// A task's prerequisites and its own lines.
#[derive(Default)]
struct Task {
    needs: Vec<String>,
    body: String,
}

/// Tasks by name; the first one is what the program runs by itself.
#[derive(Default)]
struct Tasks {
    first: Option<String>,
    by_name: BTreeMap<String, Task>,
}

/// A task that a recipe can be made of.
struct Target {
    recipe: &'static str,
    program: &'static str,
    command: String,
    /// Everything that it runs, prerequisites too, in lower case with one blank between words.
    words: String,
}

/// Puts the task files' targets over and beside what the languages say.
pub(super) fn apply(checkout: &Checkout, parts: &mut Vec<Part>) {
    let mut outer: BTreeSet<&str> = BTreeSet::new();
    let mut by_folder: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, part) in parts.iter().enumerate() {
        by_folder.entry(part.folder.clone()).or_default().push(index);
    }
    for folder in checkout.folders() {
        let Some(TaskFile { file, mut targets, default }) = read(checkout, folder) else { continue };
        let here = by_folder.get(folder).map(Vec::as_slice).unwrap_or_default();
        match here {
            [] => {
                if lies_in(folder, &outer) || upward(folder).any(|folder| by_folder.contains_key(folder)) {
                    continue;
                }
                let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
                let below = by_folder.range(prefix.clone()..).take_while(|(inner, _)| inner.starts_with(&prefix));
                let inner: Vec<String> = below.map(|(inner, _)| words(relative(inner, folder))).collect();
                targets.retain(|target| !inner.iter().any(|inner| target.words.contains(inner.as_str())));
                parts.push(part_of_its_own(checkout, folder, file, targets, default));
            }
            [only] => {
                let part = &mut parts[*only];
                let mut is_used = false;
                for target in targets {
                    if target.program != "make" && part.recipes.contains_key(target.recipe) {
                        continue;
                    }
                    let brings_its_own =
                        part.setup.words.iter().any(|setup| target.words.contains(&format!(" {setup} ")));
                    let prefix = if brings_its_own { "" } else { part.setup.prefix.as_str() };
                    part.recipes.insert(target.recipe, format!("{prefix}{}", target.command));
                    is_used = true;
                }
                if is_used {
                    part.evidence = format!("{}, {file}", part.evidence);
                }
            }
            several => {
                for target in targets {
                    if !several.iter().any(|index| parts[*index].recipes.contains_key(target.recipe)) {
                        parts[several[0]].recipes.insert(target.recipe, target.command);
                    }
                }
            }
        }
        outer.insert(folder);
    }
}

fn part_of_its_own(
    checkout: &Checkout,
    folder: &str,
    file: &str,
    targets: Vec<Target>,
    default: Option<&'static str>,
) -> Part {
    let has = |endings: &[&str]| checkout.below(folder).any(|(_, name)| endings.iter().any(|end| name.ends_with(end)));
    let language = if has(&[".c", ".cc", ".cpp", ".cxx"]) {
        Language::C
    } else if has(&[".sh", ".bash", ".bats"]) {
        Language::Shell
    } else {
        Language::Other
    };
    let mut part = Part::new(folder, language, file);
    part.ecosystem = "make";
    if language == Language::C {
        // What `make` builds by itself says more than nothing; in any other language it may be anything.
        part = part.recipe("build", default.map(str::to_owned));
    }
    for target in targets {
        part.recipes.insert(target.recipe, target.command);
    }
    part
}

/// What a folder's task files offer.
struct TaskFile {
    /// The most preferred one.
    file: &'static str,
    targets: Vec<Target>,
    /// Builds everything, where make is used and no target is called build.
    default: Option<&'static str>,
}

/// Reads the folder's task files: what a file of a more preferred program lacks, the next one adds.
fn read(checkout: &Checkout, folder: &str) -> Option<TaskFile> {
    let mut read: Option<TaskFile> = None;
    for Runner { program, files, parse } in RUNNERS {
        let Some(file) = checkout.first(folder, files) else { continue };
        let Some(text) = checkout.read(folder, file) else { continue };
        let tasks = parse(&text);
        let default = match tasks.first.as_deref() {
            Some(first) if program == "make" && first != "all" && tasks.by_name.contains_key("all") => Some("make all"),
            Some(_) if program == "make" => Some("make"),
            _ => None,
        };
        let read = read.get_or_insert(TaskFile { file, targets: Vec::new(), default });
        for recipe in RECIPES {
            if !read.targets.iter().any(|target| target.recipe == recipe) {
                read.targets.extend(tasks.target(program, recipe));
            }
        }
    }
    read
}

impl Tasks {
    fn add(&mut self, name: &str, needs: &str) {
        self.first.get_or_insert_with(|| name.to_owned());
        let task = self.by_name.entry(name.to_owned()).or_default();
        task.needs.extend(needs.split_whitespace().map(str::to_owned));
    }

    fn append(&mut self, names: &[String], line: &str) {
        for name in names {
            if let Some(task) = self.by_name.get_mut(name) {
                task.body.push_str(line.trim());
                task.body.push('\n');
            }
        }
    }

    fn target(&self, program: &'static str, recipe: &'static str) -> Option<Target> {
        let names: &[&str] = if recipe == "test" { &["test", "tests", "check"] } else { &[recipe] };
        let name = names.iter().find(|name| self.by_name.contains_key(**name))?;
        let words = self.words_of(name);
        let does_something =
            self.by_name[*name].body.lines().any(|line| !line.trim_start_matches('@').starts_with("mkdir"))
                || !self.by_name[*name].needs.is_empty();
        let is_out_of_reach =
            [" docker ", " podman ", " docker-compose ", " crafting "].iter().any(|word| words.contains(word));
        (does_something && !is_out_of_reach).then(|| Target {
            recipe,
            program,
            command: format!("{program} {name}"),
            words,
        })
    }

    /// Everything that a task and its prerequisites run.
    fn words_of(&self, name: &str) -> String {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open = vec![name];
        let mut text = String::new();
        while let Some(name) = open.pop() {
            let Some((name, task)) = self.by_name.get_key_value(name) else { continue };
            if seen.insert(name) {
                text.push_str(&task.body);
                open.extend(task.needs.iter().map(String::as_str));
            }
        }
        words(&text)
    }
}

/// The text's words in lower case, each with a blank on both sides, so that `contains(" pip ")` finds a word.
fn words(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut words = String::from(" ");
    for word in text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()) {
        words.push_str(&word.to_ascii_lowercase());
        words.push(' ');
    }
    words
}

fn makefile(text: &str) -> Tasks {
    let mut tasks = Tasks::default();
    let mut current: Vec<String> = Vec::new();
    let mut in_define = false;
    for line in text.replace("\\\n", " ").lines() {
        if line.starts_with("define ") || line == "endef" {
            in_define = line != "endef";
            continue;
        }
        if in_define {
            continue;
        }
        if line.starts_with('\t') {
            tasks.append(&current, line);
            continue;
        }
        let line = line.split('#').next().unwrap_or(line);
        // `a: b` is a rule; `a := b`, `a ::= b` and `a: b = c` (a variable for one target) are none.
        let Some((names, rest)) = line.split_once(':') else { continue };
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        let (needs, inline) = rest.split_once(';').unwrap_or((rest, ""));
        if names.contains('=') || needs.contains('=') || names.starts_with(' ') {
            continue;
        }
        current = names
            .split_whitespace()
            .filter(|name| !name.starts_with('.') && !name.contains(['%', '$', '/']))
            .map(str::to_owned)
            .collect();
        for name in &current {
            tasks.add(name, needs);
        }
        if !inline.trim().is_empty() {
            tasks.append(&current, inline);
        }
    }
    tasks
}

fn justfile(text: &str) -> Tasks {
    let mut tasks = Tasks::default();
    let mut current: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with([' ', '\t']) {
            tasks.append(&current, line);
            continue;
        }
        if let Some((alias, recipe)) = line.strip_prefix("alias ").and_then(|line| line.split_once(":=")) {
            tasks.add(alias.trim(), recipe);
            continue;
        }
        let Some((head, needs)) = line.split_once(':') else { continue };
        if needs.starts_with('=') || head.starts_with(['#', '[']) {
            continue;
        }
        let mut head = head.split_whitespace();
        let Some(name) = head.next().map(|name| name.trim_start_matches('@')) else { continue };
        // A parameter without a default has to be given, which a recipe's name alone does not.
        let is_callable = head.all(|parameter| parameter.contains('=') || parameter.starts_with('*'));
        current.clear();
        if is_callable && !name.is_empty() {
            tasks.add(name, &needs.replace("&&", " "));
            current.push(name.to_owned());
        }
    }
    tasks
}

/// The keys right below `tasks:`, by their indentation.
fn taskfile(text: &str) -> Tasks {
    let mut tasks = Tasks::default();
    let mut current: Vec<String> = Vec::new();
    let mut indentation = None;
    let below = text.lines().skip_while(|line| line.trim_end() != "tasks:").skip(1);
    for line in below.filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
        let depth = line.len() - line.trim_start_matches(' ').len();
        if depth == 0 {
            break;
        }
        if depth > *indentation.get_or_insert(depth) {
            tasks.append(&current, line);
        } else if let Some((name, inline)) = line.trim().split_once(':') {
            let name = name.trim_matches(['"', '\'']).to_owned();
            tasks.add(&name, "");
            current = vec![name];
            tasks.append(&current, inline);
        }
    }
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(tasks: &Tasks) -> Vec<String> {
        RECIPES.iter().filter_map(|recipe| tasks.target("run", recipe)).map(|target| target.command).collect()
    }

    #[test]
    fn only_real_make_targets_count() {
        let text = "test := pytest\n.PHONY: lint\nbuild:\n\tmkdir -p build\naudit: OUT = x\n%.o: %.c\n\tcc $<\n\
                    define test\nlint:\nendef\n# lint: x\ncheck test-all:: all ; ./run\n";
        assert_eq!(targets(&makefile(text)), ["run check"]);
        let text = "all build: a.o \\\n  b.o\n\tcc -o x $^\nlint:\n\t@docker run linter\ntest: build lint-x\n\t./x\n";
        assert_eq!(targets(&makefile(text)), ["run build", "run test"]);
    }

    #[test]
    fn prerequisites_speak_for_a_target() {
        let tasks = makefile("test: venv\n\tpytest\nvenv: test\n\t$(PIP) install x\n");
        assert!(tasks.words_of("test").contains(" pip install "));
    }

    #[test]
    fn just_recipes_that_need_an_argument_do_not_count() {
        let text = "set shell := ['sh']\nalias check := t\n@build target='x': a && b\n  cargo build\n[group: 'x']\nlint PATH:\n  x\nt *args:\n    cargo test\n";
        assert_eq!(targets(&justfile(text)), ["run build", "run check"]);
    }

    #[test]
    fn tasks_are_the_keys_below_tasks() {
        let text = "version: '3'\nvars:\n  lint: x\ntasks:\n  test:\n    desc: 'run: them'\n    cmds:\n      - go test ./...\n  'lint': golint\n";
        assert_eq!(targets(&taskfile(text)), ["run test", "run lint"]);
    }
}
