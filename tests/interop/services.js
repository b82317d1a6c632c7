// An Express service that calls another by fetch, instrumented by OpenTelemetry. It returns its spans on request. With
// `OTEL_EXPORTER_OTLP_ENDPOINT` it exports them, too. `WITHOUT=inject` or `WITHOUT=extract` takes out that half of its propagator.
'use strict';

const { NodeSDK, tracing } = require('@opentelemetry/sdk-node');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express');
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici');
const { context, propagation } = require('@opentelemetry/api');

const exporter = new tracing.InMemorySpanExporter();
const spanProcessors = [new tracing.SimpleSpanProcessor(exporter)];
if (process.env.OTEL_EXPORTER_OTLP_ENDPOINT) {
  const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http');
  spanProcessors.push(new tracing.SimpleSpanProcessor(new OTLPTraceExporter()));
}
const { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } = require('@opentelemetry/core');
const textMapPropagator = new CompositePropagator({
  propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
});
if (process.env.WITHOUT === 'inject') textMapPropagator.inject = () => {};
if (process.env.WITHOUT === 'extract') textMapPropagator.extract = (current) => current;
new NodeSDK({
  spanProcessors,
  textMapPropagator,
  instrumentations: [
    new HttpInstrumentation({ ignoreIncomingRequestHook: (request) => request.url === '/spans' }),
    new ExpressInstrumentation(),
    new UndiciInstrumentation(),
  ],
}).start();

const express = require('express');
const app = express();

// Returns the current baggage.
const currentBaggage = () => {
  const all = propagation.getActiveBaggage()?.getAllEntries() ?? [];
  return Object.fromEntries(all.map(([key, { value }]) => [key, value]));
};

// Calls a URL; returns the baggage here and the other service's answer.
app.get('/call', async (request, response) => {
  const next = await (await fetch(request.query.url)).json();
  response.json({ baggage: currentBaggage(), raw: request.headers.baggage, next });
});

app.get('/leaf', (request, response) => response.json({ baggage: currentBaggage(), raw: request.headers.baggage }));

// Sets baggage of its own, and calls a URL.
app.get('/start', async (request, response) => {
  const baggage = propagation.createBaggage({
    tenant_id: { value: 'acme corp' },
    odd: { value: '50% = a=b, \u{1f980}; "q"' },
  });
  const cx = propagation.setBaggage(context.active(), baggage);
  const next = await context.with(cx, async () => (await fetch(request.query.url)).json());
  response.json({ next });
});

const kinds = ['internal', 'server', 'client', 'producer', 'consumer'];
app.get('/spans', (_, response) =>
  response.json(
    exporter.getFinishedSpans().map((span) => ({
      name: span.name,
      kind: kinds[span.kind],
      trace: span.spanContext().traceId,
      span: span.spanContext().spanId,
      parent: span.parentSpanContext?.spanId ?? null,
    })),
  ),
);

// Says its port, which may be any.
const server = app.listen(Number(process.env.PORT), '127.0.0.1', () => console.log(server.address().port));
