//! The HTTP door: a request becomes domain types, the farm is asked once as the caller, the answer is rendered.

mod address;
mod auth;
mod extract;
mod idempotency;
mod known;
mod problem;
mod request_id;
mod router;
mod routes;
mod serve;

pub use serve::{ServeOptions, serve};
