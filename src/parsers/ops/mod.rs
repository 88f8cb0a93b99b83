//! Shell scripts, Dockerfiles and YAML.

pub(super) mod docker;
pub(super) mod hadolint;
pub(super) mod shellcheck;
pub(super) mod yaml_lint;
