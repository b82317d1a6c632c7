//! A producer and a consumer of a Redis stream, whose lines have the same tenant and trace.
//!
//! `cargo run -p ctx-service-tests --features redis --example redis`

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Consumer, Destination, Producer},
    prelude::*,
    propagation::Trust,
};
use ctx_service_tests::{Result, example};
use redis::{AsyncCommands, streams::StreamReadReply};
use tracing::{Instrument, info, info_span};

#[tokio::main]
async fn main() -> Result {
    example::init();
    let server = example::server(6379, "redis-server --port 6379");
    let mut redis = redis::Client::open(format!("redis://{server}"))?.get_multiplexed_async_connection().await?;
    let stream = format!("ctx_orders_{}", std::process::id());
    let orders = Destination::new("redis", "ctx_orders");

    // The producer:
    let producer = Producer::new(orders.clone());
    let send = async {
        info!("ordered");
        let mut entry = vec![("order".to_owned(), "7".to_owned())];
        let sending = producer.inject(&mut entry);
        sending.run(redis.xadd::<_, _, _, _, String>(&stream, "*", &entry)).await
    };
    send.instrument(info_span!("request")).with_field(&TENANT_ID, "acme").await?;

    // The consumer, which could be another program:
    let consumer = Consumer::new(orders).trust(Trust::internal());
    let read: StreamReadReply = redis.xread(&[&stream], &["0"]).await?;
    for entry in read.keys.iter().flat_map(|key| &key.ids) {
        consumer.process(entry).run(async { info!(order = entry.get::<u32>("order"), "shipped") }).await;
    }
    let _: u32 = redis.del(&stream).await?;
    Ok(())
}
