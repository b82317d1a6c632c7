#!/usr/bin/env python3
"""Tests the page of ctx-check in headless Chromium, by ChromeDriver, without any package.

`python3 ctx-check/tests/page.py path/to/ctx-check path/to/generate [folder for pictures]`: makes a system with faults, hostile names
and a trace of 10 000 spans, opens its page, filters, searches, folds, goes by keys, and takes pictures in light and dark. Fails if
anything is not as it should be: an error in the console, a request to anywhere, a name that is run or shown as markup, a slow page.
"""

import base64
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HOSTILE = "<img src=x onerror=\"document.title='run'\"><b>bold</b></script><script>document.title='run'</script>"


def attribute(key, value):
    return {"key": key, "value": {"stringValue": value}}


def line(service, spans):
    resource = {"attributes": [attribute("service.name", service)]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]})


def span(trace, number, parent, name, kind, start, length, **attributes):
    found = {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(1_790_000_000_000_000_000 + int(start * 1e6)),
        "endTimeUnixNano": str(1_790_000_000_000_000_000 + int((start + length) * 1e6)),
        "attributes": [attribute(key.replace("__", "."), value) for key, value in attributes.items()],
    }
    if parent:
        found["parentSpanId"] = f"{parent:016x}"
    return found


def system():
    """A trace of 10 000 spans with a hostile name, one that changes its tenant, log records."""
    big = [span(1 << 100, 1, 0, "import", 1, 0, 10_000, tenant_id="acme")]
    big += [span(1 << 100, at, max(1, at // 7), f"step {at}", 1, at * 0.9, 5, tenant_id="acme") for at in range(2, 10_000)]
    big[5000]["name"] = HOSTILE
    big[7000]["parentSpanId"] = f"{1 << 40:016x}"
    yield line("importer", big)
    for number in range(20):
        trace, base = (2 << 100) + number, 100_000 + number * 10
        at = 20 + number * 100
        tenant = "globex" if number % 2 else "acme"
        other = "initech" if number == 3 else tenant
        call = {"server__address": "orders", "http__response__status_code": "200"}
        yield line("web", [
            span(trace, base, 0, "POST /orders", 2, at, 50, tenant_id=tenant),
            span(trace, base + 1, base, "POST", 3, at + 1, 48, tenant_id=tenant, **call),
        ])
        yield line("orders", [span(trace, base + 2, base + 1, HOSTILE, 2, at + 2, 40, tenant_id=other)])
        record = {
            "traceId": f"{trace:032x}", "spanId": f"{base + 2:016x}", "severityNumber": 9,
            "timeUnixNano": str(1_790_000_000_000_000_000 + int((at + 9) * 1e6)),
            "body": {"stringValue": f"placed {HOSTILE}"}, "attributes": [attribute("tenant_id", other)],
        }
        resource = {"attributes": [attribute("service.name", "orders")]}
        yield json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]})


