//! What travels between [`super::RemoteFarm`] and the server: requests and answers around the model's own types.
//!
//! Both ends read and write these very types, so they cannot drift apart; the OpenAPI document is made of them.

mod events;
mod problem;
mod projects;
mod uploads;

pub use events::{EventsAnswer, EventsQuery};
pub use problem::{FieldError, Problem};
pub use projects::{
    AddProject, ProjectAnswer, ProjectsAnswer, ProjectsQuery, RegisteredAnswer, RemovedAnswer, UpdateProject,
};
pub use uploads::{CheckoutAnswer, CheckoutForm, CommitList, KnownAnswer, KnownForm, PackAnswer, PackQuery};
