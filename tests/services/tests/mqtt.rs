//! MQTT 5 with Mosquitto: `bash tests/services/run mqtt`.

use std::time::Duration;

use ctx_layer::{
    messaging::{Delivery, ReceiveOptions, Settlement},
    propagation::{self, Carrier, Trust, carriers::Envelope},
};
use ctx_service_tests::{
    Result,
    broker::{Body, Broker},
    fields,
    messages::{ack, send_to_dead_letters},
    scenarios, server, telemetry,
    wire::{Recorder, write_documented},
    worker,
};
use rumqttc::v5::{
    AsyncClient, Event, Incoming, MqttOptions,
    mqttbytes::{
        QoS,
        v5::{Publish, PublishProperties},
    },
};
use tokio::sync::{Mutex, OnceCell, mpsc};

/// A connection whose events are taken by a task.
struct Connection {
    client: AsyncClient,
    acks: Mutex<mpsc::UnboundedReceiver<Incoming>>,
    messages: Mutex<mpsc::UnboundedReceiver<Publish>>,
    events: tokio::task::JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.events.abort();
    }
}

impl Connection {
    /// Connects. A session with a name survives the connection.
    fn open(id: &str, is_kept: bool) -> Self {
        Connection::open_on(server::port(1883), id, is_kept)
    }

