//! crafting: a build farm in one binary. The map of the library, one line per room.

pub mod changes;
pub mod cli;
pub mod config;
pub mod detect;
pub mod error;
pub mod farm;
pub mod findings;
pub mod http;
pub mod ledger;
pub mod model;
pub mod parsers;
pub mod runner;
pub mod runtime;
pub mod secrets;
pub mod workspace;
