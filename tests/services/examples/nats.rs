//! A producer and a consumer of NATS, whose lines have the same tenant and trace.
//!
//! `cargo run -p ctx-service-tests --features nats --example nats`

use async_nats::HeaderMap;
use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Consumer, Destination, Producer},
    prelude::*,
    propagation::Trust,
};
use ctx_service_tests::{Result, example};
use futures_util::StreamExt;
use tracing::{Instrument, info, info_span};

#[tokio::main]
async fn main() -> Result {
    example::init();
    let client = async_nats::connect(example::server(4222, "apt-get install nats-server")).await?;
    let mut messages = client.subscribe("ctx.orders").await?;
    let orders = Destination::new("nats", "ctx.orders");

    // The producer:
    let producer = Producer::new(orders.clone());
    let send = async {
        info!("ordered");
        let mut headers = HeaderMap::new();
        let sending = producer.inject(&mut headers);
        sending.run(client.publish_with_headers("ctx.orders", headers, "7".into())).await
    };
    send.instrument(info_span!("request")).with_field(&TENANT_ID, "acme").await?;

    // The consumer, which could be another program:
    let consumer = Consumer::new(orders).trust(Trust::internal());
    let message = messages.next().await.ok_or("the subscription is open")?;
    consumer.process(&message.headers).run(async { info!("shipped") }).await;
    Ok(())
}
