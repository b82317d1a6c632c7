//! AMQP with RabbitMQ: `bash tests/services/run amqp`.

use ctx_layer::{
    messaging::{Delivery, ReceiveOptions, Settlement},
    propagation::{self, Carrier, Trust},
};
use ctx_service_tests::{
    Result,
    broker::{Body, Broker, dead_letters_of},
    messages::ack,
    scenarios, server,
    wire::{Recorder, write_documented},
};
use futures_util::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Consumer,
    message::Delivery as Message,
    options::*,
    types::{AMQPValue, FieldTable},
};
use tokio::sync::Mutex;

struct RabbitMq {
    queue: String,
    channel: Channel,
    consumer: Mutex<Option<Consumer>>,
    connection: Connection,
}

async fn connection() -> Result<Connection> {
    let url = format!("amqp://guest:guest@127.0.0.1:{}/%2f", server::port(5672));
    Ok(Connection::connect(&url, ConnectionProperties::default()).await?)
}

impl Broker for RabbitMq {
    const SYSTEM: &'static str = "rabbitmq";
    const SERVER: &'static str = "amqp";
    const MOVES_DEAD_LETTERS: bool = true;
    type Headers = FieldTable;
    type Delivery = Received;

    async fn connect(queue: &str) -> Result<Self> {
        let connection = connection().await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        channel.basic_qos(64, BasicQosOptions::default()).await?;
        let mut arguments = FieldTable::default();
        if !queue.ends_with("_dead") {
            let dead = dead_letters_of(queue);
            channel.queue_declare(dead.as_str().into(), QueueDeclareOptions::durable(), FieldTable::default()).await?;
            arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
            arguments.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString(dead.into()));
        }
        channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await?;
        Ok(RabbitMq { queue: queue.to_owned(), channel, consumer: Mutex::new(None), connection })
    }

    fn queue(&self) -> &str {
        &self.queue
    }

    async fn send(&self, headers: FieldTable, body: &str) -> Result {
        let properties = BasicProperties::default().with_delivery_mode(2).with_headers(headers);
        let options = BasicPublishOptions::default();
        let confirmation =
            self.channel.basic_publish("".into(), self.queue.as_str().into(), options, body.as_bytes(), properties);
        if confirmation.await?.await?.is_ack() { Ok(()) } else { Err("the message was not confirmed".into()) }
    }

    async fn receive(&self) -> Result<Received> {
        let mut consumer = self.consumer.lock().await;
        if consumer.is_none() {
            let (queue, tag) = (self.queue.as_str().into(), "".into());
            *consumer = Some(
                self.channel.basic_consume(queue, tag, BasicConsumeOptions::default(), FieldTable::default()).await?,
            );
        }
        let message = consumer.as_mut().ok_or("there is a consumer")?.next().await.ok_or("the channel is closed")??;
        let headers = message.properties.headers().clone().unwrap_or_default();
        Ok(Received { message, headers })
    }

    async fn close(&self) -> Result {
        Ok(self.connection.close(200, "done".into()).await?)
    }
}

struct Received {
    message: Message,
    headers: FieldTable,
}

impl Delivery for Received {
    type Error = lapin::Error;

    fn headers(&self) -> impl Carrier {
        &self.headers
    }

    fn options(&self) -> ReceiveOptions {
        ReceiveOptions::new().delivery(1 + u32::from(self.message.redelivered))
    }

    async fn settle(&self, settlement: Settlement) -> lapin::Result<()> {
        match settlement {
            Settlement::Ack => self.message.ack(BasicAckOptions::default()).await?,
            Settlement::Nack | Settlement::Requeue => self.message.reject(BasicRejectOptions { requeue: true }).await?,
            Settlement::DeadLetter => self.message.reject(BasicRejectOptions { requeue: false }).await?,
        };
        Ok(())
    }
}

impl Body for Received {
    fn body(&self) -> String {
        String::from_utf8_lossy(&self.message.data).into_owned()
    }
}

ctx_service_tests::scenarios! { RabbitMq:
    alone: a_message_survives_a_restart_of_the_broker_with_its_context,
    end_to_end => a_consumer_in_another_process_continues_the_trace_with_all_fields,
    redelivery => a_message_of_a_killed_consumer_keeps_its_parent,
    attempts => redeliveries_are_counted,
    dead_letters => a_dead_letter_keeps_its_context,
    tenants => ten_thousand_messages_of_a_hundred_tenants_are_not_mixed_up,
    without_context => a_message_without_context_gets_none,
    hostile_context => a_hostile_message_sets_nothing,
    longest_baggage => the_longest_baggage_arrives_whole,
    to_python => python_continues_our_trace_and_has_our_fields,
    from_python => we_continue_the_trace_of_python_and_have_its_baggage,
    to_node => node_continues_our_trace_and_has_our_fields,
    from_node => we_continue_the_trace_of_node_and_have_its_baggage,
}

#[tokio::test]
async fn headers_of_other_types_are_ignored_and_kept() -> Result {
    let broker = RabbitMq::connect(&scenarios::unique("types")).await?;
    let mut headers = FieldTable::default();
    headers.insert("traceparent".into(), AMQPValue::LongLongInt(7));
    headers.insert("baggage".into(), AMQPValue::FieldTable(FieldTable::default()));
    headers.insert("other".into(), AMQPValue::Boolean(true));
    broker.send(headers.clone(), "raw").await?;
    let delivery = scenarios::receive(&broker).await?;
    assert_eq!(delivery.headers, headers);
    let extracted = propagation::extract(&delivery.headers, Trust::internal());
    assert!(!extracted.is_continued());
    assert!(extracted.fields().is_empty());
    ack(delivery).await
}

#[tokio::test]
async fn headers_at_the_limit_of_a_frame_arrive() -> Result {
    // Headers are one frame, and RabbitMQ's are of 128 KiB.
    let broker = RabbitMq::connect(&scenarios::unique("limit")).await?;
    let parent = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    let mut headers = FieldTable::default();
    propagation::extract(&parent, Trust::external()).in_scope(|| propagation::inject(&mut headers));
    headers.insert("other".into(), AMQPValue::LongString("x".repeat(130_000).into()));
    broker.send(headers, "raw").await?;
    let delivery = scenarios::receive(&broker).await?;
    assert!(propagation::extract(&delivery.headers, Trust::external()).is_continued());
    ack(delivery).await
}

#[tokio::test]
async fn the_bytes_on_the_wire_are_those_of_the_documentation() -> Result {
    let recorder = Recorder::start(server::port(5672)).await?;
    let url = format!("amqp://guest:guest@127.0.0.1:{}/%2f", recorder.port);
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let mut headers = FieldTable::default();
    write_documented(&mut headers);
    let properties = BasicProperties::default().with_headers(headers);
    channel
        .basic_publish("".into(), "ctx_nowhere".into(), BasicPublishOptions::default(), b"7", properties)
        .await?
        .await?;
    recorder.check(include_str!("../../../docs/messaging/amqp.md"), "amqp").await
}
