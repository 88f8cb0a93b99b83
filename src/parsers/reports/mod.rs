//! Formats that many tools write: SARIF, JUnit XML and others.

pub(super) mod checkstyle;
pub(super) mod code_quality;
pub(super) mod exported;
pub(super) mod junit;
pub(super) mod junit_lint;
pub(super) mod junit_test;
pub(super) mod rdjson;
pub(super) mod sarif;
pub(super) mod sarif_result;
pub(super) mod sarif_rules;
pub(super) mod tap;
pub(super) mod workflow;
pub(super) mod xml;
pub(super) mod xml_report;
