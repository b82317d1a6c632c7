//! A producer and a consumer of Kafka, whose lines have the same tenant and trace.
//!
//! `cargo run -p ctx-service-tests --features kafka --example kafka`

use std::time::Duration;

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Consumer, Destination, Producer},
    prelude::*,
    propagation::Trust,
};
use ctx_service_tests::{Result, example};
use rdkafka::{
    ClientConfig, Message,
    consumer::{Consumer as _, StreamConsumer},
    message::OwnedHeaders,
    producer::{FutureProducer, FutureRecord},
};
use tracing::{Instrument, info, info_span};

#[tokio::main]
async fn main() -> Result {
    example::init();
    let server = example::server(19092, "bash tests/services/servers/kafka.sh start target/services");
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", server).set("group.id", "ctx").set("session.timeout.ms", "6000");
    let client: FutureProducer = config.create()?;
    let orders = Destination::new("kafka", "ctx_orders");

    // The producer:
    let producer = Producer::new(orders.clone());
    let send = async {
        info!("ordered");
        let mut headers = OwnedHeaders::new();
        let sending = producer.inject(&mut headers);
        let record = FutureRecord::<(), _>::to("ctx_orders").payload("7").headers(headers);
        let sent = async { client.send(record, Duration::from_secs(10)).await.map_err(|(error, _)| error) };
        sending.run(sent).await
    };
    send.instrument(info_span!("request")).with_field(&TENANT_ID, "acme").await?;

    // The consumer, which could be another program:
    let records: StreamConsumer = config.set("auto.offset.reset", "earliest").create()?;
    records.subscribe(&["ctx_orders"])?;
    let consumer = Consumer::new(orders).trust(Trust::internal());
    let record = records.recv().await?;
    consumer.process(&record.headers()).run(async { info!("shipped") }).await;
    Ok(())
}
