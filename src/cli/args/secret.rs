//! The arguments of `crafting secret …`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::model::{ProjectName, SecretName};

/// `crafting secret …`.
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Set a secret; the value is asked for, or read from stdin or a file
    Set(SetSecretArgs),
    /// List a project's secrets: their names, never their values
    List(ListSecretsArgs),
    /// Remove a secret
    Remove(RemoveSecretArgs),
}

/// `crafting secret set`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting secret set NPM_TOKEN
  crafting secret set NPM_TOKEN --project app < token.txt
  crafting secret set DEPLOY_KEY --from ~/.ssh/deploy_key

One newline at the value's end is dropped. A recipe gets the secret in the variable of its name, once it
declares it in crafting.toml: secrets = [\"NPM_TOKEN\"].")]
pub struct SetSecretArgs {
    /// Its name, which is the variable's
    // Parsed later: clap would repeat what somebody writes as NAME=VALUE.
    pub name: String,
    /// Of this project; without it, the one of this folder
    #[arg(short, long, value_name = "NAME")]
    pub project: Option<ProjectName>,
    /// Read the value from this file; -: from stdin, even on a terminal
    #[arg(long, value_name = "FILE|-")]
    pub from: Option<PathBuf>,
    /// Only there to be refused without being repeated
    #[arg(hide = true, allow_hyphen_values = true)]
    pub value: Vec<OsString>,
}

/// `crafting secret list`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting secret list
  crafting secret list --project app --format json")]
pub struct ListSecretsArgs {
    /// Of this project; without it, the one of this folder
    #[arg(short, long, value_name = "NAME")]
    pub project: Option<ProjectName>,
}

/// `crafting secret remove`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  crafting secret remove NPM_TOKEN
  crafting secret remove NPM_TOKEN --project app")]
pub struct RemoveSecretArgs {
    /// Its name
    pub name: SecretName,
    /// Of this project; without it, the one of this folder
    #[arg(short, long, value_name = "NAME")]
    pub project: Option<ProjectName>,
}
