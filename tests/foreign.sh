#!/usr/bin/env bash
# Runs the tests of `tracing`, `tracing-attributes`, `tracing-subscriber` and `tracing-opentelemetry` with every subscriber
# wrapped by ours, and `#[instrument]` made of `#[with_observability]`: `bash tests/foreign.sh folder [suites]`.
#
# The folder has checkouts, which stay as they are: `tracing` (https://github.com/tokio-rs/tracing) and, if the sources of
# `tracing-opentelemetry` are not in cargo's registry, `tracing-opentelemetry`
# (https://github.com/tokio-rs/tracing-opentelemetry). Their versions have to be those of our Cargo.lock: commit 54ede4d5 of
# `tracing` has tracing 0.1.44, tracing-core 0.1.36, tracing-attributes 0.1.31 and tracing-subscriber 0.3.23.
#
# Suites: `tracing`, `attributes`, `subscriber`, `opentelemetry`; all, unless some are given. What is changed, in a copy:
# - `Dispatch::new` in `tracing-core` wraps the subscriber (`foreign/hook.rs`), so no test can leave it out; a crate that is
#   linked with each test (`foreign/wrap.rs`) says in what.
# - `#[instrument]` of the tests of `tracing-attributes` is `foreign/instrument.rs`. Two of them allow the message and the time that
#   our events have. The two of the compiler's messages (`ui`) are left out: ours are in `tests/ui`.
# - Benchmarks, with their dependencies.
set -euo pipefail
[ $# -ge 1 ] && [ -d "$1/tracing/tracing-core" ] || {
    echo "usage: bash ${BASH_SOURCE[0]} folder-of-checkouts [tracing] [attributes] [subscriber] [opentelemetry]" >&2
    exit 2
}
checkouts=$(cd "$1" && pwd)
shift
suites=${*:-tracing attributes subscriber opentelemetry}
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$project/target}
work=$target/foreign
rm -rf "$work/copy"
mkdir -p "$work/copy"
cd "$work/copy"

# Copies what git knows.
taken() {
    mkdir -p "$2"
    (cd "$1" && git ls-files -z "${@:3}" | xargs -0 tar cf -) | tar xf - -C "$2"
}
crates="tracing tracing-core tracing-attributes tracing-futures tracing-log tracing-serde tracing-subscriber"
taken "$checkouts/tracing" . $crates tracing-error tracing-mock tracing-test
if [ -d "$checkouts/tracing-opentelemetry" ]; then
    taken "$checkouts/tracing-opentelemetry" tracing-opentelemetry
else
    cargo fetch --quiet --manifest-path "$project/Cargo.toml"
    version=$(grep -A1 '^name = "tracing-opentelemetry"$' "$project/Cargo.lock" | sed -n 's/^version = "\(.*\)"/\1/p')
    cp -r "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"tracing-opentelemetry-$version" tracing-opentelemetry
    cp tracing-opentelemetry/Cargo.toml.orig tracing-opentelemetry/Cargo.toml
fi

# The versions that the library is built with.
for crate in $crates tracing-error tracing-opentelemetry; do
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$crate/Cargo.toml" | head -1)
    grep -A1 "^name = \"$crate\"$" "$project/Cargo.lock" | grep -q "^version = " || continue
    grep -A1 "^name = \"$crate\"$" "$project/Cargo.lock" | grep -qx "version = \"$version\"" || {
        echo "$crate is $version in the checkout, and another version in Cargo.lock: check out the commit that released that" >&2
        exit 1
    }
done

# The hook.
cp "$project/tests/foreign/hook.rs" tracing-core/src/foreign.rs
echo "#[doc(hidden)] pub mod foreign;" >>tracing-core/src/lib.rs
sed -i 's/Kind::Scoped(Arc::new(subscriber))/Kind::Scoped(crate::foreign::wrapped(subscriber))/' tracing-core/src/dispatcher.rs
# A box of a subscriber does not pass this method on; all tests are to get it.
sed -i '/^impl<S> Subscriber for Box<S>$/,/^{$/ s/^{$/{ fn on_register_dispatch(\&self, dispatch: \&crate::Dispatch) { self.as_ref().on_register_dispatch(dispatch) }/' \
    tracing-core/src/subscriber.rs
grep -q 'foreign::wrapped' tracing-core/src/dispatcher.rs && grep -q 'as_ref().on_register_dispatch' tracing-core/src/subscriber.rs || {
    echo "tracing-core has changed: see tests/foreign/hook.rs" >&2
    exit 1
}

