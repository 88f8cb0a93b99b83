//! `/projects` and `/checkouts`, asked of a server.

use std::path::Path;

use reqwest::Method;

use super::blocking;
use super::transport::Transport;
use crate::error::Result;
use crate::farm::checkout::form_of;
use crate::farm::wire::{
    AddProject, CheckoutAnswer, ProjectAnswer, ProjectsAnswer, ProjectsQuery, RegisteredAnswer, RemovedAnswer,
    UpdateProject,
};
use crate::farm::{NewProject, ProjectChange, ProjectSource, Registered, Removed};
use crate::model::{Project, ProjectName};
use crate::workspace::Checkout;

pub(super) async fn add(server: &Transport, new: NewProject) -> Result<Registered> {
    let NewProject { source, name, default_branch, file } = new;
    match source {
        ProjectSource::Url { url, root } => {
            let (project_file, project_file_name) = file.map(|file| (file.text, file.origin)).unzip();
            let body = AddProject { git_url: url, root, name, default_branch, project_file, project_file_name };
            let answer: RegisteredAnswer =
                server.answer(server.request(Method::POST, &["projects"]).json(&body)).await?;
            Ok(answer.registered)
        }
        ProjectSource::Folder(folder) => {
            let mut form = blocking(move || form_of(&Checkout::discover(&folder)?)).await?;
            if let Some(file) = file {
                (form.text, form.project_file, form.evidence) = (file.text, Some(file.origin), Vec::new());
            }
            (form.name, form.default_branch, form.only_new) = (name, default_branch, true);
            let answer: CheckoutAnswer = server.answer(server.request(Method::PUT, &["checkouts"]).json(&form)).await?;
            Ok(answer.registered)
        }
    }
}

pub(super) async fn list(server: &Transport) -> Result<Vec<Project>> {
    let answer: ProjectsAnswer = server.get(&["projects"], &()).await?;
    Ok(answer.projects)
}

pub(super) async fn show(server: &Transport, name: &ProjectName) -> Result<Project> {
    let answer: ProjectAnswer = server.get(&["projects", name.as_str()], &()).await?;
    Ok(answer.project)
}

/// The project of a checkout on this machine, as the server knows it.
pub(super) async fn of_folder(server: &Transport, folder: &Path) -> Result<Option<Project>> {
    let folder = folder.to_owned();
    let place = blocking(move || {
        let Ok(here) = Checkout::discover(&folder) else { return Ok(None) };
        Ok(here.place().ok().map(|place| (place, here.root().clone())))
    });
    let Some((git_url, root)) = place.await? else { return Ok(None) };
    let query = ProjectsQuery { git_url: Some(git_url), root: Some(root) };
    let answer: ProjectsAnswer = server.get(&["projects"], &query).await?;
    // The one registered first, as everywhere.
    Ok(answer.projects.into_iter().min_by_key(|project| project.created_at))
}

pub(super) async fn update(server: &Transport, name: &ProjectName, change: ProjectChange) -> Result<Registered> {
    let request = server.request(Method::PUT, &["projects", name.as_str()]).json(&UpdateProject::from(change));
    let answer: RegisteredAnswer = server.answer(request).await?;
    Ok(answer.registered)
}

pub(super) async fn remove(server: &Transport, name: &ProjectName) -> Result<Removed> {
    let answer: RemovedAnswer = server.answer(server.request(Method::DELETE, &["projects", name.as_str()])).await?;
    Ok(answer.removed)
}
