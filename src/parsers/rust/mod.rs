//! Rust: cargo and what it runs.

pub(super) mod cargo_audit;
pub(super) mod cargo_deny;
pub(super) mod cargo_json;
pub(super) mod cargo_test;
pub(super) mod nextest;
pub(super) mod rust_output;
pub(super) mod rust_panic;
pub(super) mod rustc;
pub(super) mod rustc_names;
pub(super) mod rustfmt;
