//! The HTTP door: a request becomes domain types, the farm is asked once as the caller, the answer is rendered.

mod auth;
mod problem;
mod router;
mod routes;
mod serve;

pub use serve::{ServeOptions, serve};
