#!/usr/bin/env bash
# Installs rotel, an OTLP receiver in Rust, from PyPI, and runs the tests that export to it over gRPC and HTTP.
# `bash tests/services/otlp.sh [folder]`; the folder defaults to target/services. Fails if rotel cannot be installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
into=${1:-target/services}
mkdir -p "$into"

if [ ! -x "$into/rotel-agent" ]; then
    command -v python3 >/dev/null || { echo "FAILED: there is no python3" >&2; exit 1; }
    # The binary is in the wheel.
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$into" "rotel==0.0.1a15"
    python3 - "$into" <<'PYTHON'
import pathlib, sys, zipfile

into = pathlib.Path(sys.argv[1])
wheel = next(into.glob("rotel-*.whl"))
binary = into / "rotel-agent"
binary.write_bytes(zipfile.ZipFile(wheel).read("rotel/rotel-agent"))
binary.chmod(0o755)
PYTHON
fi
CTX_ROTEL=$(cd "$into" && pwd)/rotel-agent cargo test -p ctx-tests --test otlp_receiver -- --ignored --nocapture
