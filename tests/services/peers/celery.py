"""Sends a task, or runs a worker until it has done one, with OpenTelemetry's instrumentation of Celery:
`celery.py produce|consume <port> <queue>`."""

import os
import sys
import threading

import telemetry

# This file has the name of the package.
here = sys.path.pop(0)
from celery import Celery  # noqa: E402
from opentelemetry import trace  # noqa: E402
from opentelemetry.instrumentation.celery import CeleryInstrumentor  # noqa: E402
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: E402
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: E402

way, port, queue = sys.argv[1:]
spans = InMemorySpanExporter()
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(spans))
app = Celery("peer", broker=f"redis://127.0.0.1:{port}/0")
# What a task prints is not a line of the log.
app.conf.worker_redirect_stdouts = False
CeleryInstrumentor().instrument()


@app.task(name="orders.ship")
def ship(body):
    telemetry.show("consumed", trace.get_current_span(), body=body)
    # After the task has ended.
    threading.Timer(0.5, os._exit, [0]).start()


if way == "produce":
    telemetry.with_baggage()
    ship.apply_async(("paid",), queue=queue)
    telemetry.show("produced", spans.get_finished_spans()[0])
else:
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"]
    app.worker_main(["worker", "--pool=solo", f"--queues={queue}", *quiet])
