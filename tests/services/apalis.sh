#!/usr/bin/env bash
# Runs the tests of apalis' jobs, which are in SQLite and need no server: `bash tests/services/apalis.sh`. They are a workspace of their
# own, which tests/apalis/Cargo.toml explains.
source "$(dirname "${BASH_SOURCE[0]}")/broker"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
cargo test --locked --manifest-path tests/apalis/Cargo.toml --test apalis -- --nocapture
