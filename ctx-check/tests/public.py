#!/usr/bin/env python3
"""Tests that ctx-check reads public traces, and finds in them what is wrong with them and nothing else.

`python3 ctx-check/tests/public.py path/to/ctx-check folder`. The folder has clones of the repositories below, bare or not, each named
`owner+name` (or `owner+name/repo`). A repository that is missing is skipped; with none, it fails. No file of theirs is part of this
repository.
"""

import json
import pathlib
import subprocess
import sys

# A repository, a file of it, and what is expected: spans, problems, and each finding's rule, service and cause.
FILES = [
    ("open-telemetry+opentelemetry-proto", "examples/trace.json", 1, 0, [("ctx/orphan", "my.service", "unknown_caller")]),
    # The OpenTelemetry demo, from its start on: one call of flagd has its caller before that.
    ("ymtdzzz+otel-tui", "test_data.json", 547, 0, [("ctx/orphan", "flagd", "unknown_caller")]),
    ("jaegertracing+jaeger", "cmd/jaeger/internal/extension/jaegerquery/internal/fixture/otlp2jaeger-in.json", 1, 0, [("ctx/orphan", "telemetrygen", "unknown_caller")]),
    ("jaegertracing+jaeger", "cmd/jaeger/internal/extension/jaegerquery/internal/fixture/otlp2jaeger-out.json", 1, 0, [("ctx/orphan", "telemetrygen", "unknown_caller")]),
    ("jaegertracing+jaeger", "cmd/jaeger/internal/extension/jaegerquery/internal/apiv3/snapshots/FindTraces.json", 1, 0, []),
    ("jaegertracing+jaeger", "cmd/anonymizer/app/uiconv/fixtures/trace_success.json", 2, 0, [("ctx/orphan", "16af988c443cff37", "unknown_caller")]),
    ("jaegertracing+jaeger", "cmd/anonymizer/app/uiconv/fixtures/trace_wrong_format.json", 0, 1, []),
    ("jaegertracing+jaeger", "internal/storage/v2/elasticsearch/tracestore/fixtures/es_01.json", 1, 0, [("ctx/orphan", "service-x", "span_lost")]),
    ("jaegertracing+jaeger-ui", "packages/jaeger-ui/src/components/TracePage/TraceTimelineViewer/genaiTestTrace.json", 57, 0, []),
    ("jaegertracing+jaeger-ui", "packages/jaeger-ui/src/utils/fixtures/oltp2jaeger-multi-out.json", 4, 0, []),
    ("openzipkin+zipkin", "zipkin-lens/testdata/ascend.json", 8, 0, []),
    ("openzipkin+zipkin", "zipkin-lens/testdata/messaging-kafka.json", 28, 0, []),
    ("openzipkin+zipkin", "zipkin-lens/testdata/yelp.json", 16, 0, []),
    ("openzipkin+zipkin", "zipkin-lens/testdata/skew.json", 4, 0, [("ctx/clock-skew", "serviceb", "clock_skew")]),
    ("openzipkin+zipkin", "zipkin-lens/testdata/smartthings-mobile-web-install.json", 953, 0, [("ctx/sensitive-value", "coreSrv", "recorded"), ("ctx/clock-skew", "strongman", "clock_skew")]),
    ("grafana+tempo", "modules/generator/processor/servicegraphs/testdata/trace-with-queue-database.json", 19, 0, []),
    ("grafana+tempo", "modules/generator/processor/servicegraphs/testdata/trace-with-failed-requests.json", 15, 0, []),
    ("grafana+tempo", "pkg/tempopb/trace.json", 1, 0, [("ctx/orphan", "my.service", "unknown_caller")]),
]


def main():
    command, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    read, failed = 0, 0
    for repository, path, spans, problems, expected in FILES:
        clones = [folder / repository / "repo", folder / repository / ".git", folder / repository]
        clone = next((clone for clone in clones if (clone / "HEAD").exists()), None)
        if clone is None:
            print(f"skipped: {repository} is not in {folder}")
            continue
        text = subprocess.run(["git", "--git-dir", clone, "show", f"HEAD:{path}"], check=True, capture_output=True).stdout
        run = subprocess.run([command, "-q", "-", "--format", "json"], input=text, capture_output=True)
        report = json.loads(run.stdout)
        found = [(finding["rule_id"], finding["service"], finding["cause"]) for finding in report["findings"]]
        said = (report["summary"]["spans"], report["summary"]["problems"], found)
        read += 1
        if said != (spans, problems, expected):
            print(f"FAILED: {repository} {path}: expected {(spans, problems, expected)}, found {said}")
            failed += 1
        else:
            print(f"ok: {repository} {path}: {spans} spans")
    if failed or not read:
        sys.exit(f"FAILED: {failed} of {read} files")
    print(f"public traces: {read} files are read and judged right")


main()
