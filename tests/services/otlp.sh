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

# A collector that goes down, refuses, hangs and is slow for a minute.
cargo test -p ctx-tests --test setup -- --ignored --exact --nocapture outages::no_outage_loses_uncounted

# Over HTTPS, with a certificate that only SSL_CERT_FILE makes known.
tls=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null; rm -rf "$tls"' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -addext basicConstraints=critical,CA:FALSE -keyout "$tls/key" -out "$tls/certificate" 2>/dev/null
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
python3 tests/services/https.py "$port" "$tls/certificate" "$tls/key" >"$tls/received" &
server=$!
until grep -q ready "$tls/received"; do kill -0 "$server" || { echo "FAILED: the HTTPS server" >&2; exit 1; }; sleep 0.1; done
run() {
    OTEL_EXPORTER_OTLP_ENDPOINT="https://localhost:$port" OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf \
        CTX_OBSERVABILITY_TIMEOUT=5s cargo run --quiet -p ctx-examples --features ctx-layer/setup-tls --example setup_service
}
SSL_CERT_FILE="$tls/certificate" run 2>&1 | tee "$tls/known"
grep -q "spans: [1-9][0-9]* exported, 0 not" "$tls/known" || { echo "FAILED: not exported over HTTPS" >&2; exit 1; }
for signal in traces logs metrics; do
    grep -q "^/v1/$signal [1-9]" "$tls/received" || { echo "FAILED: no $signal arrived over HTTPS" >&2; exit 1; }
done
run 2>&1 | tee "$tls/unknown"
grep -q "spans: 0 exported" "$tls/unknown" || { echo "FAILED: an unknown certificate was accepted" >&2; exit 1; }
echo "OTLP over gRPC, HTTP and HTTPS: passed"
