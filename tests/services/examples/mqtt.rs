//! A producer and a consumer of MQTT 5, whose lines have the same tenant and trace.
//!
//! `cargo run -p ctx-service-tests --features mqtt --example mqtt`

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Consumer, Destination, Producer},
    prelude::*,
    propagation::Trust,
};
use ctx_service_tests::{Result, example};
use rumqttc::v5::{
    AsyncClient, Event, Incoming, MqttOptions,
    mqttbytes::{QoS, v5::PublishProperties},
};
use tracing::{Instrument, info, info_span};

#[tokio::main]
async fn main() -> Result {
    example::init();
    example::server(1883, "apt-get install mosquitto");
    let (client, mut events) = AsyncClient::new(MqttOptions::new("ctx_example", "127.0.0.1", 1883), 8);
    client.subscribe("ctx/orders", QoS::AtLeastOnce).await?;
    let orders = Destination::new("mqtt", "ctx/orders");

    // The producer:
    let producer = Producer::new(orders.clone());
    let send = async {
        info!("ordered");
        let mut properties = PublishProperties::default();
        let sending = producer.inject(&mut properties.user_properties);
        sending.run(client.publish_with_properties("ctx/orders", QoS::AtLeastOnce, false, "7", properties)).await
    };
    send.instrument(info_span!("request")).with_field(&TENANT_ID, "acme").await?;

    // The consumer, which could be another program:
    let consumer = Consumer::new(orders).trust(Trust::internal());
    loop {
        if let Event::Incoming(Incoming::Publish(message)) = events.poll().await? {
            let properties = message.properties.as_ref().map(|properties| &properties.user_properties);
            consumer.process(&properties).run(async { info!("shipped") }).await;
            return Ok(());
        }
    }
}
