#!/usr/bin/env python3
"""Tests that ClickHouse, by the SQL of ctx-check, finds what ctx-check finds.

`python3 ctx-check/tests/sql.py path/to/ctx-check`, with the package chdb, which is ClickHouse: `pip install chdb`. Systems with planted
faults go to both; the counts of each rule, service, edge and field must be the same. Fails if chdb is not installed.
"""

import collections
import json
import pathlib
import random
import subprocess
import sys
import tempfile

try:
    from chdb import session
except ImportError:
    sys.exit("FAILED: chdb is not installed: pip install chdb")

# As https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter creates it.
TABLE = """
CREATE TABLE otel_traces (
    Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, TraceState String,
    SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String),
    ResourceAttributes Map(LowCardinality(String), String), ScopeName String, ScopeVersion String,
    SpanAttributes Map(LowCardinality(String), String), Duration UInt64, StatusCode LowCardinality(String), StatusMessage String,
    Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)),
    Links Nested (TraceId String, SpanId String, TraceState String, Attributes Map(LowCardinality(String), String))
) ENGINE = MergeTree ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
"""
KINDS = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"]
START = 1_790_000_000_000_000_000
FAULTS = ["", "", "", "stripped", "linked", "hop", "parent", "lost", "root", "changed", "missing", "message", "health", "twice", "refused",
          "nested", "relay", "queued", "mode", "reused", "backwards", "early", "skewed", "behind", "back"]


class System:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.spans = []

    def id(self, bits):
        return f"{self.random.getrandbits(bits) | 1:0{bits // 4}x}"

    def span(self, service, name, kind, parent=None, trace=None, **attributes):
        span = {
            "trace": trace or (parent["trace"] if parent else self.id(128)), "id": self.id(64),
            "parent": parent["id"] if parent else "", "service": service, "name": name, "kind": kind,
            "start": (parent["start"] + 1_000_000) if parent else START + len(self.spans) * 10_000_000,
            "length": (parent["length"] - 2_000_000) if parent else 40_000_000,
            "attributes": {key.replace("__", "."): value for key, value in attributes.items()}, "links": [], "is_error": False,
        }
        self.spans.append(span)
        return span

    def request(self):
        fault = self.random.choice(FAULTS)
        first = len(self.spans)
        web = self.span("web", "GET /healthz" if fault == "health" else "POST /orders", 2)
        call = self.span("web", "POST", 3, web, server__address="orders", server__port="8080", http__response__status_code="200")
        orders = self.span("orders", "POST /orders", 2, call)
        inner = self.span("orders", "work", 1, orders)
        self.span("orders", "query", 3, orders, db__system__name="postgresql", server__address="db")
        self.span("orders", "GET", 3, orders, url__full="https://api.stripe.com/x")
        message = self.span("orders", "send", 4, orders, messaging__system="kafka", messaging__destination__name="mails")
        consumer = self.span("mailer", "process", 5, message, messaging__system="kafka", messaging__destination__name="mails")
        for span in self.spans[first:]:
            if fault != "health":
                span["attributes"]["tenant_id"] = "acme"
        tree = [orders, inner, *self.spans[first + 4:]]
        if fault in ("stripped", "linked"):
            old, new = orders["trace"], self.id(128)
            for span in tree:
                span["trace"] = new
            orders["parent"] = ""
            if fault == "linked":
                orders["links"].append((old, call["id"]))
        elif fault == "hop":
            orders["parent"] = self.id(64)
        elif fault == "parent":
            orders["parent"] = ""
        elif fault == "lost":
            self.spans.remove(orders)
        elif fault == "root":
            self.spans.remove(web)
        elif fault == "changed":
            for span in tree:
                span["attributes"]["tenant_id"] = "globex"
        elif fault == "missing":
            for span in (inner, consumer):
                del span["attributes"]["tenant_id"]
        elif fault == "message":
            consumer["trace"], consumer["parent"] = self.id(128), ""
        elif fault == "twice":
            self.spans.append(dict(inner))
        elif fault == "nested":
            # A library's client span around that of its transport: one of the two is injected, or neither.
            outer = self.span("orders", "client", 3, orders, server__address="web", tenant_id="acme")
            self.span("orders", "GET", 3, outer, server__address="web", tenant_id="acme")
            if self.random.random() < 0.7:
                server = self.span("web", "GET", 2, self.random.choice(self.spans[-2:]), tenant_id="acme")
                server["start"], server["length"] = outer["start"] + 3_000_000, 1_000_000
        elif fault == "relay":
            relay = self.span("relay", "send", 3, messaging__system="kafka", messaging__destination__name="mails", tenant_id="acme")
            relay["links"].append((message["trace"], message["id"]))
        elif fault in ("queued", "mode"):
            # Queues whose consumers never start anew.
            queue = {"messaging__system": "kafka", "messaging__destination__name": "audits" if fault == "queued" else "reports", "tenant_id": "acme"}
            for _ in range(3):
                sent = self.span("orders", "send", 4, orders, **queue)
                if self.random.random() < 0.7:
                    received = self.span("auditor", "process", 5, sent, **queue)
                    if self.random.random() < 0.5:
                        received["links"].append((sent["trace"], sent["id"]))
                        received["trace"], received["parent"] = self.id(128), ""
        elif fault == "reused":
            twin = self.span("orders", "twin", 1, orders, tenant_id="acme")
            twin["id"] = inner["id"]
        elif fault == "backwards":
            inner["length"] = -5_000_000
        elif fault == "early":
            inner["start"] = orders["start"] - 100_000_000
        elif fault == "skewed":
            for span in tree[:2]:
                span["start"] -= 1_000_000_000
        elif fault == "behind":
            # The server's clock is behind its client's: by its own, it ends long after.
            orders["start"] += 500_000_000
            for span in tree[1:]:
                span["start"] += 500_000_000
        elif fault == "back":
            inner["attributes"]["tenant_id"] = "globex"
            self.span("orders", "innermost", 1, inner, tenant_id="acme")
        elif fault == "refused":
            refused = self.span("web", "POST", 3, web, server__address="orders", server__port="8080", tenant_id="acme")
            refused["is_error"] = True
        if fault not in ("message", "stripped", "linked") and self.random.random() < 0.3:
            consumer["links"].append((message["trace"], message["id"]))
            consumer["trace"], consumer["parent"] = self.id(128), ""


