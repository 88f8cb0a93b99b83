//! .NET.

pub(super) mod dotnet_packages;
pub(super) mod dotnet_test;
pub(super) mod msbuild;
