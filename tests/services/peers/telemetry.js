// OpenTelemetry's SDK, and what a peer prints: an object of JSON a line.
const { context, propagation } = require("@opentelemetry/api");
const { registerInstrumentations } = require("@opentelemetry/instrumentation");
const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");

exports.start = (instrumentation) => {
  new NodeTracerProvider().register();
  registerInstrumentations({ instrumentations: [instrumentation] });
};

exports.show = (message, span, more) => {
  const { traceId, spanId } = span.spanContext();
  const parent = span.parentSpanContext?.spanId ?? span.parentSpanId ?? null;
  const entries = propagation.getActiveBaggage()?.getAllEntries() ?? [];
  const baggage = Object.fromEntries(entries.map(([key, { value }]) => [key, value]));
  console.log(JSON.stringify({ message, trace: traceId, span: spanId, parent, baggage, ...more }));
};

exports.withBaggage = (work) => {
  const baggage = propagation.createBaggage({ tenant_id: { value: "zürich" }, "x-shard": { value: "7" } });
  return context.with(propagation.setBaggage(context.active(), baggage), work);
};