def otlp(span):
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in span["attributes"].items()]
    found = {
        "traceId": span["trace"], "spanId": span["id"], "name": span["name"], "kind": span["kind"], "attributes": pairs,
        "startTimeUnixNano": str(span["start"]), "endTimeUnixNano": str(span["start"] + span["length"]),
        "links": [{"traceId": trace, "spanId": id} for trace, id in span["links"]], "status": {"code": 2} if span["is_error"] else {},
    }
    if span["parent"]:
        found["parentSpanId"] = span["parent"]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": span["service"]}}]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [found]}]}]})


def row(span, old_names):
    kind = KINDS[span["kind"]]
    return json.dumps({
        "Timestamp": f"{span['start'] // 10**9}.{span['start'] % 10**9:09}", "TraceId": span["trace"], "SpanId": span["id"],
        "ParentSpanId": span["parent"], "SpanName": span["name"], "SpanKind": f"SPAN_KIND_{kind.upper()}" if old_names else kind,
        "ServiceName": span["service"], "ResourceAttributes": {"service.name": span["service"]}, "SpanAttributes": span["attributes"],
        "Duration": span["length"] % 2**64, "StatusCode": ("STATUS_CODE_ERROR" if old_names else "Error") if span["is_error"] else "Unset",
        "Links.TraceId": [trace for trace, _ in span["links"]], "Links.SpanId": [id for _, id in span["links"]],
        "Links.TraceState": ["" for _ in span["links"]], "Links.Attributes": [{} for _ in span["links"]],
    })


