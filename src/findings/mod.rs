//! From what parsers read to findings: places relative to the project, public names, and what of it is new.

mod assemble;
pub mod context;
pub mod export;
mod fingerprint;
mod foreign;
pub mod ignoring;
pub mod novelty;
pub mod paths;

pub use assemble::{finding, finding_without_job};
pub use fingerprint::fingerprint;
