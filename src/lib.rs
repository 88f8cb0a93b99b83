//! A build farm in one library: what the doors (command line, HTTP, MCP) share.

pub mod error;
pub mod model;
