//! NATS with JetStream: `bash tests/services/run nats`.

use std::time::Duration;

use async_nats::{
    HeaderMap,
    jetstream::{
        self, AckKind,
        consumer::{PullConsumer, pull},
        stream,
    },
};
use ctx_layer::{
    messaging::{Delivery, ReceiveOptions, Settlement},
    propagation::{self, Carrier, Trust},
};
use ctx_service_tests::{
    Result,
    broker::{Body, Broker, dead_letters_of},
    messages::{ack, send_to_dead_letters},
    scenarios, server,
    wire::{Recorder, write_documented},
};
use futures_util::StreamExt;
use tokio::sync::Mutex;

struct Nats {
    queue: String,
    jetstream: jetstream::Context,
    consumer: PullConsumer,
    messages: Mutex<Option<pull::Stream>>,
}

impl Broker for Nats {
    const SYSTEM: &'static str = "nats";
    const SERVER: &'static str = "nats";
    const MOVES_DEAD_LETTERS: bool = false;
    type Headers = HeaderMap;
    type Delivery = Received;

    async fn connect(queue: &str) -> Result<Self> {
        let client = async_nats::connect(format!("127.0.0.1:{}", server::port(4222))).await?;
        let jetstream = jetstream::new(client);
        let mut subjects = vec![queue];
        let dead = dead_letters_of(queue);
        if !queue.ends_with("_dead") {
            subjects.push(&dead);
        }
        for subject in subjects {
            let config =
                stream::Config { name: subject.to_owned(), subjects: vec![subject.to_owned()], ..Default::default() };
            jetstream.get_or_create_stream(config).await?;
        }
        let config = pull::Config {
            durable_name: Some("worker".to_owned()),
            ack_wait: Duration::from_secs(2),
            max_ack_pending: 64,
            ..Default::default()
        };
        let consumer = jetstream.get_stream(queue).await?.get_or_create_consumer("worker", config).await?;
        Ok(Nats { queue: queue.to_owned(), jetstream, consumer, messages: Mutex::new(None) })
    }

    fn queue(&self) -> &str {
        &self.queue
    }

    async fn send(&self, headers: HeaderMap, body: &str) -> Result {
        self.jetstream.publish_with_headers(self.queue.clone(), headers, body.to_owned().into()).await?.await?;
        Ok(())
    }

    async fn receive(&self) -> Result<Received> {
        let mut messages = self.messages.lock().await;
        if messages.is_none() {
            *messages = Some(self.consumer.stream().max_messages_per_batch(32).messages().await?);
        }
        let message = messages.as_mut().ok_or("there are messages")?.next().await.ok_or("the stream has ended")??;
        Ok(Received { queue: self.queue.clone(), jetstream: self.jetstream.clone(), message })
    }
}

struct Received {
    queue: String,
    jetstream: jetstream::Context,
    message: jetstream::Message,
}

impl Delivery for Received {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn headers(&self) -> impl Carrier {
        self.message.headers.as_ref()
    }

    fn options(&self) -> ReceiveOptions {
        let delivered = self.message.info().ok().and_then(|info| u32::try_from(info.delivered).ok());
        ReceiveOptions::new().delivery(delivered.unwrap_or(1))
    }

    async fn settle(&self, settlement: Settlement) -> Result {
        match settlement {
            Settlement::Ack => self.message.ack().await,
            Settlement::Nack | Settlement::Requeue => self.message.ack_with(AckKind::Nak(None)).await,
            Settlement::DeadLetter => {
                // JetStream has no queue for dead letters.
                let headers = self.message.headers.clone().unwrap_or_default();
                let send = async |queue: String, headers| {
                    let payload = self.message.payload.clone();
                    self.jetstream.publish_with_headers(queue, headers, payload).await?.await?;
                    Ok(())
                };
                send_to_dead_letters::<Nats, _, _>(&self.queue, headers, send).await?;
                self.message.ack_with(AckKind::Term).await
            }
        }
    }
}

impl Body for Received {
    fn body(&self) -> String {
        String::from_utf8_lossy(&self.message.payload).into_owned()
    }
}

ctx_service_tests::scenarios! { Nats:
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
}

const PARENT: [(&str, &str); 1] = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];

#[tokio::test]
async fn several_values_of_a_header_arrive_and_two_parents_are_none() -> Result {
    let broker = Nats::connect(&scenarios::unique("several")).await?;
    let mut headers = HeaderMap::new();
    propagation::extract(&PARENT, Trust::external()).in_scope(|| propagation::inject(&mut headers));
    headers.append("baggage", "x-shard=7");
    headers.append("baggage", "tenant_id=acme");
    broker.send(headers.clone(), "raw").await?;
    let delivery = scenarios::receive(&broker).await?;
    assert_eq!(propagation::extract(&delivery.headers(), Trust::internal()).fields().len(), 2);
    ack(delivery).await?;

    headers.append("traceparent", PARENT[0].1);
    broker.send(headers, "raw").await?;
    let delivery = scenarios::receive(&broker).await?;
    assert!(!propagation::extract(&delivery.headers(), Trust::internal()).is_continued());
    ack(delivery).await
}

#[tokio::test]
async fn headers_at_the_limit_of_a_message_arrive() -> Result {
    // JetStream stores up to 64 KiB of headers.
    let broker = Nats::connect(&scenarios::unique("limit")).await?;
    let mut headers = HeaderMap::new();
    propagation::extract(&PARENT, Trust::external()).in_scope(|| propagation::inject(&mut headers));
    headers.insert("other", "x".repeat(65_000).as_str());
    broker.send(headers, "raw").await?;
    let delivery = scenarios::receive(&broker).await?;
    assert!(propagation::extract(&delivery.headers(), Trust::external()).is_continued());
    ack(delivery).await
}

#[tokio::test]
async fn the_bytes_on_the_wire_are_those_of_the_documentation() -> Result {
    let recorder = Recorder::start(server::port(4222)).await?;
    let client = async_nats::connect(format!("127.0.0.1:{}", recorder.port)).await?;
    let mut headers = HeaderMap::new();
    write_documented(&mut headers);
    client.publish_with_headers(scenarios::unique("wire"), headers, "7".into()).await?;
    client.flush().await?;
    recorder.check(include_str!("../../../docs/messaging/nats.md"), "nats").await
}
