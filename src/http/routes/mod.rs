//! The routes, a file per resource: each is arguments to domain types, one question to the farm, one answer.

pub(super) mod audit;
pub(super) mod description;
pub(super) mod events;
pub(super) mod findings;
pub(super) mod health;
pub(super) mod jobs;
pub(super) mod log;
pub(super) mod projects;
pub(super) mod secrets;
pub(super) mod suppressions;
pub(super) mod tokens;
pub(super) mod uploads;
