//! What the black-box tests share.

#![allow(dead_code, unused_imports)] // Each test file uses its own part.

pub mod command;
mod farm;
mod repo;
mod server;

pub use farm::{Crafting, DEADLINE, Farm, Ran, Running, processes, wait_until, which};
pub use repo::{Repo, fingerprint, git, recipe_file};
pub use server::{Answer, Machine, Reply, Request, Server};