# The two crates.
mkdir -p wrap/src instrument/src
cp "$project/tests/foreign/wrap.rs" wrap/src/lib.rs
cp "$project/tests/foreign/instrument.rs" instrument/src/lib.rs
cat >wrap/Cargo.toml <<TOML
[package]
name = "ctx-foreign"
version = "0.0.0"
edition = "2024"
[dependencies]
ctor = "0.2"
ctx-layer = { path = "$project/ctx-layer", default-features = false, features = ["tracing-opentelemetry"] }
tracing-core = { path = "../tracing-core" }
TOML
cat >instrument/Cargo.toml <<TOML
[package]
name = "ctx-foreign-instrument"
version = "0.0.0"
edition = "2024"
[lib]
proc-macro = true
TOML
{
    echo '[workspace]'
    echo 'resolver = "2"'
    echo 'members = ["tracing", "tracing-attributes", "tracing-subscriber", "tracing-opentelemetry"]'
    echo '[workspace.lints.rust]'
    echo 'unexpected_cfgs = "allow"'
    echo '[profile.dev]'
    echo 'debug = false'
    echo '[patch.crates-io]'
    for crate in $crates tracing-error tracing-opentelemetry; do echo "$crate = { path = \"$crate\" }"; done
} >Cargo.toml
cp "$project/Cargo.lock" Cargo.lock

# Every test is linked with the first, and so is the library where it tests itself.
linked() {
    cargo add --quiet --dev --manifest-path "$1/Cargo.toml" --path wrap
    local file
    for file in "$1"/tests/*.rs "$1"/tests/*/main.rs; do
        [ ! -f "$file" ] || grep -q '^#!\[cfg(test)\]' "$file" || echo 'extern crate ctx_foreign as _;' >>"$file"
    done
}
# Only benchmarks and documentation use what is removed.
without() {
    cargo remove --quiet --dev --manifest-path "$@" 2>/dev/null || true
}
for crate in tracing tracing-attributes tracing-subscriber tracing-opentelemetry; do
    sed -i '/^\[\[bench\]\]/,/^$/d' "$crate/Cargo.toml"
done
for crate in tracing tracing-subscriber tracing-opentelemetry; do
    without "$crate/Cargo.toml" criterion
done
without tracing-opentelemetry/Cargo.toml opentelemetry-otlp opentelemetry-semantic-conventions
without tracing-opentelemetry/Cargo.toml --target 'cfg(not(target_os = "windows"))' pprof
for crate in tracing tracing-attributes tracing-subscriber tracing-opentelemetry; do
    linked "$crate"
done
echo '#[cfg(test)] extern crate ctx_foreign as _;' >>tracing-opentelemetry/src/lib.rs

# `#[instrument]` of these tests is ours.
cargo add --quiet --dev --manifest-path tracing-attributes/Cargo.toml --path instrument
cargo add --quiet --dev --manifest-path tracing-attributes/Cargo.toml --path "$project/ctx-layer" --no-default-features
sed -i 's/use tracing_attributes::instrument;/use ctx_foreign_instrument::instrument;/' tracing-attributes/tests/*.rs
rm tracing-attributes/tests/ui.rs
# Its events have a message and the time, too, as documented.
sed -i 's/^\( *\)\.only(),$/\1,/' tracing-attributes/tests/ret.rs
failed=0
runs() {
    echo "==> $suite"
    local out=$work/$suite.txt
    cargo test --target-dir "$work/target" --no-fail-fast "$@" >"$out" 2>&1 || failed=1
    grep -E '^(test .* FAILED|error|thread .* panicked)' "$out" || true
    awk '/^test result/ { passed += $4; failed += $6 } END { print passed+0 " passed, " failed+0 " failed" }' "$out"
    # The library's own tests, and those of `tests`.
    awk '/Running unittests/ { unit = 1 } /Running tests/ { unit = 0 } /^test result/ && unit { own += $4 }
        END { if (own) print own " of them are the library'"'"'s unit tests" }' "$out"
}
for suite in $suites; do
    case $suite in
        tracing) runs -p tracing --test '*' ;;
        attributes) runs -p tracing-attributes --test '*' ;;
        # Its unit tests need no subscriber that is installed.
        subscriber) runs -p tracing-subscriber --features env-filter,json --test '*' ;;
        opentelemetry) runs -p tracing-opentelemetry --lib --test '*' ;;
        *) echo "no suite $suite" >&2; exit 2 ;;
    esac
done
exit "$failed"
