"""Sends or receives a record by aiokafka with OpenTelemetry's instrumentation: `kafka.py produce|consume <port> <queue>`."""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from opentelemetry import baggage, context
from opentelemetry.instrumentation.aiokafka import AIOKafkaInstrumentor

import telemetry

way, port, queue = sys.argv[1:]
server = f"127.0.0.1:{port}"
spans, contexts = [], []


async def produced(span, args, kwargs):
    spans.append(span)


async def consumed(span, record, args, kwargs):
    spans.append(span)
    contexts.append(context.get_current())


AIOKafkaInstrumentor().instrument(async_produce_hook=produced, async_consume_hook=consumed)


async def main():
    if way == "produce":
        telemetry.with_baggage()
        async with AIOKafkaProducer(bootstrap_servers=server) as producer:
            await producer.send_and_wait(queue, b"paid")
        telemetry.show("produced", spans[0])
    else:
        options = {"group_id": f"{queue}_python", "auto_offset_reset": "earliest"}
        async with AIOKafkaConsumer(queue, bootstrap_servers=server, **options) as consumer:
            record = await consumer.getone()
        # The instrumentation extracts the context for its own span, and does not make it current for the program.
        from opentelemetry.instrumentation.aiokafka.utils import _aiokafka_getter
        from opentelemetry import propagate

        context.attach(propagate.extract(record.headers, getter=_aiokafka_getter))
        telemetry.show("consumed", spans[0], body=record.value.decode())


asyncio.run(main())
