//! C, C++ and Swift, and the form of GNU that many more tools print.

pub(super) mod catch2;
pub(super) mod cmake;
pub(super) mod cppcheck;
pub(super) mod ctest;
pub(super) mod edg;
pub(super) mod gnu;
pub(super) mod googletest;
mod ld;
pub(super) mod sanitizer;
pub(super) mod swift;
