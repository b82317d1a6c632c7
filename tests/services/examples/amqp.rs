//! A producer and a consumer of RabbitMQ, whose lines have the same tenant and trace.
//!
//! `cargo run -p ctx-service-tests --features amqp --example amqp`

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Consumer, Destination, Producer},
    prelude::*,
    propagation::Trust,
};
use ctx_service_tests::{Result, example};
use futures_util::StreamExt;
use lapin::{BasicProperties, Connection, ConnectionProperties, options::*, types::FieldTable};
use tracing::{Instrument, info, info_span};

#[tokio::main]
async fn main() -> Result {
    example::init();
    let server = example::server(5672, "apt-get install rabbitmq-server");
    let url = format!("amqp://guest:guest@{server}/%2f");
    let channel = Connection::connect(&url, ConnectionProperties::default()).await?.create_channel().await?;
    channel.queue_declare("ctx_orders".into(), QueueDeclareOptions::default(), FieldTable::default()).await?;
    let orders = Destination::new("rabbitmq", "ctx_orders");

    // The producer:
    let producer = Producer::new(orders.clone());
    let send = async {
        info!("ordered");
        let mut headers = FieldTable::default();
        let sending = producer.inject(&mut headers);
        let properties = BasicProperties::default().with_headers(headers);
        sending
            .run(channel.basic_publish(
                "".into(),
                "ctx_orders".into(),
                BasicPublishOptions::default(),
                b"7",
                properties,
            ))
            .await
    };
    send.instrument(info_span!("request")).with_field(&TENANT_ID, "acme").await?;

    // The consumer, which could be another program:
    let consumer = Consumer::new(orders).trust(Trust::internal());
    let tag = "".into();
    let mut messages =
        channel.basic_consume("ctx_orders".into(), tag, BasicConsumeOptions::default(), FieldTable::default()).await?;
    let message = messages.next().await.ok_or("the channel is open")??;
    let headers = message.properties.headers().clone().unwrap_or_default();
    consumer.process(&headers).run(async { info!("shipped") }).await;
    message.ack(BasicAckOptions::default()).await?;
    Ok(())
}
