#!/usr/bin/env bash
# Installs the services of other languages: FastAPI and httpx from PyPI, Express from npm, each with OpenTelemetry's own
# instrumentation. `bash tests/interop/install.sh <folder>`; says on its last lines what there is now.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
into=${1:?a folder to install into}
mkdir -p "$into"

python() {
    command -v python3 >/dev/null || { echo "python: there is no python3"; return 1; }
    [ -x "$into/venv/bin/python" ] || python3 -m venv "$into/venv" || { echo "python: no venv could be made"; return 1; }
    "$into/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
}

node_modules() {
    command -v node >/dev/null && command -v npm >/dev/null || { echo "node: there is no node, or no npm"; return 1; }
    mkdir -p "$into/node" && cp "$here/package.json" "$into/node/" &&
        (cd "$into/node" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error)
}

status=0
python && touch "$into/python.ready" || { rm -f "$into/python.ready"; status=1; }
node_modules && touch "$into/node.ready" || { rm -f "$into/node.ready"; status=1; }
for language in python node; do
    [ -e "$into/$language.ready" ] && echo "$language: installed" || echo "$language: NOT installed"
done
exit $status
