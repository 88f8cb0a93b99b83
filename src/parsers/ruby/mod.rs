//! Ruby.

pub(super) mod bundler_audit;
pub(super) mod minitest;
pub(super) mod rspec;
pub(super) mod rubocop;
