//! Java and Kotlin.

pub(super) mod gradle;
pub(super) mod javac;
pub(super) mod maven;
pub(super) mod stack;
