//! The HTTP door: a request becomes domain types, the farm is asked once as the caller, the answer is rendered.

mod access;
mod address;
mod auth;
mod connections;
mod extract;
mod idempotency;
mod kept_answers;
mod known;
mod limits;
mod metrics;
mod openapi;
mod page;
mod problem;
mod range;
mod request_id;
mod router;
mod routes;
mod serve;

pub use serve::{ServeOptions, serve};
