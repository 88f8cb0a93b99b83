//! JavaScript and TypeScript.

pub(super) mod biome;
pub(super) mod bun_test;
pub(super) mod deno;
pub(super) mod esbuild;
pub(super) mod eslint;
pub(super) mod eslint_stylish;
pub(super) mod jest;
pub(super) mod js_stack;
pub(super) mod markdownlint;
pub(super) mod mocha;
pub(super) mod node_test;
pub(super) mod npm_audit;
pub(super) mod npm_audit_text;
pub(super) mod oxlint;
pub(super) mod playwright;
pub(super) mod prettier;
pub(super) mod react_scripts;
pub(super) mod stylelint;
pub(super) mod tsc;
pub(super) mod vite;
pub(super) mod vitest;
pub(super) mod webpack;
