//! `crafting project add`.

use std::path::Path;

use super::super::args::AddArgs;
use super::super::ui::Ui;
use super::{registration, show};
use crate::error::{Code, Error, Result};
use crate::farm::{Farm, NewProject, ProjectSource, ProjectText, Registered};
use crate::model::{GitUrl, SubPath};

/// Registers a project.
pub async fn run(ui: &Ui, farm: &dyn Farm, args: AddArgs) -> Result<u8> {
    let source = source(&args.source)?;
    let file = args.file.as_deref().map(ProjectText::read).transpose()?;
    let new = NewProject { source, name: args.name, default_branch: args.branch, file };
    let registered = ui.waiting("looking at the repository", farm.add_project(new)).await?;
    answer(ui, &registered)
}

/// What was registered, and what it has.
pub fn answer(ui: &Ui, registered: &Registered) -> Result<u8> {
    if ui.is_json() {
        ui.json(registered)?;
        return Ok(0);
    }
    ui.note(&registration(registered));
    ui.print(&show::recipes(&registered.project, &registered.evidence, ui.look()))?;
    Ok(0)
}

/// A folder that is there is a folder; else what reads as an address is one.
fn source(text: &str) -> Result<ProjectSource> {
    let path = Path::new(text);
    if path.is_dir() {
        return Ok(ProjectSource::Folder(path.to_owned()));
    }
    match text.parse::<GitUrl>() {
        Ok(url) if url.local_path().is_none() || text.starts_with("file:") => {
            Ok(ProjectSource::Url { url, root: SubPath::root() })
        }
        Err(error) if text.contains("://") => Err(error),
        _ if path.exists() => Err(Error::invalid(format!("{text} is not a folder"))
            .hint("give a folder in a checkout, or a repository's address")),
        _ => Err(Error::new(Code::NotFound, format!("there is no folder {text}"))
            .hint("give a folder in a checkout, or an address such as https://host/owner/repo.git")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_wins_over_an_address() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().to_str().unwrap();
        assert!(matches!(source(folder), Ok(ProjectSource::Folder(_))));
        assert!(matches!(source("."), Ok(ProjectSource::Folder(_))));
        for url in ["https://h/o/r.git", "git@h:o/r.git", &format!("file://{folder}")] {
            assert!(matches!(source(url), Ok(ProjectSource::Url { .. })), "{url}");
        }
        let code = |text: &str| source(text).unwrap_err().code();
        assert_eq!(code("./nowhere"), Code::NotFound);
        assert_eq!(code(&format!("{folder}/nowhere")), Code::NotFound);
        assert_eq!(code("ftp://h/r"), Code::InvalidInput);
        std::fs::write(dir.path().join("f"), "").unwrap();
        assert_eq!(code(&format!("{folder}/f")), Code::InvalidInput);
    }
}
