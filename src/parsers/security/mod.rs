//! Scanners of any language, and what all audits share.

pub(super) mod advisory;
pub(super) mod cvss;
pub(super) mod grype;
pub(super) mod osv_scanner;
pub(super) mod osv_table;
pub(super) mod scanner;
pub(super) mod semgrep;
pub(super) mod trivy;
pub(super) mod trivy_table;
