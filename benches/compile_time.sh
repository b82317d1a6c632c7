#!/usr/bin/env bash
# Measures the compile time of a crate of 300 annotated functions, compared with `#[tracing::instrument]`:
# `bash benches/compile_time.sh [runs]`. Prints the best run of `cargo check` and of `cargo build`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
runs=${1:-3}
root=$PWD
work=$root/target/compile_time
mkdir -p "$work"

# name, attribute, import
crates=(
    "no_attribute||"
    "instrument|#[instrument]|use tracing::instrument;"
    "instrument_err|#[instrument(err)]|use tracing::instrument;"
    "ours_without_events|#[with_observability(attributes_from_args = all, log_args = false, log_result = false, log_errors = false)]|use ctx_layer::with_observability;"
    "ours|#[with_observability(attributes_from_args = all)]|use ctx_layer::with_observability;"
)

members=()
for crate in "${crates[@]}"; do
    IFS='|' read -r name attribute import <<<"$crate"
    members+=("\"$name\"")
    mkdir -p "$work/$name/src"
    cat >"$work/$name/Cargo.toml" <<TOML
[package]
name = "$name"
version = "0.1.0"
edition = "2024"

[dependencies]
ctx-layer = { path = "$root/ctx-layer" }
tracing = { version = "0.1.44", features = ["attributes"] }
TOML
    {
        echo "#![allow(dead_code)]"
        echo "$import"
        echo "type Parsed = Result<u64, std::num::ParseIntError>;"
        for ((at = 0; at < 150; at++)); do
            echo "$attribute"
            echo "pub fn call_$at(id: u64, name: &str) -> Parsed { let parsed: u64 = name.parse()?; Ok(parsed + id) }"
            echo "$attribute"
            echo "pub async fn later_$at(id: u64, name: String) -> Parsed { let parsed: u64 = name.parse()?; Ok(parsed + id) }"
        done
        # Only polled futures are compiled to the end.
        echo "pub fn poll_all(task: &mut std::task::Context<'_>) {"
        for ((at = 0; at < 150; at++)); do
            echo "    let _ = std::pin::pin!(later_$at(1, String::new())).as_mut().poll(task);"
        done
        echo "}"
    } >"$work/$name/src/lib.rs"
done
cat >"$work/Cargo.toml" <<TOML
[workspace]
resolver = "3"
members = [$(IFS=,; echo "${members[*]}")]

[profile.dev]
debug = "line-tables-only"
incremental = false
TOML

cd "$work"
cp "$root/Cargo.lock" .
export CARGO_TARGET_DIR=$work/target
cargo build --quiet
cargo check --quiet
for verb in check build; do
    for ((run = 0; run < runs; run++)); do
        for crate in "${crates[@]}"; do
            name=${crate%%|*}
            touch "$name/src/lib.rs"
            begun=$(date +%s%N)
            cargo "$verb" --quiet -p "$name"
            echo "$verb $name $((($(date +%s%N) - begun) / 1000000))"
        done
    done
done | awk '
    { key = $1 " " $2; if (!(key in best) || $3 < best[key]) best[key] = $3; if (!(key in seen)) { seen[key] = 1; order[++n] = key } }
    END {
        for (i = 1; i <= n; i++) {
            split(order[i], part, " ")
            printf "%-6s %-20s %6d ms  x%.2f\n", part[1], part[2], best[order[i]], best[order[i]] / best[part[1] " instrument"]
        }
    }'
