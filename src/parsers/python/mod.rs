//! Python.

pub(super) mod bandit;
pub(super) mod black;
pub(super) mod coverage;
pub(super) mod isort;
pub(super) mod mypy;
pub(super) mod pip_audit;
pub(super) mod pydocstyle;
pub(super) mod pylint;
pub(super) mod pyright;
pub(super) mod pytest;
pub(super) mod pytest_fatal;
pub(super) mod pytest_text;
pub(super) mod python_syntax;
pub(super) mod ruff;
pub(super) mod ruff_ci;
pub(super) mod safety;
pub(super) mod unittest;