class Browser:
    """A session of ChromeDriver: https://www.w3.org/TR/webdriver2/."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.driver = subprocess.Popen(["chromedriver", f"--port={self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                if self.call("GET", "/status")["ready"]:
                    break
            except OSError:
                time.sleep(0.1)
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                     "--disable-component-update", "--disable-sync", "--window-size=1440,900", f"--user-data-dir={folder}/profile"]
        options = {"args": arguments, "perfLoggingPrefs": {"enableNetwork": True}}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = "/session/" + session["sessionId"]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, {"content-type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            sys.exit(f"FAILED: {path}: {error.read().decode()[:600]}")

    def run(self, script, *arguments):
        return self.call("POST", self.session + "/execute/sync", {"script": script, "args": list(arguments)})

    def open(self, address):
        self.call("POST", self.session + "/url", {"url": address})

    def keys(self, text):
        keys = [action for key in text for action in ({"type": "keyDown", "value": key}, {"type": "keyUp", "value": key})]
        self.call("POST", self.session + "/actions", {"actions": [{"type": "key", "id": "keys", "actions": keys}]})

    def logs(self, kind):
        return self.call("POST", self.session + "/se/log", {"type": kind})

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.call("GET", self.session + "/screenshot")))

    def end(self):
        self.call("DELETE", self.session)
        self.driver.terminate()
        self.driver.wait()


def check(is_right, what):
    if not is_right:
        sys.exit(f"FAILED: {what}")
    print(f"ok: {what}")


def main():
    for tool in ("chromedriver", "chromium"):
        if shutil.which(tool) is None:
            sys.exit(f"FAILED: {tool} is not installed: apt-get install chromium chromium-driver")
    command, generate = sys.argv[1:3]
    folder = pathlib.Path(tempfile.mkdtemp())
    pictures = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else folder
    pictures.mkdir(parents=True, exist_ok=True)
    (folder / "system.jsonl").write_text("\n".join(system()))
    with open(folder / "shop.jsonl", "wb") as file:
        subprocess.run([generate, "100000"], stdout=file, check=True)
    for name in ("system", "shop"):
        subprocess.run([command, "-q", folder / f"{name}.jsonl", "--html", folder / f"{name}.html", "-o", os.devnull], check=True)
    browser = Browser(folder)
    try:
        start = time.monotonic()
        browser.open(f"file://{folder}/system.html")
        check(browser.run("return document.querySelectorAll('.row').length >= 3"), "the page opens with a trace")
        opened = time.monotonic() - start
        check(opened < 10, f"a page with 10 000 spans opens in {opened:.1f} s")
        check("tenant change" in browser.run("return document.getElementById('verdict').textContent"), "the verdict is first")
        check(browser.run("return document.querySelectorAll('.finding').length") >= 2, "the findings are shown")
        rows = browser.run("return [state.rows.length, document.querySelectorAll('.row').length]")

        browser.run("openTrace(traces.find((trace) => trace.spans.length > 9000))")
        rows = browser.run("return [state.rows.length, document.querySelectorAll('.row').length]")
        check(rows[0] >= 9999 and rows[1] < 100, f"of {rows[0]} rows, the {rows[1]} in sight are in the page")
        took = browser.run("""
            const start = performance.now();
            for (let at = 0; at < 200; at++) { document.getElementById('rows').scrollTop = at * 900; showRows(); }
            return (performance.now() - start) / 200;""")
        check(took < 150, f"scrolling 10 000 spans takes {took:.1f} ms a step")
        took = browser.run("const start = performance.now(); state.current = 0; fold(true); fold(false); return performance.now() - start;")
        check(took < 1000, f"folding and unfolding 10 000 spans takes {took:.0f} ms")
        browser.run("state.rows[0].isFolded = true; flatten()")
        check(browser.run("return state.rows.length") < 10, "folding the root leaves it and what has no parent")
        browser.run("state.rows[0].isFolded = false; flatten()")

        browser.run("document.getElementById('rows').focus()")
        browser.keys("jjk")
        check(browser.run("return state.current") >= 1, "keys go down and up")
        before = browser.run("return state.trace.id")
        browser.keys("n")
        check(browser.run("return state.trace.id") != before, "a key goes to the next trace")
        browser.keys("/step 77")
        check(browser.run("return document.getElementById('search').value") == "step 77", "a key goes to the search")
        browser.keys("\ue00c")
        listed = browser.run("return document.querySelectorAll('#list li').length")
        check(listed == 1, "the search filters traces")
        browser.run("const search = document.getElementById('search'); search.value = ''; search.dispatchEvent(new Event('input'))")

        browser.run("const tenant = document.getElementById('tenant'); tenant.value = 'initech'; tenant.dispatchEvent(new Event('change'))")
        tenants = browser.run("return [...document.querySelectorAll('#list li')].map((item) => item.textContent)")
        check(len(tenants) == 1 and "initech" in tenants[0], "the tenant filters traces")
        check(browser.run("return document.querySelectorAll('.row.faint').length") > 0, "spans of other tenants are faint")
        check(browser.run("return document.querySelectorAll('.row.log').length") > 0, "log records are in the waterfall")
        check(browser.run("return document.querySelectorAll('.row.fault').length") > 0, "the span at fault is marked")
        browser.run("document.getElementById('traces').scrollIntoView()")
        browser.picture(pictures / "waterfall.png")

        check(HOSTILE in browser.run("return document.getElementById('rows').textContent"), "hostile names are shown as text")
        check(browser.run("return document.querySelectorAll('img, main script, b').length") == 0, "hostile names are no markup")
        check("run" not in browser.run("return document.title.split(' ')"), "hostile names are not run")
        browser.keys("?")
        check(browser.run("return document.getElementById('help').open"), "a key shows the keys")
        browser.run("document.getElementById('help').close()")
        missing = browser.run("""return [...document.querySelectorAll('button, select, input')]
            .filter((field) => !(field.textContent.trim() || field.ariaLabel || field.labels?.length)).length""")
        check(missing == 0, "each button and field has a name")

        browser.open(f"file://{folder}/shop.html")
        for theme in ("light", "dark"):
            browser.run("theme(arguments[0])", theme)
            browser.picture(pictures / f"overview-{theme}.png")
        check(browser.run("return document.querySelectorAll('#map path.broken').length") == 1, "the broken edge is red in the map")
        check("billing" in browser.run("return document.querySelector('.finding h3').textContent"), "the finding names the service")
        sums = browser.run("return document.getElementById('sums').textContent").replace("\u2009", "")
        check("100100 spans" in sums, "the spans are summed up")

        console = [entry["message"] for entry in browser.logs("browser")]
        check(console == [], f"the console is empty {console}")
        asked = []
        for entry in browser.logs("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.append(message["params"]["request"]["url"])
        asked = [address for address in asked if not address.startswith((f"file://{folder}/", "data:", "chrome:", "about:"))]
        check(asked == [], f"nothing is requested {asked}")
    finally:
        browser.end()
    print("the page: passed")


main()
