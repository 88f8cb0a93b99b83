//! Go.

pub(super) mod go_mod;
pub(super) mod go_names;
pub(super) mod go_package;
pub(super) mod go_panic;
pub(super) mod go_race;
pub(super) mod go_said;
pub(super) mod go_summary;
pub(super) mod go_test;
pub(super) mod go_test_json;
pub(super) mod go_vet;
pub(super) mod gofmt;
pub(super) mod golangci;
pub(super) mod govulncheck;
pub(super) mod govulncheck_text;
pub(super) mod staticcheck;
