#!/usr/bin/env bash
# Installs chdb, which is ClickHouse in a package, from PyPI, and compares the verdict of its SQL with that of ctx-check.
# `bash tests/services/clickhouse.sh [folder]`; the folder defaults to target/services. Fails if chdb cannot be installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
into=${1:-target/services}
mkdir -p "$into"

if [ ! -x "$into/chdb/bin/python" ]; then
    command -v python3 >/dev/null || { echo "FAILED: there is no python3" >&2; exit 1; }
    python3 -m venv "$into/chdb"
fi
"$into/chdb/bin/python" -c 'import chdb' 2>/dev/null ||
    "$into/chdb/bin/python" -m pip install --quiet --disable-pip-version-check "chdb==4.4.0"
cargo build --quiet -p ctx-check --bin ctx-check
"$into/chdb/bin/python" ctx-check/tests/sql.py "${CARGO_TARGET_DIR:-target}/debug/ctx-check"
