#!/usr/bin/env bash
# Mutation testing: `bash tests/mutants.sh [--rest] [what cargo mutants takes]`. Needs `cargo install cargo-mutants --locked`.
#
# Without `--rest` each mutant is run against the tests that say most about what is current, with fewer random programs than
# usual. With it those that these tests did not catch are run against all tests. Without `-f` all folders are mutated.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Mutants differ in one function: what is the same is not built anew.
export CARGO_INCREMENTAL=1
export CTX_MODEL_PROGRAMS=${CTX_MODEL_PROGRAMS:-3000}

args=()
if [ "${1:-}" = --rest ]; then
    shift
    args+=(--iterate --config tests/mutants-rest.toml)
fi
if [[ " $* " != *" -f "* && " $* " != *" --file "* ]]; then
    for folder in context layer task field propagation; do
        args+=(-f "ctx-layer/src/$folder/**/*.rs")
    done
fi
exec cargo mutants "${args[@]}" "$@"
