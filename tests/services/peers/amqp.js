// Sends or receives a message by amqplib with OpenTelemetry's instrumentation: `amqp.js produce|consume <port> <queue>`.
const { trace } = require("@opentelemetry/api");
const { AmqplibInstrumentation } = require("@opentelemetry/instrumentation-amqplib");
const telemetry = require("./telemetry");

const sent = [];
telemetry.start(new AmqplibInstrumentation({ publishHook: (span) => sent.push(span) }));
const amqp = require("amqplib");

const [way, port, queue] = process.argv.slice(2);

(async () => {
  const connection = await amqp.connect(`amqp://guest:guest@127.0.0.1:${port}`);
  if (way === "produce") {
    const channel = await connection.createConfirmChannel();
    await telemetry.withBaggage(async () => {
      channel.publish("", queue, Buffer.from("paid"), { headers: { kept: 1 } });
      await channel.waitForConfirms();
    });
    telemetry.show("produced", sent[0]);
    await connection.close();
  } else {
    const channel = await connection.createChannel();
    await channel.consume(queue, (message) => {
      telemetry.show("consumed", trace.getActiveSpan(), { body: message.content.toString() });
      channel.ack(message);
      setTimeout(() => connection.close(), 100);
    });
  }
})();
