//! PHP.

pub(super) mod composer_audit;
pub(super) mod lint;
pub(super) mod phpcs;
pub(super) mod phpstan;
pub(super) mod phpunit;
pub(super) mod psalm;
