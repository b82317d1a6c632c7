#!/usr/bin/env bash
# Measures what a program pays for adopting `ctx-layer`: `bash benches/adoption.sh`. Prints, for a program that logs with `tracing`,
# `tracing-subscriber` and `tracing-opentelemetry`, alone and with `ctx-layer`: its crates, the CPU time (user and system, of all
# processes) of a cold `cargo build`, and the size of the stripped release binary. With `--crates` it also prints the CPU time of each
# crate that a row adds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
work=$root/target/adoption
mkdir -p "$work"
unset CARGO_TARGET_DIR CARGO_INCREMENTAL CARGO_BUILD_RUSTC_WRAPPER

ours="ctx-layer = { path = \"$root/ctx-layer\""
fields='use ctx_layer::{field::well_known::TENANT_ID, prelude::*};'
known='.with_context_fields(Schema::well_known())'
span='TENANT_ID.in_scope("acme", || tracing::info_span!("request"))'
# name, title, features of tracing-subscriber, dependency, imports, output, last layer, span
rows=(
    "alone~without ctx-layer~\"json\"~~~tracing_subscriber::fmt::layer().json()~~tracing::info_span!(\"request\", tenant_id = \"acme\")"
    "least~ctx-layer, no default features~\"json\"~$ours, default-features = false }~$fields~tracing_subscriber::fmt::layer().json()~$known~$span"
    "default~ctx-layer, default features~\"json\"~$ours }~$fields~tracing_subscriber::fmt::layer().json()~$known~$span"
    "lines~the same, \`output::json\` in place of \`fmt().json()\`~~$ours }~$fields~ctx_layer::output::json::layer()~$known~$span"
)

# Writes the CPU time of each crate to the file that CPU_LOG names.
cat >"$work/rustc.sh" <<'WRAPPER'
#!/usr/bin/env bash
name=-
for ((at = 1; at <= $#; at++)); do
    if [ "${!at}" = --crate-name ]; then at=$((at + 1)) name=${!at}; fi
done
TIMEFORMAT="$name %U %S"
{ time "$@" 2>&3; } 3>&2 2>>"$CPU_LOG"
WRAPPER
chmod +x "$work/rustc.sh"

printf '| program | crates | cold build, CPU s | binary, KB |\n|---|--:|--:|--:|\n'
for row in "${rows[@]}"; do
    IFS='~' read -r name title json dependency imports output last span <<<"$row"
    crate=$work/$name
    mkdir -p "$crate/src"
    cat >"$crate/Cargo.toml" <<TOML
[package]
name = "$name"
version = "0.1.0"
edition = "2024"

[dependencies]
$dependency
tracing = "0.1"
tracing-opentelemetry = { version = "0.34", default-features = false }
tracing-subscriber = { version = "0.3", features = [$json] }

[profile.release]
strip = true

[workspace]
TOML
    cat >"$crate/src/main.rs" <<RUST
$imports
use tracing_subscriber::prelude::*;

fn main() {
    tracing_subscriber::registry().with(tracing_opentelemetry::layer()).with($output)$last.init();
    let span = $span;
    let _request = span.entered();
    tracing::info!(rows = 3, "stored");
}
RUST
    cd "$crate"
    cp "$root/Cargo.lock" .
    cargo fetch --quiet
    crates=$(cargo tree --edges normal,build --prefix none | cut -d' ' -f1,2 | sort -u | wc -l)
    rm -rf target
    TIMEFORMAT='%U %S'
    cpu=$({ time RUSTC_WRAPPER=$work/rustc.sh CPU_LOG=$work/$name.cpu.new cargo build --quiet >/dev/null; } 2>&1 | tail -n 1)
    mv "$work/$name.cpu.new" "$work/$name.cpu"
    CARGO_TARGET_DIR=$work/release cargo build --quiet --release
    awk -v title="$title" -v crates=$((crates - 1)) -v cpu="$cpu" -v bytes="$(stat -c %s "$work/release/release/$name")" 'BEGIN {
        split(cpu, part, " ")
        printf "| %s | %d | %.1f | %d |\n", title, crates, part[1] + part[2], bytes / 1000
    }'
done

if [ "${1:-}" = --crates ]; then
    for row in "${rows[@]:1}"; do
        name=${row%%~*}
        printf '\n%s adds, CPU s by crate:\n' "$name"
        awk 'NR == FNR { without[$1] += $2 + $3; next } { with[$1] += $2 + $3 }
            END { for (crate in with) { more = with[crate] - without[crate]; if (more > 0.15 || more < -0.15) printf "%6.2f %s\n", more, crate } }' \
            "$work/alone.cpu" "$work/$name.cpu" | sort -rn
    done
fi