def by_command(report):
    found = collections.Counter()
    for finding in report["findings"]:
        if finding["kind"] == "broken_edge":
            edge = finding["edge"]
            found["ctx/broken-edge", edge["from"], edge["to"], edge["via"], ""] += finding["count"]
            if finding["cause"] == "parent_dropped":
                found["ctx/several-roots", "", "", "", ""] += finding["count"]
        elif finding["kind"] in ("several_roots", "invalid_tree", "clock_skew"):
            found[finding["rule_id"], "", "", "", ""] += finding["count"]
        elif finding["kind"] == "tenant_change":
            found["ctx/tenant-change", finding["edge"]["from"], finding["edge"]["to"], "", "tenant_id"] += finding["count"]
        elif finding["kind"] == "impossible_time":
            found["ctx/impossible-time", finding["service"], "", "", ""] += finding["count"]
        elif finding["kind"] == "unconsumed":
            found["ctx/unconsumed", finding["edge"]["from"], "", finding["edge"]["via"], ""] += finding["count"]
        elif finding["kind"] == "queue_mode":
            found["ctx/queue-mode", finding["edge"]["from"], finding["edge"]["to"], finding["edge"]["via"], ""] += finding["count"]
    for service in report["services"]:
        found["ctx/orphan", service["name"], "", "", ""] += service["orphans"]
        for field, count in service["missing"].items():
            found["ctx/missing-field", service["name"], "", "", field] += count
    found["ctx/mixed-tenants", "", "", "", "tenant_id"] += report["summary"]["mixed_traces"]
    return {key: count for key, count in found.items() if count}


def main():
    command = sys.argv[1]
    folder = pathlib.Path(tempfile.mkdtemp())
    # The database knows no capture: nothing is excused at its ends.
    settings = '[capture]\ngrace = "0s"\n[[queue]]\nname = ["reports"]\nmode = "parent"\n'
    (folder / "check.toml").write_text(settings)
    query = [command, "sql", "--clickhouse", "--require", "tenant_id", "--settings", folder / "check.toml"]
    sql = subprocess.run(query, check=True, capture_output=True, text=True).stdout
    rules = set()
    for seed in range(16):
        system = System(seed)
        for _ in range(6 if seed < 14 else 1000):
            system.request()
        lines = [otlp(span) for span in system.spans]
        system.random.shuffle(lines)
        (folder / "traces.jsonl").write_text("\n".join(lines))
        run = [command, "-q", folder / "traces.jsonl", "--settings", folder / "check.toml", "--format", "json", "--require", "tenant_id", "--max-missing", "100%"]
        report = json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
        expected = by_command(report)
        (folder / "rows.json").write_text("\n".join(row(span, seed % 2 == 0) for span in system.spans))
        database = session.Session()
        database.query("CREATE DATABASE d ENGINE = Atomic")
        database.query("USE d")
        database.query(TABLE)
        database.query(f"INSERT INTO otel_traces SELECT * FROM file('{folder}/rows.json', 'JSONEachRow', "
                       "'Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, TraceState String, SpanName String, "
                       "SpanKind String, ServiceName String, ResourceAttributes Map(String, String), ScopeName String, ScopeVersion String, "
                       "SpanAttributes Map(String, String), Duration UInt64, StatusCode String, StatusMessage String, "
                       "`Events.Timestamp` Array(DateTime64(9)), `Events.Name` Array(String), `Events.Attributes` Array(Map(String, String)), "
                       "`Links.TraceId` Array(String), `Links.SpanId` Array(String), `Links.TraceState` Array(String), "
                       "`Links.Attributes` Array(Map(String, String))')")
        answer = str(database.query(sql, "JSONEachRow"))
        database.close()
        rows = [json.loads(line) for line in answer.splitlines() if line]
        found = collections.Counter()
        for found_row in rows:
            # The command has one finding for each clock, with the edges that show it.
            place = ("", "", "", "") if found_row["rule_id"] == "ctx/clock-skew" else tuple(found_row[key] for key in ("service", "edge_to", "via", "field"))
            found[found_row["rule_id"], *place] += int(found_row["count"])
        for key in sorted(expected.keys() | found.keys()):
            if expected.get(key) != found.get(key):
                sys.exit(f"FAILED: system {seed}: {key}: ctx-check {expected.get(key)}, ClickHouse {found.get(key)}")
        rules |= {key[0] for key in found}
        print(f"ok: system {seed}: {len(system.spans)} spans, {len(found)} rows are the same")
    if len(rules) != 11:
        sys.exit(f"FAILED: only {sorted(rules)} were compared")
    print("the verdict of ClickHouse: passed")


main()
