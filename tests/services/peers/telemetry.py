"""OpenTelemetry's SDK, and what a peer prints: an object of JSON a line."""

import json

from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
tracer = trace.get_tracer("peer")

# Without a space: Python's SDK writes `+` for it, which W3C Baggage reads as a plus.
BAGGAGE = {"tenant_id": "zürich", "x-shard": "7"}


def show(message, span, **more):
    """Prints a span's ids, and the baggage of the current context."""
    cx = span.get_span_context() if hasattr(span, "get_span_context") else span.context
    parent = getattr(span, "parent", None)
    print(
        json.dumps(
            {
                "message": message,
                "trace": format(cx.trace_id, "032x"),
                "span": format(cx.span_id, "016x"),
                "parent": format(parent.span_id, "016x") if parent else None,
                "baggage": dict(baggage.get_all()),
                **more,
            }
        ),
        flush=True,
    )


def with_baggage():
    """Makes baggage current."""
    cx = context.get_current()
    for key, value in BAGGAGE.items():
        cx = baggage.set_baggage(key, value, cx)
    return context.attach(cx)
