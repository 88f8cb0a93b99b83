//! What travels between [`super::RemoteFarm`] and the server: requests and answers around the model's own types.
//!
//! Both ends read and write these very types, so they cannot drift apart; the OpenAPI document is made of them.

mod problem;
mod projects;
mod secrets;

pub use problem::{FieldError, Problem};
pub use projects::{ProjectAnswer, ProjectsAnswer};
pub use secrets::{SecretAnswer, SecretsAnswer, SetSecret};
