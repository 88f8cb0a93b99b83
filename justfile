# Everything a contributor runs. `just` alone lists it.

_default:
    @just --list --unsorted

# Build the binary, optimised
[group('work')]
build:
    cargo build --release

# Run every test; `just test NAME` runs those whose name holds NAME
[group('work')]
test *NAME:
    cargo test {{ NAME }}

# Run the tests that need go, or 1 GiB of room, too
[group('work')]
test-all:
    cargo test -- --include-ignored

# Check formatting and lints as the build does
[group('work')]
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

# Measure, each figure beside its peer in the same run; see benches/README.md
[group('measure')]
bench *ONLY:
    cargo bench --bench farm -- {{ ONLY }}

# The main job on the example project
[group('show')]
demo:
    cargo run --release -- -C examples/hello-polyglot job run test lint

# Write completions/ anew
[group('generated')]
completions:
    cargo build
    target/debug/crafting completions bash > completions/crafting.bash
    target/debug/crafting completions zsh > completions/_crafting
    target/debug/crafting completions fish > completions/crafting.fish
