//! Java and Kotlin.

pub(super) mod gradle;
pub(super) mod javac;
pub(super) mod jvm;
pub(super) mod maven;
