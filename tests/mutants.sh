#!/usr/bin/env bash
# Mutation testing: `bash tests/mutants.sh [--rest] [arguments of cargo mutants]`. Needs `cargo install cargo-mutants --locked`.
#
# Without `--rest` each mutant is run against the tests `model`, `semantics` and `boundaries`, with fewer random programs than
# usual. With it the mutants that survived are run against all tests. Without `-f` all folders are mutated.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Mutants differ in one function: incremental builds compile only that.
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
