"""Receives what an OpenTelemetry Collector has read of a file of JSON lines, and compares: collect.py <port> <file>.

Called by collect.sh. Exits with 0 once every line has come, each field as it was written."""

import datetime
import http.server
import json
import sys
import threading

port, path = int(sys.argv[1]), sys.argv[2]
with open(path, encoding="utf-8", newline="\n") as file:
    missing = {line.rstrip("\n"): json.loads(line) for line in file}
total, faults, done = len(missing), [], threading.Event()


def value_of(any_value):
    (kind, value), = any_value.items()
    if kind == "intValue":
        return int(value)
    if kind == "arrayValue":
        return [value_of(one) for one in value.get("values", [])]
    if kind == "kvlistValue":
        return {pair["key"]: value_of(pair["value"]) for pair in value.get("values", [])}
    return value


def compare(record):
    body = record["body"]["stringValue"]
    line = missing.pop(body, None)
    if line is None:
        faults.append(f"not written, or twice: {body[:200]}")
        return
    attributes = {pair["key"]: value_of(pair["value"]) for pair in record["attributes"]}
    attributes.pop("log.file.name", None)
    if attributes != line:
        faults.append(f"{attributes} is not {line}")
    if record["severityText"] != line["level"]:
        faults.append(f"the severity {record['severityText']} is not {line['level']}")
    moment = datetime.datetime.fromisoformat(line["timestamp"].replace("Z", "+00:00"))
    if int(record["timeUnixNano"]) // 1000 != round(moment.timestamp() * 1_000_000):
        faults.append(f"the time {record['timeUnixNano']} is not {line['timestamp']}")


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in request.get("resourceLogs", []):
            for scope in resource.get("scopeLogs", []):
                for record in scope.get("logRecords", []):
                    compare(record)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")
        if not missing or faults:
            done.set()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("listening", flush=True)
is_done = done.wait(timeout=120)
if faults or not is_done:
    print(f"{len(missing)} of {total} lines did not come; {len(faults)} faults: {faults[:3]}")
    sys.exit(1)
print(f"the collector has read all {total} lines as they were written")
