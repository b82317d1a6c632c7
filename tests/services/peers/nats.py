"""Sends or receives a message by nats-py: `nats.py produce|consume <port> <queue>`. There is no instrumentation of it, so the program
uses OpenTelemetry's propagator itself."""

import asyncio
import sys

# This file has the name of the package.
here = sys.path.pop(0)
from nats.aio.client import Client  # noqa: E402

sys.path.insert(0, here)
from opentelemetry import context, propagate  # noqa: E402
from opentelemetry.trace import SpanKind  # noqa: E402

import telemetry  # noqa: E402

way, port, queue = sys.argv[1:]


async def main():
    client = Client()
    await client.connect(f"nats://127.0.0.1:{port}")
    jetstream = client.jetstream()
    if way == "produce":
        telemetry.with_baggage()
        with telemetry.tracer.start_as_current_span("send", kind=SpanKind.PRODUCER) as span:
            headers = {}
            propagate.inject(headers)
            await jetstream.publish(queue, b"paid", headers=headers)
            telemetry.show("produced", span)
    else:
        subscription = await jetstream.pull_subscribe(queue, "python")
        [message] = await subscription.fetch(1, timeout=30)
        context.attach(propagate.extract(message.headers or {}))
        with telemetry.tracer.start_as_current_span("process", kind=SpanKind.CONSUMER) as span:
            telemetry.show("consumed", span, body=message.data.decode())
        await message.ack()
    await client.close()


asyncio.run(main())
