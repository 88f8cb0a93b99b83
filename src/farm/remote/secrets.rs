//! `/projects/{name}/secrets`.

use reqwest::Method;

use super::transport::Transport;
use crate::error::Result;
use crate::farm::wire::{SecretAnswer, SecretsAnswer, SetSecret};
use crate::model::{ProjectName, Secret, SecretName, SecretValue};

fn path<'a>(project: &'a ProjectName, name: &'a SecretName) -> [&'a str; 4] {
    ["projects", project.as_str(), "secrets", name.as_str()]
}

pub(super) async fn list(server: &Transport, project: &ProjectName) -> Result<Vec<Secret>> {
    let answer: SecretsAnswer = server.get(&["projects", project.as_str(), "secrets"], &()).await?;
    Ok(answer.secrets)
}

pub(super) async fn set(
    server: &Transport,
    project: &ProjectName,
    name: &SecretName,
    value: SecretValue,
) -> Result<Secret> {
    let request = server.request(Method::PUT, &path(project, name)).json(&SetSecret { value });
    let answer: SecretAnswer = server.answer(request).await?;
    Ok(answer.secret)
}

pub(super) async fn remove(server: &Transport, project: &ProjectName, name: &SecretName) -> Result<Secret> {
    let answer: SecretAnswer = server.answer(server.request(Method::DELETE, &path(project, name))).await?;
    Ok(answer.secret)
}