    fn open_on(port: u16, id: &str, is_kept: bool) -> Self {
        let mut options = MqttOptions::new(id, "127.0.0.1", port);
        options.set_clean_start(!is_kept).set_manual_acks(true).set_receive_maximum(Some(64));
        // The server discards what is larger than the client accepts, which is 10 KiB by default.
        options.set_max_packet_size(Some(1 << 20));
        options.set_session_expiry_interval(is_kept.then_some(3600));
        let (client, mut connection) = AsyncClient::new(options, 64);
        let (to_acks, acks) = mpsc::unbounded_channel();
        let (to_messages, messages) = mpsc::unbounded_channel();
        let events = tokio::spawn(async move {
            loop {
                match connection.poll().await {
                    Ok(Event::Incoming(Incoming::Publish(message))) => drop(to_messages.send(message)),
                    Ok(Event::Incoming(other @ (Incoming::PubAck(_) | Incoming::SubAck(_) | Incoming::ConnAck(_)))) => {
                        drop(to_acks.send(other))
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
        Connection { client, acks: Mutex::new(acks), messages: Mutex::new(messages), events }
    }

    async fn publish(&self, topic: &str, user_properties: Vec<(String, String)>, body: &str) -> Result {
        let properties = PublishProperties { user_properties, ..Default::default() };
        // One at a time, so that the next acknowledgement is this one's.
        let mut acks = self.acks.lock().await;
        self.client.publish_with_properties(topic, QoS::AtLeastOnce, false, body.to_owned(), properties).await?;
        while !matches!(acks.recv().await.ok_or("the connection is open")?, Incoming::PubAck(_)) {}
        Ok(())
    }
}

struct Mqtt {
    queue: String,
    producer: std::sync::Arc<Connection>,
    consumer: OnceCell<Connection>,
}

impl Mqtt {
    async fn consumer(&self) -> &Connection {
        self.consumer.get_or_init(|| async { Connection::open(&format!("{}_worker", self.queue), true) }).await
    }
}

impl Broker for Mqtt {
    const SYSTEM: &'static str = "mqtt";
    const SERVER: &'static str = "mqtt";
    const MOVES_DEAD_LETTERS: bool = false;
    type Headers = Vec<(String, String)>;
    type Delivery = Received;

    async fn connect(queue: &str) -> Result<Self> {
        let mut queues = vec![queue.to_owned()];
        if !queue.ends_with("_dead") {
            queues.push(ctx_service_tests::broker::dead_letters_of(queue));
        }
        if worker::is_worker() {
            queues.clear();
        }
        // MQTT has no queues: a session that outlives its connection keeps the messages of its subscription.
        for queue in queues {
            let session = Connection::open(&format!("{queue}_worker"), true);
            session.client.subscribe(&queue, QoS::AtLeastOnce).await?;
            while !matches!(session.acks.lock().await.recv().await.ok_or("it is open")?, Incoming::SubAck(_)) {}
            session.client.disconnect().await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let id = scenarios::unique("producer");
        Ok(Mqtt { queue: queue.to_owned(), producer: Connection::open(&id, false).into(), consumer: OnceCell::new() })
    }

    fn queue(&self) -> &str {
        &self.queue
    }

    async fn send(&self, headers: Vec<(String, String)>, body: &str) -> Result {
        self.producer.publish(&self.queue, headers, body).await
    }

    async fn receive(&self) -> Result<Received> {
        let consumer = self.consumer().await;
        let message = consumer.messages.lock().await.recv().await.ok_or("the connection is open")?;
        let (queue, producer, client) = (self.queue.clone(), self.producer.clone(), consumer.client.clone());
        Ok(Received { queue, producer, client, message })
    }

    async fn close(&self) -> Result {
        self.consumer().await.client.disconnect().await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok(())
    }
}

struct Received {
    queue: String,
    producer: std::sync::Arc<Connection>,
    client: AsyncClient,
    message: Publish,
}

impl Delivery for Received {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn headers(&self) -> impl Carrier {
        self.message.properties.as_ref().map(|properties| &properties.user_properties)
    }

    fn options(&self) -> ReceiveOptions {
        ReceiveOptions::new().delivery(1 + u32::from(self.message.dup))
    }

    async fn settle(&self, settlement: Settlement) -> Result {
        match settlement {
            Settlement::Ack => {}
            // It is delivered again when the client connects again.
            Settlement::Nack | Settlement::Requeue => return Ok(()),
            Settlement::DeadLetter => {
                let properties = self.message.properties.clone().unwrap_or_default().user_properties;
                let send =
                    async |topic: String, properties| self.producer.publish(&topic, properties, &self.body()).await;
                send_to_dead_letters::<Mqtt, _, _>(&self.queue, properties, send).await?;
            }
        }
        Ok(self.client.ack(&self.message).await?)
    }
}

impl Body for Received {
    fn body(&self) -> String {
        String::from_utf8_lossy(&self.message.payload).into_owned()
    }
}

ctx_service_tests::scenarios! { Mqtt:
    alone: a_message_survives_a_restart_of_the_broker_with_its_context,
    end_to_end => a_consumer_in_another_process_continues_the_trace_with_all_fields,
    redelivery => a_message_of_a_killed_consumer_keeps_its_parent,
    attempts => redeliveries_are_counted,
    dead_letters => a_dead_letter_keeps_its_context,
    tenants => ten_thousand_messages_of_a_hundred_tenants_are_not_mixed_up,
    without_context => a_message_without_context_gets_none,
    hostile_context => a_hostile_message_sets_nothing,
    longest_baggage => the_longest_baggage_arrives_whole,
}

#[tokio::test]
async fn a_payload_carries_context_where_there_are_no_properties() -> Result {
    // As with MQTT 3.1.1.
    telemetry::install();
    let broker = Mqtt::connect(&scenarios::unique("envelope")).await?;
    let mut message = Envelope::new("paid");
    fields::with_all(async { propagation::inject(&mut message) }).await;
    broker.send(Vec::new(), &String::from_utf8(message.to_bytes())?).await?;
    let delivery = scenarios::receive(&broker).await?;
    let received = Envelope::from_bytes(&delivery.message.payload);
    assert_eq!(*received.payload(), b"paid");
    propagation::extract(&received, Trust::internal()).in_scope(|| assert_eq!(fields::SHARD.get(), Some(7)));
    ack(delivery).await
}

#[tokio::test]
async fn user_properties_at_the_limit_of_their_length_arrive() -> Result {
    // The length of a string is two bytes.
    let broker = Mqtt::connect(&scenarios::unique("limit")).await?;
    let parent = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    let mut properties = vec![("other".to_owned(), "x".repeat(65_535))];
    propagation::extract(&parent, Trust::external()).in_scope(|| propagation::inject(&mut properties));
    broker.send(properties, "raw").await?;
    let delivery = scenarios::receive(&broker).await?;
    assert!(propagation::extract(&delivery.headers(), Trust::external()).is_continued());
    ack(delivery).await
}

#[tokio::test]
async fn the_bytes_on_the_wire_are_those_of_the_documentation() -> Result {
    let recorder = Recorder::start(server::port(1883)).await?;
    let connection = Connection::open_on(recorder.port, &scenarios::unique("wire"), false);
    let mut properties = Vec::new();
    write_documented(&mut properties);
    connection.publish("ctx/wire", properties, "7").await?;
    recorder.check(include_str!("../../../docs/messaging/mqtt.md"), "mqtt").await
}
