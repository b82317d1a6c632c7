"""Sends or receives a message by pika with OpenTelemetry's instrumentation: `amqp.py produce|consume <port> <queue>`."""

import sys

import pika
from opentelemetry import trace
from opentelemetry.instrumentation.pika import PikaInstrumentor

import telemetry

way, port, queue = sys.argv[1:]
sent = []


def published(span, body, properties):
    sent.append(span)


PikaInstrumentor().instrument(publish_hook=published)
channel = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(port))).channel()


def received(channel, method, properties, body):
    telemetry.show("consumed", trace.get_current_span(), body=body.decode())
    channel.basic_ack(method.delivery_tag)
    channel.stop_consuming()


if way == "produce":
    telemetry.with_baggage()
    channel.basic_publish("", queue, b"paid", pika.BasicProperties(headers={"kept": 1}))
    # The instrumentation wraps the channel twice, and the inner span is the one that is sent.
    telemetry.show("produced", sent[-1])
else:
    channel.basic_consume(queue, received)
    channel.start_consuming()
