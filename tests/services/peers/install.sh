#!/usr/bin/env bash
# Installs the peers of the tests, programs in Python and Node with OpenTelemetry's instrumentation, from PyPI and npm:
# `bash tests/services/peers/install.sh <folder>`. Fails if one of them cannot be installed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
into=${1:?a folder to install into}
mkdir -p "$into/node"
for tool in python3 node npm; do
    command -v "$tool" >/dev/null || { echo "FAILED: there is no $tool" >&2; exit 1; }
done
# Once for each version of the lists.
if ! cmp -s "$here/requirements.txt" "$into/venv/requirements.txt"; then
    [ -x "$into/venv/bin/python" ] || python3 -m venv "$into/venv"
    "$into/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$into/venv/"
fi
if ! cmp -s "$here/package.json" "$into/node/package.json"; then
    cp "$here/package.json" "$into/node/package.new"
    (cd "$into/node" && mv package.new package.json && npm install --no-audit --no-fund --ignore-scripts --loglevel=error) ||
        { rm -f "$into/node/package.json"; exit 1; }
fi
