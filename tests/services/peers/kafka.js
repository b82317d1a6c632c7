// Sends or receives a record by kafkajs with OpenTelemetry's instrumentation: `kafka.js produce|consume <port> <queue>`.
const { trace } = require("@opentelemetry/api");
const { KafkaJsInstrumentation } = require("@opentelemetry/instrumentation-kafkajs");
const telemetry = require("./telemetry");

const sent = [];
telemetry.start(new KafkaJsInstrumentation({ producerHook: (span) => sent.push(span) }));
const { Kafka, logLevel } = require("kafkajs");

const [way, port, queue] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.ERROR });

(async () => {
  if (way === "produce") {
    const producer = kafka.producer();
    await producer.connect();
    await telemetry.withBaggage(() => producer.send({ topic: queue, messages: [{ value: "paid" }] }));
    telemetry.show("produced", sent[0]);
    await producer.disconnect();
  } else {
    const consumer = kafka.consumer({ groupId: `${queue}_node`, sessionTimeout: 6000 });
    await consumer.connect();
    await consumer.subscribe({ topic: queue, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        telemetry.show("consumed", trace.getActiveSpan(), { body: message.value.toString() });
        setTimeout(() => consumer.disconnect().then(() => process.exit(0)), 100);
      },
    });
  }
})();
