//! Mirrors, snapshots and slots, with real repositories.

mod discovery;
mod farm;
mod mirrors;
mod reading;
mod slots;
mod snapshots;
mod space;
#[path = "../support/mod.rs"]
mod support;
