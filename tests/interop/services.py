"""A FastAPI service that calls another by httpx, instrumented by OpenTelemetry, which tells its spans.

With `OTEL_EXPORTER_OTLP_ENDPOINT` it exports them, too. `WITHOUT=inject` or `WITHOUT=extract` takes out that half of its propagator.
"""

import os
import socket

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from opentelemetry import baggage, propagate, trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))


class Half(propagate.textmap.TextMapPropagator):
    """A propagator without one of its halves."""

    def __init__(self, whole, without):
        self.whole, self.without = whole, without

    def extract(self, carrier, context=None, getter=propagate.textmap.default_getter):
        if self.without == "extract":
            return Context() if context is None else context
        return self.whole.extract(carrier, context, getter)

    def inject(self, carrier, context=None, setter=propagate.textmap.default_setter):
        if self.without != "inject":
            self.whole.inject(carrier, context, setter)

    @property
    def fields(self):
        return self.whole.fields


if os.environ.get("WITHOUT"):
    propagate.set_global_textmap(Half(propagate.get_global_textmap(), os.environ["WITHOUT"]))
trace.set_tracer_provider(provider)
HTTPXClientInstrumentor().instrument()
app = FastAPI()


@app.get("/call")
async def call(url: str, request: Request):
    """Calls `url`; says what it has for baggage and what the other end says."""
    async with httpx.AsyncClient() as client:
        response = await client.get(url)
    return {"baggage": dict(baggage.get_all()), "raw": request.headers.get("baggage"), "next": response.json()}


@app.get("/leaf")
async def leaf(request: Request):
    """Says what it has for baggage."""
    return {"baggage": dict(baggage.get_all()), "raw": request.headers.get("baggage")}


@app.get("/start")
async def start(url: str):
    """Sets baggage of its own, and calls `url`."""
    from opentelemetry import context

    cx = context.get_current()
    for key, value in {"tenant_id": "acme corp", "odd": "50% = a=b, \U0001f980; \"q\""}.items():
        cx = baggage.set_baggage(key, value, cx)
    token = context.attach(cx)
    try:
        async with httpx.AsyncClient() as client:
            response = await client.get(url)
    finally:
        context.detach(token)
    return {"next": response.json()}


@app.get("/spans")
async def spans():
    """The spans so far."""
    hexadecimal = lambda number, digits: format(number, f"0{digits}x")
    return JSONResponse(
        [
            {
                "name": span.name,
                "kind": span.kind.name.lower(),
                "trace": hexadecimal(span.context.trace_id, 32),
                "span": hexadecimal(span.context.span_id, 16),
                "parent": hexadecimal(span.parent.span_id, 16) if span.parent else None,
            }
            for span in exporter.get_finished_spans()
        ]
    )


FastAPIInstrumentor.instrument_app(app, excluded_urls="spans")
# Says its port, which may be any: the caller can connect from then on.
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
