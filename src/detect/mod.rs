//! Which languages, subprojects and recipes a checkout has.
//!
//! One file per ecosystem, one line each in [`ECOSYSTEMS`]. An ecosystem looks at file names and manifests
//! alone: nothing is run, and what it reads is somebody else's text, so a manifest that cannot be understood
//! is passed over, never an error.

mod cargo;
mod checkout;
mod cmake;
mod dotnet;
mod go;
mod gradle;
mod make;
mod maven;
mod node;
mod part;
mod php;
mod python;
mod render;
mod ruby;
mod shell;
mod swift;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::model::{SubPath, Subproject};
use checkout::Checkout;
use part::Part;
pub use render::render;

/// What detection may look at: the files of a checkout, tracked or untracked but not ignored, relative to the
/// project's root with `/` between folders.
pub trait Tree {
    /// Every file's path.
    fn files(&self) -> &[String];
    /// The text of a file; none if it is unreadable, larger than 1 MiB or not text.
    fn read(&self, path: &str) -> Option<String>;
    /// Whether the file may be executed.
    fn is_executable(&self, path: &str) -> bool;
}

/// One detected subproject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The subproject with its recipes.
    pub subproject: Subproject,
    /// What gave it away, in one short phrase for a person: `Cargo.toml (workspace of 12 crates)`.
    pub evidence: String,
}

/// The parts that one ecosystem sees, given those that the ecosystems before it saw.
type Detector = fn(&Checkout, &[Part]) -> Vec<Part>;

/// Every ecosystem with the name that tells two apart in one folder. The first one in a folder is called by
/// its path alone, so the order says which language a mixed folder is foremost.
const ECOSYSTEMS: [(&str, Detector); 12] = [
    ("rust", cargo::detect),
    ("go", go::detect),
    ("jvm", maven::detect),
    ("gradle", gradle::detect),
    ("swift", swift::detect),
    ("dotnet", dotnet::detect),
    ("python", python::detect),
    ("ruby", ruby::detect),
    ("php", php::detect),
    ("node", node::detect),
    ("cmake", cmake::detect),
    ("shell", shell::detect),
];

/// The subprojects of a checkout: the root first, then by path. The same files always give the same answer.
pub fn detect(tree: &dyn Tree) -> Vec<Found> {
    let checkout = Checkout::new(tree);
    let mut parts: Vec<Part> = Vec::new();
    for (name, detector) in ECOSYSTEMS {
        let mut seen = detector(&checkout, &parts);
        seen.iter_mut().for_each(|part| part.ecosystem = name);
        parts.append(&mut seen);
    }
    make::apply(&checkout, &mut parts);
    parts.retain(Part::is_worth_a_subproject);
    // Stable: within a folder the order of the table above stays.
    parts.sort_by(|a, b| a.folder.cmp(&b.folder));
    name_parts(parts)
}

/// Gives every part a name that no other has: its path, or, for the second in a folder, the path and the
/// ecosystem.
fn name_parts(parts: Vec<Part>) -> Vec<Found> {
    let mut taken: BTreeSet<String> = parts.iter().map(|part| part.path()).collect();
    let mut previous: Option<String> = None;
    let mut found = Vec::new();
    for part in parts {
        let name = if previous.as_ref() == Some(&part.folder) {
            let wanted = checkout::join(&part.folder, part.ecosystem);
            let numbered = (2..).map(|n| format!("{wanted}-{n}"));
            std::iter::once(wanted.clone()).chain(numbered).find(|name| taken.insert(name.clone())).unwrap_or(wanted)
        } else {
            part.path()
        };
        previous = Some(part.folder.clone());
        // A folder that no subproject may lie in (a backslash, a leading dash) is passed over.
        let Ok(name) = name.parse::<SubPath>() else { continue };
        found.extend(part.into_found(name));
    }
    found
}
