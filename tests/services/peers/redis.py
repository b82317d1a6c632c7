"""Sends or receives an entry of a stream by redis-py: `redis.py produce|consume <port> <queue>`. OpenTelemetry's instrumentation of it has
spans of commands and carries nothing, so the program uses the propagator itself."""

import sys

# This file has the name of the package.
here = sys.path.pop(0)
import redis  # noqa: E402

sys.path.insert(0, here)
from opentelemetry import context, propagate  # noqa: E402
from opentelemetry.instrumentation.redis import RedisInstrumentor  # noqa: E402
from opentelemetry.trace import SpanKind  # noqa: E402

import telemetry  # noqa: E402

way, port, queue = sys.argv[1:]
RedisInstrumentor().instrument()
client = redis.Redis(port=int(port), decode_responses=True)

if way == "produce":
    telemetry.with_baggage()
    with telemetry.tracer.start_as_current_span("send", kind=SpanKind.PRODUCER) as span:
        entry = {"body": "paid"}
        propagate.inject(entry)
        client.xadd(queue, entry)
        telemetry.show("produced", span)
else:
    [[_, [[_, entry]]]] = client.xread({queue: "0"}, count=1, block=30_000)
    context.attach(propagate.extract(entry))
    with telemetry.tracer.start_as_current_span("process", kind=SpanKind.CONSUMER) as span:
        telemetry.show("consumed", span, body=entry["body"])
