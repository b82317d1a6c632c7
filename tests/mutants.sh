#!/usr/bin/env bash
# Mutation testing: `bash tests/mutants.sh [--rest] [what cargo mutants takes]`. Needs `cargo install cargo-mutants --locked`.
#
# Without `--rest` each mutant is run against the tests that say most about what is current, with fewer random programs than
# usual. With it those that these tests did not catch are run against all tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Mutants of one build differ in a few functions.
export CARGO_INCREMENTAL=1
export CTX_MODEL_PROGRAMS=${CTX_MODEL_PROGRAMS:-3000}

if [ "${1:-}" = --rest ]; then
    shift
    exec cargo mutants --iterate --config tests/mutants-rest.toml "$@"
fi
exec cargo mutants "$@"
